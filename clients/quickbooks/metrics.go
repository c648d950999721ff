package quickbooks

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// partnerName is the client's in metrics.
const partnerName = "quickbooks"

// Collectors are the metrics of the client's tokens; none where it was given tokens of
// another kind than Tokens.
func (c *Client) Collectors() []prometheus.Collector {
	if tokens, ok := c.tokens.(prometheus.Collector); ok {
		return []prometheus.Collector{tokens}
	}
	return nil
}

// Budget tells how many requests this client may still make within the present minute,
// and how many a minute has.
func (c *Client) Budget() (left, limit int) {
	return max(c.perMinute-c.sent.within(time.Now(), time.Minute), 0), c.perMinute
}

// sent remembers when the latest requests were made, as many as a minute may have.
type sent struct {
	mu   sync.Mutex
	at   []time.Time
	next int
}

func newSent(most int) *sent { return &sent{at: make([]time.Time, most)} }

func (s *sent) note(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[s.next] = now
	s.next = (s.next + 1) % len(s.at)
}

// within counts those that were made within a time.
func (s *sent) within(now time.Time, window time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for _, at := range s.at {
		if !at.IsZero() && now.Sub(at) < window {
			count++
		}
	}
	return count
}

// refreshes are what Prometheus is told of tokens.
type refreshes struct {
	ok, failed prometheus.Counter
	total      *prometheus.CounterVec
	expires    *prometheus.Desc
}

func newRefreshes() refreshes {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keyholder_partner_token_refresh_total",
		Help: "Requests of this worker for a partner's next access token, by partner and outcome: ok or failed."}, []string{"partner", "outcome"})
	return refreshes{
		total: total, ok: total.WithLabelValues(partnerName, "ok"), failed: total.WithLabelValues(partnerName, "failed"),
		expires: prometheus.NewDesc("keyholder_partner_token_expires_seconds",
			"When the partner's refresh token ends (real time, unix): by then somebody has to authorise the app again, unless it is replaced before. Missing until this worker knows it.", []string{"partner"}, nil),
	}
}

// count notes how a refresh went.
func (r refreshes) count(err error) {
	if err != nil {
		r.failed.Inc()
		return
	}
	r.ok.Inc()
}

var _ prometheus.Collector = (*Tokens)(nil)

// Describe lists the metrics.
func (t *Tokens) Describe(ch chan<- *prometheus.Desc) {
	t.refreshes.total.Describe(ch)
	ch <- t.refreshes.expires
}

// Collect sends the metrics.
func (t *Tokens) Collect(ch chan<- prometheus.Metric) {
	t.refreshes.total.Collect(ch)
	t.mu.Lock()
	until := t.last.RefreshUntil
	t.mu.Unlock()
	if !until.IsZero() {
		ch <- prometheus.MustNewConstMetric(t.refreshes.expires, prometheus.GaugeValue, float64(until.Unix()), partnerName)
	}
}
