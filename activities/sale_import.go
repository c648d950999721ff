package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// QueueBulk is the task queue of batches: they hold a slot for long, so they have
// slots of their own.
const QueueBulk = "keyholder-bulk"

// ImportBatch creates the next rows of an import for up to batchTime. It is safe
// to repeat: each row's outcome is kept in the store as soon as it is known, and a
// row that may have been created before is looked for first, as in CreateSale.
var ImportBatch = durable.Activity[ImportBatchInput, ImportBatchResult]{
	Name: "openmoove.import_batch", Queue: QueueBulk, Attempt: batchTime + time.Minute, Heartbeat: 10 * time.Second, Priority: 5,
	WaitCancelled: true,
}

// FinishImport gives up the rows that still wait and notes the end. Repeating it
// is harmless.
var FinishImport = durable.Activity[ImportBatchInput, ImportProgress]{
	Name: "sales.finish_import", Attempt: 10 * time.Second,
}

// batchTime is how long a batch creates rows before it reports (real time).
const batchTime = 20 * time.Second

// ImportBatchInput names the import.
type ImportBatchInput struct {
	ImportID string `json:"import_id"`
}

// ImportBatchResult tells how far the import is.
type ImportBatchResult struct {
	Progress ImportProgress `json:"progress"`
	// Wait is how long the next batch should wait, 0 where it may begin at once (real
	// time), and Why says in words what for.
	Wait time.Duration `json:"wait,omitempty"`
	Why  string        `json:"why,omitempty"`
	// DoneBy is when the import should be done at the present pace (real time).
	DoneBy time.Time `json:"done_by,omitzero"`
}

// ImportProgress counts rows by what became of them.
type ImportProgress struct {
	Rows      int `json:"rows"`
	Created   int `json:"created"`
	Existing  int `json:"existing"`
	Invalid   int `json:"invalid"`
	Duplicate int `json:"duplicate"`
	Refused   int `json:"refused"`
	Cancelled int `json:"cancelled"`
	Waiting   int `json:"waiting"`
}

func progressOf(counts map[store.RowState]int) ImportProgress {
	p := ImportProgress{
		Created: counts[store.RowCreated], Existing: counts[store.RowExisting], Invalid: counts[store.RowInvalid],
		Duplicate: counts[store.RowDuplicate], Refused: counts[store.RowRefused], Cancelled: counts[store.RowCancelled],
		Waiting: counts[store.RowWaiting],
	}
	for _, n := range counts {
		p.Rows += n
	}
	return p
}

func (a *Activities) finishImport(ctx context.Context, in ImportBatchInput) (ImportProgress, error) {
	if err := a.Store.FinishImport(ctx, in.ImportID); err != nil {
		return ImportProgress{}, err
	}
	return a.importProgress(ctx, in.ImportID)
}

func (a *Activities) importProgress(ctx context.Context, id string) (ImportProgress, error) {
	imp, err := a.Store.Import(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return ImportProgress{}, temporal.NewNonRetryableApplicationError("the store has no import "+id, string(partner.NotFound), nil)
	}
	return progressOf(imp.Counts), err
}

const (
	// batchAtOnce is how many rows are created at once.
	batchAtOnce = 8
	// batchRead is how many rows are read from the store at a time.
	batchRead = 100
	// batchFailures is how many rows may fail in a row before the batch stops and is
	// tried again later: the partner is away.
	batchFailures = 10
	// maxRowTries is how often a row may fail, over about a day, before it is left to
	// a person.
	maxRowTries = 30
	// rowPause is how long a row that failed waits at first, then twice as long each
	// time, up to an hour.
	rowPause = 5 * time.Second
	// minPause is the shortest wait where OpenMoove does not say one.
	minPause = time.Second
)

// batch is one run of ImportBatch.
type batch struct {
	*Activities
	importID string
	rules    policy.Sales
	until    time.Time
	pacer    *rate.Limiter
	// keep is the share of the limits that it leaves to others.
	keep float64

	mu sync.Mutex
	// wait is set once the limits allow no more calls before the batch's end.
	wait time.Duration
	// failures counts rows in a row that met a passing failure; failed is the last.
	failures int
	failed   error
	// stopping is closed when the batch should end.
	stopping <-chan struct{}
}

