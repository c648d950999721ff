package policy

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Leasing is how leases are accompanied: move-in, renewal and retention. It is recorded
// in histories without its texts, which whoever writes to people reads. All durations
// are business time; days are those of the property's zone.
type Leasing struct {
	// Version is the policy file's, for the record.
	Version string `json:"version"`
	Company string `json:"company"`
	// TimeZone is the property's; "" means that it is derived from its coordinates.
	TimeZone string `json:"time_zone"`
	// Currency of all amounts, ISO 4217.
	Currency string `json:"currency"`
	// Language is that of people of whom none is known, such as "en".
	Language string `json:"language"`
	// Manager is the property manager; Outreach does personal outreach.
	Manager  Person `json:"manager"`
	Outreach Person `json:"outreach"`
	// Inspector inspects at move-in.
	Inspector Person    `json:"inspector"`
	MoveIn    MoveIn    `json:"move_in"`
	Renewal   Renewal   `json:"renewal"`
	Retention Retention `json:"retention"`
	Scoring   Scoring   `json:"scoring"`
}

// On tells whether leases are accompanied at all.
func (l Leasing) On() bool { return l.Renewal.Lead > 0 }

// MoveIn is how a move-in is prepared. Days before the move-in count back from it.
type MoveIn struct {
	// Late is how long ago a move-in may have been for the tenants to be welcomed still;
	// older leases are adopted silently.
	Late time.Duration `json:"late"`
	// At is when the mails of a day leave.
	At TimeOfDay `json:"at"`
	// Welcome is the series of mails, by day.
	Welcome    []Welcome  `json:"welcome"`
	Inspection Inspection `json:"inspection"`
	Package    Package    `json:"package"`
	Utilities  []Utility  `json:"utilities"`
	// UtilityChase are the days before move-in on which tenants are asked again whether
	// their utilities are transferred; after the last, the manager is told.
	UtilityChase []int `json:"utility_chase"`
	// Checks are recurring maintenance checks of an inhabited unit.
	Checks []MaintenanceCheck `json:"checks"`
	// DateWithin is how long the manager may take to say a missing move-in date before
	// being asked again.
	DateWithin time.Duration `json:"date_within"`
}

// Welcome is one mail of the series.
type Welcome struct {
	// Day counts from the move-in: -7 is a week before, 0 the day itself.
	Day int `json:"day"`
	// Text is its id, "welcome_..." .
	Text string `json:"text"`
}

// Inspection is that of the move-in.
type Inspection struct {
	// Inspector is a person's id.
	Inspector string `json:"inspector"`
	// DaysBefore the move-in, at a time of day, for so long.
	DaysBefore int           `json:"days_before"`
	At         TimeOfDay     `json:"at"`
	Takes      time.Duration `json:"takes"`
	// TypeID and StatusID are the account's own at RentVine, whose values are not public
	// (contracts/rentvine.md 2.8); without them RentVine gets no record.
	TypeID   string `json:"type_id"`
	StatusID string `json:"status_id"`
	// RemindAfter is the pause between questions whether it is done, Times how often;
	// then the manager is told.
	RemindAfter time.Duration `json:"remind_after"`
	Times       int           `json:"times"`
}

// Package is the welcome package; without a vendor there is none.
type Package struct {
	// Vendor delivers it, ordered by mail; Contact is the contactID at RentVine where a
	// purchase order is booked too.
	VendorName    string `json:"vendor_name"`
	VendorEmail   string `json:"vendor_email"`
	VendorContact string `json:"vendor_contact"`
	Item          string `json:"item"`
	Cost          Cents  `json:"cost"`
	// DaysBefore the move-in it is ordered; ConfirmWithin is how long the vendor may
	// take to confirm before being asked again; then the manager is told.
	DaysBefore    int           `json:"days_before"`
	ConfirmWithin time.Duration `json:"confirm_within"`
}

// Utility is one that has to be transferred to the tenants.
type Utility struct {
	Name string `json:"name"`
	// Email is the provider's for requests; without one the tenants arrange it.
	Email string `json:"email"`
	// DaysBefore the move-in it is requested.
	DaysBefore int `json:"days_before"`
}

// MaintenanceCheck recurs while a unit is inhabited: each time a work order is made at
// RentVine.
type MaintenanceCheck struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Trade is one of Trades.
	Trade string        `json:"trade"`
	First time.Duration `json:"first"`
	Every time.Duration `json:"every"`
}

// Renewal is how a lease that will end is renewed.
type Renewal struct {
	// Lead is how long before the end the campaign begins at the latest; it begins
	// earlier where Notice and Approval together are longer.
	Lead time.Duration `json:"lead"`
	// Approval is how long the owner may take in all.
	Approval time.Duration `json:"approval"`
	// Notice is the table of notice periods for rent increases, by state.
	Notice []NoticeRule `json:"notice"`
	// WorkOrdersWait is how long open work orders hold the offer back at most.
	WorkOrdersWait time.Duration `json:"work_orders_wait"`
	// RemindOwner are the owner's reminders, each counted from the question;
	// EscalateOwner, counted alike, lets the manager decide.
	RemindOwner   []time.Duration `json:"remind_owner"`
	EscalateOwner time.Duration   `json:"escalate_owner"`
	// DecideWithin is how long the manager may take before being asked again.
	DecideWithin time.Duration `json:"decide_within"`
	// Chase are the days before the end on which silent tenants are asked again.
	Chase []int `json:"chase"`
	// SilentAt is how many days before the end silence is left to the manager.
	SilentAt int `json:"silent_at"`
	// Term is how long a renewed lease lasts, in months.
	Term int `json:"term"`
	// SignRemind is the pause between reminders to sign, SignTimes how often; then the
	// manager is told.
	SignRemind time.Duration `json:"sign_remind"`
	SignTimes  int           `json:"sign_times"`
	// OfferFrom is the least renewal probability, in percent, at which nobody is asked
	// whether to offer at all; MaxRisk is the greatest risk.
	OfferFrom int     `json:"offer_from"`
	MaxRisk   int     `json:"max_risk"`
	Pricing   Pricing `json:"pricing"`
}

