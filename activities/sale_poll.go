package activities

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// PollSales reads followed sales at OpenMoove for pollTime, the most pressing first
// and within the key's limits, and tells a sale's workflow where something is new.
// The first shard also looks for properties that were made elsewhere. It is safe to
// repeat: what was told is kept after it was told, and a workflow that is told the
// same twice changes nothing.
//
// It does not heartbeat but for pages of the list, because each heartbeat is billed: after a crash the sales
// wait for the rest of pollTime and a minute.
var PollSales = durable.Activity[PollInput, PollResult]{
	Name: "openmoove.poll_sales", Queue: QueueBulk, Attempt: pollTime + time.Minute, Priority: 5,
}

// pollTime is how long one run polls (real time).
const pollTime = 5 * time.Minute

// PollInput says which part of the sales to poll, and where the budget stood.
type PollInput struct {
	Shard  int           `json:"shard"`
	Shards int           `json:"shards"`
	State  polling.State `json:"state"`
}

// PollResult tells what one run did.
type PollResult struct {
	State polling.State `json:"state"`
	// Read sales, Changed those of them that showed something new, Failed reads, and
	// Adopted properties that were made elsewhere.
	Read    int `json:"read"`
	Changed int `json:"changed"`
	Failed  int `json:"failed"`
	Adopted int `json:"adopted"`
	// Shards is how many pollers the policy wants.
	Shards int `json:"shards"`
}

const (
	// pollAtOnce is how many sales one poller reads at once.
	pollAtOnce = 8
	// pollEvery is the pause between two decisions; a fast clock has shorter ones.
	pollEvery = 2 * time.Second
	// countEvery is how often sales are counted for Rules.DetailEvery.
	countEvery = 30 * time.Second
	// outagePause is the first pause where OpenMoove is away, and maxOutagePause the
	// longest.
	outagePause    = 5 * time.Second
	maxOutagePause = time.Minute
	// maxFailing bounds how many sales are told apart while OpenMoove is away.
	maxFailing = 500
	// turnedAtOnce bounds how many sales change their class in one decision.
	turnedAtOnce = 500
)

// poll is one run of PollSales.
type poll struct {
	*Activities
	rules polling.Rules
	shard store.WatchShard
	state polling.State
	// every is Rules.DetailEvery, as of countedAt.
	every     int
	countedAt time.Time
	// pause is how long to wait where OpenMoove is away, 0 where it is not.
	pause time.Duration
	// failing are sales whose read failed while no other succeeded: false until another
	// has succeeded since, and such a sale is tried after all others; true from then on,
	// and its next failure is its own.
	failing map[string]bool
	// listAt is when the list is looked at next.
	listAt time.Time

	mu     sync.Mutex
	result PollResult
}

func (a *Activities) pollSales(ctx context.Context, in PollInput) (PollResult, error) {
	// Whoever stops the worker does not wait for the end of a run.
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	stopped := activity.GetWorkerStopChannel(ctx)
	go func() {
		select {
		case <-stopped:
			cancel()
		case <-ctx.Done():
		}
	}()
	shards := max(in.Shards, 1)
	p := &poll{Activities: a, rules: a.pollRules(shards), shard: store.WatchShard{Number: in.Shard, Count: shards}, state: in.State, failing: map[string]bool{}}
	p.result.Shards = a.pollShards()
	for ctx.Err() == nil {
		if err := p.round(ctx); err != nil && ctx.Err() == nil {
			return PollResult{}, toTemporal(ctx, err)
		}
		p.rest(ctx)
	}
	p.result.State = p.state
	return p.result, nil
}

// round is one decision and its reads. The error is the store's or Temporal's.
func (p *poll) round(ctx context.Context) error {
	if p.shard.Number == 0 && !time.Now().Before(p.listAt) {
		if err := p.adopt(ctx); err != nil {
			return err
		}
	}
	if err := p.turn(ctx); err != nil {
		return err
	}
	if err := p.count(ctx); err != nil {
		return err
	}
	due := map[store.WatchClass][]store.Watch{}
	for _, class := range store.WatchClasses() {
		list, err := p.Store.DueWatches(ctx, class, time.Now(), p.shard, p.rules.PlanLimit()+len(p.failing))
		if err != nil {
			return err
		}
		due[class] = list
	}
	p.othersFirst(due)
	var reads []polling.Read
	reads, p.state = p.rules.Plan(p.state, time.Now(), p.every, due)
	return p.read(ctx, reads)
}

