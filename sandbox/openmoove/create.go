package openmoove

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
)

// maxBody is the longest request in bytes.
const maxBody = 1 << 20

// postClient creates a client with a property (contracts/openmoove.md 2).
func (s *Server) postClient(w http.ResponseWriter, r *http.Request) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "Unsupported media type in request.")
		return
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.UseNumber()
	var body any
	err := decoder.Decode(&body)
	if _, more := decoder.Token(); err != nil || more != io.EOF {
		fail(w, http.StatusBadRequest, "JSON parse error")
		return
	}
	fields, ok := body.(map[string]any)
	if !ok {
		reply(w, http.StatusBadRequest, map[string][]string{"non_field_errors": {"Invalid data. Expected a dictionary."}})
		return
	}
	o, problems := check(fields)
	if wrong := problems.body(); wrong != nil {
		reply(w, http.StatusBadRequest, wrong)
		return
	}
	s.mu.Lock()
	p, err := s.create(o)
	first := s.options.WebhookFirst
	s.mu.Unlock()
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	created := s.event(PropertyCreated, p.created)
	if first {
		s.hooks.sendFirst(created)
	} else {
		s.hooks.send(created)
	}
	reply(w, http.StatusCreated, p.reply())
}

// reply is what a create is answered. There is no id of a mortgage broker.
func (p *Property) reply() map[string]any {
	purchases := []any{}
	for _, b := range p.Purchases {
		purchases = append(purchases, map[string]any{
			"id": b.ID, "product_name": productName, "amount": "0", "payment_terms": "net_30",
			"payment_status": "pending", "purchased_at": stamp(b.PurchasedAt),
		})
	}
	out := map[string]any{
		"property_id": p.ID, "mover_id": p.MoverID, "message": "Client and property created successfully",
		"property": p.pdtf(), "purchases": purchases, "total_amount": "0",
	}
	for _, m := range p.Team {
		if m.Role != "mortgage_broker" {
			out[m.Role+"_id"] = m.PersonID
		}
	}
	return out
}
