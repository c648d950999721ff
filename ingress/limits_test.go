package ingress

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// safeBuffer is a log that can be read while it is written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) Sync() error { return nil }

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// slow is a connection on which a test writes a request piece by piece.
type slow struct {
	net.Conn
	t *testing.T
}

func (d *door) dial() slow {
	d.t.Helper()
	conn, err := new(net.Dialer).DialContext(d.t.Context(), "tcp", d.Addr())
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(d.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return slow{conn, d.t}
}

func (s slow) write(text string) {
	s.t.Helper()
	_, err := io.WriteString(s, text)
	require.NoError(s.t, err)
}

// status reads the reply; 0 where the connection was closed without one.
func (s slow) status() int {
	res, err := http.ReadResponse(bufio.NewReader(s), nil)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}

// head is the request line and headers of an authentic delivery.
func head(body string) string {
	return fmt.Sprintf("POST /webhooks/rentvine HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-RentVine-Signature: sha256=%s\r\nContent-Length: %d\r\n\r\n",
		hexMAC(secretA, body), len(body))
}

func TestServerSlowBody(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), func(c *Config) { c.Limits.Read = 300 * time.Millisecond })
	conn := d.dial()
	conn.write(head(created(t, "1")) + `{"event`)
	require.Equal(t, http.StatusRequestTimeout, conn.status())
}

func TestServerSlowHeaders(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), func(c *Config) { c.Limits.ReadHeader = 300 * time.Millisecond })
	conn := d.dial()
	conn.write("POST /webhooks/rentvine HTTP/1.1\r\nHost: x\r\n")
	require.Contains(t, []int{0, http.StatusRequestTimeout}, conn.status(), "closed with or without a word")
}

func TestServerShortBody(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	conn := d.dial()
	conn.write(head(created(t, "1")) + `{"event`)
	require.NoError(t, conn.Conn.(*net.TCPConn).CloseWrite())
	require.Equal(t, http.StatusBadRequest, conn.status())
}

func TestServerLargeHeaders(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	h := headers("X-Padding", strings.Repeat("x", 40<<10))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, d.do("GET", "/healthz", h, nil).status)
}

func TestServerLimitsInFlight(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), func(c *Config) { c.Sources[0].InFlight = 1 })
	body := created(t, "1")
	conn := d.dial()
	// The server says 100 when it begins to read the body: the slot is taken then.
	conn.write(strings.Replace(head(body), "\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1))
	require.Equal(t, http.StatusContinue, conn.status())
	conn.write(body[:10])
	d.requireProblem(d.post(body), 429)
	require.Equal(t, http.StatusUnauthorized, d.do("POST", "/webhooks/openmoove", headers("Content-Type", "application/json"), nil).status,
		"another source has its own slots")
	conn.write(body[10:])
	require.Equal(t, http.StatusServiceUnavailable, conn.status())
	require.NotEqual(t, http.StatusTooManyRequests, d.post(body).status, "the slot is free again")
}

func TestServerLimitsRateOfAuthenticDeliveries(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), func(c *Config) { c.Sources[0].PerSecond, c.Sources[0].Burst = 0.001, 2 })
	body := created(t, "1")
	for range 10 {
		require.Equal(t, http.StatusUnauthorized, d.do("POST", "/webhooks/rentvine", signed("x"), strings.NewReader(body)).status)
	}
	require.Equal(t, http.StatusServiceUnavailable, d.post(body).status, "strangers do not use up the sender's rate")
	require.Equal(t, http.StatusServiceUnavailable, d.post(body).status)
	d.requireProblem(d.post(body), 429)
}

func TestServerShutdownFinishesWhatItHas(t *testing.T) {
	t.Parallel()
	d := open(t, testRouter(t, nil), nil)
	body := created(t, "1")
	conn := d.dial()
	conn.write(head(body) + body[:10])
	require.Eventually(t, func() bool { return len(d.sources[SourceRentVine].slots) == 1 }, 10*time.Second, 10*time.Millisecond)

	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		stopped <- d.Shutdown(ctx)
	}()
	require.Eventually(t, func() bool {
		other, err := net.DialTimeout("tcp", d.Addr(), time.Second)
		if err == nil {
			_ = other.Close()
		}
		return err != nil
	}, 10*time.Second, 10*time.Millisecond, "no new connections")
	require.Empty(t, stopped)
	conn.write(body[10:])
	require.Equal(t, http.StatusAccepted, conn.status())
	require.NoError(t, <-stopped)
	require.Len(t, recorded(t, d.cfg.Router.cfg.Client, "work-order/"+entity(t), "").Taken, 1)
	require.Empty(t, d.Failed())
}

func TestServerShutdownGivesUpInTime(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	conn := d.dial()
	conn.write(head(created(t, "1")))
	require.Eventually(t, func() bool { return len(d.sources[SourceRentVine].slots) == 1 }, 10*time.Second, 10*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, d.Shutdown(ctx), context.DeadlineExceeded)
	require.NotEqual(t, http.StatusAccepted, conn.status())
}

func TestServerFinishesWhenTheSenderHangsUp(t *testing.T) {
	t.Parallel()
	d := open(t, testRouter(t, nil), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := created(t, "1")
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/webhooks/rentvine", strings.NewReader(body))
	req.Header = signed(body)
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, req)
	require.Equal(t, http.StatusAccepted, w.Code)
	require.Len(t, recorded(t, d.cfg.Router.cfg.Client, "work-order/"+entity(t), "").Taken, 1)
}

// A browser that had opened a connection ahead of need once held up the stop for
// five seconds.
func TestShutdownDoesNotWaitForSilentConnections(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	d.dial()
	require.Equal(t, http.StatusOK, d.do("GET", "/healthz", nil, nil).status)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	require.NoError(t, d.Shutdown(ctx))
	require.Less(t, time.Since(began), 3*time.Second)
}
