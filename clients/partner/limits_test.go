package partner_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
)

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestReadLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for name, c := range map[string]struct {
		header http.Header
		want   partner.Limits
	}{
		"all": {
			header("X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "999", "X-RateLimit-Reset", at(time.Minute)),
			partner.Limits{Known: true, Limit: 1000, Remaining: 999, Reset: now.Add(time.Minute), SeenAt: now},
		},
		"their clock is an hour ahead": {
			header("X-RateLimit-Remaining", "1", "X-RateLimit-Reset", at(time.Hour+time.Minute), "Date", now.Add(time.Hour).Format(http.TimeFormat)),
			partner.Limits{Known: true, Remaining: 1, Reset: now.Add(time.Minute), SeenAt: now},
		},
		"their clock is an hour behind": {
			header("X-RateLimit-Remaining", "1", "X-RateLimit-Reset", at(time.Minute-time.Hour), "Date", now.Add(-time.Hour).Format(http.TimeFormat)),
			partner.Limits{Known: true, Remaining: 1, Reset: now.Add(time.Minute), SeenAt: now},
		},
		"reset is past": {
			header("X-RateLimit-Remaining", "1", "X-RateLimit-Reset", at(-time.Hour)),
			partner.Limits{Known: true, Remaining: 1, Reset: now, SeenAt: now},
		},
		"reset is absurd": {
			header("X-RateLimit-Remaining", "1", "X-RateLimit-Reset", "9223372036854775807"),
			partner.Limits{Known: true, Remaining: 1, Reset: now.Add(24 * time.Hour), SeenAt: now},
		},
		"no reset":    {header("X-RateLimit-Remaining", " 0 "), partner.Limits{Known: true, SeenAt: now}},
		"below zero":  {header("X-RateLimit-Remaining", "-3"), partner.Limits{Known: true, SeenAt: now}},
		"no number":   {header("X-RateLimit-Remaining", "many", "X-RateLimit-Limit", "5"), partner.Limits{}},
		"not at all":  {header(), partner.Limits{}},
		"other words": {header("X-RateLimit-Limit", "5", "X-RateLimit-Reset", at(time.Minute)), partner.Limits{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := partner.ReadLimits(c.header, now)
			require.Equal(t, c.want, got)
			require.Equal(t, c.want.Known, ok)
		})
	}
}

func TestMeterKeepsTheLeastOfAWindowAndTheNewestWindow(t *testing.T) {
	t.Parallel()
	var meter partner.LimitMeter
	require.False(t, meter.Last().Known)
	note := func(left, reset int64) int {
		meter.Note(header("X-RateLimit-Limit", "100", "X-RateLimit-Remaining", fmt.Sprint(left), "X-RateLimit-Reset", fmt.Sprint(reset)))
		return meter.Last().Remaining
	}
	soon := time.Now().Add(time.Minute).Unix()
	require.Equal(t, 7, note(7, soon))
	require.Equal(t, 5, note(5, soon))
	require.Equal(t, 5, note(6, soon), "an older reply arrives late")
	require.Equal(t, 99, note(99, soon+60))
	meter.Note(header("Content-Type", "text/html"))
	require.Equal(t, 99, meter.Last().Remaining, "a reply that says nothing changes nothing")
}

func TestThrottledWait(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for name, c := range map[string]struct {
		status int
		header http.Header
		said   time.Duration
		want   time.Duration
	}{
		"retry-after wins":           {429, header("Retry-After", "7", "X-RateLimit-Reset", at(time.Hour)), time.Minute, 7 * time.Second},
		"now is an answer":           {429, header("Retry-After", "0", "X-RateLimit-Reset", at(time.Hour)), time.Minute, 0},
		"reset before words":         {429, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", at(time.Minute)), time.Hour, time.Minute},
		"words where reset is past":  {429, header("X-RateLimit-Reset", at(-time.Minute)), 9 * time.Second, 9 * time.Second},
		"words, no header":           {429, header(), 9 * time.Second, 9 * time.Second},
		"words of another limit":     {429, header("X-RateLimit-Remaining", "500", "X-RateLimit-Reset", at(time.Hour)), 9 * time.Second, 9 * time.Second},
		"another limit, no words":    {429, header("X-RateLimit-Remaining", "500", "X-RateLimit-Reset", at(time.Minute)), 0, time.Minute},
		"words are absurd":           {429, header(), 1000 * time.Hour, 24 * time.Hour},
		"words are below zero":       {429, header(), -time.Hour, 0},
		"clock behind":               {429, header("X-RateLimit-Reset", at(time.Minute-time.Hour), "Date", now.Add(-time.Hour).UTC().Format(http.TimeFormat)), 0, time.Minute},
		"a failure is not throttled": {503, header("X-RateLimit-Remaining", "9", "X-RateLimit-Reset", at(time.Hour)), time.Minute, 0},
		"a failure says when":        {503, header("Retry-After", "9"), 0, 9 * time.Second},
		"a refusal does not":         {400, header("Retry-After", "9"), time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.header.Get("Date") == "" { // else it would matter when this runs
				c.header.Set("Date", now.UTC().Format(http.TimeFormat))
			}
			e := partner.StatusError("x.do", http.MethodGet, c.status, c.header, partner.Refusal{RetryAfter: c.said})
			require.Equal(t, c.want, e.RetryAfter)
		})
	}
}

func TestOnHeaderSeesEveryReply(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Path", r.URL.Path)
		switch r.URL.Path {
		case "/refused":
			w.WriteHeader(http.StatusBadRequest)
		case "/fails":
			w.WriteHeader(http.StatusBadGateway)
		case "/moved":
			http.Redirect(w, r, "/good", http.StatusFound)
		}
	})
	var seen []string
	h := caller(t, partner.HTTPConfig{OnHeader: func(h http.Header) { seen = append(seen, h.Get("X-Path")) }})
	for _, path := range []string{"/good", "/refused", "/fails", "/moved"} {
		_ = h.Do(t.Context(), "x.do", http.MethodGet, url+path, nil, nil, nil)
	}
	require.Equal(t, []string{"/good", "/refused", "/fails", "/moved", "/good"}, seen)
}
