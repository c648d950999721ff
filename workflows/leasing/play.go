package leasing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// What campaigns are told and asked, beside people's answers.
var (
	// LeaseChanged carries the lease as RentVine has it now.
	LeaseChanged = durable.Signal[activities.LeaseView]{Name: "lease_changed"}
	// StopCampaign ends a campaign and undoes what no longer holds.
	StopCampaign = durable.Update[durable.Command, durable.Outcome]{
		Name: "stop", Description: "End this campaign; who was asked is told: {by, why}",
	}
	// DescribeCampaign shows a campaign.
	DescribeCampaign = durable.Query[CampaignDescription]{
		Name: "describe", Description: "What was decided, why, what is next and when",
	}
)

type (
	// Campaign is the input of a campaign's workflow.
	Campaign[S any] struct {
		LeaseID string `json:"lease_id"`
		// Clock is the lease's.
		Clock durable.Clock `json:"clock,omitzero"`
		State *S            `json:"state"`
		// Taken and Held are what continue-as-new carries.
		Taken []TakenAnswer `json:"taken,omitempty"`
		Held  []HeldLetter  `json:"held,omitempty"`
		// RulesAt is when the policy was read last (business time).
		RulesAt time.Time `json:"rules_at,omitzero"`
		// Learned is what earlier campaigns have found out of the tenants.
		Learned Learned `json:"learned,omitzero"`
	}
	// TakenAnswer is an answer that was taken, and what the person was told.
	TakenAnswer struct {
		ID      string          `json:"id"`
		Outcome durable.Outcome `json:"outcome"`
	}
	// HeldLetter waits to be sent: not before Until (business time).
	HeldLetter struct {
		Until  time.Time         `json:"until"`
		Letter activities.Letter `json:"letter"`
		// Holds counts how often in a row it was held back.
		Holds int `json:"holds,omitempty"`
	}
	// CampaignResult tells how it ended.
	CampaignResult struct {
		Outcome string `json:"outcome"`
	}
	// CampaignDescription is what an operator sees. It names nobody.
	CampaignDescription struct {
		LeaseID string    `json:"lease_id"`
		Stage   string    `json:"stage"`
		Outcome string    `json:"outcome,omitempty"`
		BeganAt time.Time `json:"began_at"`
		// Asking are the open questions, with when they are given up (business time).
		Asking []OpenQuestion `json:"asking,omitempty"`
		// Next is what happens next, and NextAt when (business time).
		Next   string    `json:"next,omitempty"`
		NextAt time.Time `json:"next_at,omitzero"`
		// Held counts letters that may not leave yet.
		Held int              `json:"held,omitempty"`
		Log  []campaign.Entry `json:"log,omitempty"`
		// Engagement is what became of the letters.
		Engagement []activities.Touch `json:"engagement,omitempty"`
		Unusable   int                `json:"unusable,omitempty"`
		// Detail is what the kind of campaign shows beside that.
		Detail any `json:"detail,omitempty"`
	}
	// OpenQuestion is one that has no answer yet.
	OpenQuestion struct {
		Purpose  string    `json:"purpose"`
		To       string    `json:"to"`
		AskedAt  time.Time `json:"asked_at"`
		GiveUpAt time.Time `json:"give_up_at,omitzero"`
		Reminded int       `json:"reminded,omitempty"`
	}
)

const (
	// maxTaken bounds the answers that are remembered.
	maxTaken = 100
	// rulesFor is how long the policy that was read counts (business time). Dates and
	// mails of a move-in may go by one of the same week.
	rulesFor       = 24 * time.Hour
	moveInRulesFor = 7 * 24 * time.Hour
	// heldAtLeast is the first pause of a letter that may not leave (real time).
	heldAtLeast = 5 * time.Second
	// tasksAtOnce bounds the work between two looks at what was said meanwhile.
	tasksAtOnce = 50
)

// carrier is what a kind of campaign adds.
type carrier interface {
	// do carries out one piece of work.
	do(ctx workflow.Context, task campaign.Task) error
	// detail is what describe shows beside the common part.
	detail() any
}

