package maintenance

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Bidding asks vendors for their price and first free day, and ranks what they bid.
var Bidding = durable.Definition[BiddingInput, BiddingResult]{
	Name: BiddingName, Run: bidding, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// BiddingName is the durable name.
const BiddingName = "maintenance.bidding"

// BiddingID is the workflow id: a work order has one bidding at a time. round is never
// used twice for a work order, because it is part of what vendors' records go by.
func BiddingID(workOrderID string, round int) string {
	return fmt.Sprintf("bidding/%s/%d", workOrderID, round)
}

// DescribeBidding shows where the bidding stands.
var DescribeBidding = durable.Query[BiddingDescription]{Name: "describe", Description: "Who was invited to bid, who has answered and what comes next"}

type (
	// BiddingInput starts the workflow. Times are business time.
	BiddingInput struct {
		WorkOrderID string        `json:"work_order_id"`
		Round       int           `json:"round"`
		Clock       durable.Clock `json:"clock,omitzero"`
		// Zone is where the property's local time is.
		Zone        string `json:"zone"`
		PortfolioID string `json:"portfolio_id,omitempty"`
		PropertyID  string `json:"property_id,omitempty"`
		// Settings are those of the first decision; later ones read the policy again.
		Settings activities.Settings `json:"settings"`
		// Vendors are all that suit, best first.
		Vendors []sourcing.Candidate `json:"vendors"`
		// Trade is one of policy.Trades, for the vendors' records.
		Trade    string          `json:"trade,omitempty"`
		Urgent   bool            `json:"urgent,omitempty"`
		Estimate policy.Cents    `json:"estimate,omitempty"`
		About    policy.TextData `json:"about"`
		// Details are shown on the page on which a vendor bids.
		Details []activities.Detail `json:"details,omitempty"`
	}
	// BiddingResult tells what came of it. Vendors are named by their ids. Whoever
	// started the bidding tells those who bid what became of it.
	BiddingResult struct {
		// Bids are ranked, best first.
		Bids    []sourcing.Scored `json:"bids,omitempty"`
		Invited []string          `json:"invited,omitempty"`
		// Declined are those who cannot, and those who could not be reached.
		Declined []string `json:"declined,omitempty"`
		Silent   []string `json:"silent,omitempty"`
		// LeftToManager: the property manager has been told and finds somebody; the bids
		// are not to be used. Without it and without bids there was nobody to invite.
		LeftToManager bool `json:"left_to_manager,omitempty"`
		// Reason says in words how it ended, naming nobody.
		Reason string `json:"reason"`
	}
	// BiddingDescription is where a bidding stands, without personal data: vendors are
	// named by their ids.
	BiddingDescription struct {
		WorkOrderID string   `json:"work_order_id"`
		PropertyID  string   `json:"property_id,omitempty"`
		Round       int      `json:"round"`
		Stage       BidStage `json:"stage"`
		WaitingFor  string   `json:"waiting_for"`
		Wave        int      `json:"wave"`
		// Deadline is when bids are due (business time).
		Deadline time.Time    `json:"deadline,omitzero"`
		Invited  []BidInvited `json:"invited,omitempty"`
		Bids     int          `json:"bids"`
		// ManagerAsked counts the questions to the property manager.
		ManagerAsked   int    `json:"manager_asked,omitempty"`
		Reason         string `json:"reason,omitempty"`
		LateAnswers    int    `json:"late_answers,omitempty"`
		Unusable       int    `json:"unusable,omitempty"`
		MessagesFailed int    `json:"messages_failed,omitempty"`
		MessagesHeld   int    `json:"messages_held,omitempty"`
	}
	// BidInvited is one vendor who was invited.
	BidInvited struct {
		Vendor  string    `json:"vendor"`
		Wave    int       `json:"wave"`
		AskedAt time.Time `json:"asked_at,omitzero"` // business time
		// Answer is "bid", "declined", "unreachable" or "" for none yet.
		Answer string `json:"answer,omitempty"`
	}
)

// biddingRun is one run of the workflow. It is short: vendors are bounded and each
// window costs a few events, so it needs no continue-as-new.
type biddingRun struct {
	in       BiddingInput
	id, ref  string
	state    bidState
	settings activities.Settings
	loc      *time.Location
	alarm    durable.Alarm
	// root is cancelled when nobody waits for the bids any more.
	root workflow.Context
	// woken is set when an answer has changed the state.
	woken   bool
	cleared bool
	shown   shownBidding
}

// bidding is the workflow function.
func bidding(ctx workflow.Context, in BiddingInput) (BiddingResult, error) {
	info := workflow.GetInfo(ctx)
	w := &biddingRun{
		in: in, root: ctx, settings: in.Settings, id: BiddingID(in.WorkOrderID, in.Round),
		ref:   fmt.Sprintf("%s@%s", info.WorkflowExecution.ID, info.FirstRunID),
		state: bidState{Stage: BidsOpen, Rest: in.Vendors},
	}
	// Vendors are told of the end after a cancel too, so that work runs on a context of
	// its own and the root is only watched.
	ctx, _ = workflow.NewDisconnectedContext(durable.WithClock(ctx, in.Clock))
	if err := w.handle(ctx); err != nil {
		return BiddingResult{}, err
	}
	for {
		w.woken = false
		w.take(ctx)
		w.act(ctx)
		if w.send(ctx) {
			continue
		}
		w.show(ctx)
		if w.done() {
			if err := durable.Settle(ctx, w.take); err != nil {
				return BiddingResult{}, err
			}
			if w.done() {
				return w.finish(ctx)
			}
			continue
		}
		at, why := w.state.nextAt()
		w.alarm.Set(ctx, at, why)
		if err := workflow.Await(ctx, func() bool {
			return w.woken || w.alarm.Rang() || w.pending(ctx) || w.cancelled()
		}); err != nil {
			return BiddingResult{}, err
		}
	}
}

// done tells whether the bidding has ended and everybody has been told.
func (w *biddingRun) done() bool {
	return w.state.ended() && w.cleared && len(w.state.Outbox) == 0
}

func (w *biddingRun) cancelled() bool { return w.root.Err() != nil && !w.state.ended() }

func (w *biddingRun) finish(ctx workflow.Context) (BiddingResult, error) {
	w.alarm.Stop()
	result := w.state.result()
	result.Bids = w.ranked(durable.Now(ctx))
	if len(result.Invited) > 0 {
		result.Reason += ": " + w.state.summary(w.in.Estimate, w.settings.Repairs.Currency)
	}
	if w.state.Stage == BidsCancelled {
		return result, temporal.NewCanceledError()
	}
	return result, nil
}

func (w *biddingRun) handle(ctx workflow.Context) error {
	if err := DescribeBidding.Handle(ctx, func() (BiddingDescription, error) { return w.describe(), nil }); err != nil {
		return err
	}
	return durable.GiveAnswer.Handle(ctx,
		func(ctx workflow.Context, a durable.Answer) error {
			return w.state.validAnswer(a, w.day(w.in.Clock.At(workflow.Now(ctx)))) //nolint:forbidigo // the kit gives a validator no clock
		},
		func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
			return w.answer(ctx, a), nil
		})
}

