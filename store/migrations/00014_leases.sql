-- +goose Up
-- What the sweep has seen of each lease: the digest of the row that was handed on.
CREATE TABLE leases (
	id TEXT PRIMARY KEY,
	digest TEXT NOT NULL,
	seen_at BIGINT NOT NULL
);
-- How retention campaigns have ended, by what was offered.
CREATE TABLE retention_results (
	key TEXT PRIMARY KEY,
	incentive TEXT NOT NULL,
	outcome TEXT NOT NULL,
	kept BIGINT NOT NULL,
	risk_before BIGINT NOT NULL,
	risk_after BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE INDEX retention_results_by_time ON retention_results (ended_at);
