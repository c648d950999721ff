package maintenance

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	bidDay    = "2026-11-20"
	bidWindow = 24 * time.Hour
)

var boss = activities.Person{ID: "grace", Phone: "+12135550199", Email: "grace@example.com"}

func firms(n int) []sourcing.Candidate {
	var all []sourcing.Candidate
	for i := range n {
		all = append(all, sourcing.Candidate{
			Kind: sourcing.Vendor, ID: fmt.Sprintf("contact:%d", 11+i), Phone: fmt.Sprintf("+1213555%04d", i),
			Email: fmt.Sprintf("contact%d@example.com", 11+i), InsuranceExpires: "2036-12-31",
		})
	}
	return all
}

// invited is a bidding with one wave out.
func invited(vendors, wave int) *bidState {
	s := &bidState{Stage: BidsOpen, Rest: firms(vendors)}
	s.invite(wave)
	s.deliver(opened)
	return s
}

// deliver lets everything in the outbox leave.
func (s *bidState) deliver(now time.Time) {
	box := s.Outbox
	s.Outbox = nil
	for _, n := range box {
		if s.stillWanted(n) {
			s.sent(n, now, bidWindow)
		}
	}
}

func vendorSays(id string, vendor int, choice string, fields map[string]string) durable.Answer {
	person := fmt.Sprintf("contact:%d", vendor)
	return durable.Answer{ID: id, Step: "bid/1/" + person, Person: person, Choice: choice, Fields: fields, Via: "link"}
}

func offer(price string) map[string]string {
	return map[string]string{fieldPrice: price, fieldEarliest: "2026-11-24", fieldBidNote: "with parts"}
}

func (s *bidState) hear(a durable.Answer, at time.Time) durable.Outcome {
	return s.answer(a, at, bidDay, "USD")
}

// bid takes a bid that must be good.
func (s *bidState) bid(t *testing.T, vendor int, price string) {
	t.Helper()
	a := vendorSays(fmt.Sprintf("bid-%d-%s", vendor, price), vendor, choiceBid, offer(price))
	require.NoError(t, s.validAnswer(a, bidDay))
	require.False(t, s.hear(a, opened.Add(time.Hour)).Late)
}

func TestAFormIsABidOrSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, price, earliest, insured, want string }{
		{"good", "180.00", "2026-11-24", "2036-12-31", ""},
		{"without cents, today, with spaces", " 180 ", " 2026-11-20 ", "2036-12-31", ""},
		{"the dearest", "1000000.00", "2027-01-19", "2036-12-31", ""},
		{"on the last day that is insured", "1", "2026-11-24", "2026-11-24", ""},
		{"no price", "", "2026-11-24", "2036-12-31", "open the link"},
		{"nothing", "0.00", "2026-11-24", "2036-12-31", "above zero"},
		{"negative", "-5", "2026-11-24", "2036-12-31", "above zero"},
		{"words", "a lot", "2026-11-24", "2036-12-31", "above zero"},
		{"a comma", "1,200.00", "2026-11-24", "2036-12-31", "above zero"},
		{"too dear", "1000000.01", "2026-11-24", "2036-12-31", "1,000,000.00"},
		{"no day", "180.00", "", "2036-12-31", "first day on which you can come"},
		{"another way to write it", "180.00", "11/24/2026", "2036-12-31", "2026-11-20"},
		{"no such day", "180.00", "2026-11-31", "2036-12-31", "first day"},
		{"yesterday", "180.00", "2026-11-19", "2036-12-31", "from 2026-11-20 to 2027-01-19"},
		{"too far off", "180.00", "2027-01-20", "2036-12-31", "from 2026-11-20 to 2027-01-19"},
		{"not insured then", "180.00", "2026-11-25", "2026-11-24", "insurance"},
		{"no insurance known", "180.00", "2026-11-24", "", "insurance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &bidInvitation{Vendor: sourcing.Candidate{InsuranceExpires: c.insured}}
			bid, advice := v.read(durable.Answer{Fields: map[string]string{fieldPrice: c.price, fieldEarliest: c.earliest}}, bidDay)
			if c.want == "" {
				require.Empty(t, advice)
				require.Positive(t, bid.Price)
				require.Equal(t, strings.TrimSpace(c.earliest), bid.Earliest)
				return
			}
			require.Contains(t, advice, c.want)
			require.Zero(t, bid)
		})
	}
}

