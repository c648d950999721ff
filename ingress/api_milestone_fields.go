package ingress

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/ingress/intake"
)

// milestoneEvent is what another system reports, checked.
type milestoneEvent struct {
	// kind is the type, milestone what the policy means by it.
	kind, milestone string
	// propertyID is decimal, transactionID in small letters; one of them is there.
	propertyID, transactionID string
	by                        string
	// occurredAt is business time in UTC, zero where it is not said.
	occurredAt time.Time
	// id is the sender's, "" for none.
	id string
}

// The bounds of an event: texts in characters, times from business now.
const (
	maxEventUser  = 100
	maxEventID    = 200
	maxEventAhead = 24 * time.Hour
	maxEventYears = 5
)

var (
	// propertyIDPattern is what fits an integer of any database.
	propertyIDPattern    = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
	transactionIDPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// milestoneFields are the fields of an event.
func milestoneFields() []string {
	return []string{"type", "property_id", "transaction_id", "user", "occurred_at", "id"}
}

// firstTransactionID is the UUID to look the sale up by, "" where the integer id
// serves.
func (e milestoneEvent) firstTransactionID() string {
	if e.propertyID != "" {
		return ""
	}
	return e.transactionID
}

// key identifies the event among those of all types: by the sender's id, else by what
// it means. Two systems may use the same ids, hence the type.
func (e milestoneEvent) key(propertyID string) string {
	prefix := "reported:" + e.kind + ":"
	switch {
	case e.id == "":
		meaning := []any{e.kind, propertyID, e.occurredAt.Format(time.RFC3339Nano)}
		return prefix + "sha256:" + digest(canonical(meaning))
	case eventIDPattern.MatchString(e.id):
		return prefix + e.id
	}
	return prefix + "id-sha256:" + digest([]byte(e.id))
}

// readMilestoneEvent reads and checks a body; all that is wrong is told at once. known
// are the types with their milestones, now is business time.
func readMilestoneEvent(body []byte, known map[string]string, now time.Time) (milestoneEvent, apiReply, bool) {
	tree, err := parseJSON(body)
	if err != nil {
		return milestoneEvent{}, apiReply{status: http.StatusBadRequest, reason: err.Error(),
			detail: "Send one JSON object in UTF-8, without duplicate keys and at most 32 levels deep."}, false
	}
	sent, ok := tree.(map[string]any)
	if !ok {
		return milestoneEvent{}, unprocessable([]FieldError{{Message: "Send the event as one JSON object."}}), false
	}
	f := eventForm{sent: sent}
	f.refuseUnknown()
	e := milestoneEvent{kind: f.line("type", maxEventID)}
	unknown := ""
	if e.milestone, ok = known[e.kind]; !ok {
		unknown = f.unknownType(e.kind, known)
	}
	e.by, e.occurredAt, e.id = f.line("user", maxEventUser), f.time("occurred_at", now), f.line("id", maxEventID)
	e.propertyID, e.transactionID = f.sale()
	if len(f.fields) == 0 {
		return e, apiReply{}, true
	}
	refused := unprocessable(firstFields(f.fields))
	if unknown != "" {
		refused.reason, refused.detail = "unknown_type", unknown+" Nothing was stored."
	}
	return milestoneEvent{}, refused, false
}

// eventForm is an event as it was sent, and what is wrong with it so far.
type eventForm struct {
	sent   map[string]any
	fields []FieldError
}

func (f *eventForm) wrong(path, message string) {
	f.fields = append(f.fields, FieldError{Path: path, Message: message})
}

func (f *eventForm) spoilt(path string) bool {
	return slices.ContainsFunc(f.fields, func(e FieldError) bool { return e.Path == path })
}

func (f *eventForm) refuseUnknown() {
	for _, name := range slices.Sorted(maps.Keys(f.sent)) {
		if slices.Contains(milestoneFields(), name) {
			continue
		}
		if !isFieldName(name) {
			name = "" // it may be data
		}
		f.wrong(name, "There is no such field. The fields are "+strings.Join(milestoneFields(), ", ")+".")
	}
}

// line is the text of a field, "" where it is absent, null or unfit.
func (f *eventForm) line(path string, most int) string {
	value, ok := f.sent[path]
	if !ok || value == nil {
		return ""
	}
	raw, ok := value.(string)
	if !ok {
		f.wrong(path, "Write this as text, in quotes.")
		return ""
	}
	text, advice := intake.Line(raw, most)
	if advice != "" {
		f.wrong(path, advice)
		return ""
	}
	return text
}

// time is an instant in UTC, zero where it is absent or unfit.
func (f *eventForm) time(path string, now time.Time) time.Time {
	text := f.line(path, maxEventID)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		f.wrong(path, "Write the time with its zone, such as "+now.UTC().Format(time.RFC3339)+".")
	case at.After(now.Add(maxEventAhead)):
		f.wrong(path, "This is more than a day ahead: give the time at which the milestone was reached.")
	case at.Before(now.AddDate(-maxEventYears, 0, 0)):
		f.wrong(path, fmt.Sprintf("This is more than %d years ago: give the time at which the milestone was reached.", maxEventYears))
	default:
		return at.UTC()
	}
	return time.Time{}
}

// sale is the integer id and the UUID of the sale; one may be "".
func (f *eventForm) sale() (propertyID, transactionID string) {
	if number, ok := f.sent["property_id"].(json.Number); ok {
		propertyID = number.String()
	} else {
		propertyID = f.line("property_id", maxEventID)
	}
	if propertyID != "" && !propertyIDPattern.MatchString(propertyID) {
		f.wrong("property_id", "Write OpenMoove's integer id, such as 12.")
	}
	transactionID = strings.ToLower(f.line("transaction_id", maxEventID))
	if transactionID != "" && !transactionIDPattern.MatchString(transactionID) {
		f.wrong("transaction_id", "Write OpenMoove's UUID of the sale, such as 3fa85f64-5717-4562-b3fc-2c963f66afa6.")
	}
	if propertyID == "" && transactionID == "" && !f.spoilt("property_id") && !f.spoilt("transaction_id") {
		f.wrong("property_id", "Say which sale it is about: give property_id or transaction_id.")
	}
	return propertyID, transactionID
}

// unknownType notes a type that the policy does not have, and is the answer's detail,
// "" where the type was no text at all.
func (f *eventForm) unknownType(kind string, known map[string]string) string {
	if f.spoilt("type") {
		return ""
	}
	advice := "The types are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ") + "."
	if len(known) == 0 {
		advice = "The policy has none: see its sales.reported.events."
	}
	if kind == "" {
		advice = "Give the type of the event. " + advice
	} else {
		advice = "There is no such type of event. " + advice
	}
	f.wrong("type", advice)
	return advice
}
