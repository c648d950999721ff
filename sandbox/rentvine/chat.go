package rentvine

import "net/http"

// chatMessages lists an object's messages and marks them read: this GET has a side
// effect (contracts/rentvine.md 4.14).
func (s *Server) chatMessages(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, q := s.tables["chat"], r.URL.Query()
	var ids []int
	for _, id := range t.ids() {
		m := t.rows[id]
		if m["chatObjectTypeID"] == q.Get("chatObjectTypeID") && m["objectID"] == q.Get("objectID") {
			ids = append(ids, id)
		}
	}
	rows := []record{}
	for _, id := range s.page(r, 25, ids) {
		t.rows[id]["isRead"] = "1"
		rows = append(rows, t.wrap(t.rows[id]))
	}
	reply(w, rows)
}

func (s *Server) addChatMessage(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	problems := map[string][]string{}
	for _, f := range []string{"chatObjectTypeID", "objectID", "message"} {
		if str(body[f]) == "" {
			problems[f] = []string{"Value is Required"}
		}
	}
	if len(problems) > 0 {
		refuse(w, problems)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := record{
		"chatObjectTypeID": wire(body["chatObjectTypeID"]), "objectID": wire(body["objectID"]), "message": wire(body["message"]),
		"isRead": "0", "dateTimeCreated": s.now(),
	}
	s.tables["chat"].add(m)
	reply(w, s.tables["chat"].wrap(m))
}
