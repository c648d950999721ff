package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

const tapBidding = "bidding/1002/1"

// bidders are plumbers who may be invited, best first.
func bidders(n int) []sourcing.Candidate {
	var all []sourcing.Candidate
	for i := range n {
		all = append(all, sourcing.Candidate{
			Kind: sourcing.Vendor, ID: fmt.Sprintf("contact:%d", 11+i), ContactID: fmt.Sprint(11 + i), Name: fmt.Sprintf("Firm %d", 11+i),
			Phone: bidderPhone(11 + i), Email: fmt.Sprintf("contact%d@example.com", 11+i), InsuranceExpires: "2036-12-31",
		})
	}
	return all
}

func bidderPhone(vendor int) string { return fmt.Sprintf("+121355502%02d", vendor) }

// tapJob is the bidding for a dripping tap in Los Angeles.
func (s *scenario) tapJob(vendors int) maintenance.BiddingInput {
	return maintenance.BiddingInput{
		WorkOrderID: "1002", Round: 1, Zone: "America/Los_Angeles", PortfolioID: "1", PropertyID: "1",
		Settings: s.rules.For("1", "1"), Vendors: bidders(vendors), Trade: policy.TradePlumbing, Estimate: 200_00,
		About:   policy.TextData{Problem: "Dripping tap", Address: "12 Harbor St", WorkOrder: "1002"},
		Details: []activities.Detail{{Label: "Work", Text: "The kitchen tap drips"}},
	}
}

// bidFor runs the workflow; during is told what to do meanwhile.
func (s *scenario) bidFor(in maintenance.BiddingInput, during func()) error {
	s.t.Helper()
	s.freshEnvironment(maintenance.BiddingID(in.WorkOrderID, in.Round))
	s.env.SetTestTimeout(40 * time.Second)
	s.acts.Clock = in.Clock
	if during != nil {
		during()
	}
	s.env.ExecuteWorkflow(maintenance.BiddingName, in)
	require.True(s.t, s.env.IsWorkflowCompleted())
	return s.env.GetWorkflowError()
}

func (s *scenario) bidResult() maintenance.BiddingResult {
	s.t.Helper()
	var result maintenance.BiddingResult
	require.NoError(s.t, s.env.GetWorkflowResult(&result))
	return result
}

func (s *scenario) describeBidding() maintenance.BiddingDescription {
	s.t.Helper()
	value, err := s.env.QueryWorkflow(maintenance.DescribeBidding.Name)
	require.NoError(s.t, err)
	var d maintenance.BiddingDescription
	require.NoError(s.t, value.Get(&d))
	return d
}

// vendorAnswer is what the page of a wave's question posts.
func vendorAnswer(wave, vendor int, choice, price string) durable.Answer {
	person := fmt.Sprintf("contact:%d", vendor)
	step := fmt.Sprintf("bid/%d/%s", wave, person)
	a := durable.Answer{ID: "link-" + step, Step: step, Person: person, Choice: choice, Via: "link"}
	if price != "" {
		a.Fields = map[string]string{"price": price, "earliest": "2026-11-24"}
	}
	return a
}

func officeAnswer(n int, choice string) durable.Answer {
	step := fmt.Sprintf("no_bids/%d/grace", n)
	return durable.Answer{ID: "link-" + step, Step: step, Person: "grace", Choice: choice, Via: "link"}
}

// textsTo are the texts that reached a number.
func (s *scenario) textsTo(number string) []string {
	s.t.Helper()
	var bodies []string
	for _, m := range s.allTexts() {
		if m.To == number {
			bodies = append(bodies, m.Body)
		}
	}
	return bodies
}

func (s *scenario) vendorTexts(vendor int) []string { return s.textsTo(bidderPhone(vendor)) }

// openBids are the questions that a number may answer now.
func (s *scenario) openBids(number string) []store.Question {
	s.t.Helper()
	open, err := s.store.OpenQuestions(context.Background(), s.keys.Address(number), s.env.Now())
	require.NoError(s.t, err)
	return open
}

