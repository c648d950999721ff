package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/currency"
)

// Bounds of the section on finance, which keep Finance small enough for histories.
const (
	maxFinanceTeam = 20
	maxCategories  = 100
	maxMeanings    = 30
	maxBookAmount  = Cents(1_000_000_00)
	maxApart       = Cents(1_00)
	// maxDepositOf bounds how many payments are tried together as one deposit.
	maxDepositOf = 8
)

// finance checks the section where any of it is given. It is the company's alone: an
// override is refused before (see decoder.overrides).
func (c *checker) finance(s section) {
	f := s.Finance
	if reflect.ValueOf(f).IsZero() {
		return
	}
	unit, err := currency.ParseISO(f.Currency)
	c.must(err == nil && unit.String() == f.Currency, "finance.currency", `must be an ISO 4217 code such as "USD"`)
	c.must(f.TimeZone != "", "finance.time_zone", `must be given: the zone of the books' days, such as "America/Los_Angeles"`)
	c.zone(f.TimeZone, "finance.time_zone")
	c.person(s, f.Accountant, "finance.accountant")
	c.person(s, f.Controller, "finance.controller")
	c.size(len(f.Team), "finance.team", 0, maxFinanceTeam)
	c.persons(s, f.Team, "finance.team")
	c.bookAccounts(f.Accounts)
	c.categories(f)
	c.count(f.ClosedAfter, "finance.closed_after", 0, 60)
	c.within(f.Questions.RemindAfter, "finance.questions.remind_after", 30*day)
	c.count(f.Questions.Times, "finance.questions.times", 0, 10)
	c.within(f.Questions.UnsureAfter, "finance.questions.unsure_after", 60*day)
	c.count(f.Questions.SureFrom, "finance.questions.sure_from", 1, 100)
	c.anomalies(f.Anomalies)
	c.bank(f.Bank)
	c.within(f.Summaries.Soon, "finance.summaries.soon", day)
	c.within(f.Summaries.Every, "finance.summaries.every", 31*day)
	c.must(f.Summaries.Every >= f.Summaries.Soon, "finance.summaries.every", "must be as long as soon, or longer")
	c.count(f.Reports.MonthDay, "finance.reports.month_day", 1, 28)
	c.must(f.Reports.MonthDay > f.ClosedAfter, "finance.reports.month_day", "must come after closed_after, or a month is reported while it may still change")
}

// shared are the accounts of all bookings, by key.
func (b BookAccounts) shared() map[string]string {
	return map[string]string{"bank": b.Bank, "receivables": b.Receivables, "payables": b.Payables, "unsure": b.Unsure}
}

func (c *checker) bookAccounts(b BookAccounts) {
	shared, seen := b.shared(), map[string]string{}
	for _, key := range []string{"bank", "receivables", "payables", "unsure"} {
		path, name := join("finance.accounts", key), strings.ToLower(shared[key])
		c.line(name, path)
		c.must(name == "" || seen[name] == "", path, "is the account of %s too: each needs one of its own", seen[name])
		seen[name] = key
	}
}

// categories checks them all. RentVine's accounts and words must mean one category
// wherever they are looked up: among charges (income and liabilities) and among bills
// (expenses and liabilities).
func (c *checker) categories(f finance) {
	const path = "finance.categories"
	c.size(len(f.Categories), path, 1, maxCategories)
	ids, names, means := map[string]bool{}, map[string]bool{}, meanings{}
	for i, b := range f.Categories {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.must(idPattern.MatchString(b.ID), at+".id", "must be given: small letters, digits, - and _")
		_, taken := f.Accounts.shared()[b.ID]
		c.must(!taken, at+".id", "is the name of an account that bookings share: choose another")
		c.must(!ids[b.ID], at+".id", "is the id of an earlier category")
		ids[b.ID] = true
		c.line(b.Name, at+".name")
		c.must(!names[strings.ToLower(b.Name)], at+".name", "is the name of an earlier category")
		names[strings.ToLower(b.Name)] = true
		c.line(b.Account, at+".account")
		for _, key := range []string{"bank", "receivables", "payables", "unsure"} {
			name := f.Accounts.shared()[key]
			c.must(name == "" || !strings.EqualFold(b.Account, name), at+".account", "is finance.accounts.%s: a category needs another account", key)
		}
		kinds := []string{CategoryIncome, CategoryExpense, CategoryLiability}
		c.must(slices.Contains(kinds, b.Kind), at+".kind", "must be one of %s", strings.Join(kinds, ", "))
		c.meanings(b.RentVine, at+".rentvine", b.Kind, means, "account")
		c.meanings(b.Words, at+".words", b.Kind, means, "word")
	}
}

