package policy

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Repairs is how ordinary work orders are brought to a checked repair. Without
// windows for visits they are acknowledged and left to people.
type Repairs struct {
	// Currency of all amounts, ISO 4217, such as "USD".
	Currency string `json:"currency"`
	// Rates are what an hour of work costs, by trade; "general" stands in for a trade
	// that has none.
	Rates map[string]Rate `json:"rates"`
	// TechniciansUpTo is the longest job that our own technicians take: longer ones go
	// to vendors.
	TechniciansUpTo time.Duration `json:"technicians_up_to"`
	// OfferWithin is how long a technician, or a vendor whose bid was chosen, may take
	// to accept before the next one is asked.
	OfferWithin time.Duration `json:"offer_within"`
	// Vendors adds what RentVine does not know of its vendors.
	Vendors []Vendor `json:"vendors"`
	Bidding Bidding  `json:"bidding"`
	Spend   Spend    `json:"spend"`
	Windows Windows  `json:"windows"`
	Visit   Visit    `json:"visit"`
	Check   Check    `json:"check"`
	// Checklists are what whoever did the work confirms, by trade; "general" stands in.
	Checklists map[string][]string `json:"checklists"`
}

// On tells whether ordinary work orders are coordinated at all.
func (r Repairs) On() bool { return len(r.Windows.Days) > 0 }

// Rate is the price of an hour.
type Rate struct {
	Technician Cents `json:"technician"`
	Vendor     Cents `json:"vendor"`
}

// RateOf is the rate of a trade, or that of general work.
func (r Repairs) RateOf(trade string) Rate {
	if rate, ok := r.Rates[trade]; ok {
		return rate
	}
	return r.Rates[TradeGeneral]
}

// Checklist is what is confirmed of a job of a trade.
func (r Repairs) Checklist(trade string) []string {
	if list, ok := r.Checklists[trade]; ok {
		return list
	}
	return r.Checklists[TradeGeneral]
}

// Vendor is a vendor as RentVine does not know it: its records say neither trades
// nor position (contracts/rentvine.md 2.6).
type Vendor struct {
	// Contact is the contactID at RentVine.
	Contact string `json:"contact"`
	// Trades count where RentVine's trades do not name the vendor.
	Trades []string `json:"trades"`
	// Latitude and Longitude say where the vendor sets out, in degrees; both 0 where
	// that is not known.
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// Bidding is how vendors are asked for prices.
type Bidding struct {
	// Invite is how many vendors are asked at once.
	Invite int `json:"invite"`
	// Within is how long they have; Urgent is that of urgent work.
	Within time.Duration `json:"within"`
	Urgent time.Duration `json:"urgent"`
	// Least is how many bids there should be: with fewer, as many vendors more are
	// invited, and then the manager is asked.
	Least int `json:"least"`
	// Weights of a bid's score, in any unit.
	Weights Weights `json:"weights"`
}

// Weights say what counts in the choice of a bid.
type Weights struct {
	Price     int `json:"price"`
	Speed     int `json:"speed"`
	Record    int `json:"record"`
	Insurance int `json:"insurance"`
}

// Spend is who approves what a repair costs.
type Spend struct {
	// Limit is what a repair may cost without asking the owner.
	Limit Cents `json:"limit"`
	// RemindAfter are the owner's reminders, each counted from the question.
	RemindAfter []time.Duration `json:"remind_after"`
	// EscalateAfter, counted from the question, lets the manager decide.
	EscalateAfter time.Duration `json:"escalate_after"`
	// AccountingLimit is what may be ordered without asking the accountant.
	AccountingLimit Cents `json:"accounting_limit"`
	// Accountant is the id of a person.
	Accountant string `json:"accountant"`
}

// Windows are when people may be visited.
type Windows struct {
	// Days are "mon" to "sun".
	Days []string `json:"days"`
	// Slots are the windows of a day, in the property's zone.
	Slots []Slot `json:"slots"`
	// Offered is how many the tenant may choose from at once.
	Offered int `json:"offered"`
	// Lead is the shortest notice; Ahead is how far into the future windows reach.
	Lead  time.Duration `json:"lead"`
	Ahead time.Duration `json:"ahead"`
	// JobsPerWindow is how many visits one technician makes in a window.
	JobsPerWindow int `json:"jobs_per_window"`
	// AskAgain is the pause before a tenant who has not chosen is asked again, Times is
	// how often; then the manager decides.
	AskAgain time.Duration `json:"ask_again"`
	Times    int           `json:"times"`
}

// Slot is a window of a day.
type Slot struct {
	From TimeOfDay `json:"from"`
	To   TimeOfDay `json:"to"`
}

// Visit is how a visit is accompanied.
type Visit struct {
	// Remind are how long before the window people are reminded.
	Remind []time.Duration `json:"remind"`
	// Late is how long after the end of a window somebody who has not arrived is
	// nudged; as long after that, somebody else is looked for.
	Late time.Duration `json:"late"`
	// Overrun is how much longer than estimated, in percent, the work may take before
	// whoever does it is asked.
	Overrun int `json:"overrun"`
	// NoAccess is how often nobody may be at home before the manager is asked.
	NoAccess int `json:"no_access"`
}

// Check is how a repair is checked before it is closed.
type Check struct {
	// Photos is how many photos each of the state before and after are asked for.
	Photos int `json:"photos"`
	// RemindAfter and CloseAfter count from the question to the tenant whether the
	// repair holds: silence closes the work order.
	RemindAfter time.Duration `json:"remind_after"`
	CloseAfter  time.Duration `json:"close_after"`
}

// Cents is an amount of money in hundredths of a currency's unit; its text is
// "1250.00". Amounts have at most two decimals.
type Cents int64

var centsPattern = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,2})?$`)

// ParseCents reads "1250", "1250.5" or "1250.50".
func ParseCents(text string) (Cents, error) {
	if !centsPattern.MatchString(text) {
		return 0, errors.New(`must be an amount such as "300.00"`)
	}
	whole, part, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	return Cents(n), err
}

// UnmarshalText reads "300.00".
func (c *Cents) UnmarshalText(text []byte) error {
	parsed, err := ParseCents(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// MarshalText writes "300.00".
func (c Cents) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String is "300.00".
func (c Cents) String() string {
	sign, n := "", int64(c)
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// Money is an amount in a currency.
type Money struct {
	Amount Cents `json:"amount"`
	// Currency is ISO 4217.
	Currency string `json:"currency"`
}

// String is as people read it in a text message: "$1,250.00", "£300.00" or
// "CHF 1,250.00".
func (m Money) String() string {
	whole, part, _ := strings.Cut(m.Amount.String(), ".")
	sign := ""
	if rest, ok := strings.CutPrefix(whole, "-"); ok {
		sign, whole = "-", rest
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	symbol, ok := map[string]string{"USD": "$", "GBP": "\u00a3", "EUR": "\u20ac"}[m.Currency]
	if !ok {
		symbol = m.Currency + " "
	}
	return sign + symbol + whole + "." + part
}
