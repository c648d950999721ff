-- The audit: what happened to each entity, one hash chain each, and the receipts of accepted
-- events. Nothing here is ever deleted or changed but the details of an entry, which may be
-- erased (audit_guard.go guards that). Times are microseconds of real time.

-- +goose Up

-- links is JSON. digest is that of salt and details, '' for an entry without details.
CREATE TABLE audit_entries (
    entity  TEXT   NOT NULL,
    seq     BIGINT NOT NULL,
    id      TEXT   NOT NULL UNIQUE,
    prev    TEXT   NOT NULL,
    hash    TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    actor   TEXT   NOT NULL,
    what    TEXT   NOT NULL,
    partner TEXT   NOT NULL,
    ref     TEXT   NOT NULL,
    links   TEXT   NOT NULL,
    run_id  TEXT   NOT NULL,
    step    TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    digest  TEXT   NOT NULL,
    salt    TEXT   NOT NULL,
    details TEXT   NOT NULL,
    erased  BIGINT NOT NULL,
    PRIMARY KEY (entity, seq)
);
CREATE INDEX audit_entries_by_time    ON audit_entries (at);
CREATE INDEX audit_entries_by_subject ON audit_entries (subject, entity, seq) WHERE subject <> '';

-- The end of each entity's chain.
CREATE TABLE audit_heads (
    entity TEXT   NOT NULL PRIMARY KEY,
    seq    BIGINT NOT NULL,
    hash   TEXT   NOT NULL
);

CREATE TABLE receipts (
    receipt_key TEXT   NOT NULL PRIMARY KEY,
    source      TEXT   NOT NULL,
    type        TEXT   NOT NULL,
    entity_id   TEXT   NOT NULL,
    via         TEXT   NOT NULL,
    workflow_id TEXT   NOT NULL,
    run_id      TEXT   NOT NULL,
    outcome     TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX receipts_by_time ON receipts (recorded_at, receipt_key);
