package policy

import "time"

// Finance is how money is booked, checked and reported. It applies to the company's
// books as a whole: portfolios and properties do not override it. It is recorded in
// histories.
type Finance struct {
	// Version is the policy file's, for the record.
	Version string `json:"version"`
	Company string `json:"company"`
	// TimeZone is the company's: "today" is its day.
	TimeZone string `json:"time_zone"`
	// Currency of all books and bank accounts, ISO 4217. Others are refused.
	Currency string `json:"currency"`
	// Accountant answers questions about bookings and findings; Controller is told
	// where nobody does. Team gets the reports.
	Accountant Person   `json:"accountant"`
	Controller Person   `json:"controller"`
	Team       []Person `json:"team"`

	Accounts   BookAccounts   `json:"accounts"`
	Categories []BookCategory `json:"categories"`
	// ClosedAfter is how many days after the end of a month its books are closed: what
	// comes later is booked on the day on which it comes.
	ClosedAfter int             `json:"closed_after"`
	Questions   BookQuestions   `json:"questions"`
	Anomalies   Anomalies       `json:"anomalies"`
	Bank        BankMatching    `json:"bank"`
	Summaries   FinanceSummary  `json:"summaries"`
	Reports     FinanceSchedule `json:"reports"`
}

// On tells whether money is booked at all.
func (f Finance) On() bool { return len(f.Categories) > 0 }

// Category finds one by its id.
func (f Finance) Category(id string) (BookCategory, bool) {
	for _, c := range f.Categories {
		if c.ID == id {
			return c, true
		}
	}
	return BookCategory{}, false
}

// BookAccounts are the names of the accounts in QuickBooks that bookings share. None may
// be of the types Accounts Receivable or Accounts Payable: QuickBooks asks such a line
// for a customer or vendor, and RentVine is who knows what each of them owes.
type BookAccounts struct {
	// Bank is the account in which rents arrive.
	Bank string `json:"bank"`
	// Receivables is what tenants owe, Payables what is owed to vendors.
	Receivables string `json:"receivables"`
	Payables    string `json:"payables"`
	// Unsure takes what nobody could categorise in time, until somebody does.
	Unsure string `json:"unsure"`
}

// The kinds of a category.
const (
	CategoryIncome    = "income"
	CategoryExpense   = "expense"
	CategoryLiability = "liability"
)

// BookCategory is what a charge or a line of a bill is for, and where it is booked.
type BookCategory struct {
	// ID is such as "rent"; Name is what people read.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Account is the name of the account in QuickBooks.
	Account string `json:"account"`
	// Kind is CategoryIncome, CategoryExpense or CategoryLiability, such as deposits.
	Kind string `json:"kind"`
	// RentVine are the numbers or names of the accounts at RentVine that mean it.
	RentVine []string `json:"rentvine"`
	// Words in a description that speak for it, whole words in any case.
	Words []string `json:"words"`
}

// BookQuestions is how the accountant is asked, for a category or about a finding.
type BookQuestions struct {
	// RemindAfter is the pause between reminders, Times how often; then the controller is
	// told.
	RemindAfter time.Duration `json:"remind_after"`
	Times       int           `json:"times"`
	// UnsureAfter is how long something of an unknown category waits before it is booked
	// on the account for that.
	UnsureAfter time.Duration `json:"unsure_after"`
	// SureFrom is the least confidence, in percent, at which nobody is asked.
	SureFrom int `json:"sure_from"`
}

// Anomalies says what is conspicuous.
type Anomalies struct {
	// DuplicateDays is how many days apart two charges of the same lease, account and
	// amount still count as the same one twice. Recurring charges are a month apart.
	DuplicateDays int `json:"duplicate_days"`
	// UnusualLeast is how many earlier amounts of the same lease and account there must
	// be, UnusualScore the least modified z-score in tenths (35 is 3.5), UnusualChange the
	// least distance from the median, and UnusualAmount the same as an amount.
	UnusualLeast  int      `json:"unusual_least"`
	UnusualScore  int      `json:"unusual_score"`
	UnusualChange Permille `json:"unusual_change"`
	UnusualAmount Cents    `json:"unusual_amount"`
	// MissingAfter is how many days after it was due rent is missing; MissingLeast is the
	// least amount that is.
	MissingAfter int   `json:"missing_after"`
	MissingLeast Cents `json:"missing_least"`
	// BankAfter is how many days a booking or a line of a statement waits for the other.
	BankAfter int `json:"bank_after"`
	// High is the amount from which on a finding is severe.
	High Cents `json:"high"`
}

// BankMatching says how lines of bank statements find their bookings.
type BankMatching struct {
	// Begins is the first day of which lines and bookings are expected to have each other;
	// zero is the day of the first booking.
	Begins Date `json:"begins,omitzero"`
	// At is when statements and bookings are matched, every day.
	At TimeOfDay `json:"at"`
	// DaysApart and AmountApart are how far line and booking may be from each other in a
	// tolerant match.
	DaysApart   int   `json:"days_apart"`
	AmountApart Cents `json:"amount_apart"`
	// DepositOf is how many payments one deposit may sum up at most.
	DepositOf int `json:"deposit_of"`
	// Columns are the headings of a CSV statement.
	Columns BankColumns `json:"columns"`
	// DateLayout is how CSV statements write days, as Go does: "2006-01-02".
	DateLayout string `json:"date_layout"`
}

// BankColumns are headings in a CSV statement, in any case. Either Amount is given,
// which is negative for money that leaves, or In and Out are.
type BankColumns struct {
	Date        string `json:"date"`
	Amount      string `json:"amount"`
	In          string `json:"in"`
	Out         string `json:"out"`
	Description string `json:"description"`
	Reference   string `json:"reference"`
	// Balance after the line, "" where there is none.
	Balance string `json:"balance"`
}

// FinanceSummary is who is told of bookings as they happen.
type FinanceSummary struct {
	// Owners and Team tell who.
	Owners bool `json:"owners"`
	Team   bool `json:"team"`
	// Soon is how long the first booking waits for others, Every the pause between two
	// summaries of one portfolio.
	Soon  time.Duration `json:"soon"`
	Every time.Duration `json:"every"`
}

// FinanceSchedule is when the team gets its reports.
type FinanceSchedule struct {
	// DailyAt is a time of every day, for the day before; MonthlyAt one of the day MonthDay
	// of a month, for the month before.
	DailyAt   TimeOfDay `json:"daily_at"`
	MonthlyAt TimeOfDay `json:"monthly_at"`
	MonthDay  int       `json:"month_day"`
}
