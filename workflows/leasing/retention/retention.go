// Package retention is the campaign that keeps tenants at risk, as pure decisions: a
// survey, an incentive within limits, a personal word, and a measurement whose result
// is fed back.
package retention

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// The stages, in order.
const (
	// Surveying: the tenants are asked how content they are.
	Surveying = "surveying"
	// Offering: an incentive is chosen, approved and offered.
	Offering = "offering"
	// Outreach: somebody speaks with the tenants.
	Outreach = "outreach"
	// Measuring: time passes before the risk is assessed again.
	Measuring = "measuring"
)

// The work of a retention, as Task.Do.
const (
	// ReadRecord reads how incentives have done so far; back comes RecordRead.
	ReadRecord = "read_record"
	// Assess assesses the tenancy again; back comes Measured.
	Assess = "assess"
	// RecordResult keeps Result for later campaigns; back comes Recorded. It is to be
	// done after the campaign has ended, too.
	RecordResult = "record_result"
)

// The outcomes.
const (
	// OutcomeImproved, OutcomeUnchanged and OutcomeWorse compare the risk after with that before.
	OutcomeImproved  = "improved"
	OutcomeUnchanged = "unchanged"
	OutcomeWorse     = "worse"
	// OutcomeUnmeasured: the tenancy could not be assessed again.
	OutcomeUnmeasured = "unmeasured"
	// OutcomeLeft: the tenants leave, or have left.
	OutcomeLeft = "left"
	// OutcomeCancelled: stopped by an operator, or nobody is left to be kept.
	OutcomeCancelled = "cancelled"
)

// The purposes of questions.
const (
	AskSurvey    = "survey"
	AskManager   = "incentive_approval"
	AskIncentive = "incentive"
	AskOutreach  = "outreach"
	// AskStandIn asks the manager to do what whoever does outreach has not done.
	AskStandIn = "outreach_manager"
)

// The choices and fields of questions; policy's texts label them.
const (
	Send    = "send"
	Accept  = "accept"
	Decline = "decline"
	Approve = "approve"
	Done    = "done"
	Cannot  = "cannot"

	FieldRating = "rating"
	FieldNote   = "note"
)

// State is all that is known of a retention. Times are business time in UTC.
type State struct {
	campaign.Base
	// Before is why the tenants are at risk, After what was measured, nil before.
	Before leasescore.Assessment  `json:"before"`
	After  *leasescore.Assessment `json:"after,omitempty"`

	// Ratings are what tenants have said.
	Ratings []Rating `json:"ratings,omitempty"`
	// Incentive was chosen, nil for none and before; Why says why.
	Incentive *policy.Incentive `json:"incentive,omitempty"`
	Why       string            `json:"why,omitempty"`
	// RecordKnown tells that the record was read, Offered that the tenants were asked and
	// Accepted that they took it.
	RecordKnown bool `json:"record_known,omitempty"`
	Offered     bool `json:"offered,omitempty"`
	Accepted    bool `json:"accepted,omitempty"`
	// Spoken is what came of the outreach: Done, Cannot, or "" where nobody has answered.
	// SpokenNote is what whoever did it wrote, untrusted.
	Spoken     string `json:"spoken,omitempty"`
	SpokenNote string `json:"spoken_note,omitempty"`
	// MeasureAt is when the risk is assessed again.
	MeasureAt time.Time `json:"measure_at,omitzero"`
	// ResultKept tells that the result is recorded.
	ResultKept bool `json:"result_kept,omitempty"`
}

type (
	// Rating is a tenant's answer to the survey. Note is untrusted.
	Rating struct {
		By     string    `json:"by"`
		Rating int       `json:"rating"`
		Note   string    `json:"note,omitempty"`
		At     time.Time `json:"at"`
	}
	// Record is how often an incentive was offered, and how often the tenants were kept.
	Record struct {
		Incentive string `json:"incentive"`
		Offered   int    `json:"offered"`
		Kept      int    `json:"kept"`
	}
	// Result is what later campaigns learn.
	Result struct {
		// Incentive is "" where none was offered.
		Incentive string `json:"incentive,omitempty"`
		Accepted  bool   `json:"accepted,omitempty"`
		Outcome   string `json:"outcome"`
		// Kept tells that the tenants stay, as far as is known.
		Kept bool `json:"kept"`
		// RiskBefore and RiskAfter are in percent; RiskAfter is 0 where it was not
		// measured.
		RiskBefore int `json:"risk_before"`
		RiskAfter  int `json:"risk_after,omitempty"`
		// Rating is the lowest, 0 for none.
		Rating int `json:"rating,omitempty"`
	}
)

