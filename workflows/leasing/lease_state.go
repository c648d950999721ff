package leasing

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
	"github.com/aictive/keyholder/workflows/leasing/renewal"
)

// Stage is where a lease is in its life.
type Stage string

// The stages.
const (
	// StageUnread: RentVine has not been read yet.
	StageUnread Stage = "unread"
	// StageIdle: leases are not accompanied, by policy.
	StageIdle Stage = "not_accompanied"
	// StageMovingIn: the tenants are about to move in, or just have.
	StageMovingIn Stage = "moving_in"
	// StageLiving: nothing is under way.
	StageLiving Stage = "living"
	// StageRenewing: the renewal is being negotiated.
	StageRenewing Stage = "renewing"
	// StageMonthToMonth: the lease goes on without an end.
	StageMonthToMonth Stage = "month_to_month"
	// StageLeaving: notice was given, or a move-out is known.
	StageLeaving Stage = "leaving"
	// StageEnded: closed at RentVine.
	StageEnded Stage = "ended"
)

type (
	// LeaseState is all that is known of a lease. Times are business time in UTC.
	LeaseState struct {
		ID string `json:"id"`
		// Created is true where lease.created told of it; Adopted where its tenants were
		// there before us: what lay in the past is not done again.
		Created bool      `json:"created,omitempty"`
		Adopted bool      `json:"adopted,omitempty"`
		BeganAt time.Time `json:"began_at"`
		// Lease is as RentVine had it last; Known once it was read. Stale tells that
		// something was said since.
		Lease activities.LeaseView `json:"lease"`
		Known bool                 `json:"known,omitempty"`
		Stale bool                 `json:"stale,omitempty"`
		Rules policy.Leasing       `json:"rules"`
		// RulesAt is when the policy was read last.
		RulesAt time.Time `json:"rules_at,omitzero"`
		// RetryAt is when RentVine is read again after it refused to show the lease.
		RetryAt time.Time `json:"retry_at,omitzero"`

		MoveIn    Course `json:"move_in,omitzero"`
		Renewal   Course `json:"renewal,omitzero"`
		Retention Course `json:"retention,omitzero"`
		// Assessment is the newest; AssessAt is when the next is due.
		Assessment *leasescore.Assessment `json:"assessment,omitempty"`
		AssessAt   time.Time              `json:"assess_at,omitzero"`
		// Learned is what campaigns have found out of the tenants.
		Learned Learned `json:"learned,omitzero"`
		// Checks are the recurring maintenance checks.
		Checks []Check `json:"checks,omitempty"`
		// Timeline is what has happened, newest last, without personal data.
		Timeline []campaign.Entry `json:"timeline,omitempty"`

		Events   map[string]int `json:"events,omitempty"`
		Unusable int            `json:"unusable,omitempty"`
	}
	// Course is where the campaigns of one kind are.
	Course struct {
		// Number counts them; For is what the last was about: the end of a lease.
		Number int    `json:"number,omitempty"`
		For    string `json:"for,omitempty"`
		// WorkflowID is that of the one under way, "" for none.
		WorkflowID string `json:"workflow_id,omitempty"`
		// Told is the look at the lease that the running one was told of last.
		Told int `json:"told,omitempty"`
		// Outcome is how the last ended, and EndedAt when.
		Outcome string    `json:"outcome,omitempty"`
		EndedAt time.Time `json:"ended_at,omitzero"`
	}
	// Check is a recurring maintenance check.
	Check struct {
		ID string `json:"id"`
		// At is when it is due next; Number counts those that were made.
		At     time.Time `json:"at"`
		Number int       `json:"number,omitempty"`
	}
	// Learned is what a campaign has found out that later assessments use.
	Learned struct {
		// Rating is the last survey's, 1 to 5; 0 for none. Note is what was written there.
		Rating int       `json:"rating,omitempty"`
		Note   string    `json:"note,omitempty"`
		At     time.Time `json:"at,omitzero"`
		// Rent is that asked beside the median of comparable homes, as last suggested.
		Rent leasescore.RentKnown `json:"rent,omitzero"`
		// Retention is how the last retention campaign ended for the tenants.
		Retention leasescore.Outcome `json:"retention,omitempty"`
	}
	// Ended is how a campaign tells its lease of its end.
	Ended struct {
		Kind       string    `json:"kind"`
		WorkflowID string    `json:"workflow_id"`
		Outcome    string    `json:"outcome"`
		At         time.Time `json:"at"`
		// About is the end of the lease that a renewal was for; ByOperator tells that an
		// operator has stopped the campaign.
		About      string  `json:"about,omitempty"`
		ByOperator bool    `json:"by_operator,omitempty"`
		Learned    Learned `json:"learned,omitzero"`
	}
)

