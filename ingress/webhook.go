package ingress

import (
	"context"
	"errors"
	"net/http"
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
		s.metrics.count(c.Request().Context(), src.name, r, time.Since(begun))
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
	_, body, refused := readBody(c, s.cfg.Limits.BodyBytes, mediaJSON)
	if refused != nil {
		return answered{status: refused.status, reason: refused.reason, detail: refused.detail}
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
	result, otherBody, err := s.recent.once(event.Key, body, func() (Result, error) {
		return s.cfg.Router.deliver(ctx, event, origin{via: ViaWebhook, digest: digest(body)})
	})
	if err != nil {
		s.cfg.Log.Warn("a delivery was not confirmed", append(traceField(ctx), zap.String("source", src.name), zap.String("type", event.Type), zap.Error(err))...)
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
