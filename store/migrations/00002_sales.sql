-- Sales at OpenMoove: the ledger of calls at partners, the map of properties,
-- who works on what, and bulk imports. Times as in 00001.

-- +goose Up

-- One row a partner: what every request for calls locks. The bucket that is being
-- filled is kept here, those before it in call_buckets. granted counts all calls
-- ever; the times are the ledger's own (see ledger.go), ahead is by how much it is
-- ahead of the clock.
CREATE TABLE call_ledgers (
    partner       TEXT   NOT NULL PRIMARY KEY,
    granted       BIGINT NOT NULL DEFAULT 0,
    bucket_began  BIGINT NOT NULL DEFAULT 0,
    bucket_last   BIGINT NOT NULL DEFAULT 0,
    bucket_before BIGINT NOT NULL DEFAULT 0,
    urgent_at     BIGINT NOT NULL DEFAULT 0,
    ahead         BIGINT NOT NULL DEFAULT 0
);

-- Calls granted close together: when the last of them was, and how many had been
-- granted ever before the first.
CREATE TABLE call_buckets (
    partner      TEXT   NOT NULL,
    last_at      BIGINT NOT NULL,
    before_calls BIGINT NOT NULL,
    PRIMARY KEY (partner, last_at)
);
CREATE UNIQUE INDEX call_buckets_by_count ON call_buckets (partner, before_calls);

-- What a partner said was left until reset_at (its time), and how many calls had
-- been granted ever when it said so.
CREATE TABLE call_notes (
    partner    TEXT   NOT NULL,
    reset_at   BIGINT NOT NULL,
    noted_at   BIGINT NOT NULL,
    until_at   BIGINT NOT NULL,
    left_calls BIGINT NOT NULL,
    granted    BIGINT NOT NULL,
    PRIMARY KEY (partner, reset_at)
);

CREATE TABLE properties (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL,
    address_key    TEXT   NOT NULL,
    seller_key     TEXT   NOT NULL,
    known_since    BIGINT NOT NULL
);
CREATE INDEX properties_by_address ON properties (address_key) WHERE address_key <> '';

-- A row is a role of an open sale and who has it.
CREATE TABLE cases (
    sale         TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    professional TEXT   NOT NULL,
    assigned_at  BIGINT NOT NULL,
    PRIMARY KEY (sale, role)
);

CREATE TABLE imports (
    id          TEXT   NOT NULL PRIMARY KEY,
    created_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL DEFAULT 0
);

-- payload is there while the row waits; problems is JSON or ''. A row that failed
-- waits until not_before; tries counts that.
CREATE TABLE import_rows (
    import_id      TEXT   NOT NULL,
    number         BIGINT NOT NULL,
    sale_key       TEXT   NOT NULL,
    payload        TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    property_id    TEXT   NOT NULL,
    transaction_id TEXT   NOT NULL,
    problems       TEXT   NOT NULL,
    tries          BIGINT NOT NULL DEFAULT 0,
    not_before     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (import_id, number)
);
CREATE INDEX import_rows_waiting ON import_rows (import_id, number) WHERE state = 'waiting';
