package sandbox

import (
	"slices"

	"github.com/aictive/keyholder/sandbox/page"
)

// shownWebhooks bounds the outgoing webhooks on the page.
const shownWebhooks = 20

// outgoingView is what has come to the subscriber.
func (s *Sandbox) outgoingView() page.Outgoing {
	v := page.Outgoing{On: s.subscriber.On(), Count: s.subscriber.Count()}
	for _, w := range slices.Backward(s.subscriber.Webhooks(shownWebhooks)) {
		v.Webhooks = append(v.Webhooks, page.Webhook{
			Key: "outgoing " + w.Name + " " + w.ID, ID: w.ID, Type: w.Type, Name: w.Name, Body: loggable(w.Body),
			Deliveries: w.Deliveries, BodyChanged: w.BodyChanged, Time: w.ReceivedAt,
		})
	}
	return v
}
