package worker_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// setRent is somebody who enters a rent at RentVine.
func (p *pricing) setRent(rent string) {
	p.t.Helper()
	_, err := p.acts.RentVine.UpdateUnitRent(context.Background(), "2", "3", rent)
	require.NoError(p.t, err)
}

// Somebody enters another rent while the manager decides, and no event tells of it: the
// manager says which holds, before anything is written.
func TestAPersonDecidesWhichRentHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		choice string
		rent   string
		want   portfolio.PricingResult
		told   []string
	}{
		"ours": {"ours", "2050.00", portfolio.PricingResult{Outcome: portfolio.PricingChanged, Rent: 2050_00, Written: true},
			[]string{"property/2 price_settled", "property/2 price_settled", "property/2 price_settled", "vacancy/3 price_settled", "property/2 child_ended"}},
		"theirs": {"theirs", "1950.00", portfolio.PricingResult{Outcome: portfolio.PricingKept, Rent: 1950_00},
			[]string{"property/2 price_settled", "property/2 price_settled", "vacancy/3 price_settled", "property/2 child_ended"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPricing(t)
			p.setRent("1900.00")
			require.NoError(t, p.execute(portfolio.PricingID("3"), portfolio.PricingName, p.in, func() {
				p.at(time.Hour, func() {
					p.setRent("1950.00")
					p.says(graceMail, "price", "accept")
				})
				p.at(5*time.Hour, func() {
					require.Equal(t, "1950.00", p.rent(), "nothing is written without an answer")
					require.Equal(t, "asking", p.shown().Stage)
					p.says(graceMail, "price_conflict", c.choice)
				})
			}))
			var result portfolio.PricingResult
			require.NoError(t, p.env.GetWorkflowResult(&result))
			require.Equal(t, c.want, result)
			require.Equal(t, c.rent, p.rent())
			require.Equal(t, c.told, p.told())
			require.Empty(t, p.openBids(graceMail))
			mails := p.mails(graceMail)
			require.Len(t, mails, 2)
			require.Contains(t, mails[1].Text, "somebody has set $1,950.00 at RentVine")
			p.nothingTwice()
		})
	}
}

// The office gives a job to somebody at RentVine while ours is found, and no event tells of
// it: theirs stays through all that we write afterwards.
func TestWhatTheOfficeHasSetIsNotOverwrittenLater(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	theirs := func(when string) {
		t.Helper()
		wo := s.inRentVine()
		require.Equal(t, "32", wo.AssignedToUserID, when)
		require.Empty(t, wo.ScheduledStartDate, "nor the schedule that we had in mind for ours")
	}
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(6*time.Minute+30*time.Second, func() {
		user := "32"
		_, err := s.acts.RentVine.UpdateWorkOrder(context.Background(), s.id, rentvine.WorkOrderUpdate{AssignedToUserID: &user})
		require.NoError(t, err)
	})
	s.at(7*time.Minute, func() { s.answer("offer/2", "ana", "accept") })
	s.at(8*time.Minute, func() {
		theirs("when ours has accepted")
		require.Equal(t, "12", s.inRentVine().StatusID, "what nobody has changed is written: Scheduled")
		d := s.describe()
		require.Condition(t, func() bool {
			return slices.ContainsFunc(d.Timeline, func(e maintenance.Entry) bool {
				return strings.Contains(e.What, "our schedule was not written to RentVine")
			})
		})
	})
	s.at(30*time.Minute, func() { s.answer("on_site/1-1", "ana", "on_site") })
	s.at(90*time.Minute, func() { s.answer("done/1-1", "ana", "done") })
	s.at(91*time.Minute, func() {
		theirs("when ours is done")
		require.Equal(t, "13", s.inRentVine().StatusID, "the status moves on")
	})
	s.at(3*time.Hour, func() { s.status("Completed") })
	s.play(s.event("work_order.created", nil))
	s.nothingTwice()
}
