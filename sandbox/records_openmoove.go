package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/aictive/keyholder/sandbox/openmoove"
	"github.com/aictive/keyholder/sandbox/samples"
)

// openMooveBases are where OpenMoove is: the second is the older base, with the same
// data (contracts/openmoove.md 1).
func openMooveBases() []string {
	return []string{"/openmoove/api/v1/partners", "/openmoove/api/partners"}
}

func (s *Sandbox) newOpenMoove() (*openmoove.Server, error) {
	var journal func(int64, []byte)
	if s.cfg.StateFile != "" {
		journal = s.journal.add
	}
	server, err := openmoove.New(openmoove.Config{
		Journal: journal, OnChange: s.changed,
		Key: s.cfg.OpenMooveKey, Limits: s.cfg.OpenMooveLimits, IngressURL: s.cfg.IngressURL,
		WebhookSecret: s.cfg.OpenMooveWebhookSecret, Retries: s.cfg.OpenMooveRetries,
		IDsAfter: clockID(time.Now()), Now: s.cfg.BusinessNow, Log: s.cfg.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("sandbox: OpenMooveLimits: %w", err)
	}
	return server, nil
}

// openMooveRoutes are the records as a person finds them in OpenMoove's own pages.
func (s *Sandbox) openMooveRoutes(mux *http.ServeMux) {
	const records = "/_records/openmoove/properties"
	mux.HandleFunc("POST /_send/openmoove/{event}", s.postSendOpenMoove)
	mux.HandleFunc("GET "+records, func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.openmoove.Newest(-1)) })
	mux.HandleFunc("POST "+records, s.postSale)
	mux.HandleFunc("GET "+records+"/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.property(w)(s.openmoove.Property(r.PathValue("id")))
	})
	mux.HandleFunc("PUT "+records+"/{id}", s.putSale)
	mux.HandleFunc("POST "+records+"/{id}/accept", s.postAccept)
	mux.HandleFunc("POST "+records+"/{id}/milestones", s.postMilestone)
	mux.HandleFunc("PUT "+records+"/{id}/milestones/{milestone}", s.putMilestone)
	mux.HandleFunc("GET /_records/openmoove/options", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, s.openmoove.Options())
	})
	mux.HandleFunc("PUT /_records/openmoove/options", s.putOptions)
	mux.HandleFunc("POST /_records/openmoove/portfolio", s.postPortfolio)
	mux.HandleFunc("GET /_records/openmoove/changes", s.getChanges)
}

// property answers with a property, or says what is wrong.
func (s *Sandbox) property(w http.ResponseWriter) func(*openmoove.Property, error) {
	return func(p *openmoove.Property, err error) {
		switch {
		case errors.Is(err, openmoove.ErrNotFound):
			refused(w, http.StatusNotFound, err)
		case err != nil:
			refused(w, http.StatusBadRequest, err)
		default:
			respond(w, http.StatusOK, p)
		}
	}
}

// postSale is a sale that was created elsewhere.
func (s *Sandbox) postSale(w http.ResponseWriter, r *http.Request) {
	fields, err := decodeObject(http.MaxBytesReader(w, r.Body, maxControl))
	if err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	p, err := s.openmoove.Create(fields)
	if err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	s.changed()
	respond(w, http.StatusCreated, p)
}

func (s *Sandbox) putSale(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Status string `json:"status"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	defer s.changed()
	s.property(w)(s.openmoove.SetStatus(r.PathValue("id"), in.Status))
}

func (s *Sandbox) postAccept(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Role string `json:"role"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	defer s.changed()
	s.property(w)(s.openmoove.Accept(r.PathValue("id"), in.Role))
}

func (s *Sandbox) postMilestone(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name        string  `json:"name"`
		Description string  `json:"description"`
		DueDate     dueDate `json:"due_date"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	defer s.changed()
	s.property(w)(s.openmoove.AddMilestone(r.PathValue("id"), in.Name, in.Description, in.DueDate.at))
}

// putMilestone leaves what the body does not name.
func (s *Sandbox) putMilestone(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Completed *bool   `json:"completed"`
		DueDate   dueDate `json:"due_date"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	change := openmoove.MilestoneChange{Completed: in.Completed}
	if in.DueDate.given {
		change.DueDate = &in.DueDate.at
	}
	defer s.changed()
	s.property(w)(s.openmoove.SetMilestone(r.PathValue("id"), r.PathValue("milestone"), change))
}

func (s *Sandbox) putOptions(w http.ResponseWriter, r *http.Request) {
	var o openmoove.Options
	if err := readJSON(w, r, &o); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	if err := s.openmoove.SetOptions(o); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	s.seen()
	respond(w, http.StatusOK, o)
}

