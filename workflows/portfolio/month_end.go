package portfolio

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// MonthEnd sends each portfolio's owners the statement pack of a month, and files it at
// RentVine. A pack that was sent is not sent again, so that a run that comes late, or
// twice, does no harm.
var MonthEnd = durable.Definition[MonthEndInput, activities.PacksSent]{
	Name: MonthEndName, Run: monthEnd, Versioning: workflow.VersioningBehaviorPinned,
}

// MonthEndInput starts it.
type MonthEndInput struct {
	Clock durable.Clock `json:"clock,omitzero"`
	// Month is YYYY-MM; "" is the one before today's in the company's zone.
	Month string `json:"month,omitempty"`
}

func monthEnd(ctx workflow.Context, in MonthEndInput) (activities.PacksSent, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	rules, err := activities.ReadPortfolio.RunLocal(ctx, activities.PlaceRef{}, "policy of the company")
	if err != nil || !rules.On() {
		return activities.PacksSent{}, err
	}
	month := in.Month
	if month == "" {
		month = monthBefore(activities.DayIn(durable.Now(ctx), rules.TimeZone))
	}
	workflow.SetCurrentDetails(ctx, "sending the packs of "+month)
	done, err := activities.SendOwnerPacks.Run(ctx, month, "send the owners' packs of "+month)
	if err != nil {
		return done, err
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s: %d portfolios, %d mails, %d files, %d with a problem",
		month, done.Portfolios, done.Mails, done.Files, done.Problems))
	return done, nil
}

// monthBefore is the month before that of a day: "2026-10" of "2026-11-22".
func monthBefore(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return at.AddDate(0, 0, -at.Day()).Format("2006-01")
}
