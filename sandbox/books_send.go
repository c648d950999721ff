package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/sandbox/books"
)

const (
	// booksRate and maxBooksRate are events a second.
	booksRate    = 50
	maxBooksRate = 1000
	// booksAtOnce is how many events are under way at once.
	booksAtOnce = 8
	// An event that is not taken is posted again, for so long.
	booksPatience = 5 * time.Minute
	booksPause    = 250 * time.Millisecond
	maxBooksPause = 5 * time.Second
)

// errNoBooks is said where none were made.
var errNoBooks = errors.New("no books were generated; POST /_generate/books")

// errGenerating is said where books are still sent.
var errGenerating = errors.New("the events of other books are still sent; wait, or POST /_reset")

// bookwork is the newest generated books, and how far their events are. It does not
// survive a restart; the records do.
type bookwork struct {
	mu   sync.Mutex
	made *books.Books
	stop context.CancelFunc // of the sending under way
	// sending is true until the last event is through.
	sending      bool
	sent, failed *atomic.Int64
}

// progress is what GET /_generate/books answers.
type progress struct {
	Counts  map[string]int  `json:"counts"`
	Planted []books.Planted `json:"planted"`
	// Totals are sums in cents when all events have happened.
	Totals  books.Totals `json:"totals"`
	From    string       `json:"from"`
	To      string       `json:"to"`
	Sending bool         `json:"sending"`
	// Sent events were taken, Failed ones were not, and will not be sent again.
	Sent   int64 `json:"sent"`
	Failed int64 `json:"failed"`
}

func (b *bookwork) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stop != nil {
		b.stop()
	}
	b.made = nil
}

// progress is false where no books were made.
func (b *bookwork) progress() (progress, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.made == nil {
		return progress{}, false
	}
	return progress{
		Counts: b.made.Counts(), Planted: b.made.Planted, Totals: b.made.Totals(), From: b.made.Statement.From, To: b.made.Statement.To,
		Sending: b.sending, Sent: b.sent.Load(), Failed: b.failed.Load(),
	}, true
}

