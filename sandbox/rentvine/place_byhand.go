package rentvine

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is said of places that are not there.
var (
	ErrNoProperty = errors.New("no such property")
	ErrNoUnit     = errors.New("no such unit")
)

// PropertyFields are those that PutProperty knows, beside propertyID.
func PropertyFields() []string {
	return ownFields(property("", "", "", "", "", "", "", "", "", ""), "propertyID")
}

// UnitFields are those that PutUnit knows, beside unitID. The property of a unit does not
// change.
func UnitFields() []string { return ownFields(unit("", "", "", "", "", "", "", "", "", ""), "unitID") }

// ownFields are the fields of a record that a person may set.
func ownFields(rec record, key string) []string {
	delete(rec, key)
	delete(rec, "dateTimeCreated")
	delete(rec, "addressValidationData")
	return slices.Sorted(maps.Keys(rec))
}

// PutProperty is a person making a property in RentVine's own pages, or changing the one
// with the propertyID among the fields. A new one is a house in Los Angeles of portfolio
// 1, without a unit, but for the fields that are given. It tells nobody. Errors say which
// field is wrong; nothing has changed then.
func (s *Server) PutProperty(fields map[string]any) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fields, id, err = s.split(fields, "propertyID")
	if err != nil {
		return "", err
	}
	t := s.tables["properties"]
	rec := t.get(id)
	if rec == nil {
		street := cmp.Or(id, strconv.Itoa(t.last+1)) + " Sample Street"
		rec = property(id, "1", street, street, "Los Angeles", "CA", "90026", "0", "34.077200", "-118.260300")
		rec["dateContractBegins"], rec["dateTimeCreated"] = s.today(), s.now()
		if address := str(fields["address"]); address != "" {
			rec["name"], rec["address"] = address, address
		}
	}
	rec = maps.Clone(rec)
	if err := s.setPlace("property", rec, fields, PropertyFields()); err != nil {
		return "", err
	}
	return strconv.Itoa(t.add(rec)), nil
}

// PutUnit is a person making a unit in RentVine's own pages, or changing the one with the
// unitID among the fields. A new one is of property 1, with its address, two beds and no
// rent, but for the fields that are given; nobody lives there. It tells nobody. Errors say
// which field is wrong; nothing has changed then.
func (s *Server) PutUnit(fields map[string]any) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fields, id, err = s.split(fields, "unitID")
	if err != nil {
		return "", err
	}
	t := s.tables["units"]
	rec := t.get(id)
	if rec == nil {
		of := cmp.Or(str(fields["propertyID"]), "1")
		p := s.tables["properties"].get(of)
		if p == nil {
			return "", fmt.Errorf("propertyID: there is no %s", of)
		}
		rec = unit(id, str(p["propertyID"]), str(p["address"]), "", str(p["city"]), str(p["stateID"]), str(p["postalCode"]), "2", "1", "800")
	}
	rec = maps.Clone(rec)
	if of := str(fields["propertyID"]); of != "" && of != str(rec["propertyID"]) {
		return "", fmt.Errorf("propertyID: the unit is of %s; that does not change", str(rec["propertyID"]))
	}
	if err := s.setPlace("unit", rec, fields, UnitFields()); err != nil {
		return "", err
	}
	return strconv.Itoa(t.add(rec)), nil
}

// ChangeProperty is PutProperty of one that is there; else the error is ErrNoProperty.
func (s *Server) ChangeProperty(id string, fields map[string]any) error {
	if _, ok := s.Property(id); !ok {
		return ErrNoProperty
	}
	_, err := s.PutProperty(withID(fields, "propertyID", id))
	return err
}

// ChangeUnit is PutUnit of one that is there; else the error is ErrNoUnit.
func (s *Server) ChangeUnit(id string, fields map[string]any) error {
	if _, ok := s.Unit(id); !ok {
		return ErrNoUnit
	}
	_, err := s.PutUnit(withID(fields, "unitID", id))
	return err
}

func withID(fields map[string]any, key, id string) map[string]any {
	fields = maps.Clone(fields)
	if fields == nil {
		fields = map[string]any{}
	}
	fields[key] = id
	return fields
}

// Property is a copy of a record as events show it.
func (s *Server) Property(id string) (fields map[string]any, ok bool) {
	return s.place("properties", id)
}

