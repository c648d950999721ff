-- What is known of partners' records, for whoever compares: the fields that are followed,
-- as JSON, with personal values as keyed hashes. known_at is when they were read, and written
-- when some were written after that, by name, as JSON; times are microseconds of real time.
-- kind is the record up to its first slash. listed is the mark of what a list has last shown
-- of the record, '' where that is to be told whatever it is, and moves counts what was told
-- of it. left_out keeps a record out of lists until it is known anew.

-- +goose Up
CREATE TABLE known_records (
    record   TEXT   NOT NULL PRIMARY KEY,
    kind     TEXT   NOT NULL,
    fields   TEXT   NOT NULL,
    known_at BIGINT NOT NULL,
    written  TEXT   NOT NULL,
    listed   TEXT   NOT NULL,
    moves    BIGINT NOT NULL,
    left_out BIGINT NOT NULL
);
CREATE INDEX known_records_kind ON known_records (kind, left_out, record);
