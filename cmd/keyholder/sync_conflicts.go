package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// conflictsMost is how many conflicts are shown at most.
const conflictsMost = 10_000

// A shownConflict is a field that both sides had changed.
type shownConflict struct {
	At     time.Time `json:"at"`
	Entity string    `json:"entity"`
	// Record is RentVine's; What is the field, both values, the rule and what was done.
	Record string `json:"record"`
	What   string `json:"what"`
}

func syncConflictsCommand(dataDir *string) *cobra.Command {
	var since string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "conflicts",
		Short: "Show fields that somebody had changed at RentVine when we were about to write them",
		Long: `Lists the conflicts of the audit, the oldest first (UTC): what RentVine held, what was to
be written, and by which rule of the policy (sync.conflicts) what was done.`,
		Example: `  keyholder sync conflicts
  keyholder sync conflicts --since 7d --json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := auditSpan(since, "", time.UTC, time.Now())
			if err != nil {
				return err
			}
			f.Kinds = []store.AuditKind{store.AuditConflict}
			cfg, err := parse[auditStoreConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			list, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, _ durable.Clock) ([]shownConflict, error) {
				return conflictsIn(cmd.Context(), s, f)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), list)
			}
			return writeConflicts(cmd.OutOrStdout(), list)
		},
	}
	cmd.Flags().StringVar(&since, "since", "24h", "only those since: a day, a time (RFC 3339), or how long ago, such as 36h or 30d")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// conflictsIn reads the conflicts of the audit, the oldest first; of too many the newest.
func conflictsIn(ctx context.Context, s store.Audit, f store.AuditFilter) ([]shownConflict, error) {
	list := []shownConflict{}
	older := func(a, b shownConflict) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.What, b.What))
	}
	err := auditEach(ctx, s, f, func(e store.AuditEntry) bool {
		list = append(list, shownConflict{At: e.At.UTC(), Entity: e.Entity, Record: e.Ref, What: e.What})
		if len(list) >= 2*conflictsMost {
			slices.SortFunc(list, older)
			list = slices.Clone(list[len(list)-conflictsMost:])
		}
		return true
	})
	slices.SortFunc(list, older)
	return list[max(0, len(list)-conflictsMost):], err
}

func writeConflicts(to io.Writer, list []shownConflict) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(to, "No conflicts.")
		return err
	}
	for _, c := range list {
		if _, err := fmt.Fprintf(to, "%s  %s  %s\n", c.At.Format(time.RFC3339), oneLine(c.Entity), oneLine(c.What)); err != nil {
			return err
		}
	}
	return nil
}