// play runs the workflow of a campaign.
func play[S any](ctx workflow.Context, kind, name string, in Campaign[S], state campaign.Play, c carrier) (CampaignResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	p := &player{
		kind: kind, leaseID: in.LeaseID, clock: in.Clock, play: state, carrier: c,
		taken: in.Taken, held: in.Held, rulesAt: in.RulesAt,
	}
	result, err := p.run(ctx)
	if errors.Is(err, errContinue) {
		in.Taken, in.Held, in.RulesAt = p.taken, p.held, p.rulesAt
		return result, workflow.NewContinueAsNewError(ctx, name, in)
	}
	return result, err
}

// player plays a campaign: it carries out what the campaign decides.
type player struct {
	kind    string
	leaseID string
	clock   durable.Clock
	play    campaign.Play
	carrier carrier

	ref        string
	taken      []TakenAnswer
	held       []HeldLetter
	rulesAt    time.Time
	alarm      durable.Alarm
	operator   bool // an operator has stopped it
	said       bool // somebody has said something since the last look
	engagement []activities.Touch
	unusable   int
	// nextAt and nextWhy are what was last shown as next.
	nextAt  time.Time
	nextWhy string
	shown   string
}

// errContinue tells that the run is to continue as new.
var errContinue = errors.New("continue as new")

// run plays until the campaign is over; errContinue asks for a new run.
func (p *player) run(ctx workflow.Context) (CampaignResult, error) {
	p.ref = fmt.Sprintf("%s@%d", workflow.GetInfo(ctx).WorkflowExecution.ID, p.play.Common().BeganAt.Unix())
	if err := p.handle(ctx); err != nil {
		return CampaignResult{}, err
	}
	b := p.play.Common()
	durable.TellTimeline(ctx, func() []campaign.Entry { return p.play.Common().Log })
	for {
		p.take(ctx)
		err := p.act(ctx)
		if temporal.IsCanceledError(err) || ctx.Err() != nil {
			// What was done is undone before the workflow ends.
			ctx, _ = workflow.NewDisconnectedContext(ctx)
			p.alarm.Stop()
			p.operator = true
			p.ending(func() { p.play.Stop("cancelled by an operator", durable.Now(ctx)) })
			continue
		}
		if err != nil {
			return CampaignResult{}, err
		}
		p.show(ctx)
		if p.over() {
			p.alarm.Stop()
			if err := durable.Settle(ctx, p.take); err != nil {
				return CampaignResult{}, err
			}
			if p.over() {
				p.report(ctx)
				return CampaignResult{Outcome: b.Outcome}, nil
			}
			continue
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := durable.Settle(ctx, p.take); err != nil {
				return CampaignResult{}, err
			}
			return CampaignResult{}, errContinue
		}
		if err := p.wait(ctx); err != nil && !temporal.IsCanceledError(err) {
			return CampaignResult{}, err
		}
	}
}

func (p *player) handle(ctx workflow.Context) error {
	if err := DescribeCampaign.Handle(ctx, func() (CampaignDescription, error) { return p.describe(), nil }); err != nil {
		return err
	}
	err := durable.GiveAnswer.Handle(ctx, nil, func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
		return p.answer(a, durable.Now(ctx)), nil
	})
	if err != nil {
		return err
	}
	refuse := func(_ workflow.Context, c durable.Command) error { return c.Validate() }
	return StopCampaign.Handle(ctx, refuse, func(ctx workflow.Context, c durable.Command) (durable.Outcome, error) {
		if p.play.Common().Outcome != "" {
			return durable.Outcome{Late: true, Message: "The campaign has ended already."}, nil
		}
		p.play.Common().Note(durable.Now(ctx), "stopped by an operator")
		p.operator = true
		p.ending(func() { p.play.Stop("stopped by an operator", durable.Now(ctx)) })
		p.said = true
		return durable.Outcome{Message: "The campaign ends; what was done is undone."}, nil
	})
}

// answer takes what a person says, once.
func (p *player) answer(a durable.Answer, now time.Time) durable.Outcome {
	for _, t := range p.taken {
		if t.ID == a.ID {
			return t.Outcome
		}
	}
	var out durable.Outcome
	if w, open := p.play.Common().Asking(a.Step); open {
		out = p.play.Heard(w, a, now)
		p.said = true
	} else {
		out = durable.Outcome{Late: true, Message: "Thank you. This has been settled meanwhile; there is nothing more to do."}
	}
	p.taken = append(p.taken, TakenAnswer{a.ID, out})
	p.taken = p.taken[max(0, len(p.taken)-maxTaken):]
	return out
}

