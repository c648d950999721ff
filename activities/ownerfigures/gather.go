// Package ownerfigures gathers from the store what the owners of a portfolio read: the
// money of the journal, the homes and who holds them, repairs, open requests, lettings,
// what is due, and how well all of it went. Each figure is worked out by a pure function
// over the records; Gather reads them.
package ownerfigures

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// Source is the part of the store that is read.
type Source interface {
	store.Portfolio
	RoleSums(ctx context.Context, portfolioID, until string) (map[string]int64, error)
	PortfolioMonths(ctx context.Context, portfolioID, from, to string) ([]store.MonthSum, error)
	Setting(ctx context.Context, name string) (string, error)
}

// Rules are the policy's sections that matter to owners.
type Rules struct {
	Homes policy.Portfolio
	Books policy.Finance
}

// RulesOf are those of a portfolio.
func RulesOf(file *policy.File, portfolioID string) Rules {
	return Rules{Homes: file.Portfolio(portfolioID, ""), Books: file.Finance()}
}

// SettingTenanciesRead is set once all leases have been looked through: the business time.
const SettingTenanciesRead = "tenancies_read"

// monthsShown is how many months the charts have.
const monthsShown = 12

// Gather reads all that a report on a portfolio has, of the days from and to (YYYY-MM-DD,
// both included, of one month), as things stand now (business time). It is a Pack; its
// name and its page are the caller's. Its reads are of the one portfolio alone, so that
// many portfolios take as many times as long as one.
func Gather(ctx context.Context, s Source, rules Rules, portfolioID, from, to string, now time.Time) (ownerreport.Report, error) {
	span, err := spanOf(from, to, rules.Homes.TimeZone, now)
	if err != nil {
		return ownerreport.Report{}, err
	}
	r := ownerreport.Report{
		Kind: ownerreport.Pack, Company: rules.Homes.Company, Currency: rules.Homes.Currency, At: now, TimeZone: rules.Homes.TimeZone,
		From: from, To: to, PortfolioID: portfolioID, OldAfter: rules.Homes.Owners.DigestAge,
	}
	if err := money(ctx, s, rules.Books, span, &r); err != nil {
		return r, err
	}
	all, err := read(ctx, s, portfolioID, span)
	if err != nil {
		return r, err
	}
	r.Properties = all.properties(span.today)
	r.Months = withOccupancy(r.Months, all, span)
	r.Repairs = all.repaired()
	r.Requests = Requests(all.requests, all.places)
	r.Lettings = all.lettingsOf(span, rules.Homes.Vacancy.Sources)
	r.Compliance = all.requirements()
	r.KPIs = all.kpis(span, rules.Homes.Owners.Targets)
	looked, err := s.Setting(ctx, SettingTenanciesRead)
	if err != nil {
		return r, err
	}
	if looked == "" {
		r.Notes = append(r.Notes, "Not all leases have been read from RentVine yet: homes may be let that are shown as empty.")
	}
	return r, nil
}

// Present is a Page of the month of a time (business time), until then.
func Present(ctx context.Context, s Source, rules Rules, portfolioID string, now time.Time) (ownerreport.Report, error) {
	zone, err := time.LoadLocation(rules.Homes.TimeZone)
	if err != nil {
		return ownerreport.Report{}, fmt.Errorf("ownerfigures: the policy's time zone: %w", err)
	}
	today := now.In(zone)
	r, err := Gather(ctx, s, rules, portfolioID, today.AddDate(0, 0, 1-today.Day()).Format(time.DateOnly), today.Format(time.DateOnly), now)
	r.Kind = ownerreport.Page
	return r, err
}

// span is the period of a report.
type span struct {
	// from and to are its days; today is the company's; lastDay is the earlier of to and today.
	from, to, today, lastDay string
	// begins and ends are the times between which it lies (ends excluded).
	begins, ends time.Time
	zone         *time.Location
}

func spanOf(from, to, zone string, now time.Time) (span, error) {
	s := span{from: from, to: to}
	var err error
	if s.zone, err = time.LoadLocation(zone); err != nil {
		return s, fmt.Errorf("ownerfigures: the policy's time zone: %w", err)
	}
	first, errFrom := time.ParseInLocation(time.DateOnly, from, s.zone)
	last, errTo := time.ParseInLocation(time.DateOnly, to, s.zone)
	if errFrom != nil || errTo != nil || from > to {
		return s, fmt.Errorf("ownerfigures: want two days such as 2026-10-01 and 2026-10-31, not %q and %q", from, to)
	}
	s.begins, s.ends = first, last.AddDate(0, 0, 1)
	s.today = now.In(s.zone).Format(time.DateOnly)
	s.lastDay = min(to, s.today)
	return s, nil
}

// day is that of a time, "" for none.
func (s span) day(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(s.zone).Format(time.DateOnly)
}

// records are all that is kept of a portfolio's homes and was read for a report.
type records struct {
	places    []store.Place
	tenancies map[string][]store.Tenancy // by unit, oldest first
	repairs   []store.Repair
	requests  []store.OpenRequest
	// lettings are those that ended in the period or later.
	lettings   []store.Letting
	listings   map[string]store.Listing // by unit
	compliance []store.ComplianceItem
}

func read(ctx context.Context, s Source, portfolioID string, period span) (records, error) {
	all := records{tenancies: map[string][]store.Tenancy{}, listings: map[string]store.Listing{}}
	of := store.PortfolioFilter{PortfolioID: portfolioID}
	var err error
	if all.places, err = s.Places(ctx, of); err != nil {
		return all, err
	}
	all.places = slices.DeleteFunc(all.places, func(p store.Place) bool { return !p.Active })
	for _, p := range all.places {
		// By property: a lease names no portfolio, and properties change theirs.
		leases, err := s.Tenancies(ctx, store.PortfolioFilter{PropertyID: p.PropertyID})
		if err != nil {
			return all, err
		}
		for _, t := range leases {
			if t.UnitID == "" && len(p.Units) == 1 {
				t.UnitID = p.Units[0].UnitID
			}
			all.tenancies[t.UnitID] = append(all.tenancies[t.UnitID], t)
		}
	}
	for _, list := range all.tenancies {
		slices.SortStableFunc(list, byStart)
	}
	listed, err := s.Listings(ctx, of)
	if err != nil {
		return all, err
	}
	for _, l := range listed {
		all.listings[l.UnitID] = l
	}
	if all.requests, err = s.OpenRequests(ctx, of); err != nil {
		return all, err
	}
	if all.compliance, err = s.ComplianceItems(ctx, of); err != nil {
		return all, err
	}
	of.From = period.begins
	if all.lettings, err = s.Lettings(ctx, of); err != nil {
		return all, err
	}
	of.To = period.ends
	all.repairs, err = s.Repairs(ctx, of)
	return all, err
}
