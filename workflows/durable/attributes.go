package durable

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
)

// The search attributes. The table is closed: SQL visibility holds at most 10 of
// type Keyword and 3 of type Datetime. Values are ids and states, never names,
// phones or e-mails.
var (
	PropertyID  = temporal.NewSearchAttributeKeyKeyword("PropertyID")
	UnitID      = temporal.NewSearchAttributeKeyKeyword("UnitID")
	LeaseID     = temporal.NewSearchAttributeKeyKeyword("LeaseID")
	ContactID   = temporal.NewSearchAttributeKeyKeyword("ContactID")
	Stage       = temporal.NewSearchAttributeKeyKeyword("Stage")
	WaitingFor  = temporal.NewSearchAttributeKeyKeyword("WaitingFor")
	SLAState    = temporal.NewSearchAttributeKeyKeyword("SLAState")
	EventSource = temporal.NewSearchAttributeKeyKeyword("EventSource")
	EventType   = temporal.NewSearchAttributeKeyKeyword("EventType")
	Reason      = temporal.NewSearchAttributeKeyKeyword("Reason")

	DueBy      = temporal.NewSearchAttributeKeyTime("DueBy")
	ReceivedAt = temporal.NewSearchAttributeKeyTime("ReceivedAt")
)

// SearchAttributes is the whole table, as a cluster must have it.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	table := map[string]enumspb.IndexedValueType{}
	for _, k := range []temporal.SearchAttributeKey{PropertyID, UnitID, LeaseID, ContactID, Stage, WaitingFor,
		SLAState, EventSource, EventType, Reason, DueBy, ReceivedAt} {
		table[k.GetName()] = k.GetValueType()
	}
	return table
}