func TestTheFormEndsWithTheInsurance(t *testing.T) {
	t.Parallel()
	for expires, want := range map[string]string{
		"2036-12-31": "2027-01-19", "2026-12-01": "2026-12-01", "2026-11-20": "2026-11-20",
		"2026-11-19": "2027-01-19", "": "2027-01-19", "soon": "2027-01-19",
	} {
		v := &bidInvitation{Vendor: sourcing.Candidate{InsuranceExpires: expires}}
		require.Equal(t, want, v.lastDay(bidDay), expires)
	}
}

func TestANoteIsBounded(t *testing.T) {
	t.Parallel()
	v := &bidInvitation{Vendor: firms(1)[0]}
	fields := offer("10")
	fields[fieldBidNote] = strings.Repeat("ü", 2*maxBidNote)
	bid, advice := v.read(durable.Answer{Fields: fields}, bidDay)
	require.Empty(t, advice)
	require.Equal(t, strings.Repeat("ü", maxBidNote), bid.Note)
}

func TestTheFirstBidCounts(t *testing.T) {
	t.Parallel()
	s := invited(3, 3)
	first := vendorSays("1", 11, choiceBid, offer("180.00"))
	told := s.hear(first, opened.Add(time.Hour))
	require.Equal(t, durable.Outcome{Message: "Thank you. We have your bid of $180.00 and tell you how it ended."}, told)
	require.Equal(t, told, s.hear(first, opened.Add(2*time.Hour)), "a repeat hears the same")
	require.NoError(t, s.validAnswer(first, "2027-11-20"), "and is not refused either")

	second := s.hear(vendorSays("2", 11, choiceBid, offer("150.00")), opened.Add(2*time.Hour))
	require.Equal(t, durable.Outcome{Late: true, Message: "Thank you. Your first bid of $180.00 counts."}, second)
	require.Equal(t, 1, s.Late)
	require.Equal(t, []sourcing.Bid{{
		Candidate: firms(1)[0], Price: 180_00, Earliest: "2026-11-24", Note: "with parts", At: opened.Add(time.Hour),
	}}, s.bids())
	require.Equal(t, opened.Add(time.Hour), s.Invited[0].AnsweredAt)
}

func TestAVendorMayChangeItsMindOnce(t *testing.T) {
	t.Parallel()
	s := invited(1, 1)
	require.False(t, s.hear(vendorSays("1", 11, choiceDecline, nil), opened).Late)
	require.Zero(t, s.waiting())
	s.bid(t, 11, "90.00")
	require.Len(t, s.bids(), 1)
	require.False(t, s.hear(vendorSays("3", 11, choiceDecline, nil), opened).Late, "it cannot after all")
	require.Empty(t, s.bids())
	require.True(t, s.hear(vendorSays("4", 11, choiceBid, offer("90.00")), opened).Late)
	require.Empty(t, s.bids())
	require.Equal(t, []string{"contact:11"}, s.result().Declined)
}

func TestATextWithoutAPriceIsAskedAnewOnce(t *testing.T) {
	t.Parallel()
	s := invited(2, 2)
	one := vendorSays("1", 11, choiceBid, nil)
	one.Via = "sms"
	require.NoError(t, s.validAnswer(one, bidDay))
	told := s.hear(one, opened.Add(30*time.Hour))
	require.False(t, told.Late)
	require.Contains(t, told.Message, "Please open the link")
	require.Equal(t, []bidNote{{kind: noteAnew, step: "bid/1/again/contact:11", to: vendorPerson(firms(1)[0])}}, s.Outbox)
	require.Equal(t, 2, s.waiting(), "it is not a bid yet")
	require.Equal(t, bidWait, s.next(opened.Add(30*time.Hour), 1), "the vendor is not passed over while the link is on its way")
	s.deliver(opened.Add(30 * time.Hour))
	require.Equal(t, opened.Add(31*time.Hour), s.Deadline, "there must be time to use it")

	again := one
	again.ID = "2"
	require.ErrorContains(t, s.validAnswer(again, bidDay), "open the link", "refused, so that the link stays usable")
	require.True(t, s.hear(again, opened).Late, "as a fact it changes nothing")
	require.Empty(t, s.Outbox)
	require.Equal(t, 1, s.Unusable)
	s.bid(t, 11, "90.00")
}