func (w *biddingRun) answer(ctx workflow.Context, a durable.Answer) durable.Outcome {
	w.woken = true
	now := durable.Now(ctx)
	return w.state.answer(a, now, w.day(now), w.settings.Repairs.Currency)
}

// pending tells whether facts wait.
func (w *biddingRun) pending(ctx workflow.Context) bool {
	return durable.AnswerReceived.Pending(ctx) || durable.MessageFailed.Pending(ctx)
}

// take drains all facts into the state and tells whether there were any.
func (w *biddingRun) take(ctx workflow.Context) bool {
	answers, bad := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		w.answer(ctx, a)
	}
	failures, unreadable := durable.MessageFailed.Drain(ctx)
	for _, f := range failures {
		w.state.notDelivered(f, durable.Now(ctx))
	}
	unknown := durable.DrainUnknown(ctx, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	w.state.Unusable += bad + unreadable + unknown
	return len(answers)+bad+len(failures)+unreadable+unknown > 0
}

// act does what is due. What is to be said waits in the outbox.
func (w *biddingRun) act(ctx workflow.Context) {
	s := &w.state
	if w.cancelled() {
		s.end(BidsCancelled, "nobody waits for bids any more")
	}
	move := w.next(ctx)
	if s.Wave > 0 && (move == bidInvite || move == bidAskManager) {
		w.readSettings(ctx)
		move = w.next(ctx) // an answer may have come meanwhile
	}
	switch move {
	case bidInvite:
		s.invite(w.settings.Repairs.Bidding.Invite)
	case bidAskManager:
		s.askManager(activities.PersonOf(w.settings.Manager))
	case bidRank:
		s.end(BidsRanked, "enough bids")
	case bidLeave:
		s.end(BidsLeft, "the property manager has not answered")
	case bidGiveUp:
		s.Nobody = true
		s.end(BidsLeft, "nobody bids")
	case bidNobody:
		s.end(BidsNone, "no vendor suits")
	case bidWait:
	}
	if s.ended() && !w.cleared {
		w.cleared = true
		s.closing(activities.PersonOf(w.settings.Manager))
		w.clear(ctx)
	}
}

