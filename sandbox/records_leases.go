package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/aictive/keyholder/sandbox/rentvine"
)

const leaseID = "leaseID"

// errFields is what a person typed that RentVine cannot hold.
var errFields = errors.New("the fields are wrong")

// leaseRoutes are what a person does with leases in RentVine's own pages. But for the
// move-out nobody is told.
func (s *Sandbox) leaseRoutes(mux *http.ServeMux) {
	const records = "/_records/rentvine/leases"
	mux.HandleFunc("POST "+records, s.postLease)
	mux.HandleFunc("PUT "+records+"/{id}", s.changeOf("lease_id", s.rentvine.ChangeLease))
	mux.HandleFunc("POST "+records+"/{id}/transactions", s.additionOf("transaction_id", s.rentvine.AddTransaction))
	mux.HandleFunc("PUT "+records+"/{id}/move-out", s.putMoveOut)
}

// fieldsOf reads the fields that a person typed, or refuses them.
func fieldsOf(w http.ResponseWriter, r *http.Request) (map[string]any, bool) {
	fields, err := decodeObject(http.MaxBytesReader(w, r.Body, maxControl))
	if err != nil {
		refused(w, http.StatusBadRequest, err)
		return nil, false
	}
	return fields, true
}

// answer says what became of a person's change in RentVine's own pages.
func (s *Sandbox) answer(w http.ResponseWriter, err error, made map[string]string) {
	switch {
	case errors.Is(err, rentvine.ErrNoLease), errors.Is(err, rentvine.ErrNoTransaction), errors.Is(err, rentvine.ErrNoBill),
		errors.Is(err, rentvine.ErrNoProperty), errors.Is(err, rentvine.ErrNoUnit):
		refused(w, http.StatusNotFound, err)
	case err != nil:
		refused(w, http.StatusBadRequest, err)
	default:
		s.changed()
		respond(w, http.StatusOK, made)
	}
}

func (s *Sandbox) postLease(w http.ResponseWriter, r *http.Request) {
	fields, ok := fieldsOf(w, r)
	if !ok {
		return
	}
	id, contact, err := s.rentvine.PutLease(fields)
	s.answer(w, err, map[string]string{"lease_id": id, "contact_id": contact})
}

// changeOf lets a person change the record of the path; the answer has its id under a
// name.
func (s *Sandbox) changeOf(name string, change func(id string, fields map[string]any) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if fields, ok := fieldsOf(w, r); ok {
			id := r.PathValue("id")
			s.answer(w, change(id, fields), map[string]string{name: id})
		}
	}
}

// additionOf lets a person add a record, where the path has an id to that one; the answer has
// its own id under a name.
func (s *Sandbox) additionOf(name string, add func(to string, fields map[string]any) (id string, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if fields, ok := fieldsOf(w, r); ok {
			id, err := add(r.PathValue("id"), fields)
			s.answer(w, err, map[string]string{name: id})
		}
	}
}

// registerLease makes the lease that an event is about exist, and lets the event tell of
// it as it then is: of the one that the overrides name, as they change it; of the
// sample's where an update names none; else of a new one, whose dates are as far from
// today as the sample's from its timestamp. Overrides that are no fields of a lease or
// its tenant stay in the event alone.
func (s *Sandbox) registerLease(body, data, overrides map[string]any) (id string, err error) {
	_, isUpdate := body["changes"]
	named := ""
	for _, spelling := range []string{leaseID, "lease_id", "id"} {
		if given, ok := overrides[spelling]; ok && named == "" {
			named = fmt.Sprint(given)
		}
	}
	about := named
	if isUpdate && about == "" {
		about = fmt.Sprint(data[leaseID])
	}
	before, known := s.rentvine.Lease(about)
	wanted := data
	switch {
	case known && named != "":
		wanted = overrides
	case !isUpdate:
		s.toToday(body, data, overrides)
	}
	fields := map[string]any{}
	if about != "" {
		fields[leaseID] = about
	}
	_, coded := overrides["code"]
	for _, f := range append(rentvine.LeaseFields(), rentvine.TenantFields()...) {
		if v, ok := wanted[f]; ok && (f != "code" || coded) {
			fields[f] = v
		}
	}
	if id, _, err = s.rentvine.PutLease(fields); err != nil {
		return "", fmt.Errorf("%w: %w", errFields, err)
	}
	s.changed()
	after, _ := s.rentvine.Lease(id)
	clear(data)
	maps.Copy(data, overrides)
	for _, f := range append(rentvine.TenantFields(), "lease_id", "id") {
		delete(data, f)
	}
	maps.Copy(data, after)
	if isUpdate {
		changes := map[string]any{}
		for f, v := range after {
			if known && before[f] != v {
				changes[f] = map[string]any{"old": before[f], "new": v}
			}
		}
		body["changes"] = changes
	}
	return id, nil
}

// toToday moves the dates of a sample that no override sets by the days from its
// timestamp to today.
func (s *Sandbox) toToday(body, data, overrides map[string]any) {
	now := time.Now
	if s.cfg.BusinessNow != nil {
		now = s.cfg.BusinessNow
	}
	made, err := time.Parse(time.RFC3339, fmt.Sprint(body["timestamp"]))
	if err != nil {
		return // no sample of leases is without
	}
	const day = 24 * time.Hour
	shift := now().UTC().Truncate(day).Sub(made.Truncate(day))
	for _, f := range []string{"moveInDate", "startDate", "endDate"} {
		at, err := time.Parse(time.DateOnly, fmt.Sprint(data[f]))
		if _, given := overrides[f]; err == nil && !given {
			data[f] = at.Add(shift).Format(time.DateOnly)
		}
	}
}
