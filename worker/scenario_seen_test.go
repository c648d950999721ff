package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows/maintenance"
)

// What people and partners got, and what the workflow says.

// describe asks the workflow; in a callback or after the end.
func (s *scenario) describe() maintenance.Description {
	s.t.Helper()
	value, err := s.env.QueryWorkflow(maintenance.Describe.Name)
	require.NoError(s.t, err)
	var d maintenance.Description
	require.NoError(s.t, value.Get(&d))
	return d
}

// since is a time on the workflow's clock as a duration from the start.
func (s *scenario) since(at time.Time) time.Duration { return at.Sub(s.start).Round(time.Second) }

// lines is the timeline as "offset what person", only what contains one of some
// words where any are given.
func (s *scenario) lines(d maintenance.Description, words ...string) []string {
	var out []string
	for _, e := range d.Timeline {
		if len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(e.What, w) }) {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", s.since(e.At), e.What, e.Person)))
		}
	}
	return out
}

// phone is a person's: of the policy, or of tenant 1.
func (s *scenario) phone(person string) string {
	for _, p := range s.rules.Current().People() {
		if p.ID == person {
			return p.Phone
		}
	}
	require.Equal(s.t, "tara", person, "the only tenant here")
	return "+12135550101"
}

// text is one message of the sandbox's phones.
type text struct {
	SID  string `json:"sid"`
	To   string `json:"to"`
	Body string `json:"body"`
}

func (s *scenario) allTexts() []text {
	s.t.Helper()
	var all []text
	s.call(http.MethodGet, "/_messages", nil, &all)
	return all
}

// texts are the bodies that reached a person's phone.
func (s *scenario) texts(person string) []string {
	s.t.Helper()
	var bodies []string
	for _, m := range s.allTexts() {
		if m.To == s.phone(person) {
			bodies = append(bodies, m.Body)
		}
	}
	return bodies
}

// got names the texts that reached a person's phone, in order.
func (s *scenario) got(person string) []string {
	s.t.Helper()
	names := []string{}
	for _, body := range s.texts(person) {
		names = append(names, textName(body))
	}
	return names
}

type email struct {
	To          []string `json:"to"`
	Subject     string   `json:"subject"`
	Text        string   `json:"text"`
	Attachments []struct {
		Name string `json:"name"`
	} `json:"attachments"`
}

// mails are those that reached an address.
func (s *scenario) mails(to string) []email {
	s.t.Helper()
	var all, some []email
	s.call(http.MethodGet, "/_mails", nil, &all)
	for _, m := range all {
		if slices.Contains(m.To, to) {
			some = append(some, m)
		}
	}
	return some
}

// calls counts what reached a partner by method and the path's beginning.
func (s *scenario) calls(partner, method, contains string) int {
	n := 0
	for _, c := range s.box.Calls(partner) {
		if c.Method == method && strings.Contains(c.Path, contains) {
			n++
		}
	}
	return n
}

// openQuestions counts what anybody may still answer.
func (s *scenario) openQuestions() int {
	s.t.Helper()
	n := 0
	for _, p := range s.rules.Current().People() {
		open, err := s.store.OpenQuestions(context.Background(), s.keys.Address(p.Phone), s.env.Now())
		require.NoError(s.t, err)
		n += len(open)
	}
	return n
}

// incidentRuns tells whether the work order still leads in its building.
func (s *scenario) incidentRuns(category string) bool {
	s.t.Helper()
	lead, err := s.store.ClaimIncident(context.Background(), "1", category, "probe", s.env.Now(), s.start.Add(-time.Hour))
	require.NoError(s.t, err)
	return lead != "probe"
}

// nothingTwice is the sandbox's count of texts, mails and records that came twice.
func (s *scenario) nothingTwice() {
	s.t.Helper()
	require.Equal(s.t, map[string]int{"openmoove": 0, "quickbooks": 0, "rentvine": 0, "smtp": 0, "twilio": 0}, s.box.Duplicates())
}

// call asks the sandbox.
func (s *scenario) call(method, path string, body, into any) {
	s.t.Helper()
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(s.t, err)
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.base+path, reader)
	require.NoError(s.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.Less(s.t, resp.StatusCode, 300, string(answer))
	if into != nil {
		require.NoError(s.t, json.Unmarshal(answer, into))
	}
}

// textName tells which of the policy's texts a message is.
func textName(body string) string {
	for _, n := range []struct{ name, says string }{
		{"page_again", "still unanswered"}, {"offer", "EMERGENCY JOB"}, {"page", "Reply 1 = on it"},
		{"offer_withdrawn", "no longer open for you"}, {"page_stopped", "You need not answer"},
		{"life_safety", "get out NOW"}, {"received", "are calling our on-call team now"}, {"handling", "is handling your report"},
		{"coming", "is coming for your report"}, {"at_building", "is at your building"}, {"reported_done", "reports the work on"},
		{"closed", "is closed. If the problem"}, {"joined", "has joined it"},
		{"m_opened", "is being paged"}, {"m_acknowledged", "Finding a technician"}, {"m_late", " LATE: "},
		{"m_nobody", "NOBODY on call"}, {"m_no_technician", "NO technician"}, {"m_assigned", "has the job"},
		{"m_on_site", "is on site ("}, {"m_done", "Please check and close"}, {"m_closed", "the response to"},
		{"m_joined", "joined the response"}, {"t_on_site", "is yours"}, {"t_done", "reply 1 when"},
		{"not_coming", "cannot come after all"}, {"m_given_back", "no longer has the job"}, {"o_received", "will be in touch"}, {"o_opened", "new request"},
	} {
		if strings.Contains(body, n.says) {
			return n.name
		}
	}
	return body
}
