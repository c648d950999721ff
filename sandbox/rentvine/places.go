package rentvine

import (
	"encoding/json"
	"maps"
	"net/http"
)

func (s *Server) unitsOfProperty(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	units := s.tables["units"]
	if s.tables["properties"].get(r.PathValue("id")) == nil {
		s.unknown(w)
		return
	}
	rows := []record{}
	for _, id := range s.page(r, 25, units.of(r.PathValue("id"))) {
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
	var out []record
	for _, id := range texts(lease["tenants"]) {
		if t := d.tables["tenants"].get(id); t != nil {
			out = append(out, t)
		}
	}
	return out
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
	balances, unpaid := s.balances(str(lease["leaseID"]), s.today())
	row := record{"lease": out, "balances": balances, "unpaidCharges": unpaid}
	propertyBeside(&s.db, lease, row)
	if u := s.tables["units"].get(str(lease["unitID"])); u != nil {
		row["unit"] = maps.Clone(u)
	}
	if p := s.tables["properties"].get(str(lease["propertyID"])); p != nil {
		portfolioBeside(&s.db, p, row)
	}
	return row
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
