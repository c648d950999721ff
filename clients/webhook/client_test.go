package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/webhook"
)

const (
	// secret, id, body and their signature at 1614265330 are the vector of the
	// specification's libraries.
	secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newer     = "whsec_" + "bmV3ZXItc2VjcmV0LW9mLTMyLWJ5dGVzLWluLWFsbCE="
	vectorID  = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var (
	vectorBody = []byte(`{"test": 2432232314}`)
	loopback   = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
)

// receiver is a real server that keeps what arrives.
type receiver struct {
	*httptest.Server
	connections atomic.Int32
	mu          sync.Mutex
	headers     []http.Header
	bodies      []string
}

func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := newReceiver(answer)
	r.Start()
	t.Cleanup(r.Close)
	return r
}

func newReceiver(answer http.HandlerFunc) *receiver {
	r := &receiver{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.headers, r.bodies = append(r.headers, req.Header.Clone()), append(r.bodies, string(body))
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	r.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			r.connections.Add(1)
		}
	}
	return r
}

func (r *receiver) arrived() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

func (r *receiver) port() string {
	return r.Listener.Addr().String()[strings.LastIndex(r.Listener.Addr().String(), ":")+1:]
}

func clientOf(t *testing.T, cfg webhook.Config) *webhook.Client {
	t.Helper()
	c := webhook.New(cfg)
	t.Cleanup(c.Close)
	return c
}

func delivery(url string) webhook.Delivery {
	return webhook.Delivery{URL: url, Secrets: []string{secret}, ID: vectorID, At: time.Unix(1614265330, 0), Body: vectorBody}
}

// fails asserts the failure's kind and that it holds none of what was sent.
func fails(t *testing.T, err error, kind partner.Kind, final bool) *partner.Error {
	t.Helper()
	var e *partner.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", e)
	require.Equal(t, final, webhook.Final(err), "%v", e)
	for _, private := range []string{"token", secret[6:], "2432232314", "jane.roe", "g0hM9SsE"} {
		require.NotContains(t, err.Error(), private)
	}
	return e
}

func TestTheSpecificationsVector(t *testing.T) {
	t.Parallel()
	r := receive(t, nil)
	require.NoError(t, clientOf(t, webhook.Config{Allow: loopback}).Post(t.Context(), delivery(r.URL+"/hooks?of=sales")))
	require.Equal(t, []string{string(vectorBody)}, r.bodies)
	got := r.headers[0]
	require.Equal(t, vectorID, got.Get("webhook-id"))
	require.Equal(t, "1614265330", got.Get("webhook-timestamp"))
	require.Equal(t, signature, got.Get("webhook-signature"))
	require.Equal(t, "Keyholder", got.Get("User-Agent"))
	require.Equal(t, "application/json", got.Get("Content-Type"))
	require.Empty(t, got.Get("Accept-Encoding"))
}

func TestEachSecretSignsForItsReceiver(t *testing.T) {
	t.Parallel()
	r := receive(t, nil)
	d := delivery(r.URL)
	d.At, d.Secrets = time.Time{}, []string{newer, secret}
	require.NoError(t, clientOf(t, webhook.Config{Allow: loopback}).Post(t.Context(), d))
	require.Len(t, strings.Fields(r.headers[0].Get("webhook-signature")), 2)
	for _, s := range d.Secrets {
		w, err := standardwebhooks.NewWebhook(s)
		require.NoError(t, err)
		require.NoError(t, w.Verify(vectorBody, r.headers[0]), "within its five minutes of now, too")
		require.Error(t, w.Verify([]byte(`{"test": 2432232315}`), r.headers[0]))
	}
}

