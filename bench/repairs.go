package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

const (
	// repairAim is how many actions an ordinary repair should cost at most, from the
	// report to closed.
	repairAim = 45
	// repairDay is how long a day of business takes.
	repairDay = "1m"
	// byLimit is how long the next text of a repair may take; a visit is waited for.
	byLimit = time.Minute
)

// The phones of the policy and of the sandbox that the repairs need: of the building
// in Portland and of the one in Los Angeles, and of who may repair a tap there.
const (
	portlandTenant, portlandPlumber = "+15035550102", "+12135550134"
	angelesTenant                   = "+12135550101"
)

// angelesZone is where the vendors' calendars are.
const angelesZone = "America/Los_Angeles"

// policyWith writes the policy with changes, pairs of old and new text, and more at
// its end, and returns the file.
func policyWith(dir, more string, changes ...string) (string, error) {
	text, err := os.ReadFile(filepath.Join("policy", "policy.yaml"))
	if err != nil {
		return "", err
	}
	policy := string(text)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(policy, changes[i]) {
			return "", fmt.Errorf("the policy has no %q", changes[i])
		}
		policy = strings.Replace(policy, changes[i], changes[i+1], 1)
	}
	path := filepath.Join(dir, "policy.yaml")
	return path, errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(path, []byte(policy+more), 0o600))
}

// quickVisits are the changes of policy after which visits begin all day long, with
// little notice but enough for a reminder to the tenant, nobody is too late on a clock that runs fast, and all that is said in
// one day may be.
func quickVisits() []string {
	return []string{
		"quiet_hours: {from: 21:00, to: 08:00}", "quiet_hours: {from: 00:00, to: 00:00}",
		"days: [mon, tue, wed, thu, fri, sat]", "days: [mon, tue, wed, thu, fri, sat, sun]",
		"slots: [{from: 08:00, to: 12:00}, {from: 12:00, to: 16:00}, {from: 16:00, to: 19:00}]",
		"slots: [{from: 00:00, to: 06:00}, {from: 06:00, to: 12:00}, {from: 12:00, to: 18:00}, {from: 18:00, to: 23:59}]",
		"lead: 12h", "lead: 7h", "remind: [24h, 1h]", "remind: [4h, 2h]", "late: 1h", "late: 24h", "offer_within: 4h", "offer_within: 2d",
		"routine_per_day: 6", "routine_per_day: 100",
	}
}

