package portfolio

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/asking"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

const (
	purposeRenew = "renew_requirement"
	// The answers to a letter.
	choiceRenewed       = "renewed"
	choiceNotApplicable = "not_applicable"
	// The fields of its form.
	fieldRenewedOn = "renewed_on"
	fieldGoodUntil = "good_until"
	fieldEvidence  = "evidence"
	// letterLife is how long a link is good (business time): longer than from the first
	// reminder to one that is long overdue.
	letterLife = 180 * 24 * time.Hour
	// evidenceMost is how many files an answer may bring.
	evidenceMost = 6
)

// complianceAbout is a property or unit as people call it.
func complianceAbout(in ComplianceInput) (property, unit string) {
	property = cmp.Or(in.Property.Address, in.Property.Name, "property "+in.Property.ID)
	if in.UnitID == "" {
		return property, ""
	}
	u, _ := in.Property.Unit(in.UnitID)
	return property, cmp.Or(u.Label, "unit "+in.UnitID)
}

func compliancePlace(in ComplianceInput) string {
	property, unit := complianceAbout(in)
	if unit == "" {
		return property
	}
	return property + ", " + unit
}

// complianceReceivers are who a letter goes to.
func complianceReceivers(l complianceLetter, rules policy.Portfolio) []policy.Person {
	people := []policy.Person{rules.Manager}
	if l.Overdue && rules.Escalation.ID != "" && rules.Escalation.ID != rules.Manager.ID {
		people = append(people, rules.Escalation)
	}
	return people
}

// complianceWords are the title and the text of a letter.
func complianceWords(l complianceLetter, s *ComplianceState, in ComplianceInput, today string) (title, text string) {
	name, place, due := s.Requirement.Name, compliancePlace(in), s.due()
	left, _ := daysLeft(today, due)
	switch {
	case l.First:
		title = fmt.Sprintf("%s needed by %s: %s", name, due, place)
		text = fmt.Sprintf("%s is new. It needs this by %s: %s. If there is one already, say of when it is.", place, due, name)
	case l.Overdue:
		title = fmt.Sprintf("Overdue since %s: %s, %s", due, name, place)
		text = fmt.Sprintf("%s of %s was due on %s and is overdue for %s.", name, place, due, inDays(-left))
	case left == 0:
		title = fmt.Sprintf("%s due today: %s", name, place)
		text = fmt.Sprintf("%s of %s must be renewed today, %s.", name, place, due)
	default:
		title = fmt.Sprintf("%s due on %s: %s", name, due, place)
		text = fmt.Sprintf("%s of %s must be renewed by %s, in %s.", name, place, due, inDays(left))
	}
	if what := strings.TrimSpace(s.Requirement.What); what != "" {
		text += "\n\n" + what
	}
	return title, text + "\n\nOnce it is done, say so here, or that it does not apply: {link}"
}

