-- What the page of a question shows beside its title, and what its form asks: JSON.

-- +goose Up

ALTER TABLE questions ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE questions ADD COLUMN fields TEXT NOT NULL DEFAULT '';
CREATE INDEX questions_open_by_person ON questions (person) WHERE closed_at = 0;
