package activities

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

func TestWhichSideHolds(t *testing.T) {
	t.Parallel()
	const (
		nothing = ConflictOutcome("no conflict")
		ours    = ConflictOurs
		theirs  = ConflictTheirs
		asks    = ConflictAsks
	)
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	changed := side{base: "a", known: true, theirs: "b", ours: "c", oursAt: noon}
	at := func(theirs time.Time) side { s := changed; s.theirsAt = theirs; return s }
	for _, c := range []struct {
		name string
		side side
		// want is by rule: partner, ours, newest, person.
		want [4]ConflictOutcome
	}{
		{"nothing is known", side{theirs: "b", ours: "c", oursAt: noon}, [4]ConflictOutcome{nothing, nothing, nothing, nothing}},
		{"we alone change it", side{base: "a", known: true, theirs: "a", ours: "c"}, [4]ConflictOutcome{nothing, nothing, nothing, nothing}},
		{"both want the same", side{base: "a", known: true, theirs: "c", ours: "c"}, [4]ConflictOutcome{nothing, nothing, nothing, nothing}},
		{"theirs is taken back", side{base: "a", known: true, theirs: "b", ours: "a", oursAt: noon}, [4]ConflictOutcome{theirs, ours, theirs, asks}},
		{"theirs was cleared", side{base: "a", known: true, ours: "c", oursAt: noon}, [4]ConflictOutcome{theirs, ours, theirs, asks}},
		{"nothing was there before", side{known: true, theirs: "b", ours: "c", oursAt: noon}, [4]ConflictOutcome{theirs, ours, theirs, asks}},
		{"no time of theirs", changed, [4]ConflictOutcome{theirs, ours, theirs, asks}},
		{"theirs is earlier", at(noon.Add(-time.Second)), [4]ConflictOutcome{theirs, ours, ours, asks}},
		{"both at once", at(noon), [4]ConflictOutcome{theirs, ours, theirs, asks}},
		{"theirs is later", at(noon.Add(time.Second)), [4]ConflictOutcome{theirs, ours, theirs, asks}},
	} {
		for i, rule := range []policy.ConflictRule{policy.ConflictPartner, policy.ConflictOurs, policy.ConflictNewest, policy.ConflictPerson} {
			outcome, conflict := decide(rule, c.side)
			if !conflict {
				require.Equal(t, ConflictOurs, outcome, "without a conflict ours is written")
				outcome = nothing
			}
			require.Equal(t, c.want[i], outcome, "%s, %s", c.name, rule)
		}
	}
}

// rule has the policy's rule for a field be another.
func (a *account) rule(field policy.ConflictField, rule policy.ConflictRule) {
	a.t.Helper()
	text, err := os.ReadFile("../policy/policy.yaml")
	require.NoError(a.t, err)
	line := regexp.MustCompile(fmt.Sprintf(`(?m)^      %s: [a-z]+`, field))
	require.Len(a.t, line.FindAll(text, -1), 1)
	file := filepath.Join(a.t.TempDir(), "policy.yaml")
	require.NoError(a.t, os.WriteFile(file, line.ReplaceAll(text, fmt.Appendf(nil, "      %s: %s", field, rule)), 0o600))
	a.acts.Policy, err = policy.Open(file, nil)
	require.NoError(a.t, err)
}

// watched is a context that keeps what activities record.
func watched(t *testing.T) (context.Context, *recorder) {
	t.Helper()
	r := &recorder{}
	return context.WithValue(t.Context(), recorderKey{}, r), r
}

// conflicts are the lines of conflicts that were recorded.
func (r *recorder) conflicts() (lines []string) {
	for _, e := range r.entries {
		if e.Kind == store.AuditConflict {
			lines = append(lines, e.What)
		}
	}
	return lines
}

// met is how many conflicts the metrics count.
func (a *account) met() (n int) {
	a.t.Helper()
	registry := prometheus.NewRegistry()
	require.NoError(a.t, registry.Register(a.acts.conflictsMet))
	families, err := registry.Gather()
	require.NoError(a.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			n += int(m.GetCounter().GetValue())
		}
	}
	return n
}

// read has the workflow of work order 1 know it as it is.
func (a *account) read() {
	a.t.Helper()
	wo, err := a.acts.RentVine.WorkOrder(a.t.Context(), "1")
	require.NoError(a.t, err)
	require.NoError(a.t, a.acts.Store.Know(a.t.Context(), store.KnownRecord{Record: "work-order/1", Fields: a.acts.workOrderFields(wo), At: a.acts.Now()}))
}

