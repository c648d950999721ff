-- +goose Up

-- What was done in a period, and what was begun and is not known to be done.
CREATE INDEX effects_by_end ON effects (finished_at, effect_key);
