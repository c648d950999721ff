package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/activities/ownerfigures"
	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// SendOwnerDigests reads which work orders are open at RentVine, keeps them, and mails
// the owners of each portfolio those that have been open for long. It is safe to repeat:
// each mail of a run has a key of its own in the effect journal, and so has each request
// that its owners were told of.
var SendOwnerDigests = durable.Activity[OwnerDigestInput, DigestsSent]{
	Name: "portfolio.send_digests", Queue: QueueBulk, Attempt: 30 * time.Minute, Within: 12 * time.Hour, Heartbeat: 2 * time.Minute, Priority: 5,
}

type (
	// OwnerDigestInput asks for those that have been open for long at a time.
	OwnerDigestInput struct {
		At time.Time `json:"at"`
	}
	// DigestsSent counts the open requests, those that owners were told of, and the mails.
	DigestsSent struct {
		Open  int `json:"open"`
		Told  int `json:"told"`
		Mails int `json:"mails"`
		// Problems counts the portfolios with one; Failed are the first of them.
		Problems int               `json:"problems,omitempty"`
		Failed   []FailedPortfolio `json:"failed,omitempty"`
	}
)

func (a *Activities) sendOwnerDigests(ctx context.Context, in OwnerDigestInput) (DigestsSent, error) {
	open, err := a.readOpenRequests(ctx)
	if err != nil {
		return DigestsSent{}, toTemporal(ctx, err)
	}
	out := DigestsSent{Open: len(open)}
	var portfolios []string
	byPortfolio := map[string][]store.OpenRequest{}
	for _, q := range open {
		if q.PortfolioID == "" {
			continue
		}
		if byPortfolio[q.PortfolioID] == nil {
			portfolios = append(portfolios, q.PortfolioID)
		}
		byPortfolio[q.PortfolioID] = append(byPortfolio[q.PortfolioID], q)
	}
	var owners *ownerList
	var failed error
	for _, id := range portfolios {
		activity.RecordHeartbeat(ctx)
		due, err := a.untold(ctx, byPortfolio[id], a.Policy.Portfolio(id, "").Owners, in.At)
		if err != nil {
			return out, err
		}
		if len(due) == 0 {
			continue
		}
		if owners == nil {
			if owners, err = a.readOwnerList(ctx); err != nil {
				return out, toTemporal(ctx, err)
			}
		}
		sent := a.sendDigest(ctx, owners, id, due, in.At)
		switch {
		case sent.again != nil:
			failed = errors.Join(failed, sent.again)
		case sent.why != "":
			out.Problems++
			out.Failed = noteFailed(out.Failed, id, sent.why)
		default:
			out.Told += len(due)
			out.Mails += sent.mails
		}
	}
	return out, toTemporal(ctx, failed)
}