// repairs counts what an ordinary repair costs from the report to closed: one by a
// technician in Portland, and at the same time one in Los Angeles, where the policy
// leaves nothing to technicians, by the vendor with the best of three bids.
func repairs(ctx context.Context, s settings, dir string) (err error) {
	policy, err := policyWith(dir, "\nproperties: {\"1\": {repairs: {technicians_up_to: 1m}}}\n", quickVisits()...)
	if err != nil {
		return err
	}
	stack, err := e2e.Start(ctx, e2e.Options{Binary: s.binary, Data: filepath.Join(dir, "data"), Args: []string{"--ephemeral", "--policy", policy, "--day", repairDay}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	type played struct {
		id  string
		err error
	}
	vendors := make(chan played, 1)
	go func() {
		id, err := vendorRepair(ctx, stack)
		vendors <- played{id, err}
	}()
	technicians, err := technicianRepair(ctx, stack)
	byVendor := <-vendors
	if err = errors.Join(err, byVendor.err); err != nil {
		return err
	}
	cost, err := stack.Cost(ctx, maintenance.WorkOrderID(technicians))
	if err != nil {
		return err
	}
	fmt.Printf("\nordinary repairs, from the report to closed, the tenant reminded of the visit (aim: %d actions)\n", repairAim)
	fmt.Printf("  by a technician: %d actions, %.2f of the aim, %d history events\n    %s\n",
		cost.Actions, ofAim(cost.Actions), cost.Events, cost.Breakdown())
	return vendorCost(ctx, stack, byVendor.id)
}

func ofAim(actions int) float64 { return float64(actions) / repairAim }

// vendorCost prints what a vendor's repair has cost with its bidding, which is a
// workflow of its own.
func vendorCost(ctx context.Context, stack *e2e.Stack, id string) error {
	order, err := stack.Cost(ctx, maintenance.WorkOrderID(id))
	if err != nil {
		return err
	}
	bids, err := stack.Cost(ctx, maintenance.BiddingID(id, 1))
	if err != nil {
		return err
	}
	fmt.Printf("  by a vendor, after three bids: %d actions, %.2f of the aim, %d history events\n    work order %d, %d events: %s\n    bidding %d, %d events: %s\n",
		order.Actions+bids.Actions, ofAim(order.Actions+bids.Actions), order.Events+bids.Events,
		order.Actions, order.Events, order.Breakdown(), bids.Actions, bids.Events, bids.Breakdown())
	return nil
}

// technicianRepair plays a repair by our own technician.
func technicianRepair(ctx context.Context, stack *e2e.Stack) (string, error) {
	id, err := stack.Tap(ctx, map[string]any{
		"propertyID": "2", "unitID": "2", "leaseID": "2", "portfolioID": "2", "requestedByContactID": "2",
	})
	if err != nil {
		return "", err
	}
	if err := says(ctx, stack, "Reply 1 = accept", portlandPlumber, repair.Accept, nil, nil); err != nil {
		return "", fmt.Errorf("a technician's repair: %w", err)
	}
	if err := visit(ctx, stack, id, portlandTenant, portlandPlumber, 1); err != nil {
		return "", fmt.Errorf("a technician's repair: %w", err)
	}
	return id, nil
}

// vendorRepair plays a repair by a vendor.
func vendorRepair(ctx context.Context, stack *e2e.Stack) (string, error) {
	id, err := stack.Tap(ctx, nil)
	if err != nil {
		return "", err
	}
	open := func(d maintenance.Description) bool {
		return d.Stage == maintenance.Stage(repair.Bidding) && len(d.Timeline) > 0
	}
	d, err := stack.Until(ctx, id, open, byLimit)
	if err != nil {
		return "", err
	}
	zone, err := time.LoadLocation(angelesZone)
	if err != nil {
		return "", err
	}
	// The day that it is for the vendors, or will be before they have bid.
	free := d.Timeline[len(d.Timeline)-1].At.Add(3 * time.Hour).In(zone).Format(time.DateOnly)
	if err := bid(ctx, stack, free); err != nil {
		return "", fmt.Errorf("a vendor's repair: %w", err)
	}
	won, err := stack.WaitForText(ctx, "Reply 1 = I take it", "", byLimit)
	if err != nil {
		return "", err
	}
	if err := says(ctx, stack, "Reply 1 = I take it", won.To, repair.Accept, nil, nil); err != nil {
		return "", fmt.Errorf("a vendor's repair: %w", err)
	}
	if err := visit(ctx, stack, id, angelesTenant, won.To, 3); err != nil {
		return "", fmt.Errorf("a vendor's repair: %w", err)
	}
	return id, nil
}

// bid lets three vendors bid who are free from a day on.
func bid(ctx context.Context, stack *e2e.Stack, free string) error {
	ctx, cancel := context.WithTimeout(ctx, byLimit)
	defer cancel()
	answered := map[string]bool{}
	for len(answered) < 3 {
		texts, err := stack.Texts(ctx, "")
		if err != nil {
			return err
		}
		for _, t := range texts {
			if answered[t.To] || !strings.Contains(t.Body, "what would you charge") {
				continue
			}
			price := fmt.Sprintf("%d.00", 120+10*len(answered))
			if err := says(ctx, stack, "what would you charge", t.To, "bid", map[string]string{"price": price, "earliest": free}, nil); err != nil {
				return err
			}
			answered[t.To] = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of 3 vendors were asked for a bid", len(answered))
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// visit plays a repair from the tenant's choice of a time to the closed work order,
// with two photos of which number is the first: another repair's would be found out.
func visit(ctx context.Context, stack *e2e.Stack, id, tenant, worker string, number int) error {
	before, err := e2e.Picture(number)
	if err != nil {
		return err
	}
	after, err := e2e.Picture(number + 1)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		asked, to, choice string // without a choice the text only has to come
		fields            map[string]string
		photos            map[string][][]byte
	}{
		{"Which time suits you", tenant, repair.WindowChoice(0), nil, nil},
		{"if you need another time", tenant, "", nil, nil},
		{"on my way", worker, repair.Way, nil, nil},
		{"on site", worker, repair.Here, nil, nil},
		{"with photos", worker, repair.Done, map[string]string{"checklist": "0,1,2"}, map[string][][]byte{"before": {before}, "after": {after}}},
		{"Reply 1 = fixed", tenant, repair.Fixed, map[string]string{"rating": "5"}, nil},
	} {
		if err := says(ctx, stack, step.asked, step.to, step.choice, step.fields, step.photos); err != nil {
			return err
		}
	}
	if err := stack.UntilClosed(ctx, id, byLimit); err != nil {
		d, lookErr := stack.Describe(ctx, id)
		return errors.Join(fmt.Errorf("it stays %s, waiting for %s: %w", d.Stage, d.WaitingFor, err), lookErr)
	}
	d, err := stack.Describe(ctx, id)
	if err == nil && (d.Repair == nil || d.Repair.Visits != 1 || d.Repair.Returns != 0 || d.Repair.Confirmed == "") {
		err = fmt.Errorf("it was closed without a repair at one visit: %+v", d.Repair)
	}
	return err
}

// says answers the question of a text by the page behind its link, once it has come.
func says(ctx context.Context, stack *e2e.Stack, contains, to, choice string, fields map[string]string, photos map[string][][]byte) error {
	asked, err := stack.WaitForText(ctx, contains, to, byLimit)
	if err != nil || choice == "" {
		return err
	}
	reply, err := stack.AnswerForm(ctx, e2e.LinkIn(asked.Body), choice, fields, photos)
	if err == nil && reply.Status != http.StatusOK {
		err = fmt.Errorf("the answer %q to %q got %d: %s", choice, contains, reply.Status, reply.Body)
	}
	return err
}
