// Package renewal is the campaign that renews a lease, as pure decisions: open work
// orders first, then a price, whether it is worth it and lawful, the owner's approval,
// the offer, its chase, signatures and the record at RentVine. Nothing ever renews by
// silence.
package renewal

import (
	"strconv"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// The stages, in the order of a renewal that meets no trouble.
const (
	// Repairs: open work orders hold the offer back.
	Repairs = "repairs"
	// Pricing: the tenancy is assessed and a rent is found.
	Pricing = "pricing"
	// Worth: the manager decides whether to offer at all.
	Worth = "worth"
	// Law: the manager signs off a notice rule that is disputed or unknown.
	Law = "law"
	// Approving: the owner, or the manager instead, decides about the rent.
	Approving = "approving"
	// Offered: the tenants are asked.
	Offered = "offered"
	// Countered: the manager decides about what the tenants want instead.
	Countered = "countered"
	// Signing: all tenants are asked to sign.
	Signing = "signing"
	// Writing: the renewed lease is written to RentVine.
	Writing = "writing"
)

// The work of a renewal, as Task.Do.
const (
	// CountWorkOrders counts the lease's open work orders; back comes Counted.
	CountWorkOrders = "count_work_orders"
	// Assess assesses the tenancy; back comes Assessed.
	Assess = "assess"
	// SuggestRent suggests a rent; back comes Suggested.
	SuggestRent = "suggest_rent"
	// ReadOwners reads whom to ask for approval; back comes OwnersRead.
	ReadOwners = "read_owners"
	// WriteRenewal writes Terms to RentVine; back comes Written.
	WriteRenewal = "write_renewal"
)

// The outcomes.
const (
	// OutcomeRenewed: signed by all, and RentVine has it.
	OutcomeRenewed = "renewed"
	// OutcomeRenewedUnwritten: signed by all, and RentVine shows something else.
	OutcomeRenewedUnwritten = "renewed_unwritten"
	// OutcomeLetGo: the manager offers nothing.
	OutcomeLetGo = "let_go"
	// OutcomeOwnerDeclined: the owner wants no renewal.
	OutcomeOwnerDeclined = "owner_declined"
	// OutcomeDeclined: a tenant does not want to renew.
	OutcomeDeclined = "declined"
	// OutcomeNotAgreed: the manager did not agree to what the tenants wanted.
	OutcomeNotAgreed = "not_agreed"
	// OutcomeSilent: the tenants have not answered.
	OutcomeSilent = "silent"
	// OutcomeUnsigned: not all tenants have signed.
	OutcomeUnsigned = "unsigned"
	// OutcomeLeftToManager: nobody has decided, or nothing can be decided here.
	OutcomeLeftToManager = "left_to_manager"
	// OutcomeNotDue: the lease ends so much later now that it is too early.
	OutcomeNotDue = "not_due"
	// OutcomeCancelled: stopped by an operator, or the lease is not one to be renewed any more.
	OutcomeCancelled = "cancelled"
)

// The purposes of questions.
const (
	AskWorth   = "worth"
	AskLaw     = "law"
	AskOwner   = "owner"
	AskApprove = "approve"
	AskOffer   = "offer"
	AskCounter = "counter"
	AskSign    = "sign"
	// AskConflict asks which holds where others have changed what was about to be written.
	AskConflict = "conflict"
)

// The choices and fields of questions; policy's texts label them.
const (
	Offer   = "offer"
	Leave   = "let_go"
	Confirm = "confirm"
	Decline = "decline"
	Approve = "approve"
	Change  = "change"
	Accept  = "accept"
	Counter = "counter"
	Agree   = "agree"
	Stand   = "stand"
	Sign    = "sign"
	Ours    = "ours"
	Theirs  = "theirs"

	FieldAmount = "amount"
	FieldNote   = "note"
	FieldName   = "name"
)

// State is all that is known of a renewal. Times are business time in UTC, days are
// YYYY-MM-DD in the property's zone.
type State struct {
	campaign.Base
	// Attempt counts how often it began from the price; it names work and records.
	Attempt int `json:"attempt"`

	// Looks counts the looks at open work orders, LookAt is when the next is due and
	// OpenOrders how many the last one found.
	Looks      int       `json:"looks,omitempty"`
	LookAt     time.Time `json:"look_at,omitzero"`
	OpenOrders int       `json:"open_orders,omitempty"`

	// Got tells what is known for the price.
	Got Got `json:"got,omitzero"`
	// Assessment is nil where the tenancy could not be assessed, Suggestion where no rent
	// was suggested.
	Assessment *leasescore.Assessment  `json:"assessment,omitempty"`
	Suggestion *comparables.Suggestion `json:"suggestion,omitempty"`
	// Price is the rent that is to be approved or offered, PriceWhy how it came about.
	Price    policy.Cents `json:"price,omitempty"`
	PriceWhy string       `json:"price_why,omitempty"`
	// WorthIt tells that the manager has decided to offer in spite of the assessment.
	WorthIt bool `json:"worth_it,omitempty"`
	// Rulings are what the manager has decided about notice rules.
	Rulings []Ruling `json:"rulings,omitempty"`
	// Approval is the owner's, or the manager's instead.
	Approval    *Approval `json:"approval,omitempty"`
	OwnersAsked bool      `json:"owners_asked,omitempty"`

	// Terms are what is offered, and agreed from Signing on.
	Terms *Terms `json:"terms,omitempty"`
	// Offered are the tenants who were asked and are to be told when it no longer holds;
	// OfferedOn is the day.
	Offered   []activities.Person `json:"offered,omitempty"`
	OfferedOn string              `json:"offered_on,omitempty"`
	// Stood tells that the manager stands by the offer after a counter-offer.
	Stood      bool          `json:"stood,omitempty"`
	Counter    *CounterOffer `json:"counter,omitempty"`
	Signatures []Signature   `json:"signatures,omitempty"`
	// Warned tells that the manager knows that the lease changed during the writing.
	Warned bool `json:"warned,omitempty"`
	// Conflicts are what others had changed when the renewal was to be written, while the
	// manager is asked. Force tells that he has it written all the same.
	Conflicts []activities.Conflict `json:"conflicts,omitempty"`
	Force     bool                  `json:"force,omitempty"`
}

type (
	// Got tells what has come back.
	Got struct {
		Assessment bool `json:"assessment,omitempty"`
		Price      bool `json:"price,omitempty"`
		Owners     bool `json:"owners,omitempty"`
	}
	// Ruling is the manager's decision about a notice rule.
	Ruling struct {
		// Rule is which, and OK whether an increase may be offered under it.
		Rule string    `json:"rule"`
		OK   bool      `json:"ok"`
		By   string    `json:"by"`
		At   time.Time `json:"at"`
	}
	// Approval is that of a rent.
	Approval struct {
		By   string       `json:"by"`
		Rent policy.Cents `json:"rent"`
		At   time.Time    `json:"at"`
	}
	// Terms are those of the renewed lease. Rent is a month's.
	Terms struct {
		Rent policy.Cents `json:"rent"`
		// From is the first day of the new rent, "" where the rent stays.
		From   string `json:"from,omitempty"`
		Start  string `json:"start"`
		End    string `json:"end"`
		Months int    `json:"months"`
	}
	// CounterOffer is what a tenant wants instead. Note is untrusted.
	CounterOffer struct {
		By   string       `json:"by"`
		Rent policy.Cents `json:"rent"`
		Note string       `json:"note,omitempty"`
		At   time.Time    `json:"at"`
	}
	// Signature is a tenant's, with the full name as typed.
	Signature struct {
		By   string    `json:"by"`
		Name string    `json:"name"`
		At   time.Time `json:"at"`
		Via  string    `json:"via,omitempty"`
	}
)

var _ campaign.Play = (*State)(nil)

// New is a renewal that begins.
func New(lease activities.LeaseView, rules policy.Leasing, now time.Time) *State {
	s := &State{Base: campaign.Base{BeganAt: now, Lease: lease, Rules: rules}, Attempt: 1, LookAt: now}
	s.Move(Repairs, now)
	return s
}

// Common is what all campaigns have.
func (s *State) Common() *campaign.Base { return &s.Base }

// Todo is the next piece of work.
func (s *State) Todo(now time.Time) campaign.Task {
	if s.Outcome != "" {
		return campaign.Nothing
	}
	key := strconv.Itoa(s.Attempt)
	switch s.Stage {
	case Repairs:
		if !s.LookAt.After(now) {
			return campaign.Task{Do: CountWorkOrders, Key: strconv.Itoa(s.Looks + 1)}
		}
	case Pricing:
		switch {
		case !s.Got.Assessment:
			return campaign.Task{Do: Assess, Key: key}
		case !s.Got.Price:
			return campaign.Task{Do: SuggestRent, Key: key}
		case !s.Got.Owners:
			return campaign.Task{Do: ReadOwners, Key: key}
		}
	case Writing:
		if s.Waiting(AskConflict) != nil {
			return campaign.Nothing
		}
		if s.Force {
			key += "/force"
		}
		return campaign.Task{Do: WriteRenewal, Key: key}
	}
	return campaign.Nothing
}

// Tick lets time pass.
func (s *State) Tick(now time.Time) {
	for _, w := range s.Remind(now) {
		s.unanswered(w, now)
	}
}

// Next is when Tick, or the next look at work orders, has something to do.
func (s *State) Next(now time.Time) (at time.Time, why string) {
	if s.Outcome != "" {
		return time.Time{}, ""
	}
	at, why = s.NextWait()
	if s.Stage == Repairs && s.LookAt.After(now) {
		at, why = campaign.Sooner(at, why, s.LookAt, "look at open work orders again")
	}
	return at, why
}

// unanswered takes a question whose time is up; it is settled already.
func (s *State) unanswered(w campaign.Wait, now time.Time) {
	if s.Outcome != "" {
		return
	}
	switch w.Purpose {
	case AskOwner:
		s.Note(now, "the owner has not answered; the manager decides")
		s.askManagerToApprove("The owner has not answered.", now)
	case AskWorth:
		s.left("Nobody has decided whether to offer a renewal.", now)
	case AskLaw:
		s.left("Nobody has decided about the notice rule.", now)
	case AskApprove:
		s.left("Nobody has approved the rent.", now)
	case AskCounter:
		s.withdraw(now)
		s.left("Nobody has decided about the tenant's counter-offer.", now)
	case AskConflict:
		s.keepTheirs("Nobody has said which holds: nothing was written.", now)
	case AskOffer:
		// The offer named its last day: it lapses without another message.
		s.Offered = nil
		s.tellManager("The tenants have not answered the offer. Nothing is renewed; please get in touch with them.")
		s.tellOwners("The tenants have not answered the offer. The property manager follows up.")
		s.End(OutcomeSilent, now)
	case AskSign:
		s.withdraw(now)
		s.tellManager("The tenants agreed, and not all have signed. Nothing is renewed; please get in touch with them.")
		s.tellOwners("The tenants agreed, and not all have signed. The property manager follows up.")
		s.End(OutcomeUnsigned, now)
	}
}

// left leaves the renewal to the manager.
func (s *State) left(why string, now time.Time) {
	s.tellManager(why + " The renewal is left to you.")
	if s.OwnersAsked {
		s.tellOwners("The property manager takes care of the renewal personally.")
	}
	s.End(OutcomeLeftToManager, now)
}

func (s *State) tellManager(reason string, lines ...string) {
	s.Say(campaign.Tell{To: campaign.Manager, Text: policy.TextManagerNotice, Data: s.data(policy.LeaseData{Reason: reason, Lines: lines})})
}

// tellOwners tells how it ended; without owners nobody is told.
func (s *State) tellOwners(reason string) {
	if len(s.Owners) > 0 {
		s.Say(campaign.Tell{To: campaign.Owners, Text: policy.TextOwnerDone, Data: s.data(policy.LeaseData{Reason: reason})})
	}
}
