package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// mostAudit bounds what one look at the audit or at receipts returns.
const mostAudit = 10_000

func atMost(most int) int {
	if most <= 0 || most > mostAudit {
		return mostAudit
	}
	return most
}

// condition collects the conditions of a WHERE and their arguments; "?" stands for the next one.
type condition struct {
	parts []string
	args  []any
}

func (c *condition) add(part string, args ...any) {
	for _, arg := range args {
		c.args = append(c.args, arg)
		part = strings.Replace(part, "?", fmt.Sprintf("$%d", len(c.args)), 1)
	}
	c.parts = append(c.parts, part)
}

// prefix bounds a column; the first of both conditions lets an index help.
func (c *condition) prefix(column, prefix string) {
	c.add(column+` >= ? AND substr(`+column+`, 1, length(?)) = ?`, prefix, prefix, prefix)
}

func (c *condition) where() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}

// AuditEntries implements Audit.
func (d *database) AuditEntries(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	c := &condition{}
	if f.Entity != "" {
		c.add(`entity = ?`, f.Entity)
	}
	if f.Prefix != "" {
		c.prefix(`entity`, f.Prefix)
	}
	if len(f.Kinds) > 0 {
		var kinds []any
		for _, kind := range f.Kinds {
			kinds = append(kinds, string(kind))
		}
		c.add(`kind IN (?`+strings.Repeat(`, ?`, len(kinds)-1)+`)`, kinds...)
	}
	if f.Subject != "" {
		c.add(`subject <> '' AND subject = ?`, f.Subject)
	}
	if !f.From.IsZero() {
		c.add(`at >= ?`, micros(f.From))
	}
	if !f.To.IsZero() {
		c.add(`at < ?`, micros(f.To))
	}
	if f.AfterEntity != "" {
		c.add(`(entity, seq) > (?, ?)`, f.AfterEntity, f.AfterSeq)
	}
	var list []AuditEntry
	query := fmt.Sprintf(`SELECT %s FROM audit_entries%s ORDER BY entity, seq LIMIT %d`, auditColumns, c.where(), atMost(f.Most))
	err := eachRow(ctx, d.read, query, c.args, func(scan func(...any) error) error {
		var e chained
		if err := e.scan(scan); err != nil {
			return err
		}
		list = append(list, e.AuditEntry)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: read the audit: %w", err)
	}
	return list, nil
}

// scan reads a row of auditColumns, after what comes before them.
func (c *chained) scan(scan func(...any) error, before ...any) error {
	var at, erased int64
	var links string
	err := scan(append(before, &c.Entity, &c.Seq, &c.ID, &c.Prev, &c.Hash, &at, &c.Kind, &c.Actor, &c.What, &c.Partner, &c.Ref, &links,
		&c.RunID, &c.Step, &c.Subject, &c.digest, &c.salt, &c.Details, &erased)...)
	if err != nil {
		return err
	}
	c.At, c.Erased = fromMicros(at), erased != 0
	if err := json.Unmarshal([]byte(links), &c.Links); err != nil {
		c.Links = []string{links} // somebody has changed them: the chain says so
	}
	return nil
}

// AuditEntities implements Audit.
func (d *database) AuditEntities(ctx context.Context, prefix, after string, most int) ([]AuditHead, error) {
	c := &condition{}
	c.add(`seq > 0`)
	if prefix != "" {
		c.prefix(`entity`, prefix)
	}
	if after != "" {
		c.add(`entity > ?`, after)
	}
	var list []AuditHead
	query := fmt.Sprintf(`SELECT entity, seq, hash FROM audit_heads%s ORDER BY entity LIMIT %d`, c.where(), atMost(most))
	err := eachRow(ctx, d.read, query, c.args, func(scan func(...any) error) error {
		var h AuditHead
		err := scan(&h.Entity, &h.Seq, &h.Hash)
		list = append(list, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: read the audit's heads: %w", err)
	}
	return list, nil
}
