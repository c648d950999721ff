package rentvine

import (
	"bytes"
	"encoding/json"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// row is one record under its wrapper's name, with related objects beside it:
// {"workOrder":{..},"contact":{..}} (1.3).
type row map[string]json.RawMessage

// into decodes the object under key.
func (r row) into(key string, out any) error {
	raw, ok := r[key]
	if !ok || !wire.IsObject(raw) {
		return partner.ShapeError("the reply has no object named " + key)
	}
	return json.Unmarshal(raw, out)
}

// beside decodes a related object where there is one.
func (r row) beside(key string, out any) error {
	if !wire.IsObject(r[key]) {
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
		if !wire.IsObject(b) {
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
// {"data":[..]} (1.3), so that is an error here. Of a row that cannot be read it ends with
// the error, unless pass takes it.
func many[T any](out *[]T, from func(row) (T, error), pass func(error) (taken bool)) *reader {
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
			switch err := one(&item, from).UnmarshalJSON(raw); {
			case err == nil:
				*out = append(*out, item)
			case pass == nil || !pass(err):
				return err
			}
		}
		return nil
	})
	return &f
}

// The lenient scalars (1.2, 4.11).
type (
	text  = wire.Text
	key   = wire.ID
	flag  = wire.Flag
	whole = wire.Whole
)

// wrappedOrBare decodes a record under the first of the wrappers that is there,
// else the row itself where it has the field. Only for lists of which both forms
// are on record.
func (r row) wrappedOrBare(field string, out any, wrappers ...string) error {
	for _, name := range wrappers {
		if wire.IsObject(r[name]) {
			return json.Unmarshal(r[name], out)
		}
	}
	if _, bare := r[field]; !bare {
		return partner.ShapeError("a row has no object named " + wrappers[0])
	}
	return r.itself(out)
}

// itself decodes a row that has no wrapper.
func (r row) itself(out any) error {
	whole, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return json.Unmarshal(whole, out)
}