// othersFirst leaves out the sales of which nobody knows whether they or OpenMoove
// failed, while anybody else is due.
func (p *poll) othersFirst(due map[store.WatchClass][]store.Watch) {
	others := map[store.WatchClass][]store.Watch{}
	found := false
	for class, list := range due {
		others[class] = slices.DeleteFunc(slices.Clone(list), func(w store.Watch) bool {
			others, failing := p.failing[w.PropertyID]
			return failing && !others
		})
		found = found || len(others[class]) > 0
	}
	if found {
		maps.Copy(due, others)
	}
}

// turn gives sales whose class has changed by time alone their new place.
func (p *poll) turn(ctx context.Context) error {
	turned, err := p.Store.TurnedWatches(ctx, p.Clock.Now(), p.shard, turnedAtOnce)
	if err != nil {
		return err
	}
	for _, w := range turned {
		if _, err := p.Store.UpdateWatch(ctx, p.rules.Schedule(w, p.Clock.Now()), w.ReadAt); err != nil {
			return err
		}
	}
	return nil
}

func (p *poll) count(ctx context.Context) error {
	if p.every > 0 && time.Since(p.countedAt) < countEvery {
		return nil
	}
	counts, err := p.Store.CountWatches(ctx, time.Now())
	if err != nil {
		return err
	}
	sales := map[store.WatchClass]int{}
	for class, c := range counts {
		sales[class] = c.Watches / p.shard.Count
	}
	p.every, p.countedAt = p.rules.DetailEvery(sales), time.Now()
	return nil
}

// rest waits until the next decision is worth while, or the run ends.
func (p *poll) rest(ctx context.Context) {
	wait := max(min(pollEvery, p.rules.Overdue/10), p.rules.Wait(p.state, time.Now()), p.pause)
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}

// read makes the reads of one decision, several at once. Where all of them fail,
// OpenMoove may be away: no turn passes, the pause grows, and those sales are tried
// after all others. Else it is the sales that cannot be read, and they are tried later,
// each time after twice the time.
func (p *poll) read(ctx context.Context, reads []polling.Read) error {
	if len(reads) == 0 {
		p.pause = 0
		return nil
	}
	failures := make([]error, len(reads))
	var group errgroup.Group
	group.SetLimit(pollAtOnce)
	for i, r := range reads {
		group.Go(func() (err error) {
			failures[i], err = p.readOne(ctx, r)
			return err
		})
	}
	if err := group.Wait(); err != nil || ctx.Err() != nil {
		return err
	}
	var limited, away error
	failed := 0
	for i, err := range failures {
		switch kind := partner.KindOf(err); {
		case err == nil:
			continue
		case kind == partner.RateLimited:
			limited = err
			p.state = p.rules.Return(p.state, reads[i].Calls())
		case everybodys(kind):
			away = err
		}
		failed++
	}
	p.wait(limited, away, away != nil && failed == len(reads))
	p.result.Failed += failed
	return p.putOff(ctx, reads, failures, failed == len(reads))
}

// putOff settles whose turn passes, after reads of which all have failed or some.
func (p *poll) putOff(ctx context.Context, reads []polling.Read, failures []error, all bool) error {
	if len(p.failing) > maxFailing {
		clear(p.failing) // nobody is read: begin again with the first
	}
	if !all {
		for id := range p.failing {
			p.failing[id] = true
		}
	}
	for i, err := range failures {
		kind, id := partner.KindOf(err), reads[i].Watch.PropertyID
		switch {
		case err == nil:
			delete(p.failing, id)
			continue
		case kind == partner.RateLimited:
			continue
		case everybodys(kind) && all && !p.failing[id]:
			p.failing[id] = false
			continue
		}
		delete(p.failing, id)
		w := polling.HasFailed(reads[i].Watch, time.Now())
		if _, err := p.Store.UpdateWatch(ctx, p.rules.Schedule(w, p.Clock.Now()), w.ReadAt); err != nil {
			return err
		}
	}
	return nil
}

// everybodys tells whether a failure may have nothing to do with the sale.
func everybodys(kind partner.Kind) bool {
	switch kind {
	case partner.Unavailable, partner.UnknownOutcome, partner.Unauthorised, partner.Forbidden:
		return true
	case partner.Invalid, partner.NotFound, partner.Conflict, partner.RateLimited, partner.Malformed, partner.OptedOut:
	}
	return false
}