// importBatch creates rows until none waits, its time is over, the limits are used
// up, or the partner fails.
func (a *Activities) importBatch(ctx context.Context, in ImportBatchInput) (ImportBatchResult, error) {
	before, err := a.importProgress(ctx, in.ImportID)
	if err != nil {
		return ImportBatchResult{}, err
	}
	if before.Waiting == 0 {
		return ImportBatchResult{Progress: before}, nil
	}
	began := time.Now()
	keep, err := a.importLeaves(ctx)
	if err != nil {
		return ImportBatchResult{}, err
	}
	interval, err := a.pace(ctx, before.Waiting, keep)
	if err != nil {
		return ImportBatchResult{}, err
	}
	b := &batch{
		Activities: a, importID: in.ImportID, rules: a.Policy.Sales(), until: began.Add(batchTime),
		pacer: rate.NewLimiter(rate.Every(interval), 1), keep: keep, stopping: ctx.Done(),
	}
	defer beat(ctx)()
	if err := a.refreshIndex(ctx, keep); ctx.Err() != nil {
		return ImportBatchResult{}, ctx.Err()
	} else if partner.KindOf(err) == partner.RateLimited {
		b.limited(err)
	} else if err != nil {
		return ImportBatchResult{}, toTemporal(ctx, err)
	}
	if err := b.run(ctx); err != nil {
		return ImportBatchResult{}, err
	}
	after, err := a.importProgress(ctx, in.ImportID)
	if err != nil {
		return ImportBatchResult{}, err
	}
	done := before.Waiting - after.Waiting
	if b.failed != nil && b.failures >= batchFailures && done == 0 {
		return ImportBatchResult{}, toTemporal(ctx, b.failed)
	}
	result := ImportBatchResult{Progress: after}
	if after.Waiting == 0 {
		return result, nil
	}
	switch {
	case b.wait > 0:
		result.Wait, result.Why = b.wait, "the key's calls at OpenMoove are used up for now"
	case b.failures >= batchFailures:
		result.Wait, result.Why = createSettles/2, "OpenMoove fails"
	case time.Now().Before(b.until):
		result.Wait, result.Why = rowPause, "for some rows it is not known yet what became of an earlier try"
	}
	each := interval
	if done > 0 {
		each = max(each, time.Since(began)/time.Duration(done))
	}
	result.DoneBy = time.Now().Add(result.Wait + time.Duration(after.Waiting)*each).UTC()
	return result, nil
}

// beat tells Temporal every two seconds that the batch lives, which lets a pause or
// cancel reach it, until the returned function is called.
func beat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// mostForPolling is the largest share of the limits that an import leaves to the
// polling.
const mostForPolling = 0.4

// importLeaves is the share of the limits that an import leaves to others: what the
// polling of sales needs that were read before, above what that leaves free itself.
func (a *Activities) importLeaves(ctx context.Context) (float64, error) {
	counts, err := a.Store.CountWatches(ctx, time.Now())
	if err != nil {
		return 0, err
	}
	read := map[store.WatchClass]int{}
	for class, c := range counts {
		if c.Read > 0 {
			read[class] = c.Read
		}
	}
	if len(read) == 0 {
		return forImport, nil
	}
	return forPolling + min(a.pollRules(1).Needs(read), mostForPolling-forPolling), nil
}

// pace is the time between two rows of an import: even over each limit of which
// the waiting rows need more than is left. Of the shortest limit they may take half
// at once, so that whoever waits for an answer finds a call free at any moment.
func (a *Activities) pace(ctx context.Context, waiting int, keep float64) (time.Duration, error) {
	shortest := slices.MinFunc(a.OpenMoove.Limits, func(a, b store.Limit) int { return cmp.Compare(a.Window, b.Window) })
	interval := time.Millisecond
	for i, l := range a.OpenMoove.Limits {
		left, err := a.leftOf(ctx, i, keep)
		if err != nil {
			return 0, err
		}
		share := 1.0
		if l == shortest {
			share = 0.5
		}
		interval = max(interval, paceOf(waiting, share*float64(left), keep, l))
	}
	return interval, nil
}

// leftOf asks the ledger what is left of one of the limits.
func (a *Activities) leftOf(ctx context.Context, i int, keep float64) (int, error) {
	grant, err := a.Store.TakeCalls(ctx, store.CallRequest{
		Partner: openMoove, Limits: a.OpenMoove.Limits[i : i+1], Want: 0, Reserve: keep,
	})
	return grant.Left, err
}

// paceOf is the pace over one limit of which so many calls may be taken at once.
func paceOf(waiting int, atOnce, keep float64, l store.Limit) time.Duration {
	room := int(float64(l.Calls) * (1 - keep))
	if room <= 0 || float64(waiting) <= atOnce-keep*float64(l.Calls) {
		return 0
	}
	return l.Window / time.Duration(room)
}

// run reads rows and creates them, a few at once.
func (b *batch) run(ctx context.Context) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(batchAtOnce)
	// A row that has begun is finished even where the batch is paused: it takes
	// seconds, and saves looking for it afterwards.
	finishing, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*batchTime)
	defer stop()
	after := 0
	for b.open(working) {
		rows, err := b.Store.WaitingRows(working, b.importID, after, batchRead)
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			after = row.Number
			if !b.open(working) || b.pacer.Wait(working) != nil {
				break
			}
			group.Go(func() error { return b.row(finishing, row) })
		}
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// open tells whether another row may begin.
func (b *batch) open(ctx context.Context) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return ctx.Err() == nil && time.Now().Before(b.until) && b.wait == 0 && b.failures < batchFailures
}

