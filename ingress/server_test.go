package ingress

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// door is a started Server with what a test needs to knock at it.
type door struct {
	*Server
	t   *testing.T
	url string
	// log is everything that was logged, as JSON lines.
	log *safeBuffer
}

func open(t *testing.T, router *Router, change func(*Config)) *door {
	t.Helper()
	log := &safeBuffer{}
	cfg := Config{Addr: "127.0.0.1:0", Router: router,
		Log: zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), log, zap.DebugLevel)),
		Sources: []Source{
			{Name: SourceRentVine, Signature: Signature{Secrets: []Secret{{Value: secretA}}}},
			{Name: SourceOpenMoove, Signature: Signature{Secrets: []Secret{{Value: secretB}}}},
		}}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
	})
	return &door{Server: s, t: t, url: "http://" + s.Addr(), log: log}
}

// httpReply is a reply that has been read.
type httpReply struct {
	status int
	header http.Header
	body   string
}

func (d *door) do(method, path string, h http.Header, body io.Reader) httpReply {
	d.t.Helper()
	a, err := d.try(method, path, h, body)
	require.NoError(d.t, err)
	return a
}

func (d *door) try(method, path string, h http.Header, body io.Reader) (httpReply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, body)
	if err != nil {
		return httpReply{}, err
	}
	for name, values := range h {
		req.Header[name] = values
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return httpReply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	return httpReply{res.StatusCode, res.Header, string(read)}, err
}

// signed are the headers of an authentic RentVine delivery.
func signed(body string) http.Header {
	return headers("Content-Type", "application/json", "X-Rentvine-Signature", "sha256="+hexMAC(secretA, body))
}

func (d *door) post(body string) httpReply {
	d.t.Helper()
	return d.do(http.MethodPost, "/webhooks/rentvine", signed(body), strings.NewReader(body))
}

func (d *door) requireProblem(a httpReply, status int) {
	d.t.Helper()
	require.Equal(d.t, status, a.status, a.body)
	require.Equal(d.t, "application/problem+json", a.header.Get("Content-Type"))
	var p Problem
	require.NoError(d.t, json.Unmarshal([]byte(a.body), &p))
	require.Equal(d.t, status, p.Status)
	require.Equal(d.t, http.StatusText(status), p.Title)
	require.NotEmpty(d.t, p.Detail)
	retryAfter := a.header.Get("Retry-After")
	require.Equal(d.t, status == 429 || status == 503, retryAfter != "", "Retry-After is for 429 and 503")
}

// metric is the text of one sample in the exposition.
func (d *door) metric(sample string) string {
	d.t.Helper()
	w := httptest.NewRecorder()
	d.MetricsHandler().ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil))
	for line := range strings.SplitSeq(w.Body.String(), "\n") {
		if value, ok := strings.CutPrefix(line, sample+" "); ok {
			return value
		}
	}
	return ""
}

func created(t *testing.T, eventID string) string {
	return fmt.Sprintf(`{"event_type":"work_order.created","event_id":%q,"data":{"work_order_id":%q,"property_id":12,"description":"Jane Roe's burst pipe"}}`, eventID, entity(t))
}

