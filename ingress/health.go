package ingress

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"
)

// checkLimit is how long one condition of readiness may take.
const checkLimit = 2 * time.Second

// readiness asks everything that the ingress needs, at once.
type readiness struct {
	checks map[string]func(context.Context) error
	log    *zap.Logger
	// flying lets many askers share one round of checks.
	flying singleflight.Group
}

func newReadiness(cfg Config) *readiness {
	checks := map[string]func(context.Context) error{"temporal": cfg.Router.Healthy}
	if cfg.Store != nil {
		checks["store"] = cfg.Store.Ping
	}
	for name, check := range cfg.Checks {
		checks[name] = check
	}
	return &readiness{checks: checks, log: cfg.Log}
}

// Healthy tells whether Temporal answers.
func (r *Router) Healthy(ctx context.Context) error {
	_, err := r.cfg.Client.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

func (r *readiness) handle(c echo.Context) error {
	v, _, _ := r.flying.Do("", func() (any, error) { return r.failing(context.WithoutCancel(c.Request().Context())), nil })
	failing, _ := v.([]string)
	if len(failing) > 0 {
		return problem(c, http.StatusServiceUnavailable, "Not ready: "+strings.Join(failing, ", ")+".", downRetry)
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ready"})
}

// failing runs all checks at once and names those that failed or took too long,
// even where they do not heed their context.
func (r *readiness) failing(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	var mu sync.Mutex
	pending := map[string]bool{}
	done := make(chan struct{}, len(r.checks))
	for name := range r.checks {
		pending[name] = true
	}
	for name, check := range r.checks {
		go func() {
			defer func() { done <- struct{}{} }()
			if err := check(ctx); err != nil {
				r.log.Warn("not ready", zap.String("check", name), zap.Error(err))
				return
			}
			mu.Lock()
			defer mu.Unlock()
			delete(pending, name)
		}()
	}
	for range r.checks {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
	mu.Lock()
	defer mu.Unlock()
	failing := make([]string, 0, len(pending))
	for name := range pending {
		failing = append(failing, name)
	}
	slices.Sort(failing)
	return failing
}
