package rentvine

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoLease is what is said of a lease that is not there.
var ErrNoLease = errors.New("no such lease")

// tenantFields are the fields of PutLease beside those of a lease.
func tenantFields() map[string]string {
	return map[string]string{"tenantName": "name", "phone": "phone", "email": "email"}
}

// PutLease is a person making a lease in RentVine's own pages, or changing the one with
// the leaseID among the fields. A new one has a new tenant, who may be described by
// tenantName, phone and email; it is Pending, of unit 1 where neither property nor unit
// is given, with the dates that are given and no others, and with a recurring charge of
// the rent (rent, 1850.00 where there is none). It tells nobody. Errors say which field
// is wrong; nothing has changed then.
func (s *Server) PutLease(fields map[string]any) (leaseID, contactID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.leaseProblems(fields, append(TenantFields(), "leaseID")...); err != nil {
		return "", "", err
	}
	leases := s.tables["leases"]
	if id := str(fields["leaseID"]); leases.get(id) != nil {
		if str(fields["rent"]) != "" {
			return "", "", errors.New("rent is only for a new lease; after that it is a recurring charge")
		}
		s.setLease(leases.get(id), fields)
		tenants := append(texts(leases.get(id)["tenants"]), "")
		return id, tenants[0], nil
	}
	lease := blankLease()
	lease["dateTimeCreated"] = s.cfg.Now().UTC().Format(time.RFC3339)
	lease["leaseID"] = str(fields["leaseID"])
	if str(fields["propertyID"]) == "" && str(fields["unitID"]) == "" {
		lease["unitID"] = "1"
	}
	id := strconv.Itoa(leases.add(lease))
	lease["code"] = "L-" + id
	s.setLease(lease, fields)
	who := s.newTenant(lease, fields)
	lease["tenants"] = []string{who}
	rent := record{
		"leaseID": id, "accountID": rentAccount, "description": "Rent", "amount": "1850.00", "dayDue": "1", "frequency": "1",
		"startDate": inUSOrder(str(lease["startDate"])), "endDate": inUSOrder(str(lease["endDate"])),
	}
	if v := str(fields["rent"]); v != "" {
		rent["amount"] = v
	}
	s.tables["charges"].add(rent)
	return id, who, nil
}

// ChangeLease is a person changing fields of a lease, or how its first tenant is
// reached, in RentVine's own pages. It tells nobody. The errors are ErrNoLease, and
// those that say which field is wrong.
func (s *Server) ChangeLease(id string, fields map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := s.tables["leases"].get(id)
	if lease == nil {
		return ErrNoLease
	}
	if err := s.leaseProblems(fields, "tenantName", "phone", "email"); err != nil {
		return err
	}
	s.setLease(lease, fields)
	return nil
}

// Lease is a copy of a record as it stands, without its tenants.
func (s *Server) Lease(id string) (fields map[string]any, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := s.tables["leases"].get(id)
	if lease == nil {
		return nil, false
	}
	return told(lease), true
}

// LeaseFields are the fields that PutLease and ChangeLease know of a lease itself.
func LeaseFields() []string {
	fields := blankLease()
	for _, own := range []string{"leaseID", "tenants", "dateTimeCreated", "dateTimeModified"} {
		delete(fields, own)
	}
	return slices.Sorted(maps.Keys(fields))
}

// TenantFields are the other fields that PutLease knows: of the tenant, and the rent.
func TenantFields() []string { return []string{"tenantName", "phone", "email", "rent"} }

