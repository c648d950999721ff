package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

func auditVerifyCommand(dataDir *string) *cobra.Command {
	var v auditVerification
	var all bool
	cmd := &cobra.Command{
		Use:   "verify [ENTITY | --all]",
		Short: "Prove that no entry of the audit was changed, removed or inserted",
		Long: `Recomputes the hash chain of one entity or of all, and prints what does not hold. Exits 1
where anything does not.

A chain proves nothing about entries cut off at its end together with its head. An anchor
does: the ends of all chains, kept where whoever writes to the store cannot write.
"--anchor FILE" appends one to a file once all chains hold (it has the names of entities,
no personal data), and "--against FILE" proves that each chain still contains what every
anchor of the file says. The SHA-256 that is printed is over all ends in their order; the
file is as good as that, if you keep it elsewhere.`,
		Example: `  keyholder audit verify work-order/4711
  keyholder audit verify --all --anchor /mnt/elsewhere/audit.anchors
  keyholder audit verify --all --against /mnt/elsewhere/audit.anchors`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if all == (len(given) == 1) {
				return usageError{errors.New("name an entity, or say --all for all of them")}
			}
			if !all && (v.anchor != "" || v.against != "") {
				return usageError{errors.New("--anchor and --against need --all")}
			}
			cfg, err := parse[auditStoreConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			v.out = cmd.OutOrStdout()
			_, err = fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, _ durable.Clock) (struct{}, error) {
				v.store = s
				if all {
					return struct{}{}, v.all(cmd.Context())
				}
				return struct{}{}, v.one(cmd.Context(), given[0])
			})
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "verify all entities")
	cmd.Flags().StringVar(&v.anchor, "anchor", "", "append an anchor to this file, once all chains hold")
	cmd.Flags().StringVar(&v.against, "against", "", "prove that the anchors of this file are still contained")
	return cmd
}

// auditVerification verifies chains, one at a time.
type auditVerification struct {
	anchor, against string
	store           store.Store
	out             io.Writer
	entities        int
	entries         int64
	faults          int
}

func (v *auditVerification) one(ctx context.Context, entity string) error {
	head, err := auditHead(ctx, v.store, entity)
	if err != nil {
		return err
	}
	if head.Seq == 0 {
		return auditUnknown(ctx, v.store, entity)
	}
	if err := v.chain(ctx, head); err != nil {
		return err
	}
	if v.faults == 0 {
		_, err = fmt.Fprintf(v.out, "%s: all %s hold, head %s\n", oneLine(entity), auditEntriesOf(head.Seq), head.Hash)
		return err
	}
	return v.failed()
}

func auditEntriesOf(n int64) string { return paper.Plural(int(n), "entry", "entries") }

func (v *auditVerification) chain(ctx context.Context, head store.AuditHead) error {
	faults, err := v.store.VerifyAudit(ctx, head.Entity)
	v.entities++
	v.entries += head.Seq
	for _, f := range faults {
		v.fault("%s: entry %d: %s", oneLine(f.Entity), f.Seq, f.Why)
	}
	return err
}

func (v *auditVerification) fault(format string, a ...any) {
	v.faults++
	fmt.Fprintf(v.out, format+"\n", a...)
}

func (v *auditVerification) failed() error {
	return fmt.Errorf("the audit does not hold: %s in %s", paper.Count(v.faults, "fault"), paper.Plural(v.entities, "entity", "entities"))
}

func (v *auditVerification) all(ctx context.Context) (err error) {
	anchor, err := newAuditAnchor(v.anchor)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, anchor.close()) }()
	err = auditHeads(ctx, v.store, "", func(h store.AuditHead) error {
		return errors.Join(v.chain(ctx, h), anchor.add(h))
	})
	if err != nil {
		return err
	}
	if err := v.headless(ctx); err != nil {
		return err
	}
	if v.against != "" {
		if err := v.compare(ctx); err != nil {
			return err
		}
	}
	if v.faults > 0 {
		return v.failed()
	}
	at := time.Now().UTC().Truncate(time.Second)
	if err := anchor.keep(at); err != nil {
		return err
	}
	fmt.Fprintf(v.out, "%s, %s: all chains hold.\n", paper.Plural(v.entities, "entity", "entities"), auditEntriesOf(v.entries))
	_, err = fmt.Fprintf(v.out, "anchor %s of %d heads at %s\n", anchor.sum(), anchor.heads, at.Format(time.RFC3339))
	return err
}

// headless finds entities whose entries are there and whose head is not: the list of heads
// does not have them.
func (v *auditVerification) headless(ctx context.Context) error {
	for after := ""; ; {
		some, err := v.store.AuditHeadless(ctx, after, auditPage)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, entity := range some {
			if err := v.chain(ctx, store.AuditHead{Entity: entity}); err != nil {
				return err
			}
		}
		after = some[len(some)-1]
	}
}

// compare proves that the chains contain what the anchors of a file say.
func (v *auditVerification) compare(ctx context.Context) error {
	heads := 0
	anchors, err := readAuditAnchors(v.against, func(anchored auditAnchorHead, at time.Time) error {
		heads++
		entries, err := v.store.AuditEntries(ctx, store.AuditFilter{
			Entity: anchored.Entity, AfterEntity: anchored.Entity, AfterSeq: anchored.Seq - 1, Most: 1,
		})
		switch {
		case err != nil:
			return err
		case len(entries) == 0 || entries[0].Seq != anchored.Seq:
			v.fault("%s: entry %d: it is gone; the anchor of %s has it", oneLine(anchored.Entity), anchored.Seq, at.Format(time.RFC3339))
		case entries[0].Hash != anchored.Hash:
			v.fault("%s: entry %d: the anchor of %s has another hash", oneLine(anchored.Entity), anchored.Seq, at.Format(time.RFC3339))
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(v.out, "%s: %s compared, of %s\n", v.against, paper.Count(heads, "head"), paper.Count(anchors, "anchor"))
	return err
}