func TestAWrongFormIsRefusedAndAsAFactAskedAnew(t *testing.T) {
	t.Parallel()
	s := invited(1, 1)
	wrong := vendorSays("1", 11, choiceBid, offer("free"))
	require.ErrorContains(t, s.validAnswer(wrong, bidDay), "above zero")
	require.ErrorContains(t, s.validAnswer(vendorSays("2", 11, choiceBid, nil), bidDay), "open the link", "an empty form of the page")
	require.Zero(t, s.Unusable, "a validator changes nothing")
	require.Empty(t, s.Outbox)

	require.Contains(t, s.hear(wrong, opened).Message, "A new link is on its way")
	require.Equal(t, 1, s.Unusable)
	require.Len(t, s.Outbox, 1)
	s.hear(wrong, opened)
	require.Equal(t, 1, s.Unusable, "once")
}

func TestAnswersThatNobodyAskedForAreCounted(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]durable.Answer{
		"a stranger":     vendorSays("1", 99, choiceBid, offer("1")),
		"another choice": vendorSays("1", 11, "explode", nil),
		"another step":   {ID: "1", Step: "page/1/contact:11", Person: "contact:11", Choice: choiceBid},
		"nothing":        {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := invited(1, 1)
			require.Error(t, s.validAnswer(a, bidDay))
			require.True(t, s.hear(a, opened).Late)
			require.Equal(t, 1, s.Unusable)
			require.Equal(t, 1, s.waiting())
		})
	}
}

func TestWhatABiddingDoesNext(t *testing.T) {
	t.Parallel()
	soon, due := opened.Add(time.Hour), opened.Add(bidWindow)
	declines := func(s *bidState, vendors ...int) {
		for _, v := range vendors {
			s.hear(vendorSays(fmt.Sprint("no-", v), v, choiceDecline, nil), opened)
		}
	}
	for _, c := range []struct {
		name string
		s    func(*testing.T) *bidState
		at   time.Time
		want bidMove
	}{
		{"begin", func(*testing.T) *bidState { return &bidState{Stage: BidsOpen, Rest: firms(1)} }, opened, bidInvite},
		{"nobody to begin with", func(*testing.T) *bidState { return &bidState{Stage: BidsOpen} }, opened, bidNobody},
		{"wait for vendors", func(*testing.T) *bidState { return invited(3, 3) }, soon, bidWait},
		{"wait for vendors who are not asked yet", func(*testing.T) *bidState {
			s := &bidState{Stage: BidsOpen, Rest: firms(3)}
			s.invite(3)
			return s
		}, due, bidWait},
		{"all have bid", func(t *testing.T) *bidState {
			s := invited(3, 3)
			for v := 11; v < 14; v++ {
				s.bid(t, v, "100")
			}
			return s
		}, soon, bidRank},
		{"enough have bid, one may still", func(t *testing.T) *bidState {
			s := invited(3, 3)
			s.bid(t, 11, "100")
			s.bid(t, 12, "100")
			return s
		}, soon, bidWait},
		{"enough at the deadline", func(t *testing.T) *bidState {
			s := invited(5, 3)
			s.bid(t, 11, "100")
			s.bid(t, 12, "100")
			return s
		}, due, bidRank},
		{"too few at the deadline", func(t *testing.T) *bidState {
			s := invited(5, 3)
			s.bid(t, 11, "100")
			return s
		}, due, bidInvite},
		{"all have declined", func(*testing.T) *bidState {
			s := invited(5, 3)
			declines(s, 11, 12, 13)
			return s
		}, soon, bidInvite},
		{"too few and nobody left", func(t *testing.T) *bidState {
			s := invited(3, 3)
			s.bid(t, 11, "100")
			return s
		}, due, bidAskManager},
		{"none and nobody left", func(*testing.T) *bidState { return invited(3, 3) }, due, bidAskManager},
		{"enough waves", func(*testing.T) *bidState {
			s := invited(30, 3)
			s.Wave = maxBidWaves
			return s
		}, due, bidAskManager},
		{"nobody can be reached", func(*testing.T) *bidState {
			s := invited(1, 1)
			s.Invited[0].Unreachable = true
			return s
		}, soon, bidGiveUp},
		{"asked again in vain", func(*testing.T) *bidState {
			s := invited(9, 3)
			s.askAgain()
			s.deliver(opened)
			return s
		}, due, bidGiveUp},
		{"a later wave decides alone when it is over", func(t *testing.T) *bidState {
			s := invited(4, 3)
			s.bid(t, 11, "100")
			s.invite(3)
			s.deliver(due)
			s.bid(t, 14, "100")
			return s
		}, due, bidRank},
		{"ended", func(*testing.T) *bidState {
			s := invited(3, 3)
			s.end(BidsCancelled, "")
			return s
		}, due, bidWait},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.s(t).next(c.at, 2))
		})
	}
}

