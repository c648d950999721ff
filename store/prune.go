package store

import (
	"context"
	"fmt"
	"time"
)

// Pruner is what the stores of Open can do besides: forget what is old.
type Pruner interface {
	// Prune deletes the messages sent, the questions asked and the imports finished
	// before a real time, with their rows, and tells how many rows went. Choose a
	// time further back than the longest workflow that may still ask about them.
	Prune(ctx context.Context, before time.Time) (rows int64, err error)
}

var _ Pruner = (*database)(nil)

// Prune deletes what is older than a real time, and tells how many rows went:
// messages by when they were sent, questions by when they were asked unless they
// may still be answered, imports by their end, calls of partners that are no
// longer called, records of work after two years, claims of campaigns after two
// months, lettings, repairs and market rents after three years. Effects stay, which hold no personal data and must be known for ever; so do
// consent, contacts, properties and cases, and all of the audit with its receipts. It
// deletes a thousand rows at a time, so that others can write between.
func (d *database) Prune(ctx context.Context, before time.Time) (int64, error) {
	// Calls that a limit may still count stay whatever is asked.
	calls := before
	if counted := time.Now().Add(-2 * longestWindow); counted.Before(calls) {
		calls = counted
	}
	// Cards sum up a year of business time, which may be ahead of real time.
	work := before
	if counted := time.Now().Add(-workKept); counted.Before(work) {
		work = counted
	}
	// Claims are in business time too.
	claims := before
	if counted := time.Now().Add(-claimsKept); counted.Before(claims) {
		claims = counted
	}
	homes := before
	if counted := time.Now().Add(-portfolioKept); counted.Before(homes) {
		homes = counted
	}
	total := int64(0)
	for _, p := range []struct {
		query  string
		before time.Time
	}{
		{`DELETE FROM messages WHERE effect_key IN (SELECT effect_key FROM messages WHERE sent_at < $1 LIMIT $2)`, before},
		{`DELETE FROM questions WHERE id IN (SELECT id FROM questions
			WHERE asked_at < $1 AND (closed_at > 0 OR (expires_at > 0 AND expires_at < $1)) LIMIT $2)`, before},
		// Rows first: a crash between leaves an import that the next run finds again.
		{`DELETE FROM import_rows WHERE (import_id, number) IN (SELECT r.import_id, r.number
			FROM imports i JOIN import_rows r ON r.import_id = i.id
			WHERE i.finished_at > 0 AND i.finished_at < $1 LIMIT $2)`, before},
		{`DELETE FROM imports WHERE id IN (SELECT id FROM imports
			WHERE finished_at > 0 AND finished_at < $1 LIMIT $2)`, before},
		// What a list knows by now; the last list's stays, however old.
		{`DELETE FROM stock_used WHERE (sku, digest) IN (SELECT u.sku, u.digest
			FROM stock_used u JOIN stock_list l ON l.digest <> u.digest WHERE u.used_at < $1 LIMIT $2)`, before},
		{`DELETE FROM call_buckets WHERE (partner, last_at) IN (SELECT partner, last_at
			FROM call_buckets WHERE last_at < $1 LIMIT $2)`, calls},
		{`DELETE FROM call_notes WHERE (partner, reset_at) IN (SELECT partner, reset_at
			FROM call_notes WHERE noted_at < $1 LIMIT $2)`, calls},
		{`DELETE FROM campaign_claims WHERE message_key IN (SELECT message_key FROM campaign_claims WHERE claimed_at < $1 LIMIT $2)`, claims},
		{`DELETE FROM campaign_people WHERE person IN (SELECT person FROM campaign_people WHERE last_at < $1 LIMIT $2)`, claims},
		{`DELETE FROM work WHERE work_key IN (SELECT work_key FROM work WHERE last_at < $1 LIMIT $2)`, work},
		{`DELETE FROM lettings WHERE letting_key IN (SELECT letting_key FROM lettings WHERE ended_at < $1 LIMIT $2)`, homes},
		{`DELETE FROM repairs WHERE work_order_id IN (SELECT work_order_id FROM repairs WHERE last_at < $1 LIMIT $2)`, homes},
	} {
		n, err := d.deleteInBatches(ctx, p.query, micros(p.before))
		total += n
		if err != nil {
			return total, fmt.Errorf("store: prune: %w", err)
		}
	}
	n, err := d.deleteInBatches(ctx, `DELETE FROM market_rents WHERE (source, ref) IN (SELECT source, ref
		FROM market_rents WHERE day < $1 LIMIT $2)`, homes.UTC().Format(time.DateOnly))
	if total += n; err != nil {
		return total, fmt.Errorf("store: prune: %w", err)
	}
	return total, nil
}
