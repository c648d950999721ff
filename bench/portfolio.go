package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox/mailbox"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
	"github.com/aictive/keyholder/store"
)

const (
	// monthEndLimit is how long a month end may take, for each property.
	monthEndLimit = 500 * time.Millisecond
	// sampleEvery is how often memory is looked at.
	sampleEvery = 50 * time.Millisecond
	// perPortfolio is how many properties a portfolio of the sandbox has.
	perPortfolio = 5
)

// monthEnds makes and sends the packs of a month for few and for ten times as many
// properties: ten times the work is to take ten times as long.
func monthEnds(ctx context.Context, s settings, dir string) error {
	few, many := 500, 5000
	if s.small {
		few, many = 50, 200
	}
	fmt.Printf("\nmonth end, packs by mail and filed at RentVine\n")
	var took [2]time.Duration
	for i, properties := range []int{few, many} {
		var err error
		if took[i], err = monthEndOf(ctx, properties, fmt.Sprintf("%s-%d.db", dir, properties)); err != nil {
			return err
		}
	}
	floor, growth := float64(many)/float64(few), took[1].Seconds()/took[0].Seconds()
	fmt.Printf("  growth from %d to %d properties: %.1fx, %.2f of a floor of %.0fx\n", few, many, growth, growth/floor, floor)
	return nil
}

// monthEndOf is the month end of some properties.
func monthEndOf(ctx context.Context, properties int, database string) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(properties)*monthEndLimit+time.Minute)
	defer cancel()
	now := time.Date(2026, 11, 3, 18, 0, 0, 0, time.UTC)
	kept, err := store.Open(ctx, database)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	box := sandbox.New(sandbox.Config{FileReply: sandbox.FileReplyLive})
	made, err := box.GeneratePortfolio(sandbox.PortfolioConfig{Properties: properties, Seed: booksSeed})
	if err != nil {
		return 0, err
	}
	server := httptest.NewServer(http.StripPrefix("/rentvine/api/manager", box))
	defer server.Close()
	client := rentvine.New(rentvine.Config{
		BaseURL: server.URL + "/rentvine/api/manager", AccessKey: sandbox.DevAccessKey, Secret: sandbox.DevSecret,
	})
	defer client.Close()
	if err := fillMonths(ctx, kept, client, made, now); err != nil {
		return 0, err
	}
	acts, mails, done, err := mailing(ctx, kept, client, now)
	if err != nil {
		return 0, err
	}
	defer done()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(time.Duration(properties)*monthEndLimit + time.Minute)
	acts.RegisterBulk(env)
	peak, stop := watchMemory()
	began := time.Now()
	value, err := env.ExecuteActivity(activities.SendOwnerPacks.Name, "2026-10")
	took = time.Since(began)
	stop()
	if err != nil {
		return 0, err
	}
	var sent activities.PacksSent
	if err := value.Get(&sent); err != nil {
		return 0, err
	}
	fmt.Printf("  %d properties in %d portfolios: %s, %.1f packs/s, heap at most %d MB with the sandbox, %d mails, %d files\n",
		properties, sent.Portfolios, took.Round(10*time.Millisecond), float64(sent.Portfolios)/took.Seconds(), peak.Load()>>20, mails(), sent.Files)
	if sent.Problems > 0 || sent.Files != made.Portfolios || mails() != made.Portfolios {
		return 0, fmt.Errorf("not each of %d portfolios has its pack once: %+v", made.Portfolios, sent)
	}
	return took, nil
}

// mailing are activities with a mail server; mails counts what it has taken.
func mailing(ctx context.Context, kept store.Store, client *rentvine.Client, now time.Time) (acts *activities.Activities, mails func() int, done func(), err error) {
	rules, errRules := policy.Open("", nil)
	outbound, errOutbound := activities.NewOutbound("live", nil)
	listener, errListen := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err := errors.Join(errRules, errOutbound, errListen); err != nil {
		return nil, nil, nil, err
	}
	var taken atomic.Int64
	// A fault is asked for once a mail: this one counts.
	letters := mailbox.New(mailbox.Config{Fault: func() mailbox.Fault { taken.Add(1); return mailbox.Fault{} }})
	letters.Serve(listener)
	acts = activities.New(activities.Config{
		RentVine: client, Policy: rules, Store: kept, Keys: store.NewKeys("a key of the bench"), Outbound: outbound, MailDomain: "keyholder.example.org",
		Mail: mail.New(mail.Config{
			Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: mail.TLSNone, Timeout: 10 * time.Second,
			From: mail.Address{Name: "Acme Homes", Email: "office@example.org"},
		}),
		Now: func() time.Time { return now }, PublicURL: "https://keyholder.example.org", Log: zap.NewNop(),
	})
	return acts, func() int { return int(taken.Load()) }, func() {
		closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = letters.Close(closing)
	}, nil
}

