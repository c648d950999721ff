package ownerfigures

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// money fills in what the journal says of the period and of the months before.
func money(ctx context.Context, s Source, books policy.Finance, period span, r *ownerreport.Report) error {
	first, err := time.Parse(time.DateOnly, period.from)
	if err != nil {
		return err
	}
	oldest := first.AddDate(0, 1-monthsShown, 1-first.Day())
	if !books.On() {
		r.Months = monthsBetween(oldest, period.to)
		r.Notes = append(r.Notes, "No books are kept here: there is nothing to say of money.")
		return nil
	}
	sums, err := s.PortfolioMonths(ctx, r.PortfolioID, oldest.Format(time.DateOnly), period.to)
	if err != nil {
		return err
	}
	before, err := s.RoleSums(ctx, r.PortfolioID, first.AddDate(0, 0, -1).Format(time.DateOnly))
	if err != nil {
		return err
	}
	r.Currency = cmp.Or(books.Currency, r.Currency)
	r.Money = moneyOf(sums, period.from[:len("2006-01")], books)
	// Payables are credits: what was billed lowers the balance.
	r.Money.Opening = policy.Cents(before[bookkeeping.RoleBank] + before[bookkeeping.RolePayables])
	r.Months = monthsBetween(oldest, period.to)
	for i := range r.Months {
		of := moneyOf(sums, r.Months[i].Month, books)
		r.Months[i].Income, r.Months[i].Costs = of.Received, of.Costs
	}
	if unsure := unsureOf(sums, period.from[:len("2006-01")]); unsure != 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s %s has no category yet.", r.Currency, unsure))
	}
	return nil
}

// moneyOf sums up one month (YYYY-MM).
func moneyOf(sums []store.MonthSum, month string, books policy.Finance) ownerreport.Money {
	m := ownerreport.Money{Known: true}
	charges, bills := map[string]policy.Cents{}, map[string]policy.Cents{}
	for _, s := range sums {
		amount := policy.Cents(s.Amount)
		switch {
		case s.Month != month || s.Role == bookkeeping.RoleReceivables || s.Role == bookkeeping.RolePayables:
		case s.Kind == string(bookkeeping.Payment) && s.Role == bookkeeping.RoleBank:
			m.Received += amount
		case s.Kind == string(bookkeeping.Charge) || s.Kind == string(bookkeeping.Credit):
			// Both are of the tenant: what is charged is a credit on its category.
			m.Charged -= amount
			charges[label(s.Role, books)] -= amount
		case s.Kind == string(bookkeeping.Bill):
			m.Costs += amount
			bills[label(s.Role, books)] += amount
		}
	}
	m.Charges, m.Bills = amounts(charges), amounts(bills)
	return m
}

// unsureOf is how much of a month nobody could categorise, charged or billed.
func unsureOf(sums []store.MonthSum, month string) policy.Cents {
	total := policy.Cents(0)
	for _, s := range sums {
		if s.Month == month && s.Role == bookkeeping.RoleUnsure {
			total += max(policy.Cents(s.Amount), -policy.Cents(s.Amount))
		}
	}
	return total
}

func label(role string, books policy.Finance) string {
	if c, ok := books.Category(role); ok {
		return c.Name
	}
	if role == bookkeeping.RoleUnsure {
		return "Not categorised"
	}
	return policy.Words(role)
}

// amounts are those that are not 0, the largest first.
func amounts(by map[string]policy.Cents) []ownerreport.Amount {
	var list []ownerreport.Amount
	for label, amount := range by {
		if amount != 0 {
			list = append(list, ownerreport.Amount{Label: label, Amount: amount})
		}
	}
	slices.SortFunc(list, func(a, b ownerreport.Amount) int {
		return cmp.Or(cmp.Compare(b.Amount, a.Amount), cmp.Compare(a.Label, b.Label))
	})
	return list
}

// monthsBetween are those from a first day until the month of a day, oldest first.
func monthsBetween(first time.Time, until string) []ownerreport.Month {
	var list []ownerreport.Month
	for at := first; at.Format(time.DateOnly) <= until; at = at.AddDate(0, 1, 0) {
		list = append(list, ownerreport.Month{Month: at.Format("2006-01")})
	}
	return list
}
