package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/anomalies"
	"github.com/aictive/keyholder/activities/bankmatch"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// MatchBank matches the open lines of bank statements with the open bookings on the
// bank's account, and raises a finding for each that has waited too long. Repeating it is
// harmless: what is matched is not matched again.
var MatchBank = durable.Activity[None, ReconciledBank]{
	Name: "finance.match_bank", Queue: QueueBulk, Attempt: 5 * time.Minute, Priority: 4,
}

// ReconciledBank tells what was matched. Sums are of all lines and bookings.
type ReconciledBank struct {
	Matched      int       `json:"matched"`
	OpenLines    int       `json:"open_lines"`
	OpenBookings int       `json:"open_bookings"`
	Anomalies    Anomalies `json:"anomalies,omitzero"`
}

func (a *Activities) matchBank(ctx context.Context, _ None) (ReconciledBank, error) {
	rules := a.Policy.Finance()
	open, err := a.openBank(ctx, rules)
	if err != nil || open.until == "" {
		return ReconciledBank{}, err // no statement was read in yet
	}
	result := bankmatch.Pair(open.lines, open.bookings, rules.Bank)
	now := a.businessNow()
	var matches []store.BankMatch
	for _, m := range result.Matches {
		matches = append(matches, store.BankMatch{ID: m.ID(), How: m.How, Why: m.Why, At: now, Lines: m.Lines, Bookings: m.Bookings})
		recordMatch(ctx, m)
	}
	// What is matched is not looked at again.
	if err := writeDown(ctx); err != nil {
		return ReconciledBank{}, err
	}
	out := ReconciledBank{OpenLines: len(result.OpenLines), OpenBookings: len(result.OpenBookings)}
	if out.Matched, err = a.Store.MatchBank(ctx, matches); err != nil {
		return out, err
	}
	out.Anomalies, err = a.raiseBank(ctx, result, open, rules)
	return out, err
}

// recordMatch records a match, with links to the transactions.
func recordMatch(ctx context.Context, m bankmatch.Match) {
	var links []string
	for _, b := range m.Bookings[:min(len(m.Bookings), maxMatchLinks)] {
		transaction, _, _ := strings.Cut(b, "#")
		links = append(links, transaction)
	}
	record(ctx, store.AuditEntry{
		ID: "match/" + m.ID(), Kind: store.AuditDecision, Actor: byPolicy,
		What: fmt.Sprintf("bank: %d lines matched with %d bookings, %s", len(m.Lines), len(m.Bookings), m.How), Links: links,
	})
}

// maxMatchLinks bounds the transactions of a match that its record links to.
const maxMatchLinks = 50

// openBank is what is not matched, of the time in which lines and bookings should have
// each other: from the first statement on, but not before the books began.
type openBank struct {
	lines    []bankmatch.Line
	bookings []bankmatch.Booking
	// readOn are the days on which lines were read in, by their IDs.
	readOn map[string]string
	// until is the last day of the last statement, "" where there is none.
	until string
}

func (a *Activities) openBank(ctx context.Context, rules policy.Finance) (openBank, error) {
	open := openBank{readOn: map[string]string{}}
	statements, err := a.Store.BankStatements(ctx, rules.Accounts.Bank)
	if err != nil || len(statements) == 0 {
		return open, err
	}
	since, readOn := statements[0].From, map[string]string{}
	for _, s := range statements {
		since, open.until = min(since, s.From), max(open.until, s.To)
		readOn[s.ID] = DayIn(s.At, rules.TimeZone)
	}
	begins, err := a.Store.Setting(ctx, settingBooksBegan)
	if err != nil {
		return open, err
	}
	if rules.Bank.Begins != (policy.Date{}) {
		begins = rules.Bank.Begins.String()
	}
	since = max(since, begins)
	lines, err := a.Store.OpenBankLines(ctx, rules.Accounts.Bank, since)
	if err != nil {
		return open, err
	}
	for _, l := range lines {
		open.readOn[l.ID] = readOn[l.StatementID]
		open.lines = append(open.lines, bankmatch.Line{ID: l.ID, Day: l.Day, Text: l.Text, Reference: l.Reference, Amount: policy.Cents(l.Amount)})
	}
	bookings, err := a.Store.OpenBankBookings(ctx, since)
	for _, b := range bookings {
		booking := bankmatch.Booking{
			ID: bookingID(b.TransactionID, b.Number), Day: b.Day, Text: b.Text, LeaseID: b.LeaseID, Amount: policy.Cents(b.Amount),
		}
		if b.Reverses > 0 {
			booking.Reverses = bookingID(b.TransactionID, b.Reverses)
		}
		open.bookings = append(open.bookings, booking)
	}
	return open, err
}

