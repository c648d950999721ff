package ingress

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/workflows/durable"
)

// DecodeError says why an authentic body is not an event. Its parts hold nothing
// of the body's values.
type DecodeError struct {
	// Status is 400 where the body is malformed, 422 where it is valid and useless.
	Status int
	// Reason is a short fixed name, for metrics.
	Reason string
	// Detail says what to do.
	Detail string
	// Sample is the body with types instead of values, for the log of a 422.
	Sample any
}

// Error is the reason and the advice.
func (e *DecodeError) Error() string { return e.Reason + ": " + e.Detail }

// Decoder turns the bodies of one source into events. It is safe for concurrent
// use.
type Decoder struct {
	source string
	routes routeTable
}

// NewDecoder refuses a source that has no route table.
func NewDecoder(source string) (*Decoder, error) {
	routes := routeTableOf(source)
	if len(routes) == 0 {
		return nil, fmt.Errorf("unknown event source %q", source)
	}
	return &Decoder{source: source, routes: routes}, nil
}

// envelope is what the shapes of all partners have in common, as sent.
type envelope struct {
	eventType string
	eventID   any
	actor     any
	objectID  any
	occurred  any
	changes   any
	data      any
}

// Decode reads an authentic body that arrived at the real time at. deliveryID is
// a signed id from the headers, or "". The same body gives the same event but
// for ReceivedAt. The error is a *DecodeError.
func (d *Decoder) Decode(body []byte, deliveryID string, at time.Time) (durable.Event, error) {
	tree, err := parseJSON(body)
	if err != nil {
		return durable.Event{}, &DecodeError{Status: http.StatusBadRequest, Reason: err.Error(),
			Detail: "Send one JSON object in UTF-8, without duplicate keys and at most 32 levels deep."}
	}
	refuse := func(reason, detail string) (durable.Event, error) {
		return durable.Event{}, &DecodeError{Status: http.StatusUnprocessableEntity, Reason: reason, Detail: detail, Sample: shape(tree, 0)}
	}
	top, ok := tree.(map[string]any)
	if !ok {
		return refuse("not_an_object", "Send the event as a JSON object.")
	}
	sent, ok := d.open(top)
	if !ok || sent.eventType == "" {
		return refuse("unknown_envelope", "Send an event type and data as the integration guide shows.")
	}
	e := durable.Event{
		Source:     d.source,
		Key:        d.key(top, sent, deliveryID),
		OccurredAt: eventTime(sent.occurred),
		ReceivedAt: at.UTC(),
		Changes:    d.changes(sent.changes),
	}
	e.Actor, _ = idText(sent.actor)
	data := d.record(sent.data)
	if data != nil {
		e.Data = canonical(data)
	}
	name, known := d.routes.dotted(sent.eventType)
	if !known {
		e.Type = printable(sent.eventType)
		e.EntityID, _ = d.entityID(data, sent, "")
		return e, nil
	}
	e.Type = name
	field := d.routes[name].IDField
	if !isRecordOf(name, field) {
		// The object's id and the plain id are those of the unit, never of its property.
		data, sent = only(data, field), envelope{}
	}
	if e.EntityID, ok = d.entityID(data, sent, field); !ok {
		if d.source == SourceOpenMoove {
			return refuse("no_entity_id", "Send OpenMoove's integer id of the property as data."+field+".")
		}
		if !isRecordOf(name, field) {
			return refuse("no_entity_id", "Send the id of the property as data."+field+": 1 to 64 letters, digits, - or _.")
		}
		return refuse("no_entity_id", "Send the record's id as data."+field+" or data.id: 1 to 64 letters, digits, - or _.")
	}
	return e, nil
}

