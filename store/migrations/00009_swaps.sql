-- Who stands in for whom on call. begins_at and ends_at are business time; made_at
-- and cancelled_at real time, cancelled_at 0 while the swap counts.

-- +goose Up

CREATE TABLE swaps (
    id           TEXT   NOT NULL PRIMARY KEY,
    out_person   TEXT   NOT NULL,
    in_person    TEXT   NOT NULL,
    begins_at    BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL,
    made_by      TEXT   NOT NULL,
    made_at      BIGINT NOT NULL,
    cancelled_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX swaps_live ON swaps (ends_at) WHERE cancelled_at = 0;
