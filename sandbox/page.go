package sandbox

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/sandbox/page"
	"github.com/aictive/keyholder/sandbox/samples"
	"github.com/aictive/keyholder/sandbox/twilio"
)

const (
	shownTexts  = 2000
	shownPhones = 24
	shownBubble = 60
	shownMails  = 50
	shownCalls  = 100
	shownRows   = 50
)

// peoplesPage is the page and the state behind it.
type peoplesPage struct {
	sandbox *Sandbox
	page    *page.Page
	assets  http.Handler
}

func (s *Sandbox) newPage() (*peoplesPage, error) {
	p, err := page.New()
	if err != nil {
		return nil, err
	}
	assets, err := page.Assets()
	if err != nil {
		return nil, err
	}
	return &peoplesPage{sandbox: s, page: p, assets: assets}, nil
}

func (p *peoplesPage) mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.whole)
	mux.HandleFunc("GET /_page", p.parts)
	mux.HandleFunc("GET /books", p.books)
	mux.Handle("GET /_assets/", p.assets)
	mux.HandleFunc("GET /_records/rentvine/files/{id}", p.sandbox.getFile)
}

func (p *peoplesPage) whole(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := p.page.Whole(&b, p.sandbox.view()); err != nil {
		p.sandbox.log.Error("the sandbox page cannot be drawn", zap.Error(err))
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		return
	}
	sendPage(w, b.Bytes())
}

// sendPage hands out a page for people.
func sendPage(w http.ResponseWriter, html []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", page.CSP)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(html)
}

