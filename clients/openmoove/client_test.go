package openmoove_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
)

// answering is a client of a server that answers every request alike.
func answering(t *testing.T, status int, body string) *openmoove.Client {
	t.Helper()
	return handled(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func handled(t *testing.T, h http.HandlerFunc) *openmoove.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := openmoove.New(openmoove.Config{BaseURL: s.URL, APIKey: apiKey})
	t.Cleanup(c.Close)
	return c
}

func failure(t *testing.T, err error) *partner.Error {
	t.Helper()
	var e *partner.Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestRequestsAreTheContracts(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `null`)
	}))
	t.Cleanup(s.Close)
	ctx := t.Context()
	for path, do := range map[string]func(*openmoove.Client){
		"POST /clients/":   func(c *openmoove.Client) { _, _ = c.CreateClient(ctx, jane()) },
		"GET /products/":   func(c *openmoove.Client) { _, _ = c.Products(ctx) },
		"GET /properties/": func(c *openmoove.Client) { _, _ = c.Properties(ctx, openmoove.Page{Number: 1}) },
		"GET /properties/?page=2&page_size=50": func(c *openmoove.Client) {
			_, _ = c.Properties(ctx, openmoove.Page{Number: 2, Size: 50})
		},
		"GET /properties/?page_size=100":                      func(c *openmoove.Client) { _, _ = c.Properties(ctx, openmoove.Page{Size: 500}) },
		"GET /properties/" + transactionID + "/":              func(c *openmoove.Client) { _, _ = c.Property(ctx, transactionID) },
		"GET /properties/7/detail/":                           func(c *openmoove.Client) { _, _ = c.PropertyDetail(ctx, "7") },
		"GET /properties/7/milestones/":                       func(c *openmoove.Client) { _, _ = c.Milestones(ctx, "7") },
		"GET /properties/" + transactionID + "/milestones/":   func(c *openmoove.Client) { _, _ = c.Milestones(ctx, transactionID) },
		"GET /properties/7/milestones/current/":               func(c *openmoove.Client) { _, _, _ = c.CurrentMilestone(ctx, "7") },
		"GET /properties/7/chat/?page=3":                      func(c *openmoove.Client) { _, _ = c.Chat(ctx, "7", openmoove.Page{Number: 3}) },
		"GET /properties/" + transactionID + "/chat/summary/": func(c *openmoove.Client) { _, _ = c.ChatSummary(ctx, transactionID) },
	} {
		for _, base := range []string{"/api/v1/partners", "/api/v1/partners/", "/api/partners", "/api/partners/"} {
			c := openmoove.New(openmoove.Config{BaseURL: s.URL + base, APIKey: apiKey})
			t.Cleanup(c.Close)
			got = nil
			do(c)
			require.NotNil(t, got, path)
			method, rest, _ := strings.Cut(path, " ")
			require.Equal(t, method+" "+strings.TrimRight(base, "/")+rest, got.Method+" "+got.URL.RequestURI())
			require.Equal(t, apiKey, got.Header.Get("X-API-KEY"))
			if method == http.MethodPost {
				require.Equal(t, "application/json", got.Header.Get("Content-Type"))
				require.JSONEq(t, `{"first_name":"Jane","last_name":"Roe","email":"jane.roe@example.com","phone_number":"+44 7700 900123",
					"property_address":"456 Auction Avenue, Manchester","property_postcode":"M1 2AB","sale_method":"modern_auction",
					"estate_agent_email":"agent@example.com","auctioneer_email":"bids@example.com","products":["moove-ready-pack"]}`, string(body))
			}
		}
	}
}

func TestReferencesThatAreNeitherAreNeverSent(t *testing.T) {
	t.Parallel()
	c, ctx := handled(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }), t.Context()
	for _, ref := range []string{
		"", "0", "-1", "1/../2", "../clients", "1?x=1", "1 ", "abc", strings.Repeat("9", 20), "4fa18bac3c624d92a2717364b0f0e479",
		transactionID + "/", "{" + transactionID + "}", transactionID[1:], "４",
	} {
		_, err := c.Property(ctx, ref)
		require.Equal(t, partner.Invalid, partner.KindOf(err), ref)
		_, err = c.PropertyDetail(ctx, ref)
		require.Equal(t, partner.Invalid, partner.KindOf(err), ref)
		_, err = c.Milestones(ctx, ref)
		require.Equal(t, partner.Invalid, partner.KindOf(err), ref)
		_, _, err = c.CurrentMilestone(ctx, ref)
		require.Equal(t, partner.Invalid, partner.KindOf(err), ref)
		_, err = c.Chat(ctx, ref, openmoove.Page{})
		require.Equal(t, partner.Invalid, partner.KindOf(err), ref)
		_, err = c.ChatSummary(ctx, ref)
		require.Equal(t, partner.Invalid, partner.KindOf(err), ref)
	}
	_, err := c.Property(ctx, "7")
	require.Equal(t, partner.Invalid, partner.KindOf(err), "this form takes the UUID alone")
	_, err = c.PropertyDetail(ctx, transactionID)
	require.Equal(t, partner.Invalid, partner.KindOf(err), "this form takes the integer id alone")
}

