package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/leasing/movein"
	"github.com/aictive/keyholder/workflows/leasing/renewal"
)

const (
	// leaseAim is how many actions a lease should cost at most in its first year, from
	// its creation to its renewal.
	leaseAim = 60
	// leaseDay is how long a day of business takes.
	leaseDay = 250 * time.Millisecond
	// movesInAfter and endsAfter are days from the beginning; with -small the lease ends
	// after a few months.
	movesInAfter, endsAfter, endsSoon = 10, 375, 110
	// letterLimit is how long the next letter of a lease may take; those that are so many
	// days ahead are waited for longer.
	letterLimit = 30 * time.Second
)

// patience are the changes of policy after which people may take their time, so that
// nobody is too late on a clock that runs fast, and letters leave at any hour.
func patience() []string {
	return []string{
		"quiet_hours: {from: 21:00, to: 08:00}", "quiet_hours: {from: 00:00, to: 00:00}",
		"caps: {routine_per_day: 6}", "caps: {routine_per_day: 1000}", "per_week: 3", "per_week: 1000", "per_month: 8", "per_month: 1000",
		"approval: 10d", "approval: 60d", "escalate_owner: 5d", "escalate_owner: 60d", "remind_owner: [1d, 3d]", "remind_owner: [50d]",
		"decide_within: 2d", "decide_within: 30d", "sign_remind: 3d", "sign_remind: 30d",
		"confirm_within: 2d", "confirm_within: 30d", "remind_after: 1d", "remind_after: 30d",
	}
}

// year is a lease of a stack, and who is written to about it.
type year struct {
	stack  *e2e.Stack
	id     string
	name   string
	phone  string
	owner  string
	sample string
	// street tells its letters from those of other leases; inspector is a phone.
	street, inspector string
	began             time.Time
	ends              int
	// campaigns are the workflows that were begun.
	campaigns []string
}

// leaseYear counts what a lease costs in its first year, with a move-in and a renewal:
// one in Los Angeles whose people answer at once, and at the same time one in Portland
// whose tenants say nothing at all.
func leaseYear(ctx context.Context, s settings, dir string) (err error) {
	policy, err := policyWith(dir, "", patience()...)
	if err != nil {
		return err
	}
	stack, err := e2e.Start(ctx, e2e.Options{
		Binary: s.binary, Data: filepath.Join(dir, "data"), Args: []string{"--ephemeral", "--policy", policy, "--day", leaseDay.String()},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	ends := endsAfter
	if s.small {
		ends = endsSoon
	}
	today, err := businessDay(ctx, stack)
	if err != nil {
		return err
	}
	answered := &year{
		stack: stack, name: "everybody answers", sample: "lease.created", phone: "+13235550177", owner: "contact21@example.com",
		street: "12 Elm Street", inspector: "+12135550131", began: today, ends: ends,
	}
	silent := &year{
		stack: stack, name: "the tenants say nothing", sample: "lease.created.oregon", phone: "+15035550177", owner: "contact22@example.com",
		street: "400 NW Alder Street", inspector: "+12135550134", began: today, ends: ends,
	}
	quiet := make(chan error, 1)
	go func() { quiet <- silent.play(ctx, false) }()
	err = answered.play(ctx, true)
	if err = errors.Join(err, <-quiet); err != nil {
		return err
	}
	what := "a year"
	if s.small {
		what = fmt.Sprintf("%d days instead of a year", ends-movesInAfter)
	}
	fmt.Printf("\na lease with its move-in and its renewal, %s (aim: %d actions)\n", what, leaseAim)
	return errors.Join(answered.print(ctx), silent.print(ctx))
}

// businessDay is the business day, as the sandbox's RentVine has it.
func businessDay(ctx context.Context, stack *e2e.Stack) (time.Time, error) {
	var made struct {
		LeaseID string `json:"lease_id"`
	}
	if err := stack.Post(ctx, "/_records/rentvine/leases", map[string]any{"primaryLeaseStatusID": "3"}, &made); err != nil {
		return time.Time{}, err
	}
	lease, err := stack.RentVineLease(ctx, made.LeaseID)
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, fmt.Sprint(lease["dateTimeCreated"]))
	return at.UTC().Truncate(24 * time.Hour), err
}

func (y *year) day(n int) string { return y.began.AddDate(0, 0, n).Format(time.DateOnly) }

// play plays the year; where the tenants do not answer, the others do.
func (y *year) play(ctx context.Context, tenants bool) (err error) {
	if y.id, err = y.stack.Lease(ctx, y.sample, map[string]any{
		"moveInDate": y.day(movesInAfter), "startDate": y.day(movesInAfter), "endDate": y.day(y.ends),
		"phone": y.phone, "tenantName": "Tia Tenant", "email": "tia" + y.phone[1:] + "@example.com",
	}); err != nil {
		return err
	}
	if err := y.moves(ctx, tenants); err != nil {
		return fmt.Errorf("a move-in where %s: %w", y.name, err)
	}
	if err := y.renews(ctx, tenants); err != nil {
		return fmt.Errorf("a renewal where %s: %w", y.name, err)
	}
	// What is left of the year passes.
	clock, err := y.stack.ClockOf(ctx, leasing.LeaseID(y.id))
	if err != nil {
		return err
	}
	return y.passes(ctx, clock)
}

// passes waits until the end of the lease that it had at first, where that is a year.
func (y *year) passes(ctx context.Context, clock durable.Clock) error {
	if y.ends < endsAfter {
		return nil
	}
	rest := clock.Real(y.began.AddDate(0, 0, y.ends).Sub(clock.Now()))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(rest, 0)):
		return nil
	}
}