// take drains all facts into the state and tells whether there were any.
func (p *player) take(ctx workflow.Context) bool {
	now, b := durable.Now(ctx), p.play.Common()
	views, bad := LeaseChanged.Drain(ctx)
	for _, v := range views {
		if v.Look < b.Lease.Look {
			continue // an older look
		}
		before := b.Lease
		b.Lease = v
		p.ending(func() { p.play.Changed(before, now) })
	}
	answers, unreadable := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		p.answer(a, now)
	}
	failures, unread := durable.MessageFailed.Drain(ctx)
	for _, f := range failures {
		p.failed(f, now)
	}
	unknown := durable.DrainUnknown(ctx, LeaseChanged.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	p.unusable += bad + unreadable + unread + unknown
	return len(views)+len(answers)+len(failures)+bad+unreadable+unread+unknown > 0
}

// ending does what may end the campaign; where it does, what was held back until then
// has lost its sense.
func (p *player) ending(do func()) {
	before := p.play.Common().Outcome
	do()
	if before == "" && p.play.Common().Outcome != "" {
		p.held = slices.DeleteFunc(p.held, func(h HeldLetter) bool { return h.Letter.Ask != nil || !takesBack(h.Letter.Text) })
	}
}

// act carries out what is due.
func (p *player) act(ctx workflow.Context) error {
	p.said = false
	if err := p.readRules(ctx); err != nil {
		return err
	}
	for range tasksAtOnce {
		now := durable.Now(ctx)
		p.play.Tick(now)
		task := p.play.Todo(now)
		if task == campaign.Nothing {
			break
		}
		if err := p.carrier.do(ctx, task); err != nil {
			return err
		}
		p.take(ctx)
	}
	return p.send(ctx)
}

// readRules reads the policy again where the last look at it is old.
func (p *player) readRules(ctx workflow.Context) error {
	b, now := p.play.Common(), durable.Now(ctx)
	good := rulesFor
	if p.kind == KindMoveIn {
		good = moveInRulesFor
	}
	if !p.rulesAt.IsZero() && now.Sub(p.rulesAt) < good {
		return nil
	}
	rules, err := readLeasing(ctx, b.Lease)
	if err != nil {
		return err
	}
	first := p.rulesAt.IsZero()
	p.rulesAt = now
	if !rules.On() {
		// Its people are told by the rules that held until now.
		p.ending(func() { p.play.Stop("leases are not accompanied any more", now) })
		return nil
	}
	b.Rules = rules
	if first {
		return nil
	}
	// What became of the letters is looked up in the same task, where it costs nothing.
	if touches, err := activities.ReadEngagement.RunLocal(ctx, activities.None{}, "what became of the letters"); err == nil {
		p.engagement = touches
	}
	return nil
}

func readLeasing(ctx workflow.Context, l activities.LeaseView) (policy.Leasing, error) {
	return activities.ReadLeasing.RunLocal(ctx, activities.ReadLeasingInput{PortfolioID: l.PortfolioID, PropertyID: l.PropertyID}, "policy of leasing")
}

// send closes questions, and sends what is to be told and what was held back until now.
func (p *player) send(ctx workflow.Context) error {
	b, now := p.play.Common(), durable.Now(ctx)
	var letters []activities.Letter
	holds := map[string]int{}
	p.held = slices.DeleteFunc(p.held, func(h HeldLetter) bool {
		if h.Until.After(now) {
			return false
		}
		if w, open := b.Asking(h.Letter.Step); open || h.Letter.Ask == nil {
			if h.Letter.Ask != nil && w.Moves() && w.LeftAt.IsZero() {
				later := *h.Letter.Ask // who is asked late has as much time
				later.Until = w.Tell.Ask.Until.Add(now.Sub(w.AskedAt))
				h.Letter.Ask = &later
			}
			letters = append(letters, h.Letter)
			holds[h.Letter.Step] = h.Holds
		}
		return true
	})
	tells, closing := b.Tells, b.Closes
	b.Tells, b.Closes = nil, nil
	for _, t := range tells {
		letters = append(letters, lettersOf(*b, t)...)
	}
	if len(letters) == 0 {
		if len(closing) == 0 {
			return nil
		}
		_, err := activities.CloseSteps.Run(ctx, closing, "close questions")
		if err != nil {
			b.Closes = append(closing, b.Closes...)
		}
		return err
	}
	batch := p.batch(letters)
	batch.Close = closing
	sending := activities.SendLetters
	sending.WaitCancelled = true
	results, err := sending.Run(ctx, batch, p.summary(letters))
	if err != nil { // a day of trying, or the end
		results = activities.SentBefore(err)
		b.Closes = append(closing, b.Closes...)
	}
	if temporal.IsCanceledError(err) {
		return err // some may have left: whoever was asked is told
	}
	p.sent(letters, results, holds, durable.Now(ctx))
	return nil
}

