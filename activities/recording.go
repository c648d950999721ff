package activities

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/store"
)

// recorder collects what an activity did, for the audit. The interceptor gives one to
// each try and writes what it holds when the try ends, however it ends.
type recorder struct {
	mu      sync.Mutex
	entries []store.AuditEntry
	// write appends entries after it has set what record leaves open; the interceptor
	// sets it.
	write func(context.Context, []store.AuditEntry) error
}

type recorderKey struct{}

// record tells the audit of something that was done just now. Entity, RunID and Step are
// set by whoever writes it down. Without an interceptor, as in unit tests, nothing is recorded.
func record(ctx context.Context, e store.AuditEntry) {
	r, ok := ctx.Value(recorderKey{}).(*recorder)
	if !ok {
		return
	}
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
}

// writeDown has what was recorded so far written at once, and not when the try ends. A
// batch calls it before it notes progress that keeps the next try from doing, and so from
// recording, the same again.
func writeDown(ctx context.Context) error {
	r, ok := ctx.Value(recorderKey{}).(*recorder)
	if !ok || r.write == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.entries) == 0 {
		return nil
	}
	if err := r.write(ctx, r.entries); err != nil {
		return err
	}
	r.entries = nil
	return nil
}

// Where effects take place, as the audit names it.
const (
	atRentVine   = "rentvine"
	atQuickBooks = "quickbooks"
	atOpenMoove  = "openmoove"
	atTwilio     = "twilio"
	atMail       = "mail"
)

// by names who decides in the audit where no person does.
const (
	byPolicy = "policy"
	byModel  = "model"
)

// about says to a reader of the audit what an effect is.
type about struct {
	kind    store.AuditKind
	partner string
	// what is one line without personal data; links are what it hangs together with.
	what  string
	links []string
	// makes stands before the partner's id in the name of the entity that the effect has
	// made, such as "sale/", which is linked too.
	makes string
	// details may be personal, and are then the subject's.
	subject, details string
}

// writing describes a write at a partner.
func writing(partner, what string, links ...string) about {
	return about{kind: store.AuditWrite, partner: partner, what: what, links: links}
}

// entry is what the audit keeps of an effect that is done.
func (e effect) entry(ref string) store.AuditEntry {
	links := e.about.links
	if made, _, _ := strings.Cut(ref, " "); e.about.makes != "" && made != "" {
		links = append(slices.Clone(links), e.about.makes+made)
	}
	return store.AuditEntry{
		ID: store.AuditEffectID + e.key, Kind: e.about.kind, What: e.about.what, Partner: e.about.partner, Ref: ref,
		Links: links, Subject: e.about.subject, Details: e.about.details,
	}
}

// wroteAt records a write at a partner that does not go through once, because it sets
// something rather than adding to it. part tells the writes of one activity apart, "" where
// there is one. changed is false where everything was as wished: that is recorded of a
// repeat alone, since then an earlier try may have written it.
func (a *Activities) wroteAt(ctx context.Context, changed bool, part string, w about, ref string) {
	if !changed && attempt(ctx) == 1 {
		return
	}
	if !changed {
		w.what += " (a repeat found it so)"
	}
	record(ctx, store.AuditEntry{
		ID: stepID(ctx, "write", part), Kind: store.AuditWrite, What: w.what, Partner: w.partner, Ref: ref, Links: w.links,
		Subject: w.subject, Details: w.details,
	})
}

// decided records what rules or a model have decided, which others act on. Words of people
// are none of it.
func decided(ctx context.Context, actor, what string, links ...string) {
	record(ctx, store.AuditEntry{ID: stepID(ctx, "decision", ""), Kind: store.AuditDecision, Actor: actor, What: what, Links: links})
}

// stepID names what an activity does, the same on every try of it.
func stepID(ctx context.Context, kind, part string) string {
	if !activity.IsActivity(ctx) {
		return kind + "/" + part
	}
	info := activity.GetInfo(ctx)
	id := strings.Join([]string{kind, info.WorkflowExecution.ID, info.WorkflowExecution.RunID, info.ActivityID}, "/")
	if part != "" {
		id += "/" + part
	}
	return id
}