// readOpenRequests reads the open work orders from RentVine and keeps them. Where one
// names no portfolio, that of its property is taken.
func (a *Activities) readOpenRequests(ctx context.Context) ([]store.OpenRequest, error) {
	portfolioOf, err := a.portfoliosOfPlaces(ctx)
	if err != nil {
		return nil, err
	}
	statuses, err := a.RentVine.WorkOrderStatuses(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, s := range statuses {
		names[s.ID] = s.Name
	}
	var open []store.OpenRequest
	err = a.RentVine.EachOpenWorkOrder(ctx, func(w rentvine.WorkOrder) bool {
		q := store.OpenRequest{
			WorkOrderID: w.ID, Number: w.Number, PropertyID: w.PropertyID, UnitID: w.UnitID, PortfolioID: w.PortfolioID,
			Status: names[w.StatusID], OpenedAt: w.CreatedAt,
		}
		if q.PortfolioID == "" {
			q.PortfolioID = portfolioOf[w.PropertyID]
		}
		shared := w.IsSharedWithOwner || a.Policy.Portfolio(q.PortfolioID, q.PropertyID).Owners.AllRequests
		// A maintenance check that we made is no request.
		if shared && !w.IsInternal && !a.isOwnCheck(w.Description) {
			open = append(open, q)
		}
		activity.RecordHeartbeat(ctx)
		return ctx.Err() == nil
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	return open, a.Store.ReplaceOpenRequests(ctx, open)
}

// portfoliosOfPlaces are the portfolios by property.
func (a *Activities) portfoliosOfPlaces(ctx context.Context) (map[string]string, error) {
	of := map[string]string{}
	for after := ""; ; {
		places, err := a.Store.Places(ctx, store.PortfolioFilter{After: after, Most: 1000})
		if err != nil || len(places) == 0 {
			return of, err
		}
		for _, p := range places {
			of[p.PropertyID], after = p.PortfolioID, p.PropertyID
		}
	}
}

// untold are the requests that have been open for long at a time and of which their owners
// were not told in the present period.
func (a *Activities) untold(ctx context.Context, open []store.OpenRequest, rules policy.OwnerReports, at time.Time) ([]store.OpenRequest, error) {
	var due []store.OpenRequest
	for _, q := range open {
		key, old := digestKey(q, rules, at)
		if !old {
			continue
		}
		told, err := a.Store.Effect(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if !told.Done {
			due = append(due, q)
		}
	}
	return due, nil
}

// digestKey names the telling of a request in the effect journal, once in each period; old
// is false where it has not been open for long.
func digestKey(q store.OpenRequest, rules policy.OwnerReports, at time.Time) (key string, old bool) {
	late := at.Sub(q.OpenedAt.Add(rules.DigestAge))
	if q.OpenedAt.IsZero() || late <= 0 {
		return "", false
	}
	period := 0
	if rules.DigestEvery > 0 {
		period = int(late / rules.DigestEvery)
	}
	return fmt.Sprintf("owner-digest/%s/request/%s/%d", q.PortfolioID, q.WorkOrderID, period), true
}

// sendDigest tells the owners of a portfolio of requests, and keeps that they were told.
func (a *Activities) sendDigest(ctx context.Context, owners *ownerList, portfolioID string, due []store.OpenRequest, at time.Time) (done pack) {
	rules := a.Policy.Portfolio(portfolioID, "")
	places, err := a.Store.Places(ctx, store.PortfolioFilter{PortfolioID: portfolioID})
	if err != nil {
		return done.failed(err)
	}
	people, err := a.ownersOnce(ctx, owners, portfolioID)
	if err != nil {
		return done.failed(err)
	}
	day := DayIn(at, rules.TimeZone)
	m, err := ownerMail(ownerreport.Report{
		Kind: ownerreport.Digest, Company: rules.Company, Currency: rules.Currency, At: at, TimeZone: rules.TimeZone, From: day, To: day,
		PortfolioID: portfolioID, Portfolio: owners.name(portfolioID), PageURL: a.ownerPage(portfolioID),
		Requests: ownerfigures.Requests(due, places), OldAfter: rules.Owners.DigestAge,
	})
	if err != nil {
		return done.failed(err)
	}
	reached := 0
	for _, p := range people {
		outcome, err := a.mailOnce(ctx, fmt.Sprintf("owner-digest/%s/%d/%s", portfolioID, at.Unix(), p.ID), p, m, fmt.Sprintf("digest of %d long open work orders", len(due)), portfolioLinks(portfolioID)...)
		if done = done.failed(err); done.again != nil {
			return done
		}
		if outcome == MessageSent {
			done.mails++
		}
		if outcome != MessageImpossible {
			reached++
		}
	}
	if reached == 0 {
		done.why = "no owner to write to"
		return done
	}
	for _, q := range due {
		key, _ := digestKey(q, rules.Owners, at)
		told := effect{key: key, about: about{
			kind: store.AuditDecision, what: "owners of portfolio " + portfolioID + " were told that work order " + q.WorkOrderID + " is open for long",
			links: append(portfolioLinks(portfolioID), "work-order/"+q.WorkOrderID),
		}}
		record(ctx, told.entry(day))
	}
	if err := writeDown(ctx); err != nil {
		return done.failed(err)
	}
	for _, q := range due {
		key, _ := digestKey(q, rules.Owners, at)
		_, _, err := a.Store.BeginEffect(ctx, key, "")
		if err == nil {
			err = a.Store.FinishEffect(ctx, key, day)
		}
		if err != nil {
			return done.failed(err)
		}
	}
	return done
}
