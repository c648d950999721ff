package ingress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may be nested.
const maxDepth = 32

var (
	errNotJSON      = errors.New("not_json")
	errTooDeep      = errors.New("json_too_deep")
	errDuplicateKey = errors.New("json_duplicate_key")
)

// parseJSON reads one JSON value more strictly than encoding/json: valid UTF-8,
// no duplicate keys, bounded depth, nothing after the value. Numbers keep their
// text as json.Number. A UTF-8 byte order mark is passed over, as RFC 8259
// allows: it was part of what the sender signed.
func parseJSON(body []byte) (any, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, errNotJSON
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return parseValue(d, 0)
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, errNotJSON
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth++; depth > maxDepth {
		return nil, errTooDeep
	}
	if delim == '[' {
		return parseArray(d, depth)
	}
	return parseObject(d, depth)
}

func parseArray(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		value, err := parseValue(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := d.Token()
	return list, err
}

func parseObject(d *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, errNotJSON
		}
		key, _ := token.(string)
		if _, twice := object[key]; twice {
			return nil, errDuplicateKey
		}
		if object[key], err = parseValue(d, depth); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

// scalarText is the text of a string or number; false for anything else.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// plainText is the text form of any JSON value: "" for null, compact JSON for
// objects and arrays.
func plainText(v any) string {
	if text, ok := scalarText(v); ok {
		return text
	}
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return fmt.Sprint(v)
	}
	return string(canonical(v))
}

// canonical writes what parseJSON read with sorted keys and no spaces, the same
// bytes for the same value.
func canonical(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		// Maps, slices, strings, booleans and numbers that were just parsed encode.
		return nil
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// Bounds of a shape: it is for a log line.
const (
	shapeDepth  = 5
	shapeFields = 40
)

// shape is a JSON value with types instead of values, for a log: field names
// that look like names are kept, all else is replaced.
func shape(v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		return shapeObject(v, depth)
	case []any:
		if len(v) == 0 || depth >= shapeDepth {
			return fmt.Sprintf("array(%d)", len(v))
		}
		return []any{fmt.Sprintf("array(%d)", len(v)), shape(v[0], depth+1)}
	case string:
		return fmt.Sprintf("string(%d)", len(v))
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	}
	return "null"
}

func shapeObject(object map[string]any, depth int) any {
	if depth >= shapeDepth {
		return fmt.Sprintf("object(%d)", len(object))
	}
	out := map[string]any{}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if i == shapeFields {
			out["..."] = fmt.Sprintf("%d more", len(names)-i)
			break
		}
		if !isFieldName(name) {
			out["(other)"] = "..."
			continue
		}
		out[name] = shape(object[name], depth+1)
	}
	return out
}

// isFieldName tells whether a key is one that a program would use, rather than
// data such as an e-mail, a number or a person's name.
func isFieldName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	return s != "" && len(s) <= 40 && strings.Trim(s, letters) == ""
}
