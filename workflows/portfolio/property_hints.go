package portfolio

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// The fields by which events tell of rates, as partners may write them.
var (
	vacancyFields = []string{"vacancy_rate", "vacancyRate"}
	rentFields    = []string{"rental_rate", "rentalRate", "rent", "market_rent"}
)

// take adds what an event tells of the vacancy rate and of rents. unitID is the unit that a
// unit's event is about, "" for an event of the property. What cannot be read says nothing.
func (h *hints) take(ev durable.Event, unitID string) {
	for _, field := range vacancyFields {
		if change, told := ev.Changes[field]; told && rose(change) {
			h.Vacancy = true
		}
	}
	for _, field := range rentFields {
		change, told := ev.Changes[field]
		if !told || change.Old == change.New {
			continue
		}
		rent, ok := amount(change.New)
		switch {
		case !ok:
		case strings.HasPrefix(ev.Type, "property."):
			h.Rental, h.Rent = true, rent
		case unitID != "":
			h.unit(unitID, rent)
		}
	}
}

// unit keeps the newest rent that was told of a unit.
func (h *hints) unit(id string, rent policy.Cents) {
	for i := range h.Units {
		if h.Units[i].UnitID == id {
			h.Units[i].Rent = rent
			return
		}
	}
	if len(h.Units) < maxUnitIDs {
		h.Units = append(h.Units, unitHint{UnitID: id, Rent: rent})
	}
}

// rose tells whether a rate is greater than it was. Where nobody says what it was, it was
// nothing.
func rose(c durable.Change) bool {
	before, ok := share(c.Old)
	if !ok && strings.TrimSpace(c.Old) != "" && c.Old != "null" {
		return false
	}
	after, ok := share(c.New)
	return ok && after > before
}

// share is a rate in millionths: "7.5", "7.5%" and "0.075" are the same. A bare number of at
// most 1 is a share, a greater one is percent.
func share(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	percent := strings.HasSuffix(text, "%")
	value, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || !(value >= 0 && value <= 100) {
		return 0, false
	}
	if percent || value > 1 {
		value /= 100
	}
	return int64(value*1e6 + 0.5), true
}

// amount is a rent of more than nothing, such as "1850", "$1,850.00" or "1850.5".
func amount(text string) (policy.Cents, bool) {
	text = strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(text), "$"), ",", "")
	rent, err := policy.ParseCents(text)
	return rent, err == nil && rent > 0
}

// unitOf is the id of the unit that a unit's event is about, "" where it does not say.
func unitOf(ev durable.Event) string {
	var record struct {
		UnitID json.RawMessage `json:"unitID"`
		ID     json.RawMessage `json:"id"`
	}
	if json.Unmarshal(ev.Data, &record) != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{record.UnitID, record.ID} {
		if id := strings.Trim(string(raw), `"`); isUnitID(id) {
			return id
		}
	}
	return ""
}

// isUnitID tells whether a text may be an id of RentVine, which are whole numbers.
func isUnitID(text string) bool {
	n, err := strconv.ParseUint(text, 10, 63)
	return err == nil && n > 0 && len(text) <= 18
}
