// Package prove compares what was accepted, what Temporal ran, what the partners hold and
// what the audit says, over a period, and lists every difference. It changes nothing, reads
// in pages, and says how much it compared, so that an empty list means something.
package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aictive/keyholder/store"
)

// The checks, in the order of the report.
const (
	CheckReceipts = "receipts"
	CheckRuns     = "runs"
	CheckPartners = "partners"
	CheckEffects  = "effects"
	CheckChains   = "chains"
)

// mostListed is how many findings of one comparison are listed; the rest is counted.
const mostListed = 1000

// A Finding is something that does not agree, or does not yet.
type Finding struct {
	// Check is what found it; Entity is the workflow, or else the record concerned.
	Check  string `json:"check"`
	Entity string `json:"entity"`
	// Key names the event, effect, run or fields, "" where the entity is concerned as a
	// whole.
	Key string `json:"key,omitempty"`
	// What is one line without personal data; Advice is what to do, "" for a thing to wait for.
	What   string `json:"what"`
	Advice string `json:"advice,omitempty"`
}

// A Tally counts one comparison.
type Tally struct {
	Check string `json:"check"`
	// What was compared, in words.
	What        string `json:"what"`
	Compared    int    `json:"compared"`
	Pending     int    `json:"pending"`
	Differences int    `json:"differences"`
	// Left is what was not compared and why, "" for nothing: by choice, or because there was
	// too much (then the report is not complete).
	Left string `json:"left,omitempty"`
}

// A Report is what a check of everything found.
type Report struct {
	// Since and Until are the period, real time, Until excluded.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Complete is false where a comparison stopped at its bound.
	Complete bool     `json:"complete"`
	Tallies  []*Tally `json:"tallies"`
	// Differences need somebody; Pending is under way, or waits for a person's decision.
	// Of each comparison at most 1,000 are listed.
	Differences []Finding `json:"differences"`
	Pending     []Finding `json:"pending"`

	mu sync.Mutex
}

// Agrees tells whether everything was compared and nothing differs.
func (r *Report) Agrees() bool { return r.Complete && len(r.Differences) == 0 }

// Store is what is read of the store.
type Store interface {
	store.Evidence
	Receipts(ctx context.Context, f store.ReceiptFilter) ([]store.Receipt, error)
	AuditEntities(ctx context.Context, prefix, after string, most int) ([]store.AuditHead, error)
	VerifyAudit(ctx context.Context, entity string) ([]store.AuditFault, error)
}

// Partners compares the partners' records with what is known of them, and tells of how many
// and what differs. It writes nothing.
type Partners func(ctx context.Context) (compared int, differs []Finding, err error)

// Config is what is compared.
type Config struct {
	Store    Store
	Temporal Temporal
	// Partners is nil where partners are not asked.
	Partners Partners
	// Since and Until are the period, real time, Until excluded.
	Since, Until time.Time
	// AllChains recomputes all chains of the audit, not only those that go on in the period.
	AllChains bool
	// Grace is how long something may take that is under way; 0 means 2 minutes.
	Grace time.Duration
	// Stuck is how long work may fail before it counts as stuck; 0 means 10 minutes.
	Stuck time.Duration
	// Now is the time by which that is judged; zero means now.
	Now time.Time
}

// prover is one check of everything.
type prover struct {
	Config
	report *Report
}

// Run compares everything. An error means that something could not be read: then nothing is
// proved.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Grace == 0 {
		cfg.Grace = 2 * time.Minute
	}
	if cfg.Stuck == 0 {
		cfg.Stuck = 10 * time.Minute
	}
	if cfg.Now.IsZero() {
		cfg.Now = time.Now()
	}
	if !cfg.Since.Before(cfg.Until) {
		return nil, errors.New("the period is empty: --since must lie before --until")
	}
	p := &prover{Config: cfg, report: &Report{
		Since: cfg.Since.UTC(), Until: cfg.Until.UTC(), Complete: true, Differences: []Finding{}, Pending: []Finding{},
	}}
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{
		{CheckReceipts, p.receipts}, {CheckRuns, p.runs}, {CheckPartners, p.partners}, {CheckEffects, p.effects}, {CheckChains, p.chains},
	} {
		if err := check.run(ctx); err != nil {
			return nil, fmt.Errorf("%s could not be compared: %w", check.name, err)
		}
	}
	p.report.sort()
	return p.report, nil
}

// sort gives findings one order, whatever was compared first: by check as they were run, by
// entity and key.
func (r *Report) sort() {
	checks := map[string]int{CheckReceipts: 1, CheckRuns: 2, CheckPartners: 3, CheckEffects: 4, CheckChains: 5}
	order := func(a, b Finding) int {
		return cmp.Or(cmp.Compare(checks[a.Check], checks[b.Check]), cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Key, b.Key), cmp.Compare(a.What, b.What))
	}
	slices.SortFunc(r.Differences, order)
	slices.SortFunc(r.Pending, order)
}

// young tells whether something that happened then may still be under way.
func (p *prover) young(at time.Time) bool { return p.Now.Sub(at) < p.Grace }

// tally begins a comparison.
func (p *prover) tally(check, what string) *tally {
	t := &tally{Tally: &Tally{Check: check, What: what}, report: p.report}
	p.report.Tallies = append(p.report.Tallies, t.Tally)
	return t
}

// tally is a comparison under way; several may add to it at once.
type tally struct {
	*Tally
	report *Report
}

func (t *tally) compared(n int) {
	t.report.mu.Lock()
	defer t.report.mu.Unlock()
	t.Compared += n
}

// cut says that a comparison has stopped at its bound.
func (t *tally) cut(format string, a ...any) {
	t.report.mu.Lock()
	defer t.report.mu.Unlock()
	t.Left, t.report.Complete = fmt.Sprintf(format, a...), false
}

// differs lists a difference.
func (t *tally) differs(f Finding) {
	t.report.mu.Lock()
	defer t.report.mu.Unlock()
	f.Check = t.Check
	if t.Differences++; t.Differences <= mostListed {
		t.report.Differences = append(t.report.Differences, f)
	}
}

// pending lists what is under way.
func (t *tally) pending(f Finding) {
	t.report.mu.Lock()
	defer t.report.mu.Unlock()
	f.Check, f.Advice = t.Check, ""
	if t.Pending++; t.Pending <= mostListed {
		t.report.Pending = append(t.report.Pending, f)
	}
}

// judge lists what is missing of something that happened then: as pending while it is young.
func (p *prover) judge(t *tally, at time.Time, f Finding) {
	if p.young(at) {
		t.pending(f)
		return
	}
	t.differs(f)
}
