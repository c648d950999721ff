package partner

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How much of a refusal is kept.
const (
	maxFields   = 50       // fields, and messages of one
	maxSaid     = 10       // fields in the one-line message
	maxWords    = 64 << 10 // bytes of a message that are looked at
	maxNesting  = 5
	hiddenValue = "[hidden]"
)

// Refusal is what a partner says in the body beside an error status. The caller
// hides personal data in it, so an Explain need not.
type Refusal struct {
	// Code is the partner's own error code.
	Code string
	// Message is its explanation; "" is made from Fields.
	Message string
	// Fields are the fields that it complains about.
	Fields []FieldProblem
	// RetryAfter is how long the words ask to wait, for a partner whose headers do
	// not say.
	RetryAfter time.Duration
}

// FieldProblem is what is wrong with one field of the request.
type FieldProblem struct {
	// Field is its path as the partner spells it, such as auctioneer_email or
	// charges[0].ledgerID; "" is the request as a whole.
	Field string
	// Messages are the partner's, without personal data.
	Messages []string
}

// Refuses tells whether the partner complains about a field: by its name, by a
// part of it (field.x, field[0]), or by naming it in words about the request as a
// whole.
func (e *Error) Refuses(field string) bool {
	name := words([]string{field})
	named := func(message string) bool {
		return slices.ContainsFunc(name, func(w *regexp.Regexp) bool { return w.MatchString(message) })
	}
	for _, p := range e.Fields {
		part, ok := strings.CutPrefix(p.Field, field)
		if ok && (part == "" || part[0] == '.' || part[0] == '[') || p.Field == "" && slices.ContainsFunc(p.Messages, named) {
			return true
		}
	}
	return false
}

// ReadFields reads the fields of a refusal: a JSON object whose values are
// messages, lists of messages, or nested objects of the same. Keys for the
// request as a whole (non_field_errors), and a bare list of messages, are field
// "". Fields are sorted by path, "" last. What is no message leaves the field
// without one; a body that is no JSON has no fields.
func ReadFields(body []byte) []FieldProblem {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	messages := map[string][]string{}
	collect(messages, "", v, 0)
	if len(messages[""]) == 0 {
		delete(messages, "")
	}
	fields := make([]FieldProblem, 0, len(messages))
	for _, path := range slices.SortedFunc(maps.Keys(messages), wholeLast) {
		fields = append(fields, FieldProblem{Field: path, Messages: messages[path]})
	}
	return fields
}

func wholeLast(a, b string) int {
	if a == "" || b == "" {
		return strings.Compare(b, a)
	}
	return strings.Compare(a, b)
}

func collect(into map[string][]string, path string, v any, depth int) {
	if depth > maxNesting || v == nil {
		return
	}
	switch v := v.(type) {
	case string:
		into[path] = append(into[path], v)
	case []any:
		for i, item := range v {
			at := path
			if _, message := item.(string); !message {
				at = path + "[" + strconv.Itoa(i) + "]"
			}
			collect(into, at, item, depth+1)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			collect(into, join(path, key), v[key], depth+1)
		}
	default: // a number or a flag is no message
		if _, there := into[path]; !there {
			into[path] = nil
		}
	}
}

func join(path, key string) string {
	switch {
	case key == "non_field_errors" || key == "__all__":
		return path
	case path == "":
		return key
	default:
		return path + "." + key
	}
}

// speakable is the refusal without personal data, within bounds, and with a
// message.
func (r Refusal) speakable(personal []string) Refusal {
	hidden := words(personal)
	r.Message = Redact(hide(r.Message, hidden))
	fields := r.Fields[:min(len(r.Fields), maxFields)]
	r.Fields = nil
	for _, p := range fields {
		kept := FieldProblem{Field: Redact(p.Field)}
		for _, m := range p.Messages[:min(len(p.Messages), maxFields)] {
			kept.Messages = append(kept.Messages, Redact(hide(m, hidden)))
		}
		r.Fields = append(r.Fields, kept)
	}
	if r.Message == "" {
		r.Message = inOneLine(r.Fields)
	}
	return r
}

// inOneLine is "field: message; message; field: message".
func inOneLine(fields []FieldProblem) string {
	var parts []string
	for _, p := range fields[:min(len(fields), maxSaid)] {
		said := strings.Join(p.Messages, "; ")
		switch {
		case p.Field == "":
			parts = append(parts, said)
		case said == "":
			parts = append(parts, p.Field)
		default:
			parts = append(parts, p.Field+": "+said)
		}
	}
	if len(fields) > maxSaid {
		parts = append(parts, "…")
	}
	return strings.Join(parts, "; ")
}

// words finds values where they stand as whole words, in any case; the longest
// come first, so that an address goes before its parts.
func words(values []string) []*regexp.Regexp {
	values = slices.Clone(values)
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	var found []*regexp.Regexp
	for _, v := range values {
		if v = strings.TrimSpace(v); len([]rune(v)) > 1 {
			found = append(found, regexp.MustCompile(`(?i)(^|[^\pL\pN_])`+regexp.QuoteMeta(v)+`($|[^\pL\pN_])`))
		}
	}
	return found
}

func hide(s string, words []*regexp.Regexp) string {
	s = s[:min(len(s), maxWords)]
	for _, word := range words {
		for range 2 { // neighbours share the character between them
			s = word.ReplaceAllString(s, "${1}"+hiddenValue+"${2}")
		}
	}
	return s
}
