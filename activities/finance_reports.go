package activities

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/activities/financereport"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// MailSummary mails what was booked for one portfolio to its owners and the team, as the
// policy says. It is safe to repeat by the mails' Message-IDs.
var MailSummary = durable.Activity[MailSummaryInput, int]{
	Name: "finance.mail_summary", Queue: QueueRentVine, Attempt: 2 * time.Minute, Within: 24 * time.Hour, Priority: 4,
}

// MailFinanceReport mails the team's report on a day or a month, with a CSV file, and for
// a month a PDF beside it. It is safe to repeat by the mails' Message-IDs.
var MailFinanceReport = durable.Activity[MailFinanceReportInput, FinanceReported]{
	Name: "finance.mail_report", Attempt: 2 * time.Minute, Within: 12 * time.Hour, Priority: 4,
}

// FileOwnerLedgers files the ledger of each portfolio of a month (YYYY-MM) at RentVine, as
// PDF and CSV, and returns how many portfolios there were. It is safe to repeat: a file of
// the same name is looked for before any repeat.
var FileOwnerLedgers = durable.Activity[string, int]{
	Name: "rentvine.file_owner_ledgers", Queue: QueueBulk, Attempt: time.Hour, Within: 72 * time.Hour, Heartbeat: 2 * time.Minute, Priority: 5,
}

type (
	// MailSummaryInput names the bookings.
	MailSummaryInput struct {
		Ref         string      `json:"ref"`
		PortfolioID string      `json:"portfolio_id,omitempty"`
		Booked      []BookedRef `json:"booked"`
	}
	// MailFinanceReportInput asks for the report on the days until the one before Today
	// (YYYY-MM-DD, the company's) that were not reported yet, or on the month before.
	MailFinanceReportInput struct {
		Month bool   `json:"month,omitempty"`
		Today string `json:"today"`
	}
	// FinanceReported tells of what was reported, and to how many.
	FinanceReported struct {
		// Period is "2026-11-21", "2026-11-19 to 2026-11-21" or "2026-10".
		Period string `json:"period"`
		Mails  int    `json:"mails"`
	}
)

func (a *Activities) mailSummary(ctx context.Context, in MailSummaryInput) (int, error) {
	rules := a.Policy.Finance()
	var entries []store.JournalEntry
	told := map[string]bool{}
	for _, ref := range in.Booked {
		all, err := a.Store.Entries(ctx, ref.Transaction)
		if err != nil {
			return 0, err
		}
		for _, e := range all {
			name := bookingID(e.TransactionID, e.Number)
			if slices.Contains(ref.Numbers, e.Number) && !told[name] {
				told[name] = true
				entries = append(entries, e)
			}
		}
	}
	if len(entries) == 0 {
		return 0, nil
	}
	today := a.booksToday(rules)
	r := a.newReport(financereport.Summary, rules, entries[0].Day, today)
	r.PortfolioID = in.PortfolioID
	for _, e := range entries {
		r.From, r.To = min(r.From, e.Day), max(r.To, e.Day)
	}
	var err error
	if r.Lines, err = a.reportLines(ctx, entries, rules); err != nil {
		return 0, err
	}
	if err := a.monthToDate(ctx, &r, today, rules); err != nil {
		return 0, err
	}
	to, name, err := a.summaryReaders(ctx, in.PortfolioID, entries[0].Transaction.PropertyID, rules)
	if err != nil {
		return 0, toTemporal(ctx, err)
	}
	r.Portfolio = name
	return a.mailReport(ctx, r, in.Ref, to)
}

// monthToDate sums up the portfolio's month; what has no portfolio has no sum.
func (a *Activities) monthToDate(ctx context.Context, r *financereport.Report, today string, rules policy.Finance) error {
	if r.PortfolioID == "" {
		return nil
	}
	month, err := a.Store.Journal(ctx, store.JournalFilter{PortfolioID: r.PortfolioID, From: today[:len("2006-01")] + "-01", To: today, Most: maxReported})
	for _, e := range month {
		r.MonthToDate = r.MonthToDate.Plus(figuresOf(linesOf(e, rules)))
	}
	return err
}

