package rentvine

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/aictive/keyholder/clients/partner"
)

// row is one record under its wrapper's name, with related objects beside it:
// {"workOrder":{..},"contact":{..}} (1.3).
type row map[string]json.RawMessage

// into decodes the object under key.
func (r row) into(key string, out any) error {
	raw, ok := r[key]
	if !ok || !isObject(raw) {
		return partner.ShapeError("the reply has no object named " + key)
	}
	return json.Unmarshal(raw, out)
}

// beside decodes a related object where there is one.
func (r row) beside(key string, out any) error {
	if !isObject(r[key]) {
		return nil
	}
	return json.Unmarshal(r[key], out)
}

// reader turns a whole reply into a result, so that a wrong shape is an error of
// the call itself.
type reader func([]byte) error

// UnmarshalJSON runs the reader.
func (f *reader) UnmarshalJSON(b []byte) error { return (*f)(b) }

// one reads a detail reply.
func one[T any](out *T, from func(row) (T, error)) *reader {
	f := reader(func(b []byte) (err error) {
		if !isObject(b) {
			return partner.ShapeError("the reply is not an object")
		}
		var r row
		if err = json.Unmarshal(b, &r); err == nil {
			*out, err = from(r)
		}
		return err
	})
	return &f
}

// many reads a list reply: a bare array of rows. No endpoint is known to answer
// {"data":[..]} (1.3), so that is an error here.
func many[T any](out *[]T, from func(row) (T, error)) *reader {
	f := reader(func(b []byte) error {
		var raws []json.RawMessage
		if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '[' {
			return partner.ShapeError("the list is not an array")
		}
		if err := json.Unmarshal(b, &raws); err != nil {
			return err
		}
		*out = make([]T, 0, len(raws))
		for _, raw := range raws {
			var item T
			if err := one(&item, from).UnmarshalJSON(raw); err != nil {
				return err
			}
			*out = append(*out, item)
		}
		return nil
	})
	return &f
}

func isObject(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && b[0] == '{'
}

// text is a scalar of any JSON type as text; null is "" (1.2, 4.11).
type text string

// UnmarshalJSON accepts every scalar.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*t = ""
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(strings.TrimSpace(s))
	case b[0] == '{' || b[0] == '[':
		return partner.ShapeError("an object or list stands where a value belongs")
	default:
		*t = text(b)
	}
	return nil
}

// key is an id; null, "" and 0 mean none.
type key string

// UnmarshalJSON accepts a decimal number or its text.
func (k *key) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	*k = key(t)
	switch {
	case t == "" || t == "0":
		*k = ""
	case !decimal.MatchString(string(t)):
		return partner.ShapeError("an id is not a decimal number")
	}
	return nil
}

// flag is a boolean, as "0"/"1", 0/1, a bool, or null for false.
type flag bool

// UnmarshalJSON accepts the forms of 1.2.
func (f *flag) UnmarshalJSON(b []byte) error {
	var t text
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

// whole is an enum's or status's number; null and "" are 0.
type whole int

// UnmarshalJSON accepts a number or its text.
func (w *whole) UnmarshalJSON(b []byte) error {
	var t text
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
	*w = whole(n)
	return nil
}

// wrappedOrBare decodes a record under the first of the wrappers that is there,
// else the row itself where it has the field. Only for lists of which both forms
// are on record.
func (r row) wrappedOrBare(field string, out any, wrappers ...string) error {
	for _, name := range wrappers {
		if isObject(r[name]) {
			return json.Unmarshal(r[name], out)
		}
	}
	if _, bare := r[field]; !bare {
		return partner.ShapeError("a row has no object named " + wrappers[0])
	}
	whole, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return json.Unmarshal(whole, out)
}
