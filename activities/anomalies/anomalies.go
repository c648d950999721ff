// Package anomalies finds what is conspicuous in the books: duplicate charges, unusual
// amounts, payments that are missing, bookings that the bank does not know. It is pure.
package anomalies

import "github.com/aictive/keyholder/policy"

// The kinds of findings.
const (
	DuplicateCharge   = "duplicate_charge"
	UnusualAmount     = "unusual_amount"
	MissingPayment    = "missing_payment"
	LedgerAgainstBank = "ledger_against_bank"
)

// The severities.
const (
	Low    = "low"
	Medium = "medium"
	High   = "high"
)

// Finding is something conspicuous, with its reason and what shows it. It names nobody.
type Finding struct {
	// ID is made of what is conspicuous, such as "duplicate_charge/charge/12+charge/15":
	// the same is found under the same ID however often one looks.
	ID       string
	Kind     string
	Severity string
	// Reason is a sentence; Evidence are the figures that show it.
	Reason   string
	Evidence []Evidence
	// Transactions are the IDs of what it is about.
	Transactions []string
	LeaseID      string
	Amount       policy.Cents
}

// Evidence is one line of what shows a finding.
type Evidence struct{ Label, Text string }