// summaryReaders are the owners of a portfolio and the team, as the policy says, and the
// portfolio's name.
func (a *Activities) summaryReaders(ctx context.Context, portfolioID, propertyID string, rules policy.Finance) (to []Person, name string, err error) {
	if rules.Summaries.Team {
		for _, p := range rules.Team {
			to = append(to, PersonOf(p))
		}
	}
	if portfolioID == "" || propertyID == "" {
		return to, "", nil
	}
	portfolio, err := a.RentVine.PortfolioOf(ctx, portfolioID, propertyID)
	if err != nil && partner.KindOf(err) != partner.NotFound {
		return nil, "", err
	}
	if rules.Summaries.Owners {
		owners, err := a.ownersOf(ctx, portfolio)
		if err != nil {
			return nil, "", err
		}
		to = append(to, owners...)
	}
	return to, portfolio.Name, nil
}

func (a *Activities) newReport(kind financereport.Kind, rules policy.Finance, from, to string) financereport.Report {
	return financereport.Report{
		Kind: kind, Company: rules.Company, Currency: rules.Currency, At: a.businessNow(), TimeZone: rules.TimeZone, From: from, To: to,
	}
}

// mailReport mails a report to some people, each once, and returns how many were
// written to.
func (a *Activities) mailReport(ctx context.Context, r financereport.Report, ref string, to []Person) (int, error) {
	subject, text, html, err := r.Mail()
	if err != nil {
		return 0, err
	}
	m := mail.Message{Subject: subject, Text: text, HTML: html}
	name := fmt.Sprintf("%s-%s", strings.ReplaceAll(string(r.Kind), "_", "-"), r.To)
	var table bytes.Buffer
	if err := r.CSV(&table); err != nil {
		return 0, err
	}
	m.Attachments = append(m.Attachments, mail.Attachment{Name: name + ".csv", ContentType: "text/csv", Data: table.Bytes()})
	if r.Kind == financereport.Monthly {
		pdf, err := r.PDF()
		if err != nil {
			return 0, err
		}
		m.Attachments = append(m.Attachments, mail.Attachment{Name: name + ".pdf", ContentType: "application/pdf", Data: pdf})
	}
	picture, _, err := r.Picture()
	if err != nil {
		return 0, err
	}
	if len(picture) > 0 {
		m.Inline = append(m.Inline, mail.Attachment{Name: name + ".png", ContentType: "image/png", Data: picture, ContentID: financereport.PictureID})
	}
	sent, failed := 0, error(nil)
	for _, p := range to {
		outcome, err := a.mailOnce(ctx, ref+"/"+string(r.Kind)+"/"+p.ID, p, m, "books, "+policy.Words(string(r.Kind))+" "+r.From+" to "+r.To, portfolioLinks(r.PortfolioID)...)
		if err != nil {
			failed = err
		} else if outcome == MessageSent {
			sent++
		}
	}
	return sent, toTemporal(ctx, failed)
}