func (w *biddingRun) next(ctx workflow.Context) bidMove {
	return w.state.next(durable.Now(ctx), w.settings.Repairs.Bidding.Least)
}

// readSettings reads the policy for a new decision. What was read before will do
// where it cannot be read, or where repairs have been taken out of it.
func (w *biddingRun) readSettings(ctx workflow.Context) {
	read, err := activities.ReadSettings.Limited(localTry).RunLocal(ctx,
		activities.ReadSettingsInput{PortfolioID: w.in.PortfolioID, PropertyID: w.in.PropertyID}, "policy of the property")
	if err == nil && read.Repairs.On() {
		w.settings = read
	}
}

// localTry is how long a look-up or note may take within a workflow task, and
// laterTry how long a note is tried for in all (real time).
const (
	localTry = 10 * time.Second
	laterTry = time.Hour
)

// clear closes the questions and notes what became of each invitation. It is all done
// in one workflow task where the store answers.
func (w *biddingRun) clear(ctx workflow.Context) {
	warn := func(what string, err error) {
		if err != nil {
			workflow.GetLogger(ctx).Warn(what, "error", err)
		}
	}
	if len(w.state.Sent) > 0 {
		if _, err := activities.CloseQuestions.Limited(localTry).RunLocal(ctx, activities.None{}, "close questions"); err != nil {
			_, err = activities.CloseQuestions.Limited(laterTry).Run(ctx, activities.None{}, "close questions")
			warn("questions not closed", err)
		}
	}
	var later []durable.Future[activities.None]
	for _, record := range w.records() {
		const summary = "note how the vendor answered"
		if len(later) == 0 {
			if _, err := activities.RecordWork.Limited(localTry).RunLocal(ctx, record, summary); err == nil {
				continue
			}
		}
		later = append(later, activities.RecordWork.Limited(laterTry).Start(ctx, record, summary))
	}
	for _, f := range later {
		_, err := f.Get(ctx)
		warn("an invitation is missing from the vendor's record", err)
	}
}

// records are what is kept of the invitations that left. Who had no time to answer is
// not blamed for it.
func (w *biddingRun) records() []activities.WorkRecord {
	var all []activities.WorkRecord
	for _, i := range w.state.Invited {
		if i.AskedAt.IsZero() || w.state.Stage == BidsCancelled && i.AnsweredAt.IsZero() {
			continue
		}
		all = append(all, activities.WorkRecord{
			Key: w.id + "/" + i.Vendor.ID, Worker: i.Vendor.ID, WorkOrderID: w.in.WorkOrderID, Trade: w.in.Trade,
			AskedAt: i.AskedAt, AnsweredAt: i.AnsweredAt, Accepted: i.Bid != nil,
		})
	}
	return all
}

