package rentvine

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// blankLease holds every field of a lease (contracts/rentvine.md 2.3).
func blankLease() record {
	r := record{
		"leaseID": "", "code": "", "propertyID": nil, "unitID": nil, "primaryLeaseStatusID": "1", "leaseStatusID": "1",
		"isMarkedToVacate": "0", "isMonthToMonth": "0", "tenants": []string{},
	}
	for _, f := range append(leaseDates(), "dateTimeCreated", "dateTimeModified") {
		r[f] = nil
	}
	return r
}

// leaseDates are the fields that hold YYYY-MM-DD.
func leaseDates() []string {
	return []string{
		"moveInDate", "moveOutDate", "startDate", "endDate", "closedDate", "expectedMoveOutDate", "increaseEligibilityDate", "noticeDate",
	}
}

// leaseExport lists leases with tenants as objects and the place beside them; its
// date-times are ISO 8601, the bounds of its filter are not (contracts/rentvine.md 1.6,
// 2.3).
func (s *Server) leaseExport(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, problems := r.URL.Query(), map[string][]string{}
	from, until := "", ""
	for name, into := range map[string]*string{"dateTimeModifiedMin": &from, "dateTimeModifiedMax": &until} {
		if v := q.Get(name); v != "" {
			at, err := time.Parse(time.DateTime, v)
			if err != nil {
				problems[name] = []string{"Date is Invalid"}
			}
			*into = at.Format(time.RFC3339)
		}
	}
	if len(problems) > 0 {
		refuse(w, problems)
		return
	}
	leases := s.tables["leases"]
	ids := leases.ids()
	if named := q["leaseIDs[]"]; len(named) > 0 {
		ids = nil
		for _, id := range named {
			if leases.get(id) != nil {
				ids = append(ids, number(id))
			}
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
	}
	for param, field := range map[string]string{"primaryLeaseStatusIDs[]": "primaryLeaseStatusID", "leaseStatusIDs[]": "leaseStatusID"} {
		if wanted := q[param]; len(wanted) > 0 {
			ids = leases.where(ids, field, func(v string) bool { return slices.Contains(wanted, v) })
		}
	}
	if from != "" || until != "" {
		ids = leases.where(ids, "dateTimeModified", func(v string) bool { return v >= from && (until == "" || v <= until) })
	}
	rows := []record{}
	for _, id := range s.page(r, 25, ids) {
		rows = append(rows, s.exportRow(leases.rows[id]))
	}
	reply(w, rows)
}

// updateLease merges the dates of a bare partial body; whatever else it holds, a wrapped
// lease too, is answered with 200 and ignored (contracts/rentvine.md 4.4).
func (s *Server) updateLease(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	fields, problems := record{}, map[string][]string{}
	for _, f := range []string{"startDate", "endDate", "moveInDate", "noticeDate", "expectedMoveOutDate"} {
		v, given := body[f]
		if !given {
			continue
		}
		if day := str(v); !scalar(v) || day != "" && !fits(time.DateOnly, day) {
			problems[f] = []string{"Date is Invalid"}
		}
		fields[f] = emptyIsNull(v)
	}
	if len(problems) > 0 {
		refuse(w, problems)
		return
	}
	s.mu.Lock()
	lease := s.tables["leases"].get(r.PathValue("id"))
	if lease == nil {
		s.mu.Unlock()
		s.unknown(w)
		return
	}
	before := told(lease)
	maps.Copy(lease, fields)
	tell := s.leaseChanged(lease, before, ActorAPI)
	out := record{"lease": s.leaseWithNames(lease)}
	s.mu.Unlock()
	tell()
	reply(w, out)
}

func emptyIsNull(v any) any {
	if str(v) == "" {
		return nil
	}
	return wire(v)
}

// told is a copy of a lease as events show it: without its tenants.
func told(lease record) record {
	out := maps.Clone(lease)
	delete(out, "tenants")
	return out
}

// touch stamps a lease as modified, which many things do (contracts/rentvine.md 1.6).
func (s *Server) touch(lease record) {
	lease["dateTimeModified"] = s.cfg.Now().UTC().Format(time.RFC3339)
}

// leaseChanged stamps a lease that differs from before, and is what then tells of it,
// to be called without the lock.
func (s *Server) leaseChanged(lease, before record, actor string) (tell func()) {
	changes := difference(before, told(lease))
	if len(changes) == 0 {
		return func() {}
	}
	return s.leaseTouched(lease, changes, actor)
}

// leaseTouched is leaseChanged where the lease's own fields may all be as before.
func (s *Server) leaseTouched(lease record, changes map[string][2]any, actor string) (tell func()) {
	before := lease["dateTimeModified"]
	s.touch(lease)
	changes["dateTimeModified"] = [2]any{before, lease["dateTimeModified"]}
	heard := told(lease)
	return func() { s.changed("lease.updated", actor, heard, changes) }
}

// recurringCharges lists a lease's charges; the rent is those whose account.isRent
// is "1" (contracts/rentvine.md 2.4).
func (s *Server) recurringCharges(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	charges := s.tables["charges"]
	rows := []record{}
	for _, id := range s.page(r, 25, charges.of(r.PathValue("id"))) {
		c := charges.rows[id]
		isRent := "0"
		if str(c["accountID"]) == rentAccount {
			isRent = "1"
		}
		row := charges.wrap(c)
		row["account"] = record{"accountID": c["accountID"], "name": c["description"], "isRent": isRent}
		rows = append(rows, row)
	}
	reply(w, rows)
}

// chargeFields are those that a request may set (contracts/rentvine.md 2.3).
func chargeFields() []string {
	return []string{"dayDue", "frequency", "accountID", "amount", "description", "startDate", "endDate"}
}

// chargeProblems checks the values that are there; dates are in US order only
// (contracts/rentvine.md 1.6).
func chargeProblems(body record) map[string][]string {
	problems := map[string][]string{}
	for _, field := range []string{"startDate", "endDate"} {
		if v := str(body[field]); v != "" && !fits(usDate, v) {
			problems[field] = []string{"Date is Invalid"}
		}
	}
	if _, given := body["amount"]; given {
		if _, ok := cents(str(body["amount"])); !ok {
			problems["amount"] = []string{"Amount is Invalid"}
		}
	}
	return problems
}

// addRecurringCharge creates a charge from a bare body. Nothing stops a second one
// alike (contracts/rentvine.md 4.6).
func (s *Server) addRecurringCharge(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	problems := chargeProblems(body)
	for _, field := range []string{"amount", "accountID", "startDate"} {
		if str(body[field]) == "" {
			problems[field] = []string{"Value is Required"}
		}
	}
	if len(problems) > 0 {
		refuse(w, problems)
		return
	}
	s.mu.Lock()
	lease := s.tables["leases"].get(r.PathValue("id"))
	if lease == nil {
		s.mu.Unlock()
		s.unknown(w)
		return
	}
	charge := record{"leaseID": r.PathValue("id")}
	for _, f := range chargeFields() {
		charge[f] = wire(body[f])
	}
	s.tables["charges"].add(charge)
	s.countAlike("charge", str(charge["leaseID"]), str(charge["accountID"]), str(charge["amount"]), str(charge["startDate"]), str(charge["description"]))
	out := s.tables["charges"].wrap(charge)
	tell := s.leaseTouched(lease, map[string][2]any{}, ActorAPI)
	s.mu.Unlock()
	tell()
	reply(w, out)
}

// charge is a recurring charge of a lease, nil for that of another.
func (d *db) charge(leaseID, id string) (lease, charge record) {
	lease, charge = d.tables["leases"].get(leaseID), d.tables["charges"].get(id)
	if lease == nil || charge == nil || charge["leaseID"] != leaseID {
		return nil, nil
	}
	return lease, charge
}

// updateRecurringCharge merges a bare partial body; a wrapped one changes nothing.
func (s *Server) updateRecurringCharge(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	if problems := chargeProblems(body); len(problems) > 0 {
		refuse(w, problems)
		return
	}
	s.mu.Lock()
	lease, charge := s.charge(r.PathValue("id"), r.PathValue("charge"))
	if lease == nil {
		s.mu.Unlock()
		s.unknown(w)
		return
	}
	before := maps.Clone(charge)
	for _, f := range chargeFields() {
		if v, given := body[f]; given && scalar(v) {
			charge[f] = emptyIsNull(v)
		}
	}
	out, tell := s.tables["charges"].wrap(charge), func() {}
	if len(difference(before, charge)) > 0 {
		tell = s.leaseTouched(lease, map[string][2]any{}, ActorAPI)
	}
	s.mu.Unlock()
	tell()
	reply(w, out)
}

func (s *Server) deleteRecurringCharge(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	lease, _ := s.charge(r.PathValue("id"), r.PathValue("charge"))
	if lease == nil {
		s.mu.Unlock()
		s.unknown(w)
		return
	}
	s.tables["charges"].remove(number(r.PathValue("charge")))
	tell := s.leaseTouched(lease, map[string][2]any{}, ActorAPI)
	s.mu.Unlock()
	tell()
	reply(w, record{})
}

// countAlike counts a create that repeats an earlier one in all that matters.
func (d *db) countAlike(what ...string) {
	same := strings.Join(what, "\x00")
	if len(d.created) >= maxRecords {
		clear(d.created)
	}
	d.created[same]++
	if d.created[same] > 1 {
		d.duplicates++
	}
}
