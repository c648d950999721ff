package ingress

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func (r *rig) subscribe(method, token string) answer {
	r.t.Helper()
	return r.do(r.request(method, "/calendar/"+token, ""))
}

// someDueDates are in the rig's store.
func (r *rig) someDueDates() {
	r.t.Helper()
	seen := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	require.NoError(r.t, r.store.SeePlace(r.t.Context(), store.Place{
		PropertyID: "1", PortfolioID: "1", Name: "Elm", Address: "12 Elm St", City: "Portland", State: "OR", Active: true, SeenAt: seen,
		Units: []store.PlaceUnit{{UnitID: "3", Label: "Apt 3", Active: true, Beds: 2}},
	}))
	for _, c := range []store.ComplianceItem{
		{Key: "compliance/1/3/alarms", PropertyID: "1", UnitID: "3", RequirementID: "alarms", Name: "Smoke alarm test", Kind: "inspection", State: "due", Due: "2026-12-01", Renewed: "2025-12-01"},
		{Key: "compliance/1/insurance", PropertyID: "1", RequirementID: "insurance", Name: "Insurance; \"all risks\",\r\nBEGIN:VEVENT " + strings.Repeat("ü", 300), Kind: "insurance", State: "valid", Due: "2027-02-28"},
		{Key: "compliance/2/licence", PropertyID: "2", RequirementID: "licence", Name: "Licence", Kind: "licence", State: "overdue", Due: "2026-11-01"},
		{Key: "compliance/2/gas", PropertyID: "2", RequirementID: "gas", Name: "Gas", Kind: "certificate", State: "unknown"},
	} {
		c.PortfolioID, c.ChangedAt = "1", seen
		require.NoError(r.t, r.store.KeepCompliance(r.t.Context(), c))
	}
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.someDueDates()
	token := r.keys.CalendarToken("compliance", time.Now().Add(time.Hour))
	got := r.subscribe(http.MethodGet, token+".ics")
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "text/calendar; charset=utf-8", got.header.Get("Content-Type"))
	require.Equal(t, got.body, r.subscribe(http.MethodGet, token).body)
	require.True(t, strings.HasSuffix(got.body, "END:VCALENDAR\r\n"))
	for line := range strings.SplitSeq(strings.TrimSuffix(got.body, "\r\n"), "\r\n") {
		require.LessOrEqual(t, len(line), 75, line)
		require.NotContains(t, line, "\n", line)
		require.NotContains(t, line, "\r", line)
	}
	cal, err := ics.ParseCalendar(strings.NewReader(got.body))
	require.NoError(t, err)
	require.Len(t, cal.Events(), 3, "what nobody knows has no day")
	e := cal.Events()[0]
	value := func(p ics.ComponentProperty) string { return e.GetProperty(p).Value }
	require.Equal(t, "compliance-1-3-alarms@keyholder", e.Id())
	require.Equal(t, "Smoke alarm test due: 12 Elm St, Apt 3", value(ics.ComponentPropertySummary))
	require.Equal(t, "State: due\nRenewed on 2025-12-01", value(ics.ComponentPropertyDescription))
	require.Contains(t, got.body, "DTSTART;VALUE=DATE:20261201\r\nDTEND;VALUE=DATE:20261202\r\n")
	require.Equal(t, fmt.Sprint(time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC).Unix()/60), value(ics.ComponentPropertySequence))
	require.Equal(t, "20261121T180000Z", value(ics.ComponentPropertyLastModified))
	require.Equal(t, "20261121T180000Z", value(ics.ComponentPropertyDtstamp))
	require.Len(t, e.Alarms(), 2)
	require.Contains(t, got.body, "TRIGGER:-P14D\r\n")
	require.Contains(t, got.body, "TRIGGER:-P1D\r\n")
	require.Contains(t, got.body, "REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n")
	require.Equal(t, 3, strings.Count(got.body, "\r\nBEGIN:VEVENT\r\n"))
	require.Contains(t, cal.Events()[1].GetProperty(ics.ComponentPropertySummary).Value, `Insurance; "all risks", BEGIN:VEVENT üüü`)
	require.Equal(t, "Licence due: property 2", cal.Events()[2].GetProperty(ics.ComponentPropertySummary).Value)

	req := r.request(http.MethodGet, "/calendar/"+token+".ics", "")
	req.Header.Set("If-None-Match", got.header.Get("ETag"))
	again := r.do(req)
	require.Equal(t, [2]any{http.StatusNotModified, ""}, [2]any{again.status, again.body})
	require.Equal(t, http.StatusOK, r.subscribe(http.MethodHead, token).status)
	require.Equal(t, 1, r.counted("calendar", "unchanged"))
}

func TestCalendar_thatShowsNothing(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := newRig(t, nil)
	r.someDueDates()
	later := time.Now().Add(time.Hour)
	good := r.keys.CalendarToken("compliance", later)
	for _, c := range []struct {
		name, token string
		status      int
	}{
		{"expired", r.keys.CalendarToken("compliance", time.Now()), 410},
		{"of another secret", store.NewKeys("another").CalendarToken("compliance", later), 404},
		{"one letter less", good[:len(good)-1], 404},
		{"another calendar", r.keys.CalendarToken("birthdays", later), 404},
		{"a link to a report", r.keys.ReportToken("compliance", later), 404},
		{"none", "x.ics", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.subscribe(http.MethodGet, c.token)
			require.Equal(t, c.status, got.status)
			require.NotContains(t, got.body, "Elm")
		})
	}
	limited := 0
	for range 100 {
		if r.subscribe(http.MethodGet, good).status == http.StatusTooManyRequests {
			limited++
		}
	}
	require.Positive(t, limited)
}

// pagedItems are due dates that are read in pages.
type pagedItems struct {
	store.Portfolio
	items []store.ComplianceItem
}

func (p pagedItems) ComplianceItems(_ context.Context, f store.PortfolioFilter) (page []store.ComplianceItem, err error) {
	for _, c := range p.items {
		if c.Key > f.After && len(page) < f.Most {
			page = append(page, c)
		}
	}
	return page, nil
}

func (p pagedItems) Places(context.Context, store.PortfolioFilter) ([]store.Place, error) {
	return nil, nil
}

func TestCalendar_readsAllPages(t *testing.T) {
	t.Parallel()
	from := pagedItems{items: make([]store.ComplianceItem, calendarPage+1)}
	for i := range from.items {
		from.items[i] = store.ComplianceItem{Key: fmt.Sprintf("compliance/%06d/insurance", i), PropertyID: fmt.Sprint(i), Name: "Insurance", State: "valid", Due: "2027-01-01"}
	}
	body, _, err := newCalendarCache().get(t.Context(), from)
	require.NoError(t, err)
	require.Equal(t, calendarPage+1, strings.Count(string(body), "BEGIN:VEVENT"))
}

func TestCalendar_isBounded(t *testing.T) {
	t.Parallel()
	items := make([]store.ComplianceItem, calendarMost)
	for i := range items {
		items[i] = store.ComplianceItem{Key: fmt.Sprintf("compliance/%d/insurance", i), PropertyID: fmt.Sprint(i), Name: "Insurance", Kind: "insurance", State: "valid", Due: "2027-01-01"}
	}
	body := complianceCalendar(items, nil)
	require.Less(t, len(body), 64<<20)
	require.Equal(t, calendarMost, strings.Count(string(body), "BEGIN:VEVENT"))
	require.Equal(t, body, complianceCalendar(items, nil), "the same items give the same bytes")
}
