package partnertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
)

// mostRead is more than any client reads of one reply, with what the network
// holds, in bytes.
const mostRead = 64 << 20

// statuses are refused with the partner's own words and with those of something
// in between that is not the partner.
func (r run[C]) statuses(t *testing.T) {
	t.Parallel()
	lost := r.either(partner.Unavailable, partner.UnknownOutcome)
	for status, want := range map[int]partner.Kind{
		400: partner.Invalid, 401: partner.Unauthorised, 403: partner.Forbidden, 404: partner.NotFound, 405: partner.NotFound,
		409: partner.Conflict, 422: partner.Invalid, 429: partner.RateLimited, 500: lost, 502: lost, 503: partner.Unavailable, 504: lost,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			seen, do := r.open(t, partner.HTTPConfig{BreakAfter: 100}, nil)
			for n, body := range []string{
				r.suite.Refusal(status, "not for "+Mail+" or "+Phone),
				"<html>" + Name + " " + Mail + "</html>",
				`[{"name":"` + Mail + `"}]`,
				`{"detail":"` + Mail,
				"",
			} {
				seen.use(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(status)
					fmt.Fprint(w, body)
				})
				e := r.failure(t, do(), want)
				require.Equal(t, status, e.Status)
				require.EqualValues(t, n+1, seen.requests.Load(), "one attempt a call")
			}
		})
	}
}

func (r run[C]) whenToComeBack(t *testing.T) {
	t.Parallel()
	type header map[string]string
	const aMinute, anHour, anHourAgo = "a minute", "an hour", "an hour ago" // as unix seconds when the reply is made
	for name, c := range map[string]struct {
		status   int
		header   header
		min, max time.Duration
	}{
		"seconds":                     {429, header{"Retry-After": "7"}, 7 * time.Second, 7 * time.Second},
		"seconds before reset":        {429, header{"Retry-After": "7", "X-RateLimit-Reset": anHour}, 7 * time.Second, 7 * time.Second},
		"date":                        {429, header{"Retry-After": "date"}, 59 * time.Second, 61 * time.Second},
		"reset":                       {429, header{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": aMinute}, 59 * time.Second, 61 * time.Second},
		"reset is past":               {429, header{"X-RateLimit-Reset": anHourAgo}, r.suite.Throttled, r.suite.Throttled},
		"nothing":                     {429, nil, r.suite.Throttled, r.suite.Throttled},
		"unavailable":                 {503, header{"Retry-After": "7"}, 7 * time.Second, 7 * time.Second},
		"unavailable, far from limit": {503, header{"X-RateLimit-Remaining": "900", "X-RateLimit-Reset": anHour}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, do := r.open(t, partner.HTTPConfig{}, func(w http.ResponseWriter, _ *http.Request) {
				now := time.Now()
				for k, v := range c.header {
					w.Header().Set(k, strings.NewReplacer(
						"date", now.Add(time.Minute).UTC().Format(http.TimeFormat),
						anHourAgo, strconv.FormatInt(now.Add(-time.Hour).Unix(), 10),
						anHour, strconv.FormatInt(now.Add(time.Hour).Unix(), 10),
						aMinute, strconv.FormatInt(now.Add(time.Minute).Unix(), 10),
					).Replace(v))
				}
				w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
				w.WriteHeader(c.status)
			})
			e := r.failure(t, do(), partner.RateLimited, partner.Unavailable)
			require.GreaterOrEqual(t, e.RetryAfter, c.min)
			require.LessOrEqual(t, e.RetryAfter, c.max)
		})
	}
}

// unreadable replies have status 2xx: a write was carried out, and nobody knows
// with what result.
func (r run[C]) unreadable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, body string
	}{
		"not JSON":        {"application/json", Name + ", " + Mail},
		"cut JSON":        {"application/json", r.call.Body[:len(r.call.Body)/2]},
		"text":            {"application/json", `"` + Name + ` ` + Mail + ` ` + Phone + `"`},
		"number":          {"application/json", `12`},
		"list of strange": {"application/json", `["` + Name + `",{"id":{"` + Mail + `":1}}]`},
		"web page":        {"text/html", "<html>" + Name + " " + Mail},
		"empty":           {"application/json", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, do := r.open(t, partner.HTTPConfig{}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(max(r.call.Status, http.StatusOK))
				fmt.Fprint(w, c.body)
			})
			want := []partner.Kind{r.either(partner.Malformed, partner.UnknownOutcome)}
			if c.kind == "text/html" && !r.call.Write {
				want = append(want, partner.Unavailable) // a page of maintenance
			}
			r.fails(t, do(), want...)
			require.EqualValues(t, 1, seen.requests.Load(), "one attempt a call")
		})
	}
	t.Run("huge", func(t *testing.T) {
		t.Parallel()
		var sent atomic.Int64
		_, do := r.open(t, partner.HTTPConfig{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			chunk := bytes.Repeat([]byte(" "), 64<<10)
			for sent.Load() < 2*mostRead {
				n, err := w.Write(chunk)
				if err != nil {
					return
				}
				sent.Add(int64(n))
			}
		})
		r.fails(t, do(), r.either(partner.Malformed, partner.UnknownOutcome))
		require.Less(t, sent.Load(), int64(mostRead), "a client has a limit for replies")
	})
}