func bookingID(transactionID string, number int) string {
	return fmt.Sprintf("%s#%d", transactionID, number)
}

// raiseBank raises what has waited too long for the other side, with the matches that a
// person may choose from, and ends the findings about what is matched now. What no
// statement covers yet is not late, and a statement that comes late gives its bookings
// time. Money that left is not raised: what is paid to vendors
// and owners is booked by nobody here.
func (a *Activities) raiseBank(ctx context.Context, r bankmatch.Result, of openBank, rules policy.Finance) (Anomalies, error) {
	var lines, bookings []anomalies.Unmatched
	for _, l := range r.OpenLines {
		if l.Amount > 0 {
			lines = append(lines, anomalies.Unmatched{ID: l.ID, Day: l.Day, Since: of.readOn[l.ID], Amount: l.Amount})
		}
	}
	for _, b := range r.OpenBookings {
		if b.Day <= of.until {
			bookings = append(bookings, anomalies.Unmatched{ID: b.ID, Day: b.Day, LeaseID: b.LeaseID, Amount: b.Amount})
		}
	}
	found := anomalies.Bank(bookings, lines, a.booksToday(rules), rules.Anomalies)
	for _, f := range found {
		row := storedFinding(f, place{}, a.businessNow())
		row.Proposals = proposalsFor(f.ID, r.Proposals)
		if _, err := a.Store.RaiseFinding(ctx, row); err != nil {
			return Anomalies{}, err
		}
	}
	open, err := a.Store.Findings(ctx, store.FindingOpen)
	if err != nil {
		return Anomalies{}, err
	}
	var out Anomalies
	for _, f := range open {
		switch {
		case f.Kind != anomalies.LedgerAgainstBank:
		case slices.ContainsFunc(found, func(now anomalies.Finding) bool { return now.ID == f.ID }):
			if f.ReviewedAt.IsZero() && len(out.Raised) < maxRaised {
				findingRaised(ctx, f)
				out.Raised = append(out.Raised, viewOfFinding(f))
			}
		default:
			if _, err := a.Store.SettleFinding(ctx, f.ID, store.FindingGone, "", "", a.businessNow()); err != nil {
				return out, err
			}
			out.Gone = append(out.Gone, f.ID)
			findingGone(ctx, f)
		}
	}
	return out, nil
}

// proposalsFor are the matches proposed for what a finding is about.
func proposalsFor(findingID string, all []bankmatch.Proposal) []store.BankMatch {
	var out []store.BankMatch
	for _, p := range all {
		about := slices.ContainsFunc(p.Lines, func(id string) bool { return anomalies.LedgerAgainstBank+"/line/"+id == findingID }) ||
			slices.ContainsFunc(p.Bookings, func(id string) bool { return anomalies.LedgerAgainstBank+"/"+id == findingID })
		if about {
			m := bankmatch.Match{Lines: p.Lines, Bookings: p.Bookings}
			out = append(out, store.BankMatch{ID: m.ID(), Why: p.Why, Lines: p.Lines, Bookings: p.Bookings})
		}
	}
	return out[:min(len(out), maxProposals)]
}

// maxProposals bounds what a person may choose from.
const maxProposals = 3
