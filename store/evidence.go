package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Evidence is what a check of everything reads: traces of what happened, many at once.
type Evidence interface {
	// AuditIDs tells which of some audit entries are there, at most EvidenceMost at once.
	AuditIDs(ctx context.Context, ids []string) (map[string]bool, error)
	// AuditTrace lists what audit entries of some kinds are called, from one real time to
	// another, which is excluded, in the order of time and id, after one of them: ID,
	// Entity, Kind, At and RunID alone.
	AuditTrace(ctx context.Context, kinds []AuditKind, from, to time.Time, after AuditEntry, most int) ([]AuditEntry, error)
	// AuditTouched lists the entities after one that have entries from one real time to
	// another, which is excluded.
	AuditTouched(ctx context.Context, from, to time.Time, after string, most int) ([]string, error)
	// AuditHeadless lists the entities after one that have entries and are not among
	// AuditEntities: somebody has taken away or emptied their heads.
	AuditHeadless(ctx context.Context, after string, most int) ([]string, error)
	// ReceiptKeys tells which of some events have a receipt, at most EvidenceMost at once.
	ReceiptKeys(ctx context.Context, keys []string) (map[string]bool, error)
	// DoneEffects tells which of some effects are done, at most EvidenceMost at once.
	DoneEffects(ctx context.Context, keys []string) (map[string]bool, error)
	// UnfinishedEffects lists effects whose latest try began from one real time to another,
	// which is excluded, and whose outcome is unknown, the oldest first.
	UnfinishedEffects(ctx context.Context, from, to time.Time, most int) ([]Effect, error)
	// FinishedEffects lists effects that were done from one real time to another, which is
	// excluded, in the order of time and key, after one of them.
	FinishedEffects(ctx context.Context, from, to time.Time, after FinishedEffect, most int) ([]FinishedEffect, error)
	// MessagesSent lists messages that were given to a carrier from one real time to
	// another, which is excluded, in the order of time and key, after one of them. Those
	// that were only recorded are not among them.
	MessagesSent(ctx context.Context, from, to time.Time, after Message, most int) ([]Message, error)
}

// EvidenceMost is how many traces are looked up at once: SQLite's driver looks each value up
// among all of them.
const EvidenceMost = 100

// A FinishedEffect is an effect that is done: its key, when it was done (real time) and
// the partner's id of the result.
type FinishedEffect struct {
	Key string
	At  time.Time
	Ref string
}

// AuditIDs tells which of some audit entries are there.
func (d *database) AuditIDs(ctx context.Context, ids []string) (map[string]bool, error) {
	return d.present(ctx, `SELECT id FROM audit_entries WHERE id IN `, ids, cleanID)
}

