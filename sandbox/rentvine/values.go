package rentvine

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxBody is the longest JSON request in bytes.
const maxBody = 1 << 20

// readObject reads a JSON object, keeping numbers as they were written.
func readObject(w http.ResponseWriter, r *http.Request) (record, bool) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.UseNumber()
	var body record
	err := d.Decode(&body)
	if _, more := d.Token(); err != nil || body == nil || more != io.EOF {
		refuse(w, map[string][]string{"body": {"Invalid JSON"}})
		return nil, false
	}
	return body, true
}

// wire is how a value is kept and answered: numbers as text, bools as "0" and "1".
func wire(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		if v {
			return "1"
		}
		return "0"
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int, int64:
		return fmt.Sprint(v)
	default:
		return v
	}
}

// scalar tells null, text, numbers and flags from objects and lists.
func scalar(v any) bool {
	switch wire(v).(type) {
	case nil, string:
		return true
	default:
		return false
	}
}

// str is a scalar's text, "" for null.
func str(v any) string {
	if s, ok := wire(v).(string); ok {
		return s
	}
	return ""
}

// number is a positive whole number, else 0.
func number(v any) int {
	n, err := strconv.Atoi(str(v))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// yes reads the forms in which clients send flags (contracts/rentvine.md 1.2).
func yes(v any) bool {
	switch strings.ToLower(str(v)) {
	case "1", "true":
		return true
	default:
		return false
	}
}
