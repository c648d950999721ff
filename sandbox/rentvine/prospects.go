package rentvine

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// prospects lists those changed since dateTimeModifiedMin (contracts/rentvine.md 2.9).
func (s *Server) prospects(w http.ResponseWriter, r *http.Request) {
	from := r.URL.Query().Get("dateTimeModifiedMin")
	if from != "" && !fits(time.DateTime, from) {
		refuse(w, map[string][]string{"dateTimeModifiedMin": {"Date is Invalid"}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables["prospects"]
	var ids []int
	for _, id := range t.ids() {
		if str(t.rows[id]["dateTimeModified"]) >= from {
			ids = append(ids, id)
		}
	}
	rows := []record{}
	for _, id := range s.page(r, 15, ids) {
		rows = append(rows, t.wrap(t.rows[id]))
	}
	reply(w, rows)
}

// e164 is the only form of a phone that is taken.
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// createProspect takes a bare body. The same mail address for the same unit again is
// answered with 200 and no id; a phone that is not E.164 is refused, and a status is
// ignored (contracts/rentvine.md 2.9). The names of the fields are this sandbox's own.
func (s *Server) createProspect(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made, problems := record{"status": "New", "dateTimeCreated": s.now(), "dateTimeModified": s.now()}, map[string][]string{}
	for _, f := range []string{"unitID", "firstName", "lastName", "email", "phone"} {
		if !scalar(body[f]) {
			problems[f] = []string{"Value is Invalid"}
		}
		made[f] = emptyIsNull(body[f])
	}
	if s.tables["units"].get(str(made["unitID"])) == nil {
		problems["unitID"] = []string{"unitID is Invalid"}
	}
	if phone := str(made["phone"]); phone != "" && !e164.MatchString(phone) {
		problems["phone"] = []string{"Phone is Invalid"}
	}
	if len(problems) > 0 {
		refuse(w, problems)
		return
	}
	for _, p := range s.tables["prospects"].rows {
		if email := str(made["email"]); email != "" && p["unitID"] == made["unitID"] && strings.EqualFold(str(p["email"]), email) {
			reply(w, record{"prospect": record{"prospectID": nil}})
			return
		}
	}
	s.tables["prospects"].add(made)
	s.countAlike("prospect", str(made["unitID"]), str(made["email"]), str(made["phone"]))
	reply(w, s.tables["prospects"].wrap(made))
}
