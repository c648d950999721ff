// Package bookkeeping decides how RentVine's transactions are booked: what each is for,
// which balanced entries it needs, and how those are reversed and posted again when it
// changes. It is pure: the same transaction, bookings and policy give the same entries.
//
// Money is whole cents of the company's one currency. Nothing is divided, so nothing is
// rounded.
package bookkeeping

import "github.com/aictive/keyholder/policy"

// Kind is what a transaction is.
type Kind string

// The kinds.
const (
	// Charge is what a tenant owes.
	Charge Kind = "charge"
	// Credit lowers it.
	Credit Kind = "credit"
	// Payment is what a tenant has paid.
	Payment Kind = "payment"
	// Bill is what a vendor is owed.
	Bill Kind = "bill"
)

// Transaction is one as RentVine shows it now.
type Transaction struct {
	// ID is what the workflow is called: "charge/12", "payment/13", "invoice/14".
	ID string `json:"id"`
	// Number is RentVine's id.
	Number string `json:"number"`
	// Found is false where RentVine does not have it (any more).
	Found  bool `json:"found"`
	Voided bool `json:"voided,omitempty"`
	Kind   Kind `json:"kind"`
	// Day is when it was posted, YYYY-MM-DD.
	Day  string `json:"day"`
	Text string `json:"text,omitempty"`
	// Parts are what it is made of: one, but for bills. Their amounts are not negative.
	Parts []Part `json:"parts"`
	// LeaseID, UnitID, PropertyID and PortfolioID are "" where it has none.
	LeaseID     string `json:"lease_id,omitempty"`
	UnitID      string `json:"unit_id,omitempty"`
	PropertyID  string `json:"property_id,omitempty"`
	PortfolioID string `json:"portfolio_id,omitempty"`
}

// Part is one amount of a transaction on one account at RentVine.
type Part struct {
	// AccountID, AccountNumber and Account are RentVine's id, number and name, "" where
	// it does not say.
	AccountID     string       `json:"account_id,omitempty"`
	AccountNumber string       `json:"account_number,omitempty"`
	Account       string       `json:"account,omitempty"`
	IsRent        bool         `json:"is_rent,omitempty"`
	Amount        policy.Cents `json:"amount"`
	Text          string       `json:"text,omitempty"`
}

// Amount is the sum of the parts.
func (t Transaction) Amount() policy.Cents {
	sum := policy.Cents(0)
	for _, p := range t.Parts {
		sum += p.Amount
	}
	return sum
}

// Counts tells whether it is to be in the books.
func (t Transaction) Counts() bool { return t.Found && !t.Voided && t.Amount() > 0 }

// The roles of accounts beside categories, in the lines of entries.
const (
	RoleBank        = "bank"
	RoleReceivables = "receivables"
	RolePayables    = "payables"
	RoleUnsure      = "unsure"
)

// Line is one line of an entry. One of Debit and Credit is zero.
type Line struct {
	// Role is one of the constants, or a category's id.
	Role string `json:"role"`
	// Account is the name of the account in QuickBooks.
	Account string       `json:"account"`
	Debit   policy.Cents `json:"debit,omitempty"`
	Credit  policy.Cents `json:"credit,omitempty"`
}

// Entry is a balanced entry of the journal. Entries are never changed: another one
// reverses them.
type Entry struct {
	// Number counts the entries of the transaction, from 1.
	Number int `json:"number"`
	// Day is the one on which it is booked, YYYY-MM-DD; Of is the transaction's own day,
	// which is earlier where the books of its month were closed.
	Day   string `json:"day"`
	Of    string `json:"of"`
	Lines []Line `json:"lines"`
	// Reverses is the number of the entry that this one takes back, 0 for none.
	Reverses int `json:"reverses,omitempty"`
}

// MemoPrefix begins the note on every entry of ours in QuickBooks.
const MemoPrefix = "Keyholder "

// Balanced tells whether debits are credits, and there is something.
func (e Entry) Balanced() bool {
	debits, credits := policy.Cents(0), policy.Cents(0)
	for _, l := range e.Lines {
		if l.Debit < 0 || l.Credit < 0 || (l.Debit > 0) == (l.Credit > 0) {
			return false
		}
		debits += l.Debit
		credits += l.Credit
	}
	return debits == credits && debits > 0
}
