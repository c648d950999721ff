package ingress

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/workflows/durable"
)

// What a person reads about a workflow that an event begins: ids and states,
// never names, phones or texts.

// places are the ids that an event's record says about where it belongs.
type places struct{ property, unit, lease string }

func (s start) places() places {
	var record map[string]json.RawMessage
	// Data that is not an object has no such ids.
	_ = json.Unmarshal(s.event.Data, &record)
	find := func(field string) string {
		if s.idField == field {
			return s.event.EntityID
		}
		var v any
		if json.Unmarshal(record[field], &v) != nil {
			return ""
		}
		id, _ := v.(string)
		if !entityIDPattern.MatchString(id) {
			return ""
		}
		return id
	}
	p := places{property: find("propertyID"), unit: find("unitID"), lease: find("leaseID")}
	if s.idField == "property_id" {
		p.property = s.event.EntityID
	}
	return p
}

func (s start) searchAttributes() temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		durable.EventSource.ValueSet(s.event.Source),
		durable.EventType.ValueSet(s.event.Type),
		durable.Stage.ValueSet("received"),
		durable.ReceivedAt.ValueSet(s.event.ReceivedAt),
	}
	p := s.places()
	for _, a := range []struct {
		key   temporal.SearchAttributeKeyKeyword
		value string
	}{{durable.PropertyID, p.property}, {durable.UnitID, p.unit}, {durable.LeaseID, p.lease}, {durable.Reason, s.reason}} {
		if a.value != "" {
			updates = append(updates, a.key.ValueSet(a.value))
		}
	}
	return temporal.NewSearchAttributes(updates...)
}

// summary is one line.
func (s start) summary() string {
	if s.reason != "" {
		return fmt.Sprintf("Parked %s from %s: %s", s.event.Type, s.event.Source, s.reason)
	}
	verb := "begun"
	if s.reopen {
		verb = "reopened"
	}
	name := strings.ReplaceAll(strings.TrimSuffix(s.target.Prefix, "/"), "-", " ")
	return fmt.Sprintf("%s%s %s, %s by %s", strings.ToUpper(name[:1]), name[1:], s.id, verb, s.event.Type)
}

// details are a short Markdown list.
func (s start) details() string {
	var b strings.Builder
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- %s: `%s`\n", label, value)
		}
	}
	line("source", s.event.Source)
	line("first event", s.event.Type)
	line("received", s.event.ReceivedAt.UTC().Format(time.RFC3339))
	line("entity", s.event.EntityID)
	p := s.places()
	line("property", p.property)
	line("unit", p.unit)
	line("lease", p.lease)
	line("parked because", s.reason)
	return b.String()
}
