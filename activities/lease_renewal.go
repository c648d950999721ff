package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// WriteRenewal writes what was agreed to RentVine: the lease's new end, and the rent as
// a recurring charge from its day on, which the present one ends before
// (contracts/rentvine.md 2.3: a lease has no rent of its own). It reads all again
// afterwards, since a 200 may have changed nothing (4.4). It is safe to repeat: dates are
// set, not moved, and a charge of the same account, beginning and amount is the one that
// an earlier try has made.
var WriteRenewal = durable.Activity[WriteRenewalInput, WrittenRenewal]{
	Name: "rentvine.write_renewal", Queue: QueueRentVine, Attempt: time.Minute, Within: 72 * time.Hour,
}

// CountOpenWorkOrders counts a lease's work orders that are not closed or cancelled, but
// for maintenance checks of our own. Reading has no effect.
var CountOpenWorkOrders = durable.Activity[LeaseRef, int]{
	Name: "rentvine.count_open_work_orders", Queue: QueueRentVine, Attempt: 30 * time.Second, Within: 24 * time.Hour,
}

// ReadIncentiveRecord sums up how retention campaigns have ended by what they offered;
// RecordRetention notes how one has. Repeating either is harmless.
var (
	ReadIncentiveRecord = durable.Activity[None, []IncentiveRecord]{
		Name: "leasing.read_incentive_record", Attempt: 5 * time.Second,
	}
	RecordRetention = durable.Activity[RetentionResult, None]{
		Name: "leasing.record_retention", Attempt: 5 * time.Second,
	}
)

type (
	// IncentiveRecord sums up the campaigns that offered one incentive.
	IncentiveRecord = store.IncentiveRecord
	// RetentionResult is how a retention campaign has ended.
	RetentionResult = store.RetentionResult
	// LeaseRef names a lease and where it is.
	LeaseRef struct {
		LeaseID     string `json:"lease_id"`
		PropertyID  string `json:"property_id,omitempty"`
		PortfolioID string `json:"portfolio_id,omitempty"`
		UnitID      string `json:"unit_id,omitempty"`
	}
	// WriteRenewalInput is what was agreed. Days are YYYY-MM-DD in the property's zone.
	WriteRenewalInput struct {
		LeaseID string `json:"lease_id"`
		// OldEnd is the end that the lease had, End its new one.
		OldEnd string `json:"old_end"`
		End    string `json:"end"`
		// Rent is a month's from RentFrom on, which must be there; 0 leaves it as it is.
		Rent     policy.Cents `json:"rent,omitempty"`
		RentFrom string       `json:"rent_from,omitempty"`
		// Force has it written over what others have changed: the manager has seen that and
		// has decided so.
		Force bool `json:"force,omitempty"`
		// ends is the end that the lease has at RentVine now.
		ends string
	}
	// WrittenRenewal tells whether RentVine holds it.
	WrittenRenewal struct {
		OK bool `json:"ok"`
		// Differences say what RentVine holds instead.
		Differences []string `json:"differences,omitempty"`
		// Conflicts are what others have changed since it was agreed. Where theirs is kept, or
		// the manager has to decide, nothing was written.
		Conflicts []Conflict `json:"conflicts,omitempty"`
	}
)

// recordsOver is how far back incentives are judged (business time).
const recordsOver = 2 * 365 * 24 * time.Hour

func (a *Activities) countOpenWorkOrders(ctx context.Context, in LeaseRef) (int, error) {
	orders, err := a.RentVine.LeaseWorkOrders(ctx, in.LeaseID, in.UnitID)
	if err != nil {
		return 0, toTemporal(ctx, err)
	}
	open := 0
	for _, o := range orders {
		if o.PrimaryStatus != rentvine.StatusClosed && o.PrimaryStatus != rentvine.StatusCancelled && !strings.Contains(o.Description, ourMark) {
			open++
		}
	}
	return open, nil
}

