package ingress

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// The feed is in the HotPads format, version 2.1, which the Zillow rental network takes
// (Zillow, HotPads, Trulia) and other portals too: "Rental Listings Feed Guide, Technical
// Specification for HotPads Rental Listings Feed Format" of December 3, 2018, single family
// homes and individual apartments. No schema of it is published;
// testdata/hotpads-2.1.xsd says what of it is used here.
const (
	feedVersion = "2.1"
	// feedMost bounds the listings of a feed.
	feedMost = 20_000
	// feedFresh is how long a feed is served before it is made again.
	feedFresh = 10 * time.Second
	// feedText bounds a description, in characters.
	feedText = 4000
)

type (
	feedItems struct {
		XMLName  xml.Name      `xml:"hotPadsItems"`
		Version  string        `xml:"version,attr"`
		Company  feedCompany   `xml:"Company"`
		Listings []feedListing `xml:"Listing"`
	}
	feedCompany struct {
		ID      string `xml:"id,attr"`
		Name    string `xml:"name"`
		Website string `xml:"website,omitempty"`
	}
	// feedListing has its elements in the order of the guide.
	feedListing struct {
		ID           string     `xml:"id,attr"`
		Type         string     `xml:"type,attr"`
		CompanyID    string     `xml:"companyId,attr"`
		PropertyType string     `xml:"propertyType,attr"`
		Unit         string     `xml:"unit,omitempty"`
		Street       feedStreet `xml:"street"`
		City         string     `xml:"city"`
		State        string     `xml:"state"`
		Zip          string     `xml:"zip"`
		Country      string     `xml:"country"`
		Latitude     string     `xml:"latitude,omitempty"`
		Longitude    string     `xml:"longitude,omitempty"`
		LastUpdated  string     `xml:"lastUpdated"`
		ContactName  string     `xml:"contactName,omitempty"`
		ContactEmail string     `xml:"contactEmail,omitempty"`
		ContactPhone string     `xml:"contactPhone,omitempty"`
		Preview      string     `xml:"previewMessage,omitempty"`
		Description  string     `xml:"description"`
		Website      string     `xml:"website"`
		Price        string     `xml:"price"`
		Frequency    string     `xml:"pricingFrequency"`
		Beds         int        `xml:"numBedrooms"`
		FullBaths    int        `xml:"numFullBaths"`
		HalfBaths    int        `xml:"numHalfBaths"`
		SquareFeet   int        `xml:"squareFeet,omitempty"`
		Available    string     `xml:"dateAvailable,omitempty"`
	}
	feedStreet struct {
		Hide bool   `xml:"hide,attr"`
		Text string `xml:",chardata"`
	}
)

// feed is the document as it was last made. Listings that are withdrawn leave no time behind,
// so its own is when this process first saw it so.
type feed struct {
	mu       sync.Mutex
	body     []byte
	etag     string
	modified time.Time
	made     time.Time
}

// showFeed serves all published listings. It needs neither a worker nor Temporal.
func (p *People) showFeed(c echo.Context) error {
	const kind = "listing_feed"
	if !p.visits.allow("client " + visitorOf(c)) {
		p.count(kind, "rate_limited")
		return problem(c, http.StatusTooManyRequests, "Too many requests. Ask again later.", awayRetry)
	}
	body, etag, modified, err := p.currentFeed(c.Request().Context(), time.Now())
	if err != nil {
		p.count(kind, "away")
		p.cfg.Log.Warn("the feed of listings could not be made", zap.Error(err))
		return problem(c, http.StatusServiceUnavailable, "The listings could not be read now. Ask again later.", awayRetry)
	}
	p.count(kind, "served")
	h := c.Response().Header()
	h.Set("Content-Type", "application/xml; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=60")
	h.Set("ETag", etag)
	http.ServeContent(c.Response(), c.Request(), "", modified, bytes.NewReader(body))
	return nil
}

// currentFeed is the feed as of a real time, one made at a time.
func (p *People) currentFeed(ctx context.Context, now time.Time) (body []byte, etag string, modified time.Time, err error) {
	f := &p.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.body != nil && now.Sub(f.made) < feedFresh {
		return f.body, f.etag, f.modified, nil
	}
	list, err := p.published(ctx)
	if err != nil {
		return nil, "", time.Time{}, err
	}
	items, leftOut := p.feedOf(list)
	text, err := xml.MarshalIndent(items, "", " ")
	if err != nil {
		return nil, "", time.Time{}, err
	}
	p.listed.WithLabelValues("in_feed").Set(float64(len(items.Listings)))
	p.listed.WithLabelValues("left_out").Set(float64(len(leftOut)))
	f.body, f.made = append([]byte(xml.Header), text...), now
	sum := sha256.Sum256(f.body)
	if now := `"` + hex.EncodeToString(sum[:16]) + `"`; now != f.etag {
		f.etag, f.modified = now, f.made
		if len(leftOut) > 0 {
			p.cfg.Log.Warn("listings are left out of the feed: the format needs more than is known of them",
				zap.Int("listings", len(leftOut)), zap.Strings("units", leftOut[:min(20, len(leftOut))]))
		}
	}
	return f.body, f.etag, f.modified, nil
}

