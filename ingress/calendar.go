package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/store"
)

const (
	// calendarOfCompliance is what tokens call the calendar of due dates.
	calendarOfCompliance = "compliance"
	// calendarMost is how many due dates a calendar has at most, calendarPage how many are
	// read at once.
	calendarMost = 50_000
	calendarPage = 10_000
	// calendarFresh is for how long a calendar is shown again, calendarTime how long making
	// one may take (real time).
	calendarFresh = time.Minute
	calendarTime  = 10 * time.Second
	// calendarLine is how many octets a line has (RFC 5545 3.1), calendarText how many
	// characters a text.
	calendarLine = 75
	calendarText = 200
	calendarName = 100 // of a requirement
)

// calendarCache keeps the calendar that was made last: programs ask for it again and again,
// many at the full hour.
type calendarCache struct {
	mu     sync.Mutex
	body   []byte
	etag   string
	madeAt time.Time
}

func newCalendarCache() *calendarCache { return &calendarCache{} }

// get is the calendar as it was within calendarFresh; one request makes it for all that
// wait.
func (c *calendarCache) get(ctx context.Context, from store.Portfolio) (body []byte, etag string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.body != nil && time.Since(c.madeAt) < calendarFresh {
		return c.body, c.etag, nil
	}
	// Who hangs up does not take it from the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), calendarTime)
	defer cancel()
	items, err := allOf(ctx, from.ComplianceItems, func(c store.ComplianceItem) string { return c.Key })
	if err != nil {
		return nil, "", err
	}
	places, err := allOf(ctx, from.Places, func(p store.Place) string { return p.PropertyID })
	if err != nil {
		return nil, "", err
	}
	body = complianceCalendar(items, places)
	sum := sha256.Sum256(body)
	c.body, c.etag, c.madeAt = body, `"`+hex.EncodeToString(sum[:16])+`"`, time.Now()
	return c.body, c.etag, nil
}

// allOf reads a list to its end, calendarMost rows at most.
func allOf[T any](ctx context.Context, read func(context.Context, store.PortfolioFilter) ([]T, error), id func(T) string) (all []T, err error) {
	for f := (store.PortfolioFilter{Most: calendarPage}); len(all) < calendarMost; {
		page, err := read(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < calendarPage {
			break
		}
		f.After = id(page[len(page)-1])
	}
	return all, nil
}

// showCalendar shows the due dates to calendars that subscribe to them (RFC 5545). The
// address is the key; ".ics" may follow it. It is good in real time.
func (p *People) showCalendar(c echo.Context) error {
	const kind = "calendar"
	token := strings.TrimSuffix(c.Param("token"), ".ics")
	what, ok := p.cfg.Keys.CalendarOf(token, time.Now())
	who := "calendar " + token
	if what == "" {
		who = "client " + visitorOf(c)
	}
	switch {
	case !p.visits.allow(who):
		return p.showStop(c, kind, tooManyVisits())
	case what != calendarOfCompliance:
		return p.showStop(c, kind, unknownLink())
	case !ok:
		return p.showStop(c, kind, &stopPage{http.StatusGone, "expired", pages.View{
			Heading: "This link has expired", Text: "Please subscribe to the calendar again, with a new link.", Tone: pages.Plain}})
	}
	body, etag, err := p.calendars.get(c.Request().Context(), p.cfg.Store)
	if err != nil {
		p.cfg.Log.Warn("a calendar could not be made", zap.Error(err))
		return p.showStop(c, kind, &stopPage{http.StatusServiceUnavailable, "away", pages.View{
			Heading: "No calendar just now", Text: "The calendar could not be made. Please try again in a moment.", Tone: pages.Bad}})
	}
	h := c.Response().Header()
	keepPrivate(h, "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "private, no-cache") // kept, but asked for again
	h.Set("ETag", etag)
	if strings.Contains(c.Request().Header.Get("If-None-Match"), etag) {
		p.count(kind, "unchanged")
		return c.NoContent(http.StatusNotModified)
	}
	p.count(kind, "shown")
	h.Set("Content-Disposition", `inline; filename="compliance.ics"`)
	return c.Blob(http.StatusOK, "text/calendar; charset=utf-8", body)
}

// complianceCalendar has an event of a whole day for each due date, with alarms two weeks
// and a day before. The same items give the same bytes.
func complianceCalendar(items []store.ComplianceItem, places []store.Place) []byte {
	known := map[string]store.Place{}
	for _, place := range places {
		known[place.PropertyID] = place
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//Keyholder//Compliance//EN")
	cal.SetCalscale("GREGORIAN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetName("Compliance")
	cal.SetXWRCalName("Compliance")
	cal.SetRefreshInterval("PT6H")
	cal.SetXPublishedTTL("PT6H")
	for _, item := range items {
		due, err := time.Parse(time.DateOnly, item.Due)
		if err != nil {
			continue // nobody knows when
		}
		addDueDate(cal, item, due, calendarPlace(item, known))
	}
	return []byte(cal.Serialize(ics.WithLineLength(calendarLine), ics.WithNewLineWindows))
}

func addDueDate(cal *ics.Calendar, item store.ComplianceItem, due time.Time, place string) {
	changed := item.ChangedAt
	if changed.IsZero() {
		changed = time.Unix(0, 0)
	}
	event := cal.AddEvent(strings.ReplaceAll(item.Key, "/", "-") + "@keyholder")
	summary := calendarWords(clip(item.Name, calendarName) + " due: " + place)
	event.SetDtStampTime(changed)
	event.SetLastModifiedAt(changed)
	// It grows with every change, and fits into an INTEGER for thousands of years.
	event.SetSequence(int(max(changed.Unix(), 0) / 60))
	event.SetAllDayStartAt(due)
	event.SetAllDayEndAt(due.AddDate(0, 0, 1))
	event.SetTimeTransparency(ics.TransparencyTransparent)
	event.SetStatus(ics.ObjectStatusConfirmed)
	event.SetSummary(summary)
	event.SetLocation(calendarWords(place))
	event.AddCategory(calendarWords(item.Kind))
	text := "State: " + item.State
	if item.Renewed != "" {
		text += "\nRenewed on " + item.Renewed
	}
	event.SetDescription(text)
	for _, before := range []string{"-P14D", "-P1D"} {
		alarm := event.AddAlarm()
		alarm.SetAction(ics.ActionDisplay)
		alarm.SetTrigger(before)
		alarm.SetProperty(ics.ComponentPropertyDescription, summary)
	}
}

// calendarPlace is where an item is, as people call it: "12 Elm St, Apt 3".
func calendarPlace(item store.ComplianceItem, known map[string]store.Place) string {
	place := known[item.PropertyID]
	name := place.Address
	if name == "" {
		name = place.Name
	}
	if name == "" {
		name = "property " + item.PropertyID
	}
	if item.UnitID == "" {
		return name
	}
	for _, u := range place.Units {
		if u.UnitID == item.UnitID && u.Label != "" {
			return name + ", " + u.Label
		}
	}
	return fmt.Sprintf("%s, unit %s", name, item.UnitID)
}

// calendarWords is a text on one line without what cannot be seen.
func calendarWords(text string) string {
	return clip(strings.Join(strings.Fields(cleanText(cleanNote(text))), " "), calendarText)
}
