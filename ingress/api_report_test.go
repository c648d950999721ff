package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/policy"
)

const reportPath = "/v1/reports/sales"

// reportedAt is when the report of the tests is made.
func reportedAt() time.Time { return time.Date(2026, time.November, 20, 9, 0, 0, 0, time.UTC) }

// someReport makes a real report on sales of every standing.
func someReport(t *testing.T) func(context.Context) (salesreport.Report, error) {
	t.Helper()
	p, err := policy.Load(policy.BuiltIn)
	require.NoError(t, err)
	now, day := reportedAt(), 24*time.Hour
	sale := func(id int, due time.Time, completed bool) salesreport.Sale {
		s := salesreport.Sale{
			PropertyID: fmt.Sprint(id), TransactionID: fmt.Sprintf("3fa85f64-5717-4562-b3fc-2c963f66%04d", id),
			Address: fmt.Sprintf("%d High Street <b>", id), Postcode: "SW1A 1AA", Method: policy.MethodStandard, Status: "For sale",
			Known: true, BeganAt: now.Add(-40 * day), ReadAt: now.Add(-time.Duration(id) * time.Minute),
		}
		done := progress.Milestone{ID: "1", Name: "Legal Pack Preparation", Order: 1, Completed: true, CompletedAt: now.Add(-5 * day)}
		s.Milestones = []progress.Milestone{done, {ID: "2", Name: "Offer Acceptance", Order: 2, DueAt: due, Completed: completed, CompletedAt: due}}
		if !completed {
			s.Milestones[1].CompletedAt = time.Time{}
		}
		return s
	}
	unread := sale(5, now, false)
	unread.Known, unread.ReadAt, unread.Method = false, time.Time{}, ""
	report := salesreport.Build([]salesreport.Sale{
		sale(1, now.Add(-3*day), false), sale(2, now.Add(day), false), sale(3, now.Add(20*day), false), sale(4, now.Add(-2*day), true), unread,
	}, p.Sales(), now)
	require.Equal(t, []int{4, 1, 1, 1, 1, 1}, []int{report.Followed, report.Overdue, report.AtRisk, report.OnTrack, report.Unknown, report.Completed})
	return func(context.Context) (salesreport.Report, error) { return report, nil }
}

func TestAPIReportOnSales(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	want, err := someReport(t)(t.Context())
	require.NoError(t, err)
	a := d.get(reportPath)
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "Accept", a.header.Get("Vary"))
	wire, err := json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, string(wire), a.body)
	require.Contains(t, a.body, `"overdue":1`)

	page := d.call(http.MethodGet, reportPath, bearing("Accept", "text/html"), nil)
	require.Equal(t, http.StatusOK, page.status)
	require.Equal(t, "text/html; charset=UTF-8", page.header.Get("Content-Type"))
	require.Equal(t, "Accept", page.header.Get("Vary"))
	requireReportPage(t, page.header, page.body)
	require.Equal(t, "2", d.apiMetric("GET "+reportPath, "shown", 200))
	require.NotContains(t, d.log.String(), "High Street")
}

// requireReportPage holds a page of the report against its headers.
func requireReportPage(t *testing.T, h http.Header, body string) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=UTF-8", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex, nofollow",
	} {
		require.Equal(t, want, h.Get(name), name)
	}
	styles := regexp.MustCompile(`(?s)<style[^>]*>(.*?)</style>`).FindAllStringSubmatch(body, -1)
	require.Len(t, styles, 1, "the policy allows one style sheet")
	sum := sha256.Sum256([]byte(styles[0][1]))
	require.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'", h.Get("Content-Security-Policy"))
	for _, refused := range []string{`\sstyle=`, `<script`, `<link`, `<img`, `<form`, `\son[a-z]+=`, `url\(`} {
		require.NotRegexp(t, refused, body, "the policy would refuse it")
	}
	require.Contains(t, body, "1 High Street &lt;b&gt;")
}

func TestAPIReportPrefersJSON(t *testing.T) {
	t.Parallel()
	for accept, html := range map[string]bool{
		"":                                   false,
		"*/*":                                false,
		"application/json":                   false,
		"text/html":                          true,
		"TEXT/HTML":                          true,
		"text/*":                             true,
		"application/*":                      false,
		"text/html, application/json":        false,
		"application/json, text/html":        false,
		"application/json;q=0.9, text/html":  true,
		"text/html;q=0.4, */*;q=0.5":         false,
		"text/html;q=0.5, */*;q=0.4":         true,
		"text/*;q=0.9, text/html;q=0.1, */*": false,
		"*/*;q=0.1, application/json;q=0":    true,
		"text/html;q=0":                      false,
		"text/html;q=nonsense":               false,
		"text/html;q=2":                      false,
		"text/html;q=NaN":                    false,
		"text/html;q=-1":                     false,
		"image/png":                          false,
		";;;,,,text/html":                    true,
		"text/html; charset=utf-8":           true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": true, // a browser
	} {
		require.Equal(t, html, prefersHTML(headers("Accept", accept)), accept)
	}
	require.False(t, prefersHTML(nil))
	require.True(t, prefersHTML(headers("Accept", "application/json;q=0.5", "Accept", "text/html")), "two headers are one list")
	require.False(t, prefersHTML(headers("Accept", strings.Repeat("text/html;q=0,", 1000))))
}

func TestAPIReportThatCannotBeMade(t *testing.T) {
	t.Parallel()
	failing := func(context.Context) (salesreport.Report, error) {
		return salesreport.Report{}, errors.New("disk full")
	}
	hanging := func(ctx context.Context) (salesreport.Report, error) {
		<-ctx.Done()
		return salesreport.Report{}, ctx.Err()
	}
	for name, report := range map[string]func(context.Context) (salesreport.Report, error){"failing": failing, "hanging": hanging} {
		d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.Report, a.Limits.Report = report, 50*time.Millisecond })
		d.requireProblem(d.get(reportPath), 503)
		page := d.call(http.MethodGet, reportPath, bearing("Accept", "text/html"), nil)
		d.requireProblem(page, 503)
		require.NotContains(t, page.body, "disk", name)
		require.Equal(t, "2", d.apiMetric("GET "+reportPath, "no_report", 503), name)
	}
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.Report = nil })
	d.requireProblem(d.do(http.MethodGet, reportPath, bearing(), nil), 404)
}

func TestAPIMakesFourReportsAtOnce(t *testing.T) {
	t.Parallel()
	make1, release := someReport(t), make(chan struct{})
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) {
		a.Limits.Report = time.Minute
		a.Report = func(ctx context.Context) (salesreport.Report, error) {
			<-release
			return make1(ctx)
		}
	})
	statuses := make(chan int, 4)
	for range 4 {
		go func() {
			a, _ := d.try(http.MethodGet, reportPath, bearing(), nil)
			statuses <- a.status
		}()
	}
	require.Eventually(t, func() bool { return len(d.cfg.API.reports.slots) == 4 }, 10*time.Second, 5*time.Millisecond)
	d.requireProblem(d.get(reportPath), 429)
	close(release)
	for range 4 {
		require.Equal(t, http.StatusOK, <-statuses)
	}
	require.Equal(t, http.StatusOK, d.get(reportPath).status, "the slots are free again")
}
