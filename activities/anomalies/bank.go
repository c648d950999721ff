package anomalies

import (
	"fmt"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Unmatched is a booking on the bank's account, or a line of a statement, that the other
// side does not know.
type Unmatched struct {
	// ID is "<transaction>#<number>" of a booking, or the line's.
	ID, Day string
	// Since is when it began to wait for the other side, "" for its day.
	Since   string
	LeaseID string
	// Amount is positive where money came.
	Amount policy.Cents
}

// Bank is what has waited for the other side for more than the policy's days, in the
// order in which it comes. What has no day that can be read is left out.
func Bank(bookings, lines []Unmatched, today string, rules policy.Anomalies) []Finding {
	now, ok := dayOf(today)
	if !ok {
		return nil
	}
	var found []Finding
	for _, b := range bookings {
		if waited := b.waits(now); waited > rules.BankAfter {
			f := b.finding(b.ID, waited, rules)
			transaction, _, _ := strings.Cut(b.ID, "#")
			f.Transactions = []string{transaction}
			f.Reason = fmt.Sprintf("%s was booked on %s and is on no bank statement after %s.", b.Amount, b.Day, days(waited))
			found = append(found, f)
		}
	}
	for _, l := range lines {
		if waited := l.waits(now); waited > rules.BankAfter {
			f := l.finding("line/"+l.ID, waited, rules)
			f.Reason = fmt.Sprintf("%s is on the bank statement of %s and in no booking after %s.", l.Amount, l.Day, days(waited))
			found = append(found, f)
		}
	}
	return found
}

// waits is for how many days, -1 where that is not known.
func (u Unmatched) waits(now time.Time) int {
	day, ok := dayOf(max(u.Day, u.Since))
	if !ok {
		return -1
	}
	return daysBetween(day, now)
}

func (u Unmatched) finding(id string, waited int, rules policy.Anomalies) Finding {
	return Finding{
		ID: LedgerAgainstBank + "/" + id, Kind: LedgerAgainstBank, Severity: severity(max(u.Amount, -u.Amount), rules),
		Evidence: []Evidence{{"Amount", u.Amount.String()}, {"Day", u.Day}, {"Waiting", days(waited)}},
		LeaseID:  u.LeaseID, Amount: u.Amount,
	}
}
