// Package financereport writes what was booked, for people: the summary that owners and
// the team get as it happens, the team's daily and monthly reports, and the ledger of one
// owner's portfolio. Each is one Report, drawn as a mail, a PDF, a CSV file and a picture
// from the same view, so that they cannot disagree. Everything is a pure function of the
// Report: the same one gives the same bytes.
//
// Money is whole cents of one currency. Nothing is divided but for the lengths of bars.
package financereport

import (
	"errors"
	"fmt"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Kind is what a report is for.
type Kind string

// The kinds. Summary and OwnerLedger are of one portfolio and show its lines alone: no
// other portfolio, finding, bank or state of the books. Daily and Monthly show all of
// the company.
const (
	Summary     Kind = "summary"
	Daily       Kind = "daily"
	Monthly     Kind = "monthly"
	OwnerLedger Kind = "owner_ledger"
)

// The kinds of a Line, as in bookkeeping.
const (
	Charge  = "charge"
	Credit  = "credit"
	Payment = "payment"
	Bill    = "bill"
)

// Report is what is reported. Texts come from people and partners: they are cleaned and
// bounded where they are drawn.
type Report struct {
	Kind    Kind
	Company string
	// Currency is ISO 4217, that of all amounts.
	Currency string
	// At is when it is written (business time), TimeZone where that is meant.
	At       time.Time
	TimeZone string
	// From and To are the days that it is of, YYYY-MM-DD, both included.
	From, To string
	// PortfolioID and Portfolio, its name, are those of Summary and OwnerLedger.
	PortfolioID, Portfolio string

	// Lines are what was booked, oldest first: of Summary since the last one, of OwnerLedger
	// in the month. Daily and Monthly may have them too: they go to the CSV file alone.
	Lines []Line
	// MonthToDate is of Summary: the portfolio's month until now, with these lines.
	MonthToDate Figures
	// Opening is of OwnerLedger: cash received minus bills before From.
	Opening policy.Cents

	// The rest is of Daily and Monthly. Total is what was booked in the period.
	Total Figures
	// Categories and Portfolios add up to Total each; Days, by YYYY-MM-DD, do in Monthly.
	Categories, Portfolios, Days []Row
	// Findings are those that are open, the worst first; Unsure what waits for a category.
	Findings []Finding
	Unsure   []Unsure
	Bank     Bank
	Books    Books
}

// Figures are sums: what tenants were charged (less credits), what was received from
// them, and what vendors billed.
type Figures struct{ Charged, Received, Billed policy.Cents }

// Row is the figures of a category, a portfolio or a day.
type Row struct {
	Label string
	Figures
}

// Line is one booking. Amount is negative where it takes another one back.
type Line struct {
	// PortfolioID must be the report's in Summary and OwnerLedger.
	PortfolioID string
	// Day is the one on which it is booked, YYYY-MM-DD.
	Day string
	// Kind is Charge, Credit, Payment or Bill.
	Kind string
	// Category is its name, "" for payments; Where is the label of property, unit or lease.
	Category, Where, Text string
	Amount                policy.Cents
	// Corrected marks what takes another booking back, Review what a finding is open about.
	Corrected, Review bool
}

// Figures is what the line adds to sums: a credit lowers what is charged.
func (l Line) Figures() Figures {
	switch l.Kind {
	case Charge:
		return Figures{Charged: l.Amount}
	case Credit:
		return Figures{Charged: -l.Amount}
	case Payment:
		return Figures{Received: l.Amount}
	case Bill:
		return Figures{Billed: l.Amount}
	default:
		return Figures{}
	}
}

// Plus is the sum of both.
func (f Figures) Plus(o Figures) Figures {
	return Figures{f.Charged + o.Charged, f.Received + o.Received, f.Billed + o.Billed}
}

// Cash is what is left of what was received.
func (f Figures) Cash() policy.Cents { return f.Received - f.Billed }

// Finding is something conspicuous that is open.
type Finding struct {
	// Kind is a code such as "duplicate_charge"; Severity is "high", "medium" or "low".
	Kind, Severity, Reason string
	Amount                 policy.Cents
	// Days is for how many it is open.
	Days int
	// Link is where somebody decides, "" for none; only the mail has it.
	Link string
}

// Unsure is something that waits for a category.
type Unsure struct {
	Day, Where, Text string
	Amount           policy.Cents
	// Link is where somebody says it, "" for none; only the mail has it.
	Link string
}

// Bank is how the bank's account agrees with the books.
type Bank struct {
	// Account is its name, "" where no statement was ever read in; Until is the last day
	// of the last statement.
	Account, Until string
	// Proved tells that what is matched is equal and the open rest explains all that
	// differs; Difference is what it does not explain.
	Proved     bool
	Difference policy.Cents
	// OpenLines are the statement's without a booking, OpenBookings the other way round, by
	// age; see ByAge.
	OpenLines, OpenBookings []Aged
}

// Books is how QuickBooks agrees with the journal.
type Books struct {
	// Planned and Posted count the entries of the period; Unposted counts all that
	// QuickBooks does not have yet, the oldest since UnpostedSince, "" for none.
	Planned, Posted, Unposted int
	UnpostedSince             string
	// Difference is debits minus credits of all that is posted: zero where the books
	// balance.
	Difference policy.Cents
}

// Open is a line or booking that is not matched.
type Open struct {
	Day    string
	Amount policy.Cents
}

// Aged is how much is open of an age.
type Aged struct {
	Age    string
	Count  int
	Amount policy.Cents
}

// ByAge sorts what is open on a day (YYYY-MM-DD) into ages; those of which nothing is open
// are left out. What is dated later, or not at all, counts as the youngest.
func ByAge(on string, open []Open) []Aged {
	ages := []struct {
		most  int
		label string
	}{{7, "up to 7 days"}, {30, "8 to 30 days"}, {60, "31 to 60 days"}, {1 << 30, "more than 60 days"}}
	sums := make([]Aged, len(ages))
	for _, o := range open {
		for i, a := range ages {
			if daysBetween(o.Day, on) <= a.most {
				sums[i].Count++
				sums[i].Amount += o.Amount
				break
			}
		}
	}
	var out []Aged
	for i, s := range sums {
		if s.Count > 0 {
			s.Age = ages[i].label
			out = append(out, s)
		}
	}
	return out
}

func daysBetween(from, to string) int {
	a, errA := time.Parse(time.DateOnly, from)
	b, errB := time.Parse(time.DateOnly, to)
	if errA != nil || errB != nil {
		return 0
	}
	return int(b.Sub(a) / (24 * time.Hour))
}

// Closing is of OwnerLedger: the opening balance plus what was received minus what was
// billed. It opens the next month.
func (r Report) Closing() policy.Cents { return r.Opening + r.sum().Cash() }

// sum is of the lines.
func (r Report) sum() Figures {
	var sum Figures
	for _, l := range r.Lines {
		sum = sum.Plus(l.Figures())
	}
	return sum
}

// ErrOtherPortfolio is returned where a report of one portfolio has a line of another:
// nothing is drawn, lest an owner sees it.
var ErrOtherPortfolio = errors.New("financereport: a line belongs to another portfolio")

// check refuses what cannot be drawn.
func (r Report) check() error {
	switch r.Kind {
	case Summary, OwnerLedger:
		for _, l := range r.Lines {
			if l.PortfolioID != r.PortfolioID {
				return ErrOtherPortfolio
			}
		}
	case Daily, Monthly:
	default:
		return fmt.Errorf("financereport: %q is no kind of report", r.Kind)
	}
	return nil
}
