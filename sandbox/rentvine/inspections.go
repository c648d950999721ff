package rentvine

import "net/http"

// inspections lists those of a property, else all.
func (s *Server) inspections(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, q := s.tables["inspections"], r.URL.Query()
	var ids []int
	for _, id := range t.ids() {
		if !q.Has("propertyID") || q.Get("propertyID") == str(t.rows[id]["propertyID"]) {
			ids = append(ids, id)
		}
	}
	rows := []record{}
	for _, id := range s.page(r, 15, ids) {
		rows = append(rows, t.wrap(t.rows[id]))
	}
	reply(w, rows)
}

// createInspection takes a bare body with the three fields that are on record
// (contracts/rentvine.md 2.8) and ignores all others. That a record has its property is
// this sandbox's own.
func (s *Server) createInspection(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	problems := map[string][]string{}
	made := record{"dateTimeCreated": s.now()}
	for _, f := range []string{"unitID", "inspectionTypeID", "inspectionStatusID"} {
		if number(body[f]) == 0 {
			problems[f] = []string{"Value is Required"}
		}
		made[f] = wire(body[f])
	}
	unit := s.tables["units"].get(str(body["unitID"]))
	if unit == nil && problems["unitID"] == nil {
		problems["unitID"] = []string{"unitID is Invalid"}
	}
	if len(problems) > 0 {
		refuse(w, problems)
		return
	}
	made["propertyID"] = unit["propertyID"]
	s.tables["inspections"].add(made)
	reply(w, s.tables["inspections"].wrap(made))
}
