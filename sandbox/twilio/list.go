package twilio

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	defaultPage = 50
	maxPage     = 1000
)

// list answers newest first, filtered by To, From and DateSent (=, >, <). A text
// that has not left yet has no date of sending and fits no date filter.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, errAfter := day(q.Get("DateSent>"))
	before, errBefore := day(q.Get("DateSent<"))
	on, errOn := day(q.Get("DateSent"))
	if errAfter != nil || errBefore != nil || errOn != nil {
		fail(w, http.StatusBadRequest, 20001, "DateSent is not a date")
		return
	}
	size, page := number(q.Get("PageSize"), defaultPage), number(q.Get("Page"), 0)
	size = min(max(size, 1), maxPage)
	all := s.box.filter(func(m Message) bool {
		return (q.Get("To") == "" || m.To == q.Get("To")) &&
			(q.Get("From") == "" || m.From == q.Get("From")) &&
			(after.IsZero() || !m.Sent.Before(after)) &&
			(before.IsZero() || (!m.Sent.IsZero() && !m.Sent.After(before))) &&
			(on.IsZero() || (!m.Sent.Before(on) && m.Sent.Before(on.Add(24*time.Hour))))
	})
	// The token names the last message of the page before, so that texts sent
	// meanwhile do not shift the pages.
	start := page * size
	if token := q.Get("PageToken"); len(token) > 2 {
		for i, m := range all {
			if m.SID == token[2:] {
				start = i + 1
			}
		}
	}
	start = min(start, len(all))
	end := min(start+size, len(all))
	rows := []map[string]any{}
	for _, m := range all[start:end] {
		rows = append(rows, s.wire(m))
	}
	var next, previous *string
	if end < len(all) {
		u := s.pageURI(q, page+1, size, "PA"+all[end-1].SID)
		next = &u
	}
	if page > 0 {
		u := s.pageURI(q, page-1, size, "")
		previous = &u
	}
	reply(w, http.StatusOK, map[string]any{
		"messages": rows, "page": page, "page_size": size, "start": start, "end": max(start, end-1),
		"uri": s.pageURI(q, page, size, q.Get("PageToken")), "first_page_uri": s.pageURI(q, 0, size, ""),
		"next_page_uri": next, "previous_page_uri": previous,
	})
}

func (s *Server) pageURI(query url.Values, page, size int, token string) string {
	q := url.Values{}
	for _, key := range []string{"To", "From", "DateSent", "DateSent>", "DateSent<"} {
		if v := query.Get(key); v != "" {
			q.Set(key, v)
		}
	}
	q.Set("Page", itoa(page))
	q.Set("PageSize", itoa(size))
	if token != "" {
		q.Set("PageToken", token)
	}
	return apiPrefix + s.cfg.AccountSID + "/Messages.json?" + q.Encode()
}

// day reads a date or a time; zero where there is none.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, s)
}

func number(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 1_000_000 {
		return n
	}
	return otherwise
}
