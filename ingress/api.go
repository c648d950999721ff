package ingress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

// APIConfig is what the /v1 API needs.
type APIConfig struct {
	// Keys are the bearer keys, newest first; all are valid. One at least, each of
	// 16 visible ASCII characters or more.
	Keys     []string
	Temporal client.Client
	// TaskQueue is where workflows are started; "" is workflows.TaskQueue.
	TaskQueue string
	// Clock is recorded in every workflow that the API starts.
	Clock durable.Clock
	// Hashes derive the ids of sales and imports.
	Hashes  store.Keys
	Imports store.Imports
	// Audit keeps what was accepted; nil keeps nothing.
	Audit store.Audit
	// FindSale finds a sale that is or was followed, by its integer id or its UUID
	// in small letters: one of the two is "". The error is store.ErrNotFound where
	// there is none. Without it there is no POST /v1/milestone-events.
	FindSale func(ctx context.Context, propertyID, transactionID string) (FoundSale, error)
	// MilestoneEvents are the types of events that other systems may report, with the
	// milestone that each means (policy: sales.reported.events). It is asked again for
	// each call, and set where FindSale is.
	MilestoneEvents func() map[string]string
	// Report makes the report on all sales as of now, and ends when ctx does. Without
	// it there is no GET /v1/reports/sales.
	Report func(ctx context.Context) (salesreport.Report, error)
	Log    *zap.Logger
	// Registerer takes the metrics; nil keeps them unregistered.
	Registerer prometheus.Registerer
	// Limits protect the API; zero fields have defaults.
	Limits APILimits
}

// APILimits are the bounds of the API. Zero means the default beside it.
type APILimits struct {
	PerSecond   float64       // 20 requests a second for each key
	Burst       int           // 40
	SaleBytes   int64         // 64 KiB, the body of one sale
	ImportBytes int64         // 16 MiB, the body of an import
	EventBytes  int64         // 16 KiB, the body of a milestone event
	Sales       int           // 64 sales read and checked at once
	Imports     int           // 2 imports read and checked at once: each may take 100 MB
	Events      int           // 64 milestone events at once
	Reports     int           // 4 reports made at once
	Waiting     int           // 256 callers waiting for a sale; those beyond it do not wait
	Upload      time.Duration // 2 min for the body of an import; a slower one is 408
	Wait        time.Duration // 5 s for the outcome of a sale, where the caller does not say
	Start       time.Duration // 5 s for Temporal to confirm
	Command     time.Duration // 10 s for a workflow to answer a command
	Describe    time.Duration // 2 s for a worker to describe a sale, half of it for an import
	Report      time.Duration // 10 s to make a report
}

func (l APILimits) withDefaults() APILimits {
	orDefault(&l.PerSecond, 20)
	orDefault(&l.Burst, 40)
	orDefault(&l.SaleBytes, 64<<10)
	orDefault(&l.ImportBytes, 16<<20)
	orDefault(&l.EventBytes, 16<<10)
	orDefault(&l.Sales, 64)
	orDefault(&l.Imports, 2)
	orDefault(&l.Events, 64)
	orDefault(&l.Reports, reportsAtOnce)
	orDefault(&l.Waiting, 256)
	orDefault(&l.Upload, 2*time.Minute)
	orDefault(&l.Wait, 5*time.Second)
	orDefault(&l.Start, 5*time.Second)
	orDefault(&l.Command, 10*time.Second)
	orDefault(&l.Describe, 2*time.Second)
	orDefault(&l.Report, reportTime)
	return l
}

func orDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// API is Keyholder's own interface for programs: create a sale, import many, report
// milestones, ask how all sales stand. Its OpenAPI document is openapi.json.
type API struct {
	cfg  APIConfig
	keys []apiKey
	// sales, imports and events are the slots of bodies being read and checked,
	// waiting those of callers who wait for an outcome.
	sales, imports, events, waiting chan struct{}
	reports                         *reporter
	metrics                         *apiMetrics
}

