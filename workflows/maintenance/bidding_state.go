package maintenance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// What vendors and the manager are asked, what they may choose, and what the form of
// a bid has.
const (
	askBid    = "bid"
	askNoBids = "no_bids"

	choiceBid      = "bid"
	choiceTakeBest = "take_best"
	choiceAskAgain = "ask_again"
	choiceLeave    = "leave"

	fieldPrice    = "price"
	fieldEarliest = "earliest"
	fieldBidNote  = "note"
)

const (
	// maxBid is the highest price that is believed.
	maxBid policy.Cents = 1_000_000_00
	// maxBidAhead is how many days ahead a vendor's first free day may be.
	maxBidAhead = 60
	// maxBidNote bounds a vendor's own words, in characters.
	maxBidNote = 500
	// maxBidWaves is how often vendors are invited before the manager is asked.
	maxBidWaves = 5
	// bidGrace is the least time that is left to a vendor who is asked anew.
	bidGrace = time.Hour
	// The manager is reminded so many times, one such pause after the other.
	bidReminders   = 2
	bidRemindAfter = 24 * time.Hour
)

// BidStage is how far a bidding has come.
type BidStage string

// The stages.
const (
	// BidsOpen: vendors are asked for their prices.
	BidsOpen BidStage = "bids_open"
	// BidsWithManager: too few have bid, the manager decides.
	BidsWithManager BidStage = "with_manager"
	// BidsRanked: it ended with bids to choose from.
	BidsRanked BidStage = "ranked"
	// BidsLeft: it ended and the manager takes care of the job.
	BidsLeft BidStage = "left_to_manager"
	// BidsNone: it ended because there was nobody to invite.
	BidsNone BidStage = "no_vendors"
	// BidsCancelled: nobody waits for it any more.
	BidsCancelled BidStage = "cancelled"
)

// bidMove is what a bidding does next.
type bidMove string

const (
	bidWait       bidMove = "wait"
	bidInvite     bidMove = "invite"
	bidAskManager bidMove = "ask the manager"
	bidRank       bidMove = "rank"
	bidLeave      bidMove = "leave it to the manager"
	bidGiveUp     bidMove = "tell the manager that nobody bids"
	bidNobody     bidMove = "nobody to invite"
)

// bidNoteKind is what a message of a bidding is for.
type bidNoteKind string

const (
	noteInvite  bidNoteKind = "invite"
	noteAnew    bidNoteKind = "ask anew"
	noteManager bidNoteKind = "ask the manager"
	noteClosed  bidNoteKind = "closed"
	noteNobody  bidNoteKind = "nobody bids"
)

type (
	// bidInvitation is a vendor who was invited.
	bidInvitation struct {
		Vendor sourcing.Candidate
		Wave   int
		// AskedAt is when the first question left, zero while none has.
		AskedAt, AnsweredAt time.Time
		Bid                 *sourcing.Bid
		// Withdrawn: there was a bid that does not stand any more. Unreachable: no
		// channel brought the question to the vendor.
		Declined, Withdrawn, Unreachable bool
		// AskedAnew is set with the first answer that was no bid and no refusal either.
		AskedAnew bool
	}
	// bidNote is a message that is to leave, or has left. Its text is made when it leaves.
	bidNote struct {
		kind bidNoteKind
		step string
		to   activities.Person
		// until: not before. holds counts how often in a row it was held back.
		until time.Time
		holds int
		// byMail: the other channel has failed.
		byMail bool
	}
	// bidState is what a bidding knows. Its methods decide and do nothing else.
	bidState struct {
		Stage BidStage
		// Rest are the vendors who are not invited yet, best first.
		Rest    []sourcing.Candidate
		Invited []bidInvitation
		Wave    int
		// Deadline is when the bids of the wave are due, zero while no question has left.
		Deadline time.Time
		Outbox   []bidNote
		Sent     []bidNote
		// AskedAgain: the manager had the vendors asked once more.
		AskedAgain bool
		// ManagerAsked counts the questions to the manager, Reminders those that repeat
		// one; OfferedBids tells whether the latest had bids to take.
		ManagerAsked, Reminders int
		OfferedBids             bool
		RemindAt                time.Time
		// Nobody: it was given up, and the manager is to be told.
		Nobody   bool
		Why      string
		Answered []Taken

		Late, Unusable, MessagesFailed int
	}
)

