package openmoove

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

const (
	pageSize    = 20
	maxPageSize = 100
)

// productSlug names the only product (contracts/openmoove.md 2).
const (
	productSlug = "moove-ready-pack"
	productName = "Moove Ready Pack"
)

func (s *Server) getProducts(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"count": 1, "results": []any{map[string]any{
		"name": productName, "slug": productSlug,
		"description": "Complete property transaction package including legal support and milestone tracking",
		"price":       map[string]any{"amount": 0, "currency": "GBP"},
	}}})
}

// getProperties lists oldest first, so that a page that was read does not move.
func (s *Server) getProperties(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size := pageSize
	if n, err := strconv.Atoi(q.Get("page_size")); err == nil && n > 0 {
		size = min(n, maxPageSize)
	}
	page := 1
	if q.Get("page") != "" {
		n, err := strconv.Atoi(q.Get("page"))
		if err != nil {
			n = 0
		}
		page = n
	}
	s.mu.Lock()
	count := len(s.properties)
	var shown []*Property
	if page >= 1 && page-1 <= count/size {
		from := (page - 1) * size
		// The part is read without the lock: a change puts another pointer in its place.
		shown = append(shown, s.properties[from:min(from+size, count)]...)
	}
	s.mu.Unlock()
	if len(shown) == 0 && page != 1 {
		fail(w, http.StatusNotFound, "Invalid page.")
		return
	}
	rows := make([]any, len(shown))
	for i, p := range shown {
		rows[i] = p.row()
	}
	var next, previous any
	if page*size < count {
		next = pageURL(r, page+1)
	}
	if page > 1 {
		previous = pageURL(r, page-1)
	}
	reply(w, http.StatusOK, map[string]any{"count": count, "next": next, "previous": previous, "results": rows})
}

// pageURL is the address as it was called, of another page.
func pageURL(r *http.Request, page int) string {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("page", strconv.Itoa(page))
	if page == 1 {
		q.Del("page")
	}
	u.Scheme, u.Host, u.RawQuery = "http", r.Host, q.Encode()
	return u.String()
}

// byUUID and byNumber find the property that the path names in one of its forms;
// byEither takes both.
func (s *Server) byUUID(w http.ResponseWriter, r *http.Request) *Property {
	return s.find(w, func() *Property { return s.withUUID(r.PathValue("id")) })
}

func (s *Server) byNumber(w http.ResponseWriter, r *http.Request) *Property {
	return s.find(w, func() *Property { return s.withID(r.PathValue("id")) })
}

func (s *Server) byEither(w http.ResponseWriter, r *http.Request) *Property {
	return s.find(w, func() *Property {
		if p := s.withID(r.PathValue("id")); p != nil {
			return p
		}
		return s.withUUID(r.PathValue("id"))
	})
}

// find answers 404 where there is nothing.
func (s *Server) find(w http.ResponseWriter, look func() *Property) *Property {
	s.mu.Lock()
	p := look()
	s.mu.Unlock()
	if p == nil {
		notFound(w)
	}
	return p
}

func (s *Server) getProperty(w http.ResponseWriter, r *http.Request) {
	if p := s.byUUID(w, r); p != nil {
		reply(w, http.StatusOK, p.pdtf())
	}
}

func (s *Server) getDetail(w http.ResponseWriter, r *http.Request) {
	options := s.Options()
	if options.WithoutDetail {
		notFound(w)
		return
	}
	if p := s.byNumber(w, r); p != nil {
		reply(w, http.StatusOK, p.detail(!options.WithoutTeam))
	}
}

func (s *Server) getMilestones(w http.ResponseWriter, r *http.Request) {
	p := s.byEither(w, r)
	if p == nil {
		return
	}
	now, out := s.cfg.Now(), []any{}
	for _, m := range p.Milestones {
		out = append(out, m.rest(now))
	}
	reply(w, http.StatusOK, out)
}

// getCurrentMilestone answers 404 where all are completed; what OpenMoove does then
// is not known.
func (s *Server) getCurrentMilestone(w http.ResponseWriter, r *http.Request) {
	p := s.byEither(w, r)
	if p == nil {
		return
	}
	m := p.Current()
	if m == nil {
		fail(w, http.StatusNotFound, "No current milestone found.")
		return
	}
	reply(w, http.StatusOK, m.current(s.cfg.Now()))
}

func (s *Server) getChat(w http.ResponseWriter, r *http.Request) {
	if s.byEither(w, r) == nil {
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"count": 0, "next": nil, "previous": nil, "results": []any{}, "message": "Chat integration not yet implemented",
	})
}

func (s *Server) getChatSummary(w http.ResponseWriter, r *http.Request) {
	p := s.byEither(w, r)
	if p == nil {
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"summaries": []any{map[string]any{
			"date": p.CreatedAt.UTC().Format("2006-01-02"), "summary": fmt.Sprintf("Discussion about the sale of %s", p.Address),
		}},
		"message": "Mock chat summary - real implementation pending",
	})
}
