package rentvine

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

func (s *Server) unitsOfProperty(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	units := s.tables["units"]
	if s.tables["properties"].get(r.PathValue("id")) == nil {
		s.unknown(w)
		return
	}
	var ids []int
	for _, id := range units.ids() {
		if units.rows[id]["propertyID"] == r.PathValue("id") {
			ids = append(ids, id)
		}
	}
	rows := []record{}
	for _, id := range s.page(r, 25, ids) {
		rows = append(rows, units.wrap(units.rows[id]))
	}
	reply(w, rows)
}

func (s *Server) unitOfProperty(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	units := s.tables["units"]
	u := units.get(r.PathValue("unit"))
	if u == nil || u["propertyID"] != r.PathValue("id") {
		s.unknown(w)
		return
	}
	reply(w, units.wrap(u))
}

// leases lists leases with tenants as bare names (contracts/rentvine.md 4.10).
func (s *Server) leases(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []record{}
	for _, id := range s.page(r, 25, s.tables["leases"].ids()) {
		lease := s.tables["leases"].rows[id]
		row := record{"lease": s.leaseWithNames(lease)}
		if u := s.tables["units"].get(str(lease["unitID"])); u != nil {
			row["unit"] = maps.Clone(u)
		}
		rows = append(rows, row)
	}
	reply(w, rows)
}

func (s *Server) lease(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := s.tables["leases"].get(r.PathValue("id"))
	if lease == nil {
		s.unknown(w)
		return
	}
	reply(w, record{"lease": s.leaseWithNames(lease)})
}

func (s *Server) leaseWithNames(lease record) record {
	out := maps.Clone(lease)
	names := []string{}
	for _, t := range s.tenantsOf(lease) {
		names = append(names, str(t["name"]))
	}
	out["tenants"] = names
	return out
}

func (d *db) tenantsOf(lease record) []record {
	ids, _ := lease["tenants"].([]string)
	var out []record
	for _, id := range ids {
		if t := d.tables["tenants"].get(id); t != nil {
			out = append(out, t)
		}
	}
	return out
}

// leaseExport lists leases with tenants as objects and the place beside them; its
// date-times are ISO 8601 (contracts/rentvine.md 1.6, 2.3).
func (s *Server) leaseExport(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	wanted, groups := q["leaseIDs[]"], q["primaryLeaseStatusIDs[]"]
	leases := s.tables["leases"]
	var ids []int
	for _, id := range leases.ids() {
		l := leases.rows[id]
		byID := len(wanted) == 0 || slices.Contains(wanted, str(l["leaseID"]))
		byGroup := len(groups) == 0 || slices.Contains(groups, str(l["primaryLeaseStatusID"]))
		if byID && byGroup {
			ids = append(ids, id)
		}
	}
	rows := []record{}
	for _, id := range s.page(r, 25, ids) {
		rows = append(rows, s.exportRow(leases.rows[id]))
	}
	reply(w, rows)
}

func (s *Server) exportRow(lease record) record {
	tenants := []record{}
	for _, t := range s.tenantsOf(lease) {
		tenants = append(tenants, record{
			"contactID": t["contactID"], "name": t["name"], "email": t["email"], "phone": t["phone"], "isActive": t["isActive"],
		})
	}
	out := maps.Clone(lease)
	out["tenants"] = tenants
	row := record{
		"lease":         out,
		"balances":      record{"unpaidTotalAmount": 0, "unpaidRentAmount": 0, "pastDueTotalAmount": 0, "pastDueRentAmount": 0},
		"unpaidCharges": []record{},
	}
	propertyBeside(&s.db, lease, row)
	if u := s.tables["units"].get(str(lease["unitID"])); u != nil {
		row["unit"] = maps.Clone(u)
	}
	if p := s.tables["properties"].get(str(lease["propertyID"])); p != nil {
		portfolioBeside(&s.db, p, row)
	}
	return row
}

// recurringCharges lists a lease's charges; the rent is those whose account.isRent
// is "1" (contracts/rentvine.md 2.4).
func (s *Server) recurringCharges(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	charges := s.tables["charges"]
	rows := []record{}
	for _, id := range charges.ids() {
		c := charges.rows[id]
		if c["leaseID"] != r.PathValue("id") {
			continue
		}
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

// addRecurringCharge takes its dates in US order only (contracts/rentvine.md 1.6).
func (s *Server) addRecurringCharge(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	problems := map[string][]string{}
	for _, field := range []string{"startDate", "endDate"} {
		if v := str(body[field]); v != "" {
			if _, err := time.Parse("01/02/2006", v); err != nil {
				problems[field] = []string{"Date is Invalid"}
			}
		}
	}
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
	defer s.mu.Unlock()
	if s.tables["leases"].get(r.PathValue("id")) == nil {
		s.unknown(w)
		return
	}
	charge := record{"leaseID": r.PathValue("id")}
	for _, f := range []string{"dayDue", "frequency", "accountID", "amount", "description", "startDate", "endDate"} {
		charge[f] = wire(body[f])
	}
	s.tables["charges"].add(charge)
	reply(w, s.tables["charges"].wrap(charge))
}

// portfolioSearch answers contacts as JSON inside a string (contracts/rentvine.md 2.5).
func (s *Server) portfolioSearch(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables["portfolios"]
	rows := []record{}
	for _, id := range s.page(r, 25, t.ids()) {
		p := maps.Clone(t.rows[id])
		contacts, err := json.Marshal(p["owners"])
		if err != nil {
			contacts = []byte("[]")
		}
		p["contacts"] = string(contacts)
		rows = append(rows, record{"portfolio": p, "statementSetting": record{}, "lastStatement": nil})
	}
	reply(w, rows)
}