func (i *bidInvitation) answered() bool { return i.Bid != nil || i.Declined || i.Unreachable }

func (s *bidState) ended() bool {
	switch s.Stage {
	case BidsOpen, BidsWithManager:
		return false
	case BidsRanked, BidsLeft, BidsNone, BidsCancelled:
		return true
	}
	return true
}

func (s *bidState) end(stage BidStage, why string) {
	if s.ended() {
		return
	}
	s.Stage, s.Why = stage, why
}

// bids are those that stand.
func (s *bidState) bids() []sourcing.Bid {
	var all []sourcing.Bid
	for _, i := range s.Invited {
		if i.Bid != nil {
			all = append(all, *i.Bid)
		}
	}
	return all
}

// waiting counts the vendors of the latest wave who may still answer.
func (s *bidState) waiting() int {
	return s.count(func(i *bidInvitation) bool { return i.Wave == s.Wave && !i.answered() })
}

func (s *bidState) reachable() int {
	return s.count(func(i *bidInvitation) bool { return !i.Unreachable })
}

func (s *bidState) count(is func(*bidInvitation) bool) int {
	n := 0
	for i := range s.Invited {
		if is(&s.Invited[i]) {
			n++
		}
	}
	return n
}

// toSend tells whether messages of some kinds wait to leave.
func (s *bidState) toSend(kinds ...bidNoteKind) bool {
	return slices.ContainsFunc(s.Outbox, func(n bidNote) bool { return slices.Contains(kinds, n.kind) && s.stillWanted(n) })
}

// next is what is to be done now.
func (s *bidState) next(now time.Time, least int) bidMove {
	switch s.Stage {
	case BidsOpen:
		return s.nextOpen(now, least)
	case BidsWithManager:
		return s.nextWithManager(now, least)
	case BidsRanked, BidsLeft, BidsNone, BidsCancelled:
	}
	return bidWait
}

func (s *bidState) nextOpen(now time.Time, least int) bidMove {
	if s.Wave == 0 {
		if len(s.Rest) == 0 {
			return bidNobody
		}
		return bidInvite
	}
	if s.waiting() > 0 {
		// The time to bid begins when the questions have left.
		if s.toSend(noteInvite, noteAnew) || now.Before(s.Deadline) {
			return bidWait
		}
	}
	bids := len(s.bids())
	switch {
	case bids >= max(least, 1):
		return bidRank
	case len(s.Rest) > 0 && s.Wave < maxBidWaves && !s.AskedAgain:
		return bidInvite
	case bids > 0, !s.AskedAgain && s.reachable() > 0:
		return bidAskManager
	}
	return bidGiveUp
}

func (s *bidState) nextWithManager(now time.Time, least int) bidMove {
	bids := len(s.bids())
	switch {
	case bids >= max(least, 1):
		return bidRank
	case s.toSend(noteManager):
		return bidWait
	case bids == 0 && (s.AskedAgain || s.reachable() == 0):
		return bidGiveUp
	case s.OfferedBids != (bids > 0):
		return bidAskManager // who was asked chooses between other things now
	case now.Before(s.RemindAt):
		return bidWait
	case s.Reminders < bidReminders:
		return bidAskManager
	}
	return bidLeave
}

// nextAt is when to look again, and why; zero is not before somebody answers.
func (s *bidState) nextAt() (at time.Time, why string) {
	consider := func(t time.Time, reason string) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at, why = t, reason
		}
	}
	for _, n := range s.Outbox {
		consider(n.until, "messages held back")
	}
	switch s.Stage {
	case BidsOpen:
		if !s.toSend(noteInvite, noteAnew) {
			consider(s.Deadline, "bids are due")
		}
	case BidsWithManager:
		if !s.toSend(noteManager) {
			consider(s.RemindAt, "the manager's answer")
		}
	case BidsRanked, BidsLeft, BidsNone, BidsCancelled:
	}
	return at, why
}

