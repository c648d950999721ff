package salesreport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
)

// Build judges every sale at one instant, in business time. Sales that ended more
// than CompletedWithin before it are left out. It is pure, and the order of the
// sales does not matter.
func Build(sales []Sale, rules policy.Sales, now time.Time) Report {
	now = now.UTC().Round(0)
	b := builder{
		report:  Report{Company: clean(rules.Name, maxName), At: now, TimeZone: rules.TimeZone},
		policy:  rules,
		rules:   map[string]progress.Rules{},
		today:   dateOf(now, location(rules.TimeZone)),
		zone:    location(rules.TimeZone),
		places:  map[string]int{},
		methods: map[string]*Method{},
	}
	for _, s := range distinct(sales) {
		b.judge(s)
	}
	b.report.Percent = shares(b.report.Counts)
	b.alerts()
	b.report.Freshness = freshness(b.followed, now)
	b.report.ByMethod = b.byMethod()
	b.report.ByMilestone = b.byMilestone()
	b.report.Ages = b.ages()
	b.lists()
	return b.report
}

// builder is a report in the making.
type builder struct {
	report Report
	policy policy.Sales
	// rules are by method.
	rules map[string]progress.Rules
	zone  *time.Location
	today policy.Date

	followed  []judged
	completed []judged
	// places are those of followed, by id.
	places  map[string]int
	methods map[string]*Method
}

// judged is a sale with its progress.
type judged struct {
	Sale
	id       string
	progress progress.Progress
	standing progress.Standing
	// ended is when a completed sale did, zero for unknown.
	ended time.Time
}

// id tells sales apart.
func (s Sale) id() string { return cmp.Or(s.PropertyID, s.TransactionID, s.Address+", "+s.Postcode) }

// distinct has each sale once, as it was read last, in an order of its own.
func distinct(sales []Sale) []Sale {
	sorted := slices.SortedFunc(slices.Values(sales), func(a, b Sale) int {
		if c := cmp.Or(strings.Compare(a.id(), b.id()), b.ReadAt.Compare(a.ReadAt)); c != 0 {
			return c
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) // any order will do that does not depend on the argument's
	})
	return slices.CompactFunc(sorted, func(a, b Sale) bool { return a.id() == b.id() })
}

func (b *builder) judge(s Sale) {
	rules, ok := b.rules[s.Method]
	if !ok {
		rules = progress.RulesOf(b.policy, s.Method)
		b.rules[s.Method] = rules
	}
	milestones := s.Milestones
	if !s.Known {
		milestones = nil
	}
	j := judged{Sale: s, id: s.id(), progress: progress.Of(milestones, b.report.At, s.BeganAt, rules)}
	j.standing = j.progress.Standing()
	if !s.EndedAt.IsZero() || j.standing == progress.StandingCompleted {
		// The last milestone's end says it better than ours: sales that were completed long
		// before we heard of them end soon after.
		j.standing, j.ended = progress.StandingCompleted, j.progress.CompletedAt
		if j.ended.IsZero() {
			j.ended = s.EndedAt
		}
		if !j.ended.IsZero() && b.report.At.Sub(j.ended) > CompletedWithin {
			return
		}
	}
	b.count(j)
}

func (b *builder) count(j judged) {
	c, p := &b.report.Counts, j.progress
	m := b.method(j.Method)
	if j.standing == progress.StandingCompleted {
		c.Completed++
		m.Completed++
		if p.Total > 0 && !p.Done() {
			c.EndedEarly++
		}
		b.completed = append(b.completed, j)
		return
	}
	c.Followed++
	m.Followed++
	switch j.standing {
	case progress.StandingOverdue:
		c.Overdue++
		m.Overdue++
	case progress.StandingAtRisk:
		c.AtRisk++
		m.AtRisk++
	case progress.StandingOnTrack:
		c.OnTrack++
		m.OnTrack++
	case progress.StandingUnknown:
		c.Unknown++
		m.Unknown++
	case progress.StandingCompleted: // above
	}
	if p.Total > 0 {
		c.PropertiesAnalyzed++
	}
	if j.stalled() {
		c.Stalled++
	}
	if p.Status == progress.Red {
		c.NeedAttention++
	}
	b.places[j.id] = len(b.followed)
	b.followed = append(b.followed, j)
}

// stalled tells whether a sale that is followed is older than late.
func (j judged) stalled() bool {
	return j.progress.Sale.Pace == progress.Stalled || j.progress.Step.Pace == progress.Stalled
}

// worst are the sales of a standing ("" is all that are overdue or at risk), the
// worst first, and how many more there are.
func (b *builder) worst(standing progress.Standing) ([]judged, int) {
	var lines []progress.Line
	for _, j := range b.followed {
		if standing == "" || j.standing == standing {
			lines = append(lines, progress.Line{PropertyID: j.id, Progress: j.progress})
		}
	}
	sum := progress.Portfolio(lines)
	out := make([]judged, 0, len(sum.Alerts))
	for _, l := range sum.Alerts {
		out = append(out, b.followed[b.places[l.PropertyID]])
	}
	return out, sum.LeftOut
}

func (b *builder) alerts() {
	b.report.Alerts = []Alert{}
	worst, leftOut := b.worst("")
	for _, j := range worst {
		b.report.Alerts = append(b.report.Alerts, Alert{
			Type: j.standing, TransactionID: clean(j.TransactionID, maxID), PropertyID: clean(j.PropertyID, maxID),
			OverdueCount: j.progress.Overdue, AtRiskCount: j.progress.AtRisk, Stalled: j.stalled(),
			Light: j.progress.Status, Why: b.why(j.progress),
		})
	}
	b.report.AlertsLeftOut = leftOut
}

func (b *builder) lists() {
	l := &b.report.Lists
	full := func(standing progress.Standing) List {
		worst, leftOut := b.worst(standing)
		list := List{Sales: []Line{}, LeftOut: leftOut}
		for _, j := range worst {
			list.Sales = append(list.Sales, b.line(j))
		}
		return list
	}
	l.Overdue, l.AtRisk = full(progress.StandingOverdue), full(progress.StandingAtRisk)
	l.OnTrack = b.short(b.standing(progress.StandingOnTrack), func(x, y judged) int { return compareDates(dueOn(x.progress), dueOn(y.progress)) })
	l.Unknown = b.short(b.standing(progress.StandingUnknown), func(x, y judged) int { return x.BeganAt.Compare(y.BeganAt) })
	l.Completed = b.short(b.completed, func(x, y judged) int { return y.ended.Compare(x.ended) })
}

func (b *builder) standing(s progress.Standing) (out []judged) {
	for _, j := range b.followed {
		if j.standing == s {
			out = append(out, j)
		}
	}
	return out
}

// short is a list in an order; those that it does not tell apart stay in the order
// of their ids.
func (b *builder) short(sales []judged, order func(x, y judged) int) List {
	list := List{Sales: []Line{}, LeftOut: max(len(sales)-MaxListed, 0)}
	slices.SortStableFunc(sales, order)
	for _, j := range sales[:len(sales)-list.LeftOut] {
		list.Sales = append(list.Sales, b.line(j))
	}
	return list
}
