package twilio

import (
	"context"
	"net/mail"
	"net/url"
	"strings"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/aictive/keyholder/clients/partner"
)

const (
	pageSize = 100
	maxPages = 10
	// clockSkew is how far Twilio's clock may be behind ours.
	clockSkew = time.Minute
	// trialPrefix is what Twilio puts before the texts of a trial account.
	trialPrefix = "Sent from your Twilio trial account - "
)

// Find looks for a text with exactly this recipient and body, created since the
// given time (real time, UTC; one minute of clock difference is forgiven), and
// tells whether there is one. The newest wins. A text that failed counts as
// found: its Status says so.
//
// Twilio's date filter is on the time of sending, which a queued text does not
// have yet, so the filter is the recipient alone and the newest pages are read
// until one is wholly older than since, at most ten of 100. Errors are
// *partner.Error; UnknownOutcome says that there was more to read than that.
func (c *Client) Find(ctx context.Context, to, body string, since time.Time) (Message, bool, error) {
	const op = "twilio.find"
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	params := &openapi.ListMessageParams{}
	params.SetTo(to)
	params.SetPageSize(pageSize)
	since = since.Add(-clockSkew).Truncate(time.Second)
	api := c.api(ctx, op)
	token, number := "", ""
	for range maxPages {
		page, err := api.PageMessage(params, token, number)
		if err != nil {
			return Message{}, false, classify(op, err, partner.Malformed)
		}
		found, older, err := search(op, page.Messages, to, body, since)
		if err != nil || found.SID != "" {
			return found, found.SID != "", err
		}
		if older || page.NextPageUri == nil || *page.NextPageUri == "" {
			return Message{}, false, nil
		}
		next, err := url.Parse(*page.NextPageUri)
		if err != nil {
			return Message{}, false, &partner.Error{Op: op, Kind: partner.Malformed, Message: "the next page's address cannot be read"}
		}
		token, number = next.Query().Get("PageToken"), next.Query().Get("Page")
	}
	return Message{}, false, &partner.Error{Op: op, Kind: partner.UnknownOutcome, Message: "too many messages to look through"}
}

// search looks through one page. older tells that all of it is before since:
// the order within a page is not promised, so one old message proves nothing.
func search(op string, page []openapi.ApiV2010Message, to, body string, since time.Time) (found Message, older bool, err error) {
	older = true
	for _, m := range page {
		created, err := mail.ParseDate(value(m.DateCreated))
		if err != nil {
			return Message{}, false, &partner.Error{Op: op, Kind: partner.Malformed, Message: "a message has no readable date"}
		}
		if created.Before(since) {
			continue
		}
		older = false
		outbound := strings.HasPrefix(value(m.Direction), "outbound")
		if outbound && value(m.To) == to && sameBody(value(m.Body), body) {
			return message(m), false, nil
		}
	}
	return Message{}, older, nil
}

func sameBody(kept, sent string) bool {
	kept, sent = strings.TrimSpace(kept), strings.TrimSpace(sent)
	return kept == sent || strings.TrimPrefix(kept, trialPrefix) == sent
}