// invite asks the next vendors.
func (s *bidState) invite(count int) {
	s.Wave++
	count = min(max(count, 1), len(s.Rest))
	for _, v := range s.Rest[:count] {
		s.Invited = append(s.Invited, bidInvitation{Vendor: v})
		s.ask(&s.Invited[len(s.Invited)-1])
	}
	s.Rest = s.Rest[count:]
}

// askAgain asks all who were invited once more: no bid stands.
func (s *bidState) askAgain() {
	s.Wave++
	s.AskedAgain, s.Stage, s.Deadline = true, BidsOpen, time.Time{}
	for i := range s.Invited {
		if v := &s.Invited[i]; !v.Unreachable {
			v.Declined, v.Withdrawn, v.AskedAnew = false, false, false
			s.ask(v)
		}
	}
}

func (s *bidState) ask(v *bidInvitation) {
	v.Wave = s.Wave
	s.Outbox = append(s.Outbox, bidNote{kind: noteInvite, step: fmt.Sprintf("%s/%d/%s", askBid, v.Wave, v.Vendor.ID), to: vendorPerson(v.Vendor)})
}

func vendorPerson(c sourcing.Candidate) activities.Person {
	return activities.Person{ID: c.ID, Name: c.Name, Phone: c.Phone, Email: c.Email}
}

// askManager asks what to do with too few bids, or reminds of it.
func (s *bidState) askManager(manager activities.Person) {
	if s.Stage == BidsWithManager && s.OfferedBids == (len(s.bids()) > 0) {
		s.Reminders++
	} else {
		s.Stage, s.Reminders = BidsWithManager, 0
	}
	s.ManagerAsked++
	s.OfferedBids = len(s.bids()) > 0
	s.Outbox = append(s.Outbox, bidNote{kind: noteManager, step: fmt.Sprintf("%s/%d/%s", askNoBids, s.ManagerAsked, manager.ID), to: manager})
}

// managerOptions are what the manager may choose now.
func (s *bidState) managerOptions() []activities.Option {
	first := activities.Option{Key: "1", Choice: choiceAskAgain, Label: "Ask them again"}
	if len(s.bids()) > 0 {
		first = activities.Option{Key: "1", Choice: choiceTakeBest, Label: "Take the best bid"}
	}
	return []activities.Option{first, {Key: "2", Choice: choiceLeave, Label: "I take care of it"}}
}

// vendorOptions are what a vendor may choose.
func vendorOptions() []activities.Option {
	return []activities.Option{{Key: "1", Choice: choiceBid, Label: "Send my price"}, {Key: "2", Choice: choiceDecline, Label: "I can't"}}
}

func choicesOf(options []activities.Option) []string {
	var all []string
	for _, o := range options {
		all = append(all, o.Choice)
	}
	return all
}

// sent records that a message has left, at now; window is how long a vendor has.
func (s *bidState) sent(n bidNote, now time.Time, window time.Duration) {
	n.until, n.holds = time.Time{}, 0
	s.Sent = append(s.Sent, n)
	v := s.invitation(n.to.ID)
	switch n.kind {
	case noteInvite:
		if v.AskedAt.IsZero() {
			v.AskedAt = now
		}
		s.Deadline = laterOf(s.Deadline, now.Add(window))
	case noteAnew:
		s.Deadline = laterOf(s.Deadline, now.Add(min(bidGrace, window)))
	case noteManager:
		s.RemindAt = now.Add(bidRemindAfter)
	case noteClosed, noteNobody:
	}
}

// held keeps a message for later: not before until. That bids are closed goes by mail
// instead: whoever ended the bidding waits for it.
func (s *bidState) held(n bidNote, until time.Time) {
	if n.kind == noteClosed && !n.byMail && n.to.Email != "" {
		n.byMail = true
	} else {
		n.until = until
		n.holds++
	}
	s.Outbox = append(s.Outbox, n)
}