func TestADeliveryThatCannotBePostedIsNotPosted(t *testing.T) {
	t.Parallel()
	r := receive(t, nil)
	c := clientOf(t, webhook.Config{Allow: loopback})
	for name, change := range map[string]func(*webhook.Delivery){
		"no id":               func(d *webhook.Delivery) { d.ID = "" },
		"a full stop in id":   func(d *webhook.Delivery) { d.ID = "evt.1" },
		"a line break in id":  func(d *webhook.Delivery) { d.ID = "evt\r\nX: 1" },
		"an endless id":       func(d *webhook.Delivery) { d.ID = strings.Repeat("a", 257) },
		"no body":             func(d *webhook.Delivery) { d.Body = nil },
		"a body too long":     func(d *webhook.Delivery) { d.Body = make([]byte, webhook.MaxBody+1) },
		"no secret":           func(d *webhook.Delivery) { d.Secrets = nil },
		"too many secrets":    func(d *webhook.Delivery) { d.Secrets = []string{secret, secret, secret, secret, secret, secret} },
		"one bad secret":      func(d *webhook.Delivery) { d.Secrets = []string{secret, "token"} },
		"another scheme":      func(d *webhook.Delivery) { d.URL = "ftp" + strings.TrimPrefix(d.URL, "http") },
		"a user in the URL":   func(d *webhook.Delivery) { d.URL = strings.Replace(d.URL, "://", "://jane:token@", 1) },
		"no address":          func(d *webhook.Delivery) { d.URL = "" },
		"an address in vain":  func(d *webhook.Delivery) { d.URL = "http://%zz/token" },
		"a decimal IP":        func(d *webhook.Delivery) { d.URL = "http://2130706433:" + r.port() },
		"another line":        func(d *webhook.Delivery) { d.URL += "/\r\nHost: token" },
		"a port out of range": func(d *webhook.Delivery) { d.URL = "http://127.0.0.1:99999" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := delivery(r.URL + "/token")
			change(&d)
			e := fails(t, c.Post(t.Context(), d), partner.Invalid, true)
			require.NotEmpty(t, e.Message)
			require.Zero(t, r.connections.Load())
		})
	}
	largest := receive(t, nil)
	d := delivery(largest.URL)
	d.Body = []byte(strings.Repeat("1", webhook.MaxBody))
	require.NoError(t, c.Post(t.Context(), d))
	require.Equal(t, string(d.Body), largest.bodies[0])
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		kind  partner.Kind
		final bool
		after time.Duration
	}{
		200: {}, 201: {}, 202: {}, 204: {}, 299: {},
		300: {partner.Malformed, true, 0}, 304: {partner.Malformed, true, 0},
		400: {partner.Invalid, true, 0}, 401: {partner.Unauthorised, false, 0}, 403: {partner.Forbidden, false, 0},
		404: {partner.NotFound, false, 0}, 405: {partner.NotFound, true, 0}, 409: {partner.Conflict, false, 0},
		410: {partner.NotFound, true, 0}, 413: {partner.Invalid, true, 0}, 422: {partner.Invalid, true, 0}, 423: {partner.Conflict, true, 0},
		408: {partner.Unavailable, false, 7 * time.Second}, 425: {partner.Unavailable, false, 7 * time.Second},
		429: {partner.RateLimited, false, 7 * time.Second},
		500: {partner.UnknownOutcome, false, 7 * time.Second}, 502: {partner.UnknownOutcome, false, 7 * time.Second},
		503: {partner.Unavailable, false, 7 * time.Second}, 504: {partner.UnknownOutcome, false, 7 * time.Second},
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			r := receive(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(status)
				if status != http.StatusNoContent && status != http.StatusNotModified {
					fmt.Fprint(w, "jane.roe@example.com token")
				}
			})
			err := clientOf(t, webhook.Config{Allow: loopback}).Post(t.Context(), delivery(r.URL))
			require.Equal(t, 1, r.arrived(), "one attempt a call")
			if want.kind == "" {
				require.NoError(t, err)
				require.False(t, webhook.Final(err))
				return
			}
			e := fails(t, err, want.kind, want.final)
			require.Equal(t, status, e.Status)
			require.Equal(t, want.after, e.RetryAfter)
		})
	}
}

func TestOnlyTheStatusOfAReplyCounts(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	for name, answer := range map[string]http.HandlerFunc{
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			for chunk := make([]byte, 64<<10); sent.Load() < 64<<20; {
				n, err := w.Write(chunk)
				if err != nil {
					return
				}
				sent.Add(int64(n))
			}
		},
		"slow": func(w http.ResponseWriter, req *http.Request) {
			fmt.Fprint(w, "{")
			_ = http.NewResponseController(w).Flush() // a dead connection shows in the test itself
			<-req.Context().Done()
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "{")
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>thanks") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, answer)
			begun := time.Now()
			require.NoError(t, clientOf(t, webhook.Config{Allow: loopback, Timeout: time.Second}).Post(t.Context(), delivery(r.URL)))
			require.Less(t, time.Since(begun), 10*time.Second)
			require.Less(t, sent.Load(), int64(32<<20), "no more is read than the network holds")
		})
	}
}

