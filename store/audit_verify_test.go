package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func backgroundFor(t require.TestingT) context.Context {
	if own, ok := t.(interface{ Context() context.Context }); ok {
		return own.Context()
	}
	return context.Background()
}

// unguard lets a database be changed behind the store's back, as somebody may who owns it.
func unguard(t *testing.T, db *sql.DB, dialect goose.Dialect) {
	t.Helper()
	for trigger, table := range map[string]string{
		"audit_entries_stay": "audit_entries", "audit_entries_last": "audit_entries", "audit_entries_erased": "audit_entries",
		"audit_heads_stay": "audit_heads", "audit_heads_forward": "audit_heads",
	} {
		drop := `DROP TRIGGER ` + trigger
		if dialect == goose.DialectPostgres {
			drop += ` ON ` + table
		}
		_, err := db.ExecContext(t.Context(), drop)
		require.NoError(t, err)
	}
}

// tampering is what somebody does to the chain of work-order/7, and what is said of it. Its
// entries are 1 to 5: 3 was erased, 4 has no details, 5 tells of the erasure.
type tampering struct {
	statements []string
	want       []fault
}

type fault struct {
	seq int64
	why string
}

func tamperings() map[string]tampering {
	of := func(seq string) string { return ` WHERE entity = 'work-order/7' AND seq = ` + seq }
	tests := map[string]tampering{
		"nothing": {nil, nil},
		"details": {
			[]string{`UPDATE audit_entries SET details = 'Jane Doe'` + of("2")}, []fault{{2, "its details were changed"}},
		},
		"salt": {
			[]string{`UPDATE audit_entries SET salt = '00'` + of("2")}, []fault{{2, "its details were changed"}},
		},
		"details where none were": {
			[]string{`UPDATE audit_entries SET details = 'x'` + of("4")}, []fault{{4, "its details were changed"}},
		},
		"details gone": {
			[]string{`UPDATE audit_entries SET details = '', salt = ''` + of("2")}, []fault{{2, "its details were changed"}},
		},
		"details gone as if erased": {
			[]string{`UPDATE audit_entries SET details = '', salt = '', erased = 1` + of("2")},
			[]fault{{2, "its details are gone, and no entry says who erased them"}},
		},
		"erased details come back": {
			[]string{`UPDATE audit_entries SET details = 'Jane'` + of("3")}, []fault{{3, "it has details that were erased"}},
		},
		"an entry in the middle": {
			[]string{`DELETE FROM audit_entries` + of("2")}, []fault{{2, "missing: the entry after 1 is 3"}},
		},
		"an entry in the middle, and those after it moved": {
			[]string{
				`DELETE FROM audit_entries` + of("2"), `UPDATE audit_entries SET seq = 2` + of("3"), `UPDATE audit_entries SET seq = 3` + of("4"),
				`UPDATE audit_entries SET seq = 4` + of("5"), `UPDATE audit_heads SET seq = 4 WHERE entity = 'work-order/7'`,
			},
			[]fault{{2, "it does not follow the entry before it"}, {2, "it was changed"}, {3, "it was changed"}, {4, "it was changed"}},
		},
		"the tail": {
			[]string{`DELETE FROM audit_entries` + of("5")},
			[]fault{{5, "missing: the head says that there are 5 entries"}, {3, "its details are gone, and no entry says who erased them"}},
		},
		"the tail and the head's number": {
			[]string{`DELETE FROM audit_entries` + of("5"), `DELETE FROM audit_entries` + of("4"), `DELETE FROM audit_entries` + of("3"), `UPDATE audit_heads SET seq = 2 WHERE entity = 'work-order/7'`},
			[]fault{{2, "the head says another hash"}},
		},
		"everything": {
			[]string{`DELETE FROM audit_entries` + of("1"), `DELETE FROM audit_entries` + of("2"), `DELETE FROM audit_entries` + of("3"), `DELETE FROM audit_entries` + of("4"), `DELETE FROM audit_entries` + of("5")}, []fault{{1, "missing: the head says that there are 5 entries"}},
		},
		"the head": {
			[]string{`DELETE FROM audit_heads WHERE entity = 'work-order/7'`}, []fault{{1, "missing: the head of the chain"}},
		},
		"an entry for another": {
			[]string{
				`UPDATE audit_entries SET seq = 100` + of("1"), `UPDATE audit_entries SET seq = 1` + of("2"), `UPDATE audit_entries SET seq = 2` + of("100"),
			},
			[]fault{
				{1, "it does not follow the entry before it"}, {1, "it was changed"},
				{2, "it does not follow the entry before it"}, {2, "it was changed"}, {3, "it does not follow the entry before it"},
			},
		},
		"an entry more": {
			[]string{`INSERT INTO audit_entries SELECT entity, 6, 'forged', hash, hash, at, kind, actor, what, partner, ref, links, run_id, step, subject, digest, salt, details, erased
				FROM audit_entries` + of("4")},
			[]fault{{6, "it does not follow the entry before it"}, {6, "it was changed"}, {6, "the head says that there are only 5 entries"}},
		},
	}
	for _, column := range []string{"id", "actor", "what", "partner", "ref", "run_id", "step", "subject", "kind", "links"} {
		tests["the field "+column] = tampering{[]string{`UPDATE audit_entries SET ` + column + ` = '["forged"]'` + of("2")}, []fault{{2, "it was changed"}}}
	}
	tests["the time"] = tampering{[]string{`UPDATE audit_entries SET at = at + 1` + of("2")}, []fault{{2, "it was changed"}}}
	return tests
}