// The kinds of campaigns.
const (
	KindMoveIn    = "move_in"
	KindRenewal   = "renewal"
	KindRetention = "retention"
)

// step is what a lease has to do next.
type step string

const (
	stepNothing   step = ""
	stepRead      step = "read"
	stepMoveIn    step = "move_in"
	stepRenewal   step = "renewal"
	stepRetention step = "retention"
	stepAssess    step = "assess"
	stepCheck     step = "check"
	stepTell      step = "tell"
)

const (
	day = 24 * time.Hour
	// recent is how old a lease may be at RentVine to count as new although nobody told
	// of its creation.
	recent = 3 * day
	// rereadAfter is how old the last look may be when a renewal begins.
	rereadAfter = day
	// maxTimeline bounds the timeline.
	maxTimeline = 100
	// renewalAdopted is the outcome of a renewal whose time had begun before us.
	renewalAdopted = "left_to_people"
	// officeOpens is when what is due on a day begins.
	officeOpens = policy.TimeOfDay(9 * 60)
)

func (s *LeaseState) note(now time.Time, what string, args ...any) {
	s.Timeline = append(s.Timeline, campaign.Entry{At: now, What: fmt.Sprintf(what, args...)})
	s.Timeline = s.Timeline[max(0, len(s.Timeline)-maxTimeline):]
}

// event takes that something has happened to the lease at RentVine.
func (s *LeaseState) event(ev durable.Event) {
	if s.Events == nil {
		s.Events = map[string]int{}
	}
	s.Events[ev.Type]++
	s.Created = s.Created || ev.Type == "lease.created"
	s.Stale = true
}

// read takes a look at RentVine: the first decides whether the tenants were there before
// us, later ones are compared.
func (s *LeaseState) read(v activities.LeaseView, rules policy.Leasing, now time.Time) {
	before, first := s.Lease, !s.Known
	v.Look = before.Look + 1
	if s.Known && !v.Found {
		// It is known still where it was.
		gone := before
		gone.Found, gone.ReadAt, gone.Look = false, v.ReadAt, v.Look
		v = gone
	}
	s.Lease, s.Rules, s.Known, s.Stale, s.RetryAt = v, rules, true, false, time.Time{}
	if first {
		s.adopt(now)
		return
	}
	for _, d := range differences(before, v) {
		s.note(now, "%s", d)
	}
	if before.MovesInOn() != v.MovesInOn() {
		s.armChecks(now)
	}
}

// adopt decides whether the tenants are welcomed.
func (s *LeaseState) adopt(now time.Time) {
	movesIn, ok := campaign.Day(s.Lease.MovesInOn(), 0, 0, s.Lease.Zone)
	created := s.Created || !s.Lease.CreatedAt.IsZero() && now.Sub(s.Lease.CreatedAt) < recent
	s.Adopted = !created || ok && movesIn.Before(now.Add(-s.Rules.MoveIn.Late))
	switch {
	case s.Lease.Over():
		s.note(now, "the lease has ended already")
	case !s.Rules.On():
		s.note(now, "leases are not accompanied, by policy")
	case s.Adopted:
		s.note(now, "adopted: the tenants were there before us, nobody is written to")
		// Where the time for a renewal has begun, people are at it.
		if at, due := renewal.StartAt(s.Lease, s.Rules); due && !at.After(now) {
			s.Renewal.For, s.Renewal.Outcome, s.Renewal.EndedAt = s.Lease.End, renewalAdopted, now
			s.note(now, "the time of its renewal had begun already: left to people (command begin)")
		}
	}
	s.armChecks(now)
	s.AssessAt = s.firstAssessment(now)
}

// firstAssessment is after the tenants have lived there for a while; adopted leases
// take turns, so that not all are assessed on one day.
func (s *LeaseState) firstAssessment(now time.Time) time.Time {
	every := s.Rules.Retention.Assess
	if every <= 0 {
		return time.Time{}
	}
	if s.Adopted {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s.ID))
		return now.Add(time.Duration(h.Sum32()%uint32(max(every/day, 1))+1) * day)
	}
	if at, ok := campaign.Day(s.Lease.MovesInOn(), 0, officeOpens, s.Lease.Zone); ok && at.After(now) {
		return at.Add(every)
	}
	return now.Add(every)
}

