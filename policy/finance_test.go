package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// financeProblems are the paths of what is wrong with keys of finance that take the
// place of the built-in ones.
func financeProblems(t *testing.T, p *Policy, keys string) []string {
	t.Helper()
	root, err := syntax("test", []byte("finance: "+keys))
	require.NoError(t, err)
	s, d, c := p.company, newDecoder(), &checker{}
	d.into(root, &s, "")
	c.finance(s)
	var paths []string
	for _, problem := range append(d.problems, c.problems...) {
		paths = append(paths, strings.TrimPrefix(problem.Path, "finance."))
	}
	return paths
}

func TestBuiltInFinance(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	f := p.Finance()
	require.True(t, f.On())
	require.Equal(t, p.Version(), f.Version)
	require.Equal(t, []string{"Harbor Homes", "America/Los_Angeles", "USD"}, []string{f.Company, f.TimeZone, f.Currency})
	require.Equal(t, Person{"nora", "Nora Whitfield", "+12135550145", "nora@example.com"}, f.Accountant)
	require.Equal(t, []Person{f.Accountant, f.Controller}, f.Team)
	require.Equal(t, BookAccounts{"Trust Checking", "Tenant Receivables", "Vendor Payables", "Uncategorized"}, f.Accounts)
	require.Equal(t, BookQuestions{RemindAfter: day, Times: 2, UnsureAfter: 3 * day, SureFrom: 70}, f.Questions)
	require.Equal(t, Anomalies{
		DuplicateDays: 7, UnusualLeast: 6, UnusualScore: 60, UnusualChange: 500, UnusualAmount: 50_00,
		MissingAfter: 7, MissingLeast: 25_00, BankAfter: 5, High: 500_00,
	}, f.Anomalies)
	require.Equal(t, BankMatching{
		Begins: Date{Year: 2025, Month: 1, Day: 1},
		At:     5 * 60, DaysApart: 4, AmountApart: 50, DepositOf: 4, DateLayout: time.DateOnly,
		Columns: BankColumns{Date: "date", Amount: "amount", Description: "description", Reference: "reference", Balance: "balance"},
	}, f.Bank)
	require.Equal(t, FinanceSummary{Owners: true, Team: true, Soon: time.Minute, Every: time.Hour}, f.Summaries)
	require.Equal(t, FinanceSchedule{DailyAt: 7 * 60, MonthlyAt: 7 * 60, MonthDay: 7}, f.Reports)
	require.Equal(t, 5, f.ClosedAfter)

	deposit, ok := f.Category("deposit")
	require.True(t, ok)
	require.Equal(t, BookCategory{
		ID: "deposit", Name: "Security deposit", Account: "Security Deposits Held", Kind: CategoryLiability,
		RentVine: []string{"2200", "Security Deposit"}, Words: []string{"deposit", "security deposit"},
	}, deposit)
	other, _ := f.Category("other_income")
	require.Equal(t, "Other Income", other.Account)
	for _, c := range f.Categories {
		require.NotContains(t, c.RentVine, "4900", "an account of which somebody is asked")
	}
	_, ok = f.Category("nothing")
	require.False(t, ok)
}

func TestFinanceMayBeLeftOut(t *testing.T) {
	t.Parallel()
	text := string(embedded)
	from, to := strings.Index(text, "\n  finance:"), strings.Index(text, "\nportfolios:")
	p, err := parse("test", []byte(text[:from]+text[to:]))
	require.NoError(t, err)
	require.Equal(t, Finance{Version: p.Version(), Company: "Harbor Homes"}, p.Finance())
	require.False(t, p.Finance().On())
}

func TestFinanceIsTheCompanysAlone(t *testing.T) {
	t.Parallel()
	_, err := load(t,
		"    property_manager: helen\n", "    property_manager: helen\n    finance: {closed_after: 99}\n")
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Problems, 1, "what the override says is not looked at: %v", err)
	require.Equal(t, "portfolios.2.finance", invalid.Problems[0].Path)
	require.Positive(t, invalid.Problems[0].Line)
	require.Contains(t, err.Error(), "there is one set of books, so it belongs under company alone")

	text := string(embedded) + "\nproperties: {7: {finance: {}}}\n"
	_, err = parse("test", []byte(text))
	require.ErrorContains(t, err, "properties.7.finance cannot be overridden")
}

func TestFinanceSharesNothing(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	f := p.Finance()
	f.Team[0].Name = "changed"
	f.Categories[0].ID = "changed"
	f.Categories[1].RentVine[0] = "changed"
	f.Categories[1].Words[0] = "changed"
	require.Equal(t, mustLoad(t).Finance(), p.Finance())
}

func TestFinanceSurvivesJSON(t *testing.T) {
	t.Parallel()
	want := mustLoad(t).Finance()
	encoded, err := json.Marshal(want)
	require.NoError(t, err)
	require.Less(t, len(encoded), 16<<10)
	var got Finance
	require.NoError(t, json.Unmarshal(encoded, &got))
	require.Equal(t, want, got)
}