// open recognises the envelope: contracts/rentvine.md 6.1 has two,
// contracts/openmoove.md 3 has one. A body that could be both is neither.
func (d *Decoder) open(top map[string]any) (envelope, bool) {
	if d.source == SourceOpenMoove {
		name, ok := top["event"].(string)
		return envelope{eventType: name, eventID: top["event_id"], occurred: top["timestamp"], data: top["data"]}, ok
	}
	name, guide := top["event_type"].(string)
	live, isLive := top["event"].(map[string]any)
	switch {
	case guide && !isLive:
		return envelope{eventType: name, eventID: top["event_id"], occurred: top["timestamp"],
			changes: top["changes"], data: top["data"]}, true
	case isLive && !guide:
		name, ok := live["eventType"].(string)
		return envelope{eventType: name, objectID: live["objectID"], actor: live["userID"],
			changes: live["changes"], data: top["data"]}, ok
	}
	return envelope{}, false
}

// key identifies the event. The partner's event id counts first, then the signed
// id of the delivery, then the digest of the body without its auth part, which
// may differ in a repeat.
func (d *Decoder) key(top map[string]any, sent envelope, deliveryID string) string {
	id, _ := scalarText(sent.eventID)
	if id == "" {
		id = deliveryID
	}
	switch {
	case id == "":
		rest := map[string]any{}
		for k, v := range top {
			if k != "auth" {
				rest[k] = v
			}
		}
		return d.source + ":sha256:" + digest(canonical(rest))
	case eventIDPattern.MatchString(id):
		return d.source + ":" + id
	}
	return d.source + ":id-sha256:" + digest([]byte(id))
}

var (
	// An event id has no colon, so that none can look like a digest.
	eventIDPattern  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	entityIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	wholeNumber     = regexp.MustCompile(`^(0|[1-9][0-9]{0,63})$`)
	snakeCase       = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)+$`)
)

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// idText is the decimal or other text of an id that may be part of a workflow
// id. Numbers never pass through a float; 0 is nobody's id.
func idText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, v != "0" && entityIDPattern.MatchString(v)
	case json.Number:
		return v.String(), v != "0" && wholeNumber.MatchString(v.String())
	}
	return "", false
}

// entityID takes the first id that was sent: the record's own field, the
// envelope's object id, the record's plain id. One that is there but unusable is
// not replaced by the next. Of OpenMoove's events only the field counts, and it is
// its integer id of a property.
func (d *Decoder) entityID(data any, sent envelope, field string) (string, bool) {
	record, _ := data.(map[string]any)
	if d.source == SourceOpenMoove {
		id, _ := idText(record[field])
		return id, propertyIDPattern.MatchString(id)
	}
	for _, v := range []any{record[field], sent.objectID, record["id"]} {
		if v != nil && v != "" {
			return idText(v)
		}
	}
	return "", false
}

// isRecordOf tells whether a field is the id of the record that an event of a type is
// about: leaseID for lease.created, not propertyID for unit.created.
func isRecordOf(eventType, field string) bool {
	record, _, _ := strings.Cut(eventType, ".")
	return squash(record)+"id" == squash(field)
}

// only is a record with one of its fields.
func only(data any, field string) any {
	record, _ := data.(map[string]any)
	return map[string]any{field: record[field]}
}

// eventTime reads the body's own timestamp: RFC 3339 with a zone, or unix time
// in seconds or milliseconds. Anything else is no time rather than a wrong one.
func eventTime(v any) time.Time {
	text, _ := scalarText(v)
	var t time.Time
	if wholeNumber.MatchString(text) && len(text) <= 13 {
		n, _ := strconv.ParseInt(text, 10, 64) // 13 digits fit
		if len(text) < 12 {
			n *= 1000
		}
		t = time.UnixMilli(n).UTC()
	} else if parsed, err := time.Parse(time.RFC3339Nano, text); err == nil {
		t = parsed.UTC()
	}
	if t.Year() < 1971 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// printable makes an unknown event type fit for a search attribute.
func printable(name string) string {
	const most = 100
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, name)
	return safe[:min(len(safe), most)]
}