// wait sets the pause: as long as the limits say, or longer and longer while
// OpenMoove is away.
func (p *poll) wait(limited, away error, outage bool) {
	var e *partner.Error
	switch {
	case limited != nil && errors.As(limited, &e):
		p.pause = min(max(e.RetryAfter, 10*time.Millisecond), maxOutagePause)
	case outage:
		if p.pause == 0 {
			p.Log.Warn("OpenMoove cannot be polled now", zap.Error(away))
		}
		p.pause = min(max(2*p.pause, outagePause), maxOutagePause)
	default:
		p.pause = 0
	}
}

// readOne reads one sale and tells its workflow where something is new. failure is
// OpenMoove's, err the store's or Temporal's.
func (p *poll) readOne(ctx context.Context, r polling.Read) (failure, err error) {
	w := r.Watch
	kept, _ := viewOf(w)
	view, failure := p.saleView(ctx, ReadSaleInput{
		PropertyID: w.PropertyID, TransactionID: w.TransactionID, MilestonesOnly: !r.Detail, Spare: true, Method: kept.Method,
	}, p.rules.Reserve)
	var e *partner.Error
	switch {
	case errors.As(failure, &e):
		return failure, nil
	case failure != nil:
		return nil, failure
	}
	if view.CreatedAt = kept.CreatedAt; view.CreatedAt.IsZero() {
		if view.CreatedAt, err = p.createdAt(ctx, w.PropertyID); err != nil {
			return nil, err
		}
	}
	after, changed := afterRead(w, view)
	p.mu.Lock()
	p.result.Read++
	if changed {
		p.result.Changed++
	}
	p.mu.Unlock()
	if changed {
		follows, err := p.ShowSale(ctx, w.PropertyID, view)
		if err != nil {
			return nil, err
		}
		if !follows {
			return nil, p.Store.EndWatch(ctx, w.PropertyID)
		}
	}
	// Where another read has come in between, its record stands, and what it does not
	// know is told once more.
	updated, err := p.Store.UpdateWatch(ctx, p.rules.Schedule(after, p.Clock.Now()), w.ReadAt)
	if err == nil && !updated {
		err = p.Store.ForgetSeen(ctx, w.PropertyID)
	}
	return nil, err
}

// createdAt is what OpenMoove's list has said of the property, zero for nothing.
func (a *Activities) createdAt(ctx context.Context, propertyID string) (time.Time, error) {
	ref, err := a.Store.Property(ctx, propertyID)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	return ref.CreatedAt, err
}

// listedSetting is the store's setting of when the list was last looked through for
// sales that were made elsewhere (RFC 3339, real time).
const listedSetting = "openmoove_listed_at"

// adopt lets sales be followed that are in OpenMoove's list and that nobody has told
// us of. The policy says how old the list may be.
func (p *poll) adopt(ctx context.Context) error {
	every := p.pollTarget(p.Policy.Sales().Polling.List)
	text, err := p.Store.Setting(ctx, listedSetting)
	if err != nil {
		return err
	}
	began := time.Now()
	// A setting that cannot be read is as old as can be.
	if listed, _ := time.Parse(time.RFC3339Nano, text); began.Sub(listed) < every {
		p.listAt = listed.Add(every)
		return nil
	}
	failure := p.refreshIndex(ctx, p.rules.Reserve)
	var e *partner.Error
	switch {
	case errors.As(failure, &e):
		// What was read of it is kept, and adopted now.
		p.Log.Info("OpenMoove's list could not be read to its end", zap.Error(failure))
		p.listAt = began.Add(min(every, maxOutagePause))
	case failure != nil:
		return failure
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		p.listAt = began.Add(every)
		if err := p.Store.SetSetting(ctx, listedSetting, began.UTC().Format(time.RFC3339Nano)); err != nil {
			return err
		}
	}
	for {
		found, err := p.Store.Unwatched(ctx, listPage)
		if err != nil {
			return err
		}
		for _, ref := range found {
			if err := p.addWatch(ctx, p.rules, ref.ID, ref.TransactionID); err != nil {
				return err
			}
			p.result.Adopted++
		}
		if len(found) < listPage {
			return nil
		}
	}
}
