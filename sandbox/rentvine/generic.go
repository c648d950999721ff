package rentvine

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// beside adds related objects to a wrapped row.
type beside func(d *db, rec record, row record)

func portfolioBeside(d *db, rec, row record) {
	if p := d.tables["portfolios"].get(str(rec["portfolioID"])); p != nil {
		row["portfolio"] = maps.Clone(p)
	}
}

func propertyBeside(d *db, rec, row record) {
	if p := d.tables["properties"].get(str(rec["propertyID"])); p != nil {
		row["property"] = maps.Clone(p)
	}
}

// wrap is a copy of the record under its wrapper.
func (t *table) wrap(rec record) record { return record{t.wrapper: maps.Clone(rec)} }

// list answers a bare array of wrapped records.
func (s *Server) list(name string, size int, related beside) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t := s.tables[name]
		rows := []record{}
		for _, id := range s.page(r, size, t.ids()) {
			row := t.wrap(t.rows[id])
			if related != nil {
				related(&s.db, t.rows[id], row)
			}
			rows = append(rows, row)
		}
		reply(w, rows)
	}
}

// page cuts the wanted page; past the end it is empty. There is no count and no
// next link (contracts/rentvine.md 1.3).
func (s *Server) page(r *http.Request, size int, ids []int) []int {
	q := r.URL.Query()
	if n, err := strconv.Atoi(q.Get("pageSize")); err == nil && n > 0 {
		size = n
	}
	size = min(size, s.cfg.MaxPageSize)
	n, err := strconv.Atoi(q.Get("page"))
	if err != nil || n < 1 {
		n = 1
	}
	if n-1 > len(ids)/size {
		return nil
	}
	from := (n - 1) * size
	return ids[from:min(from+size, len(ids))]
}

// detail answers one wrapped record.
func (s *Server) detail(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t := s.tables[name]
		rec := t.get(r.PathValue("id"))
		if rec == nil {
			s.unknown(w)
			return
		}
		reply(w, t.wrap(rec))
	}
}

// update merges the known fields of a bare body, or of one under the wrapper, into
// the record, but for its id and the fields that RentVine accepts and ignores
// (contracts/rentvine.md 4.4).
func (s *Server) update(name string, ignored ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := readObject(w, r)
		if !ok {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		t := s.tables[name]
		rec := t.get(r.PathValue("id"))
		if rec == nil {
			s.unknown(w)
			return
		}
		if wrapped, ok := body[t.wrapper].(record); ok {
			body = wrapped
		}
		for field, v := range body {
			if _, known := rec[field]; known && scalar(v) && field != t.key && !slices.Contains(ignored, field) {
				rec[field] = wire(v)
			}
		}
		reply(w, t.wrap(rec))
	}
}