func TestServerAcceptsThenKnows(t *testing.T) {
	t.Parallel()
	d := open(t, testRouter(t, nil), nil)
	a := d.post(created(t, "1"))
	require.Equal(t, http.StatusAccepted, a.status, a.body)
	require.JSONEq(t, `{"status":"accepted","workflow_id":"work-order/`+entity(t)+`"}`, a.body)

	a = d.post(created(t, "1"))
	require.Equal(t, http.StatusOK, a.status)
	require.JSONEq(t, `{"status":"duplicate","workflow_id":"work-order/`+entity(t)+`"}`, a.body)

	sameIDOtherBody := strings.Replace(created(t, "1"), "12", "13", 1)
	require.Equal(t, http.StatusOK, d.post(sameIDOtherBody).status)
	require.Equal(t, "1", d.metric(`keyholder_ingress_key_reused_total{source="rentvine"}`))
	require.Equal(t, http.StatusAccepted, d.post(created(t, "2")).status, "the same body under another id")

	a = d.post(`{"event_type":"inspection.created","event_id":"` + entity(t) + `","data":{"id":5}}`)
	require.Equal(t, http.StatusAccepted, a.status)
	require.Regexp(t, `^{"status":"accepted","workflow_id":"parked/rentvine/[0-9a-f]{32}","parked":true}\n$`, a.body)
	require.Equal(t, "1", d.metric(`keyholder_ingress_parked_total{reason="unknown type",source="rentvine"}`))

	moove := `{"event":"property.created","timestamp":"2020-01-01T00:00:00Z","data":{"property_id":31,"t":"` + entity(t) + `"}}`
	a = d.do(http.MethodPost, "/webhooks/openmoove", headers("Content-Type", "application/json; charset=UTF-8", "Content-Encoding", "identity",
		"X-OpenMoove-Signature", "sha256="+hexMAC(secretB, moove)), strings.NewReader(moove))
	require.Equal(t, http.StatusAccepted, a.status, "an old event time refuses nothing: "+a.body)

	got := recorded(t, d.cfg.Router.cfg.Client, "work-order/"+entity(t), "")
	require.Equal(t, 2, got.Signals)
	require.Len(t, got.Taken, 2)
	require.Equal(t, "2", d.metric(`keyholder_ingress_webhooks_total{code="202",reason="accepted",source="rentvine"}`))
	require.Equal(t, "2", d.metric(`keyholder_ingress_webhooks_total{code="200",reason="duplicate",source="rentvine"}`))
	require.Equal(t, "5", d.metric(`keyholder_ingress_webhook_seconds_count{source="rentvine"}`))
	require.NotContains(t, d.log.String(), "Jane")
	require.Contains(t, d.log.String(), `"route":"/webhooks/rentvine","status":202`)
}

func TestServerTakesOutOfOrderEvents(t *testing.T) {
	t.Parallel()
	d := open(t, testRouter(t, nil), nil)
	updated := strings.Replace(created(t, "9"), "created", "updated", 1)
	require.Equal(t, http.StatusAccepted, d.post(updated).status)
	require.Equal(t, http.StatusAccepted, d.post(created(t, "8")).status)
	require.Len(t, recorded(t, d.cfg.Router.cfg.Client, "work-order/"+entity(t), "").Taken, 2)
}

func TestServerThousandIdenticalDeliveries(t *testing.T) {
	t.Parallel()
	d := open(t, testRouter(t, nil), func(c *Config) {
		c.Sources[0].InFlight, c.Sources[0].PerSecond, c.Sources[0].Burst = 1000, 1e6, 1000
	})
	const times = 1000
	body := created(t, "1")
	statuses := make(chan int, times)
	for range times {
		go func() {
			a, err := d.try(http.MethodPost, "/webhooks/rentvine", signed(body), strings.NewReader(body))
			if err != nil {
				a.status = -1
			}
			statuses <- a.status
		}()
	}
	count := map[int]int{}
	for range times {
		count[<-statuses]++
	}
	require.Equal(t, map[int]int{http.StatusAccepted: 1, http.StatusOK: times - 1}, count)
	got := recorded(t, d.cfg.Router.cfg.Client, "work-order/"+entity(t), "")
	require.Equal(t, 1, got.Signals)
	require.Len(t, got.Taken, 1)
}

