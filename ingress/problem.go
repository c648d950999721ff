package ingress

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// Problem is an RFC 9457 answer. Detail says what to do and never repeats the
// request.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Errors are the fields that are wrong, where the problem is about fields.
	Errors []FieldError `json:"errors,omitempty"`
}

// FieldError says what is wrong with one field, without its value.
type FieldError struct {
	// Row is the line of a CSV file or the element of a JSON array, from 1; 0 where
	// there are no rows.
	Row int `json:"row,omitempty"`
	// Path is the field's name, "" where it is about the whole.
	Path    string `json:"path"`
	Message string `json:"message"`
}

// problem answers with application/problem+json; retryAfter above zero adds the
// Retry-After header, rounded up to whole seconds.
func problem(c echo.Context, status int, detail string, retryAfter time.Duration, fields ...FieldError) error {
	if retryAfter > 0 {
		c.Response().Header().Set("Retry-After", fmt.Sprint(int(math.Ceil(retryAfter.Seconds()))))
	}
	body, err := json.Marshal(Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: fields})
	if err != nil {
		return err
	}
	return c.Blob(status, "application/problem+json", body)
}
