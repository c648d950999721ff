package ownerfigures

import (
	"time"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/policy"
)

// kpis are the figures that the company wants to keep, of the period. One of which
// nothing is known has a count of 0.
func (all records) kpis(period span, targets policy.Targets) []ownerreport.KPI {
	let, days, known := all.occupancy(period.from, period.lastDay)
	occupied := ownerreport.KPI{Name: "Occupancy", Measure: ownerreport.Share, Target: int64(targets.Occupancy)}
	if known {
		occupied.Value, occupied.Count = int64(1000*let/days), all.units()
	}
	duration := func(name string, m mean, target time.Duration) ownerreport.KPI {
		return ownerreport.KPI{Name: name, Measure: ownerreport.Duration, Value: m.value(), Target: int64(target), Count: m.count}
	}
	return []ownerreport.KPI{
		duration("Repair, from request to completion", all.repairTime(), targets.Repair),
		// A bill names no work order, in the journal or at RentVine.
		duration("Vendor's bill, from completion", mean{}, targets.Invoice),
		duration("Make-ready, from move-out", all.makeReady(period), targets.MakeReady),
		duration("First reply to a prospect", all.firstReply(period), targets.FirstReply),
		{Name: "Rating by tenants", Measure: ownerreport.Stars, Value: all.rating().value(), Target: int64(targets.Rating), Count: all.rating().count},
		{Name: "Fixed at the first visit", Measure: ownerreport.Share, Value: all.firstTimeFix().value(), Target: int64(targets.FirstTimeFix), Count: all.firstTimeFix().count},
		occupied,
	}
}

// mean is that of what was added.
type mean struct {
	sum   int64
	count int
}

func (m mean) plus(value int64) mean { return mean{m.sum + value, m.count + 1} }

func (m mean) value() int64 {
	if m.count == 0 {
		return 0
	}
	return m.sum / int64(m.count)
}

func (all records) repairTime() (m mean) {
	for _, r := range all.repairs {
		if !r.OpenedAt.IsZero() && r.DoneAt.After(r.OpenedAt) {
			m = m.plus(int64(r.DoneAt.Sub(r.OpenedAt)))
		}
	}
	return m
}

func (all records) rating() (m mean) {
	for _, r := range all.repairs {
		if r.Rating > 0 {
			m = m.plus(int64(10 * r.Rating))
		}
	}
	return m
}

func (all records) firstTimeFix() (m mean) {
	for _, r := range all.repairs {
		switch {
		case r.Fixed == nil:
		case *r.Fixed:
			m = m.plus(1000)
		default:
			m = m.plus(0)
		}
	}
	return m
}

// firstReply is the mean over all leads of the campaigns that ended in the period.
func (all records) firstReply(period span) (m mean) {
	for _, l := range all.ended(period) {
		if l.Leads > 0 && l.FirstReply > 0 {
			m.sum += int64(l.FirstReply) * int64(l.Leads)
			m.count += l.Leads
		}
	}
	return m
}

// makeReady is from each move-out to the day on which the home was offered or let again,
// where that is in the period.
func (all records) makeReady(period span) (m mean) {
	for _, p := range all.places {
		for _, u := range p.Units {
			for _, t := range all.tenancies[u.UnitID] {
				out := t.Left()
				if t.Status == pending || out == "" || out > period.lastDay {
					continue
				}
				ready := all.readyAgain(u.UnitID, out, period)
				if ready >= period.from && ready <= period.lastDay {
					m = m.plus(int64(daysBetween(out, ready)) * int64(24*time.Hour))
				}
			}
		}
	}
	return m
}

// readyAgain is the first day, from one on, on which a unit was offered or let; "" where
// it was not.
func (all records) readyAgain(unitID, from string, period span) string {
	var days []string
	for _, t := range all.tenancies[unitID] {
		if t.Status != pending {
			days = append(days, t.Start)
		}
	}
	for _, l := range all.lettings {
		if l.UnitID == unitID {
			days = append(days, period.day(l.ListedAt))
		}
	}
	if l, ok := all.listings[unitID]; ok {
		days = append(days, period.day(l.PublishedAt))
	}
	first := ""
	for _, day := range days {
		if day >= from && day != "" && (first == "" || day < first) {
			first = day
		}
	}
	return first
}
