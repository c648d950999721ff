-- One set for SQLite and PostgreSQL. Times are BIGINT microseconds since 1970
-- UTC, 0 where there is none; yes and no are BIGINT 1 and 0.

-- +goose Up

-- Two processes that migrate at once: the second one's transaction fails here
-- as a whole, looks again and finds the work done.
CREATE UNIQUE INDEX keyholder_schema_once ON keyholder_schema (version_id);

CREATE TABLE effects (
    effect_key  TEXT   NOT NULL PRIMARY KEY,
    begun_at    BIGINT NOT NULL,
    finished_at BIGINT NOT NULL DEFAULT 0,
    ref         TEXT   NOT NULL DEFAULT ''
);

-- One row an address that was asked or that opted out: the consent, and what
-- Ask locks while it chooses a code.
CREATE TABLE addresses (
    address    TEXT   NOT NULL PRIMARY KEY,
    opted_out  BIGINT NOT NULL DEFAULT 0,
    changed_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE questions (
    id          TEXT   NOT NULL PRIMARY KEY,
    code        TEXT   NOT NULL,
    address     TEXT   NOT NULL,
    workflow_id TEXT   NOT NULL,
    step        TEXT   NOT NULL,
    person      TEXT   NOT NULL,
    purpose     TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    options     TEXT   NOT NULL,
    asked_at    BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    closed_at   BIGINT NOT NULL DEFAULT 0,
    answer      TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX questions_by_address  ON questions (address, asked_at);
CREATE INDEX questions_by_workflow ON questions (workflow_id);
CREATE INDEX questions_by_age      ON questions (asked_at);

CREATE TABLE messages (
    effect_key  TEXT   NOT NULL PRIMARY KEY,
    ref         TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    address     TEXT   NOT NULL,
    workflow_id TEXT   NOT NULL,
    step        TEXT   NOT NULL,
    class       TEXT   NOT NULL,
    sent_at     BIGINT NOT NULL,
    status      TEXT   NOT NULL,
    error_code  TEXT   NOT NULL
);
CREATE UNIQUE INDEX messages_by_ref     ON messages (ref) WHERE ref <> '';
CREATE INDEX        messages_by_address ON messages (address, class, sent_at);
CREATE INDEX        messages_by_age     ON messages (sent_at);

-- A row is a running incident.
CREATE TABLE incidents (
    property_id TEXT   NOT NULL,
    category    TEXT   NOT NULL,
    lead        TEXT   NOT NULL,
    began_at    BIGINT NOT NULL,
    PRIMARY KEY (property_id, category)
);
CREATE INDEX incidents_by_lead ON incidents (lead);

-- A row is a job that a technician holds.
CREATE TABLE jobs (
    workflow_id   TEXT   NOT NULL PRIMARY KEY,
    technician_id TEXT   NOT NULL,
    assigned_at   BIGINT NOT NULL
);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
