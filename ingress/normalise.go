package ingress

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aictive/keyholder/workflows/durable"
)

// record is the body's data with the partner's REST field names.
func (d *Decoder) record(data any) any {
	if list, ok := data.([]any); ok && len(list) == 0 {
		// Some languages write an empty map as [].
		return map[string]any{}
	}
	if d.source == SourceOpenMoove {
		return openMooveNames(data)
	}
	return restNames(data)
}

// changes reads {field: {old, new}} and {field: {previous, current}}
// (contracts/rentvine.md 6.1). A shape that is neither does not cost the event:
// whoever takes it reads the record again.
func (d *Decoder) changes(sent any) map[string]durable.Change {
	fields, ok := sent.(map[string]any)
	if !ok || len(fields) == 0 {
		return nil
	}
	out := make(map[string]durable.Change, len(fields))
	for _, name := range byRESTNameLast(fields) {
		change, ok := fields[name].(map[string]any)
		if !ok {
			out[restName(name)] = durable.Change{New: plainText(fields[name])}
			continue
		}
		out[restName(name)] = durable.Change{Old: plainText(either(change, "old", "previous")), New: plainText(either(change, "new", "current"))}
	}
	return out
}

func either(m map[string]any, a, b string) any {
	if v, ok := m[a]; ok {
		return v
	}
	return m[b]
}

// restNames renames the guide's snake_case fields to RentVine's own at every
// level (property_id to propertyID, start_date to startDate) and writes whole
// numbers in ids as decimal strings, as live bodies do (contracts/rentvine.md
// 1.2). The depth is bounded by parseJSON.
func restNames(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range byRESTNameLast(v) {
			rest, value := restName(name), restNames(v[name])
			if rest == "id" || strings.HasSuffix(rest, "ID") || strings.HasSuffix(rest, "IDs") {
				value = idsAsText(value)
			}
			out[rest] = value
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = restNames(v[i])
		}
		return out
	}
	return v
}

// byRESTNameLast lists the keys, those that need no renaming last: where both
// spellings are there, RentVine's own wins.
func byRESTNameLast(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		renamedA, renamedB := restName(a) != a, restName(b) != b
		if renamedA != renamedB {
			if renamedA {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}

// restName is RentVine's spelling of a snake_case name; others stay as they are.
func restName(name string) string {
	if !snakeCase.MatchString(name) {
		return name
	}
	words := strings.Split(name, "_")
	for i, w := range words[1:] {
		switch w {
		case "id":
			w = "ID"
		case "ids":
			w = "IDs"
		default:
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		words[i+1] = w
	}
	return strings.Join(words, "")
}

func idsAsText(v any) any {
	switch v := v.(type) {
	case json.Number:
		if wholeNumber.MatchString(v.String()) {
			return v.String()
		}
	case []any:
		for i := range v {
			v[i] = idsAsText(v[i])
		}
	}
	return v
}

// openMooveNames gives a webhook's milestone the field name of the REST API:
// completed_date is completed_at there (contracts/openmoove.md 3).
func openMooveNames(data any) any {
	record, _ := data.(map[string]any)
	milestone, ok := record["milestone"].(map[string]any)
	if !ok {
		return data
	}
	if date, ok := milestone["completed_date"]; ok {
		if _, both := milestone["completed_at"]; !both {
			milestone["completed_at"] = date
		}
		delete(milestone, "completed_date")
	}
	return data
}
