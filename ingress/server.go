package ingress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// Config is what a Server is made of.
type Config struct {
	// Addr is host:port to listen on; port 0 takes a free one.
	Addr string
	// Router delivers the events; required.
	Router *Router
	// Sources are the partners whose webhooks are taken, at /webhooks/<name>.
	Sources []Source
	// Store answers readiness; nil where none is used.
	Store Pinger
	// Checks are further conditions of readiness by name.
	Checks map[string]func(context.Context) error
	// People serves texts and action links; nil leaves those paths out.
	People *People
	// API serves /v1; nil leaves those paths out.
	API *API
	// Registry takes the metrics; nil makes one.
	Registry *prometheus.Registry
	// Log is the request log; nil is none.
	Log *zap.Logger
	// Tracer traces requests; nil traces none.
	Tracer trace.Tracer
	// Limits protect the server; zero fields have defaults.
	Limits Limits
}

// Pinger is the part of the store that readiness asks.
type Pinger interface {
	Ping(ctx context.Context) error
}

// Source is one partner that posts webhooks.
type Source struct {
	// Name is SourceRentVine or SourceOpenMoove.
	Name      string
	Signature Signature
	// PerSecond and Burst limit authentic deliveries; 0 means 200 and 400.
	PerSecond float64
	Burst     int
	// InFlight limits deliveries being answered at once, authentic or not; 0 means
	// 128. With BodyBytes it bounds the memory that strangers can take.
	InFlight int
}

// Limits are the bounds of one request. Zero means the default beside it.
type Limits struct {
	BodyBytes   int64         // 256 KiB, before verification, also for chunked bodies
	HeaderBytes int           // 16 KiB
	ReadHeader  time.Duration // 5 s for the headers
	Read        time.Duration // 15 s for headers and body; a slower body is 408
	Write       time.Duration // 30 s from the end of the headers to the end of the reply
	Idle        time.Duration // 60 s between requests of one connection
}

func (l Limits) withDefaults() Limits {
	orDuration := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	if l.BodyBytes == 0 {
		l.BodyBytes = 256 << 10
	}
	if l.HeaderBytes == 0 {
		l.HeaderBytes = 16 << 10
	}
	orDuration(&l.ReadHeader, 5*time.Second)
	orDuration(&l.Read, 15*time.Second)
	orDuration(&l.Write, 30*time.Second)
	orDuration(&l.Idle, time.Minute)
	return l
}

// Server is the HTTP door.
type Server struct {
	cfg     Config
	echo    *echo.Echo
	http    *http.Server
	metrics *metrics
	recent  *recent
	sources map[string]*source
	ready   *readiness
	silent  *silent
	addr    net.Addr
	failed  chan error
}

// source is a Source made ready.
type source struct {
	name     string
	verifier *Verifier
	decoder  *Decoder
	tokens   *rate.Limiter
	slots    chan struct{}
}

// New checks the whole configuration and returns all of its errors at once.
func New(cfg Config) (*Server, error) {
	if cfg.Router == nil {
		return nil, errors.New("ingress: no router is configured")
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Server{cfg: cfg, failed: make(chan error, 1), ready: newReadiness(cfg), sources: map[string]*source{}}
	var errs []error
	var err error
	if s.metrics, err = newMetrics(cfg.Registry); err != nil {
		errs = append(errs, err)
	}
	if s.recent, err = newRecent(recentKeys, time.Now); err != nil {
		errs = append(errs, err)
	}
	for _, from := range cfg.Sources {
		src, err := s.newSource(from)
		if err == nil && s.sources[from.Name] != nil {
			err = fmt.Errorf("source %s is configured twice", from.Name)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.sources[from.Name] = src
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("ingress: %w", errors.Join(errs...))
	}
	s.echo = s.routes()
	s.silent = newSilent()
	s.http = &http.Server{
		Handler: s.echo, MaxHeaderBytes: cfg.Limits.HeaderBytes,
		ReadHeaderTimeout: cfg.Limits.ReadHeader, ReadTimeout: cfg.Limits.Read,
		WriteTimeout: cfg.Limits.Write, IdleTimeout: cfg.Limits.Idle,
		// net/http's own complaints can quote from a request.
		ErrorLog:  zap.NewStdLog(zap.NewNop()),
		ConnState: s.silent.watch,
	}
	return s, nil
}

func (s *Server) newSource(from Source) (*source, error) {
	decoder, err := NewDecoder(from.Name)
	if err != nil {
		return nil, err
	}
	verifier, err := NewVerifier(from.Name, from.Signature)
	if err != nil {
		return nil, err
	}
	if name, experimental := verifier.Scheme(); experimental {
		s.cfg.Log.Warn("the signature scheme is experimental: it is not confirmed by the partner and does not cover the body",
			zap.String("source", from.Name), zap.String("scheme", name))
	}
	if from.PerSecond == 0 {
		from.PerSecond = 200
	}
	if from.Burst == 0 {
		from.Burst = 400
	}
	if from.InFlight == 0 {
		from.InFlight = 128
	}
	if from.PerSecond < 0 || from.Burst < 0 || from.InFlight < 0 {
		return nil, fmt.Errorf("source %s: a limit is negative", from.Name)
	}
	return &source{name: from.Name, verifier: verifier, decoder: decoder,
		tokens: rate.NewLimiter(rate.Limit(from.PerSecond), from.Burst), slots: make(chan struct{}, from.InFlight)}, nil
}

func (s *Server) routes() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.failure
	// Nobody's word about the client's address is believed but the connection's.
	e.IPExtractor = echo.ExtractIPDirect()
	e.Use(s.traceRequests, s.logRequests, s.recoverPanics)
	for name, src := range s.sources {
		e.POST("/webhooks/"+name, s.webhook(src))
	}
	e.GET("/healthz", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]string{"status": "ok"}) })
	e.GET("/readyz", s.ready.handle)
	if s.cfg.People != nil {
		s.cfg.People.Register(e)
	}
	if s.cfg.API != nil {
		s.cfg.API.Register(e)
	}
	return e
}

// Handler is the whole door as an http.Handler, for a server of one's own.
func (s *Server) Handler() http.Handler { return s.echo }

// Start listens and returns; ctx limits only the listening. A server that fails
// later says so on Failed.
func (s *Server) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("ingress: %w", err)
	}
	s.addr = listener.Addr()
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("ingress: %w", err)
		}
	}()
	return nil
}

// Addr is where the server listens, once started.
func (s *Server) Addr() string {
	if s.addr == nil {
		return s.cfg.Addr
	}
	return s.addr.String()
}

// Failed delivers the error of a server that stopped by itself.
func (s *Server) Failed() <-chan error { return s.failed }

// Shutdown takes no new requests and finishes those it has. When ctx ends first
// it closes what is left and returns ctx's error: nothing was acknowledged there,
// so the senders keep those events.
func (s *Server) Shutdown(ctx context.Context) error {
	s.silent.close()
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
		return fmt.Errorf("ingress: %w", err)
	}
	return nil
}