func TestTheManagerIsRemindedTwiceAndThenHasIt(t *testing.T) {
	t.Parallel()
	s := invited(1, 1)
	now := opened.Add(bidWindow)
	var steps []string
	for s.next(now, 2) == bidAskManager {
		s.askManager(boss)
		require.Equal(t, bidWait, s.next(now.Add(365*24*time.Hour), 2), "while the question has not left")
		steps = append(steps, s.Outbox[0].step)
		s.deliver(now)
		at, why := s.nextAt()
		require.Equal(t, "the manager's answer", why)
		require.Equal(t, bidWait, s.next(at.Add(-time.Second), 2))
		now = at
	}
	require.Equal(t, []string{"no_bids/1/grace", "no_bids/2/grace", "no_bids/3/grace"}, steps)
	require.Equal(t, opened.Add(bidWindow+3*bidRemindAfter), now)
	require.Equal(t, bidLeave, s.next(now, 2))
}

func managerSays(id, choice string) durable.Answer {
	return durable.Answer{ID: id, Step: "no_bids/1/grace", Person: "grace", Choice: choice, Via: "sms"}
}

// undecided is a bidding that the manager decides, with some bids.
func undecided(t *testing.T, bids int) *bidState {
	t.Helper()
	s := invited(2, 2)
	for v := range bids {
		s.bid(t, 11+v, "100")
	}
	s.askManager(boss)
	s.deliver(opened.Add(bidWindow))
	return s
}