func TestRefusalsOfAllShapes(t *testing.T) {
	t.Parallel()
	type fields = []partner.FieldProblem
	on := func(field string, m ...string) partner.FieldProblem {
		return partner.FieldProblem{Field: field, Messages: m}
	}
	whole := func(m ...string) fields { return fields{on("", m...)} }
	for name, c := range map[string]struct {
		status  int
		body    string
		message string
		fields  fields
	}{
		"fields": {
			400, `{"property_address":["This field is required."],"first_name":["This field is required.","Too short."]}`,
			"first_name: This field is required.; Too short.; property_address: This field is required.",
			fields{on("first_name", "This field is required.", "Too short."), on("property_address", "This field is required.")},
		},
		"the request as a whole": {
			400, `{"non_field_errors":["At least one professional email must be provided"]}`,
			"At least one professional email must be provided", whole("At least one professional email must be provided"),
		},
		"detail and fields": {
			400, `{"detail":"Error message","field_errors":{"phone_number":["Invalid phone number format"],"email":["Enter a valid email address"]}}`,
			"email: Enter a valid email address; phone_number: Invalid phone number format",
			fields{on("email", "Enter a valid email address"), on("phone_number", "Invalid phone number format")},
		},
		"all at once": {
			400, `{"detail":"no","code":"invalid","field_errors":{"email":["bad"]},"non_field_errors":["late"],"phone_number":["odd"]}`,
			"email: bad; phone_number: odd; late",
			fields{on("email", "bad"), on("phone_number", "odd"), on("", "late")},
		},
		"a field in plain words":    {400, `{"email":"bad"}`, "email: bad", fields{on("email", "bad")}},
		"detail alone":              {400, `{"detail":"JSON parse error"}`, "JSON parse error", nil},
		"empty fields":              {400, `{"detail":"no","field_errors":{}}`, "no", nil},
		"fields of the wrong shape": {400, `{"detail":"no","field_errors":["x"]}`, "no", nil},
		"detail is a list":          {400, `{"detail":["one","two"]}`, "one; two", whole("one", "two")},
		"a bare list":               {400, `["one","two"]`, "one; two", whole("one", "two")},
		"nested":                    {400, `{"products":{"0":["unknown"]}}`, "products.0: unknown", fields{on("products.0", "unknown")}},
		"nothing":                   {400, `{}`, "", nil},
		"null":                      {400, `null`, "", nil},
		"no JSON":                   {400, `Bad Request`, "", nil},
		"wrong key":                 {401, `{"detail":"Invalid API key provided"}`, "Invalid API key provided", nil},
		"no permission":             {403, `{"detail":"You do not have permission to perform this action"}`, "You do not have permission to perform this action", nil},
		"not found":                 {404, `{"detail":"Not found."}`, "Not found.", nil},
		"failed":                    {500, `{"detail":"Server error"}`, "Server error", nil},
		"throttled":                 {429, `{"detail":"Request was throttled. Expected available in 3600 seconds."}`, "Request was throttled. Expected available in 3600 seconds.", nil},
		"the seller's data is hidden": {
			400, `{"email":["Jane Roe of 456 auction avenue, Manchester has jane.roe@example.com, not j@example.com"],"detail":"x"}`,
			"email: [hidden] [hidden] of [hidden] has [hidden], not [e-mail]", fields{on("email", "[hidden] [hidden] of [hidden] has [hidden], not [e-mail]")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := answering(t, c.status, c.body)
			_, err := client.CreateClient(t.Context(), jane())
			e := failure(t, err)
			require.Equal(t, c.message, e.Message)
			require.Equal(t, c.fields, e.Fields)
			_, err = client.Products(t.Context())
			require.Equal(t, c.status, failure(t, err).Status)
		})
	}
}