// nothingOpen: nobody can answer any more.
func (s *scenario) nothingOpen(vendors int) {
	s.t.Helper()
	for _, v := range bidders(vendors) {
		require.Empty(s.t, s.openBids(v.Phone), v.ID)
	}
	require.Empty(s.t, s.openBids(s.phone("grace")))
}

func (s *scenario) cards() map[string]store.Card {
	s.t.Helper()
	cards, err := s.store.Cards(context.Background(), s.start.Add(-time.Hour))
	require.NoError(s.t, err)
	return cards
}

func TestVendorsBidAndTheBestComesFirst(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	var refused, taken, repeated, late *updated
	sends, timers, upserts := 0, 0, 0
	var stages []string
	require.NoError(t, s.bidFor(s.tapJob(4), func() {
		s.env.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) { sends++ })
		s.env.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
		s.env.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil).Run(func(args mock.Arguments) {
			upserts++
			shown, ok := args.Get(0).(temporal.SearchAttributes)
			require.True(t, ok)
			stage, _ := shown.GetKeyword(durable.Stage)
			stages = append(stages, stage)
		})
		s.at(time.Hour, func() {
			d := s.describeBidding()
			require.Equal(t, maintenance.BidsOpen, d.Stage)
			require.Equal(t, "vendors", d.WaitingFor)
			require.Equal(t, 24*time.Hour, s.since(d.Deadline))
			require.Len(t, d.Invited, 3, "as many as the policy says")
			q := s.openBids(bidderPhone(11))
			require.Len(t, q, 1)
			require.Equal(t, "Dripping tap, 12 Harbor St", q[0].Title)
			require.Equal(t, []store.Detail{{Label: "Work", Text: "The kitchen tap drips"}, {Label: "Answer by", Text: "Nov 22 10:00 PST"}}, q[0].Details)
			require.Equal(t, []string{"price", "earliest", "note"}, []string{q[0].Fields[0].Name, q[0].Fields[1].Name, q[0].Fields[2].Name})
			require.Equal(t, "USD", q[0].Fields[0].Currency)
			require.Equal(t, []string{"2026-11-21", "2027-01-20"}, []string{q[0].Fields[1].From, q[0].Fields[1].To})
			refused = command(s, durable.GiveAnswer, vendorAnswer(1, 11, "bid", "0"))
			taken = command(s, durable.GiveAnswer, vendorAnswer(1, 11, "bid", "240.00"))
		})
		s.at(2*time.Hour, func() {
			s.fact(vendorAnswer(1, 11, "bid", "240.00"))
			repeated = command(s, durable.GiveAnswer, vendorAnswer(1, 11, "bid", "240.00"))
			lower := vendorAnswer(1, 11, "bid", "120.00")
			lower.ID = "sms-1"
			late = command(s, durable.GiveAnswer, lower)
			require.Equal(t, 1, s.describeBidding().Bids)
		})
		s.at(3*time.Hour, func() { s.fact(vendorAnswer(1, 12, "decline", "")) })
		s.at(4*time.Hour, func() { s.fact(vendorAnswer(1, 13, "bid", "180.00")) })
	}))
	require.ErrorContains(t, refused.err, "above zero")
	require.Equal(t, durable.Outcome{Message: "Thank you. We have your bid of $240.00 and tell you how it ended."}, taken.out)
	require.Equal(t, taken.out, repeated.out)
	require.Equal(t, durable.Outcome{Late: true, Message: "Thank you. Your first bid of $240.00 counts."}, late.out)

	require.Equal(t, 4*time.Hour, s.since(s.env.Now()), "all have answered: nobody waits for the deadline")
	result := s.bidResult()
	require.Len(t, result.Bids, 2)
	require.Equal(t, []string{"contact:13", "contact:11"}, []string{result.Bids[0].Candidate.ID, result.Bids[1].Candidate.ID})
	require.Equal(t, policy.Cents(180_00), result.Bids[0].Price)
	require.Positive(t, result.Bids[0].Score)
	require.Equal(t, []string{"contact:12"}, result.Declined)
	require.Empty(t, result.Silent)
	require.Equal(t, "enough bids: 2 of 3 vendors bid, $180.00 to $240.00 (estimate $200.00)", result.Reason)

	d := s.describeBidding()
	require.Equal(t, maintenance.BidsRanked, d.Stage)
	require.Equal(t, "nothing", d.WaitingFor)
	require.Equal(t, 1, d.LateAnswers)
	for vendor := 11; vendor < 14; vendor++ {
		got := s.vendorTexts(vendor)
		require.Len(t, got, 1)
		require.Contains(t, got[0], "http://keyholder.test/a/")
		require.Contains(t, got[0], "Nov 22 10:00 PST")
		require.NotContains(t, got[0], "{")
	}
	require.Empty(t, s.vendorTexts(14))
	cards := s.cards()
	require.Equal(t, store.Card{Asked: 1, Answered: 1, ResponseMinutes: 60}, cards["contact:11"])
	require.Equal(t, store.Card{Asked: 1, Answered: 1, ResponseMinutes: 180}, cards["contact:12"])
	require.NotContains(t, cards, "contact:14")
	s.nothingOpen(4)
	s.nothingTwice()
	// With the start, three answers and one batch of notes that is at most ten actions.
	require.Equal(t, []int{1, 1, 2}, []int{sends, timers, upserts}, "sends, timers, search attributes")
	require.Equal(t, []string{"bids_open", "ranked"}, stages)
}