// Whatever is changed behind the store's back shows, at the place where it was.
func TestVerifyAuditSeesTampering(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		s := open(t, at)
		db, dialect := rawDB(t, at)
		unguard(t, db, dialect)
		n := 7
		for name, test := range tamperings() {
			n++
			test.on(t, s, db, name, fmt.Sprint("work-order/", n))
		}
	})
}

// on tampers with a chain of its own.
func (test tampering) on(t *testing.T, s store.Store, db *sql.DB, name, entity string) {
	t.Helper()
	ctx := t.Context()
	erased, plain := audited(entity, 3), audited(entity, 4)
	erased.Subject, plain.Details = "contact/"+entity, ""
	require.NoError(t, s.Append(ctx, audited(entity, 1), audited(entity, 2), erased, plain))
	_, err := s.EraseDetails(ctx, erased.Subject, "", "ann", "asked", auditAt)
	require.NoError(t, err)
	requireHolds(t, s, entity)
	for _, statement := range test.statements {
		result, err := db.ExecContext(ctx, strings.ReplaceAll(strings.ReplaceAll(statement, "work-order/7", entity), "forged", "forged "+name))
		require.NoError(t, err, statement)
		changed, err := result.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 1, changed, statement)
	}
	faults, err := s.VerifyAudit(ctx, entity)
	require.NoError(t, err)
	var got []fault
	for _, f := range faults {
		require.Equal(t, entity, f.Entity)
		got = append(got, fault{f.Seq, f.Why})
	}
	require.Equal(t, test.want, got, name)
}

// The database itself refuses what no code of ours does.
func TestAuditIsOnlyAddedTo(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		s := open(t, at)
		require.NoError(t, s.Append(t.Context(), audited("e", 1), audited("e", 2)))
		require.NoError(t, s.Accept(t.Context(), receipt("k")))
		db, _ := rawDB(t, at)
		for _, statement := range []string{
			`DELETE FROM audit_entries`, `DELETE FROM receipts`, `UPDATE receipts SET outcome = 'parked'`,
			`UPDATE audit_entries SET what = 'x'`, `UPDATE audit_entries SET seq = seq + 1`, `UPDATE audit_entries SET digest = ''`,
			`UPDATE audit_entries SET details = 'x'`, `UPDATE audit_entries SET details = '', erased = 1`, `UPDATE audit_entries SET erased = 0`,
			`DELETE FROM audit_heads`, `UPDATE audit_heads SET seq = 1`, `UPDATE audit_heads SET hash = 'x'`, `UPDATE audit_heads SET entity = 'x'`,
		} {
			_, err := db.ExecContext(t.Context(), statement)
			require.ErrorContains(t, err, "only added to", statement)
		}
		requireHolds(t, s, "e")
	})
}

// A chain without its head goes on from its last entry, and says so.
func TestAppendWithoutTheHead(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		s := open(t, at)
		require.NoError(t, s.Append(t.Context(), audited("e", 1), audited("e", 2)))
		db, dialect := rawDB(t, at)
		unguard(t, db, dialect)
		_, err := db.ExecContext(t.Context(), `DELETE FROM audit_heads`)
		require.NoError(t, err)
		faults, err := s.VerifyAudit(t.Context(), "e")
		require.NoError(t, err)
		require.Equal(t, []store.AuditFault{{Entity: "e", Seq: 1, Why: "missing: the head of the chain"}}, faults)
		require.NoError(t, s.Append(t.Context(), audited("e", 3), audited("f", 1)))
		requireHolds(t, s, "e")
		requireHolds(t, s, "f")
		list := entriesOf(t, s, store.AuditFilter{Entity: "e"})
		require.Len(t, list, 4)
		require.Equal(t, "the head of the chain was missing: it goes on from entry 2", list[2].What)
		require.Equal(t, "e#3", list[3].ID)
		require.Len(t, entriesOf(t, s, store.AuditFilter{Entity: "f"}), 1)
	})
}

// Who verifies while others append sees no fault.
func TestVerifyAuditMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, writer := open(), open()
		done := make(chan error, 1)
		go func() {
			for n := range 60 {
				if err := writer.Append(context.Background(), audited("e", 2*n), audited("e", 2*n+1)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for {
			requireHolds(t, s, "e")
			select {
			case err := <-done:
				require.NoError(t, err)
				require.Len(t, entriesOf(t, s, store.AuditFilter{Entity: "e"}), 120)
				return
			default:
			}
		}
	})
}
