package store

import (
	"context"
	"errors"
	"time"
)

// ErrInvalidRetention is returned for a result that makes no sense.
var ErrInvalidRetention = errors.New("store: no such retention result")

// RetentionResult is how a retention campaign has ended. Times are business time.
type RetentionResult struct {
	// Key names the campaign for ever.
	Key string
	// Incentive is the policy's id of what was offered, "" for nothing.
	Incentive string
	// Outcome is in a word; Kept tells whether the risk has fallen.
	Outcome string
	Kept    bool
	// RiskBefore and RiskAfter are percent.
	RiskBefore, RiskAfter int
	EndedAt               time.Time
}

// IncentiveRecord sums up the campaigns that offered one incentive.
type IncentiveRecord struct {
	Incentive string
	Offered   int
	Kept      int
}

// Leases is what is known of leases across workflows.
type Leases interface {
	// LeaseSeen tells whether the sweep has handed on a lease as this digest says it, since
	// a real time.
	LeaseSeen(ctx context.Context, leaseID, digest string, since time.Time) (bool, error)
	// SeeLease notes that it has.
	SeeLease(ctx context.Context, leaseID, digest string, at time.Time) error
	// RecordRetention notes a result; the same key again replaces it.
	RecordRetention(ctx context.Context, r RetentionResult) error
	// IncentiveRecords sums up the results since a business time, by incentive.
	IncentiveRecords(ctx context.Context, since time.Time) ([]IncentiveRecord, error)
}

// LeaseSeen implements Leases.
func (d *database) LeaseSeen(ctx context.Context, leaseID, digest string, since time.Time) (bool, error) {
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM leases WHERE id = $1 AND digest = $2 AND seen_at >= $3`,
		leaseID, digest, micros(since)).Scan(&n)
	return n > 0, err
}

// SeeLease implements Leases.
func (d *database) SeeLease(ctx context.Context, leaseID, digest string, at time.Time) error {
	_, err := d.change(ctx, `
		INSERT INTO leases (id, digest, seen_at) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, seen_at = excluded.seen_at`, leaseID, digest, micros(at))
	return err
}

// RecordRetention implements Leases.
func (d *database) RecordRetention(ctx context.Context, r RetentionResult) error {
	if r.Key == "" || r.Outcome == "" || r.EndedAt.IsZero() {
		return ErrInvalidRetention
	}
	kept := 0
	if r.Kept {
		kept = 1
	}
	_, err := d.change(ctx, `
		INSERT INTO retention_results (key, incentive, outcome, kept, risk_before, risk_after, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (key) DO UPDATE SET incentive = excluded.incentive, outcome = excluded.outcome, kept = excluded.kept,
			risk_before = excluded.risk_before, risk_after = excluded.risk_after, ended_at = excluded.ended_at`,
		r.Key, r.Incentive, r.Outcome, kept, r.RiskBefore, r.RiskAfter, micros(r.EndedAt))
	return err
}

// IncentiveRecords implements Leases.
func (d *database) IncentiveRecords(ctx context.Context, since time.Time) (list []IncentiveRecord, err error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT incentive, COUNT(*), SUM(kept) FROM retention_results WHERE ended_at >= $1 AND incentive <> ''
		GROUP BY incentive ORDER BY incentive LIMIT 100`, micros(since))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r IncentiveRecord
		if err := rows.Scan(&r.Incentive, &r.Offered, &r.Kept); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}