// window is how long a vendor has for a bid.
func (w *biddingRun) window() time.Duration {
	if w.in.Urgent {
		return w.settings.Repairs.Bidding.Urgent
	}
	return w.settings.Repairs.Bidding.Within
}

// send sends what is due in one batch and tells whether anything was.
func (w *biddingRun) send(ctx workflow.Context) bool {
	s, now := &w.state, durable.Now(ctx)
	var due, later []bidNote
	for _, n := range s.Outbox {
		switch {
		case n.until.After(now):
			later = append(later, n)
		case s.stillWanted(n):
			due = append(due, n)
		}
	}
	dropped := len(s.Outbox) > len(later)
	s.Outbox = later
	byStep := map[string]bidNote{}
	var batch []activities.Message
	for _, n := range due {
		message, err := w.compose(n, now)
		if err != nil {
			// The policy was checked when it was loaded; one without the text says nothing.
			n.byMail = true
			s.failed(n, now)
			continue
		}
		byStep[n.step] = n
		batch = append(batch, message)
	}
	if len(batch) == 0 {
		return dropped
	}
	results, err := w.carry(ctx, batch, string(due[0].kind))
	w.settle(ctx, batch, byStep, results, err)
	return true
}

// carry sends a batch. Once nobody waits for bids any more, it stops trying to invite.
func (w *biddingRun) carry(ctx workflow.Context, batch []activities.Message, summary string) ([]activities.Sent, error) {
	sendCtx, stop := workflow.WithCancel(ctx)
	defer stop()
	handle := activities.SendMessages
	if !w.state.ended() {
		// A carrier that is down takes no more of the vendors' time than this.
		handle = handle.Limited(max(w.in.Clock.Real(w.window()/4), stale))
	}
	handle.WaitCancelled = true // so that we know who has been asked
	sending := handle.Start(sendCtx, activities.SendMessagesInput{
		Ref: w.ref, PortfolioID: w.in.PortfolioID, PropertyID: w.in.PropertyID, Zone: w.zone(), Messages: batch,
	}, summary)
	var results []activities.Sent
	var err error
	landed := false
	workflow.Go(ctx, func(ctx workflow.Context) {
		results, err = sending.Get(ctx)
		landed = true
	})
	if waitErr := workflow.Await(ctx, func() bool { return landed || w.cancelled() }); waitErr != nil {
		return nil, waitErr
	}
	if !landed {
		stop()
		if waitErr := workflow.Await(ctx, func() bool { return landed }); waitErr != nil {
			return nil, waitErr
		}
	}
	return results, err
}

// settle takes what became of a batch.
func (w *biddingRun) settle(ctx workflow.Context, batch []activities.Message, notes map[string]bidNote, results []activities.Sent, err error) {
	s, now := &w.state, durable.Now(ctx)
	if err != nil {
		results = activities.SentBefore(err)
	}
	settled := map[string]bool{}
	for _, r := range results {
		n := notes[r.Step]
		settled[r.Step] = true
		switch r.Outcome {
		case activities.MessageSent, activities.MessageRecorded:
			n.byMail = n.byMail || r.Channel == activities.Mail
			s.sent(n, now, w.window())
		case activities.MessageHeld:
			// A worker whose clock is behind would hold it back again at once, and a pause
			// may last.
			pause := heldAtLeast << min(n.holds, 7)
			s.held(n, laterOf(r.HeldUntil, w.in.Clock.At(workflow.Now(ctx).Add(pause)))) //nolint:forbidigo // a technical pause is real time
		case activities.MessageImpossible:
			n.byMail = true // every channel was tried
			s.failed(n, now)
		}
	}
	for _, m := range batch {
		switch n := notes[m.Step]; {
		case settled[m.Step]:
		case temporal.IsCanceledError(err):
			s.sent(n, now, w.window()) // it may have left: better told too much than too little
		default:
			s.failed(n, now)
		}
	}
}

