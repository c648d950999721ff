package quickbooks

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// row is what can be asked for.
type row interface {
	// field is the text of a field that queries may name.
	field(name string) (string, bool)
	// shown is the object over the wire.
	shown() any
}

// statement is the part of the query language that is imitated; condition is what may
// stand after "where", with "and" between.
var (
	statement = regexp.MustCompile(`(?is)^select\s+(\*|count\(\*\))\s+from\s+(\w+)(?:\s+where\s+(.*?))?(?:\s+order\s*by\s+(\w+)(?:\s+(asc|desc))?)?(?:\s+startposition\s+(\d{1,9}))?(?:\s+maxresults\s+(\d{1,9}))?$`)
	condition = regexp.MustCompile(`(?i)^(\w+)\s*(?:(=|<=|>=|<|>)\s*('(?:[^'\\]|\\.)*'|true|false)|in\s*\(\s*((?:'(?:[^'\\]|\\.)*'|true|false)(?:\s*,\s*(?:'(?:[^'\\]|\\.)*'|true|false))*)\s*\))(?:\s+and\s+|$)`)
	literal   = regexp.MustCompile(`(?i)'(?:[^'\\]|\\.)*'|true|false`)
	escaped   = regexp.MustCompile(`\\(.)`)
)

// wanted is one condition: the field is one of the values, or on one side of the first.
type wanted struct {
	field, operator string
	values          []string
}

func (w wanted) holds(r row) (holds, known bool) {
	have, known := r.field(w.field)
	if w.operator == "" || w.operator == "=" {
		return known && slices.ContainsFunc(w.values, func(v string) bool { return strings.EqualFold(v, have) }), known
	}
	order := cmp.Compare(have, w.values[0])
	switch w.operator {
	case "<":
		return order < 0, known
	case "<=":
		return order <= 0, known
	case ">":
		return order > 0, known
	default:
		return order >= 0, known
	}
}

// conditions reads what stands after "where".
func conditions(text string) (all []wanted, ok bool) {
	for text = strings.TrimSpace(text); text != ""; {
		m := condition.FindStringSubmatch(text)
		if m == nil {
			return nil, false
		}
		w := wanted{field: m[1], operator: m[2]}
		for _, v := range literal.FindAllString(m[3]+m[4], -1) {
			if strings.HasPrefix(v, "'") {
				v = escaped.ReplaceAllString(v[1:len(v)-1], "$1")
			}
			w.values = append(w.values, v)
		}
		all = append(all, w)
		text = text[len(m[0]):]
	}
	return all, true
}

// rows are those of an entity, oldest first. Names that are not active are left out unless
// the query asks for them. A number finds its documents without a look at all others.
func (s *Server) rows(name string, where []wanted) (entity string, out []row, ok bool) {
	listed := slices.ContainsFunc(where, func(w wanted) bool { return strings.EqualFold(w.field, "Active") })
	parties := func(all []*party) {
		for _, p := range all {
			if p.Active || listed {
				out = append(out, p)
			}
		}
	}
	switch strings.ToLower(name) {
	case "vendor":
		parties(s.Vendors)
		return "Vendor", out, true
	case "customer":
		parties(s.Customers)
		return "Customer", out, true
	case "item":
		parties(s.items)
		return "Item", out, true
	case "account":
		for _, a := range s.accounts {
			if a.Active || listed {
				out = append(out, a)
			}
		}
		return "Account", out, true
	}
	for _, kind := range kinds() {
		if !strings.EqualFold(kind, name) {
			continue
		}
		for _, w := range where {
			if strings.EqualFold(w.field, "DocNumber") && w.operator == "=" {
				for _, d := range s.numbered(kind, w.values[0]) {
					out = append(out, d)
				}
				return kind, out, true
			}
		}
		for _, d := range s.Documents[kind] {
			out = append(out, d)
		}
		return kind, out, true
	}
	return "", nil, false
}

func (s *Server) query(r *http.Request, _ []byte) answer {
	m := statement.FindStringSubmatch(strings.TrimSpace(r.URL.Query().Get("query")))
	unread := answer{fault: s.validation("4000", "Error parsing query", "QueryParserError", "")}
	if m == nil {
		return unread
	}
	where, ok := conditions(m[3])
	if !ok {
		return unread
	}
	name, rows, ok := s.rows(m[2], where)
	if !ok {
		return unread
	}
	var found []row
	for _, r := range rows {
		all := true
		for _, w := range where {
			holds, known := w.holds(r)
			if !known {
				return answer{fault: s.validation("4001", "Invalid query", "QueryValidationError: Property "+w.field+" not found for Entity "+name, "")}
			}
			all = all && holds
		}
		if all {
			found = append(found, r)
		}
	}
	if m[1] != "*" {
		return answer{name: "QueryResponse", object: record{"totalCount": len(found)}}
	}
	sorted(found, m[4], strings.EqualFold(m[5], "desc"))
	start, most := 1, defaultPage
	if n, err := strconv.Atoi(m[6]); err == nil {
		start = max(n, 1)
	}
	if n, err := strconv.Atoi(m[7]); err == nil {
		most = min(n, maxPage)
	}
	found = found[min(start-1, len(found)):]
	found = found[:min(most, len(found))]
	if len(found) == 0 {
		return answer{name: "QueryResponse", object: record{}}
	}
	out := make([]any, len(found))
	for i, r := range found {
		out[i] = r.shown()
	}
	return answer{name: "QueryResponse", object: record{name: out, "startPosition": start, "maxResults": len(found)}}
}

// sorted orders by a field; by its id a row is in its place already.
func sorted(rows []row, field string, descending bool) {
	if field != "" && !strings.EqualFold(field, "Id") {
		slices.SortStableFunc(rows, func(a, b row) int {
			x, _ := a.field(field)
			y, _ := b.field(field)
			return strings.Compare(x, y)
		})
	}
	if descending {
		slices.Reverse(rows)
	}
}
