package policy

import (
	"encoding"
	"fmt"
	"iter"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

const (
	// maxItems bounds every list and map of the file.
	maxItems = 2000
	// maxScalar bounds every text but the body of a letter, in bytes.
	maxScalar = 1000
)

// decoder puts parsed YAML into Go values. Unlike the library's own it reports
// every problem rather than the first, and merges into what is there: keys of
// structs and maps are overridden one by one, lists are replaced as a whole.
// Fields carry their key in the json tag.
type decoder struct {
	lines    map[string]int
	problems []Problem
}

func newDecoder() *decoder { return &decoder{lines: map[string]int{}} }

// fail records a problem with the line of the key or of the nearest one above.
func (d *decoder) fail(path, message string) {
	line, at := 0, path
	for line == 0 && at != "" {
		line = d.lines[at]
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	d.problems = append(d.problems, Problem{Path: path, Line: line, Message: message})
}

func (d *decoder) failAll(prefix string, problems []Problem) {
	for _, p := range problems {
		d.fail(join(prefix, p.Path), p.Message)
	}
}

// overrides checks each section over the company's; what is wrong with the
// company's too was reported there.
func (d *decoder) overrides(prefix string, nodes map[string]ast.Node, company section, known []Problem) {
	for _, id := range slices.Sorted(maps.Keys(nodes)) {
		s := company
		d.into(nodes[id], &s, join(prefix, id))
		if at := join(prefix, id, "finance"); d.lines[at] > 0 {
			d.fail(at, "cannot be overridden: there is one set of books, so it belongs under company alone")
			s.Finance = company.Finance
		}
		if at := join(prefix, id, "sync"); d.lines[at] > 0 {
			d.fail(at, "cannot be overridden: all records are compared by one Schedule, so it belongs under company alone")
			s.Sync = company.Sync
		}
		for _, key := range companysPortfolio() {
			if at := join(prefix, id, "portfolio", key); d.lines[at] > 0 {
				d.fail(at, "cannot be overridden: one Schedule and one currency serve all homes, so it belongs under company alone")
			}
		}
		for _, p := range validate(s) {
			if !slices.Contains(known, p) {
				d.fail(join(prefix, id, p.Path), p.Message)
			}
		}
	}
}

// nodes is a map whose values are decoded later.
func (d *decoder) nodes(node ast.Node, path string) map[string]ast.Node {
	return maps.Collect(d.mapping(node, path))
}

// mapping walks the keys of a YAML map and remembers their lines.
func (d *decoder) mapping(node ast.Node, path string) iter.Seq2[string, ast.Node] {
	return func(yield func(string, ast.Node) bool) {
		m, ok := node.(ast.MapNode)
		if !ok {
			d.fail(path, "must be a map of keys to values")
			return
		}
		n := 0
		for it := m.MapRange(); it.Next(); n++ {
			if n == maxItems {
				d.fail(path, fmt.Sprintf("has more than %d keys", maxItems))
				return
			}
			token := it.Key().GetToken()
			key := token.Value
			d.lines[join(path, key)] = token.Position.Line
			if !yield(key, it.Value()) {
				return
			}
		}
	}
}

// into decodes node over what target, a pointer, holds already.
func (d *decoder) into(node ast.Node, target any, path string) {
	d.value(node, reflect.ValueOf(target).Elem(), path)
}

func (d *decoder) value(node ast.Node, v reflect.Value, path string) {
	_, isText := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case isText:
		d.scalar(node, v, path)
	case v.Kind() == reflect.Struct:
		for key, child := range d.mapping(node, path) {
			if i := field(v.Type(), key); i >= 0 {
				d.value(child, v.Field(i), join(path, key))
			} else {
				d.fail(join(path, key), "is not a known key; known are "+strings.Join(fields(v.Type()), ", "))
			}
		}
	case v.Kind() == reflect.Map:
		merged := reflect.MakeMap(v.Type())
		for it := v.MapRange(); it.Next(); {
			merged.SetMapIndex(it.Key(), it.Value())
		}
		for key, child := range d.mapping(node, path) {
			item := reflect.New(v.Type().Elem()).Elem()
			if old := merged.MapIndex(reflect.ValueOf(key)); old.IsValid() {
				item.Set(old)
			}
			d.value(child, item, join(path, key))
			merged.SetMapIndex(reflect.ValueOf(key), item)
		}
		v.Set(merged)
	case v.Kind() == reflect.Slice:
		d.list(node, v, path)
	default:
		d.scalar(node, v, path)
	}
}

func (d *decoder) list(node ast.Node, v reflect.Value, path string) {
	l, ok := node.(ast.ArrayNode)
	if !ok {
		d.fail(path, "must be a list")
		return
	}
	items := reflect.MakeSlice(v.Type(), 0, 0)
	for it := l.ArrayRange(); it.Next(); {
		if items.Len() == maxItems {
			d.fail(path, fmt.Sprintf("has more than %d items", maxItems))
			return
		}
		at := fmt.Sprintf("%s[%d]", path, items.Len())
		d.lines[at] = it.Value().GetToken().Position.Line
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(it.Value(), item, at)
		items = reflect.Append(items, item)
	}
	v.Set(items)
}

// scalar reads the text as it is written, so that 21:00, 911 and +12135550101
// need no quotes.
func (d *decoder) scalar(node ast.Node, v reflect.Value, path string) {
	limit := maxScalar
	if long, ok := v.Addr().Interface().(interface{ longest() int }); ok {
		limit = long.longest()
	}
	text, problem := scalarText(node, limit)
	if problem == "" {
		problem = setScalar(v, text)
	}
	if problem != "" {
		d.fail(path, problem)
	}
}

func scalarText(node ast.Node, limit int) (text, problem string) {
	switch n := node.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		text = n.GetToken().Value
	case *ast.NullNode:
		return "", "has no value: leave the key out instead"
	default:
		return "", "must be a plain value (no list, map, anchor or tag)"
	}
	if len(text) > limit {
		return "", fmt.Sprintf("is longer than %d bytes", limit)
	}
	return text, ""
}

func setScalar(v reflect.Value, text string) (problem string) {
	switch target := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		if err := target.UnmarshalText([]byte(text)); err != nil {
			return err.Error()
		}
	case *time.Duration:
		parsed, err := parseDuration(text)
		if err != nil {
			return err.Error()
		}
		*target = parsed
	case *string:
		*target = strings.TrimSpace(text)
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return "must be a whole number"
		}
		*target = n
	case *bool:
		if text != "true" && text != "false" {
			return "must be true or false"
		}
		*target = text == "true"
	case *float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return "must be a number"
		}
		*target = f
	}
	return ""
}

func fields(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return keys
}

func field(t reflect.Type, key string) int { return slices.Index(fields(t), key) }

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ".")
}
