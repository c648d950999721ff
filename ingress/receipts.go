package ingress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// How an event came, as its receipt says it.
const (
	ViaWebhook = "webhook"
	ViaSync    = "sync"
	ViaReplay  = "replay"
	ViaAPI     = "api"
	ViaForm    = "form"
	ViaMail    = "mail"
)

const (
	// receiptBatch is how many receipts one commit takes.
	receiptBatch = 256
	// commitLimit is how long one commit may take: those who wait for it may have given up.
	commitLimit = 5 * time.Second
	// mostWaiting bounds how many receipts wait for a commit.
	mostWaiting = 16 * receiptBatch
)

// Receipts keeps what was accepted, in a form that is only added to; store.Store does. Keeping
// the same again changes nothing.
type Receipts interface {
	Accept(ctx context.Context, receipts ...store.Receipt) error
}

// origin is how an event came, and the digest of its body, "" where it had none.
type origin struct{ via, digest string }

// receiptOf is the receipt of an event that Temporal has confirmed.
func receiptOf(e durable.Event, from origin, r Result) store.Receipt {
	return store.Receipt{
		Source: e.Source, Key: e.Key, Type: e.Type, EntityID: e.EntityID, Via: from.via,
		WorkflowID: r.WorkflowID, RunID: r.RunID, Outcome: string(r.Outcome), Reason: r.Reason,
		Digest: from.digest, ReceivedAt: e.ReceivedAt,
	}
}

// receiptBook keeps receipts, those that come while a commit runs together in the next one:
// one at a time pays a whole commit each, and all at once no more than one. Where that fails,
// each is kept by itself, so that one which cannot be kept fails alone. It is safe for
// concurrent use; nil keeps nothing.
type receiptBook struct {
	receipts Receipts
	limit    time.Duration

	mu      sync.Mutex
	waiting []waitingReceipt
	writing bool
}

// waitingReceipt is told on done, which has room for it, what became of its commit. Whoever
// has given up waits no more and sends the event again: nothing is written for them.
type waitingReceipt struct {
	receipt store.Receipt
	done    chan error
	gaveUp  <-chan struct{}
}

func (w waitingReceipt) abandoned() bool {
	select {
	case <-w.gaveUp:
		return true
	default:
		return false
	}
}

func newReceiptBook(receipts Receipts) *receiptBook {
	if receipts == nil {
		return nil
	}
	return &receiptBook{receipts: receipts, limit: commitLimit}
}

// keep returns once the receipt is committed. After an error it may be or not: keeping it again
// is safe.
func (b *receiptBook) keep(ctx context.Context, r store.Receipt) error {
	if b == nil {
		return nil
	}
	if r.Key == "" || r.WorkflowID == "" {
		// Nothing that is kept together with it may fail for that.
		return errors.New("ingress: a receipt needs the event's key and its workflow")
	}
	done := make(chan error, 1)
	b.mu.Lock()
	if len(b.waiting) >= mostWaiting {
		b.mu.Unlock()
		return fmt.Errorf("keep the receipt for %s: %d others wait for the store", r.WorkflowID, mostWaiting)
	}
	b.waiting = append(b.waiting, waitingReceipt{r, done, ctx.Done()})
	if !b.writing {
		b.writing = true
		go b.write(context.WithoutCancel(ctx))
	}
	b.mu.Unlock()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("keep the receipt for %s: %w", r.WorkflowID, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("keep the receipt for %s: %w", r.WorkflowID, ctx.Err())
	}
}

// write commits batches until nobody waits.
func (b *receiptBook) write(ctx context.Context) {
	for {
		b.mu.Lock()
		b.waiting = slices.DeleteFunc(b.waiting, waitingReceipt.abandoned)
		batch := b.waiting[:min(len(b.waiting), receiptBatch)]
		b.waiting = b.waiting[len(batch):]
		b.writing = len(batch) > 0
		b.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		b.writeBatch(ctx, batch)
	}
}

// writeBatch commits all at once, and where that fails each by itself.
func (b *receiptBook) writeBatch(ctx context.Context, batch []waitingReceipt) {
	receipts := make([]store.Receipt, len(batch))
	for i, w := range batch {
		receipts[i] = w.receipt
	}
	err := b.commit(ctx, receipts...)
	for _, w := range batch {
		if err != nil && len(batch) > 1 && !w.abandoned() {
			w.done <- b.commit(ctx, w.receipt)
			continue
		}
		w.done <- err
	}
}

func (b *receiptBook) commit(ctx context.Context, receipts ...store.Receipt) error {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	return b.receipts.Accept(ctx, receipts...)
}
