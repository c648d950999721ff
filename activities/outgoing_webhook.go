package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/webhook"
	"github.com/aictive/keyholder/workflows/durable"
)

// QueueWebhooks is the task queue of outgoing webhooks: a slow subscriber holds up
// nobody else.
const QueueWebhooks = "keyholder-webhooks"

// PostWebhook tells one subscriber of one event. Repeating it is safe: the id and
// the bytes of the body stay the same, and by the id subscribers know repeats. It
// fails for good where webhook.Final says so, and where the subscriber is
// configured no more.
var PostWebhook = durable.Activity[PostWebhookInput, None]{
	Name: "webhooks.post", Queue: QueueWebhooks, Attempt: 20 * time.Second, Within: 72 * time.Hour, MaxInterval: longestWebhookPause, Priority: 5,
}

// longestWebhookPause is between two attempts (real time), where the subscriber
// does not ask for more.
const longestWebhookPause = time.Hour

type (
	// OutgoingEvent is something that happened and that other systems may be told.
	OutgoingEvent struct {
		// ID is the same for all subscribers and attempts: letters, digits and
		// _ : / @ -, at most 256, no personal data.
		ID string `json:"id"`
		// Type is a dotted name, such as "sale.completed".
		Type string `json:"type"`
		// Timestamp is when it happened (business time).
		Timestamp time.Time `json:"timestamp"`
		// Data is a JSON object; empty is none.
		Data json.RawMessage `json:"data,omitempty"`
	}
	// PostWebhookInput names the subscriber and carries the event.
	PostWebhookInput struct {
		Subscriber string        `json:"subscriber"`
		Event      OutgoingEvent `json:"event"`
	}
)

// OutgoingWebhooks is what outgoing webhooks work with.
type OutgoingWebhooks struct {
	Client      *webhook.Client
	Subscribers []Subscriber
}

// Subscriber is a system that is told what happens to sales.
type Subscriber struct {
	Interest
	// URL is where its webhooks go; it may hold a token and is not for logs.
	URL string
	// Secrets sign them, the newest first.
	Secrets []string
}

// Interest is who wants to be told of what.
type Interest struct {
	// Name is part of workflow ids: a-z, 0-9 and -, at most 32.
	Name string `json:"name"`
	// Events are types; empty means all.
	Events []string `json:"events,omitempty"`
}

// Wants tells whether the subscriber is told of events of this type.
func (i Interest) Wants(event string) bool {
	return len(i.Events) == 0 || slices.Contains(i.Events, event)
}

// String is the name alone, so that neither address nor secrets get into logs.
func (s Subscriber) String() string { return s.Name }

// GoString is String.
func (s Subscriber) GoString() string { return s.Name }

const maxSubscribers = 20

var (
	subscriberName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	eventType      = regexp.MustCompile(`^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$`)
)