func TestRulesOfFinance(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	require.Empty(t, financeProblems(t, p, "{}"))
	rent := "{id: rent, name: Rent, account: Rental Income, kind: income, rentvine: [Rent], words: [rent]}"
	with := func(more string) string { return "{categories: [" + rent + ", " + more + "]}" }
	for keys, want := range map[string][]string{
		`{currency: Dollars}`:                  {"currency"},
		`{currency: usd}`:                      {"currency"},
		`{time_zone: ""}`:                      {"time_zone"},
		`{time_zone: Nowhere}`:                 {"time_zone"},
		`{accountant: nobody}`:                 {"accountant"},
		`{controller: ""}`:                     {"controller"},
		`{team: [nora, nobody, nora]}`:         {"team[1]", "team[2]"},
		`{accounts: {bank: ""}}`:               {"accounts.bank"},
		`{accounts: {unsure: trust checking}}`: {"accounts.unsure"},
		`{accounts: {tips: Tips}}`:             {"accounts.tips"},
		`{categories: []}`:                     {"categories"},
		with(`{id: Pets!, name: Pets, account: Pets, kind: income}`):                                          {"categories[1].id"},
		with(`{id: rent, name: Pets, account: Pets, kind: income}`):                                           {"categories[1].id"},
		with(`{id: unsure, name: Pets, account: Pets, kind: income}`):                                         {"categories[1].id"},
		with(`{id: pet, name: RENT, account: Pets, kind: income}`):                                            {"categories[1].name"},
		with(`{id: pet, name: Pets, kind: income}`):                                                           {"categories[1].account"},
		with(`{id: pet, name: Pets, account: trust Checking, kind: income}`):                                  {"categories[1].account"},
		with(`{id: pet, name: Pets, account: Pets, kind: asset}`):                                             {"categories[1].kind"},
		with(`{id: pet, name: Pets, account: Pets, kind: income, rentvine: [RENT], words: [Rent, pet, pet]}`): {"categories[1].rentvine[0]", "categories[1].words[0]", "categories[1].words[2]"},
		with(`{id: pet, name: Pets, account: Pets, kind: expense, rentvine: [Rent], words: [rent]}`):          nil,
		with(`{id: pet, name: Pets, account: Pets, kind: liability, rentvine: [Rent], words: [""]}`):          {"categories[1].rentvine[0]", "categories[1].words[0]"},
		`{closed_after: -1}`:                                                   {"closed_after"},
		`{questions: {remind_after: 0s}}`:                                      {"questions.remind_after"},
		`{questions: {times: 11}}`:                                             {"questions.times"},
		`{questions: {unsure_after: 61d}}`:                                     {"questions.unsure_after"},
		`{questions: {sure_from: 0}}`:                                          {"questions.sure_from"},
		`{anomalies: {duplicate_days: 28}}`:                                    {"anomalies.duplicate_days"},
		`{anomalies: {unusual_least: 2}}`:                                      {"anomalies.unusual_least"},
		`{anomalies: {unusual_score: 9}}`:                                      {"anomalies.unusual_score"},
		`{anomalies: {unusual_change: 0%}}`:                                    {"anomalies.unusual_change"},
		`{anomalies: {unusual_amount: 0}}`:                                     {"anomalies.unusual_amount"},
		`{anomalies: {missing_after: 61}}`:                                     {"anomalies.missing_after"},
		`{anomalies: {missing_least: 0.001}}`:                                  {"anomalies.missing_least"},
		`{anomalies: {bank_after: 0}}`:                                         {"anomalies.bank_after"},
		`{anomalies: {high: 0}}`:                                               {"anomalies.high"},
		`{bank: {at: 25:00}}`:                                                  {"bank.at"},
		`{bank: {days_apart: 15}}`:                                             {"bank.days_apart"},
		`{bank: {amount_apart: 1.01}}`:                                         {"bank.amount_apart"},
		`{bank: {deposit_of: 0}}`:                                              {"bank.deposit_of"},
		`{bank: {date_layout: yyyy-mm-dd}}`:                                    {"bank.date_layout"},
		`{bank: {date_layout: 01/02}}`:                                         {"bank.date_layout"},
		`{bank: {date_layout: 02.01.2006}}`:                                    nil,
		`{bank: {date_layout: 1/2/06}}`:                                        nil,
		`{bank: {columns: {in: Credit}}}`:                                      {"bank.columns"},
		`{bank: {columns: {in: Credit, out: Debit}}}`:                          {"bank.columns"},
		`{bank: {columns: {amount: "", in: Credit}}}`:                          {"bank.columns"},
		`{bank: {columns: {amount: ""}}}`:                                      {"bank.columns"},
		`{bank: {columns: {amount: "", in: Credit, out: Debit, balance: ""}}}`: nil,
		`{bank: {columns: {date: ""}}}`:                                        {"bank.columns.date"},
		`{bank: {columns: {balance: Amount}}}`:                                 {"bank.columns.balance"},
		`{summaries: {owners: yes}}`:                                           {"summaries.owners"},
		`{summaries: {owners: false, every: 1m}}`:                              nil,
		`{summaries: {soon: 2h}}`:                                              {"summaries.every"},
		`{summaries: {soon: 0s}}`:                                              {"summaries.soon"},
		`{closed_after: 7}`:                                                    {"reports.month_day"},
		`{reports: {month_day: 29}}`:                                           {"reports.month_day"},
	} {
		require.Equal(t, want, financeProblems(t, p, keys), keys)
	}
}

// The largest section that Load takes is still small for a history.
func TestFinanceIsBounded(t *testing.T) {
	t.Parallel()
	var categories []string
	for i := range maxCategories {
		categories = append(categories, fmt.Sprintf("{id: c%d, name: c%d, account: a%d, kind: income, words: [%s]}", i, i, i,
			strings.Join(slices.Repeat([]string{"w"}, maxMeanings+1), ",")))
	}
	require.Contains(t, financeProblems(t, mustLoad(t), "{categories: ["+strings.Join(categories, ",")+"]}"), "categories[0].words")
	categories = append(categories, "{id: x, name: x, account: x, kind: income}")
	require.Contains(t, financeProblems(t, mustLoad(t), "{categories: ["+strings.Join(categories, ",")+"]}"), "categories")
}
