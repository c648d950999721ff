-- Photos that people uploaded: what is known of them; the pictures are blobs.
-- uploaded_at is real time. photos of a question are ids of those that its page shows:
-- JSON.

-- +goose Up

CREATE TABLE photos (
    id          TEXT   NOT NULL PRIMARY KEY,
    question_id TEXT   NOT NULL,
    workflow_id TEXT   NOT NULL,
    field       TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    bytes       BIGINT NOT NULL,
    uploaded_at BIGINT NOT NULL
);
CREATE INDEX photos_workflow ON photos (workflow_id, uploaded_at);
CREATE INDEX photos_digest ON photos (digest);
CREATE INDEX photos_uploaded ON photos (uploaded_at);

ALTER TABLE questions ADD COLUMN photos TEXT NOT NULL DEFAULT '';