// fillMonths keeps what a year has left of the properties that RentVine has: two homes
// each, a repair in the month, and for each portfolio the income and costs of twelve months.
func fillMonths(ctx context.Context, s store.Store, client *rentvine.Client, made sandbox.Generated, now time.Time) error {
	first, err := strconv.Atoi(made.First)
	if err != nil {
		return err
	}
	var failed error
	portfolios := map[string]bool{}
	err = client.EachProperty(ctx, 1, func(_ int, p rentvine.Property) bool {
		if n, err := strconv.Atoi(p.ID); err != nil || n < first {
			return true
		}
		if !portfolios[p.PortfolioID] {
			portfolios[p.PortfolioID] = true
			failed = errors.Join(failed, fillJournal(ctx, s, p, now))
		}
		failed = errors.Join(failed, fillHome(ctx, s, p, now))
		return failed == nil
	})
	return errors.Join(err, failed)
}

func fillHome(ctx context.Context, s store.Store, p rentvine.Property, now time.Time) error {
	place := store.Place{PropertyID: p.ID, PortfolioID: p.PortfolioID, Name: p.Name, Address: p.Address, City: p.City, State: p.StateID, Active: true, SeenAt: now}
	var failed error
	for _, label := range []string{"A", "B"} {
		unit := "9" + p.ID + map[string]string{"A": "1", "B": "2"}[label]
		place.Units = append(place.Units, store.PlaceUnit{UnitID: unit, Label: label, Active: true, Beds: 2, Rent: 180000})
		_, err := s.SeeTenancy(ctx, store.Tenancy{
			LeaseID: unit, UnitID: unit, PropertyID: p.ID, PortfolioID: p.PortfolioID, Status: "active", Start: "2026-02-01", End: "2027-01-31", Rent: 185000, SeenAt: now,
		})
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, s.SeePlace(ctx, place), s.RecordRepair(ctx, store.Repair{
		WorkOrderID: "9" + p.ID, PropertyID: p.ID, PortfolioID: p.PortfolioID, What: "plumbing", Cost: 12500, Rating: 4,
		OpenedAt: now.AddDate(0, 0, -20), AcknowledgedAt: now.AddDate(0, 0, -19), DoneAt: now.AddDate(0, 0, -15),
	}))
}

func fillJournal(ctx context.Context, s store.Store, p rentvine.Property, now time.Time) error {
	for month := range 12 {
		day := time.Date(2025, time.November, 5, 0, 0, 0, 0, time.UTC).AddDate(0, month, 0).Format(time.DateOnly)
		for kind, lines := range map[string][]store.JournalLine{
			"payment": {{Role: "bank", Account: "Bank", Debit: 370000 * perPortfolio}, {Role: "receivables", Account: "Owed", Credit: 370000 * perPortfolio}},
			"bill":    {{Role: "repairs", Account: "Repairs", Debit: 42000}, {Role: "payables", Account: "Due", Credit: 42000}},
		} {
			_, err := s.BookTransaction(ctx, store.BookedTransaction{
				ID: fmt.Sprintf("%s/9%s%02d", kind, p.PortfolioID, month), Kind: kind, Number: "1", PropertyID: p.ID, PortfolioID: p.PortfolioID,
				Amount: lines[0].Debit, Day: day, Counts: true, SeenAt: now,
			}, func([]store.JournalEntry) ([]store.JournalEntry, error) {
				return []store.JournalEntry{{Number: 1, Day: day, Currency: "USD", Lines: lines}}, nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// watchMemory notes the most of the heap that is in use until stop.
func watchMemory() (peak *atomic.Uint64, stop func()) {
	peak = &atomic.Uint64{}
	runtime.GC()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	}()
	return peak, func() { close(over); <-ended }
}
