package prove

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aictive/keyholder/store"
)

const (
	// receiptsPage is how many receipts are read at a time: each has two entries to look up.
	receiptsPage = store.EvidenceMost / 2
	// askedTogether is how many receipts wait until Temporal is asked about their workflows.
	askedTogether = 5000
	// askedAtOnce is how many workflows are asked at a time.
	askedAtOnce = 8
	// mostAsked bounds how many workflows are asked in all.
	mostAsked = 20_000
	// takenBefore is how much older than its receipt it can be that an event was taken: where
	// the receipt could not be written, the sender repeats.
	takenBefore = 24 * time.Hour
)

// The outcomes of receipts, as the ingress writes them.
const (
	outcomeParked    = "parked"
	outcomeDuplicate = "duplicate"
)

// receipts compares what was accepted with what the workflows have taken, and with what the
// audit says of it.
func (p *prover) receipts(ctx context.Context) error {
	taken := p.tally(CheckReceipts, "accepted events were taken by their workflows")
	told := p.tally(CheckReceipts, "accepted events are in the audit")
	ask := asker{prover: p, tally: taken}
	f := store.ReceiptFilter{From: p.Since, To: p.Until, Most: receiptsPage}
	for {
		page, err := p.Store.Receipts(ctx, f)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		there, err := p.Store.AuditIDs(ctx, traces(page))
		if err != nil {
			return err
		}
		taken.compared(len(page))
		told.compared(len(page))
		for _, r := range page {
			if !there[eventID(r)] {
				told.differs(Finding{
					Entity: r.WorkflowID, Key: r.Key, What: "it was accepted at " + stamp(r.RecordedAt) + " and the audit has no entry of it",
					Advice: "somebody has changed the database by hand: compare it with a backup",
				})
			}
			if r.Outcome != outcomeDuplicate && !there[tookID(r)] {
				ask.waiting = append(ask.waiting, r)
			}
		}
		if len(ask.waiting) >= askedTogether {
			if err := ask.flush(ctx); err != nil {
				return err
			}
		}
		last := page[len(page)-1]
		f.AfterAt, f.After = last.RecordedAt, last.Key
	}
	if err := ask.flush(ctx); err != nil {
		return err
	}
	return p.receipted(ctx)
}

// receipted looks for the receipt of each event that the audit tells of, and compares the
// replays of parked events with what the workflows have taken.
func (p *prover) receipted(ctx context.Context) error {
	t := p.tally(CheckReceipts, "events that the audit tells of have a receipt")
	again := asker{prover: p, tally: p.tally(CheckReceipts, "replayed events were taken by their workflows")}
	look := func(ctx context.Context, keys []string) (map[string]bool, error) {
		var ofReplays []string
		for _, key := range keys {
			if parked, ok := strings.CutSuffix(key, store.AuditReplay); ok {
				ofReplays = append(ofReplays, parked)
			}
		}
		found, err := p.Store.ReceiptKeys(ctx, keys)
		if err != nil || len(ofReplays) == 0 {
			return found, err
		}
		parked, err := p.Store.ReceiptKeys(ctx, ofReplays)
		maps.Copy(found, parked)
		return found, err
	}
	err := p.entries(ctx, []store.AuditKind{store.AuditEvent}, store.AuditEventID, look, func(found map[string]bool, e store.AuditEntry, key string) {
		t.compared(1)
		if found[key] {
			return
		}
		if parked, ok := strings.CutSuffix(key, store.AuditReplay); ok && found[parked] {
			again.waiting = append(again.waiting, store.Receipt{Key: parked, WorkflowID: e.Entity, RunID: e.RunID, RecordedAt: e.At})
			return
		}
		t.differs(Finding{
			Entity: e.Entity, Key: key, What: "the audit tells of it at " + stamp(e.At) + " and there is no receipt",
			Advice: "somebody has changed the database by hand: compare it with a backup",
		})
	})
	if err != nil {
		return err
	}
	return again.untold(ctx)
}

// untold asks about those that wait and of which the audit does not say that they were taken.
func (a *asker) untold(ctx context.Context) error {
	var ask []store.Receipt
	for some := range slices.Chunk(a.waiting, receiptsPage) {
		there, err := a.Store.AuditIDs(ctx, traces(some))
		if err != nil {
			return err
		}
		a.tally.compared(len(some))
		for _, r := range some {
			if !there[tookID(r)] {
				ask = append(ask, r)
			}
		}
	}
	a.waiting = ask
	return a.flush(ctx)
}

func eventID(r store.Receipt) string { return store.AuditEventID + r.Key }

func tookID(r store.Receipt) string { return store.AuditTookID + r.WorkflowID + "/" + r.Key }

// traces are the entries that the audit should have of receipts.
func traces(page []store.Receipt) []string {
	ids := make([]string, 0, 2*len(page))
	for _, r := range page {
		ids = append(ids, eventID(r), tookID(r))
	}
	return ids
}

// asker asks Temporal about the events that the audit does not know as taken: what a
// workflow tells the audit rides with its next activity, which may be far away.
type asker struct {
	*prover
	tally   *tally
	waiting []store.Receipt
	asked   int
	left    int
}

