package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadFinance reads how money is booked, checked and reported, as the policy says it
// now: a recorded look-up, like ReadSettings.
var ReadFinance = durable.Activity[None, policy.Finance]{
	Name: "policy.read_finance", Attempt: 5 * time.Second,
}

func (a *Activities) readFinance(context.Context, None) (policy.Finance, error) {
	return a.Policy.Finance(), nil
}

// booksToday is the company's day.
func (a *Activities) booksToday(rules policy.Finance) string {
	return DayIn(a.businessNow(), rules.TimeZone)
}
