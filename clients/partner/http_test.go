package partner_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
)

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func caller(t *testing.T, cfg partner.HTTPConfig) *partner.HTTP {
	t.Helper()
	h := partner.NewHTTP(cfg)
	t.Cleanup(h.CloseIdleConnections)
	return h
}

func failure(t *testing.T, err error) *partner.Error {
	t.Helper()
	var e *partner.Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestDoSendsAndDecodesJSON(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"method": r.Method, "type": r.Header.Get("Content-Type"), "accept": r.Header.Get("Accept"),
			"own": r.Header.Get("X-Own"), "body": string(body),
		})
	})
	var out map[string]string
	err := caller(t, partner.HTTPConfig{}).Do(t.Context(), "x.do", http.MethodPost, url,
		http.Header{"x-own": {"yes"}}, map[string]int{"a": 1}, &out)
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"method": "POST", "type": "application/json", "accept": "application/json", "own": "yes", "body": `{"a":1}`,
	}, out)
}

func TestStatusIsClassified(t *testing.T) {
	t.Parallel()
	for status, want := range map[int][2]partner.Kind{ // GET, POST
		400: {partner.Invalid, partner.Invalid},
		401: {partner.Unauthorised, partner.Unauthorised},
		403: {partner.Forbidden, partner.Forbidden},
		404: {partner.NotFound, partner.NotFound},
		405: {partner.NotFound, partner.NotFound},
		408: {partner.Unavailable, partner.Unavailable},
		409: {partner.Conflict, partner.Conflict},
		415: {partner.Invalid, partner.Invalid},
		422: {partner.Invalid, partner.Invalid},
		429: {partner.RateLimited, partner.RateLimited},
		500: {partner.Unavailable, partner.UnknownOutcome},
		501: {partner.Unavailable, partner.Unavailable},
		502: {partner.Unavailable, partner.UnknownOutcome},
		503: {partner.Unavailable, partner.Unavailable},
		504: {partner.Unavailable, partner.UnknownOutcome},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{"phone":"+12135550101"}`)
			})
			h := caller(t, partner.HTTPConfig{})
			for i, method := range []string{http.MethodGet, http.MethodPost} {
				e := failure(t, h.Do(t.Context(), "x.do", method, url, nil, nil, nil))
				require.Equal(t, want[i], e.Kind, method)
				require.Equal(t, status, e.Status)
				require.NotContains(t, e.Error(), "5550101")
			}
		})
	}
}

func TestRetryAfterIsRead(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		header, value string
		min, max      time.Duration
	}{
		"seconds":        {"Retry-After", "7", 7 * time.Second, 7 * time.Second},
		"date":           {"Retry-After", now.Add(time.Minute).UTC().Format(http.TimeFormat), 50 * time.Second, time.Minute},
		"past date":      {"Retry-After", now.Add(-time.Minute).UTC().Format(http.TimeFormat), 0, 0},
		"negative":       {"Retry-After", "-5", 0, 0},
		"absurd":         {"Retry-After", "99999999999", 24 * time.Hour, 24 * time.Hour},
		"nonsense":       {"Retry-After", "soon", 0, 0},
		"reset in unix":  {"X-RateLimit-Reset", fmt.Sprint(now.Unix() + 30), 25 * time.Second, 30 * time.Second},
		"nothing at all": {"X-Other", "1", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := partner.StatusError("x.do", http.MethodGet, 429, http.Header{http.CanonicalHeaderKey(c.header): {c.value}}, partner.Refusal{})
			require.GreaterOrEqual(t, e.RetryAfter, c.min)
			require.LessOrEqual(t, e.RetryAfter, c.max)
		})
	}
}

func TestNothingWasSentIsUnavailable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + l.Addr().String() + "/?phone=5550101"
	require.NoError(t, l.Close())
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		e := failure(t, caller(t, partner.HTTPConfig{}).Do(t.Context(), "x.do", method, url, nil, map[string]int{}, nil))
		require.Equal(t, partner.Unavailable, e.Kind)
		require.NotContains(t, e.Error(), "5550101")
	}
}

func TestBrokenAfterSendingLeavesAWriteUnknown(t *testing.T) {
	t.Parallel()
	breaks := map[string]http.HandlerFunc{
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"late":  func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
		"body cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"a":`)
		},
		"web page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<html>oops 5550101</html>")
		},
	}
	for name, h := range breaks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, h) + "/?phone=5550101"
			c := caller(t, partner.HTTPConfig{Timeout: 200 * time.Millisecond})
			for method, want := range map[string]partner.Kind{
				http.MethodGet: partner.Unavailable, http.MethodPost: partner.UnknownOutcome, http.MethodDelete: partner.UnknownOutcome,
			} {
				var out any
				e := failure(t, c.Do(t.Context(), "x.do", method, url, nil, map[string]int{"n": 1}, &out))
				require.Equal(t, want, e.Kind, "%s: %v", method, e)
				require.NotContains(t, e.Error(), "5550101")
			}
		})
	}
}