func TestTooFewBidsWidenTheCircleAndThenTheManagerDecides(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.bidFor(s.tapJob(5), func() {
		s.at(time.Hour, func() { s.fact(vendorAnswer(1, 12, "decline", "")) })
		s.at(23*time.Hour, func() { require.Empty(t, s.vendorTexts(14)) })
		s.at(25*time.Hour, func() {
			d := s.describeBidding()
			require.Equal(t, 2, d.Wave)
			require.Len(t, d.Invited, 5)
			require.Len(t, s.vendorTexts(14), 1)
			s.fact(vendorAnswer(1, 11, "bid", "300.00")) // late for the first wave, and still welcome
			s.fact(vendorAnswer(2, 14, "decline", ""))
		})
		s.at(49*time.Hour, func() {
			d := s.describeBidding()
			require.Equal(t, maintenance.BidsWithManager, d.Stage)
			require.Equal(t, "property_manager", d.WaitingFor)
			q := s.openBids(s.phone("grace"))
			require.Len(t, q, 1)
			require.Equal(t, []string{"take_best", "leave"}, []string{q[0].Options[0].Choice, q[0].Options[1].Choice})
			require.Contains(t, q[0].Details, store.Detail{Label: "Bid 1", Text: "$300.00, free from 2026-11-24"})
			require.Contains(t, s.texts("grace")[0], "1 bid for #1002")
		})
		s.at(50*time.Hour, func() { s.fact(officeAnswer(1, "take_best")) })
	}))
	result := s.bidResult()
	require.Len(t, result.Bids, 1)
	require.False(t, result.LeftToManager)
	require.Equal(t, []string{"contact:12", "contact:14"}, result.Declined)
	require.Equal(t, []string{"contact:13", "contact:15"}, result.Silent)
	require.Contains(t, result.Reason, "the property manager takes the best of too few bids")
	require.Equal(t, store.Card{Asked: 1}, s.cards()["contact:13"], "silence is in the record")
	s.nothingOpen(5)
	s.nothingTwice()
}

