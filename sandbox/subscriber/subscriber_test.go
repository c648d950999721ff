package subscriber

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The vector of the Standard Webhooks specification.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func vectorHeader() http.Header {
	return http.Header{headerID: {vectorID}, headerTimestamp: {strconv.Itoa(vectorTime)}, headerSignature: {vectorSignature}}
}

func TestTheSpecificationsVector(t *testing.T) {
	t.Parallel()
	key, err := readSecret(vectorSecret)
	require.NoError(t, err)
	id, at, err := verify(key, vectorHeader(), []byte(vectorBody), time.Unix(vectorTime, 0))
	require.NoError(t, err)
	require.Equal(t, vectorID, id)
	require.Equal(t, time.Unix(vectorTime, 0).UTC(), at)
}

func TestWhatIsNotRightlySigned(t *testing.T) {
	t.Parallel()
	key, err := readSecret(vectorSecret)
	require.NoError(t, err)
	now := time.Unix(vectorTime, 0)
	raw := strings.TrimPrefix(vectorSignature, "v1,")
	for name, c := range map[string]struct {
		header func(http.Header)
		body   string
		off    time.Duration
		want   string // "" where it is right
	}{
		"as it is":             {},
		"five minutes late":    {off: 300 * time.Second},
		"five minutes early":   {off: -300 * time.Second},
		"later":                {off: 301 * time.Second, want: "Webhook-Timestamp is more than 5m0s from now"},
		"earlier":              {off: -301 * time.Second, want: "Webhook-Timestamp is more than 5m0s from now"},
		"the second of two":    {header: func(h http.Header) { h.Set(headerSignature, "v1,"+strings.Repeat("A", 43)+"= "+vectorSignature) }},
		"beside another kind":  {header: func(h http.Header) { h.Set(headerSignature, "v1a,abc "+vectorSignature) }},
		"another kind":         {header: func(h http.Header) { h.Set(headerSignature, "v1a,"+raw) }, want: "no signature"},
		"a kind of before":     {header: func(h http.Header) { h.Set(headerSignature, "v0,"+raw) }, want: "no signature"},
		"no kind":              {header: func(h http.Header) { h.Set(headerSignature, raw) }, want: "no signature"},
		"cut short":            {header: func(h http.Header) { h.Set(headerSignature, vectorSignature[:20]) }, want: "no signature"},
		"too long":             {header: func(h http.Header) { h.Set(headerSignature, vectorSignature+"AAAA") }, want: "no signature"},
		"in hex":               {header: func(h http.Header) { h.Set(headerSignature, "v1,"+strings.Repeat("ab", 32)) }, want: "no signature"},
		"empty":                {header: func(h http.Header) { h.Set(headerSignature, "v1,") }, want: "no signature"},
		"of another id":        {header: func(h http.Header) { h.Set(headerID, "msg_x") }, want: "no signature"},
		"of another second":    {header: func(h http.Header) { h.Set(headerTimestamp, strconv.Itoa(vectorTime+1)) }, want: "no signature"},
		"of another body":      {body: vectorBody + " ", want: "no signature"},
		"no id":                {header: func(h http.Header) { h.Del(headerID) }, want: "Webhook-Id is needed, once"},
		"an empty id":          {header: func(h http.Header) { h.Set(headerID, "") }, want: "Webhook-Id is needed, once"},
		"two ids":              {header: func(h http.Header) { h.Add(headerID, vectorID) }, want: "Webhook-Id is needed, once"},
		"a long id":            {header: func(h http.Header) { h.Set(headerID, strings.Repeat("a", 257)) }, want: "256 bytes at most"},
		"no time":              {header: func(h http.Header) { h.Del(headerTimestamp) }, want: "Webhook-Timestamp is needed, once"},
		"no signature":         {header: func(h http.Header) { h.Del(headerSignature) }, want: "Webhook-Signature is needed, once"},
		"two signatures":       {header: func(h http.Header) { h.Add(headerSignature, vectorSignature) }, want: "Webhook-Signature is needed, once"},
		"time with a sign":     {header: func(h http.Header) { h.Set(headerTimestamp, "+1614265330") }, want: "seconds since 1970"},
		"time before 1970":     {header: func(h http.Header) { h.Set(headerTimestamp, "-1") }, want: "seconds since 1970"},
		"time with a fraction": {header: func(h http.Header) { h.Set(headerTimestamp, "1614265330.0") }, want: "seconds since 1970"},
		"time that overflows":  {header: func(h http.Header) { h.Set(headerTimestamp, "99999999999999999999") }, want: "seconds since 1970"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header, body := vectorHeader(), vectorBody
			if c.header != nil {
				c.header(header)
			}
			if c.body != "" {
				body = c.body
			}
			_, _, err := verify(key, header, []byte(body), now.Add(c.off))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	encode := func(n int) string { return secretPrefix + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for secret, want := range map[string]string{
		vectorSecret: "", encode(24): "", encode(64): "",
		encode(23): "24 to 64 bytes, not 23", encode(65): "24 to 64 bytes, not 65",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": `begins with "whsec_"`, "whsec_not base64": "is base64", "whsec_": "not 0",
	} {
		_, err := New(Config{Secret: secret})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "MfKQ", "a secret is never told")
	}
}

// sign is the scheme once more, for bodies that are not the vector.
func sign(t *testing.T, id, body string, at time.Time) http.Header {
	t.Helper()
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(vectorSecret, "whsec_"))
	require.NoError(t, err)
	mac := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return http.Header{
		headerID: {id}, headerTimestamp: {strconv.FormatInt(at.Unix(), 10)},
		headerSignature: {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}

// post delivers over the wire and returns status and body.
func post(t *testing.T, url string, header http.Header, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header = header
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(raw) + res.Header.Get("Location")
}

func TestWebhooksAreKeptOnce(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Secret: vectorSecret})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	now := time.Now()
	deliver := func(name, id, body string) int {
		status, _ := post(t, server.URL+"/"+name, sign(t, id, body, now), body)
		return status
	}
	const body = `{"type":"sale.milestone_completed","timestamp":"2031-03-03T09:00:00Z","data":{"property_id":7}}`
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { deliver("crm", "msg_1", body) })
	}
	wg.Wait()
	require.Equal(t, 204, deliver("board", "msg_1", body), "another subscriber gets the same webhook")
	require.Equal(t, 204, deliver("crm", "msg_2", `{"data":{}}`))
	got := s.Webhooks(-1)
	require.Len(t, got, 3)
	require.Equal(t, []int{20, 1, 1}, []int{got[0].Deliveries, got[1].Deliveries, got[2].Deliveries})
	require.Equal(t, "sale.milestone_completed", got[0].Type)
	require.Equal(t, "2031-03-03T09:00:00Z", got[0].Timestamp)
	require.Equal(t, now.UTC().Format(time.RFC3339), got[2].Timestamp, "that of the attempt where the body has none")
	require.WithinDuration(t, now, got[0].ReceivedAt, time.Minute)
	raw, err := json.Marshal(got[1])
	require.NoError(t, err)
	require.Contains(t, string(raw), `"id":"msg_1","type":"sale.milestone_completed","timestamp":"2031-03-03T09:00:00Z","received_at":"`)
	require.Contains(t, string(raw), `"name":"board","body":`+body+`,"deliveries":1}`)

	require.False(t, got[2].BodyChanged)
	require.Equal(t, 204, deliver("crm", "msg_2", `{"data":{"property_id":8}}`))
	last := s.Webhooks(1)
	require.True(t, last[0].BodyChanged)
	require.JSONEq(t, `{"data":{}}`, string(last[0].Body))
	s.Reset()
	require.Equal(t, []Webhook{}, s.Webhooks(-1))
	require.Zero(t, s.Count())
}

