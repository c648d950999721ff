package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// EraseDetails implements Audit. It erases a batch a transaction, so that others can write
// between; each entity's batch is told by an entry that links to the entries concerned. On the
// disk PostgreSQL has them until a VACUUM, and SQLite parts of long ones until it uses the pages
// again.
func (d *database) EraseDetails(ctx context.Context, subject, entity, by, why string, at time.Time) (int, error) {
	if subject == "" && entity == "" {
		return 0, errors.New("store: say whose details are to be erased: a subject or an entity")
	}
	for total := 0; ; {
		n := 0
		err := d.inAudit(ctx, func(tx *sql.Tx) (err error) {
			n, err = eraseSome(ctx, tx, subject, entity, AuditEntry{Kind: AuditErased, At: at, Actor: "operator/" + by, What: why, Subject: subject})
			return err
		})
		if err != nil {
			return total, fmt.Errorf("store: erase details of the audit: %w", err)
		}
		if total += n; n < auditValues {
			d.forgetLog(ctx)
			return total, nil
		}
	}
}

// eraseSome erases up to a batch. It tells first, which locks the heads of the entities
// concerned.
func eraseSome(ctx context.Context, tx *sql.Tx, subject, entity string, told AuditEntry) (int, error) {
	c := &condition{}
	c.add(`erased = 0 AND digest <> ''`)
	if subject != "" {
		c.add(`subject <> '' AND subject = ?`, subject)
	}
	if entity != "" {
		c.add(`entity = ?`, entity)
	}
	var ids []any
	byEntity := map[string][]string{}
	query := fmt.Sprintf(`SELECT entity, id FROM audit_entries%s ORDER BY entity, seq LIMIT %d`, c.where(), auditValues)
	err := eachRow(ctx, tx, query, c.args, func(scan func(...any) error) error {
		var of, id string
		err := scan(&of, &id)
		ids, byEntity[of] = append(ids, id), append(byEntity[of], id)
		return err
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	var entries []AuditEntry
	why := told.What
	for _, of := range slices.Sorted(maps.Keys(byEntity)) {
		told.ID, told.Entity, told.Links = "erased/"+rand.Text(), of, byEntity[of]
		told.What = fmt.Sprintf("details of %d entries erased: %s", len(told.Links), why)
		entries = append(entries, told)
	}
	if err := appendEntries(ctx, tx, entries); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE audit_entries SET details = '', salt = '', erased = 1 WHERE id IN `+places(1, len(ids)), ids...)
	return len(ids), err
}
