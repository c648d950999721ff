package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

const (
	// auditValues is how many values one statement takes: SQLite's driver looks each up among
	// all of them.
	auditValues = 150
	// auditTries is how often an append is tried whose ids another process adds meanwhile.
	auditTries = 3
)

const auditColumns = `entity, seq, id, prev, hash, at, kind, actor, what, partner, ref, links, run_id, step, subject, digest, salt, details, erased`

func (c chained) values() []any {
	return []any{
		c.Entity, c.Seq, c.ID, c.Prev, c.Hash, micros(c.At), string(c.Kind), c.Actor, c.What, c.Partner, c.Ref, linksText(c.Links),
		c.RunID, c.Step, c.Subject, c.digest, c.salt, c.Details, 0,
	}
}

// errAuditRaced tells that another transaction has just added one of the ids to the chain
// of another entity.
var errAuditRaced = errors.New("store: another process has added the entry meanwhile")

// Append implements Audit.
func (d *database) Append(ctx context.Context, entries ...AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	err := d.inAudit(ctx, func(tx *sql.Tx) error { return appendEntries(ctx, tx, entries) })
	if err != nil {
		return fmt.Errorf("store: append to the audit: %w", err)
	}
	return nil
}

// inAudit is inTx, again where another process was quicker with an id.
func (d *database) inAudit(ctx context.Context, f func(tx *sql.Tx) error) error {
	for try := 1; ; try++ {
		if err := d.inTx(ctx, f); !errors.Is(err, errAuditRaced) || try == auditTries {
			return err
		}
	}
}

// appendEntries adds entries within a transaction. Whoever appends to an entity holds the row
// of its head until the transaction ends; all take the rows in the same order, so that none
// waits for ever.
func appendEntries(ctx context.Context, tx *sql.Tx, entries []AuditEntry) error {
	clean := make([]AuditEntry, 0, len(entries))
	for _, e := range entries {
		e, err := cleanEntry(e)
		if err != nil {
			return err
		}
		clean = append(clean, e)
	}
	heads, err := lockHeads(ctx, tx, clean)
	if err != nil {
		return err
	}
	mended, err := mendHeads(ctx, tx, heads)
	if err != nil {
		return err
	}
	clean = append(mended, clean...)
	known, err := knownEntries(ctx, tx, clean)
	if err != nil {
		return err
	}
	var fresh []chained
	moved := map[string]AuditHead{}
	for _, e := range clean {
		if known[e.ID] {
			continue
		}
		known[e.ID] = true
		head := heads[e.Entity]
		c := seal(e, head.Seq+1, head.Hash)
		head.Seq, head.Hash = c.Seq, c.Hash
		heads[e.Entity], moved[e.Entity] = head, head
		fresh = append(fresh, c)
	}
	added, err := insertMany(ctx, tx, `INSERT INTO audit_entries (`+auditColumns+`) VALUES `, ` ON CONFLICT (id) DO NOTHING`, fresh, chained.values)
	if err != nil {
		return err
	}
	if added < int64(len(fresh)) {
		return errAuditRaced
	}
	return moveHeads(ctx, tx, moved)
}

// lockHeads makes the heads that are missing, holds all until the transaction ends and returns
// them.
func lockHeads(ctx context.Context, tx *sql.Tx, entries []AuditEntry) (map[string]AuditHead, error) {
	heads := map[string]AuditHead{}
	for _, e := range entries {
		heads[e.Entity] = AuditHead{Entity: e.Entity}
	}
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(heads)), auditValues/3) {
		args := make([]any, 0, 3*len(batch))
		for _, entity := range batch {
			args = append(args, entity, 0, "")
		}
		err := eachRow(ctx, tx, `INSERT INTO audit_heads (entity, seq, hash) VALUES `+places(len(batch), 3)+`
			ON CONFLICT (entity) DO UPDATE SET seq = audit_heads.seq RETURNING entity, seq, hash`, args, func(scan func(...any) error) error {
			var h AuditHead
			if err := scan(&h.Entity, &h.Seq, &h.Hash); err != nil {
				return err
			}
			heads[h.Entity] = h
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// mendHeads lets a chain whose head somebody has deleted go on from its last entry. Until then
// verifying it tells of the head; from then on the entries do that it returns.
func mendHeads(ctx context.Context, tx *sql.Tx, heads map[string]AuditHead) (mended []AuditEntry, err error) {
	var empty []any
	for _, entity := range slices.Sorted(maps.Keys(heads)) {
		if heads[entity].Seq == 0 {
			empty = append(empty, entity)
		}
	}
	for batch := range slices.Chunk(empty, auditValues) {
		err := eachRow(ctx, tx, `SELECT e.entity, e.seq, e.hash FROM audit_entries e WHERE e.entity IN `+places(1, len(batch))+`
			AND e.seq = (SELECT MAX(l.seq) FROM audit_entries l WHERE l.entity = e.entity)`, batch, func(scan func(...any) error) error {
			var h AuditHead
			err := scan(&h.Entity, &h.Seq, &h.Hash)
			heads[h.Entity] = h
			mended = append(mended, AuditEntry{
				ID: cleanID(fmt.Sprintf("head/%d/%s", h.Seq, h.Entity)), Entity: h.Entity, Kind: AuditDecision, At: time.Now(), Actor: "store",
				What: fmt.Sprintf("the head of the chain was missing: it goes on from entry %d", h.Seq), Links: []string{},
			})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return mended, nil
}

// knownEntries are the ids that are there already.
func knownEntries(ctx context.Context, tx *sql.Tx, entries []AuditEntry) (map[string]bool, error) {
	known := map[string]bool{}
	for batch := range slices.Chunk(entries, auditValues) {
		args := make([]any, 0, len(batch))
		for _, e := range batch {
			args = append(args, e.ID)
		}
		err := eachRow(ctx, tx, `SELECT id FROM audit_entries WHERE id IN `+places(1, len(batch)), args, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			known[id] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

func moveHeads(ctx context.Context, tx *sql.Tx, moved map[string]AuditHead) error {
	heads := make([]AuditHead, 0, len(moved))
	for _, entity := range slices.Sorted(maps.Keys(moved)) {
		heads = append(heads, moved[entity])
	}
	_, err := insertMany(ctx, tx, `INSERT INTO audit_heads (entity, seq, hash) VALUES `,
		` ON CONFLICT (entity) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`, heads,
		func(h AuditHead) []any { return []any{h.Entity, h.Seq, h.Hash} })
	return err
}

// insertMany inserts rows, many by one statement, and tells how many it made or changed.
func insertMany[T any](ctx context.Context, tx *sql.Tx, insert, conflict string, rows []T, values func(T) []any) (total int64, err error) {
	for len(rows) > 0 {
		columns := len(values(rows[0]))
		batch := rows[:min(len(rows), auditValues/columns)]
		rows = rows[len(batch):]
		args := make([]any, 0, len(batch)*columns)
		for _, row := range batch {
			args = append(args, values(row)...)
		}
		result, err := tx.ExecContext(ctx, insert+places(len(batch), columns)+conflict, args...)
		if err != nil {
			return total, err
		}
		n, err := result.RowsAffected()
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// eachRow calls f for every row of a query, which it reads to the end.
func eachRow(ctx context.Context, q querier, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
