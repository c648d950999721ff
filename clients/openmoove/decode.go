package openmoove

import (
	"bytes"
	"encoding/json"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// reader turns a whole reply into a result, so that a wrong shape is an error of
// the call itself.
type reader func([]byte) error

// UnmarshalJSON runs the reader.
func (f *reader) UnmarshalJSON(b []byte) error { return (*f)(b) }

// one reads a reply that is an object.
func one[T any](out *T, from func(json.RawMessage) (T, error)) *reader {
	f := reader(func(b []byte) (err error) {
		if !wire.IsObject(b) {
			return partner.ShapeError("the reply is not an object")
		}
		*out, err = from(b)
		return err
	})
	return &f
}

// rawList splits a list.
func rawList(b json.RawMessage) ([]json.RawMessage, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || b[0] != '[' {
		return nil, partner.ShapeError("the list is not an array")
	}
	var raws []json.RawMessage
	err := json.Unmarshal(b, &raws)
	return raws, err
}

// each decodes a list of objects.
func each[T any](b json.RawMessage, from func(json.RawMessage) (T, error)) ([]T, error) {
	raws, err := rawList(b)
	if err != nil {
		return nil, err
	}
	rows := make([]T, 0, len(raws))
	for _, raw := range raws {
		if !wire.IsObject(raw) {
			return nil, partner.ShapeError("a row is not an object")
		}
		row, err := from(raw)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// list is a page's envelope (1). Its next link is never followed: pages are asked
// for by number.
type list struct {
	Count   wire.Whole       `json:"count"`
	Next    *wire.Text       `json:"next"`
	Results json.RawMessage  `json:"results"`
	Message loose[wire.Text] `json:"message"`
}

func (l list) more() bool { return l.Next != nil && *l.Next != "" }

// loose is a value that nothing depends on: one of an unexpected shape is the zero
// value in place of an error.
type loose[T any] struct{ is T }

// UnmarshalJSON never fails.
func (l *loose[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		l.is = v
	}
	return nil
}