// postPortfolio makes many sales at once: count is 1 to 5,000, the seed decides what they
// are, and quiet tells nobody by webhook.
func (s *Sandbox) postPortfolio(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Count int    `json:"count"`
		Seed  uint64 `json:"seed"`
		Quiet bool   `json:"quiet"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	made, err := s.openmoove.CreatePortfolio(in.Count, in.Seed, in.Quiet)
	if err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	s.changed()
	ids := make([]int, len(made))
	for i, p := range made {
		ids[i] = p.ID
	}
	respond(w, http.StatusCreated, map[string][]int{"ids": ids})
}

// getChanges lists what has happened to sales after the change with a number, 0 where
// none is given: what evolved and what was done by hand or by the API.
func (s *Sandbox) getChanges(w http.ResponseWriter, r *http.Request) {
	after := 0
	if text := r.URL.Query().Get("after"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			refused(w, http.StatusBadRequest, errors.New("after is the number of the last change that is known, or 0"))
			return
		}
		after = n
	}
	respond(w, http.StatusOK, s.openmoove.ChangesAfter(after))
}

// dueDate is a time, a day, which ends as OpenMoove's due dates do, or null for none.
type dueDate struct {
	given bool
	at    time.Time
}

// UnmarshalJSON is called where the field is there, with null too.
func (d *dueDate) UnmarshalJSON(raw []byte) error {
	d.given = true
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		return err
	}
	if day, err := time.Parse(time.DateOnly, *text); err == nil {
		d.at = day.Add(24*time.Hour - time.Second)
		return nil
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return fmt.Errorf("due_date is a day such as 2026-12-01, a time in RFC 3339, or null")
	}
	d.at = at
	return nil
}

// SendOpenMoove posts a sample webhook of OpenMoove, signed, as of now. The overrides
// replace fields of its data. It speaks of a new sale of its own where the event is
// property.created and the overrides name no property_id, else of the property named
// (1 where none is), and what it says happens to that record too. The error says that
// there is no such sample, that no webhooks are sent or that nobody answered.
func (s *Sandbox) SendOpenMoove(ctx context.Context, event string, overrides map[string]any) (Sent, error) {
	sample, err := samples.OpenMoove(event)
	if err != nil {
		return Sent{}, err
	}
	body, data, err := opened(event, sample)
	if err != nil {
		return Sent{}, err
	}
	if err := s.openmoove.WebhooksStopped(); err != nil {
		return Sent{}, err
	}
	occurred, err := s.openmoove.Happen(event, overrides)
	if err != nil {
		return Sent{}, err
	}
	maps.Copy(data, occurred)
	for field, v := range overrides {
		of, isObject := data[field].(map[string]any)
		if with, both := v.(map[string]any); isObject && both {
			maps.Copy(of, with)
			continue
		}
		data[field] = v
	}
	body["timestamp"] = s.openmoove.Stamp()
	s.changed()
	return Sent{PropertyID: fmt.Sprint(data["property_id"])}.post(ctx, s.openmoove.Post, body)
}

func (s *Sandbox) postSendOpenMoove(w http.ResponseWriter, r *http.Request) {
	overrides, err := decodeObject(http.MaxBytesReader(w, r.Body, maxControl))
	if err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	event := r.PathValue("event")
	if _, err := samples.OpenMoove(event); err != nil {
		refused(w, http.StatusNotFound, err)
		return
	}
	sent, err := s.SendOpenMoove(r.Context(), event, overrides)
	switch {
	case errors.Is(err, openmoove.ErrNoSecret), errors.Is(err, openmoove.ErrSwitchedOff):
		refused(w, http.StatusConflict, err)
	case err != nil:
		refused(w, http.StatusBadGateway, err)
	default:
		respond(w, http.StatusOK, sent)
	}
}

// openMooveDetail is what OpenMoove would say of a fault (contracts/openmoove.md 1).
func openMooveDetail(f Fault) string {
	switch f.Status {
	case http.StatusUnauthorized:
		return "Invalid API key provided"
	case http.StatusForbidden:
		return "You do not have permission to perform this action"
	case http.StatusNotFound:
		return "Not found."
	case http.StatusTooManyRequests:
		seconds := 1.0
		if d, err := time.ParseDuration(f.RetryAfter); err == nil {
			seconds = math.Ceil(d.Seconds())
		}
		return openmoove.Throttled(time.Duration(seconds) * time.Second)
	}
	return "a fault of the sandbox"
}
