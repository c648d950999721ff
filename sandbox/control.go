package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/aictive/keyholder/sandbox/mailbox"
)

const maxControl = 1 << 20

// The paths of the subscriber, and of one that redirects to it, where a sender should not
// follow.
const (
	subscriberPath = "/subscriber"
	redirectPath   = "/subscriber-redirect"
)

// routes is everything that the sandbox answers.
func (s *Sandbox) routes() (http.Handler, error) {
	page, err := s.newPage()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/rentvine/", s.door(RentVine, "/rentvine/api/manager", s.rentvine))
	for _, base := range openMooveBases() {
		mux.Handle(base+"/", s.door(OpenMoove, base, s.openmoove))
	}
	mux.Handle("/twilio/", s.door(Twilio, "/twilio", s.twilio))
	mux.Handle("/quickbooks/", s.door(QuickBooks, "/quickbooks", s.quickbooks))
	mux.Handle("/llm/", s.door(LLM, "/llm/v1", s.model))
	mux.HandleFunc("PUT /_llm", s.putModel)
	mux.Handle(subscriberPath+"/", s.door(Subscriber, subscriberPath, s.subscriber))
	mux.Handle(redirectPath+"/", s.door(Subscriber, redirectPath, s.subscriber.Redirect(subscriberPath)))
	mux.HandleFunc("GET /_webhooks", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.subscriber.Webhooks(-1)) })
	mux.HandleFunc("GET /_calls", s.getCalls)
	mux.HandleFunc("GET /_calls/statuses", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.calls.statuses()) })
	mux.HandleFunc("GET /_faults", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.faults.all()) })
	mux.HandleFunc("PUT /_faults/{partner}", s.putFault)
	mux.HandleFunc("DELETE /_faults/{partner}", s.deleteFault)
	mux.HandleFunc("GET /_duplicates", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.Duplicates()) })
	mux.HandleFunc("POST /_reset", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_send/rentvine/{event}", s.postSend)
	mux.HandleFunc("POST /_records/rentvine/work-orders", s.postWorkOrder)
	mux.HandleFunc("PUT /_records/rentvine/work-orders/{id}/status", s.putStatus)
	s.leaseRoutes(mux)
	s.accountingRoutes(mux)
	s.placeRoutes(mux)
	s.openMooveRoutes(mux)
	mux.HandleFunc("GET /inventory.csv", s.getStock)
	mux.HandleFunc("PUT /_records/inventory", s.putStock)
	mux.HandleFunc("GET /_records/quickbooks/purchase-orders", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, s.quickbooks.Orders())
	})
	mux.HandleFunc("GET /_books", s.getBooks)
	mux.HandleFunc("POST /_reply", s.postReply)
	mux.HandleFunc("GET /_messages", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, s.twilio.Messages(maxListed))
	})
	mux.HandleFunc("GET /_mails", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, append([]mailbox.Mail{}, s.mailbox.Mails()...))
	})
	mux.HandleFunc("GET /_mails/{id}/html", s.getMailHTML)
	mux.HandleFunc("GET /_mails/{id}/attachments/{n}", s.getAttachment)
	page.mount(mux)
	// A web page from elsewhere must not press buttons here.
	return http.NewCrossOriginProtection().Handler(mux), nil
}

// maxListed bounds the texts of GET /_messages.
const maxListed = 10_000

// Duplicates counts, by partner, writes that should have happened once.
func (s *Sandbox) Duplicates() map[string]int {
	return map[string]int{
		Twilio: s.twilio.Duplicates(), RentVine: s.rentvine.Duplicates(), OpenMoove: s.openmoove.Duplicates(),
		SMTP: s.mailbox.Duplicates(), QuickBooks: s.quickbooks.Duplicates(),
	}
}

// Calls lists what arrived at a partner, newest last, at most 5,000.
func (s *Sandbox) Calls(partner string) []Call { return s.calls.last(partner, maxCalls) }