// published are all listings, up to the bound.
func (p *People) published(ctx context.Context) ([]store.Listing, error) {
	ctx, cancel := context.WithTimeout(ctx, feedFresh)
	defer cancel()
	var list []store.Listing
	for len(list) < feedMost {
		after := ""
		if len(list) > 0 {
			after = list[len(list)-1].UnitID
		}
		some, err := p.cfg.Store.Listings(ctx, store.PortfolioFilter{After: after, Most: 5000})
		if err != nil {
			return nil, err
		}
		if list = append(list, some...); len(some) < 5000 {
			break
		}
	}
	return list, nil
}

// feedOf is the document, and the units that it leaves out, each with what is missing.
func (p *People) feedOf(list []store.Listing) (items feedItems, leftOut []string) {
	items = feedItems{Version: feedVersion, Company: feedCompany{ID: "1", Name: "Keyholder", Website: p.cfg.PublicURL + "/listings"}}
	if company := p.rulesOf(store.Listing{}).Company; company != "" {
		items.Company.Name = company
	}
	agents := map[[2]string]policy.Person{}
	for _, l := range list {
		of := [2]string{l.PortfolioID, l.PropertyID}
		agent, ok := agents[of]
		if !ok {
			agent = p.rulesOf(l).Agent
			agents[of] = agent
		}
		item := feedItem(l, agent, p.leadsAddress(l.UnitID), p.cfg.PublicURL)
		if missing := item.missing(l); missing != "" {
			leftOut = append(leftOut, l.UnitID+": "+missing)
			continue
		}
		items.Listings = append(items.Listings, item)
	}
	return items, leftOut
}

// rulesOf are the policy's for a listing, those of the company for none.
func (p *People) rulesOf(l store.Listing) policy.Portfolio {
	if p.cfg.Rules == nil {
		return policy.Portfolio{}
	}
	return p.cfg.Rules.Portfolio(l.PortfolioID, l.PropertyID)
}

// leadsAddress is where mail about a unit reaches us, "" where none does.
func (p *People) leadsAddress(unitID string) string {
	local, domain, ok := strings.Cut(p.cfg.LeadsAddress, "@")
	if !ok {
		return ""
	}
	return local + "+" + unitID + "@" + domain
}

func feedItem(l store.Listing, agent policy.Person, leads, publicURL string) feedListing {
	item := feedListing{
		ID: l.UnitID, Type: "RENTAL", CompanyID: "1", PropertyType: "HOUSE",
		Street: feedStreet{Text: l.Address}, City: l.City, State: strings.ToUpper(l.State), Zip: l.ZipCode, Country: "US",
		LastUpdated: l.ChangedAt.UTC().Format("2006-01-02T15:04:05.000Z"),
		ContactName: clip(agent.Name, 100), ContactEmail: cmp.Or(leads, agent.Email), ContactPhone: agent.Phone,
		Preview: clip(l.Headline, 255), Description: clip(l.Text, feedText),
		Website: publicURL + "/listings/" + l.UnitID + "?src=hotpads",
		Price:   strings.TrimSuffix(policy.Cents(l.Rent).String(), ".00"), Frequency: "MONTH",
		Beds: l.Beds, FullBaths: l.Baths, SquareFeet: l.Size, Available: l.Available,
	}
	if l.UnitLabel != "" && l.UnitLabel != l.Address {
		item.PropertyType, item.Unit = "CONDO", l.UnitLabel
	}
	if l.Located {
		item.Latitude, item.Longitude = degrees(l.Latitude), degrees(l.Longitude)
	}
	return item
}

func degrees(d float64) string { return strconv.FormatFloat(d, 'f', 6, 64) }

var (
	feedState = regexp.MustCompile(`^[A-Z]{2}$`)
	feedZip   = regexp.MustCompile(`^[0-9]{5}(-[0-9]{4})?$`)
)

// missing names what the format needs and the listing does not have, "" for nothing.
func (f feedListing) missing(l store.Listing) string {
	_, dayErr := time.Parse(time.DateOnly, l.Available)
	for _, need := range []struct {
		what string
		has  bool
	}{
		{"an id that fits into an address", entityIDPattern.MatchString(f.ID)},
		{"a street", f.Street.Text != ""},
		{"a city", f.City != ""},
		{"a state of two letters", feedState.MatchString(f.State)},
		{"a zip code", feedZip.MatchString(f.Zip)},
		{"a contact's e-mail or phone", f.ContactEmail != "" || f.ContactPhone != ""},
		{"a text", f.Description != ""},
		{"a rent in US dollars", l.Rent > 0 && l.Currency == "USD"},
		{"the number of bedrooms", l.Beds >= 0},
		{"the number of bathrooms", l.Baths > 0},
		{"a size of 0 or more", l.Size >= 0},
		{"a day from which it is free, or none", l.Available == "" || dayErr == nil},
	} {
		if !need.has {
			return need.what
		}
	}
	return ""
}