func (p *player) batch(letters []activities.Letter) activities.SendLettersInput {
	l := p.play.Common().Lease
	return activities.SendLettersInput{
		Ref: p.ref, LeaseID: l.ID, PortfolioID: l.PortfolioID, PropertyID: l.PropertyID, State: l.State, Zone: l.Zone,
		Campaign: p.kind, Service: p.kind == KindMoveIn, Letters: letters,
	}
}

func (p *player) summary(letters []activities.Letter) string {
	if len(letters) == 1 {
		return letters[0].Text
	}
	return fmt.Sprintf("%s and %d more", letters[0].Text, len(letters)-1)
}

// sent takes what became of letters: what is held back, or could not be sent, waits.
func (p *player) sent(letters []activities.Letter, results []activities.Sent, holds map[string]int, now time.Time) {
	b := p.play.Common()
	unreached := map[string]bool{} // questions that nobody has got
	byStep := map[string]activities.Sent{}
	for _, r := range results {
		byStep[r.Step] = r
	}
	for _, l := range letters {
		r, known := byStep[l.Step]
		switch {
		case !known, r.Outcome == activities.MessageHeld:
			n := holds[l.Step]
			until := now.Add(p.clock.Business(heldAtLeast << min(n, 10)))
			if known && r.HeldUntil.After(until) {
				until = r.HeldUntil
			}
			p.held = append(p.held, HeldLetter{Until: until, Letter: l, Holds: n + 1})
			if n == 0 {
				b.Note(now, "%s waits: %s", policy.Words(l.Text), r.Why)
			}
		case r.Outcome == activities.MessageImpossible:
			b.Note(now, "%s could not be sent: %s", policy.Words(l.Text), r.Why)
			if w, open := b.Asking(l.Step); open && w.LeftAt.IsZero() && w.Reminded == 0 {
				if _, before := unreached[w.Step]; !before {
					unreached[w.Step] = true
				}
			}
		case r.Outcome == activities.MessageSent, r.Outcome == activities.MessageRecorded:
			b.Note(now, "%s: %s by %s", policy.Words(l.Text), r.Outcome, r.Channel)
			b.Left(l.Step, now)
		}
		if w, open := b.Asking(l.Step); open && r.Outcome != activities.MessageImpossible {
			unreached[w.Step] = false
		}
	}
	b.Held = nil
	for _, h := range p.held {
		b.Held = append(b.Held, h.Letter.Step)
	}
	for _, l := range letters {
		w, open := b.Asking(l.Step)
		if open && unreached[w.Step] && w.Tell.To != campaign.Manager {
			unreached[w.Step] = false
			b.Say(campaign.Tell{To: campaign.Manager, Text: policy.TextManagerNotice, Data: policy.LeaseData{
				Reason: fmt.Sprintf("Nobody could be reached with the question %q: no address works. Please get in touch with them.", policy.Words(w.Purpose)),
			}})
		}
	}
}

// failed takes that an accepted text did not arrive: a question goes by mail instead.
func (p *player) failed(f durable.MessageFailure, now time.Time) {
	b := p.play.Common()
	w, open := b.Asking(f.Step)
	if !open {
		b.Note(now, "a message did not arrive: %s", f.Status)
		return
	}
	for _, l := range lettersOf(*b, w.Tell) {
		if hasPerson(f.Step, l.To.ID) && !strings.HasSuffix(f.Step, "/mail") {
			l.Step, l.MailOnly = f.Step+"/mail", true
			p.held = append(p.held, HeldLetter{Until: now, Letter: l})
			b.Note(now, "%s did not arrive and goes by mail", policy.Words(l.Text))
		}
	}
}

