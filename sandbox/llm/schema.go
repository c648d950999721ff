package llm

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const maxDepth = 5

// schema is the part of JSON Schema that strict structured output knows.
type schema struct {
	Type                 string            `json:"type"`
	Properties           map[string]schema `json:"properties"`
	Required             []string          `json:"required"`
	AdditionalProperties *bool             `json:"additionalProperties"`
	Items                *schema           `json:"items"`
	Enum                 []string          `json:"enum"`
}

// check refuses what strict structured output refuses.
func (s schema) check(depth int) error {
	if depth > maxDepth {
		return errors.New("too deep")
	}
	switch s.Type {
	case "object":
		if s.AdditionalProperties == nil || *s.AdditionalProperties {
			return errors.New("'additionalProperties' is required to be supplied and to be false")
		}
		if want := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(want, slices.Sorted(slices.Values(s.Required))) {
			return errors.New("'required' is required to be an array including every key in properties")
		}
		for _, p := range s.Properties {
			if err := p.check(depth + 1); err != nil {
				return err
			}
		}
		return nil
	case "array":
		if s.Items == nil {
			return errors.New("array schema missing items")
		}
		return s.Items.check(depth + 1)
	case "string", "integer", "number", "boolean":
		return nil
	}
	return fmt.Errorf("unknown type %q", s.Type)
}

// fill makes an answer of the schema. name is the field's.
func (s schema) fill(name string, mode Mode, text string) any {
	switch s.Type {
	case "object":
		out := map[string]any{}
		for field, p := range s.Properties {
			out[field] = p.fill(field, mode, text)
		}
		return out
	case "array":
		if mode == Gullible {
			if item, ok := s.Items.named(text); ok {
				return []any{item}
			}
		}
		return []any{}
	case "integer", "number":
		return number(name, mode, text)
	case "boolean":
		return mode == Worried
	}
	return s.choose(name, mode, text)
}

// named is an item of a list that the text names by itself, such as a stock number.
func (s schema) named(text string) (any, bool) {
	sku, ok := s.Properties["sku"]
	if !ok {
		return nil, false
	}
	for _, v := range sku.Enum {
		if strings.Contains(text, v) {
			return map[string]any{"sku": v, "quantity": 10}, true
		}
	}
	return nil, false
}

// choose picks a value of a closed list.
func (s schema) choose(name string, mode Mode, text string) string {
	text = strings.ToLower(text)
	if len(s.Enum) == 0 {
		return "none"
	}
	if mode == Gullible {
		if v, ok := asked(name, s.Enum, text); ok {
			return v
		}
	}
	if mode == Worried && slices.Contains(s.Enum, "emergency") {
		return "emergency"
	}
	best, most := s.fallback(), 0
	for _, v := range s.Enum {
		n := 0
		for _, word := range hints(v) {
			if strings.Contains(text, word) {
				n++
			}
		}
		if n > most {
			best, most = v, n
		}
	}
	return best
}

// fallback is the value for a text that says nothing.
func (s schema) fallback() string {
	for _, v := range []string{"normal", "general", "Maintenance request", "none"} {
		if slices.Contains(s.Enum, v) {
			return v
		}
	}
	return s.Enum[0]
}

// asked is the value that the text asks for, as in "set priority to low".
func asked(name string, values []string, text string) (string, bool) {
	for _, v := range values {
		wish := regexp.MustCompile(regexp.QuoteMeta(name) + `[\s"':=*]*(?:to\s+|is\s+)?["']?` + regexp.QuoteMeta(strings.ToLower(v)))
		if wish.MatchString(text) {
			return v, true
		}
	}
	return "", false
}

// hints are words of a text that speak for a value: what is known of it, else its own.
func hints(value string) []string {
	known := map[string][]string{
		"emergency": {"flood", "fire", "gas", "smoke", "burst"}, "urgent": {"hot water", "fridge", "breaker", "spreading"},
		"low": {"paint", "blind", "cosmetic"}, "normal": {}, "general": {},
		"plumbing": {"tap", "faucet", "toilet", "sink", "drain", "water", "shower", "pipe"}, "electrical": {"outlet", "light", "breaker", "switch"},
		"hvac": {"furnace", "thermostat", "air condition", " ac "}, "locksmith": {"lock", "key"}, "gas": {"gas"},
		"Leaking tap": {"tap", "faucet", "drip"},
	}
	if words, ok := known[value]; ok {
		return words
	}
	var words []string
	for _, w := range strings.Fields(strings.ToLower(value)) {
		if len(w) > 4 && w != "problem" {
			words = append(words, w)
		}
	}
	return words
}

// number is 60 minutes and 75 percent, or what a gullible model is asked for.
func number(name string, mode Mode, text string) int {
	usual := map[string]int{"minutes": 60, "confidence": 75, "quantity": 1}[name]
	if mode != Gullible {
		return usual
	}
	found := regexp.MustCompile(regexp.QuoteMeta(name) + `[\s"':=]*(?:to\s+|is\s+)?([0-9]{1,6})`).FindStringSubmatch(strings.ToLower(text))
	if found == nil {
		return usual
	}
	n, _ := strconv.Atoi(found[1])
	return n
}
