-- When the last try of an effect began; begun_at stays that of the first.

-- +goose Up

ALTER TABLE effects ADD COLUMN tried_at BIGINT NOT NULL DEFAULT 0;
UPDATE effects SET tried_at = begun_at;