func (a *Activities) writeRenewal(ctx context.Context, in WriteRenewalInput) (WrittenRenewal, error) {
	charges, err := a.RentVine.RecurringCharges(ctx, in.LeaseID)
	if err != nil {
		return WrittenRenewal{}, toTemporal(ctx, err)
	}
	lease, err := a.RentVine.LeaseWithTenants(ctx, in.LeaseID)
	if err != nil {
		return WrittenRenewal{}, toTemporal(ctx, err)
	}
	if problems := renewalHindered(charges, in); len(problems) > 0 {
		return WrittenRenewal{Differences: problems}, nil
	}
	met, problems := a.renewalConflicts(ctx, lease, charges, in)
	if keeps(met) || len(problems) > 0 {
		return WrittenRenewal{Differences: problems, Conflicts: met}, nil
	}
	in.ends = lease.EndDate
	lease, err = a.RentVine.UpdateLease(ctx, in.LeaseID, rentvine.LeaseChange{EndDate: &in.End})
	if err == nil && lease.EndDate == in.End {
		err = a.wrote(ctx, leaseRecord+in.LeaseID, picked(a.leaseFields(lease), "endDate"))
	}
	if err != nil {
		return WrittenRenewal{}, toTemporal(ctx, err)
	}
	a.wroteAt(ctx, true, "end", writing(atRentVine, fmt.Sprintf("end of lease %s: %s", in.LeaseID, in.End)), in.LeaseID)
	if err := a.renewCharges(ctx, charges, in); err != nil {
		return WrittenRenewal{}, toTemporal(ctx, err)
	}
	out, err := a.renewalAsWritten(ctx, in)
	out.Conflicts = met
	return out, err
}

// renewCharges brings the recurring charges to what was agreed. They are one record, also
// where the last of them fails.
func (a *Activities) renewCharges(ctx context.Context, charges []rentvine.RecurringCharge, in WriteRenewalInput) (err error) {
	done := 0
	what := fmt.Sprintf("recurring charges of lease %s: until %s", in.LeaseID, in.End)
	if in.Rent > 0 {
		what += fmt.Sprintf(", rent %s from %s", in.Rent, in.RentFrom)
	}
	defer func() {
		if err == nil || done > 0 {
			a.wroteAt(ctx, done > 0, "charges", writing(atRentVine, what), in.LeaseID)
		}
	}()
	for _, step := range renewalOfCharges(charges, in) {
		switch {
		case step.add != nil:
			_, err = a.RentVine.AddRecurringCharge(ctx, in.LeaseID, *step.add)
		case step.amount != "":
			_, err = a.RentVine.UpdateRecurringCharge(ctx, in.LeaseID, step.id, rentvine.RecurringChargeChange{Amount: &step.amount})
		default:
			_, err = a.RentVine.UpdateRecurringCharge(ctx, in.LeaseID, step.id, rentvine.RecurringChargeChange{EndDate: &step.end})
		}
		if err != nil {
			return err
		}
		done++
	}
	return nil
}

// renewalHindered says what is for a person to sort out, before anything is written.
func renewalHindered(charges []rentvine.RecurringCharge, in WriteRenewalInput) (problems []string) {
	if in.Rent > 0 && in.RentFrom == "" {
		problems = append(problems, "it is not said from when the rent is due: nothing was written")
	}
	for _, c := range charges {
		if _, ok := amountOf(c.Amount); c.IsRent && !ok && (c.EndDate == "" || c.EndDate >= in.OldEnd) {
			problems = append(problems, fmt.Sprintf("the amount of charge %s of rent cannot be read; please correct it: nothing was written", c.ID))
		}
	}
	return problems
}

// chargeStep adds a charge, or gives one another amount, else another end.
type chargeStep struct {
	add    *rentvine.NewRecurringCharge
	id     string
	amount string
	end    string
}

