package policy

import "slices"

// finance is "finance" of the company's section. People are named by id.
type finance struct {
	// Currency of all books and bank accounts, ISO 4217; TimeZone is where their days are
	// meant.
	Currency   string   `json:"currency"`
	TimeZone   string   `json:"time_zone"`
	Accountant string   `json:"accountant"`
	Controller string   `json:"controller"`
	Team       []string `json:"team"`

	Accounts    BookAccounts    `json:"accounts"`
	Categories  []BookCategory  `json:"categories"`
	ClosedAfter int             `json:"closed_after"`
	Questions   BookQuestions   `json:"questions"`
	Anomalies   Anomalies       `json:"anomalies"`
	Bank        BankMatching    `json:"bank"`
	Summaries   FinanceSummary  `json:"summaries"`
	Reports     FinanceSchedule `json:"reports"`
}

// Finance is how money is booked, checked and reported. Its zero value but for Version
// and Company books nothing; see Finance.On. The result shares nothing with the policy.
func (p *Policy) Finance() Finance { return p.company.resolveFinance(p.version) }

// Finance is how money is booked now; see Policy.Finance.
func (f *File) Finance() Finance { return f.Current().Finance() }

// resolveFinance puts people in the place of their ids and copies whatever could be
// changed.
func (s section) resolveFinance(version string) Finance {
	f := s.Finance
	out := Finance{
		Version: version, Company: s.Name, TimeZone: f.TimeZone, Currency: f.Currency,
		Accounts: f.Accounts, Categories: slices.Clone(f.Categories), ClosedAfter: f.ClosedAfter,
		Questions: f.Questions, Anomalies: f.Anomalies, Bank: f.Bank, Summaries: f.Summaries, Reports: f.Reports,
	}
	if !out.On() {
		return out
	}
	out.Accountant, out.Controller, out.Team = s.person(f.Accountant), s.person(f.Controller), s.persons(f.Team)
	for i := range out.Categories {
		c := &out.Categories[i]
		c.RentVine, c.Words = slices.Clone(c.RentVine), slices.Clone(c.Words)
	}
	return out
}
