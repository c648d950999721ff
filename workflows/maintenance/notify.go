package maintenance

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// stale is the shortest time that a message is tried for, whatever the pace of
// business time.
const stale = 30 * time.Second

// heldAtLeast is how long a message that may not leave waits at least (real time).
const heldAtLeast = 5 * time.Second

// about is what every text of this work order may say.
func (w *run) about() policy.TextData {
	s := w.state
	d := policy.TextData{
		Problem: s.Assessment.Problem,
		Address: s.Report.Property.Address, Unit: s.Report.Unit, WorkOrder: s.Report.WorkOrder.Number,
	}
	if d.WorkOrder == "" {
		d.WorkOrder = w.id
	}
	if d.Address == "" {
		d.Address = "property " + s.Report.Property.ID
	}
	if s.Repair != nil && s.Repair.Analysis.Problem != "" && !s.emergency() {
		d.Problem = s.Repair.Analysis.Problem
	}
	if s.Job != nil {
		d.Person = s.Job.Person.Name
	}
	if s.Acknowledged != nil {
		d.By = w.nameOf(s.Acknowledged.By)
	}
	if due := s.dueBy(); !due.IsZero() && s.emergency() {
		d.DueBy = w.local(due)
	}
	return d
}

// nameOf is a person's name for other people to read, else their id.
func (w *run) nameOf(id string) string {
	if id == "rentvine" {
		return "the office"
	}
	if p, ok := w.state.Settings.Person(id); ok && p.Name != "" {
		return p.Name
	}
	return id
}

func (w *run) local(t time.Time) string {
	return t.In(w.location()).Format("Jan 2 15:04 MST")
}

// message is one message of a step to a person; the person is part of the step's
// name, so that a reset workflow never mistakes one for another.
func (w *run) message(p activities.Person, step, text string, class activities.Class, about policy.TextData) []activities.Message {
	body, err := w.state.Settings.Text(text, about)
	if err != nil {
		// The policy was checked when it was loaded; one without the text says nothing.
		return nil
	}
	return []activities.Message{{
		Step: step + "/" + p.ID, To: p, Class: class, Text: body,
		Channels: []activities.Channel{activities.SMS, activities.Mail},
	}}
}

func (w *run) to(people []activities.Person, step, text string, class activities.Class) []activities.Message {
	return w.toAbout(people, step, text, class, w.about())
}

func (w *run) toAbout(people []activities.Person, step, text string, class activities.Class, about policy.TextData) []activities.Message {
	var batch []activities.Message
	for _, p := range people {
		batch = append(batch, w.message(p, step, text, class, about)...)
	}
	return batch
}

func (w *run) toManager(step, text string, class activities.Class) []activities.Message {
	return w.to([]activities.Person{activities.PersonOf(w.state.Settings.Manager)}, step, text, class)
}

// byMail makes mail the only channel.
func byMail(batch []activities.Message) []activities.Message {
	for i := range batch {
		batch[i].Channels = []activities.Channel{activities.Mail}
	}
	return batch
}

// send sends a batch and goes on; what becomes of it changes the state when it is
// known. within limits all tries (business time); 0 leaves the activity's own.
func (w *run) send(ctx workflow.Context, summary string, batch []activities.Message, within time.Duration) {
	if len(batch) == 0 {
		return
	}
	s := w.state
	s.rememberNotices(batch)
	urgent := batch[0].Class == activities.LifeSafety || batch[0].Class == activities.Emergency
	if within == 0 && urgent && len(batch[0].Channels) > 1 {
		// What is urgent does not wait for a carrier that is down: it goes by mail.
		within = s.Settings.OnCall.Gap
	}
	handle := activities.SendMessages
	if within > 0 {
		handle = handle.Limited(max(w.clock.Real(within), stale))
	}
	if urgent {
		handle = handle.WithPriority(1)
	}
	landed := w.start()
	sending := handle.Start(ctx, activities.SendMessagesInput{
		Ref: w.ref, PortfolioID: s.Report.Property.PortfolioID, PropertyID: s.Report.Property.ID, Zone: w.zone(), Messages: batch,
	}, summary)
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer landed()
		results, err := sending.Get(ctx)
		if err != nil {
			w.notSent(ctx, batch, err)
			return
		}
		w.sent(ctx, batch, results)
	})
}

// sent takes what became of a batch: held messages wait, impossible ones are
// treated as the carrier's failures are.
func (w *run) sent(ctx workflow.Context, batch []activities.Message, results []activities.Sent) {
	now := durable.Now(ctx)
	byStep := map[string]activities.Message{}
	for _, m := range batch {
		byStep[m.Step] = m
	}
	for _, r := range results {
		w.askedInVain(byStep[r.Step])
		switch r.Outcome {
		case activities.MessageSent, activities.MessageRecorded:
		case activities.MessageHeld:
			until := r.HeldUntil
			// A worker whose clock is behind would hold it back again at once.
			if earliest := w.clock.At(workflow.Now(ctx).Add(heldAtLeast)); until.Before(earliest) { //nolint:forbidigo // a technical pause is real time
				until = earliest
			}
			w.state.Held = append(w.state.Held, Held{Until: until, Messages: []activities.Message{byStep[r.Step]}})
			if w.state.Repair != nil {
				w.state.Repair.Postpone(r.Step, until, now)
			}
			w.state.note(now, "held back: "+r.Why, byStep[r.Step].To.ID)
		case activities.MessageImpossible:
			// Every channel was tried: what messageFailed would send again has failed too.
			w.state.messageFailed(durable.MessageFailure{Step: r.Step, Status: impossible}, w.circumstances(), now)
			w.state.note(now, "could not be reached ("+r.Why+")", byStep[r.Step].To.ID)
		}
	}
}

// notSent takes that a batch could not be sent in time: what did leave counts, the
// other texts go by mail instead.
func (w *run) notSent(ctx workflow.Context, batch []activities.Message, err error) {
	if temporal.IsCanceledError(err) {
		return // the question has its answer
	}
	now := durable.Now(ctx)
	w.state.note(now, "messages not sent in time: "+durable.KindOf(err), "")
	left := activities.SentBefore(err)
	w.sent(ctx, batch, left)
	settled := map[string]bool{}
	for _, r := range left {
		settled[r.Step] = true
	}
	for _, m := range batch {
		if settled[m.Step] {
			continue
		}
		if again := w.state.messageFailed(durable.MessageFailure{Step: m.Step, Status: "timeout"}, w.circumstances(), now); again != nil {
			w.send(ctx, "by another channel", []activities.Message{*again}, 0)
		}
	}
}

// releaseHeld sends what may leave now.
func (w *run) releaseHeld(ctx workflow.Context) {
	now := durable.Now(ctx)
	var waiting []Held
	var due []activities.Message
	for _, h := range w.state.Held {
		if h.Until.After(now) {
			waiting = append(waiting, h)
			continue
		}
		for _, m := range h.Messages {
			if w.state.stillAsked(m) {
				due = append(due, m)
			}
		}
	}
	w.state.Held = waiting
	w.send(ctx, "held back until now", due, 0)
}

// askedInVain closes a question of a repair that left after it had been settled.
func (w *run) askedInVain(m activities.Message) {
	if r := w.state.Repair; r != nil && m.Ask != nil && r.AskedInVain(m.Step, m.To.ID) {
		w.state.Repair.Close = append(w.state.Repair.Close, m.Step)
	}
}