// renewalOfCharges is what has to be done with a lease's recurring charges: those that
// would end with the old lease go on, and where the rent changes its greatest charge is
// followed by another. Amounts of rent can be read: renewalHindered has seen to it. Doing
// it again finds nothing left to do.
func renewalOfCharges(charges []rentvine.RecurringCharge, in WriteRenewalInput) (steps []chargeStep) {
	var replaced string
	old, amount, found := renewedRent(charges, in)
	over, _ := overOthers(charges, in)
	if rises := in.Rent != rentIn(charges, in.OldEnd).rent; in.Rent > 0 && found && (rises || over != nil) {
		made := slices.ContainsFunc(charges, func(c rentvine.RecurringCharge) bool { return isRenewed(c, old, amount, in) })
		replaced = old.ID
		switch {
		case over != nil:
			steps = append(steps, *over)
		case !made:
			steps = append(steps, chargeStep{add: &rentvine.NewRecurringCharge{
				AccountID: old.AccountID, Description: old.Description, Amount: amount.String(), StartDate: in.RentFrom, EndDate: endOf(old, in),
				Frequency: old.Frequency, DayDue: old.DayDue,
			}})
		}
		if last := dayBefore(in.RentFrom); old.EndDate != last {
			steps = append(steps, chargeStep{id: old.ID, end: last})
		}
	}
	for _, c := range charges {
		// Others may have moved the end of the lease, and of charges with it.
		ends := c.EndDate == in.OldEnd || c.EndDate != "" && c.EndDate == in.ends
		if c.ID != replaced && ends && c.EndDate != in.End {
			steps = append(steps, chargeStep{id: c.ID, end: in.End})
		}
	}
	return steps
}

// greatestRent is the greatest charge of rent that is in force on a day, and its amount.
func greatestRent(charges []rentvine.RecurringCharge, day string) (greatest rentvine.RecurringCharge, most policy.Cents, found bool) {
	for _, c := range charges {
		if !c.IsRent || !inForce(c, day) {
			continue
		}
		if amount, ok := amountOf(c.Amount); ok && (!found || amount > most) {
			greatest, most, found = c, amount, true
		}
	}
	return greatest, most, found
}

// endOf is the end of the charge that follows another: none where that has none.
func endOf(old rentvine.RecurringCharge, in WriteRenewalInput) string {
	if old.EndDate == "" {
		return ""
	}
	return in.End
}

func dayBefore(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return at.AddDate(0, 0, -1).Format(time.DateOnly)
}

// renewalAsWritten reads again what RentVine holds now.
func (a *Activities) renewalAsWritten(ctx context.Context, in WriteRenewalInput) (WrittenRenewal, error) {
	lease, err := a.RentVine.LeaseWithTenants(ctx, in.LeaseID)
	if err != nil {
		return WrittenRenewal{}, toTemporal(ctx, err)
	}
	charges, err := a.RentVine.RecurringCharges(ctx, in.LeaseID)
	if err != nil {
		return WrittenRenewal{}, toTemporal(ctx, err)
	}
	var out WrittenRenewal
	if lease.EndDate != in.End {
		out.Differences = append(out.Differences, fmt.Sprintf("the lease ends on %s, not on %s", lease.EndDate, in.End))
	}
	if rent := rentIn(charges, max(in.RentFrom, in.OldEnd)).rent; in.Rent > 0 && rent != in.Rent {
		out.Differences = append(out.Differences, fmt.Sprintf("the rent is %s from %s on, not %s", rent, in.RentFrom, in.Rent))
	}
	out.OK = len(out.Differences) == 0
	return out, nil
}

func (a *Activities) readIncentiveRecord(ctx context.Context, _ None) ([]IncentiveRecord, error) {
	return a.Store.IncentiveRecords(ctx, a.businessNow().Add(-recordsOver))
}

func (a *Activities) recordRetention(ctx context.Context, r RetentionResult) (None, error) {
	return None{}, a.Store.RecordRetention(ctx, r)
}
