package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

func auditListCommand(dataDir *string) *cobra.Command {
	var prefix, since string
	var kinds []string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the entities of the audit, with their entries and their last time",
		Long: `Lists the entities of the audit, each with how many entries it has and when the last one
was (UTC). With --kind or --since, only such entries are counted.`,
		Example: `  keyholder audit list --prefix work-order/
  keyholder audit list --kind conflict --since 7d`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := auditSpan(since, "", time.UTC, time.Now())
			if err != nil {
				return err
			}
			f.Prefix = prefix
			for _, k := range kinds {
				if !slices.Contains(auditKinds(), store.AuditKind(k)) {
					return usageError{fmt.Errorf("--kind must be one of %s", strings.Trim(fmt.Sprint(auditKinds()), "[]"))}
				}
				f.Kinds = append(f.Kinds, store.AuditKind(k))
			}
			cfg, err := parse[auditStoreConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			listed, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, _ durable.Clock) (int, error) {
				list := auditLister{to: cmd.OutOrStdout()}
				if len(f.Kinds) == 0 && f.From.IsZero() {
					err := list.heads(cmd.Context(), s, prefix)
					return list.count, err
				}
				err := list.entries(cmd.Context(), s, f)
				return list.count, err
			})
			if err == nil && listed == 0 {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "The audit has no such entries.")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "only entities whose name begins so, such as work-order/")
	cmd.Flags().StringSliceVar(&kinds, "kind", nil, "only entries of these kinds, such as conflict,command")
	cmd.Flags().StringVar(&since, "since", "", "only entries since: a day, a time (RFC 3339), or how long ago, such as 36h or 30d")
	return cmd
}

func auditKinds() []store.AuditKind {
	return []store.AuditKind{
		store.AuditEvent, store.AuditTook, store.AuditDecision, store.AuditCommand, store.AuditAnswer,
		store.AuditMessage, store.AuditWrite, store.AuditConflict, store.AuditEnded, store.AuditErased,
	}
}

// auditLister prints entities as they are read.
type auditLister struct {
	to     io.Writer
	count  int
	failed error
}

func (l *auditLister) print(entity string, entries int64, last time.Time) {
	if l.count++; l.count == 1 {
		_, l.failed = fmt.Fprintf(l.to, "%-20s  %7s  %s\n", "last", "entries", "entity")
	}
	if l.failed == nil {
		_, l.failed = fmt.Fprintf(l.to, "%s  %7d  %s\n", last.UTC().Format(time.RFC3339), entries, oneLine(entity))
	}
}

// heads lists all entities by the ends of their chains.
func (l *auditLister) heads(ctx context.Context, s store.Audit, prefix string) error {
	return auditHeads(ctx, s, prefix, func(h store.AuditHead) error {
		last, err := s.AuditEntries(ctx, store.AuditFilter{Entity: h.Entity, AfterEntity: h.Entity, AfterSeq: h.Seq - 1, Most: 1})
		if err != nil {
			return err
		}
		at := time.Time{}
		if len(last) > 0 {
			at = last[0].At
		}
		l.print(h.Entity, h.Seq, at)
		return l.failed
	})
}

// entries lists the entities of some entries.
func (l *auditLister) entries(ctx context.Context, s store.Audit, f store.AuditFilter) error {
	entity, n, last := "", int64(0), time.Time{}
	err := auditEach(ctx, s, f, func(e store.AuditEntry) bool {
		if e.Entity != entity {
			if n > 0 {
				l.print(entity, n, last)
			}
			entity, n, last = e.Entity, 0, e.At
		}
		n++
		if e.At.After(last) {
			last = e.At
		}
		return l.failed == nil
	})
	if n > 0 && err == nil && l.failed == nil {
		l.print(entity, n, last)
	}
	return errors.Join(err, l.failed)
}

// auditHeads gives the ends of chains one after another.
func auditHeads(ctx context.Context, s store.Audit, prefix string, use func(store.AuditHead) error) error {
	for after := ""; ; {
		heads, err := s.AuditEntities(ctx, prefix, after, auditPage)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if err := use(h); err != nil {
				return err
			}
		}
		if len(heads) < auditPage {
			return nil
		}
		after = heads[len(heads)-1].Entity
	}
}