func TestARefusedAuctioneerIsSeen(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"auctioneer_email":["Enter a valid email address"]}`:                           true,
		`{"detail":"no","field_errors":{"auctioneer_email":["unknown"]}}`:                true,
		`{"non_field_errors":["auctioneer_email is required for auction sale methods"]}`: true,
		`{"estate_agent_email":["unknown"]}`:                                             false,
		`{"non_field_errors":["At least one professional email must be provided"]}`:      false,
	} {
		_, err := answering(t, 400, body).CreateClient(t.Context(), jane())
		require.Equal(t, want, failure(t, err).Refuses("auctioneer_email"), body)
	}
}

func TestThrottledSaysWhen(t *testing.T) {
	t.Parallel()
	const throttled = `{"detail":"Request was throttled. Expected available in 42 seconds."}`
	now := time.Now()
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for name, c := range map[string]struct {
		header map[string]string
		body   string
		want   time.Duration
	}{
		"in words":               {nil, throttled, 42 * time.Second},
		"by header":              {map[string]string{"Retry-After": "5"}, throttled, 5 * time.Second},
		"by the reset":           {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": at(10 * time.Minute)}, throttled, 10 * time.Minute},
		"the reset is past":      {map[string]string{"X-RateLimit-Reset": at(-time.Minute)}, throttled, 42 * time.Second},
		"one second":             {nil, `{"detail":"Expected available in 1 second."}`, time.Second},
		"more than can be":       {nil, `{"detail":"Expected available in 99999999999999999999 seconds."}`, 0},
		"more than is believed":  {nil, `{"detail":"Expected available in 999999999 seconds."}`, 24 * time.Hour},
		"no words, nor a header": {nil, `{}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := handled(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := client.CreateClient(t.Context(), jane())
			e := failure(t, err)
			require.Equal(t, partner.RateLimited, e.Kind)
			require.Equal(t, c.want, e.RetryAfter)
		})
	}
}

func TestLimitsAreSeenInEveryReply(t *testing.T) {
	t.Parallel()
	left, status := 1000, 200
	reset := time.Now().Add(time.Hour).Truncate(time.Second)
	own := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		left--
		w.Header().Set("X-RateLimit-Limit", "1000")
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(left))
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"count":0,"results":[]}`)
	}))
	t.Cleanup(s.Close)
	c := openmoove.New(openmoove.Config{BaseURL: s.URL, APIKey: apiKey, HTTP: partner.HTTPConfig{OnHeader: func(http.Header) { own++ }}})
	t.Cleanup(c.Close)
	require.Equal(t, partner.Limits{}, c.Limits(), "nothing is known yet")
	for i, answer := range []int{200, 400, 404, 429, 500} {
		status = answer
		begun := time.Now()
		_, _ = c.Products(t.Context())
		got := c.Limits()
		require.True(t, got.Known)
		require.Equal(t, 1000, got.Limit)
		require.Equal(t, 999-i, got.Remaining)
		require.WithinDuration(t, reset, got.Reset, time.Minute)
		require.WithinRange(t, got.SeenAt, begun, time.Now())
	}
	require.Equal(t, 5, own, "a hook of the caller's own is called too")
}

func TestAnUnreadableCreateMayHaveHappened(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `[]`, `null`, `{"property_id":null}`, `{"property_id":"soon"}`, `{"property_id":{"id":1}}`, `{"mover_id":1}`} {
		_, err := answering(t, 201, body).CreateClient(t.Context(), jane())
		require.Equal(t, partner.UnknownOutcome, partner.KindOf(err), body)
	}
}

func TestTheTimeLimitIsLongUnlessSaid(t *testing.T) {
	t.Parallel()
	require.Equal(t, 15*time.Second, openmoove.DefaultTimeout)
	for name, cfg := range map[string]openmoove.Config{
		"its own":    {Timeout: 50 * time.Millisecond, HTTP: partner.HTTPConfig{Timeout: time.Hour}},
		"of HTTP":    {HTTP: partner.HTTPConfig{Timeout: 50 * time.Millisecond}},
		"below zero": {Timeout: -1, HTTP: partner.HTTPConfig{Timeout: 50 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			t.Cleanup(s.Close)
			cfg.BaseURL = s.URL
			c := openmoove.New(cfg)
			t.Cleanup(c.Close)
			_, err := c.Products(t.Context())
			require.Equal(t, partner.Unavailable, partner.KindOf(err))
		})
	}
}