func TestServerRefuses(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), func(c *Config) {
		c.Sources[0].Signature.Secrets = append(c.Sources[0].Signature.Secrets, Secret{Value: "expired", NotAfter: time.Now().Add(-time.Hour)})
	})
	good := created(t, "1")
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := io.CopyN(z, zeros{}, 10<<20)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	with := func(h http.Header, name string, values ...string) http.Header {
		h = h.Clone()
		h[http.CanonicalHeaderKey(name)] = values
		return h
	}
	exact := good + strings.Repeat(" ", 256<<10-len(good))
	chunked := func(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }
	for name, tc := range map[string]struct {
		method, path string
		h            http.Header
		body         io.Reader
		want         int
	}{
		"no signature":         {"POST", "/webhooks/rentvine", with(signed(good), "X-RentVine-Signature"), strings.NewReader(good), 401},
		"wrong signature":      {"POST", "/webhooks/rentvine", signed(good + " "), strings.NewReader(good), 401},
		"expired secret":       {"POST", "/webhooks/rentvine", with(signed(good), "X-RentVine-Signature", "sha256="+hexMAC("expired", good)), strings.NewReader(good), 401},
		"doubled signature":    {"POST", "/webhooks/rentvine", with(signed(good), "X-RentVine-Signature", "sha256="+hexMAC(secretA, good), "x"), strings.NewReader(good), 401},
		"another source's key": {"POST", "/webhooks/openmoove", with(signed(good), "X-OpenMoove-Signature", "sha256="+hexMAC(secretA, good)), strings.NewReader(good), 401},
		"garbage, not signed":  {"POST", "/webhooks/rentvine", headers("Content-Type", "application/json"), strings.NewReader("{{{"), 401},
		"garbage, signed":      {"POST", "/webhooks/rentvine", signed("{{{"), strings.NewReader("{{{"), 400},
		"duplicate keys":       {"POST", "/webhooks/rentvine", signed(`{"a":1,"a":2}`), strings.NewReader(`{"a":1,"a":2}`), 400},
		"empty body, signed":   {"POST", "/webhooks/rentvine", signed(""), http.NoBody, 400},
		"no id":                {"POST", "/webhooks/rentvine", signed(`{"event_type":"lease.created","data":{}}`), strings.NewReader(`{"event_type":"lease.created","data":{}}`), 422},
		"gzip":                 {"POST", "/webhooks/rentvine", with(signed(bomb.String()), "Content-Encoding", "gzip"), bytes.NewReader(bomb.Bytes()), 415},
		"form":                 {"POST", "/webhooks/rentvine", with(signed(good), "Content-Type", "application/x-www-form-urlencoded"), strings.NewReader(good), 415},
		"no content type":      {"POST", "/webhooks/rentvine", with(signed(good), "Content-Type"), strings.NewReader(good), 415},
		"two content types":    {"POST", "/webhooks/rentvine", with(signed(good), "Content-Type", "application/json", "text/plain"), strings.NewReader(good), 415},
		"another charset":      {"POST", "/webhooks/rentvine", with(signed(good), "Content-Type", "application/json; charset=utf-16"), strings.NewReader(good), 415},
		"one byte too large":   {"POST", "/webhooks/rentvine", signed(exact + " "), strings.NewReader(exact + " "), 413},
		"chunked, too large":   {"POST", "/webhooks/rentvine", signed(exact + " "), chunked(exact + " "), 413},
		"chunked, far larger":  {"POST", "/webhooks/rentvine", signed(""), chunked(strings.Repeat(exact, 8)), 413},
		"limit, not confirmed": {"POST", "/webhooks/rentvine", signed(exact), strings.NewReader(exact), 503},
		"chunked at the limit": {"POST", "/webhooks/rentvine", signed(exact), chunked(exact), 503},
		"unknown path":         {"POST", "/webhooks/fax", signed(good), strings.NewReader(good), 404},
		"path below":           {"POST", "/webhooks/rentvine/x", signed(good), strings.NewReader(good), 404},
		"GET":                  {"GET", "/webhooks/rentvine", nil, nil, 405},
		"PUT":                  {"PUT", "/webhooks/rentvine", signed(good), strings.NewReader(good), 405},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &door{Server: d.Server, t: t, url: d.url, log: d.log}
			a := d.do(tc.method, tc.path, tc.h, tc.body)
			d.requireProblem(a, tc.want)
			require.NotContains(t, a.body, "Jane")
			if tc.want == http.StatusMethodNotAllowed {
				require.Contains(t, a.header.Get("Allow"), "POST")
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestServerSays503UntilConfirmed(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	d.requireProblem(d.post(created(t, "1")), 503)
	d.requireProblem(d.post(created(t, "1")), 503)
	require.Equal(t, "2", d.metric(`keyholder_ingress_webhooks_total{code="503",reason="not_confirmed",source="rentvine"}`),
		"what was not confirmed is not remembered")
}

func TestServerKeepsARedactedSample(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	d.requireProblem(d.post(`{"event_type":"work_order.created","data":{"description":"Jane Roe"}}`), 422)
	require.Equal(t, "1", d.metric(`keyholder_ingress_webhooks_total{code="422",reason="no_entity_id",source="rentvine"}`))
	require.Contains(t, d.log.String(), `"shape":{"data":{"description":"string(8)"},"event_type":"string(18)"}`)
	require.NotContains(t, d.log.String(), "Jane")
}

func TestServerHealth(t *testing.T) {
	t.Parallel()
	away := open(t, awayRouter(t), nil)
	require.Equal(t, http.StatusOK, away.do("GET", "/healthz", nil, nil).status)
	a := away.do("GET", "/readyz", nil, nil)
	away.requireProblem(a, 503)
	require.Contains(t, a.body, "Not ready: temporal.")

	ready := open(t, testRouter(t, nil), nil)
	require.Equal(t, http.StatusOK, ready.do("GET", "/readyz", nil, nil).status)

	block := make(chan struct{})
	t.Cleanup(func() { close(block) })
	partly := open(t, testRouter(t, nil), func(c *Config) {
		c.Store = pingable{errors.New("disk at /secret/path is full")}
		c.Checks = map[string]func(context.Context) error{"fine": func(context.Context) error { return nil },
			"stuck": func(context.Context) error { <-block; return nil }}
	})
	a = partly.do("GET", "/readyz", nil, nil)
	partly.requireProblem(a, 503)
	require.Contains(t, a.body, "Not ready: store, stuck.")
	require.NotContains(t, a.body, "secret")
}

type pingable struct{ err error }

func (p pingable) Ping(context.Context) error { return p.err }

func TestServerHidesPanicsAndPaths(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	d.echo.GET("/boom", func(echo.Context) error { panic("Jane Roe") })
	d.echo.GET("/a/:token", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	a := d.do("GET", "/boom", nil, nil)
	d.requireProblem(a, 500)
	require.NotContains(t, a.body, "Jane")
	require.Equal(t, http.StatusNoContent, d.do("GET", "/a/very-secret-token?x=very-secret", nil, nil).status)
	require.Equal(t, http.StatusNotFound, d.do("GET", "/b/very-secret-token", nil, nil).status)
	require.Contains(t, d.log.String(), `"route":"/a/:token","status":204`)
	require.Contains(t, d.log.String(), `a handler panicked`)
	require.NotContains(t, d.log.String(), "very-secret")
	require.NotContains(t, d.log.String(), "Jane")
}

func TestNewServerRefuses(t *testing.T) {
	t.Parallel()
	_, err := New(Config{})
	require.ErrorContains(t, err, "no router")
	fine := Source{Name: SourceRentVine, Signature: Signature{Secrets: []Secret{{Value: secretA}}}}
	_, err = New(Config{Router: NewRouter(RouterConfig{}), Sources: []Source{
		fine, fine, {Name: "fax"}, {Name: SourceOpenMoove, Signature: Signature{Scheme: "rot13", Secrets: []Secret{{Value: "x"}}}}}})
	for _, says := range []string{"rentvine is configured twice", `unknown event source "fax"`, `unknown signature scheme "rot13"`} {
		require.ErrorContains(t, err, says)
	}
	require.Equal(t, "keyholder", NewRouter(RouterConfig{}).cfg.TaskQueue)
	require.Equal(t, 5*time.Second, NewRouter(RouterConfig{}).cfg.Limit)
}

func TestServerTakenPort(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	second, err := New(Config{Addr: d.Addr(), Router: awayRouter(t)})
	require.NoError(t, err)
	require.ErrorContains(t, second.Start(t.Context()), d.Addr())
}
