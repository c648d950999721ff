package main

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

func auditEraseCommand(dataDir *string) *cobra.Command {
	var subject, entity, by, why string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "erase (--subject PERSON | --entity ENTITY)",
		Short: "Erase personal details; the chains keep holding",
		Long: `Erases the personal details of all entries of a person, or of all entries of an entity.
What happened stays, without them, and each entity concerned gets an entry that says who
erased and why. It cannot be undone. Who and why are kept for good: write no personal data
there.

The entries of a person are what was written to them and what they said. What others were
told about them is theirs who got it: where that is to go too, erase each entity that was
about the person as well, such as their lease and work orders, whoever else it names.

Backups keep what they have. On its disk PostgreSQL has what was erased until VACUUM, and
SQLite parts of long texts until it uses their pages again.`,
		Example: `  keyholder audit erase --subject contact/21 --dry-run
  keyholder audit erase --subject contact/21 --by ann --why "request 2026-118"
  keyholder audit erase --entity work-order/4711 --by ann --why "request 2026-118"`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (subject == "") == (entity == "") {
				return usageError{errors.New("say with --subject whose details are to be erased, such as contact/21, or with --entity of what")}
			}
			const longest = 200
			if !dryRun && (by == "" || why == "" || utf8.RuneCountInString(by+why) > longest) {
				return usageError{fmt.Errorf("say with --by and --why who decided, and the reason, in at most %d characters", longest)}
			}
			cfg, err := parse[auditStoreConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			n, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, _ durable.Clock) (int, error) {
				if !dryRun {
					return s.EraseDetails(cmd.Context(), subject, entity, by, why, time.Now())
				}
				n := 0
				err := auditEach(cmd.Context(), s, store.AuditFilter{Subject: subject, Entity: entity}, func(e store.AuditEntry) bool {
					if e.Details != "" {
						n++
					}
					return true
				})
				return n, err
			})
			if err != nil {
				return err
			}
			done := "were erased"
			if dryRun {
				done = "would be erased (--dry-run)"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the details of %s %s\n", paper.Plural(n, "entry", "entries"), done)
			return err
		},
	}
	cmd.Flags().StringVar(&subject, "subject", "", "the person, such as contact/21")
	cmd.Flags().StringVar(&entity, "entity", "", "the entity, such as work-order/4711")
	cmd.Flags().StringVar(&by, "by", "", "who decided, as an id of yours")
	cmd.Flags().StringVar(&why, "why", "", "the reason, without personal data")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "count, and erase nothing")
	return cmd
}