func TestTheManagerDecides(t *testing.T) {
	t.Parallel()
	t.Run("takes the best", func(t *testing.T) {
		t.Parallel()
		s := undecided(t, 1)
		require.Equal(t, []string{choiceTakeBest, choiceLeave}, choicesOf(s.managerOptions()))
		require.Error(t, s.validAnswer(managerSays("1", choiceAskAgain), bidDay))
		require.NoError(t, s.validAnswer(managerSays("1", choiceTakeBest), bidDay))
		require.False(t, s.hear(managerSays("1", choiceTakeBest), opened).Late)
		require.Equal(t, BidsRanked, s.Stage)
		require.True(t, s.hear(managerSays("2", choiceLeave), opened).Late, "settled")
		require.Equal(t, BidsRanked, s.Stage)
		require.False(t, s.result().LeftToManager)
	})
	t.Run("takes care", func(t *testing.T) {
		t.Parallel()
		s := undecided(t, 1)
		require.False(t, s.hear(managerSays("1", choiceLeave), opened).Late)
		require.True(t, s.result().LeftToManager)
		s.closing(boss)
		require.Empty(t, s.Outbox, "who decided need not be told")
		require.True(t, s.hear(vendorSays("2", 12, choiceBid, offer("1")), opened).Late)
	})
	t.Run("asks again, once", func(t *testing.T) {
		t.Parallel()
		s := undecided(t, 0)
		s.hear(vendorSays("no", 12, choiceDecline, nil), opened)
		require.Equal(t, []string{choiceAskAgain, choiceLeave}, choicesOf(s.managerOptions()))
		require.False(t, s.hear(managerSays("1", choiceAskAgain), opened).Late)
		require.Equal(t, BidsOpen, s.Stage)
		require.Len(t, s.Outbox, 2)
		require.Equal(t, "bid/2/contact:11", s.Outbox[0].step)
		s.deliver(opened.Add(2 * bidWindow))
		require.Equal(t, opened, s.Invited[0].AskedAt, "the record counts from the first question")
		require.Equal(t, opened.Add(3*bidWindow), s.Deadline)
		s.bid(t, 11, "100")
		require.Equal(t, bidAskManager, s.next(s.Deadline, 2), "one bid may be taken")
		s.askManager(boss)
		require.Equal(t, "no_bids/2/grace", s.Outbox[0].step)
		require.Zero(t, s.Reminders, "it is another question")
	})
	t.Run("is asked anew when the first bid comes", func(t *testing.T) {
		t.Parallel()
		s := undecided(t, 0)
		s.bid(t, 11, "100")
		require.Equal(t, bidAskManager, s.next(opened, 2))
		s.askManager(boss)
		s.deliver(opened)
		require.Equal(t, bidWait, s.next(opened, 2))
		require.True(t, s.hear(managerSays("1", choiceAskAgain), opened).Late, "an answer to the first question")
		require.Equal(t, 1, s.Unusable)
		s.bid(t, 12, "100")
		require.Equal(t, bidRank, s.next(opened, 2), "that is enough without the manager")
	})
	t.Run("is told when the only bid is withdrawn after asking again", func(t *testing.T) {
		t.Parallel()
		s := undecided(t, 1)
		s.AskedAgain = true
		s.hear(vendorSays("1", 11, choiceDecline, nil), opened)
		require.Equal(t, bidGiveUp, s.next(opened, 2))
	})
}

func TestWhoCannotBeReachedByTextIsMailedAndThenPassedOver(t *testing.T) {
	t.Parallel()
	s := invited(2, 2)
	lost := durable.MessageFailure{Step: "bid/1/contact:11", Status: "undelivered"}
	s.notDelivered(lost, opened)
	require.Len(t, s.Outbox, 1)
	require.True(t, s.Outbox[0].byMail)
	require.Equal(t, 2, s.waiting())
	s.deliver(opened)
	s.notDelivered(lost, opened)
	require.Empty(t, s.Outbox)
	require.Equal(t, 1, s.waiting())
	require.Equal(t, []string{"contact:11"}, s.result().Declined)
	s.notDelivered(durable.MessageFailure{Step: "no such step"}, opened)
	require.Equal(t, 3, s.MessagesFailed)

	s.bid(t, 11, "10.00")
	require.Len(t, s.bids(), 1, "whoever answers was reached")
	s.hear(vendorSays("2", 12, choiceDecline, nil), opened)
	s.notDelivered(durable.MessageFailure{Step: "bid/1/contact:12"}, opened)
	require.Empty(t, s.Outbox, "who has answered is not written to again")
}

func TestAnEndTellsThoseWhoWait(t *testing.T) {
	t.Parallel()
	s := invited(4, 3)
	s.bid(t, 11, "100")
	s.hear(vendorSays("1", 12, choiceDecline, nil), opened)
	s.end(BidsCancelled, "over")
	s.end(BidsRanked, "an end is for good")
	require.Equal(t, BidsCancelled, s.Stage)
	s.closing(boss)
	var told []string
	for _, n := range s.Outbox {
		told = append(told, n.step)
	}
	require.Equal(t, []string{"bid_closed/contact:11", "bid_closed/contact:13"}, told)

	n := s.Outbox[0]
	s.Outbox = nil
	s.held(n, opened.Add(8*time.Hour))
	require.True(t, s.Outbox[0].byMail, "nobody waits until the morning for the end")
	require.Zero(t, s.Outbox[0].until)
	s.Outbox = nil
	n.byMail = true
	s.held(n, opened.Add(8*time.Hour))
	require.Equal(t, opened.Add(8*time.Hour), s.Outbox[0].until)

	nobody := invited(1, 1)
	nobody.Nobody = true
	nobody.end(BidsLeft, "nobody bids")
	nobody.closing(boss)
	require.Equal(t, noteNobody, nobody.Outbox[0].kind)
}

