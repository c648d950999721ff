package ingress

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

func (r *rig) read(method, token string) answer {
	r.t.Helper()
	return r.do(r.request(method, "/r/"+token, ""))
}

func TestReportLink(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	token := r.keys.ReportToken("sales", time.Now().Add(time.Hour))
	got := r.read(http.MethodGet, token)
	require.Equal(t, http.StatusOK, got.status)
	requireReportPage(t, got.header, got.body)
	require.NotContains(t, got.body, token, "the address is the key: the page need not repeat it")
	head := r.read(http.MethodHead, token)
	require.Equal(t, []any{http.StatusOK, "", "no-store"}, []any{head.status, head.body, head.header.Get("Cache-Control")})
	require.Equal(t, 2, r.counted("report_open", "shown"))
	require.Equal(t, http.StatusMethodNotAllowed, r.read(http.MethodPost, token).status)
}

func TestReportLink_thatShowsNothing(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := newRig(t, nil)
	later := time.Now().Add(time.Hour)
	good := r.keys.ReportToken("sales", later)
	for _, c := range []struct {
		name, token, outcome string
		status               int
		says                 string
	}{
		{"expired just now", r.keys.ReportToken("sales", time.Now()), "expired", 410, "This link has expired"},
		{"expired long ago", r.keys.ReportToken("sales", time.Unix(1, 0)), "expired", 410, "This link has expired"},
		{"no token at all", "x", "unknown", 404, "This link does not work"},
		{"a signature of another secret", store.NewKeys("another").ReportToken("sales", later), "unknown", 404, "This link does not work"},
		{"an expired one of another secret", store.NewKeys("another").ReportToken("sales", time.Unix(1, 0)), "unknown", 404, "This link does not work"},
		{"prolonged", strings.Replace(r.keys.ReportToken("sales", time.Unix(1, 0)), "-1-", "-9999999999-", 1), "unknown", 404, "This link does not work"},
		{"one letter less", good[:len(good)-1], "unknown", 404, "This link does not work"},
		{"another kind of report", r.keys.ReportToken("rents", later), "unknown", 404, "This link does not work"},
		{"an action link", r.keys.Token(r.keys.QuestionID("w", "s", "p")), "unknown", 404, "This link does not work"},
		{"hostile", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "unknown", 404, "This link does not work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := r.counted("report_open", c.outcome)
			got := r.read(http.MethodGet, c.token)
			require.Equal(t, c.status, got.status)
			require.Contains(t, got.body, c.says)
			require.NotContains(t, got.body, "High Street")
			require.NotContains(t, got.body, "<script")
			require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"))
			require.Equal(t, "no-store", got.header.Get("Cache-Control"))
			require.Equal(t, before+1, r.counted("report_open", c.outcome))
		})
	}
	require.Equal(t, http.StatusNotFound, r.open(http.MethodGet, good).status, "a link to a report is no action link")
}

func TestReportLink_whenThereIsNoReport(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	token := r.keys.ReportToken("sales", time.Now().Add(time.Hour))
	r.report = func(context.Context) (salesreport.Report, error) {
		return salesreport.Report{}, errors.New("disk full")
	}
	got := r.read(http.MethodGet, token)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "15", got.header.Get("Retry-After"))
	require.Contains(t, got.body, "No report just now")
	require.NotContains(t, got.body, "disk")
	require.Equal(t, 1, r.counted("report_open", "away"))

	for range reportsAtOnce {
		r.people.reports.slots <- struct{}{}
	}
	got = r.read(http.MethodGet, token)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "15", got.header.Get("Retry-After"))
	require.Equal(t, 1, r.counted("report_open", "busy"))
}

func TestReportLink_limits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	limited := func(token string) (at int) {
		for at = range 200 {
			if got := r.read(http.MethodGet, token); got.status == http.StatusTooManyRequests {
				require.Equal(t, "15", got.header.Get("Retry-After"))
				return at
			}
		}
		t.Fatal("never limited")
		return 0
	}
	require.GreaterOrEqual(t, limited("guess"), 40)
	require.Equal(t, http.StatusTooManyRequests, r.read(http.MethodGet, "another-guess").status)
	require.Equal(t, http.StatusTooManyRequests, r.open(http.MethodGet, "guess-at-an-action-link").status)
	require.GreaterOrEqual(t, limited(r.keys.ReportToken("sales", time.Now().Add(time.Hour))), 40, "a guesser behind the same proxy locks nobody out")
}

// The whole door: its log has the route and not the link, which counts in real time
// whatever the business clock says.
func TestReportLink_throughTheDoor(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("a secret of the test")
	ahead := durable.Clock{Epoch: time.Now().AddDate(-1, 0, 0), Scale: 10}
	d := open(t, awayRouter(t), func(c *Config) {
		c.People = NewPeople(PeopleConfig{Keys: keys, Clock: ahead, Log: c.Log, Report: someReport(t)})
	})
	token := keys.ReportToken("sales", time.Now().Add(time.Hour))
	require.Equal(t, http.StatusOK, d.do(http.MethodGet, "/r/"+token, nil, nil).status)
	gone := keys.ReportToken("sales", time.Now().Add(-time.Hour))
	require.Equal(t, http.StatusGone, d.do(http.MethodGet, "/r/"+gone, nil, nil).status)
	require.Equal(t, http.StatusNotFound, d.do(http.MethodGet, "/r/made-up", nil, nil).status)
	require.Contains(t, d.log.String(), `"route":"/r/:token"`)
	for _, secret := range []string{token, gone, "made-up", "High Street"} {
		require.NotContains(t, d.log.String(), secret)
	}
	without := open(t, awayRouter(t), func(c *Config) { c.People = NewPeople(PeopleConfig{Keys: keys, Log: c.Log}) })
	require.Equal(t, http.StatusNotFound, without.do(http.MethodGet, "/r/"+token, nil, nil).status)
}

// The page is styled in a real browser under its own policy. KEYHOLDER_SHOTS names a
// folder for screenshots.
func TestReportLink_inABrowser(t *testing.T) {
	t.Parallel()
	if !hasBrowser() {
		t.Skip("needs Chromium or Chrome on PATH")
	}
	r := newRig(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx,
		chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile),
		chromedp.Navigate(r.url+"/r/"+r.keys.ReportToken("sales", time.Now().Add(time.Hour))),
		chromedp.WaitVisible(chromedp.CSS("h1")), shot("report")))
	sheets, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.styleSheets.length`))
	require.NoError(t, err)
	width, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.documentElement.scrollWidth`))
	require.NoError(t, err)
	require.InDelta(t, 1, sheets, 0.1, "the policy lets the page's own style sheet through")
	require.LessOrEqual(t, width, 390.0, "nothing to scroll sideways")
}
