package durable

import (
	"errors"

	"go.temporal.io/sdk/temporal"
)

// KindOf says in a word why an activity failed: the type of its application error, such
// as "not_found", else "timeout", "cancelled" or "failed". Error texts may hold what
// nobody else should read.
func KindOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type()
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return "timeout"
	}
	var cancelled *temporal.CanceledError
	if errors.As(err, &cancelled) {
		return "cancelled"
	}
	return "failed"
}
