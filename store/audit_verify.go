package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// maxAuditFaults bounds what is told of one entity.
const maxAuditFaults = 100

// VerifyAudit implements Audit. Head and entries are read by one statement, so that what is
// appended meanwhile does not look like a fault.
func (d *database) VerifyAudit(ctx context.Context, entity string) ([]AuditFault, error) {
	v := verification{entity: entity, erased: map[string]int64{}}
	err := eachRow(ctx, d.read, `SELECT
			COALESCE((SELECT h.seq FROM audit_heads h WHERE h.entity = $1), 0), COALESCE((SELECT h.hash FROM audit_heads h WHERE h.entity = $1), ''),
			`+auditColumns+` FROM audit_entries WHERE entity = $1 ORDER BY seq`, []any{entity}, func(scan func(...any) error) error {
		var c chained
		if err := c.scan(scan, &v.head.Seq, &v.head.Hash); err != nil {
			return err
		}
		v.next(c)
		return nil
	})
	if err == nil && v.last == 0 {
		err = eachRow(ctx, d.read, `SELECT seq, hash FROM audit_heads WHERE entity = $1
			AND NOT EXISTS (SELECT 1 FROM audit_entries e WHERE e.entity = $1)`, []any{entity}, func(scan func(...any) error) error {
			return scan(&v.head.Seq, &v.head.Hash)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("store: verify the audit: %w", err)
	}
	v.end()
	return v.faults, nil
}

// verification walks one chain.
type verification struct {
	entity string
	head   AuditHead
	// last and hash are of the entry before.
	last int64
	hash string
	// erased are the ids without details of which no entry says that they were erased.
	erased map[string]int64
	faults []AuditFault
}

func (v *verification) fault(seq int64, format string, args ...any) {
	if len(v.faults) < maxAuditFaults {
		v.faults = append(v.faults, AuditFault{Entity: v.entity, Seq: seq, Why: fmt.Sprintf(format, args...)})
	}
}

func (v *verification) next(c chained) {
	switch {
	case c.Seq != v.last+1:
		v.fault(v.last+1, "missing: the entry after %d is %d", v.last, c.Seq)
	case c.Prev != v.hash:
		v.fault(c.Seq, "it does not follow the entry before it")
	}
	if c.sum() != c.Hash {
		v.fault(c.Seq, "it was changed")
	}
	switch {
	case c.Erased:
		v.erased[c.ID] = c.Seq
		if c.Details != "" {
			v.fault(c.Seq, "it has details that were erased")
		}
	case c.digest == "" && c.Details != "", c.digest != "" && digestDetails(c.salt, c.Details) != c.digest:
		v.fault(c.Seq, "its details were changed")
	}
	if c.Kind == AuditErased {
		for _, id := range c.Links {
			delete(v.erased, id)
		}
	}
	v.last, v.hash = c.Seq, c.Hash
}

func (v *verification) end() {
	switch {
	case v.last < v.head.Seq:
		v.fault(v.last+1, "missing: the head says that there are %d entries", v.head.Seq)
	case v.last > 0 && v.head.Seq == 0:
		v.fault(1, "missing: the head of the chain")
	case v.last > v.head.Seq:
		v.fault(v.head.Seq+1, "the head says that there are only %d entries", v.head.Seq)
	case v.hash != v.head.Hash:
		v.fault(v.last, "the head says another hash")
	}
	for _, seq := range slices.Sorted(maps.Values(v.erased)) {
		v.fault(seq, "its details are gone, and no entry says who erased them")
	}
}
