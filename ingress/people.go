package ingress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// smsWait and linkWait are how long a person waits for the workflow's own words
	// before the answer goes as a signal instead. Twilio gives up after 15 s.
	smsWait  = 3 * time.Second
	linkWait = 4 * time.Second
	// signalWait limits the signal that stands in for an unanswered command.
	signalWait = 3 * time.Second
	// recordWait limits what is written to the store after an answer was delivered.
	recordWait = 3 * time.Second
	// awayRetry is what Retry-After says while Temporal or the store is away.
	awayRetry = 15 * time.Second
	// maxSaid bounds what a person is told, in characters.
	maxSaid = 480
)

// PeopleConfig is what the doors for people need.
type PeopleConfig struct {
	Temporal client.Client
	Store    store.Store
	// Photos keeps what people upload; without it no photo is taken.
	Photos *blobs.Bucket
	Keys   store.Keys
	// Clock is business time: links expire by it.
	Clock durable.Clock
	// Rules name people and who manages; without them nobody does.
	Rules *policy.File
	// TwilioAuthTokens all verify, newest first; without one every callback is
	// refused.
	TwilioAuthTokens []string
	// PublicURL is the ingress as Twilio and browsers know it, such as
	// "https://keyholder.example.com". A path in front of ours is allowed.
	PublicURL string
	// Report makes the report on all sales as of now, and ends when ctx does. Without
	// it there is no page /r/{token}.
	Report func(ctx context.Context) (salesreport.Report, error)
	// Owner makes the page of a portfolio's owners as of now, and ends when ctx does.
	// Without it there is no page /o/{token}.
	Owner func(ctx context.Context, portfolioID string) (ownerreport.Report, error)
	// Mail verifies mail that a mail server hands on at /webhooks/mail, by the signature of
	// SourceMail. Without it none is taken. Park holds mail that no home takes.
	Mail *Verifier
	Park func(ctx context.Context, e durable.Event) (Result, error)
	// LeadsAddress is where portals send prospects' mail, such as "leads@example.com": unit
	// 12 gets "leads+12@example.com". Without it they are given the agent's own.
	LeadsAddress string
	Log          *zap.Logger
	// Registerer takes the metrics; nil keeps them unregistered.
	Registerer prometheus.Registerer
}

// People takes the answers of people who have no account here: texts through
// Twilio's signed webhooks, taps through action links (design: people answer
// too). An answer is a fact, so it never waits for a worker to be up. It shows them
// the report on all sales, and all that waits for them, by links that expire.
type People struct {
	cfg     PeopleConfig
	origins *http.CrossOriginProtection
	csp     string
	// personCSP is that of a person's page, known those whom the policy names.
	personCSP string
	known     *policyPeople
	// visits limits guessing at links and opening the same one again and again;
	// chats limits replies to what is no answer, by phone, so that two machines do
	// not talk to each other for ever.
	visits, chats *visitLimits
	// leads limits what one client, or about one contact, is sent as a prospect's form.
	leads *visitLimits
	mails *mailDoor
	feed  feed
	// listed counts the listings of the feed, and those left out of it.
	listed     *prometheus.GaugeVec
	listingCSP string
	uploads    *uploads
	reports    *reporter
	owners     *ownerPages
	calendars  *calendarCache
	counted    *prometheus.CounterVec
}

