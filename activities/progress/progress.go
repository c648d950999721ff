package progress

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Status is the light of a sale.
type Status string

// The lights.
const (
	// Red: something is overdue, or the sale or its step is older than late.
	Red Status = "red"
	// Amber: something is at risk, or the sale or its step is older than typical.
	Amber Status = "amber"
	// Green: none of that, or all is completed.
	Green Status = "green"
	// Unknown: OpenMoove shows no milestones.
	Unknown Status = "unknown"
)

// Pace is an age beside its norm.
type Pace string

// The paces.
const (
	// NoPace: there is no norm, or nobody knows when it began.
	NoPace Pace = ""
	Usual  Pace = "usual"
	// Slow is older than typical, Stalled older than late.
	Slow    Pace = "slow"
	Stalled Pace = "stalled"
)

type (
	// Progress is the course of a sale at one instant. Times are business time in UTC,
	// days are those of the zone of sales. The zero value is a sale of which nothing
	// was known.
	Progress struct {
		Status    Status `json:"status"`
		Total     int    `json:"total"`
		Completed int    `json:"completed"`
		// Overdue and AtRisk count milestones that are not completed, each one once.
		Overdue int `json:"overdue"`
		AtRisk  int `json:"at_risk"`
		// Percent of the milestones are completed, rounded down: 100 is all of them. It is
		// 0 where there are none.
		Percent int `json:"percent"`
		// Current is the first milestone by order that is not completed, nil for none.
		Current *Step `json:"current,omitempty"`
		// Sale is the age from the instruction to now, or to the end of a completed sale.
		Sale Age `json:"sale"`
		// Step is the age of the current milestone, counted from the end of the last one
		// before it, or from the instruction where there is none before it.
		Step Age `json:"step"`
		// Troubles are what is overdue, has stalled and is at risk, in this order.
		Troubles []Trouble `json:"troubles,omitempty"`
		// CompletedAt is the end of a completed sale, zero where OpenMoove does not say.
		CompletedAt time.Time `json:"completed_at,omitzero"`
		// NextDue is the next instant at which time alone changes anything but the number
		// of days of an age: a milestone becomes at risk or overdue, or a norm is passed.
		// Zero is never.
		NextDue time.Time `json:"next_due,omitzero"`
	}
	// Milestone is one step of a sale, as OpenMoove has it (contracts/openmoove.md 2).
	Milestone struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		// Order is the place among the others, lowest first.
		Order     int  `json:"order"`
		Completed bool `json:"completed,omitempty"`
		// CompletedAt and DueAt are business time, zero where OpenMoove has none.
		CompletedAt time.Time `json:"completed_at,omitzero"`
		DueAt       time.Time `json:"due_at,omitzero"`
	}
	// Step is a milestone that is not completed.
	Step struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Order int    `json:"order"`
		// DueAt is as OpenMoove has it, and DueOn the day that is meant; both zero for
		// none.
		DueAt time.Time   `json:"due_at,omitzero"`
		DueOn policy.Date `json:"due_on,omitzero"`
	}
	// Age is how long something has taken. It is zero where nobody knows when it began.
	Age struct {
		Since time.Time `json:"since,omitzero"`
		// Days are of the calendar; WorkingDays are those after the first day, so that
		// Friday to Monday is one.
		Days        int  `json:"days"`
		WorkingDays int  `json:"working_days"`
		Pace        Pace `json:"pace,omitempty"`
		// Norm is zero for none.
		Norm policy.Norm `json:"norm,omitzero"`
	}
	// Trouble is one reason for red or amber that somebody may be told of.
	Trouble struct {
		Kind Kind `json:"kind"`
		// Key is the same as long as the state is: it names the milestone and its due day.
		Key string `json:"key"`
		// Step is nil where the sale as a whole has stalled.
		Step *Step `json:"step,omitempty"`
	}
)

// Done tells whether all milestones are completed.
func (p Progress) Done() bool { return p.Total > 0 && p.Completed == p.Total }

// Of is the progress of a sale with these milestones, in any order. instructed is
// when it began, zero for unknown.
func Of(milestones []Milestone, now, instructed time.Time, rules Rules) Progress {
	j := judge{calendar: calendarOf(rules), rules: rules, now: now}
	milestones = slices.SortedStableFunc(slices.Values(milestones), inOrder)
	j.out.Total = len(milestones)
	var before []Milestone // those completed before the current one
	for _, m := range milestones {
		switch {
		case m.Completed:
			j.out.Completed++
			j.out.CompletedAt = latest(j.out.CompletedAt, m.CompletedAt)
			if j.out.Current == nil {
				before = append(before, m)
			}
		default:
			j.open(m)
		}
	}
	if j.out.Total == 0 {
		j.out.Status = Unknown
		j.out.Sale = j.age(instructed, now, policy.Norm{})
		return j.out
	}
	j.out.Percent = j.out.Completed * 100 / j.out.Total
	j.ages(before, instructed)
	if !j.out.Done() {
		j.out.CompletedAt = time.Time{}
		j.stalled()
	}
	j.out.Status = j.status()
	return j.out
}

