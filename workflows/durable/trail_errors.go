package durable

import (
	"errors"
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// undelivered stands in the error of an activity whose notes were not written.
type undelivered struct {
	Undelivered bool `json:"undelivered"`
}

// Undelivered is what an activity ends with whose own result is out and err, and whose
// notes could not be written: the same, with a mark that lets its workflow keep the notes.
// The mark is metadata of the result, or a detail of the error.
func Undelivered(out any, err error) (any, error) {
	if err != nil {
		// Only an error that is one itself keeps type and details; others have no mark and
		// need none (delivered).
		if app, ok := err.(*temporal.ApplicationError); ok { //nolint:errorlint // as above
			return out, withDetail(app, app.Unwrap(), undelivered{true})
		}
		return out, err
	}
	p, err := converter.GetDefaultDataConverter().ToPayload(out)
	if err != nil {
		return out, nil //nolint:nilerr // the SDK will say so itself
	}
	p.Metadata[trailHeader] = []byte("undelivered")
	return converter.NewRawValue(p), nil
}

// delivered tells whether an activity that ended so has surely written its notes: its code
// has ended by itself and says nothing else. Cancelled or timed out, it may never have
// begun; nor did it where the SDK failed it, whose errors have no type that anybody gave.
func delivered(result converter.RawValue, err error) bool {
	if err == nil {
		return result.Payload().GetMetadata()[trailHeader] == nil
	}
	var app *temporal.ApplicationError
	var timeout *temporal.TimeoutError
	if !errors.As(err, &app) || errors.As(err, &timeout) || app.Type() == KindAudit {
		return false
	}
	// Without a type, errors carry the name of their type in Go.
	if kind := app.Type(); kind == "" || strings.HasSuffix(kind, "Error") || strings.HasSuffix(kind, "Errors") {
		return false
	}
	var mark undelivered
	return !readDetail(app, &mark) || !mark.Undelivered
}

// noDetail stands for an error's own detail where it has none. The SDK panics at a plain nil.
var noDetail any = (*struct{})(nil)

// withRest is the error of a run with the notes that it has left. Its kind and what it says
// stay; where it was cancelled, the SDK keeps nothing but details.
func withRest(err error, notes []Note) error {
	if len(notes) == 0 {
		return err
	}
	var app *temporal.ApplicationError
	switch {
	case errors.As(err, new(*temporal.CanceledError)):
		return temporal.NewCanceledError(leftover{notes})
	case !errors.As(err, &app):
		return temporal.NewApplicationErrorWithOptions("the run has failed", KindOf(err), temporal.ApplicationErrorOptions{
			Cause: err, Details: []any{noDetail, leftover{notes}},
		})
	case err == error(app): //nolint:errorlint // whether it stands at the top
		return withDetail(app, app.Unwrap(), leftover{notes})
	}
	return withDetail(app, err, leftover{notes})
}

// NotesLeft are the notes in the error that a run ended with.
func NotesLeft(err error) []Note {
	var left leftover
	var cancelled *temporal.CanceledError
	var app *temporal.ApplicationError
	switch {
	case errors.As(err, &cancelled):
		// Details that are something else hold no notes.
		if cancelled.Details(&left) != nil {
			return nil
		}
	case errors.As(err, &app):
		readDetail(app, &left)
	}
	return left.Trail
}

// withDetail is app with a second detail behind its own one, which stays where readers
// look for it.
func withDetail(app *temporal.ApplicationError, cause error, detail any) error {
	own := noDetail
	if app.HasDetails() && app.Details(&own) != nil {
		own = noDetail
	}
	return temporal.NewApplicationErrorWithOptions(app.Message(), app.Type(), temporal.ApplicationErrorOptions{
		NonRetryable: app.NonRetryable(), Category: app.Category(), NextRetryDelay: app.NextRetryDelay(),
		Cause: cause, Details: []any{own, detail},
	})
}

// readDetail reads the second detail of an error that withDetail has made; false where
// there is none.
func readDetail(app *temporal.ApplicationError, detail any) bool {
	return app.Details(new(any), detail) == nil
}