func TestNobodyBidsEvenWhenAskedAgain(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.bidFor(s.tapJob(2), func() {
		s.at(time.Hour, func() { s.fact(vendorAnswer(1, 11, "decline", "")) })
		s.at(25*time.Hour, func() {
			require.Equal(t, "ask_again", s.openBids(s.phone("grace"))[0].Options[0].Choice)
			s.fact(officeAnswer(1, "ask_again"))
		})
		s.at(26*time.Hour, func() {
			require.Len(t, s.vendorTexts(11), 2)
			require.Len(t, s.vendorTexts(12), 2)
			require.NotEqual(t, s.vendorTexts(12)[0], s.vendorTexts(12)[1], "each with a code of its own")
		})
	}))
	require.Equal(t, 49*time.Hour, s.since(s.env.Now()))
	result := s.bidResult()
	require.True(t, result.LeftToManager)
	require.Empty(t, result.Bids)
	require.Equal(t, "nobody bids: none of 2 vendors bid", result.Reason)
	require.Contains(t, s.mails("grace@example.com")[0].Text, "none of 2 vendors bid; please find somebody")
	s.nothingOpen(2)
	s.nothingTwice()
}

func TestAManagerWhoSaysNothingIsRemindedTwice(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.bidFor(s.tapJob(1), nil))
	require.Equal(t, 4*aDay, s.since(s.env.Now()))
	require.Len(t, s.texts("grace"), 3)
	require.True(t, s.bidResult().LeftToManager)
	require.Contains(t, s.bidResult().Reason, "the property manager has not answered")
	s.nothingOpen(1)
	s.nothingTwice()
}

func TestNobodyToInvite(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.bidFor(s.tapJob(0), nil))
	require.Equal(t, maintenance.BiddingResult{Reason: "no vendor suits"}, s.bidResult())
	require.Empty(t, s.allTexts())
}

func TestUrgentWorkHasAShorterWindow(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	in := s.tapJob(3)
	in.Urgent = true
	require.NoError(t, s.bidFor(in, func() {
		s.at(time.Hour, func() {
			require.Equal(t, 4*time.Hour, s.since(s.describeBidding().Deadline))
			s.fact(vendorAnswer(1, 11, "bid", "240.00"))
			s.fact(vendorAnswer(1, 12, "bid", "230.00"))
		})
	}))
	require.Equal(t, 4*time.Hour, s.since(s.env.Now()))
	require.Len(t, s.bidResult().Bids, 2)
	require.Equal(t, []string{"contact:13"}, s.bidResult().Silent)
}

func TestInvitationsWaitForTheMorning(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.start = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) // 22:00 in Los Angeles
	in := s.tapJob(2)
	in.Urgent = true
	require.NoError(t, s.bidFor(in, func() {
		s.at(9*time.Hour, func() {
			require.Empty(t, s.allTexts())
			require.Equal(t, 2, s.describeBidding().MessagesHeld)
			require.Zero(t, s.describeBidding().Deadline)
		})
		s.at(11*time.Hour, func() {
			require.Len(t, s.vendorTexts(11), 1)
			require.InDelta(t, 14*time.Hour, s.since(s.describeBidding().Deadline), float64(15*time.Minute), "the window begins with the text")
			s.fact(vendorAnswer(1, 11, "bid", "100"))
			s.fact(vendorAnswer(1, 12, "bid", "100"))
		})
	}))
	require.Equal(t, 11*time.Hour, s.since(s.env.Now()))
	s.nothingTwice()
}

func TestACancelledBiddingTellsThoseWhoWait(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	err := s.bidFor(s.tapJob(4), func() {
		s.at(time.Hour, func() {
			s.fact(vendorAnswer(1, 11, "bid", "240.00"))
			s.fact(vendorAnswer(1, 12, "decline", ""))
		})
		s.at(2*time.Hour, func() { s.env.CancelWorkflow() })
	})
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, err, &cancelled)
	require.Equal(t, maintenance.BidsCancelled, s.describeBidding().Stage)
	require.Len(t, s.vendorTexts(12), 1, "who has declined need not know")
	for _, vendor := range []int{11, 13} {
		require.Contains(t, s.vendorTexts(vendor)[1], "are closed", "and the others are told")
	}
	require.Empty(t, s.vendorTexts(14))
	cards := s.cards()
	require.Equal(t, 1, cards["contact:11"].Answered)
	require.NotContains(t, cards, "contact:13", "who had no time to answer is not blamed")
	s.nothingOpen(4)
	s.nothingTwice()
}