// compose makes the message of a note.
func (w *biddingRun) compose(n bidNote, now time.Time) (activities.Message, error) {
	about, text := w.in.About, ""
	m := activities.Message{
		Step: n.step, To: n.to, Class: activities.Work, Channels: []activities.Channel{activities.SMS, activities.Mail},
	}
	switch n.kind {
	case noteInvite, noteAnew:
		due := now.Add(w.window())
		if n.kind == noteAnew {
			due = laterOf(w.state.Deadline, now.Add(min(bidGrace, w.window())))
		}
		text, about.DueBy = policy.TextRepairBid, w.local(due)
		m.Ask = w.askForBid(w.state.invitation(n.to.ID), now, due)
	case noteManager:
		bids := w.ranked(now)
		text, about.Count = policy.TextRepairManagerNoBids, len(bids)
		if len(bids) > 0 {
			about.Price = w.money(bids[0].Price)
		}
		m.Ask = w.askAboutBids(now, bids)
	case noteClosed:
		text = policy.TextRepairBidClosed
	case noteNobody:
		text, about.Reason = policy.TextRepairManagerNotice, w.state.summary(0, "")+"; please find somebody"
		m.Channels = []activities.Channel{activities.Mail, activities.SMS} // it does not wait for the morning
	}
	if n.byMail {
		m.Channels = []activities.Channel{activities.Mail}
	}
	var err error
	m.Text, err = w.settings.Text(text, about)
	return m, err
}

func (w *biddingRun) title() string {
	if w.in.About.Address == "" {
		return w.in.About.Problem
	}
	return w.in.About.Problem + ", " + w.in.About.Address
}

// askForBid is the form of a bid. Its link outlives the deadline: while others are
// invited, a late bid counts.
func (w *biddingRun) askForBid(v *bidInvitation, now, due time.Time) *activities.Ask {
	return &activities.Ask{
		Purpose: askBid, Title: w.title(), Options: vendorOptions(), ExpiresAt: due.Add(w.settings.LinkTTL),
		Details: append(append([]activities.Detail{}, w.in.Details...), activities.Detail{Label: "Answer by", Text: w.local(due)}),
		Fields: []activities.Field{
			{Name: fieldPrice, Label: "Your price", Kind: activities.FieldMoney, For: []string{choiceBid}, Currency: w.settings.Repairs.Currency},
			{Name: fieldEarliest, Label: "First day on which you can come", Kind: activities.FieldDate, For: []string{choiceBid},
				From: w.day(now), To: v.lastDay(w.day(now))},
			{Name: fieldBidNote, Label: "Anything that we should know", Kind: activities.FieldText},
		},
	}
}

// askAboutBids shows the manager what there is.
func (w *biddingRun) askAboutBids(now time.Time, bids []sourcing.Scored) *activities.Ask {
	ask := &activities.Ask{
		Purpose: askNoBids, Title: w.title(), Options: w.state.managerOptions(),
		ExpiresAt: now.Add((bidReminders + 1) * bidRemindAfter),
		Details:   []activities.Detail{{Label: "Vendors invited", Text: fmt.Sprint(len(w.state.Invited))}},
	}
	for i, b := range bids {
		ask.Details = append(ask.Details, activities.Detail{
			Label: fmt.Sprintf("Bid %d", i+1), Text: fmt.Sprintf("%s, free from %s", w.money(b.Price), b.Earliest),
		})
	}
	return ask
}

// ranked are the bids that stand, best first.
func (w *biddingRun) ranked(now time.Time) []sourcing.Scored {
	return sourcing.RankBids(w.state.bids(), w.settings.Repairs.Bidding.Weights, w.day(now))
}

func (w *biddingRun) money(c policy.Cents) string {
	return policy.Money{Amount: c, Currency: w.settings.Repairs.Currency}.String()
}

// zone is where the property's local time is.
func (w *biddingRun) zone() string {
	for _, z := range []string{w.in.Zone, w.settings.TimeZone} {
		if z != "" {
			return z
		}
	}
	return "UTC"
}

// place is the zone, looked up once: it is needed with each answer.
func (w *biddingRun) place() *time.Location {
	if w.loc == nil {
		var err error
		if w.loc, err = time.LoadLocation(w.zone()); err != nil {
			w.loc = time.UTC
		}
	}
	return w.loc
}