func booked() UpdateWorkOrderInput {
	return UpdateWorkOrderInput{
		WorkOrderID: "1", StatusNames: []string{"Scheduled"}, Primary: StatusOpen, ScheduledDate: "2026-11-24", ScheduledEndDate: "2026-11-24",
		WindowStart: "2026-11-24 08:00:00", WindowEnd: "2026-11-24 12:00:00", VendorContactID: "11", ClearAssigned: true, EstimatedAmount: "180.50",
	}
}

// Somebody changes a work order that we have read and are about to write, field by field
// and rule by rule.
func TestConflictsOfAWorkOrder(t *testing.T) {
	t.Parallel()
	inProgress := map[string]any{"workOrderID": "1", "workOrderStatusID": "13"}
	user, vendor := map[string]any{"workOrderID": "1", "assignedToUserID": "33"}, map[string]any{"workOrderID": "1", "vendorContactID": "12"}
	day := map[string]any{"workOrderID": "1", "scheduledStartDate": "2026-11-30"}
	for name, c := range map[string]struct {
		field  policy.ConflictField
		rule   policy.ConflictRule
		theirs map[string]any
		// line is the conflict, "" for none; want are fields afterwards.
		line string
		want map[string]any
	}{
		"status, partner": {policy.FieldWorkOrderStatus, policy.ConflictPartner, inProgress, "work order status: RentVine says 13, we wanted 12: partner -> kept theirs",
			map[string]any{"workOrderStatusID": "13", "vendorContactID": "11", "scheduledStartDate": "2026-11-24"}},
		"status, ours": {policy.FieldWorkOrderStatus, policy.ConflictOurs, inProgress, "work order status: RentVine says 13, we wanted 12: ours -> wrote ours",
			map[string]any{"workOrderStatusID": "12", "vendorContactID": "11"}},
		"user, partner": {policy.FieldWorkOrderWorker, policy.ConflictPartner, user, "work order worker: RentVine says assignedToUserID 33, we wanted no assignedToUserID: partner -> kept theirs",
			map[string]any{"assignedToUserID": "33", "vendorContactID": nil, "scheduledStartDate": nil, "workOrderStatusID": "12", "estimatedAmount": "180.50"}},
		"user, ours": {policy.FieldWorkOrderWorker, policy.ConflictOurs, user, "work order worker: RentVine says assignedToUserID 33, we wanted no assignedToUserID: ours -> wrote ours",
			map[string]any{"assignedToUserID": nil, "vendorContactID": "11", "scheduledStartDate": "2026-11-24"}},
		"vendor, partner": {policy.FieldWorkOrderWorker, policy.ConflictPartner, vendor, "work order worker: RentVine says vendorContactID 12, we wanted vendorContactID 11: partner -> kept theirs",
			map[string]any{"vendorContactID": "12", "appointmentWindowStartDateTime": nil}},
		"schedule, partner": {policy.FieldWorkOrderSchedule, policy.ConflictPartner, day, "work order schedule: RentVine says scheduledStartDate 2026-11-30, we wanted scheduledStartDate 2026-11-24: partner -> kept theirs",
			map[string]any{"scheduledStartDate": "2026-11-30", "appointmentWindowStartDateTime": nil, "vendorContactID": "11", "workOrderStatusID": "12"}},
		"schedule, ours": {policy.FieldWorkOrderSchedule, policy.ConflictOurs, day, "work order schedule: RentVine says scheduledStartDate 2026-11-30, we wanted scheduledStartDate 2026-11-24: ours -> wrote ours",
			map[string]any{"scheduledStartDate": "2026-11-24", "appointmentWindowStartDateTime": "2026-11-24 08:00:00"}},
		"the same as ours": {policy.FieldWorkOrderWorker, policy.ConflictPartner, map[string]any{"workOrderID": "1", "vendorContactID": "11"}, "",
			map[string]any{"vendorContactID": "11", "scheduledStartDate": "2026-11-24"}},
		"what we do not write": {policy.FieldWorkOrderWorker, policy.ConflictPartner, map[string]any{"workOrderID": "1", "priorityID": "3"}, "",
			map[string]any{"priorityID": "3", "vendorContactID": "11", "scheduledStartDate": "2026-11-24"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.rule(c.field, c.rule)
			a.read()
			a.box.PutWorkOrder(c.theirs)
			ctx, audit := watched(t)
			written, err := a.acts.updateWorkOrder(ctx, booked())
			require.NoError(t, err)
			if c.line == "" {
				require.Empty(t, written.Conflicts)
				require.Empty(t, audit.conflicts())
				require.Zero(t, a.met())
			} else {
				require.Len(t, written.Conflicts, 1)
				require.Equal(t, c.line, written.Conflicts[0].Text())
				require.Equal(t, []string{c.line}, audit.conflicts())
				require.Equal(t, 1, a.met())
				require.Equal(t, written.Conflicts[0].Outcome != ConflictOurs, written.Kept(c.field))
			}
			wo := a.record()
			for field, want := range c.want {
				require.Equal(t, want, wo[field], field)
			}
			if written.Kept(policy.FieldWorkOrderStatus) {
				require.Empty(t, written.Status)
				require.Equal(t, "13", written.StatusID)
			}
			a.posted()
			again, err := a.acts.updateWorkOrder(ctx, booked())
			require.NoError(t, err)
			require.False(t, again.Changed)
			require.Empty(t, a.posted(), "a repeat writes nothing")
		})
	}
}

