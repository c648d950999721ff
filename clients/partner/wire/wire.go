// Package wire reads the scalars of partners' JSON leniently: an id, flag or
// amount may arrive as a string, number or bool, and null stands for none.
// Shapes stay strict: errors are partner.ShapeError and hold no value.
package wire

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/aictive/keyholder/clients/partner"
)

var decimal = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// IsID tells whether s is a decimal id above 0.
func IsID(s string) bool { return decimal.MatchString(s) }

// IsObject tells whether b is a JSON object.
func IsObject(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && b[0] == '{'
}

// Text is a scalar of any JSON type as text; null is "".
type Text string

// UnmarshalJSON accepts every scalar.
func (t *Text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*t = ""
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = Text(strings.TrimSpace(s))
	case b[0] == '{' || b[0] == '[':
		return partner.ShapeError("an object or list stands where a value belongs")
	default:
		*t = Text(b)
	}
	return nil
}

// ID is a decimal id; null, "" and 0 mean none.
type ID string

// UnmarshalJSON accepts a decimal number or its text.
func (k *ID) UnmarshalJSON(b []byte) error {
	var t Text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	*k = ID(t)
	switch {
	case t == "" || t == "0":
		*k = ""
	case !IsID(string(t)):
		return partner.ShapeError("an id is not a decimal number")
	}
	return nil
}

// Flag is a boolean, as "0"/"1", 0/1, a bool, or null for false.
type Flag bool

// UnmarshalJSON accepts those forms.
func (f *Flag) UnmarshalJSON(b []byte) error {
	var t Text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	switch strings.ToLower(string(t)) {
	case "1", "true":
		*f = true
	case "", "0", "false":
		*f = false
	default:
		return partner.ShapeError("a flag is neither true nor false")
	}
	return nil
}

// Whole is a whole number; null and "" are 0.
type Whole int

// UnmarshalJSON accepts a number or its text.
func (w *Whole) UnmarshalJSON(b []byte) error {
	var t Text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	if t == "" {
		*w = 0
		return nil
	}
	n, err := strconv.Atoi(string(t))
	if err != nil {
		return partner.ShapeError("a number is not whole")
	}
	*w = Whole(n)
	return nil
}
