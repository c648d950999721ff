package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aictive/keyholder/sandbox/rentvine"
)

const (
	propertyID = "propertyID"
	unitID     = "unitID"
)

// placeRoutes are what a person does with properties and units in RentVine's own pages,
// which tells nobody: POST /_send tells, too. The portfolio is a generated one.
func (s *Sandbox) placeRoutes(mux *http.ServeMux) {
	const records = "/_records/rentvine"
	added := func(put func(map[string]any) (string, error)) func(string, map[string]any) (string, error) {
		return func(_ string, fields map[string]any) (string, error) { return put(fields) }
	}
	mux.HandleFunc("POST "+records+"/properties", s.additionOf("property_id", added(s.rentvine.PutProperty)))
	mux.HandleFunc("PUT "+records+"/properties/{id}", s.changeOf("property_id", s.rentvine.ChangeProperty))
	mux.HandleFunc("POST "+records+"/units", s.additionOf("unit_id", added(s.rentvine.PutUnit)))
	mux.HandleFunc("PUT "+records+"/units/{id}", s.changeOf("unit_id", s.rentvine.ChangeUnit))
	mux.HandleFunc("POST /_generate/portfolio", s.postRentals)
}

// postRentals generates properties into RentVine and tells nobody.
func (s *Sandbox) postRentals(w http.ResponseWriter, r *http.Request) {
	var in rentvine.PortfolioConfig
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	made, err := s.rentvine.GeneratePortfolio(in)
	if err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	s.changed()
	respond(w, http.StatusOK, made)
}

// aboutPlace tells whether an event is about a property or a unit.
func aboutPlace(event string) bool {
	return strings.HasPrefix(event, "property.") || strings.HasPrefix(event, "unit.")
}

// places is what RentVine knows of properties, or of units.
type places struct {
	key    string
	fields []string
	put    func(fields map[string]any) (string, error)
	get    func(id string) (map[string]any, bool)
}

func (s *Sandbox) placesOf(event string) places {
	if strings.HasPrefix(event, "unit.") {
		return places{unitID, rentvine.UnitFields(), s.rentvine.PutUnit, s.rentvine.Unit}
	}
	return places{propertyID, rentvine.PropertyFields(), s.rentvine.PutProperty, s.rentvine.Property}
}

// registerPlace makes the property or unit that an event is about exist, and lets the
// event tell of it as it then is: of the one that the overrides name, as they change it;
// of the sample's where an update names none; else of a new one. Overrides that are no
// fields of it, such as vacancy_rate, stay in the event alone.
func (s *Sandbox) registerPlace(event string, body, data, overrides map[string]any, sent *Sent) error {
	p := s.placesOf(event)
	sampled, isUpdate := body["changes"].(map[string]any)
	about := ""
	for _, name := range []string{p.key, strings.ToLower(p.key[:len(p.key)-2]) + "_id", "id"} {
		if given, ok := overrides[name]; ok && about == "" {
			about = fmt.Sprint(given)
		}
	}
	if isUpdate && about == "" {
		about = fmt.Sprint(data[p.key])
	}
	before, known := p.get(about)
	wanted := overrides
	if !known || isUpdate && len(overrides) == 0 {
		wanted = data
	}
	fields := map[string]any{}
	for f, v := range wanted {
		if slices.Contains(p.fields, f) {
			fields[f] = v
		}
	}
	if about != "" {
		fields[p.key] = about
	}
	id, err := p.put(fields)
	if err != nil {
		return fmt.Errorf("%w: %w", errFields, err)
	}
	s.changed()
	after, _ := p.get(id)
	alone := maps.Clone(wanted) // what only the event has
	maps.DeleteFunc(alone, func(f string, _ any) bool { _, own := after[f]; return own || strings.HasSuffix(f, "id") })
	clear(data)
	maps.Copy(data, alone)
	maps.Copy(data, after)
	sent.PropertyID, _ = after[propertyID].(string)
	sent.UnitID, _ = after[unitID].(string)
	if isUpdate {
		body["changes"] = placeChanges(before, after, alone, sampled)
	}
	return nil
}

// placeChanges are the fields that differ, and those that only the event has, with what
// the sample says they were before.
func placeChanges(before, after, alone, sampled map[string]any) map[string]any {
	changes := map[string]any{}
	for f, v := range after {
		if before != nil && before[f] != v {
			changes[f] = map[string]any{"old": before[f], "new": v}
		}
	}
	for f, v := range alone {
		was, _ := sampled[f].(map[string]any)
		changes[f] = map[string]any{"old": was["old"], "new": v}
	}
	return changes
}