// flush asks about all that wait.
func (a *asker) flush(ctx context.Context) error {
	byWorkflow := map[string][]store.Receipt{}
	for _, r := range a.waiting {
		byWorkflow[r.WorkflowID] = append(byWorkflow[r.WorkflowID], r)
	}
	a.waiting = a.waiting[:0]
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(askedAtOnce)
	for id, of := range byWorkflow {
		if a.asked >= mostAsked {
			a.leave(id, of)
			continue
		}
		a.asked++
		group.Go(func() error {
			if err := a.workflow(within, id, of); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// leave says that a workflow was not asked: nothing is proved of its events.
func (a *asker) leave(id string, of []store.Receipt) {
	a.left++
	a.tally.cut("%d workflows were not asked, beyond %d", a.left, mostAsked)
	for _, r := range of {
		a.tally.differs(Finding{
			Entity: id, Key: r.Key, What: "nobody knows whether it was taken: too many workflows were to be asked",
			Advice: "prove a shorter period",
		})
	}
}

// workflow judges the events of one workflow that the audit does not know as taken.
func (a *asker) workflow(ctx context.Context, id string, of []store.Receipt) error {
	run, err := a.Temporal.Latest(ctx, id)
	if errors.Is(err, ErrNoWorkflow) {
		for _, r := range of {
			a.tally.differs(Finding{
				Entity: id, Key: r.Key, What: "it was accepted at " + stamp(r.RecordedAt) + " and Temporal knows no such workflow",
				Advice: "where Temporal's retention is over, nobody can tell any more; else make up for it with keyholder sync now --full",
			})
		}
		return nil
	}
	if err != nil {
		return err
	}
	of = slices.DeleteFunc(of, func(r store.Receipt) bool { return a.isParked(run, r) })
	if len(of) == 0 {
		return nil
	}
	seen, silent := a.Temporal.Seen(ctx, id)
	if err := ctx.Err(); err != nil {
		return err
	}
	// Histories are for what the workflow cannot tell, or may have forgotten.
	told := map[string][]store.Receipt{}
	for _, r := range of {
		switch {
		case silent == nil && seen.Has(r.Key):
		case silent == nil && seen.Whole(r.RecordedAt.Add(-takenBefore), a.Now):
			a.lacks(run, r, "its workflow has not taken it", "see in the Web UI what its workflow does; else make up for it with keyholder sync now --full")
		default:
			told[r.RunID] = append(told[r.RunID], r)
		}
	}
	for runID, of := range told {
		if err := a.byHistory(ctx, run, runID, of); err != nil {
			return err
		}
	}
	return nil
}

// lacks lists an event that was accepted and not taken: as pending while it is young and its
// workflow goes on.
func (a *asker) lacks(run WorkflowRun, r store.Receipt, what, advice string) {
	f := Finding{Entity: r.WorkflowID, Key: r.Key, What: "it was accepted at " + stamp(r.RecordedAt) + " and " + what, Advice: advice}
	if run.Running() {
		a.judge(a.tally, r.RecordedAt, f)
		return
	}
	a.tally.differs(f)
}

// isParked settles a receipt of a parked event: while its workflow runs, somebody must
// decide; when it has ended somebody has.
func (a *asker) isParked(run WorkflowRun, r store.Receipt) bool {
	if r.Outcome != outcomeParked || run.badly() {
		return false
	}
	if run.Running() {
		a.tally.pending(Finding{Entity: r.WorkflowID, Key: r.Key, What: "it is parked (" + r.Reason + ") until somebody replays or discards it"})
	}
	return true
}

// byHistory judges events by the history of the run that was told of them.
func (a *asker) byHistory(ctx context.Context, run WorkflowRun, runID string, of []store.Receipt) error {
	keys := make([]string, len(of))
	for i, r := range of {
		keys[i] = r.Key
	}
	history, err := a.Temporal.Signalled(ctx, run.WorkflowID, runID, keys)
	if err != nil && !errors.Is(err, ErrNoWorkflow) {
		return err
	}
	for _, r := range of {
		said := history.Signalled[r.Key]
		switch {
		case err != nil:
			a.lacks(run, r, "the run that was told is gone", "where Temporal's retention is over, nobody can tell any more; else make up for it with keyholder sync now --full")
		case said.Handled:
		case history.Unread != "":
			a.lacks(run, r, "the history of its workflow could not be read to its end: "+history.Unread, "prove again; where it stays, look the event up in the Web UI")
		case said.Found && run.Running():
			a.lacks(run, r, "its workflow has not come to it", "see whether a worker runs, and docs/how-to/reset-a-stuck-workflow.md")
		case said.Found:
			a.lacks(run, r, "its workflow ended before it came to it", "make up for it with keyholder sync now --full, or reset the workflow: docs/how-to/reset-a-stuck-workflow.md")
		default:
			a.lacks(run, r, "the history of its workflow does not have it", "make up for it with keyholder sync now --full")
		}
	}
	return nil
}