// leaseProblems checks fields of a lease; besides those, others are allowed.
func (d *db) leaseProblems(fields map[string]any, others ...string) error {
	known := append(LeaseFields(), others...)
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		v := fields[f]
		switch {
		case !slices.Contains(known, f):
			return fmt.Errorf("%s is not a field of a lease; there are %s", f, strings.Join(known, ", "))
		case !scalar(v):
			return fmt.Errorf("%s must be a single value", f)
		case slices.Contains(leaseDates(), f) && str(v) != "" && !fits(time.DateOnly, str(v)):
			return fmt.Errorf("%s is not a date as 2026-11-22", f)
		}
	}
	for field, table := range map[string]string{"propertyID": "properties", "unitID": "units", "leaseStatusID": "leaseStatuses"} {
		if id := str(fields[field]); id != "" && d.tables[table].get(id) == nil {
			return fmt.Errorf("%s: there is no %s", field, id)
		}
	}
	if group := str(fields["primaryLeaseStatusID"]); group != "" && (number(group) < 1 || number(group) > 3) {
		return errors.New("primaryLeaseStatusID must be 1 (Pending), 2 (Active) or 3 (Closed)")
	}
	if v := str(fields["leaseID"]); v != "" && number(v) == 0 {
		return errors.New("leaseID must be a number above 0")
	}
	if v := str(fields["rent"]); v != "" {
		if _, ok := cents(v); !ok {
			return errors.New(`rent must be such as "1850.00"`)
		}
	}
	return nil
}

// setLease sets the fields of a lease that there are, completes its place and its
// status by each other, and stamps it.
func (s *Server) setLease(lease record, fields map[string]any) {
	for _, f := range LeaseFields() {
		if v, given := fields[f]; given && (str(v) != "" || slices.Contains(leaseDates(), f)) {
			lease[f] = emptyIsNull(v)
		}
	}
	units := s.tables["units"]
	switch _, givenUnit := fields["unitID"]; {
	case str(lease["unitID"]) == "" || !givenUnit && str(fields["propertyID"]) != "":
		lease["unitID"] = nil
		for _, id := range slices.Backward(units.ids()) {
			if units.rows[id]["propertyID"] == lease["propertyID"] {
				lease["unitID"] = strconv.Itoa(id)
			}
		}
	default:
		if u := units.get(str(lease["unitID"])); u != nil {
			lease["propertyID"] = u["propertyID"]
		}
	}
	group, status := str(fields["primaryLeaseStatusID"]), str(fields["leaseStatusID"])
	switch {
	case group == "" && status != "":
		lease["primaryLeaseStatusID"] = leaseGroup(status)
	case group != "" && status == "" && leaseGroup(str(lease["leaseStatusID"])) != group:
		lease["leaseStatusID"] = map[string]string{"1": "1", "2": "2", "3": "4"}[group]
	}
	if tenants := s.tenantsOf(lease); len(tenants) > 0 {
		describe(tenants[0], fields)
	}
	s.touch(lease)
}

// leaseGroup is the primary status of one of the seeded statuses.
func leaseGroup(status string) string {
	return map[string]string{"1": "1", "2": "2", "3": "2", "4": "3"}[status]
}

// newTenant makes a contact who lives in the lease: a made-up name and a number of the
// region that is kept for fiction.
func (s *Server) newTenant(lease record, fields map[string]any) string {
	t := s.tables["tenants"]
	id := t.last + 1
	first := []string{"Nora", "Ned", "Nina", "Noel", "Nell", "Nico", "Nadia"}
	last := []string{"Newcomer", "Nextdoor", "Northrup", "Newbury", "Nightingale"}
	areas := []string{"213", "310", "323", "818", "626"}
	if u := s.tables["units"].get(str(lease["unitID"])); str(u["stateID"]) == "OR" {
		areas = []string{"503", "971", "541", "458"}
	}
	const kept = 50 // numbers 555-0150 to 555-0199, beside those of the seed
	who := contact(id, 2, first[id%len(first)]+" "+last[id/len(first)%len(last)],
		fmt.Sprintf("(%s) 555-01%02d", areas[id/kept%len(areas)], kept+id%kept))
	who["dateTimeCreated"] = s.now()
	describe(who, fields)
	return strconv.Itoa(t.add(who))
}

// describe sets a tenant's name and how to reach them.
func describe(tenant record, fields map[string]any) {
	for field, of := range tenantFields() {
		if v := str(fields[field]); v != "" {
			tenant[of] = v
		}
	}
}
