package ingress

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/pages"
)

// reportOfSales is the kind of the tokens of the report on all sales.
const reportOfSales = "sales"

// showReport shows the report on all sales to whoever has a link that has not
// expired. The link is good in real time, whatever the business clock.
func (p *People) showReport(c echo.Context) error {
	const kind = "report_open"
	token := c.Param("token")
	report, ok := p.cfg.Keys.ReportOf(token, time.Now())
	who := "report " + token
	if report == "" {
		who = "client " + visitorOf(c)
	}
	switch {
	case !p.visits.allow(who):
		return p.showStop(c, kind, tooManyVisits())
	case report != reportOfSales:
		return p.showStop(c, kind, unknownLink())
	case !ok:
		return p.showStop(c, kind, &stopPage{http.StatusGone, "expired", pages.View{
			Heading: "This link has expired", Text: "Please open the link of a newer report.", Tone: pages.Plain}})
	}
	page, csp, err := p.reports.page(c.Request().Context())
	switch {
	case errors.Is(err, errReportsBusy):
		return p.showStop(c, kind, &stopPage{http.StatusTooManyRequests, "busy", pages.View{
			Heading: "One moment, please", Text: "Others are reading the report right now. Try again in a few seconds.", Tone: pages.Bad}})
	case err != nil:
		p.cfg.Log.Warn("a report could not be made", zap.Error(err))
		return p.showStop(c, kind, &stopPage{http.StatusServiceUnavailable, "away", pages.View{
			Heading: "No report just now", Text: "The report could not be made. Please try again in a moment.", Tone: pages.Bad}})
	}
	p.count(kind, "shown")
	keepPrivate(c.Response().Header(), csp)
	return c.HTMLBlob(http.StatusOK, page)
}
