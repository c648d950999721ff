package ownerfigures

import (
	"cmp"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// The statuses of a tenancy.
const (
	pending = "pending"
	active  = "active"
)

func byStart(a, b store.Tenancy) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.LeaseID, b.LeaseID))
}

// properties are the places with their active units, as they stand on a day.
func (all records) properties(today string) []ownerreport.Property {
	var list []ownerreport.Property
	for _, p := range all.places {
		shown := ownerreport.Property{PortfolioID: p.PortfolioID, ID: p.PropertyID, Name: p.Name, Address: p.Address}
		for _, u := range p.Units {
			if u.Active {
				_, listed := all.listings[u.UnitID]
				shown.Units = append(shown.Units, unitOf(u, all.tenancies[u.UnitID], listed, today))
			}
		}
		list = append(list, shown)
	}
	return list
}

// unitOf is how a unit stands on a day.
func unitOf(u store.PlaceUnit, leases []store.Tenancy, listed bool, today string) ownerreport.Unit {
	out := ownerreport.Unit{Label: u.Label, State: ownerreport.Empty, Rent: policy.Cents(u.Rent)}
	if listed {
		out.State = ownerreport.Listed
	}
	since := ""
	for _, t := range leases {
		switch {
		case t.Holds(today) && t.Start <= today:
			out.State, out.LeaseEnds = ownerreport.Let, cmp.Or(t.MoveOut, t.End)
			if t.MoveOut != "" || t.Notice != "" {
				out.State = ownerreport.Leaving
			}
			if t.Rent > 0 {
				out.Rent = policy.Cents(t.Rent)
			}
			return out
		case t.Holds(today), t.Status == pending:
			out.LetFrom = t.Start
		case t.Status != pending && t.Began(today) && t.Left() != "":
			since = max(since, min(t.Left(), today))
		}
	}
	out.EmptyDays = daysBetween(since, today)
	return out
}

// daysBetween counts the days from one to another, 0 where one of them is none.
func daysBetween(from, to string) int {
	first, errFrom := time.Parse(time.DateOnly, from)
	last, errTo := time.Parse(time.DateOnly, to)
	if errFrom != nil || errTo != nil || last.Before(first) {
		return 0
	}
	return int(last.Sub(first) / (24 * time.Hour))
}

// units counts the active ones.
func (all records) units() (n int) {
	for _, p := range all.places {
		for _, u := range p.Units {
			if u.Active {
				n++
			}
		}
	}
	return n
}

// occupancy counts the days of a period, both of its days included, and those on which
// a home was let, of all active units; known is false without units or where all leases
// began later.
func (all records) occupancy(from, to string) (let, days int, known bool) {
	first, errFrom := time.Parse(time.DateOnly, from)
	last, errTo := time.Parse(time.DateOnly, to)
	if errFrom != nil || errTo != nil || last.Before(first) {
		return 0, 0, false
	}
	length := int(last.Sub(first)/(24*time.Hour)) + 1
	for _, p := range all.places {
		for _, u := range p.Units {
			if !u.Active {
				continue
			}
			days += length
			held := make([]bool, length)
			for _, t := range all.tenancies[u.UnitID] {
				if t.Status != pending && t.Start != "" && t.Start <= to {
					known = true
				}
				mark(held, t, from)
			}
			for _, h := range held {
				if h {
					let++
				}
			}
		}
	}
	return let, days, known && days > 0
}

// mark marks the days from a first one on which a lease holds its home.
func mark(held []bool, t store.Tenancy, first string) {
	until := t.Left()
	if t.Status == pending || t.Status != active && (t.Start == "" || until == "") {
		return
	}
	end := len(held)
	if until != "" {
		end = min(end, daysBetween(first, until)+1)
	}
	if until != "" && until < first {
		return
	}
	for i := daysBetween(first, t.Start); i < end; i++ {
		held[i] = true
	}
}

// withOccupancy fills in the share of homes that were let in each month, until today.
func withOccupancy(months []ownerreport.Month, all records, period span) []ownerreport.Month {
	for i, m := range months {
		first, err := time.Parse("2006-01", m.Month)
		if err != nil {
			continue
		}
		last := min(first.AddDate(0, 1, -1).Format(time.DateOnly), period.lastDay)
		if let, days, known := all.occupancy(first.Format(time.DateOnly), last); known {
			share := policy.Permille(1000 * let / days)
			months[i].Occupancy = &share
		}
	}
	return months
}

// where names a home for its owner.
func where(places []store.Place, propertyID, unitID string) string {
	for _, p := range places {
		if p.PropertyID != propertyID {
			continue
		}
		name := cmp.Or(p.Name, p.Address, "Property "+p.PropertyID)
		i := slices.IndexFunc(p.Units, func(u store.PlaceUnit) bool { return u.UnitID == unitID })
		if i < 0 || len(p.Units) == 1 || p.Units[i].Label == "" {
			return name
		}
		return name + ", " + p.Units[i].Label
	}
	if propertyID == "" {
		return ""
	}
	return "Property " + propertyID
}

// Requests are open requests as owners read them.
func Requests(open []store.OpenRequest, places []store.Place) []ownerreport.Request {
	var list []ownerreport.Request
	for _, q := range open {
		list = append(list, ownerreport.Request{
			PortfolioID: q.PortfolioID, Number: cmp.Or(q.Number, q.WorkOrderID), Where: where(places, q.PropertyID, q.UnitID),
			Status: q.Status, OpenedAt: q.OpenedAt,
		})
	}
	return list
}

func (all records) repaired() []ownerreport.Repair {
	var list []ownerreport.Repair
	for _, p := range all.repairs {
		list = append(list, ownerreport.Repair{
			PortfolioID: p.PortfolioID, What: policy.Words(p.What), Where: where(all.places, p.PropertyID, p.UnitID), Emergency: p.Emergency,
			OpenedAt: p.OpenedAt, AnsweredAt: p.AcknowledgedAt, OnSiteAt: p.OnSiteAt, DoneAt: p.DoneAt,
			Cost: policy.Cents(p.Cost), Rating: p.Rating,
		})
	}
	return list
}

// ended are the campaigns that ended in the period.
func (all records) ended(period span) []store.Letting {
	return slices.DeleteFunc(slices.Clone(all.lettings), func(l store.Letting) bool { return !l.EndedAt.Before(period.ends) })
}

func (all records) lettingsOf(period span, sources []policy.ListingSource) []ownerreport.Letting {
	names := map[string]string{}
	for _, s := range sources {
		names[s.ID] = s.Name
	}
	var list []ownerreport.Letting
	for _, l := range all.ended(period) {
		list = append(list, ownerreport.Letting{
			PortfolioID: l.PortfolioID, Where: where(all.places, l.PropertyID, l.UnitID), Withdrawn: l.Outcome != "let",
			ListedDays: daysBetween(period.day(l.ListedAt), period.day(l.EndedAt)), EmptyDays: daysBetween(period.day(l.EmptyAt), period.day(l.EndedAt)),
			Leads: l.Leads, Showings: l.Showings, Applications: l.Applications,
			Cost: policy.Cents(l.Cost), Lost: policy.Cents(l.Lost), Source: cmp.Or(names[l.Source], l.Source),
		})
	}
	return list
}

func (all records) requirements() []ownerreport.Requirement {
	var list []ownerreport.Requirement
	for _, c := range all.compliance {
		list = append(list, ownerreport.Requirement{
			PortfolioID: c.PortfolioID, Name: c.Name, Where: where(all.places, c.PropertyID, c.UnitID), State: c.State, Due: c.Due,
		})
	}
	return list
}