func TestTheSummarySaysWhatWasBid(t *testing.T) {
	t.Parallel()
	s := invited(3, 3)
	require.Equal(t, "none of 3 vendors bid", s.summary(0, "USD"))
	s.bid(t, 11, "1200")
	require.Equal(t, "1 of 3 vendors bid, $1,200.00", s.summary(0, "USD"))
	s.bid(t, 12, "90.5")
	require.Equal(t, "2 of 3 vendors bid, $90.50 to $1,200.00 (estimate $300.00)", s.summary(300_00, "USD"))
	require.Equal(t, BiddingResult{Invited: []string{"contact:11", "contact:12", "contact:13"}, Silent: []string{"contact:13"}}, s.result())
}

// Whatever people and carriers do, a bidding ends within a bounded time, writes to a
// vendor a bounded number of times and loses nobody.
func TestEveryBiddingEnds(t *testing.T) {
	t.Parallel()
	ends := map[BidStage]int{}
	for seed := range int64(3000) {
		r := rand.New(rand.NewSource(seed))
		s := &bidState{Stage: BidsOpen, Rest: firms(r.Intn(9))}
		least, wave, vendors := 1+r.Intn(3), 1+r.Intn(4), len(s.Rest)
		now, messages := opened, map[string]int{}
		answers := []string{choiceBid, choiceBid, choiceDecline, choiceTakeBest, choiceAskAgain, choiceLeave, "nonsense"}
		for turns := 0; !s.ended(); turns++ {
			require.Less(t, turns, 1000, "seed %d", seed)
			switch s.next(now, least) {
			case bidInvite:
				s.invite(wave)
			case bidAskManager:
				s.askManager(boss)
			case bidRank:
				require.GreaterOrEqual(t, len(s.bids()), least)
				s.end(BidsRanked, "")
			case bidLeave, bidGiveUp:
				s.end(BidsLeft, "")
			case bidNobody:
				require.Zero(t, vendors)
				s.end(BidsNone, "")
			case bidWait:
				if at, _ := s.nextAt(); len(s.Outbox) == 0 || !at.IsZero() {
					require.False(t, at.IsZero(), "seed %d waits for nothing", seed)
					now = laterOf(now, at)
				}
			}
			s.shake(r, now, messages)
			if r.Intn(3) == 0 {
				a := vendorSays(fmt.Sprint(turns), 11+r.Intn(10), answers[r.Intn(len(answers))], offer([]string{"100", "0", ""}[r.Intn(3)]))
				if r.Intn(4) == 0 {
					a = managerSays(fmt.Sprint(turns), answers[r.Intn(len(answers))])
				}
				s.hear(a, now)
			}
		}
		ends[s.Stage]++
		result := s.result()
		require.Len(t, result.Invited, len(result.Declined)+len(result.Silent)+len(s.bids()), "seed %d", seed)
		for step, n := range messages {
			require.LessOrEqual(t, n, 2, "seed %d, %s: by text and by mail", seed, step)
		}
		require.LessOrEqual(t, now.Sub(opened), (maxBidWaves+1)*(bidWindow+holdMost)+40*bidRemindAfter, "seed %d", seed)
	}
	for _, end := range []BidStage{BidsRanked, BidsLeft, BidsNone} {
		require.Positive(t, ends[end], "the seeds must reach %s", end)
	}
}

const holdMost = 48 * time.Hour

// shake lets what is due leave, be held or fail.
func (s *bidState) shake(r *rand.Rand, now time.Time, messages map[string]int) {
	box := s.Outbox
	s.Outbox = nil
	for _, n := range box {
		switch {
		case n.until.After(now):
			s.Outbox = append(s.Outbox, n)
		case !s.stillWanted(n):
		case n.holds < 3 && r.Intn(8) == 0:
			s.held(n, now.Add(8*time.Hour))
		case r.Intn(6) == 0:
			s.failed(n, now)
		default:
			messages[n.step]++
			s.sent(n, now, bidWindow)
			if r.Intn(6) == 0 {
				s.notDelivered(durable.MessageFailure{Step: n.step}, now)
			}
		}
	}
}