// failed records that a message did not arrive: it goes by mail, and who has none
// cannot be reached.
func (s *bidState) failed(n bidNote, now time.Time) {
	if !n.byMail && n.to.Email != "" {
		n.byMail, n.until, n.holds = true, time.Time{}, 0
		s.Outbox = append(s.Outbox, n)
		return
	}
	switch n.kind {
	case noteInvite, noteAnew:
		if v := s.invitation(n.to.ID); !v.answered() {
			v.Unreachable = true
		}
	case noteManager:
		s.RemindAt = laterOf(s.RemindAt, now.Add(bidRemindAfter))
	case noteClosed, noteNobody:
	}
}

// notDelivered takes the carrier's word on a message that had left.
func (s *bidState) notDelivered(f durable.MessageFailure, now time.Time) {
	s.MessagesFailed++
	i := slices.IndexFunc(s.Sent, func(n bidNote) bool { return n.step == f.Step })
	if i < 0 {
		return
	}
	n := s.Sent[i]
	s.Sent = slices.Delete(s.Sent, i, i+1)
	if s.stillWanted(n) {
		s.failed(n, now)
	}
}

// stillWanted tells whether a message makes sense now.
func (s *bidState) stillWanted(n bidNote) bool {
	switch n.kind {
	case noteInvite, noteAnew:
		return !s.ended() && !s.invitation(n.to.ID).answered()
	case noteManager:
		return s.Stage == BidsWithManager
	case noteClosed, noteNobody:
	}
	return true
}

// invitation is that of a vendor, nil where there is none.
func (s *bidState) invitation(vendor string) *bidInvitation {
	for i := range s.Invited {
		if s.Invited[i].Vendor.ID == vendor {
			return &s.Invited[i]
		}
	}
	return nil
}

// closing makes the messages of an end: the vendors who wait or have bid are told
// where nobody will choose, and the manager where nobody bids.
func (s *bidState) closing(manager activities.Person) {
	s.Outbox = nil
	if s.Nobody {
		s.Outbox = append(s.Outbox, bidNote{kind: noteNobody, step: "nobody_bids/" + manager.ID, to: manager})
	}
	if s.Stage == BidsCancelled {
		for _, i := range s.Invited {
			asked := slices.ContainsFunc(s.Sent, func(n bidNote) bool { return n.to.ID == i.Vendor.ID })
			if asked && !i.Declined && !i.Unreachable {
				s.Outbox = append(s.Outbox, bidNote{kind: noteClosed, step: "bid_closed/" + i.Vendor.ID, to: vendorPerson(i.Vendor)})
			}
		}
	}
}

// question is the purpose of a step.
func question(step string) string {
	purpose, _, _ := strings.Cut(step, "/")
	return purpose
}

// validAnswer refuses an answer that cannot be taken, with what to do instead. today
// is the day at the property. It changes nothing.
func (s *bidState) validAnswer(a durable.Answer, today string) error {
	if _, again := s.taken(a.ID); again || s.ended() {
		return nil
	}
	if question(a.Step) == askNoBids {
		if s.Stage == BidsWithManager && !slices.Contains(choicesOf(s.managerOptions()), a.Choice) {
			return errUnknownChoice(a.Choice, choicesOf(s.managerOptions())...)
		}
		return nil
	}
	v := s.invitation(a.Person)
	switch {
	case question(a.Step) != askBid || v == nil:
		return refuse("nobody was asked that here")
	case !slices.Contains(choicesOf(vendorOptions()), a.Choice):
		return errUnknownChoice(a.Choice, choicesOf(vendorOptions())...)
	case a.Choice == choiceDecline || v.Bid != nil || v.Withdrawn:
		return nil
	case a.Fields[fieldPrice] == "" && a.Via == "sms" && !v.AskedAnew:
		return nil // the vendor is asked anew
	}
	if _, advice := v.read(a, today); advice != "" {
		return refuse("%s", advice)
	}
	return nil
}

