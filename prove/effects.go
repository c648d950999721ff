package prove

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/store"
)

// entriesPage is how many entries of the audit are read at a time.
const entriesPage = 1000

// effectID is the audit entry of an effect.
func effectID(key string) string { return store.AuditEffectID + key }

// effects compares what was done at partners with what the audit says of it.
func (p *prover) effects(ctx context.Context) error {
	if err := p.unfinished(ctx); err != nil {
		return err
	}
	if err := p.done(ctx); err != nil {
		return err
	}
	if err := p.written(ctx); err != nil {
		return err
	}
	return p.messages(ctx)
}

// unfinished lists the effects that were begun and of which nobody knows whether they
// happened, however long ago: what nobody knew yesterday nobody knows today.
func (p *prover) unfinished(ctx context.Context) error {
	t := p.tally(CheckEffects, "effects that were begun have a known outcome")
	found, err := p.Store.UnfinishedEffects(ctx, time.Time{}, p.Until, mostListed)
	if err != nil {
		return err
	}
	t.compared(len(found))
	if len(found) == mostListed {
		t.cut("the oldest %d without a known outcome alone", mostListed)
	}
	for _, e := range found {
		if bookkeeping(e.Key) {
			continue
		}
		p.judge(t, e.TriedAt, Finding{
			Entity: ownerOf(e.Key), Key: e.Key, What: "it was begun at " + stamp(e.TriedAt) + " and its outcome is unknown",
			Advice: "its activity looks for it at the partner before it tries again: see why it does not in the Web UI; where the workflow has ended, look at the partner",
		})
	}
	return nil
}

// done looks for the audit entry of each effect that was done.
func (p *prover) done(ctx context.Context) error {
	t := p.tally(CheckEffects, "effects that were done are in the audit")
	var after store.FinishedEffect
	for {
		page, err := p.Store.FinishedEffects(ctx, p.Since, p.Until, after, store.EvidenceMost)
		if err != nil || len(page) == 0 {
			return err
		}
		ids := make([]string, len(page))
		for i, e := range page {
			ids[i] = effectID(e.Key)
		}
		there, err := p.Store.AuditIDs(ctx, ids)
		if err != nil {
			return err
		}
		t.compared(len(page))
		for _, e := range page {
			if !there[effectID(e.Key)] && !bookkeeping(e.Key) {
				p.judge(t, e.At, Finding{
					Entity: ownerOf(e.Key), Key: e.Key, What: "it was done at " + stamp(e.At) + " and the audit has no entry of it",
					Advice: "its activity records it when it is tried again; where the workflow has ended, reset it: docs/how-to/reset-a-stuck-workflow.md",
				})
			}
		}
		after = page[len(page)-1]
	}
}

// written looks for the effect of each entry that tells of one.
func (p *prover) written(ctx context.Context) error {
	t := p.tally(CheckEffects, "effects that the audit tells of were done")
	return p.entries(ctx, []store.AuditKind{store.AuditMessage, store.AuditWrite}, store.AuditEffectID, p.Store.DoneEffects, func(found map[string]bool, e store.AuditEntry, key string) {
		t.compared(1)
		if !found[key] {
			t.differs(Finding{
				Entity: e.Entity, Key: key, What: "the audit tells of it at " + stamp(e.At) + " and the journal of effects has no end of it",
				Advice: "somebody has changed the database by hand: compare it with a backup",
			})
		}
	})
}

// messages looks for the effect and the audit entry of each message that left.
func (p *prover) messages(ctx context.Context) error {
	t := p.tally(CheckEffects, "messages that left were done once and are in the audit")
	var after store.Message
	for {
		page, err := p.Store.MessagesSent(ctx, p.Since, p.Until, after, store.EvidenceMost)
		if err != nil || len(page) == 0 {
			return err
		}
		keys, ids := make([]string, len(page)), make([]string, len(page))
		for i, m := range page {
			keys[i], ids[i] = m.Key, effectID(m.Key)
		}
		done, err := p.Store.DoneEffects(ctx, keys)
		if err != nil {
			return err
		}
		told, err := p.Store.AuditIDs(ctx, ids)
		if err != nil {
			return err
		}
		t.compared(len(page))
		for _, m := range page {
			if !done[m.Key] || !told[effectID(m.Key)] {
				p.judge(t, m.SentAt, Finding{
					Entity: m.WorkflowID, Key: m.Key, What: "a message left at " + stamp(m.SentAt) + missing(done[m.Key], told[effectID(m.Key)]),
					Advice: "the store and the audit do not belong together, or somebody has changed the database by hand: compare it with a backup",
				})
			}
		}
		after = page[len(page)-1]
	}
}

func missing(done, told bool) string {
	switch {
	case !done && !told:
		return " of which neither the journal of effects nor the audit knows"
	case !done:
		return " of which the journal of effects does not know"
	}
	return " of which the audit does not know"
}

// entries walks through the audit entries of some kinds in the period whose ids begin with
// a prefix, with what a look-up has found of their keys.
func (p *prover) entries(ctx context.Context, kinds []store.AuditKind, prefix string,
	look func(context.Context, []string) (map[string]bool, error), each func(found map[string]bool, e store.AuditEntry, key string),
) error {
	var after store.AuditEntry
	for {
		page, err := p.Store.AuditTrace(ctx, kinds, p.Since, p.Until, after, entriesPage)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1]
		page = slices.DeleteFunc(page, func(e store.AuditEntry) bool { return !strings.HasPrefix(e.ID, prefix) })
		for some := range slices.Chunk(page, store.EvidenceMost) {
			keys := make([]string, len(some))
			for i, e := range some {
				keys[i] = strings.TrimPrefix(e.ID, prefix)
			}
			found, err := look(ctx, keys)
			if err != nil {
				return err
			}
			for i, e := range some {
				each(found, e, keys[i])
			}
		}
	}
}

// bookkeeping tells whether a key of the journal is no effect at a partner: which question
// a text answered, and which requests a digest has told of.
func bookkeeping(key string) bool {
	return strings.HasPrefix(key, "sms-in/") || (strings.HasPrefix(key, "owner-digest/") && strings.Contains(key, "/request/"))
}

// ownerOf is the workflow that an effect's key begins with, as far as it can be told: keys
// begin with a workflow's id, such as "work-order/4711".
func ownerOf(key string) string {
	parts := strings.SplitN(key, "/", 3)
	return strings.Join(parts[:min(len(parts), 2)], "/")
}

// stamp is a time as a report says it.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