// limited notes that the limits are used up.
func (b *batch) limited(err error) {
	var e *partner.Error
	if errors.As(err, &e) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.wait = max(b.wait, e.RetryAfter, minPause)
	}
}

// row creates one row. The error is the store's or Temporal's: what OpenMoove says
// is the row's outcome, or leaves it waiting.
func (b *batch) row(ctx context.Context, row store.ImportRow) error {
	var sale NewSale
	if err := json.Unmarshal(row.Payload, &sale); err != nil {
		return b.finish(ctx, row, store.RowRefused, store.RowProblem{Message: "the row cannot be read from the store; submit it again"})
	}
	in := CreateSaleInput{RequestID: row.Key, Sale: sale, owner: "import/" + b.importID}
	created, err := b.createPaced(ctx, in)
	var e *partner.Error
	switch {
	case err == nil:
	case errors.As(err, &e) && !retryable(e.Kind):
		var problems []store.RowProblem
		for _, p := range fieldProblems(err) {
			problems = append(problems, store.RowProblem{Field: p.Path, Message: p.Message})
		}
		return b.finish(ctx, row, store.RowRefused, problems...)
	case errors.As(err, &e) && e.Kind == partner.RateLimited:
		b.limited(err)
		return nil
	case errors.Is(err, errOnItsWay):
		return b.Store.DeferRow(ctx, b.importID, row.Number, rowPause)
	case errors.As(err, &e) && (e.Kind == partner.UnknownOutcome || e.Kind == partner.Malformed):
		return b.unusable(ctx, row, err)
	case errors.As(err, &e):
		// OpenMoove is away, or does not take our key: all rows wait.
		b.passing(err)
		return b.Store.DeferRow(ctx, b.importID, row.Number, rowPause)
	default:
		return err
	}
	b.passing(nil)
	facts := SaleFacts{
		Origin: "imported", RequestID: row.Key, PropertyID: created.PropertyID, TransactionID: created.TransactionID,
		Address: sale.Address, Postcode: sale.Postcode, Method: sale.Method, Team: created.Team,
	}
	row.State = store.RowCreated
	if created.Existing {
		facts.Origin, row.State = "found", store.RowExisting
	}
	// The row is done once its sale is followed.
	if _, err := b.handOverSale(ctx, facts); err != nil {
		return err
	}
	row.PropertyID, row.TransactionID = created.PropertyID, created.TransactionID
	// A row that is done is not looked at again.
	if err := writeDown(ctx); err != nil {
		return err
	}
	return b.Store.FinishRow(ctx, b.importID, row)
}

// unusable is a row about which OpenMoove answers so that nobody knows what it did.
// It waits alone, longer each time, lest it holds up the others, and is left to a
// person in the end.
func (b *batch) unusable(ctx context.Context, row store.ImportRow, err error) error {
	b.passing(err)
	if row.Tries >= maxRowTries {
		return b.finish(ctx, row, store.RowRefused, store.RowProblem{
			Message: "OpenMoove's answer about this row stays unusable: look there whether the property exists, then submit the row again"})
	}
	return b.Store.DeferRow(ctx, b.importID, row.Number, min(rowPause<<min(row.Tries, 10), time.Hour))
}

// createPaced waits out short stops of the ledger, such as one for somebody whose
// request is urgent.
func (b *batch) createPaced(ctx context.Context, in CreateSaleInput) (CreatedSale, error) {
	for {
		created, err := b.create(ctx, b.rules, in, b.indexed, b.keep)
		var e *partner.Error
		if !errors.As(err, &e) || e.Kind != partner.RateLimited || time.Now().Add(e.RetryAfter).After(b.until) {
			return created, err
		}
		pause := e.RetryAfter
		if e.Status != 0 {
			pause = max(pause, minPause)
		}
		select {
		case <-b.stopping:
			return created, err
		case <-time.After(pause):
		}
	}
}

// passing counts failures in a row that may pass; nil ends the count.
func (b *batch) passing(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.failures = 0
		return
	}
	b.failures++
	b.failed = err
}

func (b *batch) finish(ctx context.Context, row store.ImportRow, state store.RowState, problems ...store.RowProblem) error {
	row.State, row.Problems = state, slices.Clip(problems)
	if err := b.Store.FinishRow(ctx, b.importID, row); err != nil {
		return fmt.Errorf("row %d: %w", row.Number, err)
	}
	return nil
}
