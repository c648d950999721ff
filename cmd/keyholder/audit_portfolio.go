package main

import (
	"context"
	"strings"

	"github.com/aictive/keyholder/store"
)

// auditPortfolio are the ids of what is known to be a portfolio's, such as "property/1" and
// "lease/3".
type auditPortfolio map[string]bool

// has tells whether an entity belongs to the portfolio, by its name.
func (p auditPortfolio) has(entity string) bool {
	parts := strings.SplitN(entity, "/", 3)
	if len(parts) < 2 {
		return false
	}
	kind := parts[0]
	switch kind {
	case "vacancy", "pricing":
		kind = "unit"
	case "compliance":
		kind = "property"
	case "bidding":
		kind = "work-order"
	case "renewal", "move-in", "retention":
		kind = "lease"
	case "finance-summary":
		kind = "portfolio"
	}
	return p[kind+"/"+parts[1]]
}

func readAuditPortfolio(ctx context.Context, s store.Store, id string) (auditPortfolio, error) {
	p := auditPortfolio{"portfolio/" + id: true}
	places := func(l store.Place) string {
		p["property/"+l.PropertyID] = true
		for _, u := range l.Units {
			p["unit/"+u.UnitID] = true
		}
		return l.PropertyID
	}
	tenancies := func(t store.Tenancy) string { p["lease/"+t.LeaseID] = true; return t.LeaseID }
	open := func(r store.OpenRequest) string { p["work-order/"+r.WorkOrderID] = true; return r.WorkOrderID }
	repairs := func(r store.Repair) string { p["work-order/"+r.WorkOrderID] = true; return r.WorkOrderID }
	for _, read := range []func() error{
		func() error { return eachHome(ctx, id, s.Places, places) },
		func() error { return eachHome(ctx, id, s.Tenancies, tenancies) },
		func() error { return eachHome(ctx, id, s.OpenRequests, open) },
		func() error { return eachHome(ctx, id, s.Repairs, repairs) },
		func() error { return p.money(ctx, s, id) },
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// eachHome gives what a list has of a portfolio to use, which returns its id.
func eachHome[T any](ctx context.Context, portfolio string, list func(context.Context, store.PortfolioFilter) ([]T, error), use func(T) string) error {
	f := store.PortfolioFilter{PortfolioID: portfolio, Most: auditPage}
	for {
		page, err := list(ctx, f)
		if err != nil {
			return err
		}
		for _, item := range page {
			f.After = use(item)
		}
		if len(page) < auditPage {
			return nil
		}
	}
}

// money adds the transactions that were booked, and the findings about them.
func (p auditPortfolio) money(ctx context.Context, s store.Finance, id string) error {
	f := store.JournalFilter{PortfolioID: id, Most: 10 * auditPage}
	for {
		page, err := s.Journal(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range page {
			p[e.TransactionID] = true
		}
		// A day is read again from its beginning, for the entries that did not fit.
		if len(page) < f.Most || page[len(page)-1].Day == f.From {
			break
		}
		f.From = page[len(page)-1].Day
	}
	findings, err := s.Findings(ctx, "")
	for _, found := range findings {
		if found.PortfolioID == id {
			p["finding/"+found.ID] = true
		}
	}
	return err
}