func TestABiddingCancelledWhileItInvitesStopsInviting(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	stopped := 0
	err := s.bidFor(s.tapJob(2), func() {
		s.env.SetOnActivityCanceledListener(func(*activity.Info) { stopped++ })
		s.whenSending("bid/1/contact:11", s.env.CancelWorkflow)
	})
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, err, &cancelled)
	require.Equal(t, 1, stopped)
	require.Less(t, s.since(s.env.Now()), time.Minute)
	for vendor := 11; vendor < 13; vendor++ {
		got := s.vendorTexts(vendor)
		require.NotEmpty(t, got)
		require.Contains(t, got[len(got)-1]+got[0], "are closed", "whoever may have been asked is told")
	}
	s.nothingTwice()
}

func TestVendorsWhomNoTextReachesAreMailedOrPassedOver(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	in := s.tapJob(4)
	in.Vendors[1].Phone = ""                                  // mail alone
	in.Vendors[2].Phone, in.Vendors[2].Email = "", ""         // nothing
	undelivered := func(step string) durable.MessageFailure { // by the carrier
		return durable.MessageFailure{Step: step, Ref: "SM1", Status: "undelivered", ErrorCode: "30003"}
	}
	require.NoError(t, s.bidFor(in, func() {
		s.at(time.Minute, func() { s.env.SignalWorkflow(durable.MessageFailed.Name, undelivered("bid/1/contact:11")) })
		s.at(time.Hour, func() {
			require.Len(t, s.mails("contact11@example.com"), 1)
			require.Contains(t, s.mails("contact12@example.com")[0].Text, "http://keyholder.test/a/")
			d := s.describeBidding()
			require.Equal(t, []string{"", "", "unreachable"}, []string{d.Invited[0].Answer, d.Invited[1].Answer, d.Invited[2].Answer})
			require.Equal(t, 1, d.MessagesFailed)
			s.env.SignalWorkflow(durable.MessageFailed.Name, undelivered("bid/1/contact:12"))
			s.fact(vendorAnswer(1, 11, "bid", "100"))
		})
		s.at(2*time.Hour, func() {
			d := s.describeBidding()
			require.Equal(t, 2, d.Wave, "the others do not wait for those whom nothing reaches")
			s.fact(vendorAnswer(2, 14, "bid", "110"))
		})
	}))
	require.Equal(t, 2*time.Hour, s.since(s.env.Now()))
	require.Equal(t, []string{"contact:12", "contact:13"}, s.bidResult().Declined)
	s.nothingTwice()
}

func TestWithoutTwilioVendorsAreInvitedByMail(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.Twilio, sandbox.Fault{Status: 503}))
	require.NoError(t, s.bidFor(s.tapJob(2), func() {
		s.at(7*time.Hour, func() {
			require.Len(t, s.mails("contact11@example.com"), 1)
			s.fact(vendorAnswer(1, 11, "bid", "100"))
			s.fact(vendorAnswer(1, 12, "bid", "100"))
		})
	}))
	require.Equal(t, 7*time.Hour, s.since(s.env.Now()))
	require.Empty(t, s.allTexts())
	s.nothingTwice()
}