var _ campaign.Play = (*State)(nil)

const (
	day = 24 * time.Hour
	// patience stands in where policy names no time.
	patience = 7 * day
	// difference in points of risk is one that counts.
	difference = 10
	// maxNote bounds what tenants write, maxShown the factors that are shown, maxText a
	// line of a page.
	maxNote  = 500
	maxShown = 8
	maxText  = 300
)

// New is a retention that begins, for what an assessment has found.
func New(lease activities.LeaseView, rules policy.Leasing, before leasescore.Assessment, now time.Time) *State {
	s := &State{Base: campaign.Base{BeganAt: now, Lease: lease, Rules: rules}, Before: before}
	if len(lease.Tenants) == 0 {
		s.Stop("RentVine names no tenant", now)
		return s
	}
	s.Move(Surveying, now)
	r := rules.Retention
	until := now.Add(campaign.Within(r.SurveyClose, patience))
	s.Question(campaign.Question{
		Tell:    campaign.Tell{To: campaign.Tenants, Text: policy.TextRetentionSurvey, Marketing: true, Data: policy.LeaseData{DueBy: activities.DayIn(until, lease.Zone)}},
		Purpose: AskSurvey, Choices: []string{Send},
		Fields: []activities.Field{
			{Name: FieldRating, Label: "How content are you?", Kind: activities.FieldRating, For: []string{Send}},
			{Name: FieldNote, Label: "What should we know?", Kind: activities.FieldText},
		},
		RemindAt: between(now, now.Add(r.SurveyRemind), until), GiveUpAt: until,
	}, now)
	return s
}

// between is a reminder, where it is between now and the end.
func between(now, t, until time.Time) []time.Time {
	if !t.After(now) || !t.Before(until) {
		return nil
	}
	return []time.Time{t}
}

// half is a reminder half way.
func half(now, until time.Time) []time.Time {
	return between(now, now.Add(until.Sub(now)/2).Truncate(time.Second), until)
}

// Common is what all campaigns have.
func (s *State) Common() *campaign.Base { return &s.Base }

// Lowest is the worst rating, 0 for none.
func (s *State) Lowest() (rating int) {
	for _, r := range s.Ratings {
		if rating == 0 || r.Rating < rating {
			rating = r.Rating
		}
	}
	return rating
}

// Notes are what tenants have written, untrusted.
func (s *State) Notes() (notes []string) {
	for _, r := range s.Ratings {
		if r.Note != "" {
			notes = append(notes, r.Note)
		}
	}
	return notes
}

// Result is what later campaigns learn of this one.
func (s *State) Result() Result {
	r := Result{
		Accepted: s.Accepted, Outcome: s.Outcome, RiskBefore: s.Before.Risk, Rating: s.Lowest(),
		Kept: s.Outcome == OutcomeImproved || s.Outcome == OutcomeUnchanged,
	}
	if s.Offered && s.Incentive != nil {
		r.Incentive = s.Incentive.ID
	}
	if s.After != nil {
		r.RiskAfter = s.After.Risk
	}
	return r
}

// Todo is the next piece of work.
func (s *State) Todo(now time.Time) campaign.Task {
	switch {
	case s.Outcome != "":
		if !s.ResultKept {
			return campaign.Task{Do: RecordResult}
		}
	case s.Stage == Offering && !s.RecordKnown:
		return campaign.Task{Do: ReadRecord}
	case s.Stage == Measuring && !s.MeasureAt.After(now):
		return campaign.Task{Do: Assess}
	}
	return campaign.Nothing
}

// Tick lets time pass.
func (s *State) Tick(now time.Time) {
	for _, w := range s.Remind(now) {
		s.unanswered(w, now)
	}
}