// NoticeRule is the notice that the law of a state asks for, as far as it is known here.
type NoticeRule struct {
	// State is the postal code of a state, "*" for all that have no rule.
	State string `json:"state"`
	// Over is the increase above which the rule applies.
	Over Permille `json:"over"`
	// Days of written notice before the increase takes effect.
	Days int `json:"days"`
	// Cap is the greatest lawful increase, 0 where none is known.
	Cap Permille `json:"cap"`
	// AsOf is when somebody looked it up, and Source where.
	AsOf   Date   `json:"as_of"`
	Source string `json:"source"`
	// Disputed says how sources disagree: a person signs off before the offer leaves.
	Disputed string `json:"disputed"`
}

// NoticeFor is the rule for an increase in a state: that with the greatest Over below
// the increase, of the state itself before those for all; ok is false where no rule is
// known.
func (r Renewal) NoticeFor(state string, increase Permille) (rule NoticeRule, ok bool) {
	for _, want := range []string{state, "*"} {
		for _, n := range r.Notice {
			if strings.EqualFold(n.State, want) && increase > n.Over && (!ok || n.Over >= rule.Over) {
				rule, ok = n, true
			}
		}
		if ok {
			return rule, true
		}
	}
	return rule, false
}

// Pricing is what bounds the suggestion of a rent.
type Pricing struct {
	// Least, Usual and Most are increases; Usual is taken where there are too few
	// comparables.
	Least Permille `json:"least"`
	Usual Permille `json:"usual"`
	Most  Permille `json:"most"`
	// RoundTo is what rents are multiples of.
	RoundTo Cents `json:"round_to"`
	// PerBed, PerBath and PerSize (a tenth more floor) are what a comparable unit's rent
	// is adjusted by.
	PerBed  Permille `json:"per_bed"`
	PerBath Permille `json:"per_bath"`
	PerSize Permille `json:"per_size"`
}

// Retention is how tenants at risk are kept.
type Retention struct {
	// Risk, in percent, from which a campaign begins; not again within Every.
	Risk  int           `json:"risk"`
	Every time.Duration `json:"every"`
	// Assess is how often a lease is assessed.
	Assess time.Duration `json:"assess"`
	// SurveyRemind and SurveyClose count from the survey.
	SurveyRemind time.Duration `json:"survey_remind"`
	SurveyClose  time.Duration `json:"survey_close"`
	Incentives   []Incentive   `json:"incentives"`
	// MaxCost is what an incentive may cost at most, ApproveOver from where the manager
	// approves it.
	MaxCost     Cents `json:"max_cost"`
	ApproveOver Cents `json:"approve_over"`
	// AnswerWithin is how long tenants, and the manager, may take to answer.
	AnswerWithin time.Duration `json:"answer_within"`
	// OutreachBy is who calls the tenants, within a time; then the manager is told.
	OutreachBy     string        `json:"outreach_by"`
	OutreachWithin time.Duration `json:"outreach_within"`
	// MeasureAfter is when the result is measured, counted from the last step.
	MeasureAfter time.Duration `json:"measure_after"`
}

// Incentive is something that may be offered.
type Incentive struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Cost Cents  `json:"cost"`
}

// Scoring is how leases are assessed: weights in any unit, by factor.
type Scoring struct {
	// Base is the renewal probability, and BaseRisk the risk, of a lease of which nothing
	// is known, in percent.
	Base     int            `json:"base"`
	BaseRisk int            `json:"base_risk"`
	Factors  map[string]int `json:"factors"`
	// Grace is how many days after its due day a payment is not late yet.
	Grace int `json:"grace"`
}

// Permille is a share in tenths of a percent; its text is "5.5%".
type Permille int

var percentPattern = regexp.MustCompile(`^([0-9]{1,3})(\.([0-9]))?%$`)

// UnmarshalText reads "5%" or "5.5%".
func (p *Permille) UnmarshalText(text []byte) error {
	m := percentPattern.FindStringSubmatch(string(text))
	if m == nil {
		return errors.New(`must be a percentage such as "5%" or "5.5%"`)
	}
	n, err := strconv.Atoi(m[1] + (m[3] + "0")[:1])
	*p = Permille(n)
	return err
}

// MarshalText writes "5.5%".
func (p Permille) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String is "5.5%", or "5%".
func (p Permille) String() string {
	if p%10 == 0 {
		return fmt.Sprintf("%d%%", p/10)
	}
	return fmt.Sprintf("%d.%d%%", p/10, max(p%10, -(p%10)))
}

// Of is the share of an amount, rounded half away from zero.
func (p Permille) Of(c Cents) Cents { return Cents(roundDiv(int64(c)*int64(p), 1000)) }

// Increase is by how much to is above from, rounded up to the next tenth of a percent,
// negative where it is below.
func Increase(from, to Cents) Permille {
	if from <= 0 {
		return 0
	}
	n := int64(to-from) * 1000
	if n > 0 {
		n += int64(from) - 1
	}
	return Permille(n / int64(from))
}

// roundDiv divides by a positive number, half away from zero.
func roundDiv(n, by int64) int64 {
	if n < 0 {
		return -((-n + by/2) / by)
	}
	return (n + by/2) / by
}
