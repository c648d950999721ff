package ingress

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// What a handler tells the request log, as keys of the echo context.
const (
	logReason   = "log.reason"
	logWorkflow = "log.workflow_id"
)

// logRequests writes one line a request: the route's pattern rather than the
// path, because an action link's path is a secret, and nothing of the payload.
func (s *Server) logRequests(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := time.Now()
		err := next(c)
		if err != nil {
			// Write the reply now, so that its status is the one logged.
			c.Error(err)
		}
		fields := []zap.Field{zap.String("method", method(c.Request().Method)), zap.String("route", routeOf(c)),
			zap.Int("status", c.Response().Status), zap.Duration("took", time.Since(begun))}
		fields = append(fields, traceField(c.Request().Context())...)
		for key, name := range map[string]string{logReason: "reason", logWorkflow: "workflow_id"} {
			if value, ok := c.Get(key).(string); ok && value != "" {
				fields = append(fields, zap.String(name, value))
			}
		}
		s.cfg.Log.Info("request", fields...)
		return nil
	}
}

// method keeps made-up methods out of the log.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "OTHER"
}

// recoverPanics answers 500. The panic's value may quote a payload, so that only
// its type and the stack are logged.
func (s *Server) recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if e, ok := v.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				panic(v)
			}
			s.cfg.Log.Error("a handler panicked", zap.String("kind", fmt.Sprintf("%T", v)), zap.ByteString("stack", debug.Stack()))
			err = echo.NewHTTPError(http.StatusInternalServerError)
		}()
		return next(c)
	}
}

// failure answers what no handler answered, as a problem without details.
func (s *Server) failure(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, detail := http.StatusInternalServerError, "Something went wrong here. Try again later."
	var known *echo.HTTPError
	if errors.As(err, &known) {
		status = known.Code
	}
	switch {
	case status == http.StatusNotFound:
		detail = "There is nothing at this path."
	case status == http.StatusMethodNotAllowed:
		detail = "Use one of the methods in the Allow header."
	case status < http.StatusInternalServerError:
		detail = "The request cannot be taken as it is."
	}
	if err := problem(c, status, detail, 0); err != nil {
		s.cfg.Log.Warn("the reply could not be written", zap.Int("status", status))
	}
}
