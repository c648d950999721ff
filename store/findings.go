package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// findingsMost is how many findings a list has at most.
const findingsMost = 1000

// RaiseFinding records one.
func (d *database) RaiseFinding(ctx context.Context, f Finding) (bool, error) {
	if f.ID == "" || f.Kind == "" || f.FoundAt.IsZero() || f.State != "" && f.State != FindingOpen {
		return false, errors.New("store: raise finding: want an id, a kind and when it was found, of one that is open")
	}
	evidence, evidenceErr := json.Marshal(slices.Concat([]Detail{}, f.Evidence))
	transactions, transactionsErr := json.Marshal(slices.Concat([]string{}, f.Transactions))
	proposals, proposalsErr := json.Marshal(slices.Concat([]BankMatch{}, f.Proposals))
	if err := errors.Join(evidenceErr, transactionsErr, proposalsErr); err != nil {
		return false, fmt.Errorf("store: raise finding: %w", err)
	}
	raised := false
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		// One that is open is brought up to date; one that a person has decided stays.
		open, err := tx.ExecContext(ctx, `
			UPDATE findings SET severity = $2, reason = $3, evidence = $4, amount = $5, proposals = $6 WHERE id = $1 AND state = $7`,
			f.ID, f.Severity, f.Reason, string(evidence), f.Amount, string(proposals), string(FindingOpen))
		if err != nil {
			return err
		}
		if n, err := open.RowsAffected(); err != nil || n > 0 {
			return err
		}
		result, err := tx.ExecContext(ctx, `
			INSERT INTO findings (id, kind, severity, reason, evidence, transactions, lease_id, property_id, portfolio_id, amount, proposals, found_at, state)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, reason = excluded.reason, evidence = excluded.evidence, amount = excluded.amount,
				proposals = excluded.proposals, found_at = excluded.found_at, reviewed_at = 0, decided_at = 0, state = excluded.state
			WHERE findings.state = 'gone'`,
			f.ID, f.Kind, f.Severity, f.Reason, string(evidence), string(transactions),
			f.LeaseID, f.PropertyID, f.PortfolioID, f.Amount, string(proposals), micros(f.FoundAt), string(FindingOpen))
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		raised = true
		for _, id := range f.Transactions {
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO finding_transactions (transaction_id, finding_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, f.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("store: raise finding: %w", err)
	}
	return raised, nil
}

// NoteReview notes that the review of a finding has begun.
func (d *database) NoteReview(ctx context.Context, id string, at time.Time) error {
	if _, err := d.change(ctx, `UPDATE findings SET reviewed_at = $2 WHERE id = $1 AND reviewed_at = 0`, id, micros(at)); err != nil {
		return fmt.Errorf("store: note review: %w", err)
	}
	return nil
}

// SettleFinding notes how an open one ends.
func (d *database) SettleFinding(ctx context.Context, id string, state FindingState, by, note string, at time.Time) (bool, error) {
	switch state {
	case FindingRight, FindingWrong, FindingGone:
	case FindingOpen:
		return false, errors.New("store: settle finding: open is no end")
	default:
		return false, errors.New("store: settle finding: want right, wrong or gone")
	}
	n, err := d.change(ctx, `
		UPDATE findings SET state = $2, decided_by = $3, note = $4, decided_at = $5 WHERE id = $1 AND state = $6`,
		id, string(state), by, note, micros(at), string(FindingOpen))
	if err != nil {
		return false, fmt.Errorf("store: settle finding: %w", err)
	}
	if n > 0 {
		return true, nil
	}
	_, err = d.Finding(ctx, id)
	return false, err
}

// Finding returns one, or ErrNotFound.
func (d *database) Finding(ctx context.Context, id string) (Finding, error) {
	list, err := d.findings(ctx, `WHERE f.id = $2`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Finding{}, err
	}
	return list[0], nil
}

// Findings lists those of a state, the newest first.
func (d *database) Findings(ctx context.Context, state FindingState) ([]Finding, error) {
	if state == "" {
		return d.findings(ctx, "")
	}
	return d.findings(ctx, `WHERE f.state = $2`, string(state))
}

// OpenFindingsOf lists those open about a transaction.
func (d *database) OpenFindingsOf(ctx context.Context, transactionID string) ([]Finding, error) {
	return d.findings(ctx, `JOIN finding_transactions t ON t.finding_id = f.id
		WHERE t.transaction_id = $2 AND f.state = $3`, transactionID, string(FindingOpen))
}

// OpenFindingsOfLease lists those open about a lease.
func (d *database) OpenFindingsOfLease(ctx context.Context, leaseID string) ([]Finding, error) {
	return d.findings(ctx, `WHERE f.lease_id = $2 AND f.state = $3`, leaseID, string(FindingOpen))
}

func (d *database) findings(ctx context.Context, which string, args ...any) ([]Finding, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT f.id, f.kind, f.severity, f.reason, f.evidence, f.transactions, f.lease_id, f.property_id, f.portfolio_id,
			f.amount, f.proposals, f.found_at, f.reviewed_at, f.state, f.decided_by, f.decided_at, f.note
		FROM findings f `+which+` ORDER BY f.found_at DESC, f.id LIMIT $1`, append([]any{findingsMost}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("store: findings: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Finding
	for rows.Next() {
		var f Finding
		var evidence, transactions, proposals string
		var found, reviewed, decided int64
		if err := rows.Scan(&f.ID, &f.Kind, &f.Severity, &f.Reason, &evidence, &transactions, &f.LeaseID, &f.PropertyID, &f.PortfolioID,
			&f.Amount, &proposals, &found, &reviewed, &f.State, &f.DecidedBy, &decided, &f.Note); err != nil {
			return nil, fmt.Errorf("store: findings: %w", err)
		}
		if err := errors.Join(json.Unmarshal([]byte(evidence), &f.Evidence), json.Unmarshal([]byte(transactions), &f.Transactions), json.Unmarshal([]byte(proposals), &f.Proposals)); err != nil {
			return nil, fmt.Errorf("store: findings: %s cannot be read: %w", f.ID, err)
		}
		f.FoundAt, f.ReviewedAt, f.DecidedAt = fromMicros(found), fromMicros(reviewed), fromMicros(decided)
		list = append(list, f)
	}
	return list, orNotFound(rows.Err())
}
