package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	webhookPath    = "/webhooks/rentvine"
	webhookTimeout = 15 * time.Second
	webhookQueue   = 1000
	maxWebhookRep  = 64 << 10
)

// webhooks posts RentVine's events to the ingress. Those that follow from API
// writes go out one after the other from a bounded queue, once each: nothing is
// known of retries (contracts/rentvine.md 3).
type webhooks struct {
	target string
	secret []byte
	client *http.Client
	log    *zap.Logger

	mu     sync.Mutex
	closed bool
	queue  chan []byte
	done   chan struct{}
	ctx    context.Context // the queue's life, ended by close
	cancel context.CancelFunc
}

func newWebhooks(ingressURL, secret string, log *zap.Logger) *webhooks {
	w := &webhooks{
		target: strings.TrimRight(ingressURL, "/") + webhookPath, secret: []byte(secret), log: log,
		client: &http.Client{Timeout: webhookTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}},
		queue:  make(chan []byte, webhookQueue), done: make(chan struct{}),
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
		status, _, err := w.post(w.ctx, body)
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
	w.client.CloseIdleConnections()
}

// post signs a body in the guide's scheme (contracts/rentvine.md 6.2) and posts it.
func (w *webhooks) post(ctx context.Context, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	mac := hmac.New(sha256.New, w.secret)
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "RentVine-Webhooks (sandbox)")
	req.Header.Set("X-RentVine-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := w.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxWebhookRep))
	return res.StatusCode, answer, err
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