func TestWhatIsNoWebhook(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Secret: vectorSecret})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	now := time.Now()
	long := `{"data":"` + strings.Repeat("a", maxBody) + `"}`
	for name, c := range map[string]struct {
		path, body string
		header     http.Header
		want       int
	}{
		"not signed":       {"/crm", `{}`, http.Header{}, 401},
		"signed wrongly":   {"/crm", `{}`, sign(t, "a", `{ }`, now), 401},
		"a list":           {"/crm", ` []`, sign(t, "a", ` []`, now), 400},
		"null":             {"/crm", `null`, sign(t, "a", `null`, now), 400},
		"no JSON":          {"/crm", `{`, sign(t, "a", `{`, now), 400},
		"nothing":          {"/crm", ``, sign(t, "a", ``, now), 400},
		"a type of number": {"/crm", `{"type":1}`, sign(t, "a", `{"type":1}`, now), 400},
		"too long":         {"/crm", long, sign(t, "a", long, now), 413},
		"nobody":           {"/", `{}`, sign(t, "a", `{}`, now), 404},
		"deeper":           {"/crm/x", `{}`, sign(t, "a", `{}`, now), 404},
		"a long name":      {"/" + strings.Repeat("n", 101), `{}`, sign(t, "a", `{}`, now), 404},
	} {
		status, answer := post(t, server.URL+c.path, c.header, c.body)
		require.Equal(t, c.want, status, "%s: %s", name, answer)
	}
	require.Empty(t, s.Webhooks(-1))

	off, err := New(Config{})
	require.NoError(t, err)
	server = httptest.NewServer(off)
	t.Cleanup(server.Close)
	status, _ := post(t, server.URL+"/crm", sign(t, "a", `{}`, now), `{}`)
	require.Equal(t, 404, status)
}

func TestTheLastAreKept(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	require.NoError(t, err)
	for i := range maxKept + 100 {
		s.keep(Webhook{ID: strconv.Itoa(i), Name: "crm"})
	}
	got := s.Webhooks(-1)
	require.Len(t, got, maxKept)
	require.Equal(t, "100", got[0].ID)
	require.Equal(t, maxKept+100, s.Count())
	require.Len(t, s.byKey, maxKept, "nothing is kept of those that went")
	s.keep(Webhook{ID: "100", Name: "crm"})
	require.Equal(t, 2, s.Webhooks(-1)[0].Deliveries)
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	require.NoError(t, err)
	server := httptest.NewServer(s.Redirect("/subscriber"))
	t.Cleanup(server.Close)
	for path, want := range map[string]string{
		"/crm": "302 /subscriber/crm", "/crm?status=307": "307 /subscriber/crm", "/a%20b": "302 /subscriber/a%20b",
	} {
		status, location := post(t, server.URL+path, http.Header{}, `{}`)
		require.Equal(t, want, fmt.Sprint(status, " ", location), path)
	}
	for _, bad := range []string{"200", "305", "x"} {
		status, _ := post(t, server.URL+"/crm?status="+bad, http.Header{}, `{}`)
		require.Equal(t, 400, status, bad)
	}
}