// NewPeople builds the doors; Register opens them.
func NewPeople(cfg PeopleConfig) *People {
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	p := &People{
		cfg:       cfg,
		origins:   http.NewCrossOriginProtection(),
		visits:    newVisitLimits(5, 40),
		chats:     newVisitLimits(rate.Every(2*time.Minute), 6),
		leads:     newVisitLimits(rate.Every(time.Minute), 10),
		mails:     newMailDoor(cfg.LeadsAddress),
		uploads:   newUploads(),
		reports:   newReporter(cfg.Report, reportsAtOnce, reportTime),
		owners:    newOwnerPages(cfg.Owner),
		calendars: newCalendarCache(),
		counted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keyholder_ingress_people_total",
			Help: "What people and their carrier sent: texts, delivery statuses, visits to and answers on action links, visits to reports and to pages of persons, swaps, by outcome.",
		}, []string{"kind", "outcome"}),
		listed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "keyholder_ingress_listings", Help: "Published listings when the feed was last made, by whether it has them.",
		}, []string{"state"}),
	}
	if cfg.Registerer != nil {
		if err := errors.Join(cfg.Registerer.Register(p.counted), cfg.Registerer.Register(p.listed)); err != nil {
			cfg.Log.Error("the metrics for people are not registered", zap.Error(err))
		}
	}
	if origin := originOf(cfg.PublicURL); origin != "" {
		if err := p.origins.AddTrustedOrigin(origin); err != nil {
			cfg.Log.Warn("the public URL has no usable origin", zap.Error(err))
		}
	}
	csp, err := pages.Policy()
	if err != nil {
		cfg.Log.Error("the pages have no style sheet", zap.Error(err))
		csp = "default-src 'none'; form-action 'self'; frame-ancestors 'none'"
	}
	p.csp = csp
	if p.listingCSP, err = pages.ListingPolicy(); err != nil {
		cfg.Log.Error("the pages of homes have no style sheet", zap.Error(err))
		p.listingCSP = csp
	}
	p.known = &policyPeople{rules: cfg.Rules, keys: cfg.Keys}
	if p.personCSP, err = pages.PersonPolicy(); err != nil {
		cfg.Log.Error("the page of a person has no style sheet", zap.Error(err))
		p.personCSP = csp
	}
	return p
}

// Register adds the routes for people. Whoever sets e.IPExtractor decides which
// proxy is believed about the client's address; without one nobody is.
func (p *People) Register(e *echo.Echo) {
	e.POST("/webhooks/twilio/message", p.message)
	e.POST("/webhooks/twilio/status", p.status)
	e.GET("/a/:token", p.showLink)
	e.HEAD("/a/:token", p.showLink)
	e.POST("/a/:token", p.answerLink)
	e.GET("/p/:token", p.showPerson)
	e.HEAD("/p/:token", p.showPerson)
	e.POST("/p/:token/swap", p.postSwap)
	e.GET("/a/:token/photo/:id", p.showPhoto)
	p.registerListings(e)
	e.GET("/calendar/:token", p.showCalendar)
	e.HEAD("/calendar/:token", p.showCalendar)
	if p.cfg.Report != nil {
		e.GET("/r/:token", p.showReport)
		e.HEAD("/r/:token", p.showReport)
	}
	if p.cfg.Owner != nil {
		e.GET("/o/:token", p.showOwner)
		e.HEAD("/o/:token", p.showOwner)
	}
}

// fate is what became of an answer.
type fate string

const (
	fateTaken    fate = "taken"    // the workflow has taken it and said so
	fateLate     fate = "late"     // taken and recorded, and it changes nothing
	fateReceived fate = "received" // in the workflow's history, not looked at yet
	fateGone     fate = "gone"     // the workflow has ended
	fateRefused  fate = "refused"  // the workflow does not take it
	fateAway     fate = "away"     // Temporal did not confirm it
)

// handover is the fate and the workflow's own words, "" where it had none.
type handover struct {
	fate fate
	said string
}

// deliver brings the answer to the workflow of its question: as a command first,
// to hear the outcome, and where that gives none in time as the same answer in a
// signal. Both may arrive (contracts/temporal.md 2.8); the workflow takes one, by
// Answer.ID. It does not end when the caller hangs up.
func (p *People) deliver(ctx context.Context, q store.Question, a durable.Answer, updateID string, wait time.Duration) handover {
	ctx = context.WithoutCancel(ctx)
	d := p.command(ctx, q.WorkflowID, a, updateID, wait)
	if d.fate == fateAway {
		d = p.signal(ctx, q.WorkflowID, a)
	}
	switch d.fate {
	case fateTaken, fateLate, fateReceived, fateGone:
		recordCtx, cancel := context.WithTimeout(ctx, recordWait)
		defer cancel()
		if _, err := p.cfg.Store.RecordAnswer(recordCtx, q.ID, a.Choice); err != nil {
			p.count("store", "answer_not_recorded")
			p.cfg.Log.Error("an answer reached its workflow but not the store", zap.String("workflow", q.WorkflowID), zap.Error(err))
		}
		_ = tell(ctx, p.cfg.Store, p.cfg.Log, answerEntry(q, a, d.fate)) // the workflow has it, and tells of it too
	case fateRefused, fateAway:
	}
	p.cfg.Log.Info("answer delivered", zap.String("workflow", q.WorkflowID), zap.String("step", q.Step),
		zap.String("via", a.Via), zap.String("fate", string(d.fate)))
	return d
}