// broken connections lose the reply after the request has arrived.
func (r run[C]) broken(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"before the reply": func(_ http.ResponseWriter, req *http.Request) {
			_, _ = io.Copy(io.Discard, req.Body)
			panic(http.ErrAbortHandler)
		},
		"in the reply": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(r.call.Body)+1))
			r.answer(w, nil)
		},
		"in a chunked reply": func(w http.ResponseWriter, _ *http.Request) {
			r.answer(w, nil)
			_ = http.NewResponseController(w).Flush() // a dead connection shows in the test itself
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, do := r.open(t, partner.HTTPConfig{}, h)
			r.fails(t, do(), r.either(partner.Unavailable, partner.UnknownOutcome))
			require.EqualValues(t, 1, seen.requests.Load(), "one attempt a call")
		})
	}
}

// brokenWhenReused loses the reply on a connection that was kept from an earlier
// call, where net/http repeats some requests by itself: never a write.
func (r run[C]) brokenWhenReused(t *testing.T) {
	t.Parallel()
	seen, do := r.open(t, partner.HTTPConfig{}, nil)
	seen.use(func(w http.ResponseWriter, req *http.Request) {
		if seen.requests.Load() > 1 {
			_, _ = io.Copy(io.Discard, req.Body)
			panic(http.ErrAbortHandler)
		}
		r.answer(w, req)
	})
	require.NoError(t, do())
	r.fails(t, do(), r.either(partner.Unavailable, partner.UnknownOutcome))
	if r.call.Write {
		require.EqualValues(t, 2, seen.requests.Load(), "a write is never repeated")
	}
}

func (r run[C]) slow(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"no reply": func(_ http.ResponseWriter, req *http.Request) {
			_, _ = io.Copy(io.Discard, req.Body)
			<-req.Context().Done()
		},
		"half a reply": func(w http.ResponseWriter, req *http.Request) {
			_, _ = io.Copy(io.Discard, req.Body)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, r.call.Body[:len(r.call.Body)/2])
			_ = http.NewResponseController(w).Flush() // a dead connection shows in the test itself
			<-req.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := 100 * time.Millisecond
			if r.call.Write {
				timeout = time.Second // it must have arrived, or nothing was sent
			}
			seen, do := r.open(t, partner.HTTPConfig{Timeout: timeout}, h)
			begun := time.Now()
			e := r.failure(t, do(), r.either(partner.Unavailable, partner.UnknownOutcome))
			require.ErrorIs(t, e, context.DeadlineExceeded)
			require.Less(t, time.Since(begun), 30*time.Second, "the time limit holds")
			require.LessOrEqual(t, seen.requests.Load(), int32(1), "one attempt a call")
		})
	}
}

func (r run[C]) callerGivesUp(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		close(arrived)
		<-req.Context().Done()
	})
	client := r.client(t, s.URL, partner.HTTPConfig{BreakAfter: 1})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	e := r.failure(t, r.call.Do(ctx, client), r.either(partner.Unavailable, partner.UnknownOutcome))
	require.ErrorIs(t, e, context.Canceled)
	s.use(r.answer)
	require.NoError(t, r.call.Do(t.Context(), client), "the breaker is not the caller's")
}

func (r run[C]) refused(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	base := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	err = r.call.Do(t.Context(), r.client(t, base, partner.HTTPConfig{}))
	r.fails(t, err, partner.Unavailable) // nothing was sent, so a write did not happen
}

// redirects to another host are not followed, so that nothing leaks; a write
// follows none at all.
func (r run[C]) redirects(t *testing.T) {
	t.Parallel()
	other := serve(t, r.answer)
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status, " to another host"), func(t *testing.T) {
			t.Parallel()
			seen, do := r.open(t, partner.HTTPConfig{}, func(w http.ResponseWriter, req *http.Request) {
				http.Redirect(w, req, other.URL+"/?to="+Mail, status)
			})
			r.fails(t, do(), partner.Malformed)
			require.EqualValues(t, 1, seen.requests.Load())
			require.Zero(t, other.requests.Load(), "no request leaves the partner's host")
		})
	}
	t.Run("on the same host", func(t *testing.T) {
		t.Parallel()
		seen, do := r.open(t, partner.HTTPConfig{}, nil)
		seen.use(func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/elsewhere" {
				r.answer(w, req)
				return
			}
			http.Redirect(w, req, "/elsewhere", http.StatusTemporaryRedirect)
		})
		err := do()
		if !r.call.Write && !r.call.Post {
			require.NoError(t, err)
			return
		}
		r.fails(t, err, partner.Malformed)
		require.EqualValues(t, 1, seen.requests.Load())
	})
}

func (r run[C]) breaker(t *testing.T) {
	t.Parallel()
	s, do := r.open(t, partner.HTTPConfig{BreakAfter: 3, BreakFor: 500 * time.Millisecond}, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	for range 3 {
		r.fails(t, do(), r.either(partner.Unavailable, partner.UnknownOutcome))
	}
	s.use(r.answer)
	e := r.failure(t, do(), partner.Unavailable)
	require.Zero(t, e.Status)
	require.Positive(t, e.RetryAfter, "an open breaker says when to come back")
	require.EqualValues(t, 3, s.requests.Load(), "an open breaker sends nothing")
	require.Eventually(t, func() bool { return do() == nil }, 10*time.Second, 20*time.Millisecond)
	require.EqualValues(t, 4, s.requests.Load(), "the first call that is let through is the probe")
	require.NoError(t, do())
}