// Next is when Tick, or the measurement, has something to do.
func (s *State) Next(now time.Time) (at time.Time, why string) {
	if s.Outcome != "" {
		return time.Time{}, ""
	}
	at, why = s.NextWait()
	if s.Stage == Measuring && s.MeasureAt.After(now) {
		at, why = campaign.Sooner(at, why, s.MeasureAt, "assess the tenancy again")
	}
	return at, why
}

// Changed takes a lease that has changed at RentVine. A renewal or a new rent is no
// reason to give the tenants up.
func (s *State) Changed(_ activities.LeaseView, now time.Time) {
	if s.Outcome != "" {
		return
	}
	switch l := s.Lease; {
	case l.Over():
		s.Stop("the lease has ended", now)
	case l.Leaving():
		s.Stop("the tenants are leaving", now)
	case len(l.Tenants) == 0:
		s.Stop("RentVine names no tenant any more", now)
	case s.Stage == Surveying:
		s.surveyed(now)
	}
}

// Stop ends the retention; its result is still to be recorded.
func (s *State) Stop(why string, now time.Time) {
	if s.Outcome != "" {
		return
	}
	s.Note(now, "stopped: %s", why)
	outcome := OutcomeCancelled
	if s.Lease.Over() || s.Lease.Leaving() {
		outcome = OutcomeLeft
	}
	reason := "The retention was stopped: " + why + "."
	if s.Accepted {
		reason += " The tenants had accepted: " + s.Incentive.Name + "."
	}
	s.tellManager(reason)
	s.End(outcome, now)
}

// unanswered takes a question whose time is up; it is settled already.
func (s *State) unanswered(w campaign.Wait, now time.Time) {
	if s.Outcome != "" {
		return
	}
	switch w.Purpose {
	case AskSurvey:
		s.Note(now, "the survey closed with %s", answers(len(s.Ratings)))
		s.Move(Offering, now)
	case AskManager:
		s.Note(now, "nobody has approved the incentive: none is offered")
		s.noIncentive("it was not approved", now)
	case AskIncentive:
		s.Note(now, "the tenants have not answered the incentive")
		s.outreach(now)
	case AskOutreach:
		s.Note(now, "nobody has spoken with the tenants in time")
		s.standIn("Nobody has spoken with the tenants in time.", now)
	case AskStandIn:
		s.Note(now, "nobody has spoken with the tenants")
		s.measure(now)
	}
}

func answers(n int) string {
	if n == 1 {
		return "1 answer"
	}
	return strconv.Itoa(n) + " answers"
}

// Heard takes the answer to a question that is open.
func (s *State) Heard(w campaign.Wait, a durable.Answer, now time.Time) durable.Outcome {
	open := s.Waiting(w.Purpose)
	if s.Outcome != "" || open == nil || open.Step != w.Step {
		return campaign.Late("Thank you. This has been settled meanwhile; there is nothing more to do.")
	}
	if !slices.Contains(open.Tell.Ask.Choices, a.Choice) {
		return campaign.Late("Sorry, that answer is not one of the choices. Please open the link.")
	}
	switch w.Purpose {
	case AskSurvey:
		return s.hearSurvey(*open, a, now)
	case AskManager:
		return s.hearManager(a, now)
	case AskIncentive:
		return s.hearIncentive(a, now)
	case AskOutreach, AskStandIn:
		return s.hearOutreach(w.Purpose, a, now)
	}
	return campaign.Late("Thank you. We do not know that question.")
}

func (s *State) tenant(id string) (activities.Person, bool) {
	i := slices.IndexFunc(s.Lease.Tenants, func(p activities.Person) bool { return p.ID == id })
	if i < 0 {
		return activities.Person{}, false
	}
	return s.Lease.Tenants[i], true
}

func (s *State) tellManager(reason string) {
	s.Say(campaign.Tell{To: campaign.Manager, Text: policy.TextManagerNotice, Data: policy.LeaseData{Reason: reason}})
}

func (s *State) money(c policy.Cents) string {
	return policy.Money{Amount: c, Currency: s.Rules.Currency}.String()
}

func detail(label, text string, args ...any) activities.Detail {
	return activities.Detail{Label: label, Text: campaign.Clip(fmt.Sprintf(text, args...), maxText)}
}
