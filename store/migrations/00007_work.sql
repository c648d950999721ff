-- What people and vendors were asked to do and what became of it: one row an offer,
-- invitation or job. Times are business time; no names, no addresses.

-- +goose Up

CREATE TABLE work (
	work_key         TEXT   PRIMARY KEY,
	worker           TEXT   NOT NULL,
	work_order_id    TEXT   NOT NULL,
	trade            TEXT   NOT NULL,
	asked_at         BIGINT NOT NULL,
	answered_at      BIGINT NOT NULL,
	finished_at      BIGINT NOT NULL,
	-- the latest of the three
	last_at          BIGINT NOT NULL,
	accepted         BIGINT NOT NULL,
	-- in hundredths of the currency's unit
	estimate         BIGINT NOT NULL,
	price            BIGINT NOT NULL,
	-- -1 not known yet, 0 it came back, 1 it did not
	first_time_fixed BIGINT NOT NULL,
	-- 1 to 5, 0 for none
	rating           BIGINT NOT NULL
);
CREATE INDEX work_by_time ON work (last_at);