// SetFault makes something go wrong at a partner until ClearFault or Reset; it
// replaces the fault before. The error says what is wrong with it.
func (s *Sandbox) SetFault(partner string, f Fault) error {
	if !slices.Contains(partners(), partner) {
		return fmt.Errorf("no stand-in %q; there are %v", partner, partners())
	}
	if err := f.check(partner); err != nil {
		return err
	}
	s.faults.put(partner, f)
	s.changed()
	return nil
}

// ClearFault lets a partner work again.
func (s *Sandbox) ClearFault(partner string) {
	s.faults.remove(partner)
	s.changed()
}

func (s *Sandbox) getCalls(w http.ResponseWriter, r *http.Request) {
	partner := r.URL.Query().Get("partner")
	if partner != "" {
		if !slices.Contains(partners(), partner) {
			refused(w, http.StatusNotFound, fmt.Errorf("no such partner; there are %v", partners()))
			return
		}
		respond(w, http.StatusOK, s.Calls(partner))
		return
	}
	respond(w, http.StatusOK, s.recentCalls(maxCalls))
}

// recentCalls merges the partners' calls, newest last.
func (s *Sandbox) recentCalls(limit int) []Call {
	all := []Call{}
	for _, partner := range partners() {
		all = append(all, s.calls.last(partner, limit)...)
	}
	slices.SortStableFunc(all, func(a, b Call) int { return a.Time.Compare(b.Time) })
	return all[max(0, len(all)-limit):]
}

func (s *Sandbox) putFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if err := readJSON(w, r, &f); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	if err := s.SetFault(r.PathValue("partner"), f); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	respond(w, http.StatusOK, f)
}

func (s *Sandbox) deleteFault(w http.ResponseWriter, r *http.Request) {
	s.ClearFault(r.PathValue("partner"))
	w.WriteHeader(http.StatusNoContent)
}

// postReply is a person's phone sending a text.
func (s *Sandbox) postReply(w http.ResponseWriter, r *http.Request) {
	var in struct {
		From string `json:"from"`
		Body string `json:"body"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	reply, err := s.twilio.Inbound(r.Context(), in.From, "", in.Body)
	if err != nil {
		refused(w, http.StatusBadGateway, err)
		return
	}
	respond(w, http.StatusOK, map[string]string{"reply": reply})
}

func (s *Sandbox) mailOf(w http.ResponseWriter, r *http.Request) (mailbox.Mail, bool) {
	id, err := strconv.Atoi(r.PathValue("id"))
	m, ok := s.mailbox.Mail(id)
	if err != nil || !ok {
		refused(w, http.StatusNotFound, errors.New("no such mail"))
		return mailbox.Mail{}, false
	}
	return m, true
}

// getMailHTML is shown in a frame without rights.
func (s *Sandbox) getMailHTML(w http.ResponseWriter, r *http.Request) {
	m, ok := s.mailOf(w, r)
	if !ok {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	// Links leave the frame, which may not go anywhere itself.
	_, _ = io.WriteString(w, `<base target="_blank">`+m.HTML)
}

func (s *Sandbox) getAttachment(w http.ResponseWriter, r *http.Request) {
	m, ok := s.mailOf(w, r)
	if !ok {
		return
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(m.Attachments) {
		refused(w, http.StatusNotFound, errors.New("no such attachment"))
		return
	}
	a := m.Attachments[n]
	contentType := "application/octet-stream"
	if a.ContentType == "application/pdf" {
		contentType = a.ContentType
	}
	download(w, a.Name, contentType, a.Data)
}

// readJSON reads an object and refuses fields that nobody knows: a misspelt
// fault would otherwise silently be none.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControl))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the body is not the JSON expected: %w", err)
	}
	return nil
}

func refused(w http.ResponseWriter, status int, err error) {
	respond(w, status, map[string]string{"error": err.Error()})
}
