package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// auditChildURL makes the test binary append to the audit of the store that it names.
const auditChildURL = "KEYHOLDER_TEST_AUDIT_CHILD"

const (
	auditWriters = 3
	auditRounds  = 10
	auditShared  = 10
	// auditTries is how often an append is repeated, as its callers do: SQLite gives up on a
	// lock that others hold for 5 seconds in turn.
	auditTries = 20
)

// appendForOthers appends from a few goroutines with a pool each, to entities that all share:
// in every round an entry of its own to each, one that every writer of every process appends,
// and receipts, of which every key is everybody's.
func appendForOthers(at string) error {
	ctx := context.Background()
	errs := make([]error, auditWriters)
	together(auditWriters, func(i int) {
		s, err := store.Open(ctx, at)
		if err != nil {
			errs[i] = err
			return
		}
		for round := range auditRounds {
			var entries []store.AuditEntry
			for n := range auditShared {
				entity := fmt.Sprint("work-order/", (n+i)%auditShared)
				entries = append(entries,
					store.AuditEntry{ID: fmt.Sprint("own/", os.Getpid(), "/", i, "/", round, "/", n), Entity: entity, Kind: store.AuditDecision, Details: "d"},
					// The first that appends it decides to which entity it belongs.
					store.AuditEntry{ID: fmt.Sprint("shared/", round, "/", n), Entity: entity, Kind: store.AuditWrite})
			}
			var err error
			for range auditTries {
				err = errors.Join(s.Append(ctx, entries...), s.Accept(ctx, receipt(fmt.Sprint("k", round)), receipt(fmt.Sprint("k", round+1))))
				if err == nil {
					break
				}
			}
			if err != nil {
				errs[i] = err
				return
			}
		}
		errs[i] = s.Close()
	})
	return errors.Join(errs...)
}

// Processes append to the same entities at once: every chain holds, nothing is lost and what
// several of them append is there once.
func TestManyProcessesAppend(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		s := open(t, at)
		const processes = 3
		errs := make([]error, processes)
		together(processes, func(i int) {
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), auditChildURL+"="+at)
			child.Stderr = os.Stderr
			errs[i] = child.Run()
		})
		require.NoError(t, errors.Join(errs...))

		heads, err := s.AuditEntities(t.Context(), "", "", 0)
		require.NoError(t, err)
		require.Len(t, heads, auditShared, "the receipts are of one of them")
		total := int64(0)
		for _, h := range heads {
			requireHolds(t, s, h.Entity)
			total += h.Seq
		}
		want := processes*auditWriters*auditRounds*auditShared + auditRounds*auditShared + auditRounds + 1
		require.EqualValues(t, want, total)
		require.Equal(t, want, countRows(t, at, `SELECT count(*) FROM audit_entries`))
		require.Equal(t, auditRounds+1, countRows(t, at, `SELECT count(*) FROM receipts`))
	})
}
