package openmoove

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/sandbox/signed"
)

// The events (contracts/openmoove.md 3).
const (
	PropertyCreated    = "property.created"
	PropertyUpdated    = "property.updated"
	MilestoneCreated   = "property.milestone.created"
	MilestoneUpdated   = "property.milestone.updated"
	MilestoneCompleted = "property.milestone.completed"
)

const (
	hookPath    = "/webhooks/openmoove"
	hookTimeout = 15 * time.Second
	// hooksInFlight is how many are posted at once, so their order is not sure.
	hooksInFlight = 8
	// maxHooks bounds those queued, under way and waiting for a retry.
	maxHooks = 20_000
)

// vendorRetries is OpenMoove's schedule (contracts/openmoove.md 3).
func vendorRetries() []time.Duration {
	return []time.Duration{0, 10 * time.Second, 100 * time.Second, 1000 * time.Second}
}

// hooks posts webhooks to the ingress, several at once, each until it is
// acknowledged or its attempts are used up. What waits does not outlive the process:
// polling must heal such gaps, as it must after the real one's last attempt.
type hooks struct {
	signed.Sender
	retries []time.Duration
	log     *zap.Logger
	ctx     context.Context // the hooks' life, ended by close
	cancel  context.CancelFunc
	wg      sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	off     bool        // nothing is accepted
	life    int         // grows with every drop
	queue   []*delivery // those that may go now
	pending int         // queued, under way or waiting
	workers int
	lost    int
}

// delivery is one webhook on its way.
type delivery struct {
	event   string
	body    []byte
	attempt int // of those made
	life    int
}

func newHooks(cfg Config) *hooks {
	h := &hooks{
		Sender: signed.Sender{
			Target: strings.TrimRight(cfg.IngressURL, "/") + hookPath, Header: "X-OpenMoove-Signature",
			UserAgent: "OpenMoove-Webhooks (sandbox)", Secret: []byte(cfg.WebhookSecret),
			Client: &http.Client{
				Timeout:       hookTimeout,
				Transport:     &http.Transport{MaxIdleConnsPerHost: hooksInFlight, IdleConnTimeout: time.Minute},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			},
		},
		retries: cfg.Retries, log: cfg.Log,
	}
	if len(h.retries) == 0 {
		h.retries = vendorRetries()
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// event is a webhook about something that has just happened, nil where none are sent.
func (s *Server) event(name string, data func() map[string]any) *delivery {
	if s.WebhooksStopped() != nil {
		return nil
	}
	body, err := json.Marshal(map[string]any{"event": name, "timestamp": stamp(s.cfg.Now()), "data": data()})
	if err != nil {
		s.cfg.Log.Error("openmoove stand-in: a webhook cannot be encoded", zap.String("event", name), zap.Error(err))
		return nil
	}
	return &delivery{event: name, body: body}
}

// created and milestoned are what webhooks say of a property and of a milestone.
func (p *Property) created() map[string]any {
	return map[string]any{"property_id": p.ID, "property": p.pdtf()}
}

func (p *Property) milestoned(m Milestone) map[string]any {
	return map[string]any{"property_id": p.ID, "milestone": m.webhook()}
}

// enabled tells whether webhooks are sent at all.
func (h *hooks) enabled() bool { return len(h.Secret) > 0 }

// send posts a webhook in the background. It never blocks; one too many is lost, and
// the log says so.
func (h *hooks) send(d *delivery) {
	if h.accept(d) {
		h.schedule(d)
	}
}

// sendFirst makes the first attempt before it returns.
func (h *hooks) sendFirst(d *delivery) {
	if h.accept(d) {
		h.deliver(d)
	}
}

// accept counts a new delivery in.
func (h *hooks) accept(d *delivery) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d == nil || !h.enabled() || h.closed || h.off {
		return false
	}
	if h.pending >= maxHooks {
		if h.lost++; h.lost == 1 || h.lost%1000 == 0 {
			h.log.Warn("openmoove stand-in: too many webhooks wait, new ones are lost", zap.Int("lost", h.lost))
		}
		return false
	}
	h.pending++
	d.life = h.life
	return true
}

// schedule lets the next attempt begin when it is due.
func (h *hooks) schedule(d *delivery) {
	if wait := h.retries[d.attempt]; wait > 0 {
		time.AfterFunc(wait, func() { h.enqueue(d) })
		return
	}
	h.enqueue(d)
}

func (h *hooks) enqueue(d *delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || d.life != h.life {
		return
	}
	h.queue = append(h.queue, d)
	if h.workers < hooksInFlight {
		h.workers++
		h.wg.Go(h.work)
	}
}

// work delivers until nothing is queued.
func (h *hooks) work() {
	for {
		h.mu.Lock()
		if h.closed || len(h.queue) == 0 {
			h.workers--
			h.mu.Unlock()
			return
		}
		d := h.queue[0]
		h.queue = h.queue[1:]
		h.mu.Unlock()
		h.deliver(d)
	}
}

// deliver makes one attempt. Any status below 400 acknowledges.
func (h *hooks) deliver(d *delivery) {
	status, _, err := h.Post(h.ctx, d.body)
	d.attempt++
	acknowledged := err == nil && status < http.StatusBadRequest
	if !acknowledged && h.ctx.Err() == nil {
		h.log.Debug("openmoove stand-in: a webhook was not taken", zap.String("event", d.event),
			zap.Int("attempt", d.attempt), zap.Int("status", status), zap.Error(err))
		if d.attempt < len(h.retries) {
			h.schedule(d)
			return
		}
		h.log.Warn("openmoove stand-in: a webhook was given up", zap.String("event", d.event), zap.Int("attempts", d.attempt))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.life == h.life {
		h.pending--
	}
}

// drop gives up all that is queued or waits.
func (h *hooks) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget()
}

// forget is drop under the lock.
func (h *hooks) forget() {
	h.life++
	h.queue, h.pending = nil, 0
}

// switchOff stops webhooks and lets them go on. What is queued or waits for a retry
// when they stop is dropped, not kept: a sender that fails forgets it just so, and this
// is the harder case for who listens. Attempts under way may still arrive.
func (h *hooks) switchOff(off bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if off && !h.off {
		h.forget()
	}
	h.off = off
}

// close gives up everything and waits for the attempts under way to break off.
func (h *hooks) close() {
	h.mu.Lock()
	h.closed = true
	h.queue = nil
	h.mu.Unlock()
	h.cancel()
	h.wg.Wait()
	h.Client.CloseIdleConnections()
}
