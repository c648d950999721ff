package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const receiptColumns = `receipt_key, source, type, entity_id, via, workflow_id, run_id, outcome, reason, digest, received_at, recorded_at`

func (r Receipt) values() []any {
	return []any{
		r.Key, r.Source, r.Type, r.EntityID, r.Via, r.WorkflowID, r.RunID, r.Outcome, r.Reason, r.Digest, micros(r.ReceivedAt), micros(r.RecordedAt),
	}
}

func (r *Receipt) scan(scan func(...any) error) error {
	var received, recorded int64
	err := scan(&r.Key, &r.Source, &r.Type, &r.EntityID, &r.Via, &r.WorkflowID, &r.RunID, &r.Outcome, &r.Reason, &r.Digest, &received, &recorded)
	r.ReceivedAt, r.RecordedAt = fromMicros(received), fromMicros(recorded)
	return err
}

// entry is what the audit says of an event.
func (r Receipt) entry() AuditEntry {
	e := AuditEntry{
		ID: AuditEventID + r.Key, Entity: r.WorkflowID, Kind: AuditEvent, At: r.RecordedAt, Actor: r.Source,
		What: r.Type + " by " + r.Via, Ref: r.EntityID, RunID: r.RunID,
	}
	if r.Reason != "" {
		e.What += ": parked, " + r.Reason
	}
	return e
}

// viaReplay is how an event comes that was held back and that a person has let go on.
const viaReplay = "replay"

// replayEntry is what the audit says of an event whose receipt is of another workflow: the one
// in which it was held back.
func (r Receipt) replayEntry() AuditEntry {
	e := r.entry()
	e.ID, e.Links = e.ID+AuditReplay, []string{e.ID}
	return e
}

// Accept implements Audit.
func (d *database) Accept(ctx context.Context, receipts ...Receipt) error {
	first := map[string]Receipt{}
	var list []Receipt
	for _, r := range receipts {
		if r.Key == "" || r.WorkflowID == "" {
			return errors.New("store: a receipt needs a key and a workflow")
		}
		if r.RecordedAt.IsZero() {
			r.RecordedAt = time.Now()
		}
		r.Key = cleanID(r.Key)
		for _, text := range []*string{&r.Source, &r.Type, &r.EntityID, &r.Via, &r.WorkflowID, &r.RunID, &r.Outcome, &r.Reason, &r.Digest} {
			*text = cleanText(*text, maxAuditText)
		}
		if _, known := first[r.Key]; !known {
			first[r.Key] = r
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return nil
	}
	// One order for all, so that none waits for ever.
	slices.SortFunc(list, func(a, b Receipt) int { return strings.Compare(a.Key, b.Key) })
	err := d.inAudit(ctx, func(tx *sql.Tx) error {
		fresh, err := insertReceipts(ctx, tx, list)
		if err != nil {
			return err
		}
		replayed, err := replayedElsewhere(ctx, tx, list, fresh)
		if err != nil {
			return err
		}
		entries := make([]AuditEntry, 0, len(fresh))
		for _, r := range receipts {
			switch r = first[cleanID(r.Key)]; {
			case fresh[r.Key]:
				entries = append(entries, r.entry())
			case replayed[r.Key]:
				entries = append(entries, r.replayEntry())
			}
		}
		return appendEntries(ctx, tx, entries)
	})
	if err != nil {
		return fmt.Errorf("store: keep receipts: %w", err)
	}
	return nil
}

// insertReceipts tells which keys are new.
func insertReceipts(ctx context.Context, tx *sql.Tx, list []Receipt) (map[string]bool, error) {
	fresh := map[string]bool{}
	columns := len(Receipt{}.values())
	for batch := range slices.Chunk(list, auditValues/columns) {
		var args []any
		for _, r := range batch {
			args = append(args, r.values()...)
		}
		err := eachRow(ctx, tx, `INSERT INTO receipts (`+receiptColumns+`) VALUES `+places(len(batch), columns)+`
			ON CONFLICT (receipt_key) DO NOTHING RETURNING receipt_key`, args, func(scan func(...any) error) error {
			var key string
			err := scan(&key)
			fresh[key] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// replayedElsewhere tells which of the keys that were there already are replayed, and have
// come to another workflow than the receipt's.
func replayedElsewhere(ctx context.Context, tx *sql.Tx, list []Receipt, fresh map[string]bool) (map[string]bool, error) {
	to := map[string]string{}
	var keys []any
	for _, r := range list {
		if r.Via == viaReplay && !fresh[r.Key] {
			to[r.Key] = r.WorkflowID
			keys = append(keys, r.Key)
		}
	}
	elsewhere := map[string]bool{}
	for batch := range slices.Chunk(keys, auditValues) {
		err := eachRow(ctx, tx, `SELECT receipt_key, workflow_id FROM receipts WHERE receipt_key IN `+places(1, len(batch)), batch, func(scan func(...any) error) error {
			var key, workflow string
			err := scan(&key, &workflow)
			elsewhere[key] = workflow != to[key]
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return elsewhere, nil
}

// Receipts implements Audit.
func (d *database) Receipts(ctx context.Context, f ReceiptFilter) ([]Receipt, error) {
	c := &condition{}
	for _, field := range []struct{ column, value string }{{"source", f.Source}, {"type", f.Type}, {"outcome", f.Outcome}} {
		if field.value != "" {
			c.add(field.column+` = ?`, field.value)
		}
	}
	if !f.From.IsZero() {
		c.add(`recorded_at >= ?`, micros(f.From))
	}
	if !f.To.IsZero() {
		c.add(`recorded_at < ?`, micros(f.To))
	}
	if !f.AfterAt.IsZero() {
		c.add(`(recorded_at, receipt_key) > (?, ?)`, micros(f.AfterAt), f.After)
	}
	var list []Receipt
	query := fmt.Sprintf(`SELECT %s FROM receipts%s ORDER BY recorded_at, receipt_key LIMIT %d`, receiptColumns, c.where(), atMost(f.Most))
	err := eachRow(ctx, d.read, query, c.args, func(scan func(...any) error) error {
		var r Receipt
		err := r.scan(scan)
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: read receipts: %w", err)
	}
	return list, nil
}

// Receipt implements Audit.
func (d *database) Receipt(ctx context.Context, key string) (Receipt, error) {
	var r Receipt
	err := r.scan(d.read.QueryRowContext(ctx, `SELECT `+receiptColumns+` FROM receipts WHERE receipt_key = $1`, cleanID(key)).Scan)
	return r, orNotFound(err)
}