func (y *year) moves(ctx context.Context, tenants bool) error {
	moveIn := func(d leasing.LeaseDescription) leasing.Course { return d.MoveIn }
	if err := y.begins(ctx, moveIn); err != nil {
		return err
	}
	if err := y.mailed(ctx, "crates@example.com", "confirm", "order", y.street); err != nil {
		return err
	}
	if tenants {
		for _, asked := range []struct{ words, choice string }{
			{"may we text you", "text"}, {"Electricity", "done"}, {"Gas", "done"}, {"Water", "done"},
		} {
			if err := y.texted(ctx, y.phone, asked.choice, nil, asked.words); err != nil {
				return err
			}
		}
	}
	if err := y.texted(ctx, y.inspector, "done", nil, "inspection", y.street); err != nil {
		return err
	}
	outcome, err := y.finishes(ctx, moveIn)
	if want := map[bool]string{true: movein.Completed, false: movein.Gaps}[tenants]; err == nil && outcome != want {
		err = fmt.Errorf("it ended %q, not %q", outcome, want)
	}
	return err
}

func (y *year) renews(ctx context.Context, tenants bool) error {
	renewed := func(d leasing.LeaseDescription) leasing.Course { return d.Renewal }
	if err := y.begins(ctx, renewed); err != nil {
		return err
	}
	if err := y.mailed(ctx, y.owner, renewal.Approve, "approv", y.street); err != nil {
		return err
	}
	want := renewal.OutcomeSilent
	if tenants {
		want = renewal.OutcomeRenewed
		if err := y.texted(ctx, y.phone, renewal.Accept, nil, "like you to stay"); err != nil {
			return err
		}
		if err := y.texted(ctx, y.phone, renewal.Sign, map[string]string{renewal.FieldName: "Tia Tenant"}, "sign the renewal"); err != nil {
			return err
		}
	}
	outcome, err := y.finishes(ctx, renewed)
	if err == nil && outcome != want {
		err = fmt.Errorf("it ended %q, not %q", outcome, want)
	}
	return err
}

// ahead is how long a part of the lease's time may take.
func (y *year) ahead() time.Duration { return letterLimit + time.Duration(y.ends)*leaseDay }

// begins waits for a campaign.
func (y *year) begins(ctx context.Context, of func(leasing.LeaseDescription) leasing.Course) error {
	d, err := y.stack.UntilLease(ctx, y.id, func(d leasing.LeaseDescription) bool { return of(d).WorkflowID != "" }, y.ahead())
	if err == nil {
		y.campaigns = append(y.campaigns, of(d).WorkflowID)
	}
	return err
}

// finishes waits for its end and returns how it ended.
func (y *year) finishes(ctx context.Context, of func(leasing.LeaseDescription) leasing.Course) (string, error) {
	d, err := y.stack.UntilLease(ctx, y.id, func(d leasing.LeaseDescription) bool { return of(d).WorkflowID == "" && of(d).Outcome != "" }, y.ahead())
	return of(d).Outcome, err
}

// mailed answers a mail that says some words by the page behind its link, once it has come.
func (y *year) mailed(ctx context.Context, to, choice string, words ...string) error {
	return y.answers(ctx, choice, nil, words, func() (said []string, err error) {
		mails, err := y.stack.Mails(ctx, to)
		for _, m := range mails {
			said = append(said, m.Subject+"\n"+m.Text)
		}
		return said, err
	})
}

// texted answers a text that says some words alike.
func (y *year) texted(ctx context.Context, to, choice string, fields map[string]string, words ...string) error {
	return y.answers(ctx, choice, fields, words, func() (said []string, err error) {
		texts, err := y.stack.Texts(ctx, to)
		for _, t := range texts {
			said = append(said, t.Body)
		}
		return said, err
	})
}

// answers answers the newest of some messages that says some words, with a link.
func (y *year) answers(ctx context.Context, choice string, fields map[string]string, words []string, read func() ([]string, error)) error {
	ctx, cancel := context.WithTimeout(ctx, y.ahead())
	defer cancel()
	for {
		said, err := read()
		if err != nil {
			return err
		}
		found := ""
		for _, message := range said {
			if says := e2e.LinkIn(message); says != "" && containsAll(message, words) {
				found = says
			}
		}
		if found != "" {
			reply, err := y.stack.AnswerForm(ctx, found, choice, fields, nil)
			if err == nil && reply.Status != http.StatusOK {
				err = fmt.Errorf("the answer %q to %q got %d: %s", choice, words, reply.Status, reply.Body)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no message with %q: %w", words, ctx.Err())
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// print prints what the year has cost.
func (y *year) print(ctx context.Context) error {
	var total e2e.Cost
	var lines []string
	for _, id := range append([]string{leasing.LeaseID(y.id)}, y.campaigns...) {
		cost, err := y.stack.Cost(ctx, id)
		if err != nil {
			return err
		}
		total.Actions += cost.Actions
		total.Events += cost.Events
		lines = append(lines, fmt.Sprintf("    %s %d, %d events: %s", id, cost.Actions, cost.Events, cost.Breakdown()))
	}
	fmt.Printf("  where %s: %d actions, %.2f of the aim, %d history events\n%s\n",
		y.name, total.Actions, float64(total.Actions)/leaseAim, total.Events, strings.Join(lines, "\n"))
	return nil
}
