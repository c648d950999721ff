-- What was last seen of a followed sale, as JSON that only its writer reads, and when
-- the sale ended: its row stays, lest it is taken for a new one. When OpenMoove says
-- that a property was created (business time).

-- +goose Up

ALTER TABLE watches ADD COLUMN view TEXT NOT NULL DEFAULT '';
ALTER TABLE watches ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE watches DROP COLUMN heard_at;
CREATE INDEX watches_transaction ON watches (transaction_id) WHERE transaction_id <> '';

ALTER TABLE properties ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
