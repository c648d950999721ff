-- Agreed visits, one a workflow: who comes, and the window (business time, in
-- microseconds). A worker's row is locked while one of his windows is booked, so that
-- two bookings at once do not both take the last place.

-- +goose Up

CREATE TABLE appointments (
	workflow_id TEXT   PRIMARY KEY,
	worker      TEXT   NOT NULL,
	start_at    BIGINT NOT NULL,
	end_at      BIGINT NOT NULL
);
CREATE INDEX appointments_by_worker ON appointments (worker, start_at);

CREATE TABLE appointment_workers (
	worker TEXT   PRIMARY KEY,
	turns  BIGINT NOT NULL
);
