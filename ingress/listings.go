package ingress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// listingsShown is how many homes one page lists.
const listingsShown = 50

// registerListings adds the routes for prospects.
func (p *People) registerListings(e *echo.Echo) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		e.Add(method, "/listings.xml", p.showFeed)
		e.Add(method, "/listings", p.showListings)
		e.Add(method, "/listings/:unit", p.showListing)
	}
	e.POST("/listings/:unit", p.takeLead)
	if p.cfg.Mail != nil {
		e.POST("/webhooks/"+SourceMail, p.takeMail)
	}
}

// showListings lists the homes that are offered.
func (p *People) showListings(c echo.Context) error {
	const kind = "listings_open"
	if !p.visits.allow("client " + visitorOf(c)) {
		return p.showStop(c, kind, tooManyVisits())
	}
	after := c.QueryParam("after")
	if after != "" && !entityIDPattern.MatchString(after) {
		after = ""
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), recordWait)
	defer cancel()
	list, err := p.cfg.Store.Listings(ctx, store.PortfolioFilter{After: after, Most: listingsShown + 1})
	if err != nil {
		p.cfg.Log.Warn("the listings could not be read", zap.Error(err))
		return p.showStop(c, kind, listingsAway())
	}
	v := pages.ListingsView{Company: p.rulesOf(store.Listing{}).Company}
	if len(list) > listingsShown {
		list = list[:listingsShown]
		v.More = withSource("?after="+url.QueryEscape(list[listingsShown-1].UnitID), "&", srcOf(c))
	}
	for _, l := range list {
		v.Homes = append(v.Homes, pages.Home{
			Path: withSource("listings/"+url.PathEscape(l.UnitID), "?", srcOf(c)),
			Name: l.Headline, Place: placeOf(l), Rent: rentOf(l), Facts: strings.Join(sizesOf(l), ", "),
		})
	}
	p.count(kind, "shown")
	return p.showPublic(c, http.StatusOK, func(w *bytes.Buffer) error { return pages.RenderListings(w, v) })
}

// showListing shows one home, with the form for whoever is interested.
func (p *People) showListing(c echo.Context) error {
	const kind = "listing_open"
	l, stopped := p.listing(c)
	if stopped != nil {
		return p.showStop(c, kind, stopped)
	}
	p.count(kind, "shown")
	return p.showHome(c, http.StatusOK, l, pages.LeadForm{Source: srcOf(c)})
}

// showHome answers with a home's page.
func (p *People) showHome(c echo.Context, status int, l store.Listing, form pages.LeadForm) error {
	rules := p.rulesOf(l)
	form.MaxMessage, form.Company = maxLeadMessage, rules.Company
	v := pages.ListingView{Company: rules.Company, Headline: l.Headline, Place: placeOf(l), Rent: rentOf(l), Facts: factsOf(l), Form: form}
	for line := range strings.SplitSeq(l.Text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			v.Text = append(v.Text, line)
		}
	}
	return p.showPublic(c, status, func(w *bytes.Buffer) error { return pages.RenderListing(w, v) })
}

// showPublic answers with a page that may be found and kept for a moment.
func (p *People) showPublic(c echo.Context, status int, render func(w *bytes.Buffer) error) error {
	var body bytes.Buffer
	if err := render(&body); err != nil {
		return err
	}
	h := c.Response().Header()
	keepPrivate(h, p.listingCSP)
	h.Del("X-Robots-Tag")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(int(awayRetry.Seconds())))
	}
	return c.HTMLBlob(status, body.Bytes())
}

// listing finds the home that a page is about, or the page that says that there is none.
func (p *People) listing(c echo.Context) (store.Listing, *stopPage) {
	if !p.visits.allow("client " + visitorOf(c)) {
		return store.Listing{}, tooManyVisits()
	}
	unitID := c.Param("unit")
	if !entityIDPattern.MatchString(unitID) {
		return store.Listing{}, notOffered(http.StatusNotFound)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), recordWait)
	defer cancel()
	l, err := p.cfg.Store.Listing(ctx, unitID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return l, notOffered(http.StatusNotFound)
	case err != nil:
		p.cfg.Log.Warn("a listing could not be read", zap.Error(err))
		return l, listingsAway()
	}
	return l, nil
}

func notOffered(status int) *stopPage {
	return &stopPage{status, "not_offered", pages.View{
		Heading: "This home is not offered", Text: "It is let, or no longer on the market. Thank you for your interest.", Tone: pages.Plain}}
}

func listingsAway() *stopPage {
	return &stopPage{http.StatusServiceUnavailable, "away", pages.View{
		Heading: "Nothing to show just now", Text: "The homes could not be read. Please try again in a moment.", Tone: pages.Bad}}
}

// srcOf is where a visitor says that he comes from, "" where it is no plain word.
func srcOf(c echo.Context) string {
	src := c.QueryParam("src")
	if !sourceWord.MatchString(src) {
		return ""
	}
	return src
}

// withSource adds where a visitor comes from to an address.
func withSource(address, separator, src string) string {
	if src == "" {
		return address
	}
	return address + separator + "src=" + url.QueryEscape(src)
}

func placeOf(l store.Listing) string {
	street := l.Address
	if l.UnitLabel != "" && l.UnitLabel != l.Address {
		street += ", " + l.UnitLabel
	}
	return strings.Trim(street+", "+strings.TrimSpace(l.City+" "+strings.TrimSpace(l.State+" "+l.ZipCode)), ", ")
}

func rentOf(l store.Listing) string {
	if l.Rent <= 0 {
		return ""
	}
	return strings.TrimSuffix(policy.Money{Amount: policy.Cents(l.Rent), Currency: l.Currency}.String(), ".00") + " a month"
}

// sizesOf are such as "2 bedrooms", "1 bathroom" and "850 sq ft", as far as they are known.
func sizesOf(l store.Listing) []string {
	var sizes []string
	switch {
	case l.Beds == 0:
		sizes = append(sizes, "Studio")
	case l.Beds > 0:
		sizes = append(sizes, plural(l.Beds, "bedroom"))
	}
	if l.Baths > 0 {
		sizes = append(sizes, plural(l.Baths, "bathroom"))
	}
	if l.Size > 0 {
		sizes = append(sizes, fmt.Sprintf("%d sq ft", l.Size))
	}
	return sizes
}

func factsOf(l store.Listing) []pages.Detail {
	var facts []pages.Detail
	if rent := rentOf(l); rent != "" {
		facts = append(facts, pages.Detail{Label: "Rent", Text: rent})
	}
	if sizes := sizesOf(l); len(sizes) > 0 {
		facts = append(facts, pages.Detail{Label: "Size", Text: strings.Join(sizes, ", ")})
	}
	if day, err := time.Parse(time.DateOnly, l.Available); err == nil {
		facts = append(facts, pages.Detail{Label: "Available from", Text: day.Format("January 2, 2006")})
	}
	if l.Contact != "" {
		facts = append(facts, pages.Detail{Label: "Contact", Text: l.Contact})
	}
	return facts
}
