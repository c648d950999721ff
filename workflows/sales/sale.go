package sales

import (
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// Sale follows one property of OpenMoove; its id is "sale/<integer id>". Webhooks,
// creations and imports all reach it by SignalWithStart, in any order.
var Sale = durable.Definition[SaleInput, SaleResult]{
	Name: SaleName, Run: sale, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// SaleName is the durable name.
const SaleName = "sales.sale"

// SaleID is the workflow id of a sale.
func SaleID(propertyID string) string { return "sale/" + propertyID }

// Where a sale was first heard of.
const (
	OriginCreated  = "created"  // by sales.create
	OriginImported = "imported" // by sales.import
	OriginFound    = "found"    // it was there before, or was made in OpenMoove itself
)

// What reaches a sale beside events.
var (
	// SaleHandedOver carries what a creation knows of the sale.
	SaleHandedOver = durable.Signal[activities.SaleFacts]{Name: "sale_handed_over"}
	// SaleSeen carries what a read at OpenMoove has shown that is new.
	SaleSeen = durable.Signal[activities.SaleView]{Name: "sale_seen"}
	// InvitationEnded tells how the chase of an invitation ended.
	InvitationEnded = durable.Signal[InvitationOutcome]{Name: "invitation_ended"}
	// DescribeSale shows the sale.
	DescribeSale = durable.Query[SaleDescription]{Name: "describe", Description: "What is known of this sale"}
)

type (
	// SaleInput starts the workflow; an event or a hand-over follows as a signal.
	SaleInput = durable.Entity[SaleState]
	// SaleResult tells how it ended.
	SaleResult struct {
		Outcome string `json:"outcome"`
	}
	// SaleDescription is what an operator sees. It names nobody.
	SaleDescription struct {
		PropertyID        string       `json:"property_id"`
		TransactionID     string       `json:"transaction_id,omitempty"`
		Origin            string       `json:"origin,omitempty"`
		Method            SaleMethod   `json:"method,omitempty"`
		Team              []MemberSeen `json:"team,omitempty"`
		Status            string       `json:"status,omitempty"`
		MissingMilestones []string     `json:"missing_milestones,omitempty"`
		// Reported are milestones that other systems have reported.
		Reported []ReportSeen `json:"reported,omitempty"`
		// Progress is as it was last judged; Timeline is what has changed.
		Progress progress.Progress `json:"progress"`
		Timeline []Happening       `json:"timeline,omitempty"`
		// LookAt is when OpenMoove is asked again who has joined (business time).
		LookAt   time.Time      `json:"look_at,omitzero"`
		Events   map[string]int `json:"events,omitempty"`
		Unusable int            `json:"unusable,omitempty"`
		Unknown  int            `json:"unknown_signals,omitempty"`
	}
	// MemberSeen is a member of the team without name and address.
	MemberSeen struct {
		Role   activities.Role `json:"role"`
		Active bool            `json:"active"`
		// Chase is "running" or how the chase of the invitation ended.
		Chase string `json:"chase,omitempty"`
	}
)

// saleRun is one run of the workflow.
type saleRun struct {
	in    SaleInput
	state *SaleState
	seen  durable.Seen
	alarm durable.Alarm
	shown string
}

func sale(ctx workflow.Context, in SaleInput) (SaleResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &saleRun{in: in, state: in.State, seen: in.Seen}
	if w.state == nil {
		w.state = &SaleState{PropertyID: in.ID, BeganAt: durable.Now(ctx)}
	}
	durable.TellTimeline(ctx, func() []Happening { return w.state.Course.Timeline })
	if err := DescribeSale.Handle(ctx, func() (SaleDescription, error) { return w.state.describe(), nil }); err != nil {
		return SaleResult{}, err
	}
	if err := durable.SeenEvents.Handle(ctx, func() (durable.Seen, error) { return w.seen, nil }); err != nil {
		return SaleResult{}, err
	}
	for {
		w.take(ctx)
		err := w.act(ctx)
		if temporal.IsCanceledError(err) {
			w.close(ctx)
		}
		if err != nil {
			return SaleResult{}, err
		}
		w.show(ctx)
		if w.state.over(durable.Now(ctx)) {
			ended, err := w.finish(ctx)
			if err != nil || ended {
				return SaleResult{Outcome: "completed"}, err
			}
			continue
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := durable.Settle(ctx, w.take); err != nil {
				return SaleResult{}, err
			}
			next := SaleInput{ID: in.ID, Clock: in.Clock, Seen: w.seen, State: w.state}
			return SaleResult{}, workflow.NewContinueAsNewError(ctx, SaleName, next)
		}
		if err := w.wait(ctx); err != nil {
			w.close(ctx)
			return SaleResult{}, err
		}
	}
}

// take drains all facts into the state and tells whether there were any.
func (w *saleRun) take(ctx workflow.Context) bool {
	now := durable.Now(ctx)
	handed, bad := SaleHandedOver.Drain(ctx)
	for _, facts := range handed {
		var view activities.SaleView
		if facts.View != nil {
			view = *facts.View
		}
		w.state.compare(view, now, func() { w.state.handedOver(facts, now) })
	}
	events, unreadable := durable.EventReceived.Drain(ctx)
	for _, ev := range events {
		if durable.TakeOnce(ctx, &w.seen, ev.Key) {
			w.state.event(ev, now)
		}
	}
	views, unseen := SaleSeen.Drain(ctx)
	for _, view := range views {
		w.state.compare(view, now, func() { w.state.saw(view, now) })
	}
	reports, unread := MilestoneReported.Drain(ctx)
	for _, report := range reports {
		if durable.TakeOnce(ctx, &w.seen, report.Key) {
			w.state.reported(report, now)
		}
	}
	ended, unclear := InvitationEnded.Drain(ctx)
	for _, outcome := range ended {
		w.state.compare(activities.SaleView{ReadAt: w.state.TeamSeenAt}, now, func() { w.state.invitationEnded(outcome, now) })
	}
	unknown := durable.DrainUnknown(ctx, SaleHandedOver.Name, durable.EventReceived.Name, SaleSeen.Name, MilestoneReported.Name, InvitationEnded.Name)
	unusable := bad + unreadable + unseen + unread + unclear
	w.state.Unusable += unusable
	w.state.Unknown += unknown
	return len(handed)+len(events)+len(views)+len(reports)+len(ended)+unusable+unknown > 0
}

// act does what the state says is due.
func (w *saleRun) act(ctx workflow.Context) error {
	due := func(at time.Time) bool { return !at.IsZero() && !at.After(durable.Now(ctx)) }
	if due(w.state.lookAt(w.graceOf(ctx))) {
		if err := w.look(ctx); err != nil {
			return err
		}
	}
	if due(w.state.judgeAt()) {
		if err := w.judge(ctx); err != nil {
			return err
		}
	}
	if err := w.sendOut(ctx); err != nil {
		return err
	}
	for _, chase := range w.state.chases() {
		if err := w.chase(ctx, chase); err != nil {
			return err
		}
	}
	if due(w.state.sendAt()) {
		return w.post(ctx)
	}
	return nil
}

// judge brings the progress up to date and writes the letters that it asks for.
func (w *saleRun) judge(ctx workflow.Context) error {
	directory, err := readDirectory(ctx, activities.ReadDirectoryInput{})
	if err != nil {
		return err
	}
	rules, now := directory.Settings, durable.Now(ctx)
	w.state.Course.Zone = rules.TimeZone
	alerts := w.state.judge(progress.RulesOf(rules, string(w.state.Method)), now)
	reports := w.state.judgeReports(rules.Reported.ConfirmWithin, now)
	if err := w.state.publish(directory.Subscribers, alerts, reports, rules, now); err != nil {
		return err
	}
	letters, err := w.state.letters(alerts, reports, rules)
	w.state.Outbox = append(w.state.Outbox, letters...)
	return err
}

// sendOut starts a workflow for each webhook that is to be sent: a subscriber that is
// away holds up nothing here.
func (w *saleRun) sendOut(ctx workflow.Context) error {
	for len(w.state.Outgoing) > 0 {
		next := w.state.Outgoing[0]
		in := partnersync.OutgoingWebhookInput{Subscriber: next.Subscriber, Event: next.Event}
		_, err := durable.StartAbandoned(ctx, partnersync.OutgoingWebhookName, in, workflow.ChildWorkflowOptions{
			WorkflowID:            partnersync.OutgoingWebhookID(next.Subscriber, next.Event.ID),
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			StaticSummary:         next.Event.Type + " to " + next.Subscriber,
			TypedSearchAttributes: Attributes(w.state.PropertyID), Priority: temporal.Priority{PriorityKey: 5},
		})
		if err != nil {
			return err
		}
		w.state.Outgoing = w.state.Outgoing[1:]
	}
	return nil
}

// post sends the outbox. What cannot be sent within a day is given up.
func (w *saleRun) post(ctx workflow.Context) error {
	results, err := activities.SendMessages.Run(ctx, activities.SendMessagesInput{
		// The time tells the runs of a sale that was begun again apart.
		Ref: SaleID(w.state.PropertyID) + "@" + w.state.BeganAt.UTC().Format(time.RFC3339), Messages: w.state.Outbox,
	}, "letters about the progress")
	if temporal.IsCanceledError(err) {
		return err
	}
	if err != nil {
		results = activities.SentBefore(err)
		workflow.GetLogger(ctx).Warn("letters about a sale could not be sent", "error", err)
	}
	atOnce := workflow.GetVersion(ctx, "letters-at-once", workflow.DefaultVersion, 1) != workflow.DefaultVersion
	w.state.posted(results, atOnce, durable.Now(ctx))
	return nil
}

// finish ends the sale: it is polled no more, and its professionals are free. What
// arrives meanwhile is looked at first, and then the sale has not ended.
func (w *saleRun) finish(ctx workflow.Context) (ended bool, err error) {
	if workflow.GetVersion(ctx, "release-first", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		w.close(ctx)
		if w.state.RequestID == "" {
			return true, nil
		}
		_, err := activities.ReleaseSale.Run(ctx, activities.ReleaseSaleInput{PropertyID: w.state.PropertyID, RequestID: w.state.RequestID}, "its professionals are free")
		return true, err
	}
	if _, err := activities.ReleaseSale.Run(ctx, activities.ReleaseSaleInput{PropertyID: w.state.PropertyID, RequestID: w.state.RequestID},
		"no more polling, its professionals are free"); err != nil {
		return false, err
	}
	w.close(ctx)
	if err := durable.Settle(ctx, w.take); err != nil {
		return false, err
	}
	if look := w.state.LookFrom; w.state.Course.Fresh || !look.IsZero() && !look.After(durable.Now(ctx)) {
		// The look lets it be polled again.
		w.state.LookFrom = durable.Now(ctx)
		return false, nil
	}
	return true, nil
}

// grace is how long a sale that a webhook has begun waits for its creator, whose
// reply may be on its way, before it asks OpenMoove itself (real time).
const grace = 2 * time.Minute

func (w *saleRun) graceOf(ctx workflow.Context) time.Duration {
	return durable.ClockOf(ctx).Business(grace)
}

// lookWithin is how long a look is tried before the sale goes on without (real time):
// the polling, or a later look, shows what it would have.
const lookWithin = 2 * time.Minute

// look asks OpenMoove what the sale is now. A sale that cannot be found is looked for
// again later: the property may be gone, or the older form of its detail.
func (w *saleRun) look(ctx workflow.Context) error {
	view, err := activities.ReadSale.Limited(lookWithin).Run(ctx, activities.ReadSaleInput{
		Own: true, PropertyID: w.state.PropertyID, TransactionID: w.state.TransactionID, Method: w.state.Method, MilestonesOnly: w.state.milestonesOnly(),
	}, "what it is now")
	if temporal.IsCanceledError(err) {
		return err
	}
	now := durable.Now(ctx)
	if err == nil {
		w.state.compare(view, now, func() { w.state.looked(view, now) })
	} else {
		w.state.lookFailed(now)
	}
	return nil
}

// chase starts or informs the workflow of an invitation.
func (w *saleRun) chase(ctx workflow.Context, c chase) error {
	id := InvitationID(w.state.PropertyID, c.member.Role)
	if !c.begin {
		if err := InvitationSettled.SendFrom(ctx, id, c.settled).Get(ctx, nil); err != nil {
			// It has ended meanwhile, and what it said of that is on its way or lost.
			w.state.invitationEnded(InvitationOutcome{Role: c.member.Role, Email: c.member.Email, How: c.settled.How}, durable.Now(ctx))
		}
		w.state.told(c.member.Role, c.member.Email)
		return nil
	}
	in := w.state.invitation(c.member, w.in.Clock, durable.Now(ctx))
	_, err := durable.StartAbandoned(ctx, InvitationName, in, workflow.ChildWorkflowOptions{
		WorkflowID: id, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         "invitation of the " + policy.Words(string(c.member.Role)),
		TypedSearchAttributes: Attributes(w.state.PropertyID),
	})
	if err != nil {
		return err
	}
	w.state.begun(c.member)
	return nil
}

// close tells the chases that nobody waits for them any more.
func (w *saleRun) close(ctx workflow.Context) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for _, c := range w.state.Chases {
		if c.running() {
			settled := Settled{Email: c.Email, How: InvitationCancelled}
			_ = InvitationSettled.SendFrom(ctx, InvitationID(w.state.PropertyID, c.Role), settled).Get(ctx, nil)
		}
	}
}

func (w *saleRun) wait(ctx workflow.Context) error {
	at, why := w.state.due(w.graceOf(ctx))
	w.alarm.Set(ctx, at, why)
	return workflow.Await(ctx, func() bool {
		return durable.EventReceived.Pending(ctx) || SaleHandedOver.Pending(ctx) || SaleSeen.Pending(ctx) ||
			MilestoneReported.Pending(ctx) || InvitationEnded.Pending(ctx) || w.alarm.Rang()
	})
}

func (w *saleRun) show(ctx workflow.Context) {
	if text := w.state.details(); text != w.shown {
		w.shown = text
		workflow.SetCurrentDetails(ctx, text)
	}
}

// details is the status in the Web UI.
func (s *SaleState) details() string {
	d := s.describe()
	if d.Origin == "" {
		return "Heard of by a webhook; waiting for whoever created it."
	}
	lines := []string{fmt.Sprintf("Property %s, %s, **%s**.\n", d.PropertyID, policy.Words(string(d.Method)), d.Origin)}
	for _, m := range d.Team {
		status := "invited"
		if m.Active {
			status = "active"
		}
		if m.Chase != "" {
			status += ", chase " + m.Chase
		}
		lines = append(lines, fmt.Sprintf("- %s: %s", policy.Words(string(m.Role)), status))
	}
	if p := d.Progress; p.Total > 0 {
		line := fmt.Sprintf("\n**%s**: %d of %d milestones (%d %%)", p.Status, p.Completed, p.Total, p.Percent)
		if p.Current != nil {
			line += ", now " + p.Current.Name
		}
		lines = append(lines, line)
	}
	for _, r := range d.Reported {
		if r.State == ReportAwaiting || r.State == ReportUnconfirmed {
			lines = append(lines, "- "+r.Milestone+": reported, awaiting OpenMoove")
		}
	}
	for _, h := range d.Timeline[max(0, len(d.Timeline)-5):] {
		lines = append(lines, "- "+h.At.Format(time.RFC3339)+" "+h.What)
	}
	if len(d.MissingMilestones) > 0 {
		lines = append(lines, "\nMissing milestones: "+strings.Join(d.MissingMilestones, ", "))
	}
	if !d.LookAt.IsZero() {
		lines = append(lines, "\nNext look: "+d.LookAt.Format(time.RFC3339))
	}
	return strings.Join(lines, "\n")
}