// day is the day at the property: "2026-11-24".
func (w *biddingRun) day(at time.Time) string { return at.In(w.place()).Format(time.DateOnly) }

func (w *biddingRun) local(at time.Time) string { return at.In(w.place()).Format("Jan 2 15:04 MST") }

func (w *biddingRun) describe() BiddingDescription {
	s := &w.state
	d := BiddingDescription{
		WorkOrderID: w.in.WorkOrderID, PropertyID: w.in.PropertyID, Round: w.in.Round, Stage: s.Stage, WaitingFor: w.waitingFor(),
		Wave: s.Wave, Deadline: s.Deadline, Bids: len(s.bids()), ManagerAsked: s.ManagerAsked, Reason: s.Why,
		LateAnswers: s.Late, Unusable: s.Unusable, MessagesFailed: s.MessagesFailed, MessagesHeld: len(s.Outbox),
	}
	for _, i := range s.Invited {
		shown := BidInvited{Vendor: i.Vendor.ID, Wave: i.Wave, AskedAt: i.AskedAt}
		switch {
		case i.Bid != nil:
			shown.Answer = "bid"
		case i.Declined:
			shown.Answer = "declined"
		case i.Unreachable:
			shown.Answer = "unreachable"
		}
		d.Invited = append(d.Invited, shown)
	}
	return d
}

// waitingFor is who the bidding waits for, in a word.
func (w *biddingRun) waitingFor() string {
	switch w.state.Stage {
	case BidsOpen:
		return "vendors"
	case BidsWithManager:
		return "property_manager"
	case BidsRanked, BidsLeft, BidsNone, BidsCancelled:
	}
	if !w.done() {
		return "clearing_up"
	}
	return "nothing"
}

// shownBidding is what the search attributes say, so that only changes are sent.
type shownBidding struct {
	stage BidStage
	wave  int
	due   bool
}

// show brings search attributes and current details up to date.
func (w *biddingRun) show(ctx workflow.Context) {
	d := w.describe()
	workflow.SetCurrentDetails(ctx, biddingDetails(d))
	var due time.Time
	switch d.Stage {
	case BidsOpen:
		due = d.Deadline
	case BidsWithManager:
		due = w.state.RemindAt
	case BidsRanked, BidsLeft, BidsNone, BidsCancelled:
	}
	now := shownBidding{stage: d.Stage, wave: d.Wave, due: !due.IsZero()}
	if now == w.shown {
		return
	}
	updates := []temporal.SearchAttributeUpdate{
		durable.Stage.ValueSet(string(d.Stage)), durable.WaitingFor.ValueSet(d.WaitingFor), durable.DueBy.ValueUnset(),
	}
	if now.due {
		updates[2] = durable.DueBy.ValueSet(due)
	}
	if w.shown.stage == "" && d.PropertyID != "" {
		updates = append(updates, durable.PropertyID.ValueSet(d.PropertyID))
	}
	// The server refuses attributes that the cluster lacks; the worker checks for them
	// before it starts.
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not updated", "error", err)
	}
	w.shown = now
}

// biddingDetails is the status as a coordinator reads it in the Web UI.
func biddingDetails(d BiddingDescription) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**, waiting for **%s**\n\n", policy.Words(string(d.Stage)), policy.Words(d.WaitingFor))
	fmt.Fprintf(&b, "%d of %d vendors have bid", d.Bids, len(d.Invited))
	if !d.Deadline.IsZero() {
		fmt.Fprintf(&b, ", bids due %s", d.Deadline.Format(time.RFC3339))
	}
	b.WriteString("\n\n")
	if d.Reason != "" {
		fmt.Fprintf(&b, "%s\n\n", d.Reason)
	}
	for _, i := range d.Invited {
		answer := i.Answer
		if answer == "" {
			answer = "no answer yet"
		}
		fmt.Fprintf(&b, "- %s (wave %d): %s\n", i.Vendor, i.Wave, answer)
	}
	return b.String()
}