// command sends the answer as an Update; the fate away means that there was no
// outcome and that a signal may still get through.
func (p *People) command(ctx context.Context, workflowID string, a durable.Answer, updateID string, wait time.Duration) handover {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	out, err := durable.GiveAnswer.Send(ctx, p.cfg.Temporal, workflowID, updateID, a)
	var refusal *temporal.ApplicationError
	switch {
	case err == nil && out.Late:
		return handover{fateLate, clip(out.Message, maxSaid)}
	case err == nil:
		return handover{fateTaken, clip(out.Message, maxSaid)}
	case workflowGone(err):
		return handover{fate: fateGone}
	case errors.As(err, &refusal):
		return refusalOf(refusal)
	default:
		return handover{fate: fateAway}
	}
}

// refusalOf tells a workflow's own refusal from those that Temporal or the SDK
// makes in its place.
func refusalOf(err *temporal.ApplicationError) handover {
	switch {
	case err.Type() == "AcceptedUpdateCompletedWorkflow":
		return handover{fate: fateGone}
	case strings.HasPrefix(err.Message(), "unknown update "):
		return handover{fate: fateAway} // it takes answers as facts only
	default:
		return handover{fateRefused, clip(err.Message(), maxSaid)}
	}
}

func (p *People) signal(ctx context.Context, workflowID string, a durable.Answer) handover {
	ctx, cancel := context.WithTimeout(ctx, signalWait)
	defer cancel()
	err := durable.AnswerReceived.Send(ctx, p.cfg.Temporal, workflowID, a)
	switch {
	case err == nil:
		return handover{fate: fateReceived}
	case workflowGone(err):
		return handover{fate: fateGone}
	default:
		p.cfg.Log.Warn("Temporal did not confirm an answer", zap.String("workflow", workflowID), zap.Error(err))
		return handover{fate: fateAway}
	}
}

// workflowGone tells that no such workflow is running.
func workflowGone(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone)
}

func (p *People) count(kind, outcome string) { p.counted.WithLabelValues(kind, outcome).Inc() }

// visitLimits is one rate limiter a key, for the keys seen most lately.
type visitLimits struct {
	every rate.Limit
	burst int

	mu    sync.Mutex
	byKey *simplelru.LRU[string, *rate.Limiter]
}

// maxVisitLimits bounds the memory; who is pushed out starts with a full burst.
const maxVisitLimits = 10_000

func newVisitLimits(every rate.Limit, burst int) *visitLimits {
	byKey, _ := simplelru.NewLRU[string, *rate.Limiter](maxVisitLimits, nil) // fails for a size below 1 only
	return &visitLimits{every: every, burst: burst, byKey: byKey}
}

func (l *visitLimits) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, ok := l.byKey.Get(key)
	if !ok {
		limiter = rate.NewLimiter(l.every, l.burst)
		l.byKey.Add(key, limiter)
	}
	return limiter.Allow()
}

// visitorOf is the client's address for rate limits: one IPv4 address, or the /64
// that a home or phone has in IPv6. Forwarding headers count only where the
// server was told to believe them.
func visitorOf(c echo.Context) string {
	raw := ""
	if extract := c.Echo().IPExtractor; extract != nil {
		raw = extract(c.Request())
	} else if host, _, err := net.SplitHostPort(c.Request().RemoteAddr); err == nil {
		raw = host
	}
	addr, err := netip.ParseAddr(raw)
	if err != nil {
		return "unknown"
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}

// clip shortens text to at most n characters.
func clip(text string, n int) string {
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > n {
		return strings.TrimSpace(string(r[:n-1])) + "…"
	}
	return text
}
