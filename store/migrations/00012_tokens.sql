-- OAuth tokens of partners, sealed. Times as in 00001, real time by the database's
-- clock.

-- +goose Up

-- Whoever holds the row until locked_until may ask the partner for the next token.
CREATE TABLE tokens (
    name         TEXT   NOT NULL PRIMARY KEY,
    version      BIGINT NOT NULL,
    sealed       TEXT   NOT NULL,
    holder       TEXT   NOT NULL,
    locked_until BIGINT NOT NULL
);
