-- When the last try of an effect began (begun_at stays that of the first), and
-- what that try wanted to do.

-- +goose Up

ALTER TABLE effects ADD COLUMN tried_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE effects ADD COLUMN note TEXT NOT NULL DEFAULT '';
UPDATE effects SET tried_at = begun_at;