// armChecks sets the dates of the maintenance checks: counted from the move-in, the
// first that lie in the future.
func (s *LeaseState) armChecks(now time.Time) {
	done := map[string]int{}
	for _, c := range s.Checks {
		done[c.ID] = c.Number
	}
	s.Checks = nil
	from, ok := campaign.Day(s.Lease.MovesInOn(), 0, officeOpens, s.Lease.Zone)
	if !ok {
		return
	}
	for _, rule := range s.Rules.MoveIn.Checks {
		at := from.Add(rule.First)
		for rule.Every > 0 && !at.After(now) {
			at = at.Add(rule.Every)
		}
		if at.After(now) {
			s.Checks = append(s.Checks, Check{ID: rule.ID, At: at, Number: done[rule.ID]})
		}
	}
}

// todo is what comes next.
func (s *LeaseState) todo(now time.Time) step {
	switch {
	case !s.RetryAt.IsZero() && s.RetryAt.After(now):
		return stepNothing
	case !s.Known || s.Stale:
		return stepRead
	case s.toTell() != "":
		return stepTell
	case s.Lease.Over() || !s.Rules.On():
		return stepNothing
	case s.moveInDue():
		return stepMoveIn
	}
	switch {
	case due(s.renewalAt(), now) && now.Sub(s.Lease.ReadAt) > rereadAfter:
		return stepRead // a renewal begins with a fresh look
	case due(s.renewalAt(), now):
		return stepRenewal
	case due(s.checkAt(), now):
		return stepCheck
	case due(s.AssessAt, now) && !s.Lease.Leaving():
		return stepAssess
	case s.retentionDue(now):
		return stepRetention
	}
	return stepNothing
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

func (s *LeaseState) moveInDue() bool {
	return !s.Adopted && s.MoveIn.Number == 0 && !s.Lease.Leaving()
}

// renewalAt is when the campaign of the lease's present end begins, zero for never.
func (s *LeaseState) renewalAt() time.Time {
	at, ok := renewal.StartAt(s.Lease, s.Rules)
	if !ok || s.Renewal.WorkflowID != "" || s.Renewal.For == s.Lease.End {
		return time.Time{}
	}
	return at
}

func (s *LeaseState) checkAt() (at time.Time) {
	for _, c := range s.Checks {
		if at.IsZero() || c.At.Before(at) {
			at = c.At
		}
	}
	return at
}

// dueCheck is the check that is made next.
func (s *LeaseState) dueCheck(now time.Time) (*Check, policy.MaintenanceCheck, bool) {
	for i := range s.Checks {
		if c := &s.Checks[i]; due(c.At, now) {
			for _, rule := range s.Rules.MoveIn.Checks {
				if rule.ID == c.ID {
					return c, rule, true
				}
			}
			s.Checks = slices.Delete(s.Checks, i, i+1) // policy has it no more
			return nil, policy.MaintenanceCheck{}, false
		}
	}
	return nil, policy.MaintenanceCheck{}, false
}

// checked arms the next date of a check.
func (s *LeaseState) checked(id string, every time.Duration, now time.Time) {
	for i := range s.Checks {
		if s.Checks[i].ID != id {
			continue
		}
		s.Checks[i].Number++
		if every <= 0 {
			s.Checks = slices.Delete(s.Checks, i, i+1)
			return
		}
		for !s.Checks[i].At.After(now) {
			s.Checks[i].At = s.Checks[i].At.Add(every)
		}
		return
	}
}

// assessed takes an assessment and sets the date of the next.
func (s *LeaseState) assessed(a *leasescore.Assessment, now time.Time) {
	if a != nil {
		s.Assessment = a
		s.note(now, "assessed: renewal %d %%, risk %d %%, confidence %d %%", a.RenewalProbability, a.Risk, a.Confidence)
	}
	s.AssessAt = now.Add(s.Rules.Retention.Assess)
}

// retentionDue tells whether the newest assessment asks for a campaign.
func (s *LeaseState) retentionDue(now time.Time) bool {
	a, r := s.Assessment, s.Rules.Retention
	return a != nil && r.Risk > 0 && a.Risk >= r.Risk && s.Retention.WorkflowID == "" && s.Renewal.WorkflowID == "" &&
		s.MoveIn.WorkflowID == "" && !s.Lease.Leaving() &&
		(s.Retention.EndedAt.IsZero() || now.Sub(s.Retention.EndedAt) >= r.Every)
}

// courses are those of all kinds.
func (s *LeaseState) courses() map[string]*Course {
	return map[string]*Course{KindMoveIn: &s.MoveIn, KindRenewal: &s.Renewal, KindRetention: &s.Retention}
}

func kinds() []string { return []string{KindMoveIn, KindRenewal, KindRetention} }

// toTell is the kind of a running campaign that does not know the lease as it is now.
func (s *LeaseState) toTell() string {
	for _, kind := range kinds() {
		if c := s.courses()[kind]; c.WorkflowID != "" && c.Told < s.Lease.Look {
			return kind
		}
	}
	return ""
}

// told notes that a campaign knows the lease as it is.
func (s *LeaseState) told(kind string) { s.courses()[kind].Told = s.Lease.Look }

// began notes that a campaign has begun.
func (s *LeaseState) began(kind, workflowID, about string, now time.Time) {
	c := s.courses()[kind]
	c.Number, c.WorkflowID, c.For, c.Told, c.Outcome = c.Number+1, workflowID, about, s.Lease.Look, ""
	s.note(now, "%s begins", policy.Words(kind))
}

// ended takes how a campaign has ended.
func (s *LeaseState) ended(e Ended, now time.Time) {
	c, ok := s.courses()[e.Kind]
	if !ok || c.WorkflowID != e.WorkflowID {
		return
	}
	c.WorkflowID, c.Outcome, c.EndedAt = "", e.Outcome, now
	s.note(now, "%s ended: %s", policy.Words(e.Kind), policy.Words(e.Outcome))
	if l := e.Learned; l.Rating > 0 {
		s.Learned.Rating, s.Learned.Note, s.Learned.At = l.Rating, l.Note, l.At
	}
	if l := e.Learned; l.Rent.Known {
		s.Learned.Rent = l.Rent
	}
	if l := e.Learned; l.Retention != "" {
		s.Learned.Retention = l.Retention
	}
	if e.Kind == KindRenewal {
		// What was agreed is read from RentVine. An end that has moved is armed anew, and
		// so is one whose notice may be taken back.
		s.Stale = true
		if e.About != "" {
			c.For = e.About
		}
		if e.Outcome == renewal.OutcomeNotDue || e.Outcome == renewal.OutcomeCancelled && !e.ByOperator {
			c.For = ""
		}
	}
}

// running tells whether a campaign is under way.
func (s *LeaseState) running() bool {
	return s.MoveIn.WorkflowID != "" || s.Renewal.WorkflowID != "" || s.Retention.WorkflowID != ""
}

// over tells whether nothing is left to follow.
func (s *LeaseState) over() bool {
	return s.Known && !s.Stale && (s.Lease.Over() || !s.Rules.On()) && !s.running()
}

// next is when something is due, zero for never, and what.
func (s *LeaseState) next() (at time.Time, why string) {
	if !s.RetryAt.IsZero() {
		return s.RetryAt, "read the lease again"
	}
	if s.Lease.Over() || !s.Rules.On() {
		return time.Time{}, ""
	}
	at, why = campaign.Sooner(at, why, s.renewalAt(), "renewal begins")
	at, why = campaign.Sooner(at, why, s.checkAt(), "maintenance check")
	if !s.Lease.Leaving() {
		at, why = campaign.Sooner(at, why, s.AssessAt, "assess the lease")
	}
	return at, why
}

// stage is where the lease is.
func (s *LeaseState) stage() Stage {
	switch {
	case !s.Known:
		return StageUnread
	case s.Lease.Over():
		return StageEnded
	case !s.Rules.On():
		return StageIdle
	case s.Lease.Leaving():
		return StageLeaving
	case s.Renewal.WorkflowID != "":
		return StageRenewing
	case s.MoveIn.WorkflowID != "":
		return StageMovingIn
	case s.Lease.MonthToMonth:
		return StageMonthToMonth
	}
	return StageLiving
}

// differences says what has changed between two looks, without personal data.
func differences(before, after activities.LeaseView) []string {
	var out []string
	for _, f := range []struct{ name, was, is string }{
		{"status", string(before.Status), string(after.Status)},
		{"account's status", before.StatusName, after.StatusName},
		{"start", before.Start, after.Start},
		{"end", before.End, after.End},
		{"move-in", before.MoveIn, after.MoveIn},
		{"move-out", before.MoveOut, after.MoveOut},
		{"notice", before.Notice, after.Notice},
		{"expected move-out", before.ExpectedMoveOut, after.ExpectedMoveOut},
		{"closed", before.Closed, after.Closed},
		{"rent", before.Rent.String(), after.Rent.String()},
		{"unit", before.UnitID, after.UnitID},
	} {
		if f.was != f.is {
			out = append(out, fmt.Sprintf("%s: %s, was %s", f.name, orNone(f.is), orNone(f.was)))
		}
	}
	if before.MonthToMonth != after.MonthToMonth {
		out = append(out, fmt.Sprintf("month to month: %t", after.MonthToMonth))
	}
	if !sameTenants(before, after) {
		out = append(out, fmt.Sprintf("tenants: %d, were %d", len(after.Tenants), len(before.Tenants)))
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func sameTenants(a, b activities.LeaseView) bool {
	return slices.EqualFunc(a.Tenants, b.Tenants, func(x, y activities.Person) bool { return x.ID == y.ID })
}