func TestUnreadableReply(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty": "", "cut": `{"n":`, "two": `{} {}`, "type": `{"n":"5550101"}`, "not json": "5550101 oops",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, body)
			})
			var out struct {
				N []int `json:"n"`
			}
			h := caller(t, partner.HTTPConfig{})
			read := failure(t, h.Do(t.Context(), "x.do", http.MethodGet, url, nil, nil, &out))
			write := failure(t, h.Do(t.Context(), "x.do", http.MethodPost, url, nil, nil, &out))
			require.Equal(t, partner.Malformed, read.Kind)
			require.Equal(t, partner.UnknownOutcome, write.Kind)
			require.NotContains(t, read.Error()+write.Error(), "5550101")
		})
	}
}

func TestReplyBodyIsLimited(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"chunked": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("a", 2000)) },
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, strings.Repeat("a", 100_000))
			_ = z.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := caller(t, partner.HTTPConfig{MaxReply: 1000})
			_, err := c.Send(t.Context(), partner.Request{Op: "x.do", Method: http.MethodGet, URL: serve(t, h)})
			require.Equal(t, partner.Malformed, failure(t, err).Kind)
		})
	}
	exact := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("a", 1000)) })
	reply, err := caller(t, partner.HTTPConfig{MaxReply: 1000}).
		Send(t.Context(), partner.Request{Op: "x.do", Method: http.MethodGet, URL: exact})
	require.NoError(t, err)
	require.Len(t, reply.Body, 1000)
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other, http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/here", http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			_, _ = io.WriteString(w, r.Method)
		}
	})
	h := caller(t, partner.HTTPConfig{})
	send := func(method, path string) (partner.Reply, error) {
		return h.Send(t.Context(), partner.Request{Op: "x.do", Method: method, URL: url + path})
	}
	reply, err := send(http.MethodGet, "/near")
	require.NoError(t, err)
	require.Equal(t, "GET", string(reply.Body))
	for _, c := range [][2]string{{"GET", "/away"}, {"POST", "/away"}, {"POST", "/near"}, {"GET", "/loop"}} {
		_, err = send(c[0], c[1])
		require.Equal(t, partner.Malformed, failure(t, err).Kind, c)
	}
	require.Zero(t, elsewhere.Load(), "no request may leave the partner's host")
}

func TestBreakerOpensAndRecovers(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	var healthy atomic.Bool
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		if !healthy.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	h := caller(t, partner.HTTPConfig{Name: "x", BreakAfter: 3, BreakFor: 300 * time.Millisecond})
	do := func() error { return h.Do(t.Context(), "x.do", http.MethodPost, url, nil, nil, nil) }
	for range 3 {
		require.Equal(t, partner.UnknownOutcome, partner.KindOf(do()))
	}
	e := failure(t, do())
	require.Equal(t, partner.Unavailable, e.Kind, "an open breaker sent nothing")
	require.Positive(t, e.RetryAfter)
	require.EqualValues(t, 3, calls.Load())
	healthy.Store(true)
	require.Eventually(t, func() bool { return do() == nil }, 5*time.Second, 20*time.Millisecond)
}

func TestRefusalsAndCallersWhoGiveUpDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	h := caller(t, partner.HTTPConfig{BreakAfter: 1})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		require.Equal(t, partner.Invalid, partner.KindOf(h.Do(t.Context(), "x.do", http.MethodPost, url, nil, nil, nil)))
		err := h.Do(gone, "x.do", http.MethodPost, url, nil, nil, nil)
		require.Equal(t, partner.Unavailable, partner.KindOf(err))
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestExplainAndRedact(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "no phone (213) 555-0101 for ann@example.com")
	})
	h := caller(t, partner.HTTPConfig{Explain: func(_ int, b []byte) partner.Refusal {
		return partner.Refusal{Code: "E1", Message: string(b)}
	}})
	e := failure(t, h.Do(t.Context(), "x.do", http.MethodPost, url, nil, nil, nil))
	require.Equal(t, "E1", e.Code)
	require.Equal(t, "no phone ([number] for [e-mail]", e.Message)
	require.Len(t, []rune(partner.Redact(strings.Repeat("é", 500))), 201)
}

func TestGuardedClientForAnSDK(t *testing.T) {
	t.Parallel()
	url := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	h := caller(t, partner.HTTPConfig{BreakAfter: 1, BreakFor: time.Minute})
	post := func() *partner.Error {
		resp, err := h.Client().Post(url, "text/plain", strings.NewReader("x"))
		if err == nil {
			_ = resp.Body.Close()
		}
		require.Error(t, err)
		return partner.Failure("x.post", http.MethodPost, err)
	}
	require.Equal(t, partner.UnknownOutcome, post().Kind)
	open := post()
	require.Equal(t, partner.Unavailable, open.Kind)
	require.Greater(t, open.RetryAfter, 50*time.Second)
}

func ExampleHTTP_Do() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	h := partner.NewHTTP(partner.HTTPConfig{Name: "example", Timeout: 2 * time.Second})
	err := h.Do(context.Background(), "example.read", http.MethodGet, server.URL, nil, nil, nil)
	fmt.Println(partner.KindOf(err), err)
	// Output: rate_limited example.read: rate_limited (HTTP 429)
}