// NewAPI refuses unusable keys, all of them at once, and half of a milestone event's
// functions.
func NewAPI(cfg APIConfig) (*API, error) {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	orDefault(&cfg.TaskQueue, workflows.TaskQueue)
	cfg.Limits = cfg.Limits.withDefaults()
	a := &API{
		cfg:   cfg,
		sales: make(chan struct{}, cfg.Limits.Sales), imports: make(chan struct{}, cfg.Limits.Imports),
		events: make(chan struct{}, cfg.Limits.Events), waiting: make(chan struct{}, cfg.Limits.Waiting),
		reports: newReporter(cfg.Report, cfg.Limits.Reports, cfg.Limits.Report),
		metrics: newAPIMetrics(),
	}
	if len(cfg.Keys) == 0 {
		return nil, errors.New("the API has no key")
	}
	var errs []error
	if (cfg.FindSale == nil) != (cfg.MilestoneEvents == nil) {
		errs = append(errs, errors.New("the API needs FindSale and MilestoneEvents together"))
	}
	for i, text := range cfg.Keys {
		key, err := newAPIKey(text, rate.Limit(cfg.Limits.PerSecond), cfg.Limits.Burst)
		if err != nil {
			errs = append(errs, fmt.Errorf("API key %d: %w", i+1, err))
		}
		a.keys = append(a.keys, key)
	}
	if cfg.Registerer != nil {
		errs = append(errs, a.metrics.register(cfg.Registerer))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return a, nil
}

// Register adds the routes.
func (a *API) Register(e *echo.Echo) {
	for _, r := range a.routes() {
		e.Add(r.method, r.path, a.guarded(r.method+" "+r.path, r.do))
	}
	e.GET("/v1/openapi.json", a.openAPI)
}

// apiRoute is a route that wants a key.
type apiRoute struct {
	method, path string
	do           func(echo.Context) apiReply
}

func (a *API) routes() []apiRoute {
	list := []apiRoute{
		{http.MethodPost, "/v1/sales", a.createSale},
		{http.MethodGet, "/v1/sales/:request_id", a.showSale},
		{http.MethodPost, "/v1/sales/import", a.createImport},
		{http.MethodGet, "/v1/sales/import/:id", a.showImport},
		{http.MethodGet, "/v1/sales/import/:id/results.csv", a.importResults},
		{http.MethodPost, "/v1/sales/import/:id/pause", a.pauseImport},
		{http.MethodPost, "/v1/sales/import/:id/resume", a.resumeImport},
		{http.MethodPost, "/v1/sales/import/:id/cancel", a.cancelImport},
	}
	if a.cfg.FindSale != nil {
		list = append(list, apiRoute{http.MethodPost, "/v1/milestone-events", a.reportMilestone})
	}
	if a.cfg.Report != nil {
		list = append(list, apiRoute{http.MethodGet, "/v1/reports/sales", a.showReport})
	}
	return list
}

// apiReply is the answer to a call before it is written.
type apiReply struct {
	status int
	// reason is a short fixed name, for metrics and the log.
	reason string
	// body is sent as JSON. Without one the answer is a problem.
	body any
	// detail says what to do, and fields what is wrong, where the call was refused.
	detail     string
	fields     []FieldError
	retryAfter time.Duration
	// location is the path of what was made, "" for none.
	location   string
	workflowID string
	// written tells that the handler has sent the answer itself; broken, that it
	// could not send all of it.
	written, broken bool
}

// guarded lets in who has a key and is within its rate, counts, and writes the
// answer.
func (a *API) guarded(route string, do func(echo.Context) apiReply) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := time.Now()
		h := c.Response().Header()
		// Answers hold personal data of professionals; none is for a cache.
		h.Set("Cache-Control", "no-store")
		r, ok := a.admit(c)
		if ok {
			r = do(c)
		}
		a.metrics.count(c.Request().Context(), route, r, time.Since(begun))
		c.Set(logReason, r.reason)
		c.Set(logWorkflow, r.workflowID)
		if r.location != "" {
			h.Set("Location", r.location)
		}
		switch {
		case r.broken:
			panic(http.ErrAbortHandler)
		case r.written:
			return nil
		case r.body == nil:
			return problem(c, r.status, r.detail, r.retryAfter, r.fields...)
		}
		return c.JSON(r.status, r.body)
	}
}

func (a *API) admit(c echo.Context) (apiReply, bool) {
	key, ok := a.keyOf(c.Request().Header)
	if !ok {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="keyholder"`)
		return apiReply{status: http.StatusUnauthorized, reason: "unauthorised",
			detail: "Send Authorization: Bearer and a key of this installation."}, false
	}
	if !key.tokens.Allow() {
		return tooMany("rate_limited", "Too many requests a second with this key. Send this one again later."), false
	}
	return apiReply{}, true
}

func tooMany(reason, detail string) apiReply {
	return apiReply{status: http.StatusTooManyRequests, reason: reason, detail: detail, retryAfter: busyRetry}
}

// away says that a part that is needed does not answer now.
func away(reason, detail string) apiReply {
	return apiReply{status: http.StatusServiceUnavailable, reason: reason, detail: detail, retryAfter: downRetry}
}

func notFound(detail string) apiReply {
	return apiReply{status: http.StatusNotFound, reason: "not_found", detail: detail}
}

// unprocessable answers fields that are wrong, with their paths.
func unprocessable(fields []FieldError) apiReply {
	return apiReply{status: http.StatusUnprocessableEntity, reason: "invalid", fields: fields,
		detail: "Some fields are wrong; errors names them. Nothing was stored."}
}

// enter takes a slot and returns how to leave it.
func enter(slots chan struct{}) (leave func(), ok bool) {
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, true
	default:
		return nil, false
	}
}

// maxAPIFields bounds the field errors of one answer.
const maxAPIFields = 100

// firstFields is never nil.
func firstFields(fields []FieldError) []FieldError {
	return append([]FieldError{}, fields[:min(len(fields), maxAPIFields)]...)
}