// reportLines are the lines of entries, marked where a finding is open about them.
func (a *Activities) reportLines(ctx context.Context, entries []store.JournalEntry, rules policy.Finance) ([]financereport.Line, error) {
	findings, err := a.Store.Findings(ctx, store.FindingOpen)
	if err != nil {
		return nil, err
	}
	reviewed := map[string]bool{}
	for _, f := range findings {
		for _, id := range f.Transactions {
			reviewed[id] = true
		}
	}
	var lines []financereport.Line
	for _, e := range entries {
		for _, l := range linesOf(e, rules) {
			l.Review = reviewed[e.TransactionID]
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// linesOf are the lines of an entry that people read: what was charged, received or
// billed, by category.
func linesOf(e store.JournalEntry, rules policy.Finance) []financereport.Line {
	t := e.Transaction
	var out []financereport.Line
	for _, l := range e.Lines {
		line := financereport.Line{
			PortfolioID: t.PortfolioID, Day: e.Day, Kind: t.Kind, Where: whereOf(t), Text: t.Text, Corrected: e.Reverses > 0,
			Category: categoryName(l.Role, rules), Amount: policy.Cents(l.Debit - l.Credit),
		}
		switch l.Role {
		case bookkeeping.RoleReceivables, bookkeeping.RolePayables:
			continue
		case bookkeeping.RoleBank:
			line.Category = ""
		}
		if t.Kind == financereport.Charge {
			line.Amount = -line.Amount
		}
		out = append(out, line)
	}
	return out
}

func categoryName(role string, rules policy.Finance) string {
	if c, ok := rules.Category(role); ok {
		return c.Name
	}
	if role == bookkeeping.RoleUnsure {
		return "Not categorised"
	}
	return policy.Words(role)
}

func whereOf(t store.BookedTransaction) string {
	switch {
	case t.LeaseID != "":
		return "Lease " + t.LeaseID
	case t.UnitID != "":
		return "Unit " + t.UnitID
	case t.PropertyID != "":
		return "Property " + t.PropertyID
	}
	return ""
}

func figuresOf(lines []financereport.Line) financereport.Figures {
	var sum financereport.Figures
	for _, l := range lines {
		sum = sum.Plus(l.Figures())
	}
	return sum
}

// settingReported is the last day of which the team got a daily report.
const settingReported = "books_reported"

func (a *Activities) mailFinanceReport(ctx context.Context, in MailFinanceReportInput) (FinanceReported, error) {
	rules := a.Policy.Finance()
	today, err := time.Parse(time.DateOnly, in.Today)
	if err != nil {
		return FinanceReported{}, toTemporal(ctx, &partner.Error{Op: MailFinanceReport.Name, Kind: partner.Invalid, Message: "today is a day such as 2026-11-22"})
	}
	kind, from, to := financereport.Monthly, today.AddDate(0, -1, 1-today.Day()), today.AddDate(0, 0, -today.Day())
	if !in.Month {
		kind, to = financereport.Daily, today.AddDate(0, 0, -1)
		if from, err = a.firstUnreported(ctx, to); err != nil || from.After(to) {
			return FinanceReported{}, err
		}
	}
	r := a.newReport(kind, rules, from.Format(time.DateOnly), to.Format(time.DateOnly))
	if err := a.fill(ctx, &r, rules); err != nil {
		return FinanceReported{}, err
	}
	var team []Person
	for _, p := range rules.Team {
		team = append(team, PersonOf(p))
	}
	out := FinanceReported{Period: r.To}
	switch {
	case in.Month:
		out.Period = from.Format("2006-01")
	case r.From != r.To:
		out.Period = r.From + " to " + r.To
	}
	if out.Mails, err = a.mailReport(ctx, r, "finance-report/"+r.From+"/"+r.To, team); err != nil || in.Month {
		return out, err
	}
	if err := writeDown(ctx); err != nil {
		return out, err
	}
	return out, a.Store.SetSetting(ctx, settingReported, r.To)
}

// firstUnreported is the day after the last one that was reported, at most a month back:
// on a fast clock days pass between two runs.
func (a *Activities) firstUnreported(ctx context.Context, to time.Time) (time.Time, error) {
	text, err := a.Store.Setting(ctx, settingReported)
	if err != nil || text == "" {
		return to, err
	}
	last, err := time.Parse(time.DateOnly, text)
	if earliest := to.AddDate(0, -1, 0); err == nil && last.Before(earliest) {
		return earliest, nil
	}
	return last.AddDate(0, 0, 1), err
}

// maxReported bounds the entries of one report.
const maxReported = 100_000

// fill gathers the figures of a period: a day's by when they were booked, a month's by
// the day on which they count.
func (a *Activities) fill(ctx context.Context, r *financereport.Report, rules policy.Finance) error {
	filter := store.JournalFilter{From: r.From, To: r.To, Most: maxReported}
	if r.Kind == financereport.Daily {
		zone, err := time.LoadLocation(rules.TimeZone)
		if err != nil {
			return err
		}
		from, errFrom := time.ParseInLocation(time.DateOnly, r.From, zone)
		to, errTo := time.ParseInLocation(time.DateOnly, r.To, zone)
		if err := cmp.Or(errFrom, errTo); err != nil {
			return err
		}
		filter = store.JournalFilter{PlannedFrom: from, PlannedTo: to.AddDate(0, 0, 1), Most: maxReported}
	}
	entries, err := a.Store.Journal(ctx, filter)
	if err != nil {
		return err
	}
	if r.Lines, err = a.reportLines(ctx, entries, rules); err != nil {
		return err
	}
	categories, portfolios, days := map[string]financereport.Figures{}, map[string]financereport.Figures{}, map[string]financereport.Figures{}
	for _, l := range r.Lines {
		f := l.Figures()
		r.Total = r.Total.Plus(f)
		category := cmp.Or(l.Category, "Payments")
		portfolio := cmp.Or(l.PortfolioID, "none")
		categories[category] = categories[category].Plus(f)
		portfolios[portfolio] = portfolios[portfolio].Plus(f)
		days[l.Day] = days[l.Day].Plus(f)
	}
	r.Categories, r.Portfolios = rowsOf(categories, ""), rowsOf(portfolios, "Portfolio ")
	if r.Kind == financereport.Monthly {
		r.Days = rowsOf(days, "")
	}
	for _, e := range entries {
		r.Books.Planned++
		if !e.PostedAt.IsZero() {
			r.Books.Posted++
		}
	}
	return a.fillOpen(ctx, r, rules)
}

func rowsOf(sums map[string]financereport.Figures, prefix string) []financereport.Row {
	var rows []financereport.Row
	for _, label := range slices.Sorted(maps.Keys(sums)) {
		rows = append(rows, financereport.Row{Label: prefix + label, Figures: sums[label]})
	}
	return rows
}

// fillOpen gathers what is open: findings, what nobody could categorise, the bank, what
// is not posted.
func (a *Activities) fillOpen(ctx context.Context, r *financereport.Report, rules policy.Finance) error {
	findings, err := a.Store.Findings(ctx, store.FindingOpen)
	if err != nil {
		return err
	}
	rank := map[string]int{"high": 0, "medium": 1, "low": 2}
	slices.SortStableFunc(findings, func(x, y store.Finding) int { return cmp.Compare(rank[x.Severity], rank[y.Severity]) })
	for _, f := range findings {
		r.Findings = append(r.Findings, financereport.Finding{
			Kind: f.Kind, Severity: f.Severity, Reason: aboutOf(f) + ": " + f.Reason, Amount: policy.Cents(f.Amount),
			Days: int(r.At.Sub(f.FoundAt) / (24 * time.Hour)),
		})
	}
	unsure, err := a.Store.Journal(ctx, store.JournalFilter{Role: bookkeeping.RoleUnsure, Most: maxReported})
	if err != nil {
		return err
	}
	reversed := map[string]bool{}
	for _, e := range unsure {
		if e.Reverses > 0 {
			reversed[bookingID(e.TransactionID, e.Reverses)] = true
		}
	}
	for _, e := range unsure {
		if e.Reverses == 0 && !reversed[bookingID(e.TransactionID, e.Number)] {
			r.Unsure = append(r.Unsure, financereport.Unsure{
				Day: e.Transaction.Day, Where: whereOf(e.Transaction), Text: e.Transaction.Text, Amount: policy.Cents(e.Transaction.Amount),
			})
		}
	}
	unposted, err := a.Store.Journal(ctx, store.JournalFilter{Unposted: true, Most: maxReported})
	if err != nil {
		return err
	}
	r.Books.Unposted = len(unposted)
	for _, e := range unposted {
		if day := DayIn(e.PlannedAt, rules.TimeZone); r.Books.UnpostedSince == "" || day < r.Books.UnpostedSince {
			r.Books.UnpostedSince = day
		}
	}
	balances, err := a.Store.Balances(ctx, "")
	if err != nil {
		return err
	}
	for _, b := range balances {
		r.Books.Difference += policy.Cents(b)
	}
	r.Bank, err = a.reportBank(ctx, r.To, rules)
	return err
}

func (a *Activities) reportBank(ctx context.Context, day string, rules policy.Finance) (financereport.Bank, error) {
	account := rules.Accounts.Bank
	open, err := a.openBank(ctx, rules)
	if err != nil || open.until == "" {
		return financereport.Bank{}, err
	}
	b := financereport.Bank{Account: account, Until: open.until}
	totals, err := a.Store.BankTotals(ctx, account)
	if err != nil {
		return b, err
	}
	b.Difference = policy.Cents(totals.MatchedLines - totals.MatchedBookings)
	b.Proved = b.Difference == 0
	var openLines, openBookings []financereport.Open
	for _, l := range open.lines {
		openLines = append(openLines, financereport.Open{Day: l.Day, Amount: l.Amount})
	}
	for _, l := range open.bookings {
		openBookings = append(openBookings, financereport.Open{Day: l.Day, Amount: l.Amount})
	}
	b.OpenLines, b.OpenBookings = financereport.ByAge(day, openLines), financereport.ByAge(day, openBookings)
	return b, nil
}

func (a *Activities) fileOwnerLedgers(ctx context.Context, period string) (int, error) {
	rules := a.Policy.Finance()
	first, err := time.Parse("2006-01", period)
	if err != nil {
		return 0, toTemporal(ctx, &partner.Error{Op: FileOwnerLedgers.Name, Kind: partner.Invalid, Message: "a period is a month such as 2026-10"})
	}
	from, to := first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly)
	entries, err := a.Store.Journal(ctx, store.JournalFilter{From: from, To: to, Most: maxReported})
	if err != nil {
		return 0, err
	}
	byPortfolio := map[string][]store.JournalEntry{}
	for _, e := range entries {
		if id := e.Transaction.PortfolioID; id != "" {
			byPortfolio[id] = append(byPortfolio[id], e)
		}
	}
	filed, failed := 0, error(nil)
	for _, id := range slices.Sorted(maps.Keys(byPortfolio)) {
		r := a.newReport(financereport.OwnerLedger, rules, from, to)
		r.PortfolioID = id
		// One that RentVine refuses does not keep the others from theirs.
		if err := a.fileOwnerLedger(ctx, r, byPortfolio[id], rules); err != nil {
			failed = err
		} else {
			filed++
		}
		activity.RecordHeartbeat(ctx, filed)
	}
	return filed, toTemporal(ctx, failed)
}

func (a *Activities) fileOwnerLedger(ctx context.Context, r financereport.Report, entries []store.JournalEntry, rules policy.Finance) error {
	lines, err := a.reportLines(ctx, entries, rules)
	if err != nil {
		return err
	}
	r.Lines = lines
	portfolio, err := a.RentVine.PortfolioOf(ctx, r.PortfolioID, entries[0].Transaction.PropertyID)
	if err != nil && partner.KindOf(err) != partner.NotFound {
		return err
	}
	r.Portfolio = portfolio.Name
	before, err := time.Parse(time.DateOnly, r.From)
	if err != nil {
		return err
	}
	sums, err := a.Store.RoleSums(ctx, r.PortfolioID, before.AddDate(0, 0, -1).Format(time.DateOnly))
	if err != nil {
		return err
	}
	// Payables are credits: what was billed lowers the balance.
	r.Opening = policy.Cents(sums[bookkeeping.RoleBank] + sums[bookkeeping.RolePayables])
	pdf, err := r.PDF()
	if err != nil {
		return err
	}
	var table bytes.Buffer
	if err := r.CSV(&table); err != nil {
		return err
	}
	name := "owner-ledger-" + r.From[:len("2006-01")]
	for _, f := range []struct {
		name, contentType string
		data              []byte
	}{{name + ".pdf", "application/pdf", pdf}, {name + ".csv", "text/csv", table.Bytes()}} {
		_, err := a.once(ctx, effect{
			key:   fmt.Sprintf("portfolio/%s/%s", r.PortfolioID, f.name),
			about: writing(atRentVine, "file "+f.name+" on portfolio "+r.PortfolioID, portfolioLinks(r.PortfolioID)...),
			find: func(ctx context.Context, _ time.Time) (string, bool, error) {
				found, ok, err := a.RentVine.FindFile(ctx, rentvine.ObjectPortfolio, r.PortfolioID, f.name)
				return found.ID, ok, err
			},
			act: func(ctx context.Context) (string, error) {
				made, err := a.RentVine.UploadFile(ctx, rentvine.ObjectPortfolio, r.PortfolioID, f.name, f.contentType, f.data)
				return made.ID, err
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