func inDays(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// complianceAsk is what a letter asks.
func complianceAsk(title string, s *ComplianceState, in ComplianceInput, now time.Time) activities.Ask {
	property, unit := complianceAbout(in)
	details := []activities.Detail{{Label: "Property", Text: property}}
	if unit != "" {
		details = append(details, activities.Detail{Label: "Unit", Text: unit})
	}
	details = append(details, activities.Detail{Label: "Needed", Text: s.Requirement.Name}, activities.Detail{Label: "Due", Text: s.due()})
	if s.Renewed != "" {
		details = append(details, activities.Detail{Label: "Last renewed", Text: s.Renewed})
	}
	if s.Requirement.What != "" {
		details = append(details, activities.Detail{Label: "What to do", Text: s.Requirement.What})
	}
	evidence := activities.Field{Name: fieldEvidence, Label: "The certificate, or photos of it", Kind: activities.FieldFiles, Most: evidenceMost}
	if s.Requirement.Evidence {
		evidence.For = []string{choiceRenewed}
	}
	return activities.Ask{
		Purpose: purposeRenew, Title: title, Details: details, ExpiresAt: now.Add(letterLife),
		Options: []activities.Option{
			{Key: "1", Choice: choiceRenewed, Label: "It is renewed"},
			{Key: "2", Choice: choiceNotApplicable, Label: "It does not apply here", WantsNote: true},
		},
		Fields: []activities.Field{
			{Name: fieldRenewedOn, Label: "Renewed on", Kind: activities.FieldDate, For: []string{choiceRenewed}, From: s.Renewed},
			{Name: fieldGoodUntil, Label: fmt.Sprintf("Good until, where that is not %d months later", s.Requirement.Months), Kind: activities.FieldDate},
			evidence,
		},
	}
}

// send mails a letter, and notes that it has left, or until when it is held.
func (w *complianceRun) send(ctx workflow.Context, l complianceLetter) error {
	s, now, due := w.state, durable.Now(ctx), w.state.due()
	title, text := complianceWords(l, s, w.in, activities.DayIn(now, w.zone()))
	step, ask := fmt.Sprintf("letter/%d", s.Written), complianceAsk(title, s, w.in, now)
	for _, person := range complianceReceivers(l, s.Rules) {
		_, held, err := asking.Person(ctx, asking.Question{
			Step: step + "/" + person.ID, Ref: w.ref(), Zone: w.zone(), Title: title, Text: text, To: person, Ask: ask,
		})
		if err != nil {
			return err
		}
		if !held.IsZero() {
			s.HeldUntil = held
			return nil
		}
	}
	now = durable.Now(ctx)
	s.wrote(l, due, now)
	switch {
	case l.First:
		s.note(now, "asked: it is needed by %s", due)
	case l.Overdue:
		s.note(now, "overdue since %s: the manager and the escalation contact are told", due)
	default:
		s.note(now, "reminded: it is due on %s", due)
	}
	return nil
}

// tellNotApplicable mails the escalation contact that somebody says so. That it cannot be
// sent does not keep the watch from ending.
func (w *complianceRun) tellNotApplicable(ctx workflow.Context) error {
	s := w.state
	to := s.Rules.Escalation
	if to.ID == "" || to.ID == w.by {
		return nil
	}
	text := fmt.Sprintf("%s is not watched any more for %s: it was said that it does not apply.\n\nWhy: %s",
		s.Requirement.Name, compliancePlace(w.in), w.why)
	return w.tell(ctx, to, "not_applicable", "Does not apply: "+s.Requirement.Name+", "+compliancePlace(w.in), text)
}

// tell mails somebody what he need not answer, when that may leave.
func (w *complianceRun) tell(ctx workflow.Context, to policy.Person, step, subject, text string) error {
	for range tellTries {
		sent, err := activities.SendMessages.Run(ctx, activities.SendMessagesInput{
			Ref: w.ref(), PortfolioID: w.in.Property.PortfolioID, PropertyID: w.in.Property.ID, Zone: w.zone(),
			Messages: []activities.Message{{
				Step: step, To: activities.PersonOf(to), Class: activities.Work, Channels: []activities.Channel{activities.Mail}, Subject: subject, Text: text,
			}},
		}, "tell "+to.ID)
		if err != nil {
			return err
		}
		if sent[0].Outcome != activities.MessageHeld {
			return nil
		}
		wait := max(sent[0].HeldUntil.Sub(durable.Now(ctx)), heldPause)
		if err := durable.Sleep(ctx, wait, "the letter is held back"); err != nil {
			return err
		}
	}
	return nil
}

const (
	// tellTries is how often a held letter is looked at, heldPause the least pause.
	tellTries = 100
	heldPause = 15 * time.Minute
)

// details is the status in the Web UI.
func (d ComplianceDescription) details() string {
	place := "property " + d.PropertyID
	if d.UnitID != "" {
		place += ", unit " + d.UnitID
	}
	lines := []string{fmt.Sprintf("%s of %s: **%s**", cmp.Or(d.Name, d.RequirementID), place, d.State), ""}
	for _, l := range []struct{ what, text string }{{"due", d.Due}, {"renewed", d.Renewed}} {
		if l.text != "" {
			lines = append(lines, "- "+l.what+" "+l.text)
		}
	}
	if d.Ended != "" {
		lines = append(lines, "- ended: "+policy.Words(d.Ended))
	}
	if !d.NextAt.IsZero() {
		lines = append(lines, fmt.Sprintf("\nNext: **%s**, %s", d.Next, d.NextAt.Format(time.RFC3339)))
	}
	return strings.Join(append(lines, complianceTimeline(d.Timeline)...), "\n")
}

func complianceTimeline(entries []campaign.Entry) []string {
	const shown = 8
	lines := []string{""}
	for _, e := range entries[max(0, len(entries)-shown):] {
		lines = append(lines, "- "+e.At.Format(time.RFC3339)+" "+e.What)
	}
	return lines
}