// parts answers 204 while nothing has changed since the version that the page has.
func (p *peoplesPage) parts(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("since") == strconv.FormatInt(p.sandbox.changes.Load(), 10) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	v := p.sandbox.view()
	parts, err := p.page.Parts(v)
	if err != nil {
		p.sandbox.log.Error("the sandbox page cannot be drawn", zap.Error(err))
		refused(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	respond(w, http.StatusOK, map[string]any{"version": v.Version, "parts": parts})
}

// view reads the version first: what changes meanwhile is drawn again.
func (s *Sandbox) view() page.View {
	v := page.View{Version: s.changes.Load(), Number: s.cfg.TwilioNumber, Samples: sampleNames(), Statuses: s.rentvine.StatusNames(), Leases: s.rentvine.LeaseIDs()}
	v.Tables = s.tables()
	if len(v.Tables) > 0 {
		for _, row := range v.Tables[0].Rows {
			v.WorkOrders = append(v.WorkOrders, row.Cells[0])
		}
	}
	v.OpenMoove = s.salesView()
	v.Outgoing = s.outgoingView()
	v.Counts.Outgoing = v.Outgoing.Count
	v.Counts.Sales = v.OpenMoove.Count
	v.Phones, v.MorePhones, v.Counts.Texts = s.phones(v.Tables)
	mails := s.mailbox.Mails()
	v.Counts.Mails = len(mails)
	for _, m := range slices.Backward(mails) {
		if len(v.Mails) == shownMails {
			break
		}
		shown := page.Mail{
			ID: m.ID, From: m.FromHeader, To: strings.Join(m.To, ", "), Subject: m.Subject, Text: m.Text,
			HasHTML: m.HTML != "", MessageID: m.MessageID, Problem: m.Problem, Time: m.Time,
		}
		for i, a := range m.Attachments {
			shown.Attachments = append(shown.Attachments, page.File{
				Name: a.Name, Size: a.Size, URL: fmt.Sprintf("/_mails/%d/attachments/%d", m.ID, i),
			})
		}
		v.Mails = append(v.Mails, shown)
	}
	for _, c := range slices.Backward(s.recentCalls(shownCalls)) {
		v.Calls = append(v.Calls, page.Call{
			Key: fmt.Sprint("call ", c.Partner, c.Time.UnixNano()), Partner: c.Partner, Method: c.Method, Path: c.Path,
			Fault: c.Fault, Status: c.Status, Body: c.Body, Time: c.Time,
		})
	}
	v.Partners = s.partnersView()
	for _, p := range v.Partners {
		v.Counts.Calls += p.Calls
		if p.Fault != "" {
			v.Counts.Faults++
		}
	}
	for _, n := range s.Duplicates() {
		v.Counts.Duplicates += n
	}
	return v
}

// sampleNames puts work orders, which the demonstration begins with, first, and leases
// after them.
func sampleNames() []string {
	names := samples.Names()
	slices.SortStableFunc(names, func(a, b string) int {
		place := func(s string) int {
			switch {
			case strings.HasPrefix(s, "work_order."):
				return 0
			case strings.HasPrefix(s, "lease."):
				return 1
			default:
				return 2
			}
		}
		return place(a) - place(b)
	})
	return names
}

func (s *Sandbox) tables() []page.Table {
	var tables []page.Table
	for _, t := range s.rentvine.Tables() {
		shown := page.Table{Name: t.Name, Columns: t.Columns}
		for _, cells := range t.Rows[:min(len(t.Rows), shownRows)] {
			row := page.Row{Cells: cells}
			if t.Name == "Files" {
				row.URL = "/_records/rentvine/files/" + cells[0]
			}
			shown.Rows = append(shown.Rows, row)
		}
		tables = append(tables, shown)
	}
	for _, t := range s.quickbooks.Tables() {
		shown := page.Table{Name: t.Name, Columns: t.Columns}
		for _, cells := range t.Rows[:min(len(t.Rows), shownRows)] {
			shown.Rows = append(shown.Rows, page.Row{Cells: cells})
		}
		tables = append(tables, shown)
	}
	return tables
}

// phones sorts the texts by the phone that they are on, in the order in which
// the phones first had one, so that none moves under a typing hand.
func (s *Sandbox) phones(tables []page.Table) (phones []page.Phone, more, texts int) {
	names := s.names(tables)
	index := map[string]int{}
	latest := map[string]int{}
	messages := s.twilio.Messages(shownTexts)
	for at, m := range messages {
		number, mine := m.To, m.Direction == twilio.Inbound
		if mine {
			number = m.From
		}
		i, known := index[number]
		if !known {
			i = len(phones)
			index[number] = i
			phones = append(phones, page.Phone{Number: number, Name: names[digits(number)], OptedOut: s.twilio.OptedOut(number)})
		}
		latest[number] = at
		status := m.Status
		if m.ErrorCode != 0 {
			status += fmt.Sprintf(" (%d)", m.ErrorCode)
		}
		p := &phones[i]
		p.Texts = append(p.Texts, page.Text{
			ID: m.SID, Mine: mine, Body: m.Body, Status: status, Failed: m.ErrorCode != 0, Time: m.Created,
		})
		p.Texts = p.Texts[max(0, len(p.Texts)-shownBubble):]
	}
	if more = len(phones) - shownPhones; more > 0 {
		quietest := slices.SortedFunc(slices.Values(phones), func(a, b page.Phone) int { return latest[a.Number] - latest[b.Number] })[:more]
		phones = slices.DeleteFunc(phones, func(p page.Phone) bool {
			return slices.ContainsFunc(quietest, func(q page.Phone) bool { return q.Number == p.Number })
		})
	}
	return phones, max(0, more), len(messages)
}

// names are the people behind numbers, by their digits: those configured, then
// those in RentVine, whose numbers are in national form.
func (s *Sandbox) names(tables []page.Table) map[string]string {
	names := map[string]string{}
	for _, t := range tables {
		name, phone := slices.Index(t.Columns, "name"), slices.Index(t.Columns, "phone")
		if name < 0 || phone < 0 {
			continue
		}
		for _, row := range t.Rows {
			if d := digits(row.Cells[phone]); d != "" {
				names[d] = row.Cells[name]
			}
		}
	}
	for number, name := range s.cfg.People {
		names[digits(number)] = name
	}
	return names
}

// digits are what two spellings of a number share: at most the last ten.
func digits(number string) string {
	d := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, number)
	return d[max(0, len(d)-10):]
}

// getFile downloads a file that was attached in RentVine.
func (s *Sandbox) getFile(w http.ResponseWriter, r *http.Request) {
	name, data, ok := s.rentvine.File(r.PathValue("id"))
	if !ok {
		refused(w, http.StatusNotFound, fmt.Errorf("no such file"))
		return
	}
	download(w, name, "application/octet-stream", data)
}

// download hands out bytes from elsewhere such that no browser shows them as a page.
func download(w http.ResponseWriter, name, contentType string, data []byte) {
	if name == "" {
		name = "attachment"
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(data)
}
