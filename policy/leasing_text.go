package policy

// The texts of leasing. Those that ask carry {link}; {code} too where a text message
// takes the answer.
const (
	// To tenants.
	TextMoveInInspection    = "move_in_inspection"     // tells when the inspection is
	TextMoveInInspectionOff = "move_in_inspection_off" // tells that it is off
	TextMoveInUtility       = "move_in_utility"        // asks: done, help
	TextMoveInContact       = "move_in_contact"        // asks: text, mail; field language
	TextMoveInMoved         = "move_in_moved"          // tells that the move-in has moved
	TextMoveInCancelled     = "move_in_cancelled"      // tells that it is off
	TextRenewalOffer        = "renewal_offer"          // asks: accept, decline, counter; fields amount, note
	TextRenewalSign         = "renewal_sign"           // asks: sign, decline; field name
	TextRenewalWithdrawn    = "renewal_withdrawn"      // tells that the offer no longer holds
	TextRenewalDone         = "renewal_done"           // tells that the lease is renewed
	TextRetentionSurvey     = "retention_survey"       // asks: send; fields rating, note
	TextRetentionIncentive  = "retention_incentive"    // asks: accept, decline
	// To the inspector.
	TextInspectorDone = "inspector_done" // asks: done, not_done
	// To vendors and utilities.
	TextPackageOrder   = "package_order"   // asks: confirm, cannot
	TextPackageOff     = "package_off"     // tells that it is cancelled
	TextUtilityRequest = "utility_request" // tells
	TextUtilityOff     = "utility_off"     // tells
	// To owners.
	TextOwnerApprove = "owner_approve" // asks: approve, change, decline; field amount
	TextOwnerDone    = "owner_done"    // tells how the renewal ended
	// To the manager, or whoever does outreach.
	TextManagerMoveInDate = "manager_move_in_date" // asks: date, none; field date
	TextManagerNotice     = "manager_notice"       // tells; Reason says what
	TextManagerWorth      = "manager_worth"        // asks: offer, let_go
	TextManagerLaw        = "manager_law"          // asks: confirm, decline
	TextManagerApprove    = "manager_approve"      // asks: approve, change, decline; field amount
	TextManagerCounter    = "manager_counter"      // asks: agree, stand, decline
	TextManagerConflict   = "manager_conflict"     // asks: ours, theirs; Lines say what differs
	TextManagerIncentive  = "manager_incentive"    // asks: approve, decline
	TextOutreach          = "outreach"             // asks: done, cannot; field note
)

// LeaseText is what one message says in one language.
type LeaseText struct {
	// Subject and Body are the mail; the text message is SMS, "" where it is only mailed.
	Subject string `json:"subject"`
	Body    string `json:"body"`
	SMS     string `json:"sms"`
	// Title heads the page of a question; Options are the labels of its choices and
	// Fields those of its form's fields.
	Title   string            `json:"title"`
	Options map[string]string `json:"options"`
	Fields  map[string]string `json:"fields"`
}

// LeaseData is what a text may say. Values come from people and partners and are made
// harmless where they are filled in. Amounts and dates are as people read them.
type LeaseData struct {
	Company   string `json:"company,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	// Tenant is the first tenant's name, for those who write to tenants.
	Tenant  string `json:"tenant,omitempty"`
	Address string `json:"address,omitempty"`
	Unit    string `json:"unit,omitempty"`
	// LeaseID is RentVine's.
	LeaseID string `json:"lease_id,omitempty"`
	// Days, as YYYY-MM-DD: whoever fills the text in writes them as its language does.
	MoveIn string `json:"move_in,omitempty"`
	End    string `json:"end,omitempty"`
	NewEnd string `json:"new_end,omitempty"`
	From   string `json:"from,omitempty"`
	DueBy  string `json:"due_by,omitempty"`
	// When is an instant, in the property's zone as "2006-01-02 15:04".
	When string `json:"when,omitempty"`
	// Rent, NewRent and Amount are amounts of Currency.
	Rent     Cents    `json:"rent,omitempty"`
	NewRent  Cents    `json:"new_rent,omitempty"`
	Amount   Cents    `json:"amount,omitempty"`
	Currency string   `json:"currency,omitempty"`
	Increase Permille `json:"increase,omitempty"`
	Months   int      `json:"months,omitempty"`
	// Item names a package, utility or incentive; Person somebody who comes or acts.
	Item   string `json:"item,omitempty"`
	Person string `json:"person,omitempty"`
	Reason string `json:"reason,omitempty"`
	Note   string `json:"note,omitempty"`
	Count  int    `json:"count,omitempty"`
	// Lines are a list, such as comparables.
	Lines []string `json:"lines,omitempty"`
}