func TestATextWithoutAPriceGetsTheLinkOnceMore(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	one := vendorAnswer(1, 11, "bid", "")
	one.ID, one.Via = "sms-SM1", "sms"
	var first, second *updated
	require.NoError(t, s.bidFor(s.tapJob(1), func() {
		s.at(time.Hour, func() { first = command(s, durable.GiveAnswer, one) })
		s.at(2*time.Hour, func() {
			require.Zero(t, s.describeBidding().Bids)
			require.Len(t, s.vendorTexts(11), 2)
			again := one
			again.ID, again.Step = "sms-SM2", "bid/1/again/contact:11"
			second = command(s, durable.GiveAnswer, again)
		})
		s.at(3*time.Hour, func() {
			bid := vendorAnswer(1, 11, "bid", "100")
			bid.ID, bid.Step = "link-2", "bid/1/again/contact:11"
			s.fact(bid)
		})
		s.at(25*time.Hour, func() { s.fact(officeAnswer(1, "take_best")) })
	}))
	require.Equal(t, durable.Outcome{Message: "Please open the link to send your price and first free day. A new link is on its way."}, first.out)
	require.ErrorContains(t, second.err, "open the link")
	require.Len(t, s.bidResult().Bids, 1)
	s.nothingTwice()
}

func TestNoBidIsLostHoweverManyFactsWait(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	const strangers, unusable = 30, 20
	require.NoError(t, s.bidFor(s.tapJob(3), func() {
		s.at(time.Hour, func() {
			queue := s.env.SignalWorkflowSkippingWorkflowTask
			for i := range strangers {
				a := vendorAnswer(1, 90, "bid", "1.00")
				a.ID = fmt.Sprint("stranger-", i)
				queue(durable.AnswerReceived.Name, a)
			}
			for i := range unusable / 2 {
				queue(durable.AnswerReceived.Name, i)
				queue("no_such_signal", i)
			}
			for vendor := 11; vendor < 13; vendor++ {
				queue(durable.AnswerReceived.Name, vendorAnswer(1, vendor, "bid", "100"))
				queue(durable.AnswerReceived.Name, vendorAnswer(1, vendor, "bid", "100"))
			}
			s.env.SignalWorkflow(durable.MessageFailed.Name, "undecodable")
		})
		s.at(2*time.Hour, func() {
			d := s.describeBidding()
			require.Equal(t, 2, d.Bids)
			require.Equal(t, strangers+unusable+1, d.Unusable)
		})
	}))
	require.Len(t, s.bidResult().Bids, 2)
}

func TestABiddingOnAFastClockKeepsBusinessTime(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	clock := durable.DayClock(s.start, 10*time.Minute)
	in := s.tapJob(2)
	in.Clock = clock
	require.NoError(t, s.bidFor(in, func() {
		s.at(clock.Real(2*time.Hour), func() {
			d := s.describeBidding()
			require.InDelta(t, 24*time.Hour, d.Deadline.Sub(s.start), float64(time.Hour))
			s.fact(vendorAnswer(1, 11, "bid", "100"))
			s.fact(vendorAnswer(1, 12, "bid", "110"))
		})
	}))
	require.Len(t, s.bidResult().Bids, 2)
	require.InDelta(t, 120, s.cards()["contact:11"].ResponseMinutes, 60)
}

func TestADescribedBiddingNamesNobody(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.Equal(t, tapBidding, maintenance.BiddingID("1002", 1))
	require.NoError(t, s.bidFor(s.tapJob(2), func() {
		s.at(time.Hour, func() {
			value, err := s.env.QueryWorkflow(maintenance.DescribeBidding.Name)
			require.NoError(t, err)
			var raw any
			require.NoError(t, value.Get(&raw))
			shown := fmt.Sprint(raw)
			for _, private := range []string{"Firm", "example.com", "+1213", "Harbor"} {
				require.NotContains(t, shown, private)
			}
			s.fact(vendorAnswer(1, 11, "bid", "100"))
			s.fact(vendorAnswer(1, 12, "bid", "100"))
		})
	}))
	require.NotContains(t, s.bidResult().Reason, "Firm")
}
