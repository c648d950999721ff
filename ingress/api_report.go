package ingress

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities/salesreport"
)

// The bounds of reports, at either door.
const (
	reportsAtOnce = 4
	reportTime    = 10 * time.Second
)

var errReportsBusy = errors.New("too many reports are made at once")

// reporter makes reports, some at once and each within a time.
type reporter struct {
	report func(context.Context) (salesreport.Report, error)
	slots  chan struct{}
	limit  time.Duration
}

func newReporter(report func(context.Context) (salesreport.Report, error), atOnce int, limit time.Duration) *reporter {
	return &reporter{report: report, slots: make(chan struct{}, atOnce), limit: limit}
}

// page makes a report and draws it as a page, with the Content-Security-Policy under
// which that works. The error may be errReportsBusy.
func (r *reporter) page(ctx context.Context) (page []byte, csp string, err error) {
	if csp, err = salesreport.Policy(); err != nil {
		return nil, "", err
	}
	err = r.draw(ctx, func(report salesreport.Report) error {
		var out bytes.Buffer
		err := report.HTML(&out)
		page = out.Bytes()
		return err
	})
	return page, csp, err
}

// json makes a report and draws it as JSON. The error may be errReportsBusy.
func (r *reporter) json(ctx context.Context) (body []byte, err error) {
	err = r.draw(ctx, func(report salesreport.Report) error {
		body, err = json.Marshal(report)
		return err
	})
	return body, err
}

func (r *reporter) draw(ctx context.Context, draw func(salesreport.Report) error) error {
	leave, ok := enter(r.slots)
	if !ok {
		return errReportsBusy
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	report, err := r.report(ctx)
	if err != nil {
		return err
	}
	return draw(report)
}

// showReport answers how all sales stand, as JSON or for a browser as a page.
func (a *API) showReport(c echo.Context) apiReply {
	h := c.Response().Header()
	h.Set("Vary", "Accept")
	var body []byte
	var csp string
	var err error
	asPage := prefersHTML(c.Request().Header)
	if asPage {
		body, csp, err = a.reports.page(c.Request().Context())
	} else {
		body, err = a.reports.json(c.Request().Context())
	}
	switch {
	case errors.Is(err, errReportsBusy):
		return tooMany("too_many_in_flight", "Too many reports at once. Ask for this one again later.")
	case err != nil:
		a.cfg.Log.Warn("a report could not be made", zap.Error(err))
		return away("no_report", "The report could not be made now. Ask for it again later.")
	}
	media := mediaJSON
	if asPage {
		media = echo.MIMETextHTMLCharsetUTF8
		keepPrivate(h, csp)
	}
	r := apiReply{status: http.StatusOK, reason: "shown", written: true}
	if err := c.Blob(http.StatusOK, media, body); err != nil {
		r.reason, r.broken = "broken_off", true
	}
	return r
}

// prefersHTML tells whether a caller would rather have HTML than JSON (RFC 9110
// 12.5.1); who has no preference has none for HTML.
func prefersHTML(h http.Header) bool {
	ranges := strings.Split(strings.Join(h.Values("Accept"), ","), ",")
	return acceptance(ranges, "text", "html") > acceptance(ranges, "application", "json")
}

// acceptance is the weight of the most specific range that a media type is in, 0 for
// none.
func acceptance(ranges []string, kind, subtype string) float64 {
	weight, closest := 0.0, -1
	for _, text := range ranges {
		media, params, err := mime.ParseMediaType(text)
		if err != nil {
			continue
		}
		near := map[string]int{"*/*": 0, kind + "/*": 1, kind + "/" + subtype: 2}
		how, ok := near[media]
		if !ok || how <= closest {
			continue
		}
		q := 1.0
		if given, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(given, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		weight, closest = q, how
	}
	return weight
}