// inOrder is a milestone's place. Those of the same order are told apart by id and
// name, so that the order of the reply does not matter.
func inOrder(a, b Milestone) int {
	return cmp.Or(cmp.Compare(a.Order, b.Order), byID(a.ID, b.ID), strings.Compare(a.Name, b.Name), a.DueAt.Compare(b.DueAt), completedFirst(a, b))
}

func completedFirst(a, b Milestone) int {
	switch {
	case a.Completed == b.Completed:
		return 0
	case a.Completed:
		return -1
	default:
		return 1
	}
}

// byID compares ids: numbers by their value, before all others.
func byID(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	default:
		return strings.Compare(a, b)
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b.UTC()
	}
	return a
}

// judge is a progress in the making.
type judge struct {
	calendar
	rules Rules
	now   time.Time
	out   Progress
}

// open takes a milestone that is not completed.
func (j *judge) open(m Milestone) {
	step := &Step{ID: m.ID, Name: m.Name, Order: m.Order}
	if j.out.Current == nil {
		j.out.Current = step
	}
	if m.DueAt.IsZero() {
		return
	}
	on, overdue := j.due(m.DueAt)
	atRisk := j.start(on - j.rules.AtRiskDays)
	step.DueAt, step.DueOn = m.DueAt.UTC(), date(on)
	switch {
	case !j.now.Before(overdue):
		j.out.Overdue++
		j.trouble(Overdue, step)
	case !j.now.Before(atRisk):
		j.out.AtRisk++
		j.trouble(AtRisk, step)
	}
	j.next(atRisk)
	j.next(overdue)
}

// next notes an instant at which something changes.
func (j *judge) next(at time.Time) {
	if at.After(j.now) && (j.out.NextDue.IsZero() || at.Before(j.out.NextDue)) {
		j.out.NextDue = at
	}
}

// ages judges the sale and its current step by the norms.
func (j *judge) ages(before []Milestone, instructed time.Time) {
	total := j.rules.Norms.Total
	if j.out.Done() {
		until := j.out.CompletedAt
		if until.IsZero() {
			until, total = j.now, policy.Norm{}
		}
		j.out.Sale = j.age(instructed, until, total)
		return
	}
	j.out.Sale = j.age(instructed, j.now, total)
	j.passes(j.out.Sale)
	began := instructed
	if len(before) > 0 {
		began = time.Time{}
		for _, m := range before {
			began = latest(began, m.CompletedAt)
		}
	}
	j.out.Step = j.age(began, j.now, j.rules.Norms.Step(j.out.Current.Name))
	j.passes(j.out.Step)
}

func (j *judge) age(since, until time.Time, norm policy.Norm) Age {
	if since.IsZero() {
		return Age{}
	}
	from, to := j.dayOf(since), j.dayOf(until)
	a := Age{Since: since.UTC(), Days: max(to-from, 0), WorkingDays: j.workingDays(from, to), Norm: norm}
	if norm.Given() {
		a.Pace = Usual
		if a.olderThan(norm.Typical) {
			a.Pace = Slow
		}
		if a.olderThan(norm.Late) {
			a.Pace = Stalled
		}
	}
	return a
}

func (a Age) olderThan(d policy.Days) bool {
	if d.Working {
		return a.WorkingDays > d.Count
	}
	return a.Days > d.Count
}

// passes notes when the norm of an age is passed.
func (j *judge) passes(a Age) {
	if a.Pace != NoPace {
		j.next(j.older(j.dayOf(a.Since), a.Norm.Typical))
		j.next(j.older(j.dayOf(a.Since), a.Norm.Late))
	}
}

func (j *judge) stalled() {
	if j.out.Step.Pace == Stalled {
		j.trouble(HasStalled, j.out.Current)
	}
	if j.out.Sale.Pace == Stalled {
		j.trouble(HasStalled, nil)
	}
	slices.SortStableFunc(j.out.Troubles, func(a, b Trouble) int { return cmp.Compare(a.Kind.rank(), b.Kind.rank()) })
}

// trouble adds a reason to worry, once.
func (j *judge) trouble(kind Kind, step *Step) {
	key := string(kind) + "/sale"
	if step != nil {
		on := step.DueOn
		if kind == HasStalled {
			on = date(j.dayOf(j.out.Step.Since))
		}
		id := step.ID
		if id == "" {
			id = "name:" + strings.ToLower(strings.TrimSpace(step.Name))
		}
		text, _ := on.MarshalText() // it never fails
		key = string(kind) + "/" + id + "/" + string(text)
	}
	if !slices.ContainsFunc(j.out.Troubles, func(t Trouble) bool { return t.Key == key }) {
		j.out.Troubles = append(j.out.Troubles, Trouble{Kind: kind, Key: key, Step: step})
	}
}

func (j *judge) status() Status {
	p := j.out
	switch {
	case p.Done():
		return Green
	case p.Overdue > 0 || p.Sale.Pace == Stalled || p.Step.Pace == Stalled:
		return Red
	case p.AtRisk > 0 || p.Sale.Pace == Slow || p.Step.Pace == Slow:
		return Amber
	default:
		return Green
	}
}