// Unit is a copy of a record.
func (s *Server) Unit(id string) (fields map[string]any, ok bool) { return s.place("units", id) }

func (s *Server) place(table, id string) (map[string]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.tables[table].get(id)
	return flat(rec), rec != nil
}

// flat is a copy of a place as events show it: plain values only.
func flat(rec record) record {
	out := maps.Clone(rec)
	delete(out, "addressValidationData")
	return out
}

// split takes the id from the fields.
func (d *db) split(fields map[string]any, key string) (rest map[string]any, id string, err error) {
	rest = maps.Clone(fields)
	delete(rest, key)
	id = str(fields[key])
	if id != "" && number(id) == 0 {
		return nil, "", fmt.Errorf("%s must be a number above 0", key)
	}
	return rest, id, nil
}

// setPlace sets fields of a property or unit, or says which is wrong.
func (d *db) setPlace(what string, rec record, fields map[string]any, known []string) error {
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, f) {
			return fmt.Errorf("%s is not a field of a %s; there are %s", f, what, strings.Join(known, ", "))
		}
		if why := placeProblem(f, fields[f]); why != "" {
			return fmt.Errorf("%s: %s", f, why)
		}
		rec[f] = placeValue(f, fields[f])
	}
	if id := str(fields["portfolioID"]); id != "" && d.tables["portfolios"].get(id) == nil {
		return fmt.Errorf("portfolioID: there is no %s", id)
	}
	return nil
}

// placeValue is a value as it is kept: flags as "0" and "1", no number or day as null.
func placeValue(field string, v any) any {
	switch {
	case strings.HasPrefix(field, "is"):
		return wire(yes(v))
	case placeProblem(field, "x") != "":
		return emptyIsNull(v)
	default:
		return wire(v)
	}
}

// placeProblem says what is wrong with a value, "" for nothing.
func placeProblem(field string, v any) string {
	text := str(v)
	switch {
	case !scalar(v):
		return "Value is Invalid"
	case text == "":
		return ""
	}
	switch field {
	case "rent", "deposit", "reserveAmount":
		if _, ok := cents(text); !ok {
			return "Amount is Invalid"
		}
	case "latitude", "longitude":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "Number is Invalid"
		}
	case "beds", "fullBaths", "size":
		if _, err := strconv.ParseUint(text, 10, 31); err != nil {
			return "Number is Invalid"
		}
	case "dateContractBegins":
		if !fits(time.DateOnly, text) {
			return "Date is Invalid"
		}
	}
	return ""
}

func (s *Server) updateProperty(w http.ResponseWriter, r *http.Request) {
	s.updatePlace(w, r, "properties", r.PathValue("id"), "property.updated", PropertyFields())
}

// updateUnit is not on record but as that units can be updated (contracts/rentvine.md 2.2).
func (s *Server) updateUnit(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("unit")
	if u, ok := s.Unit(id); !ok || u["propertyID"] != r.PathValue("id") {
		s.unknown(w)
		return
	}
	s.updatePlace(w, r, "units", id, "unit.updated", slices.DeleteFunc(UnitFields(), func(f string) bool { return f == "propertyID" }))
}

// updatePlace merges the known fields of a bare body, or of one under the wrapper, into a
// property or unit, and tells of it.
func (s *Server) updatePlace(w http.ResponseWriter, r *http.Request, table, id, event string, known []string) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	t := s.tables[table]
	if wrapped, ok := body[t.wrapper].(record); ok {
		body = wrapped
	}
	problems := map[string][]string{}
	for _, f := range known {
		if v, given := body[f]; given && placeProblem(f, v) != "" {
			problems[f] = []string{placeProblem(f, v)}
		}
	}
	rec := t.get(id)
	if rec == nil || len(problems) > 0 {
		s.mu.Unlock()
		if rec == nil {
			s.unknown(w)
			return
		}
		refuse(w, problems)
		return
	}
	before := flat(rec)
	for _, f := range known {
		if v, given := body[f]; given {
			rec[f] = placeValue(f, v)
		}
	}
	changes, heard, out := difference(before, flat(rec)), flat(rec), t.wrap(rec)
	s.mu.Unlock()
	if len(changes) > 0 {
		s.changed(event, ActorAPI, heard, changes)
	}
	reply(w, out)
}