func (p *player) over() bool {
	b := p.play.Common()
	return b.Outcome != "" && len(b.Tells) == 0 && len(b.Closes) == 0 && len(p.held) == 0 && !p.said &&
		p.play.Todo(b.EndedAt) == campaign.Nothing
}

// next is what happens next and when, zero for nothing.
func (p *player) next(now time.Time) (at time.Time, why string) {
	at, why = p.play.Next(now)
	for _, h := range p.held {
		at, why = campaign.Sooner(at, why, h.Until, "send what was held back")
	}
	return at, why
}

func (p *player) wait(ctx workflow.Context) error {
	if len(p.play.Common().Tells) > 0 {
		return nil // what came of the last letters is to be told
	}
	at, why := p.next(durable.Now(ctx))
	p.alarm.Set(ctx, at, why)
	return workflow.Await(ctx, func() bool {
		return p.said || p.alarm.Rang() || LeaseChanged.Pending(ctx) || durable.AnswerReceived.Pending(ctx) || durable.MessageFailed.Pending(ctx)
	})
}

// report tells the lease how the campaign has ended.
func (p *player) report(ctx workflow.Context) {
	b := p.play.Common()
	campaignsEnded.Inc(ctx, p.kind, b.Outcome)
	ended := Ended{
		Kind: p.kind, WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Outcome: b.Outcome, At: b.EndedAt, ByOperator: p.operator,
	}
	if of, ok := p.carrier.(interface{ about() string }); ok {
		ended.About = of.about()
	}
	if learner, ok := p.carrier.(interface{ learned() Learned }); ok {
		ended.Learned = learner.learned()
	}
	if err := CampaignEnded.SendFrom(ctx, LeaseID(p.leaseID), ended).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Info("the lease is not followed any more", "error", err)
	}
}

// show tells the Web UI and its lists where the campaign is.
func (p *player) show(ctx workflow.Context) {
	d := p.describe()
	d.NextAt, d.Next = p.nextShown(ctx)
	if text := p.details(d); text != p.shown {
		p.shown = text
		workflow.SetCurrentDetails(ctx, text)
	}
}

func (p *player) nextShown(ctx workflow.Context) (time.Time, string) {
	if p.play.Common().Outcome != "" {
		return time.Time{}, ""
	}
	p.nextAt, p.nextWhy = p.next(durable.Now(ctx))
	return p.nextAt, p.nextWhy
}

func (p *player) describe() CampaignDescription {
	b := p.play.Common()
	d := CampaignDescription{
		LeaseID: p.leaseID, Stage: b.Stage, Outcome: b.Outcome, BeganAt: b.BeganAt, Held: len(p.held), Log: b.Log,
		Engagement: p.engagement, Unusable: p.unusable, Detail: p.carrier.detail(),
	}
	if b.Outcome == "" {
		d.NextAt, d.Next = p.nextAt, p.nextWhy
	}
	for _, w := range b.Waits {
		d.Asking = append(d.Asking, OpenQuestion{w.Purpose, string(w.Tell.To), w.AskedAt, w.GiveUpAt, w.Reminded})
	}
	return d
}

// details is the status in the Web UI.
func (p *player) details(d CampaignDescription) string {
	lines := []string{fmt.Sprintf("%s of lease %s: **%s**", policy.Words(p.kind), d.LeaseID, policy.Words(d.Stage))}
	if d.Outcome != "" {
		lines = append(lines, "\nEnded: **"+policy.Words(d.Outcome)+"**")
	}
	lines = append(lines, "")
	for _, q := range d.Asking {
		line := fmt.Sprintf("- waiting for the %s: %s, asked %s", q.To, policy.Words(q.Purpose), q.AskedAt.Format(time.RFC3339))
		if !q.GiveUpAt.IsZero() {
			line += ", until " + q.GiveUpAt.Format(time.RFC3339)
		}
		lines = append(lines, line)
	}
	if d.Held > 0 {
		lines = append(lines, fmt.Sprintf("- %d letters may not leave yet", d.Held))
	}
	if !d.NextAt.IsZero() {
		lines = append(lines, fmt.Sprintf("\nNext: **%s**, %s", d.Next, d.NextAt.Format(time.RFC3339)))
	}
	lines = append(lines, "")
	for _, e := range d.Log[max(0, len(d.Log)-10):] {
		lines = append(lines, "- "+e.At.Format(time.RFC3339)+" "+e.What)
	}
	return strings.Join(lines, "\n")
}