// Everything that was wished is somebody else's: nothing is written, not even nothing.
func TestAWishOfWhichNothingIsLeft(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.read()
	a.box.PutWorkOrder(map[string]any{"workOrderID": "1", "assignedToUserID": "33"})
	ctx, audit := watched(t)
	written, err := a.acts.updateWorkOrder(ctx, UpdateWorkOrderInput{WorkOrderID: "1", AssignedUserID: "31"})
	require.NoError(t, err)
	require.False(t, written.Changed)
	require.True(t, written.Kept(policy.FieldWorkOrderWorker))
	require.Empty(t, a.posted())
	require.Len(t, audit.entries, 1, "no write is recorded")
}

func TestWhatIsNoConflictOfAWorkOrder(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.box.PutWorkOrder(map[string]any{"workOrderID": "1", "assignedToUserID": "33"})
	written, err := a.update(booked())
	require.NoError(t, err)
	require.Empty(t, written.Conflicts, "nothing was known of it")
	require.Equal(t, "11", a.record()["vendorContactID"])

	a.read()
	a.box.PutWorkOrder(map[string]any{"workOrderID": "1", "assignedToUserID": "31"})
	a.read() // the workflow knows, and wants it otherwise
	written, err = a.update(booked())
	require.NoError(t, err)
	require.Empty(t, written.Conflicts)
	require.Nil(t, a.record()["assignedToUserID"])

	back := booked()
	back.VendorContactID, back.ClearVendor = "", true
	written, err = a.update(back)
	require.NoError(t, err)
	require.Empty(t, written.Conflicts, "what we wrote ourselves is known")

	// Whatever open status the work order has, what closes it closes it.
	a.box.PutWorkOrder(map[string]any{"workOrderID": "1", "workOrderStatusID": "13"})
	written, err = a.update(UpdateWorkOrderInput{StatusNames: []string{"Completed"}, Primary: StatusClosed, Closes: true})
	require.NoError(t, err)
	require.Empty(t, written.Conflicts)
	require.Equal(t, "15", a.record()["workOrderStatusID"])
}

func TestConflictsOfARent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule           policy.ConflictRule
		held, was      policy.Cents
		rent, line     string
		want           ConflictOutcome
		ok, conflicted bool
	}{
		{policy.ConflictPerson, 1950_00, 1900_00, "1950.00", "unit rent: RentVine says 1950.00, we wanted 2050.00: person -> the manager decides", ConflictAsks, false, true},
		{policy.ConflictPartner, 1950_00, 1900_00, "1950.00", "unit rent: RentVine says 1950.00, we wanted 2050.00: partner -> kept theirs", ConflictTheirs, false, true},
		{policy.ConflictOurs, 1950_00, 1900_00, "2050.00", "unit rent: RentVine says 1950.00, we wanted 2050.00: ours -> wrote ours", ConflictOurs, true, true},
		{policy.ConflictPerson, 1900_00, 1900_00, "2050.00", "", "", true, false},
		{policy.ConflictPerson, 2050_00, 1900_00, "2050.00", "", "", true, false},
		{policy.ConflictPerson, 1950_00, 0, "2050.00", "", "", true, false},
		{policy.ConflictPerson, 0, 1900_00, "2050.00", "", "", true, false},
	} {
		a := newAccount(t)
		a.rule(policy.FieldUnitRent, c.rule)
		_, err := a.acts.RentVine.UpdateUnitRent(t.Context(), "2", "3", c.held.String())
		require.NoError(t, err)
		ctx, audit := watched(t)
		got, err := a.acts.writeUnitRent(ctx, WriteUnitRentInput{PropertyID: "2", UnitID: "3", Rent: 2050_00, Was: c.was})
		require.NoError(t, err)
		require.Equal(t, c.ok, got.OK)
		require.Equal(t, c.conflicted, got.Conflict != nil)
		if c.conflicted {
			require.Equal(t, c.want, got.Conflict.Outcome)
			require.Equal(t, []string{c.line}, audit.conflicts())
		}
		unit, err := a.acts.RentVine.Unit(t.Context(), "2", "3")
		require.NoError(t, err)
		require.Equal(t, c.rent, unit.Rent)
		require.Equal(t, c.rent, got.Rent.String())
	}
}
