package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/sandbox/signed"
)

const (
	webhookPath    = "/webhooks/rentvine"
	webhookTimeout = 15 * time.Second
	webhookQueue   = 1000
)

// webhooks posts RentVine's events to the ingress. Those that follow from API
// writes go out one after the other from a bounded queue, once each: nothing is
// known of retries (contracts/rentvine.md 3).
type webhooks struct {
	signed.Sender // in the guide's scheme (contracts/rentvine.md 6.2)
	log           *zap.Logger

	mu     sync.Mutex
	closed bool
	queue  chan []byte
	done   chan struct{}
	ctx    context.Context // the queue's life, ended by close
	cancel context.CancelFunc
}

func newWebhooks(ingressURL, secret string, log *zap.Logger) *webhooks {
	w := &webhooks{
		Sender: signed.Sender{
			Target: strings.TrimRight(ingressURL, "/") + webhookPath, Header: "X-RentVine-Signature",
			UserAgent: "RentVine-Webhooks (sandbox)", Secret: []byte(secret),
			Client: &http.Client{Timeout: webhookTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}},
		},
		log: log, queue: make(chan []byte, webhookQueue), done: make(chan struct{}),
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// run posts what is queued until close.
func (w *webhooks) run() {
	defer close(w.done)
	for body := range w.queue {
		if w.ctx.Err() != nil {
			continue
		}
		status, _, err := w.Post(w.ctx, body)
		if err != nil || status > 299 {
			w.log.Warn("rentvine stand-in: a webhook was not taken", zap.Int("status", status), zap.Error(err))
		}
	}
}

// enqueue never blocks; a full queue loses the event, and says so.
func (w *webhooks) enqueue(event map[string]any) {
	body, err := json.Marshal(event)
	if err != nil {
		w.log.Warn("rentvine stand-in: a webhook cannot be encoded", zap.Error(err))
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	select {
	case w.queue <- body:
	default:
		w.log.Warn("rentvine stand-in: the queue of webhooks is full, one is lost")
	}
}

// close drops what is queued and waits for the post under way to break off.
func (w *webhooks) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		w.cancel()
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
	w.Client.CloseIdleConnections()
}

// envelope is an event as the guide writes it (contracts/rentvine.md 6.1).
func envelope(event string, data, changes map[string]any) map[string]any {
	e := map[string]any{
		"event_type": event, "event_id": newEventID(),
		"timestamp": time.Now().UTC().Format(time.RFC3339Nano), "data": data,
	}
	if len(changes) > 0 {
		e["changes"] = changes
	}
	return e
}

func newEventID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return "evt_" + hex.EncodeToString(b[:])
}