// answer takes what somebody said, once.
func (s *bidState) answer(a durable.Answer, now time.Time, today, currency string) durable.Outcome {
	if o, again := s.taken(a.ID); again {
		return o
	}
	o := s.decide(a, now, today, currency)
	if o.Late {
		s.Late++
	}
	s.Answered = append(s.Answered, Taken{ID: a.ID, Outcome: o})
	s.Answered = s.Answered[max(0, len(s.Answered)-maxAnswered):]
	return o
}

func (s *bidState) taken(id string) (durable.Outcome, bool) {
	for _, t := range s.Answered {
		if t.ID == id {
			return t.Outcome, true
		}
	}
	return durable.Outcome{}, false
}

func (s *bidState) decide(a durable.Answer, now time.Time, today, currency string) durable.Outcome {
	switch question(a.Step) {
	case askNoBids:
		return s.answerManager(a)
	case askBid:
		if v := s.invitation(a.Person); v != nil {
			if s.ended() {
				return durable.Outcome{Late: true, Message: "Thank you. No more bids are taken for this job."}
			}
			return s.answerVendor(v, a, now, today, currency)
		}
	}
	s.Unusable++
	return durable.Outcome{Late: true, Message: "There is no open question here."}
}

func (s *bidState) answerManager(a durable.Answer) durable.Outcome {
	if s.Stage != BidsWithManager {
		return durable.Outcome{Late: true, Message: "Thank you. This has been settled meanwhile."}
	}
	if !slices.Contains(choicesOf(s.managerOptions()), a.Choice) {
		s.Unusable++
		return durable.Outcome{Late: true, Message: "That is not one of the answers any more. We ask again."}
	}
	switch a.Choice {
	case choiceTakeBest:
		s.end(BidsRanked, "the property manager takes the best of too few bids")
		return durable.Outcome{Message: "Thank you. We offer the job to the best bidder."}
	case choiceAskAgain:
		s.askAgain()
		return durable.Outcome{Message: "Thank you. We ask the vendors once more."}
	}
	s.end(BidsLeft, "the property manager takes care of it")
	return durable.Outcome{Message: "Thank you. We leave it to you."}
}

func (s *bidState) answerVendor(v *bidInvitation, a durable.Answer, now time.Time, today, currency string) durable.Outcome {
	switch {
	case a.Choice == choiceDecline:
		v.Withdrawn = v.Withdrawn || v.Bid != nil
		v.Bid, v.Declined, v.Unreachable = nil, true, false
		v.answeredAt(now)
		return durable.Outcome{Message: "Understood. Thank you for telling us."}
	case a.Choice != choiceBid:
		s.Unusable++
		return durable.Outcome{Late: true, Message: "That is not one of the answers."}
	case v.Bid != nil:
		price := policy.Money{Amount: v.Bid.Price, Currency: currency}
		return durable.Outcome{Late: true, Message: "Thank you. Your first bid of " + price.String() + " counts."}
	case v.Withdrawn:
		return durable.Outcome{Late: true, Message: "Thank you. You have withdrawn your bid already."}
	}
	bid, advice := v.read(a, today)
	if advice != "" {
		return s.noBid(v, a, advice)
	}
	bid.At = now
	v.Bid, v.Declined, v.Unreachable = &bid, false, false
	v.answeredAt(now)
	price := policy.Money{Amount: bid.Price, Currency: currency}
	return durable.Outcome{Message: "Thank you. We have your bid of " + price.String() + " and tell you how it ended."}
}

// noBid takes that a vendor wants to bid and did not: the page of that question takes
// no other answer, so the vendor gets a new one, once.
func (s *bidState) noBid(v *bidInvitation, a durable.Answer, advice string) durable.Outcome {
	if a.Fields[fieldPrice] != "" || v.AskedAnew {
		s.Unusable++
	}
	if v.AskedAnew {
		return durable.Outcome{Late: true, Message: advice}
	}
	v.AskedAnew = true
	s.Outbox = append(s.Outbox, bidNote{kind: noteAnew, step: fmt.Sprintf("%s/%d/again/%s", askBid, v.Wave, v.Vendor.ID), to: vendorPerson(v.Vendor)})
	return durable.Outcome{Message: advice + " A new link is on its way."}
}