func TestNoReply(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"reset":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no answer": func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() },
		"no HTTP":   func(w http.ResponseWriter, _ *http.Request) { hijacked(w, "220 smtp.example.com ESMTP\r\n") },
		"endless header": func(w http.ResponseWriter, _ *http.Request) {
			hijacked(w, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, answer)
			begun := time.Now()
			err := clientOf(t, webhook.Config{Allow: loopback, Timeout: time.Second}).Post(t.Context(), delivery(r.URL))
			e := fails(t, err, partner.UnknownOutcome, false)
			require.Less(t, time.Since(begun), 10*time.Second)
			require.Equal(t, 1, r.arrived(), "one attempt a call")
			if name == "no answer" {
				require.ErrorIs(t, e, context.DeadlineExceeded)
			}
		})
	}
	t.Run("another protocol", func(t *testing.T) {
		t.Parallel()
		gone := make(chan struct{})
		r := receive(t, func(w http.ResponseWriter, _ *http.Request) {
			conn := hijacked(w, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
			_, _ = conn.Read(make([]byte, 1)) // until the other side closes
			close(gone)
		})
		err := clientOf(t, webhook.Config{Allow: loopback, Timeout: time.Second}).Post(t.Context(), delivery(r.URL))
		fails(t, err, partner.Malformed, false)
		<-gone
	})
}

// hijacked writes raw bytes in place of a reply; the test's client closes the
// connection.
func hijacked(w http.ResponseWriter, raw string) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, raw)
	return conn
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	err = clientOf(t, webhook.Config{Allow: loopback}).Post(t.Context(), delivery("http://"+l.Addr().String()+"/token"))
	fails(t, err, partner.Unavailable, false)
}

func TestTheCallerGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := receive(t, func(_ http.ResponseWriter, req *http.Request) {
		cancel()
		<-req.Context().Done()
	})
	c := clientOf(t, webhook.Config{Allow: loopback, HTTP: partner.HTTPConfig{BreakAfter: 1}})
	e := fails(t, c.Post(ctx, delivery(r.URL)), partner.UnknownOutcome, false)
	require.ErrorIs(t, e, context.Canceled)
	r.Config.Handler = http.NotFoundHandler()
	e = fails(t, c.Post(t.Context(), delivery(r.URL)), partner.NotFound, false)
	require.Equal(t, http.StatusNotFound, e.Status, "the breaker is not the caller's")
}

func TestConnectionsAreUsedAgainAndNothingIsPostedTwice(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	r := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, `{"ok":true}`)
	})
	c := clientOf(t, webhook.Config{Allow: loopback})
	for range 3 {
		require.NoError(t, c.Post(t.Context(), delivery(r.URL)))
	}
	require.EqualValues(t, 1, r.connections.Load())
	broken.Store(true)
	fails(t, c.Post(t.Context(), delivery(r.URL)), partner.UnknownOutcome, false)
	require.Equal(t, 4, r.arrived())
}

func TestABrokenReceiverStopsNoOther(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	r := receive(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/broken" && !mended.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	c := clientOf(t, webhook.Config{Allow: loopback, HTTP: partner.HTTPConfig{BreakAfter: 3, BreakFor: 500 * time.Millisecond}})
	for range 3 {
		fails(t, c.Post(t.Context(), delivery(r.URL+"/broken")), partner.UnknownOutcome, false)
	}
	e := fails(t, c.Post(t.Context(), delivery(r.URL+"/broken")), partner.Unavailable, false)
	require.Zero(t, e.Status)
	require.Positive(t, e.RetryAfter)
	require.Equal(t, 3, r.arrived(), "it is left alone for a while")
	for i := range 100 { // more addresses than are remembered
		require.NoError(t, c.Post(t.Context(), delivery(fmt.Sprint(r.URL, "/other/", i))))
	}
	mended.Store(true)
	require.Eventually(t, func() bool { return c.Post(t.Context(), delivery(r.URL+"/broken")) == nil }, 10*time.Second, 20*time.Millisecond)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r := receive(t, nil)
	c := clientOf(t, webhook.Config{Allow: loopback})
	var all sync.WaitGroup
	var failed atomic.Int32
	for i := range 50 {
		all.Go(func() {
			d := delivery(fmt.Sprint(r.URL, "/", i%3))
			d.ID = fmt.Sprint("evt_", i)
			if c.Post(t.Context(), d) != nil {
				failed.Add(1)
			}
		})
	}
	all.Wait()
	require.Zero(t, failed.Load())
	require.Equal(t, 50, r.arrived())
}