// postGenerated generates books into RentVine. With send, the events are posted in the
// background, as many a second as rate says; without, all of them have happened and
// nobody was told.
func (s *Sandbox) postGenerated(w http.ResponseWriter, r *http.Request) {
	var in struct {
		books.Config
		Send bool `json:"send"`
		Rate int  `json:"rate"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	if in.Rate == 0 {
		in.Rate = booksRate
	}
	if in.Rate < 0 || in.Rate > maxBooksRate {
		refused(w, http.StatusBadRequest, fmt.Errorf("rate must be 1 to %d events a second", maxBooksRate))
		return
	}
	b := &s.books
	b.mu.Lock()
	if b.sending {
		b.mu.Unlock()
		refused(w, http.StatusConflict, errGenerating)
		return
	}
	made, err := s.rentvine.GenerateBooks(in.Config)
	if err != nil {
		b.mu.Unlock()
		refused(w, http.StatusBadRequest, err)
		return
	}
	var sent, failed atomic.Int64
	b.made, b.sent, b.failed = &made, &sent, &failed
	if in.Send {
		// The webhooks' life ends before Close waits for what is served.
		ctx, stop := context.WithCancel(s.webhooks.ctx)
		b.sending, b.stop = true, stop
		s.served.Go(func() {
			defer stop()
			s.sendBooks(ctx, made, time.Second/time.Duration(in.Rate), &sent, &failed)
		})
	} else {
		for _, e := range made.Events {
			if e.Update {
				_, _, _, _ = s.rentvine.Happen(made.Transactions[e.Transaction], e) // it was made this moment
			}
		}
	}
	b.mu.Unlock()
	s.changed()
	s.getGenerated(w, r)
}

// sendBooks lets the events happen in their order, and posts each.
func (s *Sandbox) sendBooks(ctx context.Context, made books.Books, pace time.Duration, sent, failed *atomic.Int64) {
	var posts sync.WaitGroup
	slots := make(chan struct{}, booksAtOnce)
	tick := time.NewTicker(pace)
	defer func() {
		tick.Stop()
		posts.Wait()
		s.books.mu.Lock()
		s.books.sending = false
		s.books.mu.Unlock()
		s.seen()
	}()
	for _, e := range made.Events {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case <-ctx.Done():
			return
		case slots <- struct{}{}:
		}
		event, data, changed, err := s.rentvine.Happen(made.Transactions[e.Transaction], e)
		if err != nil {
			failed.Add(1)
			<-slots
			continue
		}
		if e.Update {
			s.changed()
		}
		changes := map[string]any{}
		for field, c := range changed {
			changes[field] = map[string]any{"old": c[0], "new": c[1]}
		}
		body := envelope(event, data, changes)
		posts.Go(func() {
			defer func() { <-slots }()
			if s.postPatiently(ctx, body) {
				sent.Add(1)
			} else {
				failed.Add(1)
			}
		})
	}
}

// postPatiently posts until the ingress takes the event: a refusal that may pass (429,
// 5xx) and silence are waited out for five minutes.
func (s *Sandbox) postPatiently(ctx context.Context, body map[string]any) bool {
	raw, err := json.Marshal(body)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, booksPatience)
	defer cancel()
	pause := booksPause
	for {
		status, _, err := s.webhooks.Post(ctx, raw)
		passes := err != nil || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
		if !passes || ctx.Err() != nil {
			if taken := err == nil && status < http.StatusMultipleChoices; taken {
				return true
			}
			s.log.Warn("rentvine stand-in: an event of the books was not taken", zap.Int("status", status), zap.Error(err))
			return false
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
		case <-wait.C:
		}
		pause = min(2*pause, maxBooksPause)
	}
}

func (s *Sandbox) getGenerated(w http.ResponseWriter, _ *http.Request) {
	p, ok := s.books.progress()
	if !ok {
		refused(w, http.StatusNotFound, errNoBooks)
		return
	}
	respond(w, http.StatusOK, p)
}

// maxEventsPage bounds a page of generated events.
const maxEventsPage = 1000

// getGeneratedEvents answers what RentVine tells of the transactions of the newest books
// when they are made, for a program that posts them itself: ?from= is the first, 1,000 at
// most. Nothing happens by it.
func (s *Sandbox) getGeneratedEvents(w http.ResponseWriter, r *http.Request) {
	from, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("from"), "0"))
	if err != nil || from < 0 {
		refused(w, http.StatusBadRequest, errors.New("from must be a number, 0 or more"))
		return
	}
	s.books.mu.Lock()
	made := s.books.made
	s.books.mu.Unlock()
	if made == nil {
		refused(w, http.StatusNotFound, errNoBooks)
		return
	}
	list := []map[string]any{}
	for i := from; i < min(from+maxEventsPage, len(made.Transactions)); i++ {
		event, data, _, err := s.rentvine.Happen(made.Transactions[i], books.Event{Transaction: i})
		if err != nil {
			refused(w, http.StatusConflict, fmt.Errorf("transaction %s is gone: %w", made.Transactions[i].ID, err))
			return
		}
		list = append(list, envelope(event, data, nil))
	}
	respond(w, http.StatusOK, list)
}

// getStatement answers the bank's statement of the newest books.
func (s *Sandbox) getStatement(w http.ResponseWriter, r *http.Request) {
	s.books.mu.Lock()
	made := s.books.made
	s.books.mu.Unlock()
	if made == nil {
		refused(w, http.StatusNotFound, errNoBooks)
		return
	}
	if strings.HasSuffix(r.URL.Path, ".ofx") {
		w.Header().Set("Content-Type", "application/x-ofx")
		_ = made.Statement.OFX(w)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	_ = made.Statement.CSV(w)
}
