package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
)

// renewalConflicts are what others have changed of a lease since its renewal was agreed:
// they have given it another end, or have entered a rent for the time after it; problems say
// why ours cannot be put in the place of that rent.
func (a *Activities) renewalConflicts(ctx context.Context, lease rentvine.Lease, charges []rentvine.RecurringCharge, in WriteRenewalInput) (met []Conflict, problems []string) {
	_, problems = overOthers(charges, in)
	ours := a.decidedAt(ctx)
	compare := func(field policy.ConflictField, s side) {
		rule := a.Policy.ConflictRule(field)
		outcome, conflict := decide(rule, s)
		if !conflict {
			return
		}
		if in.Force {
			outcome = ConflictOurs
		}
		if field == policy.FieldLeaseRent && outcome == ConflictOurs && len(problems) > 0 {
			outcome = ConflictTheirs
		}
		c := Conflict{Field: field, Theirs: s.theirs, Ours: s.ours, Rule: rule, Outcome: outcome}
		met = append(met, c)
		a.conflicted(ctx, leaseRecord+in.LeaseID, c)
	}
	compare(policy.FieldLeaseEnd, side{
		base: in.OldEnd, known: true, theirs: lease.EndDate, ours: in.End, theirsAt: lease.ModifiedAt, oursAt: ours,
	})
	compare(policy.FieldLeaseRent, side{known: true, theirs: rentOfOthers(charges, in), ours: rentText(in.Rent, in.RentFrom), oursAt: ours})
	return met, problems
}

// keeps tells whether nothing is to be written. A renewal is one agreement: where a part of
// it is not written, nothing of it is.
func keeps(met []Conflict) bool {
	return slices.ContainsFunc(met, func(c Conflict) bool { return c.Outcome != ConflictOurs })
}

// rentText is a rent and the day from which it is due, "" for none.
func rentText(rent policy.Cents, from string) string {
	if rent == 0 {
		return ""
	}
	return fmt.Sprintf("%s from %s", rent, from)
}

// rentOfOthers is the rent that others have entered for the time after the old lease, ""
// where they have entered none.
func rentOfOthers(charges []rentvine.RecurringCharge, in WriteRenewalInput) string {
	var list []string
	for _, c := range chargesOfOthers(charges, in) {
		amount := c.Amount
		if cents, ok := amountOf(c.Amount); ok {
			amount = cents.String()
		}
		list = append(list, amount+" from "+c.StartDate)
	}
	return strings.Join(list, ", ")
}

// chargesOfOthers are the charges of rent that begin after the old lease and are not the
// one that an earlier try has made.
func chargesOfOthers(charges []rentvine.RecurringCharge, in WriteRenewalInput) (others []rentvine.RecurringCharge) {
	old, amount, _ := renewedRent(charges, in)
	for _, c := range charges {
		if c.IsRent && c.StartDate > in.OldEnd && !isRenewed(c, old, amount, in) {
			others = append(others, c)
		}
	}
	return others
}

// renewedRent is the charge of rent that the renewal replaces, and what the one after it
// comes to.
func renewedRent(charges []rentvine.RecurringCharge, in WriteRenewalInput) (old rentvine.RecurringCharge, amount policy.Cents, found bool) {
	old, most, found := greatestRent(charges, in.OldEnd)
	return old, most + in.Rent - rentIn(charges, in.OldEnd).rent, found
}

// isRenewed tells whether a charge is the one that follows the old one.
func isRenewed(c, old rentvine.RecurringCharge, amount policy.Cents, in WriteRenewalInput) bool {
	is, ok := amountOf(c.Amount)
	return c.AccountID == old.AccountID && c.StartDate == in.RentFrom && ok && is == amount
}

// overOthers puts our amount in the place of what others have entered; problems say why
// that cannot be done. RentVine lets nobody change the day on which a charge begins.
func overOthers(charges []rentvine.RecurringCharge, in WriteRenewalInput) (step *chargeStep, problems []string) {
	others := chargesOfOthers(charges, in)
	if len(others) == 0 {
		return nil, nil
	}
	old, amount, found := renewedRent(charges, in)
	other := others[0]
	if !found || len(others) > 1 || other.StartDate != in.RentFrom || other.AccountID != old.AccountID || in.Rent == 0 {
		return nil, []string{fmt.Sprintf("another charge of rent begins on %s; please remove it at RentVine and enter %s: nothing was written",
			other.StartDate, rentText(in.Rent, in.RentFrom))}
	}
	return &chargeStep{id: other.ID, amount: amount.String()}, nil
}