// AuditTrace lists what audit entries of some kinds are called, in the order of time.
func (d *database) AuditTrace(ctx context.Context, kinds []AuditKind, from, to time.Time, after AuditEntry, most int) ([]AuditEntry, error) {
	// The first condition lets the index on the time begin where the page does.
	c := &condition{}
	c.add(`at >= ? AND at < ?`, max(micros(from), micros(after.At)), micros(to))
	c.add(`(at, id) > (?, ?)`, micros(after.At), after.ID)
	wanted := make([]any, len(kinds))
	for i, kind := range kinds {
		wanted[i] = string(kind)
	}
	c.add(`kind IN (`+strings.Join(slices.Repeat([]string{"?"}, len(kinds)), ", ")+`)`, wanted...)
	query := fmt.Sprintf(`SELECT id, entity, kind, at, run_id FROM audit_entries%s ORDER BY at, id LIMIT %d`, c.where(), atMost(most))
	var list []AuditEntry
	err := eachRow(ctx, d.read, query, c.args, func(scan func(...any) error) error {
		var e AuditEntry
		var at int64
		err := scan(&e.ID, &e.Entity, &e.Kind, &at, &e.RunID)
		e.At = fromMicros(at)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: trace the audit: %w", err)
	}
	return list, nil
}

// AuditTouched lists the entities with entries in a period.
func (d *database) AuditTouched(ctx context.Context, from, to time.Time, after string, most int) ([]string, error) {
	return d.entities(ctx, `SELECT DISTINCT entity FROM audit_entries
		WHERE at >= $1 AND at < $2 AND entity > $3 ORDER BY entity LIMIT $4`, micros(from), micros(to), after, atMost(most))
}

// AuditHeadless lists the entities whose heads are gone.
func (d *database) AuditHeadless(ctx context.Context, after string, most int) ([]string, error) {
	return d.entities(ctx, `SELECT DISTINCT entity FROM audit_entries e
		WHERE entity > $1 AND NOT EXISTS (SELECT 1 FROM audit_heads h WHERE h.entity = e.entity AND h.seq > 0)
		ORDER BY entity LIMIT $2`, after, atMost(most))
}

func (d *database) entities(ctx context.Context, query string, args ...any) ([]string, error) {
	var list []string
	err := eachRow(ctx, d.read, query, args, func(scan func(...any) error) error {
		var entity string
		err := scan(&entity)
		list = append(list, entity)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: list the audit's entities: %w", err)
	}
	return list, nil
}

// ReceiptKeys tells which of some events have a receipt.
func (d *database) ReceiptKeys(ctx context.Context, keys []string) (map[string]bool, error) {
	return d.present(ctx, `SELECT receipt_key FROM receipts WHERE receipt_key IN `, keys, cleanID)
}

// DoneEffects tells which of some effects are done.
func (d *database) DoneEffects(ctx context.Context, keys []string) (map[string]bool, error) {
	return d.present(ctx, `SELECT effect_key FROM effects WHERE finished_at > 0 AND effect_key IN `, keys, strings.Clone)
}

// present runs a query for keys, as kept makes them, and tells which it found.
func (d *database) present(ctx context.Context, query string, keys []string, kept func(string) string) (map[string]bool, error) {
	found, there := make(map[string]bool, len(keys)), make(map[string]bool, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	if len(keys) > EvidenceMost {
		return nil, fmt.Errorf("store: look up %d keys: at most %d at once", len(keys), EvidenceMost)
	}
	args := make([]any, len(keys))
	for i, k := range keys {
		args[i] = kept(k)
	}
	rows, err := d.read.QueryContext(ctx, query+places(1, len(keys)), args...)
	if err != nil {
		return nil, fmt.Errorf("store: look up keys: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("store: look up keys: %w", err)
		}
		there[key] = true
	}
	for _, k := range keys {
		if there[kept(k)] {
			found[k] = true
		}
	}
	return found, orNotFound(rows.Err())
}

// UnfinishedEffects lists effects whose outcome is unknown.
func (d *database) UnfinishedEffects(ctx context.Context, from, to time.Time, most int) ([]Effect, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT effect_key, begun_at, tried_at, note, `+d.clock+` FROM effects
		WHERE finished_at = 0 AND tried_at >= $1 AND tried_at < $2 ORDER BY tried_at, effect_key LIMIT $3`, micros(from), micros(to), most)
	if err != nil {
		return nil, fmt.Errorf("store: unfinished effects: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Effect
	for rows.Next() {
		var e Effect
		var begun, tried, now int64
		if err := rows.Scan(&e.Key, &begun, &tried, &e.Note, &now); err != nil {
			return nil, fmt.Errorf("store: unfinished effects: %w", err)
		}
		e.BegunAt, e.TriedAt = fromMicros(begun), fromMicros(tried)
		e.Quiet = time.Duration(max(now-tried, 0)) * time.Microsecond
		list = append(list, e)
	}
	return list, orNotFound(rows.Err())
}

// FinishedEffects lists effects that were done in a period.
func (d *database) FinishedEffects(ctx context.Context, from, to time.Time, after FinishedEffect, most int) ([]FinishedEffect, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT effect_key, finished_at, ref FROM effects
		WHERE finished_at >= $1 AND finished_at < $2 AND (finished_at, effect_key) > ($3, $4)
		ORDER BY finished_at, effect_key LIMIT $5`, max(micros(from), 1), micros(to), micros(after.At), after.Key, most)
	if err != nil {
		return nil, fmt.Errorf("store: finished effects: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []FinishedEffect
	for rows.Next() {
		var e FinishedEffect
		var at int64
		if err := rows.Scan(&e.Key, &at, &e.Ref); err != nil {
			return nil, fmt.Errorf("store: finished effects: %w", err)
		}
		e.At = fromMicros(at)
		list = append(list, e)
	}
	return list, orNotFound(rows.Err())
}

// MessagesSent lists messages that were given to a carrier in a period.
func (d *database) MessagesSent(ctx context.Context, from, to time.Time, after Message, most int) ([]Message, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT effect_key, ref, channel, workflow_id, step, sent_at FROM messages
		WHERE sent_at >= $1 AND sent_at < $2 AND (sent_at, effect_key) > ($3, $4) AND status <> 'recorded'
		ORDER BY sent_at, effect_key LIMIT $5`, micros(from), micros(to), micros(after.SentAt), after.Key, most)
	if err != nil {
		return nil, fmt.Errorf("store: messages sent: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Message
	for rows.Next() {
		var m Message
		var at int64
		if err := rows.Scan(&m.Key, &m.Ref, &m.Channel, &m.WorkflowID, &m.Step, &at); err != nil {
			return nil, fmt.Errorf("store: messages sent: %w", err)
		}
		m.SentAt = fromMicros(at)
		list = append(list, m)
	}
	return list, orNotFound(rows.Err())
}