// meanings are what stands for a category already: "account", "charges", "4000".
type meanings map[[3]string]bool

func (c *checker) meanings(list []string, path, kind string, seen meanings, what string) {
	c.size(len(list), path, 0, maxMeanings)
	for i, text := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.line(text, at)
		for _, group := range map[string][]string{
			CategoryIncome: {"charges"}, CategoryExpense: {"bills"}, CategoryLiability: {"charges", "bills"},
		}[kind] {
			key := [3]string{what, group, strings.ToLower(text)}
			c.must(!seen[key], at, "stands for a category of %s already: each may stand for one", group)
			seen[key] = true
		}
	}
}

func (c *checker) amount(a Cents, path string, least, most Cents) {
	c.must(a >= least && a <= most, path, "must be from %s to %s", least, most)
}

func (c *checker) anomalies(a Anomalies) {
	const path = "finance.anomalies"
	c.count(a.DuplicateDays, path+".duplicate_days", 0, 27)
	c.count(a.UnusualLeast, path+".unusual_least", 3, 100)
	c.count(a.UnusualScore, path+".unusual_score", 10, 1000)
	c.must(a.UnusualChange > 0, path+".unusual_change", "must be above 0%%")
	c.amount(a.UnusualAmount, path+".unusual_amount", 1, maxBookAmount)
	c.count(a.MissingAfter, path+".missing_after", 0, 60)
	c.amount(a.MissingLeast, path+".missing_least", 1, maxBookAmount)
	c.count(a.BankAfter, path+".bank_after", 1, 60)
	c.amount(a.High, path+".high", 1, maxBookAmount)
}

func (c *checker) bank(b BankMatching) {
	const path = "finance.bank"
	c.count(b.DaysApart, path+".days_apart", 0, 14)
	c.amount(b.AmountApart, path+".amount_apart", 0, maxApart)
	c.count(b.DepositOf, path+".deposit_of", 1, maxDepositOf)
	c.must(isDateLayout(b.DateLayout), path+".date_layout", `must write the 2nd of January 2006 as statements do, such as "2006-01-02" or "01/02/2006"`)
	col := b.Columns
	c.line(col.Date, path+".columns.date")
	c.line(col.Description, path+".columns.description")
	inOut := col.In != "" && col.Out != ""
	c.must((col.Amount != "") != inOut && (inOut || col.In+col.Out == ""), path+".columns",
		"must have either amount, or in and out together")
	seen := map[string]bool{}
	for _, h := range []struct{ key, heading string }{
		{"date", col.Date}, {"amount", col.Amount}, {"in", col.In}, {"out", col.Out},
		{"description", col.Description}, {"reference", col.Reference}, {"balance", col.Balance},
	} {
		at, heading := join(path, "columns", h.key), strings.ToLower(h.heading)
		c.must(isLine(heading), at, "must be one line of at most %d bytes", maxLine)
		c.must(heading == "" || !seen[heading], at, "is the heading of another column")
		seen[heading] = true
	}
}

// isDateLayout tells whether a layout writes a day so that it can be read again.
func isDateLayout(layout string) bool {
	if layout == "" || !isLine(layout) {
		return false
	}
	for _, d := range []time.Time{time.Date(2019, 11, 23, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)} {
		if read, err := time.Parse(layout, d.Format(layout)); err != nil || !read.Equal(d) {
			return false
		}
	}
	return true
}
