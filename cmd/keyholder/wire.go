package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/ownerfigures"
	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/clients/llm"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/clients/twilio"
	"github.com/aictive/keyholder/clients/webhook"
	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/ingress"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/worker"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/portfolio"
	"github.com/aictive/keyholder/workflows/sales"
)

// base is what the parts of one process share.
type base struct {
	log      *zap.Logger
	registry *prometheus.Registry
	temporal client.Client
	store    store.Store
	photos   *blobs.Bucket
	keys     store.Keys
	clock    durable.Clock
	// tracer is nil where nothing is traced.
	tracer trace.Tracer
	// observer sees the calls to partners.
	observer *partner.Observer
}

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// openBase connects to Temporal and the store. address is "" where Temporal's own
// configuration says it; tracer may be nil.
func openBase(ctx context.Context, log *zap.Logger, tracer trace.Tracer, payloads PayloadConfig, storeURL, blobURL, linkKey, address string, signing ...string) (*base, error) {
	b := &base{log: log, registry: newRegistry(), tracer: tracer, observer: partner.NewObserver(tracer)}
	err := b.registry.Register(b.observer)
	if err != nil {
		return nil, err
	}
	if b.keys, err = linkKeys(linkKey, signing); err != nil {
		return nil, err
	}
	if b.temporal, err = dialTraced(ctx, log, tracer, payloads, address, b.registry); err != nil {
		return nil, err
	}
	if b.store, err = store.Open(ctx, storeURL); err != nil {
		b.close()
		return nil, fmt.Errorf("KEYHOLDER_STORE_URL: %w", err)
	}
	if b.photos, err = blobs.Open(blobURL); err != nil {
		b.close()
		return nil, usageError{fmt.Errorf("KEYHOLDER_BLOB_URL: %w", err)}
	}
	if b.clock, err = storedClock(ctx, b.store); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func dial(ctx context.Context, log *zap.Logger, payloads PayloadConfig, address string, registry prometheus.Registerer) (client.Client, error) {
	return dialTraced(ctx, log, nil, payloads, address, registry)
}

func dialTraced(ctx context.Context, log *zap.Logger, tracer trace.Tracer, payloads PayloadConfig, address string, registry prometheus.Registerer) (client.Client, error) {
	keys, err := cluster.ParseKeys(payloads.PayloadKeys)
	if err != nil {
		return nil, usageError{fmt.Errorf("KEYHOLDER_PAYLOAD_KEYS: %w", err)}
	}
	metrics, err := cluster.NewMetrics(registry, workflows.Metrics()...)
	if err != nil {
		return nil, err
	}
	return cluster.Dial(ctx, cluster.Options{Address: address, Plain: address != "", Logger: log, Keys: keys, Metrics: metrics, Tracer: tracer})
}

// dial connects a command that only asks the cluster.
func (c setupConfig) dial(ctx context.Context) (client.Client, error) {
	log, err := c.logger()
	if err != nil {
		return nil, err
	}
	return dial(ctx, log, c.PayloadConfig, "", newRegistry())
}

func (b *base) close() {
	if b.temporal != nil {
		b.temporal.Close()
	}
	if b.store != nil {
		if err := b.store.Close(); err != nil {
			b.log.Warn("the store did not close cleanly", zap.Error(err))
		}
	}
	if b.photos != nil {
		if err := b.photos.Close(); err != nil {
			b.log.Warn("the photos did not close cleanly", zap.Error(err))
		}
	}
}

// clockSetting is the store's setting of a development clock.
const clockSetting = "clock"

// storedClock is the business clock of a store: real time, unless "keyholder dev
// --day" has set another.
func storedClock(ctx context.Context, s store.Store) (durable.Clock, error) {
	var clock durable.Clock
	text, err := s.Setting(ctx, clockSetting)
	if err != nil || text == "" {
		return clock, err
	}
	if err := json.Unmarshal([]byte(text), &clock); err != nil {
		return clock, fmt.Errorf("the store's clock cannot be read: %w", err)
	}
	return clock, nil
}

// fromStore reads from the store at an address, which is opened and closed for that, on
// its business clock.
func fromStore[T any](ctx context.Context, url string, read func(store.Store, durable.Clock) (T, error)) (found T, err error) {
	s, err := store.Open(ctx, url)
	if err != nil {
		return found, fmt.Errorf("KEYHOLDER_STORE_URL: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	clock, err := storedClock(ctx, s)
	if err != nil {
		return found, err
	}
	return read(s, clock)
}

// router delivers events that come via one way and keeps their receipts.
func (b *base) router(via string) *ingress.Router {
	return ingress.NewRouter(ingress.RouterConfig{Client: b.temporal, TaskQueue: workflows.TaskQueue, Clock: b.clock, Receipts: b.store, Via: via})
}

// newIngress wires the HTTP door.
func (b *base) newIngress(cfg ingressConfig) (*ingress.Server, error) {
	limited := func(s ingress.Source) ingress.Source {
		s.PerSecond, s.Burst = cfg.PerSecond, int(2*cfg.PerSecond)
		return s
	}
	rules, err := b.openPolicy(cfg.Policy)
	if err != nil {
		return nil, usageError{err}
	}
	api, err := b.newAPI(cfg.APIKeys, rules)
	if err != nil {
		return nil, err
	}
	mail, err := cfg.mailVerifier()
	if err != nil {
		return nil, err
	}
	if err := b.showBuild(""); err != nil {
		return nil, err
	}
	return ingress.New(ingress.Config{
		Addr: cfg.Address, Router: b.router(ingress.ViaWebhook), Store: b.store, Registry: b.registry, Tracer: b.tracer, Log: b.log.Named("ingress"),
		Sources: []ingress.Source{
			limited(ingress.Source{Name: ingress.SourceRentVine, Signature: ingress.Signature{Scheme: cfg.RentVineScheme, Secrets: secrets(cfg.RentVineSecrets)}}),
			limited(ingress.Source{Name: ingress.SourceOpenMoove, Signature: ingress.Signature{Secrets: secrets(cfg.OpenMooveSecrets)}}),
		},
		People: ingress.NewPeople(ingress.PeopleConfig{
			Temporal: b.temporal, Store: b.store, Photos: b.photos, Keys: b.keys, Clock: b.clock, Rules: rules, TwilioAuthTokens: cfg.TwilioAuthTokens,
			Mail: mail, Park: b.router(ingress.ViaMail).Deliver, LeadsAddress: cfg.LeadsAddress,
			PublicURL: strings.TrimRight(cfg.PublicURL, "/"), Report: b.salesReport(rules), Owner: b.ownerReport(rules), Log: b.log.Named("people"), Registerer: b.registry,
		}),
		API: api,
	})
}

// newAPI wires /v1; without a key there is none.
func (b *base) newAPI(keys []string, rules *policy.File) (*ingress.API, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	api, err := ingress.NewAPI(ingress.APIConfig{
		Keys: keys, Temporal: b.temporal, Clock: b.clock, Hashes: b.keys, Imports: b.store, Audit: b.store, Log: b.log.Named("api"), Registerer: b.registry,
		FindSale: b.findSale, MilestoneEvents: func() map[string]string { return rules.Sales().Reported.Events }, Report: b.salesReport(rules),
	})
	if err != nil {
		return nil, fmt.Errorf("KEYHOLDER_API_KEY: %w", err)
	}
	return api, nil
}

// openPolicy reads the policy, and again whenever its files change.
func (b *base) openPolicy(path string) (*policy.File, error) {
	return policy.Open(path, func(err error) {
		b.log.Error("the edited policy cannot be used; the last good one stays in force", zap.Error(err))
	})
}

// findSale finds a sale that is or was followed.
func (b *base) findSale(ctx context.Context, propertyID, transactionID string) (ingress.FoundSale, error) {
	var w store.Watch
	var err error
	if propertyID != "" {
		w, err = b.store.Watch(ctx, propertyID)
	} else {
		w, err = b.store.WatchOf(ctx, strings.ToLower(transactionID))
	}
	return ingress.FoundSale{PropertyID: w.PropertyID, TransactionID: w.TransactionID, Ended: !w.EndedAt.IsZero()}, err
}

func (b *base) salesReport(rules *policy.File) func(context.Context) (salesreport.Report, error) {
	return func(ctx context.Context) (salesreport.Report, error) {
		return activities.SalesReport(ctx, b.store, rules.Sales(), b.clock)
	}
}

// ownerReport makes the page of a portfolio's owners: its present month.
func (b *base) ownerReport(rules *policy.File) func(context.Context, string) (ownerreport.Report, error) {
	return func(ctx context.Context, portfolioID string) (ownerreport.Report, error) {
		return ownerfigures.Present(ctx, b.store, ownerfigures.RulesOf(rules, portfolioID), portfolioID, b.clock.Now())
	}
}

// newWorker wires the clients, the activities and the worker.
func (b *base) newWorker(cfg workerConfig, queues []string, fatal func(error)) (*worker.Worker, error) {
	acts, err := b.newActivities(cfg)
	if err != nil {
		return nil, err
	}
	if err := b.showBuild(cfg.BuildID); err != nil {
		return nil, err
	}
	for _, c := range acts.Collectors() {
		if err := b.registry.Register(c); err != nil {
			return nil, err
		}
	}
	go acts.CheckBooks(context.Background())
	if err := b.sizeCache(cfg.TuningConfig); err != nil {
		return nil, err
	}
	w, err := worker.New(worker.Config{
		Client: b.temporal, Activities: acts, Queues: queues, BuildID: cfg.BuildID, Deployment: cfg.Deployment, QuickBooksPerMinute: cfg.QuickBooksPerMinute,
		Slots: worker.Slots(cfg.WorkerSlots), StopTimeout: 5 * time.Second, OnFatalError: fatal, Registerer: b.registry,
	})
	if err != nil {
		return nil, err
	}
	return w, b.showQueues(w.Queues())
}

func (b *base) newActivities(cfg workerConfig) (*activities.Activities, error) {
	rules, policyErr := b.openPolicy(cfg.Policy)
	outbound, outboundErr := activities.NewOutbound(cfg.Outbound, cfg.Allowlist)
	webhooks, webhooksErr := cfg.outgoing(b.observer)
	books, booksErr := cfg.newQuickBooks(b.store, b.observer)
	stock, stockErr := cfg.newInventory(b.observer)
	if err := errors.Join(policyErr, outboundErr, webhooksErr, booksErr, stockErr, cfg.validate(outbound)); err != nil {
		return nil, usageError{err}
	}
	from, err := netmail.ParseAddress(cfg.MailFrom)
	if err != nil {
		return nil, usageError{err}
	}
	limits, err := parseLimits(cfg.OpenMooveLimits)
	if err != nil {
		return nil, usageError{err}
	}
	if err := polling.Defaults(limits).Check(); err != nil {
		return nil, usageError{fmt.Errorf("KEYHOLDER_OPENMOOVE_LIMITS: %w", err)}
	}
	publicURL := strings.TrimRight(cfg.PublicURL, "/")
	_, domain, _ := strings.Cut(from.Address, "@")
	router := b.router(ingress.ViaReplay)
	observed := partner.HTTPConfig{Observer: b.observer}
	return activities.New(activities.Config{
		RentVine: rentvine.New(rentvine.Config{BaseURL: cfg.RentVineURL, AccessKey: cfg.RentVineAccessKey, Secret: cfg.RentVineAPISecret, HTTP: observed}),
		OpenMoove: activities.OpenMoove{
			// The effect journal counts on calls that are over after partner.DefaultTimeout.
			Client: openmoove.New(openmoove.Config{BaseURL: cfg.OpenMooveURL, APIKey: cfg.OpenMooveKey, Timeout: partner.DefaultTimeout, HTTP: observed}),
			Limits: limits,
		},
		Twilio: twilio.New(twilio.Config{
			AccountSID: cfg.TwilioAccountSID, AuthToken: cfg.TwilioAuthTokens[0], BaseURL: cfg.TwilioURL,
			From: cfg.TwilioFrom, MessagingServiceSID: cfg.TwilioService, HTTP: observed,
		}),
		Mail: mail.New(mail.Config{
			Host: cfg.SMTPHost, Port: cfg.SMTPPort, Username: cfg.SMTPUsername, Password: cfg.SMTPPassword,
			From: mail.Address{Name: from.Name, Email: from.Address}, TLS: mail.TLSPolicy(cfg.SMTPTLS), Observer: b.observer,
		}),
		Model:  cfg.client(b.observer),
		Policy: rules, Store: b.store, Photos: b.photos, Keys: b.keys, Outbound: outbound, Clock: b.clock,
		PublicURL: publicURL, StatusCallbackURL: publicURL + "/webhooks/twilio/status", MailDomain: domain,
		Redeliver: func(ctx context.Context, ev durable.Event) (activities.Redelivery, error) {
			r, err := router.Deliver(ctx, ev)
			return activities.Redelivery{Routed: r.Outcome != ingress.Parked, WorkflowID: r.WorkflowID}, err
		},
		Deliver: func(ctx context.Context, ev durable.Event) (activities.Redelivery, error) {
			r, err := router.DeliverAs(ctx, ev, ingress.ViaSync)
			return activities.Redelivery{Routed: r.Outcome != ingress.Parked, WorkflowID: r.WorkflowID}, err
		},
		HandOver: func(ctx context.Context, facts activities.SaleFacts) (bool, error) {
			return follows(sales.HandOver(ctx, b.temporal, workflows.TaskQueue, b.clock, facts))
		},
		ShowSale: func(ctx context.Context, propertyID string, view activities.SaleView) (bool, error) {
			return follows(sales.Show(ctx, b.temporal, workflows.TaskQueue, b.clock, propertyID, view))
		},
		FindLease: func(ctx context.Context, ev durable.Event, starts bool) error {
			return leasing.Find(ctx, b.temporal, workflows.TaskQueue, b.clock, ev, starts)
		},
		FindProperty: func(ctx context.Context, ev durable.Event) error {
			return portfolio.Find(ctx, b.temporal, workflows.TaskQueue, b.clock, ev)
		},
		Endings:          worker.NewEndings(b.temporal),
		OutgoingWebhooks: webhooks, QuickBooks: books, Inventory: stock,
		Log: b.log.Named("activities"),
	}), nil
}

// client is nil without a key: then the rules decide alone.
func (c ModelConfig) client(observer *partner.Observer) *llm.Client {
	if c.LLMKey == "" {
		return nil
	}
	return llm.New(llm.Config{BaseURL: c.LLMURL, Key: c.LLMKey, Model: c.LLMModel, HTTP: partner.HTTPConfig{Observer: observer}})
}

// follows tells whether a sale took what it was told: false where it has ended.
func follows(err error) (bool, error) {
	if errors.Is(err, sales.ErrSaleEnded) {
		return false, nil
	}
	return err == nil, err
}

// outgoing reads who is told of sales, and which private addresses that may reach.
func (c SubscriberConfig) outgoing(observer *partner.Observer) (activities.OutgoingWebhooks, error) {
	subscribers, err := activities.ParseSubscribers(c.Subscribers)
	for _, s := range subscribers {
		for _, event := range s.Events {
			if !slices.Contains(sales.EventTypes(), event) {
				err = errors.Join(err, fmt.Errorf("KEYHOLDER_SUBSCRIBERS (%s): no event is called %s; there are %s", s.Name, event, strings.Join(sales.EventTypes(), ", ")))
			}
		}
	}
	return activities.OutgoingWebhooks{Client: webhook.New(webhook.Config{Allow: c.SubscribersAllow, HTTP: partner.HTTPConfig{Observer: observer}}), Subscribers: subscribers}, err
}

// questionsKept is how long messages and finished questions stay in the store.
const questionsKept = 90 * 24 * time.Hour

// prune keeps the store small, once now and then daily, until ctx ends. Effects
// and consent are kept for good.
func (b *base) prune(ctx context.Context) {
	pruner, ok := b.store.(store.Pruner)
	if !ok {
		return
	}
	for {
		rows, err := pruner.Prune(ctx, time.Now().Add(-questionsKept))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			b.log.Warn("the store could not be pruned", zap.Error(err))
		case rows > 0:
			b.log.Info("the store was pruned", zap.Int64("rows", rows))
		}
		if err := b.prunePhotos(ctx, time.Now()); err != nil && ctx.Err() == nil {
			b.log.Warn("old photos could not be removed", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(24 * time.Hour):
		}
	}
}

// prunePhotos removes the photos that need not be kept any longer: the picture first,
// so that none is left that the store does not know.
func (b *base) prunePhotos(ctx context.Context, now time.Time) error {
	for {
		ids, err := b.store.OldPhotos(ctx, now)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := b.photos.Delete(ctx, blobs.PhotoKey(id)); err != nil {
				return err
			}
		}
		if err := b.store.ForgetPhotos(ctx, ids); err != nil {
			return err
		}
	}
}
