package policy

import "time"

// Portfolio is how homes are let, priced, kept lawful and reported to their owners. It
// is resolved for a property as Leasing is, and recorded in histories. All durations are
// business time.
type Portfolio struct {
	// Version is the policy file's, for the record.
	Version string `json:"version"`
	Company string `json:"company"`
	// TimeZone is the company's: schedules and months are its.
	TimeZone string `json:"time_zone"`
	Currency string `json:"currency"`
	// Manager is asked about a property, Escalation where the manager does not answer.
	// Agent shows homes and hears of leads.
	Manager    Person `json:"manager"`
	Escalation Person `json:"escalation"`
	Agent      Person `json:"agent"`

	Questions  PortfolioQuestions `json:"questions"`
	Onboarding Onboarding         `json:"onboarding"`
	Vacancy    Vacancy            `json:"vacancy"`
	Pricing    AskingPrice        `json:"pricing"`
	Compliance Compliance         `json:"compliance"`
	Owners     OwnerReports       `json:"owners"`
}

// On tells whether properties are followed at all.
func (p Portfolio) On() bool { return p.Questions.Times > 0 }

// PortfolioQuestions is how the manager is asked.
type PortfolioQuestions struct {
	// RemindAfter is the pause between reminders, Times how often; then the escalation
	// contact is asked once.
	RemindAfter time.Duration `json:"remind_after"`
	Times       int           `json:"times"`
}

// Onboarding is what has to be done for a property that is new.
type Onboarding struct {
	// Items are ticked off by the manager, by link.
	Items []string `json:"items"`
	// Within is how long that may take before the escalation contact is told.
	Within time.Duration `json:"within"`
}

// Vacancy is how an empty home is let.
type Vacancy struct {
	// PublishAfter is how long the manager may look at a listing whose rent is known before
	// it is published without an answer; 0 waits for the answer.
	PublishAfter time.Duration `json:"publish_after"`
	// Headline and Text are templates of the listing: {beds}, {baths}, {size}, {city},
	// {state}, {rent}, {available}, {company}. A line with a placeholder of which nothing is
	// known is left out.
	Headline string   `json:"headline"`
	Text     []string `json:"text"`
	// Sources are where prospects come from, and what they cost. The first one without Match
	// takes what no other does.
	Sources []ListingSource `json:"sources"`
	// Showings are the windows in which homes are shown; JobsPerWindow is how many the agent
	// shows in one.
	Showings Windows `json:"showings"`
	// ApplyAfter is how long after a showing the prospect is asked to apply.
	ApplyAfter time.Duration `json:"apply_after"`
	// ReviewPriceAfter is how long a listing stands before its price is looked at (again).
	ReviewPriceAfter time.Duration `json:"review_price_after"`
	// SpeakAfter is how long a listing may stand without an applicant before the escalation
	// contact is told.
	SpeakAfter time.Duration `json:"speak_after"`
}

// ListingSource is a portal or other place where homes are listed.
type ListingSource struct {
	// ID is such as "zillow"; Name is what people read.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Monthly is what one listing costs there a month, PerLead what a lead costs.
	Monthly Cents `json:"monthly"`
	PerLead Cents `json:"per_lead"`
	// Match are what a form's ?src= or the domain of a lead's mail say for it.
	Match []string `json:"match"`
}

// AskingPrice is how the rent of an empty home is suggested.
type AskingPrice struct {
	// Below and Above bound the change against the present asking rent.
	Below Permille `json:"below"`
	Above Permille `json:"above"`
	// RoundTo is what rents are multiples of.
	RoundTo Cents `json:"round_to"`
	// PerBed, PerBath and PerSize (a tenth more floor) are what a comparable's rent is
	// adjusted by.
	PerBed  Permille `json:"per_bed"`
	PerBath Permille `json:"per_bath"`
	PerSize Permille `json:"per_size"`
	// PerYear is what a comparable's rent is adjusted by for each year that it is newer.
	PerYear Permille `json:"per_year"`
	// MarketFresh is how old an imported market rent may be.
	MarketFresh time.Duration `json:"market_fresh"`
	// Standing lowers the suggestion of a home that has been listed for long; the last step
	// that was reached counts.
	Standing []StandingStep `json:"standing"`
	// AskFrom is the least difference from the present rent that anybody is asked about.
	AskFrom Permille `json:"ask_from"`
	// Built is the year in which the property was built, 0 where nobody has said.
	Built int `json:"built"`
}

