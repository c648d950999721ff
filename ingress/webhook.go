package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// busyRetry and downRetry are how long a sender is asked to wait.
	busyRetry = time.Second
	downRetry = 5 * time.Second
)

// answered is the answer to a delivery before it is written.
type answered struct {
	status int
	// reason is a short fixed name, for metrics and the log.
	reason string
	// detail says what to do, where the delivery was refused.
	detail     string
	retryAfter time.Duration
	// result is set where Temporal has confirmed the event.
	result Result
}

// acknowledgement is the body of a 200 or 202.
type acknowledgement struct {
	Status     string `json:"status"`
	WorkflowID string `json:"workflow_id"`
	Parked     bool   `json:"parked,omitempty"`
}

func (s *Server) webhook(src *source) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := time.Now()
		r := s.receive(c, src)
		s.metrics.count(src.name, r, time.Since(begun))
		c.Set(logReason, r.reason)
		c.Set(logWorkflow, r.result.WorkflowID)
		if r.result.Outcome == "" {
			return problem(c, r.status, r.detail, r.retryAfter)
		}
		status := Accepted
		if r.result.Outcome == Duplicate {
			status = Duplicate
		}
		return c.JSON(r.status, acknowledgement{Status: string(status), WorkflowID: r.result.WorkflowID, Parked: r.result.Outcome == Parked})
	}
}

// receive is the way of a delivery, cheapest refusals first and nothing parsed
// before it is authentic.
func (s *Server) receive(c echo.Context, src *source) answered {
	select {
	case src.slots <- struct{}{}:
		defer func() { <-src.slots }()
	default:
		return answered{status: http.StatusTooManyRequests, reason: "too_many_in_flight", retryAfter: busyRetry,
			detail: "Too many deliveries at once. Send this one again later."}
	}
	if r, ok := checkMediaType(c.Request().Header); !ok {
		return r
	}
	body, r, ok := s.readBody(c)
	if !ok {
		return r
	}
	now := time.Now()
	deliveryID, err := src.verifier.Verify(c.Request().Header, body, now)
	if err != nil {
		scheme, _ := src.verifier.Scheme()
		return answered{status: http.StatusUnauthorized, reason: err.Error(),
			detail: "The signature is missing, wrong or outside its time window. Sign the raw body by scheme " + scheme + " with the current key."}
	}
	if !src.tokens.Allow() {
		return answered{status: http.StatusTooManyRequests, reason: "rate_limited", retryAfter: busyRetry,
			detail: "Too many deliveries a second. Send this one again later."}
	}
	event, err := src.decoder.Decode(body, deliveryID, now)
	if err != nil {
		return s.undecodable(src, err)
	}
	return s.deliver(c.Request().Context(), src, event, body)
}

// checkMediaType takes plain JSON alone: a compressed body could unpack to any
// size.
func checkMediaType(h http.Header) (answered, bool) {
	refuse := func(reason, detail string) (answered, bool) {
		return answered{status: http.StatusUnsupportedMediaType, reason: reason, detail: detail}, false
	}
	for _, encoding := range h.Values("Content-Encoding") {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return refuse("content_encoding", "Send the body without Content-Encoding.")
		}
	}
	types := h.Values("Content-Type")
	if len(types) != 1 {
		return refuse("content_type", "Send one Content-Type: application/json.")
	}
	media, params, err := mime.ParseMediaType(types[0])
	charset, given := params["charset"]
	if err != nil || media != "application/json" || given && !strings.EqualFold(charset, "utf-8") {
		return refuse("content_type", "Send Content-Type: application/json in UTF-8.")
	}
	return answered{}, true
}

// readBody reads at most the limit, whatever the framing of the body.
func (s *Server) readBody(c echo.Context) ([]byte, answered, bool) {
	tooLarge := answered{status: http.StatusRequestEntityTooLarge, reason: "body_too_large", detail: fmt.Sprintf("Send a body of at most %d bytes.", s.cfg.Limits.BodyBytes)}
	req := c.Request()
	if req.ContentLength > s.cfg.Limits.BodyBytes {
		return nil, tooLarge, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, req.Body, s.cfg.Limits.BodyBytes))
	var over *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil:
		return body, answered{}, true
	case errors.As(err, &over):
		return nil, tooLarge, false
	case errors.As(err, &network) && network.Timeout():
		c.Response().Header().Set("Connection", "close")
		return nil, answered{status: http.StatusRequestTimeout, reason: "body_too_slow", detail: "The body did not arrive in time. Send it again."}, false
	}
	return nil, answered{status: http.StatusBadRequest, reason: "body_broken", detail: "The body ended early. Send it again."}, false
}

func (s *Server) undecodable(src *source, err error) answered {
	var bad *DecodeError
	if !errors.As(err, &bad) {
		return answered{status: http.StatusBadRequest, reason: "undecodable", detail: "The body could not be read."}
	}
	if bad.Status == http.StatusUnprocessableEntity {
		s.cfg.Log.Warn("an authentic delivery is unusable", zap.String("source", src.name),
			zap.String("reason", bad.Reason), zap.Any("shape", bad.Sample))
	}
	return answered{status: bad.Status, reason: bad.Reason, detail: bad.Detail}
}

// deliver goes on when the sender hangs up: what is begun is finished, and the
// sender's repeat is then a duplicate. The router limits how long it takes.
func (s *Server) deliver(ctx context.Context, src *source, event durable.Event, body []byte) answered {
	ctx = context.WithoutCancel(ctx)
	result, otherBody, err := s.recent.once(event.Key, body, func() (Result, error) { return s.cfg.Router.Deliver(ctx, event) })
	if err != nil {
		s.cfg.Log.Warn("Temporal has not confirmed a delivery", zap.String("source", src.name), zap.String("type", event.Type), zap.Error(err))
		return answered{status: http.StatusServiceUnavailable, reason: "not_confirmed", retryAfter: downRetry,
			detail: "The event could not be recorded now. Send it again later."}
	}
	if otherBody {
		s.metrics.keyReused.WithLabelValues(src.name).Inc()
	}
	r := answered{status: http.StatusAccepted, reason: string(result.Outcome), result: result}
	if result.Outcome == Duplicate {
		r.status = http.StatusOK
	}
	return r
}