func (i *bidInvitation) answeredAt(now time.Time) {
	if i.AnsweredAt.IsZero() {
		i.AnsweredAt = now
	}
}

// read reads a vendor's form. advice says what to do where it cannot be taken.
func (i *bidInvitation) read(a durable.Answer, today string) (bid sourcing.Bid, advice string) {
	price, earliest := strings.TrimSpace(a.Fields[fieldPrice]), strings.TrimSpace(a.Fields[fieldEarliest])
	if price == "" {
		return sourcing.Bid{}, "Please open the link to send your price and first free day."
	}
	amount, err := policy.ParseCents(price)
	if err != nil || amount <= 0 {
		return sourcing.Bid{}, `Please send a price above zero, such as "180.00".`
	}
	if amount > maxBid {
		return sourcing.Bid{}, "Please check your price: it is above 1,000,000.00."
	}
	day, err := time.Parse(time.DateOnly, earliest)
	if err != nil {
		return sourcing.Bid{}, `Please send the first day on which you can come, such as "` + today + `".`
	}
	from, last := bidDays(today)
	if day.Before(from) || day.After(last) {
		return sourcing.Bid{}, "Please send a first day from " + today + " to " + last.Format(time.DateOnly) + "."
	}
	if insured, err := time.Parse(time.DateOnly, i.Vendor.InsuranceExpires); err != nil || day.After(insured) {
		return sourcing.Bid{}, "We know of no insurance of yours on that day. Please send an earlier day, or a new certificate to the office."
	}
	note := strings.TrimSpace(a.Fields[fieldBidNote])
	if note == "" {
		note = strings.TrimSpace(a.Note)
	}
	if r := []rune(note); len(r) > maxBidNote {
		note = string(r[:maxBidNote])
	}
	return sourcing.Bid{Candidate: i.Vendor, Price: amount, Earliest: day.Format(time.DateOnly), Note: note}, ""
}

// bidDays are the first and last day that a bid may name. today is made from a time,
// so that it can always be read.
func bidDays(today string) (from, last time.Time) {
	from, _ = time.Parse(time.DateOnly, today)
	return from, from.AddDate(0, 0, maxBidAhead)
}

// lastDay is the last day that the form of a bid offers: not beyond the insurance.
func (i *bidInvitation) lastDay(today string) string {
	_, last := bidDays(today)
	if insured, err := time.Parse(time.DateOnly, i.Vendor.InsuranceExpires); err == nil && insured.Before(last) && i.Vendor.InsuranceExpires >= today {
		return i.Vendor.InsuranceExpires
	}
	return last.Format(time.DateOnly)
}

// summary is how many bid and for what, in words and without names.
func (s *bidState) summary(estimate policy.Cents, currency string) string {
	bids := s.bids()
	if len(bids) == 0 {
		return fmt.Sprintf("none of %d vendors bid", len(s.Invited))
	}
	low, high := bids[0].Price, bids[0].Price
	for _, b := range bids {
		low, high = min(low, b.Price), max(high, b.Price)
	}
	money := func(c policy.Cents) string { return policy.Money{Amount: c, Currency: currency}.String() }
	text := fmt.Sprintf("%d of %d vendors bid, %s", len(bids), len(s.Invited), money(low))
	if high > low {
		text += " to " + money(high)
	}
	if estimate > 0 {
		text += " (estimate " + money(estimate) + ")"
	}
	return text
}

// result is what came of it; bids are ranked by the caller.
func (s *bidState) result() BiddingResult {
	r := BiddingResult{LeftToManager: s.Stage == BidsLeft, Reason: s.Why}
	for _, i := range s.Invited {
		r.Invited = append(r.Invited, i.Vendor.ID)
		switch {
		case i.Bid != nil:
		case i.Declined, i.Unreachable:
			r.Declined = append(r.Declined, i.Vendor.ID)
		default:
			r.Silent = append(r.Silent, i.Vendor.ID)
		}
	}
	return r
}

// laterOf is the later of two times.
func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