// StandingStep is what days on the market take off.
type StandingStep struct {
	After time.Duration `json:"after"`
	Off   Permille      `json:"off"`
}

// The kinds of what a property must have.
const (
	RequirementCertificate = "certificate"
	RequirementInspection  = "inspection"
	RequirementLicence     = "licence"
	RequirementInsurance   = "insurance"
)

// Compliance is what properties must have, and who is reminded when.
type Compliance struct {
	Requirements []Requirement `json:"requirements"`
	// RemindDays are days before the due date, the greatest first: 60, 30, 14, 7, 1.
	RemindDays []int `json:"remind_days"`
	// OverdueEvery is the pause between two letters once it is overdue; each goes to the
	// escalation contact too.
	OverdueEvery time.Duration `json:"overdue_every"`
}

// Requirement is one thing that a property, or each of its units, must have.
type Requirement struct {
	// ID is such as "smoke_alarms"; Name is what people read.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Kind is one of the kinds above.
	Kind string `json:"kind"`
	// PerUnit tells that each active unit needs its own.
	PerUnit bool `json:"per_unit"`
	// States and Cities are where it applies, "OR" and "Portland"; none is everywhere.
	States []string `json:"states"`
	Cities []string `json:"cities"`
	// Months is for how long one is good.
	Months int `json:"months"`
	// FirstWithin is how long a new property has for its first one.
	FirstWithin time.Duration `json:"first_within"`
	// Evidence tells that a renewal needs at least one uploaded file.
	Evidence bool `json:"evidence"`
	// What says what to do, for whoever is reminded.
	What string `json:"what"`
	// InspectionType and InspectionStatus are the account's own ids at RentVine: an
	// inspection of the unit is made there when one is due. "" for none.
	InspectionType   string `json:"inspection_type"`
	InspectionStatus string `json:"inspection_status"`
}

// OwnerReports is what owners get.
type OwnerReports struct {
	// PackDay is the day of the month, PackAt the time, at which the pack of the month before
	// is sent.
	PackDay int       `json:"pack_day"`
	PackAt  TimeOfDay `json:"pack_at"`
	// DigestAt is when owners are told of requests open for longer than DigestAge, not again
	// of the same within DigestEvery.
	DigestAt    TimeOfDay     `json:"digest_at"`
	DigestAge   time.Duration `json:"digest_age"`
	DigestEvery time.Duration `json:"digest_every"`
	// AllRequests tells owners of requests too that RentVine does not share with them;
	// internal ones they never hear of.
	AllRequests bool `json:"all_requests"`
	// PageLife is how long the link to an owner's page is good (real time).
	PageLife time.Duration `json:"page_life"`
	Targets  Targets       `json:"targets"`
}

// Targets are the figures that the company wants to keep.
type Targets struct {
	// Repair is from request to completion, Invoice from completion to the vendor's bill,
	// MakeReady from move-out to ready, FirstReply to a prospect.
	Repair     time.Duration `json:"repair"`
	Invoice    time.Duration `json:"invoice"`
	MakeReady  time.Duration `json:"make_ready"`
	FirstReply time.Duration `json:"first_reply"`
	// Rating is in tenths: 40 is 4 of 5. FirstTimeFix and Occupancy are shares.
	Rating       int      `json:"rating"`
	FirstTimeFix Permille `json:"first_time_fix"`
	Occupancy    Permille `json:"occupancy"`
}
