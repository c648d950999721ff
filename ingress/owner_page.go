package ingress

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/ingress/pages"
)

const (
	// ownerPageFor is how long a page is shown as it was made (real time).
	ownerPageFor = time.Minute
	// maxOwnerPages bounds how many are kept for that.
	maxOwnerPages = 200
)

// ownerPages makes the pages of owners, some at once and each within a time, and keeps
// each for a while.
type ownerPages struct {
	report func(ctx context.Context, portfolioID string) (ownerreport.Report, error)
	slots  chan struct{}

	mu   sync.Mutex
	kept *simplelru.LRU[string, keptPage]
}

type keptPage struct {
	page []byte
	at   time.Time
}

func newOwnerPages(report func(context.Context, string) (ownerreport.Report, error)) *ownerPages {
	kept, _ := simplelru.NewLRU[string, keptPage](maxOwnerPages, nil) // fails for a size below 1 only
	return &ownerPages{report: report, slots: make(chan struct{}, reportsAtOnce), kept: kept}
}

// page is that of a portfolio. The error may be errReportsBusy.
func (o *ownerPages) page(ctx context.Context, portfolioID string) ([]byte, error) {
	o.mu.Lock()
	known, ok := o.kept.Get(portfolioID)
	o.mu.Unlock()
	if ok && time.Since(known.at) < ownerPageFor {
		return known.page, nil
	}
	leave, ok := enter(o.slots)
	if !ok {
		return nil, errReportsBusy
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	report, err := o.report(ctx, portfolioID)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := report.HTML(&out); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept.Add(portfolioID, keptPage{out.Bytes(), time.Now()})
	return out.Bytes(), nil
}

// showOwner shows the present figures of a portfolio to whoever has a link that has not
// expired. There is nothing to do on the page. The link is good in real time, whatever
// the business clock.
func (p *People) showOwner(c echo.Context) error {
	const kind = "owner_open"
	token := c.Param("token")
	portfolio, ok := p.cfg.Keys.OwnerOf(token, time.Now())
	who := "owner " + token
	if portfolio == "" {
		who = "client " + visitorOf(c)
	}
	switch {
	case !p.visits.allow(who):
		return p.showStop(c, kind, tooManyVisits())
	case portfolio == "":
		return p.showStop(c, kind, unknownLink())
	case !ok:
		return p.showStop(c, kind, &stopPage{http.StatusGone, "expired", pages.View{
			Heading: "This link has expired", Text: "Please open the link of a newer mail, or ask your property manager for one.", Tone: pages.Plain}})
	}
	csp, err := ownerreport.Policy()
	var page []byte
	if err == nil {
		page, err = p.owners.page(c.Request().Context(), portfolio)
	}
	switch {
	case errors.Is(err, errReportsBusy):
		return p.showStop(c, kind, &stopPage{http.StatusTooManyRequests, "busy", pages.View{
			Heading: "One moment, please", Text: "Others are reading right now. Try again in a few seconds.", Tone: pages.Bad}})
	case err != nil:
		p.cfg.Log.Warn("the page of an owner could not be made", zap.String("portfolio", portfolio), zap.Error(err))
		return p.showStop(c, kind, &stopPage{http.StatusServiceUnavailable, "away", pages.View{
			Heading: "No figures just now", Text: "The page could not be made. Please try again in a moment.", Tone: pages.Bad}})
	}
	p.count(kind, "shown")
	keepPrivate(c.Response().Header(), csp)
	return c.HTMLBlob(http.StatusOK, page)
}
