-- Sales at OpenMoove that are followed: when each is read next. Times as in 00001;
-- next_due and turns_at are business time, the others real time.

-- +goose Up

-- slot is a hash of the id, by which pollers share the rows.
CREATE TABLE watches (
    property_id       TEXT   NOT NULL PRIMARY KEY,
    transaction_id    TEXT   NOT NULL,
    slot              BIGINT NOT NULL,
    class             TEXT   NOT NULL,
    next_due          BIGINT NOT NULL,
    turns_at          BIGINT NOT NULL,
    added_at          BIGINT NOT NULL,
    read_at           BIGINT NOT NULL,
    heard_at          BIGINT NOT NULL,
    failed_at         BIGINT NOT NULL,
    failures          BIGINT NOT NULL,
    due_at            BIGINT NOT NULL,
    reads             BIGINT NOT NULL,
    milestones_digest TEXT   NOT NULL,
    detail_digest     TEXT   NOT NULL
);
CREATE INDEX watches_due   ON watches (class, due_at, property_id);
CREATE INDEX watches_turns ON watches (turns_at, property_id) WHERE turns_at > 0;
