package durable

import (
	"encoding/json"
	"time"
)

// Event is one authentic webhook in the one shape that workflows see, whatever
// envelope the partner used.
type Event struct {
	// Source is the partner: "rentvine" or "openmoove".
	Source string `json:"source"`
	// Type is the dotted name, such as "work_order.created".
	Type string `json:"type"`
	// EntityID is the partner's id of the record that the event is about.
	EntityID string `json:"entity_id"`
	// Key identifies the event for deduplication: source and the sender's event
	// id, else source and the digest of the canonical body without its auth part.
	Key string `json:"key"`
	// Actor is the partner's user id of who caused the event, "" where unknown.
	Actor string `json:"actor,omitempty"`
	// OccurredAt is the body's own timestamp, zero where it has none.
	OccurredAt time.Time `json:"occurred_at,omitzero"`
	// ReceivedAt is when the ingress accepted the event (UTC, real time).
	ReceivedAt time.Time `json:"received_at"`
	// Changes holds the fields that changed, by the partner's REST field name.
	Changes map[string]Change `json:"changes,omitempty"`
	// Data is the body's record with the partner's REST field names (RentVine:
	// "propertyID", never "property_id").
	Data json.RawMessage `json:"data,omitempty"`
}

// Change is the value of one field before and after. Values are the text form
// of the partner's JSON value.
type Change struct {
	Old string `json:"old"`
	New string `json:"new"`
}

// EventReceived is the signal by which every partner event reaches the workflow
// of its entity.
var EventReceived = Signal[Event]{Name: "event_received"}

// SeenEvents is the query by which the ingress asks a closed workflow which
// events it knew.
var SeenEvents = Query[Seen]{Name: "seen_events"}