// ParseSubscribers reads KEYHOLDER_SUBSCRIBERS: entries separated by semicolons,
// each "name url secret[,secret] [event,event]". The error names everything that
// is wrong at once, and repeats neither addresses nor secrets.
func ParseSubscribers(text string) ([]Subscriber, error) {
	var list []Subscriber
	var errs []error
	seen := map[string]bool{}
	for entry := range strings.SplitSeq(text, ";") {
		fields := strings.Fields(entry)
		if len(fields) == 0 {
			continue
		}
		s, problems := parseSubscriber(fields)
		label := fmt.Sprintf("KEYHOLDER_SUBSCRIBERS, entry %d", len(list)+1)
		if subscriberName.MatchString(s.Name) {
			label += " (" + s.Name + ")"
			if seen[s.Name] {
				problems = append([]string{"the name is taken by an entry before it"}, problems...)
			}
			seen[s.Name] = true
		}
		for _, problem := range problems {
			errs = append(errs, errors.New(label+": "+problem))
		}
		list = append(list, s)
	}
	if len(list) > maxSubscribers {
		errs = append(errs, fmt.Errorf("KEYHOLDER_SUBSCRIBERS has %d entries; at most %d are possible", len(list), maxSubscribers))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return list, nil
}

// parseSubscriber reads one entry and says what is wrong with it. What stands in
// the wrong place may be a secret, so nothing is repeated.
func parseSubscriber(fields []string) (s Subscriber, problems []string) {
	s.Name = fields[0]
	if !subscriberName.MatchString(s.Name) {
		problems = append(problems, "the name must be 1 to 32 of a-z, 0-9 and -")
	}
	if len(fields) < 3 || len(fields) > 4 {
		return s, append(problems, `it must be "name url secret[,secret] [event,event]", without spaces after commas; a semicolon in the url is written %3B`)
	}
	s.URL = fields[1]
	if err := webhook.CheckURL(s.URL); err != nil {
		problems = append(problems, err.Error())
	}
	s.Secrets = strings.Split(fields[2], ",")
	if len(s.Secrets) > webhook.MaxSecrets {
		problems = append(problems, fmt.Sprintf("it has %d secrets; at most %d are possible", len(s.Secrets), webhook.MaxSecrets))
	}
	for i, secret := range s.Secrets {
		if err := webhook.CheckSecret(secret); err != nil {
			problems = append(problems, fmt.Sprintf("secret %d: %v", i+1, err))
		}
	}
	if len(fields) == 4 {
		s.Events = strings.Split(fields[3], ",")
	}
	for i, event := range s.Events {
		if !eventType.MatchString(event) || strings.HasPrefix(event, "whsec_") {
			problems = append(problems, fmt.Sprintf("event %d must be a dotted name of letters, digits and _, such as sale.completed", i+1))
		}
	}
	return s, problems
}

func (a *Activities) postWebhook(ctx context.Context, in PostWebhookInput) (None, error) {
	subscribers := a.OutgoingWebhooks.Subscribers
	i := slices.IndexFunc(subscribers, func(s Subscriber) bool { return s.Name == in.Subscriber })
	if i < 0 {
		return None{}, temporal.NewNonRetryableApplicationError(
			"KEYHOLDER_SUBSCRIBERS names no such subscriber any more", string(partner.NotFound), nil)
	}
	body, err := in.Event.body()
	if err != nil {
		return None{}, temporal.NewNonRetryableApplicationError(err.Error(), string(partner.Invalid), nil)
	}
	err = a.OutgoingWebhooks.Client.Post(ctx, webhook.Delivery{
		URL: subscribers[i].URL, Secrets: subscribers[i].Secrets, ID: in.Event.ID, At: time.Now(), Body: body,
	})
	if err == nil {
		a.wroteAt(ctx, true, "", writing("subscriber/"+in.Subscriber, "event "+in.Event.Type), in.Event.ID)
	}
	return None{}, webhookFailure(ctx, err)
}

// body is what is posted, as the Standard Webhooks specification recommends. The
// same event always gives the same bytes.
func (e OutgoingEvent) body() ([]byte, error) {
	if !eventType.MatchString(e.Type) || e.Timestamp.IsZero() {
		return nil, errors.New("the event has no type or no timestamp")
	}
	data := e.Data
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	if !json.Valid(data) || bytes.TrimSpace(data)[0] != '{' {
		return nil, errors.New("the event's data is no JSON object")
	}
	body, err := json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{e.Type, e.Timestamp.UTC(), data})
	if err != nil { // it may quote the data
		return nil, errors.New("the event cannot be written as JSON")
	}
	return body, nil
}

// webhookFailure is toTemporal for subscribers: unlike with a partner, wrong
// credentials and refusals are theirs to mend, so only what may pass is repeated.
func webhookFailure(ctx context.Context, err error) error {
	var e *partner.Error
	if !errors.As(err, &e) {
		return err
	}
	if webhook.Final(err) {
		return temporal.NewNonRetryableApplicationError(e.Error(), string(e.Kind), nil)
	}
	return temporal.NewApplicationErrorWithOptions(e.Error(), string(e.Kind), temporal.ApplicationErrorOptions{
		NextRetryDelay: webhookPause(e.RetryAfter, attempt(ctx)),
	})
}

// webhookPause doubles from a second to an hour, or is what the subscriber asks
// for where that is longer: one that says "in a second" for three days would be
// asked, and billed, 250,000 times. Up to a fifth is added at random, which the retry
// policy does not do, so that what failed together does not come back together.
func webhookPause(asked time.Duration, attempt int32) time.Duration {
	growing := min(time.Second<<min(max(attempt-1, 0), 12), longestWebhookPause)
	wait := max(growing, asked)
	return wait + rand.N(wait/5)
}
