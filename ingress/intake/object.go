package intake

import (
	"encoding/json"
	"strings"

	"github.com/aictive/keyholder/workflows/sales"
)

const adviceText = "Write this as text, in quotes."

// Sale reads and checks one sale as a JSON object, in UTF-8 and at most MaxSaleBytes
// long. All problems come at once, and with any of them the sale is the zero value.
func Sale(body []byte) (sales.NewSale, []Problem) {
	refuse := func(detail string) (sales.NewSale, []Problem) {
		return sales.NewSale{}, []Problem{{Message: detail}}
	}
	if len(body) > MaxSaleBytes {
		return refuse("Send one sale, at most 64 KiB of JSON.")
	}
	d, bad := openJSON(body)
	if bad != nil {
		return refuse(bad.Error())
	}
	var f form
	if !f.readObject(d) {
		return refuse("Send the sale as one JSON object.")
	}
	return f.sale()
}

// readObject fills in the form from the next value, which need not be an object:
// then it is passed over and the answer is false. The decoder reads what is known
// to be valid JSON, so its errors can only be an end.
func (f *form) readObject(d *json.Decoder) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	if token != json.Delim('{') {
		skip(d, token)
		return false
	}
	var seen [fieldCount]bool
	var unknown map[string]bool
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return false
		}
		key, _ := token.(string)
		x := fieldNamed(key)
		switch {
		case x != noField && seen[x], unknown[key]:
			f.add(shownName(key), "Give this field once in the object.")
		case x != noField:
			seen[x] = true
			f.readField(d, x)
			continue
		default:
			f.unknown(key)
			if unknown == nil {
				unknown = map[string]bool{}
			}
			if len(unknown) < maxProblems {
				unknown[key] = true
			}
		}
		skipNext(d)
	}
	_, err = d.Token()
	return err == nil
}

// readField takes the value of a known field; null is as good as absent.
func (f *form) readField(d *json.Decoder, x field) {
	token, err := d.Token()
	if err != nil {
		return
	}
	text, isText := token.(string)
	switch {
	case token == nil:
	case x == products && token == json.Delim('['):
		f.readProducts(d)
		return
	case x == products:
		f.spoil(x, `Write a list of slugs, such as ["moove-ready-pack"].`)
	case isText:
		f.put(x, text)
	case x == phoneNumber:
		f.spoil(x, adviceText+" A number loses its leading 0 and its +.")
	default:
		f.spoil(x, adviceText)
	}
	skip(d, token)
}

// readProducts takes the list after its '['. What is beyond the most that a sale
// may have is counted by one.
func (f *form) readProducts(d *json.Decoder) {
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return
		}
		text, isText := token.(string)
		skip(d, token)
		if len(f.products) <= maxProducts {
			// Long text is cut, and is no slug even so.
			f.products = append(f.products, product{text: strings.Clone(text[:min(len(text), maxCell)]), wrongType: !isText})
		}
	}
	_, _ = d.Token() // the ']'
}

// unknown notes a field that there is not.
func (f *form) unknown(key string) {
	message := "There is no such field. The fields are " + strings.Join(Columns(), ", ") + "."
	if near := nearest(key); near != "" {
		message = "There is no such field; did you mean " + near + "?"
	}
	f.add(shownName(key), message)
}

// shownName is a caller's own name for a field, "" where that may be data.
func shownName(name string) string {
	if nameable.MatchString(name) {
		return name
	}
	return ""
}

// skip passes over the rest of a value that began with token, however deep it is.
func skip(d *json.Decoder, token json.Token) {
	depth := 0
	for {
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return
		}
		var err error
		if token, err = d.Token(); err != nil {
			return
		}
	}
}

func skipNext(d *json.Decoder) {
	if token, err := d.Token(); err == nil {
		skip(d, token)
	}
}
