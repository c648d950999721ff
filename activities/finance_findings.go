package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/activities/anomalies"
	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// DetectAnomalies looks for what is conspicuous about one transaction, beside those of
// the same lease. What it finds is recorded once, however often it looks.
var DetectAnomalies = durable.Activity[DetectAnomaliesInput, Anomalies]{
	Name: "agents.detect_anomalies", Attempt: 15 * time.Second,
}

// ReportRefusal raises a finding that a transaction could not be booked.
var ReportRefusal = durable.Activity[RefusalInput, Anomalies]{
	Name: "finance.report_refusal", Attempt: 15 * time.Second,
}

// FindMissing goes through the leases of RentVine for payments that are missing: charged
// and not paid, or not even charged. It reads alone; what it finds is recorded once. A
// walk that breaks off goes on with the page on which it was. It tells too of what else is
// undone: findings that nobody reviews, and entries that nobody posts.
var FindMissing = durable.Activity[None, Undone]{
	Name: "agents.find_missing_payments", Queue: QueueBulk, Attempt: time.Hour, Heartbeat: 2 * time.Minute, Priority: 5,
}

// ReadFinding reads a finding for its review, and notes that the review has begun.
var ReadFinding = durable.Activity[string, FindingView]{
	Name: "finance.read_finding", Attempt: 5 * time.Second,
}

// SettleFinding notes how a finding has ended. Repeating it is harmless.
var SettleFinding = durable.Activity[SettleFindingInput, Settled]{
	Name: "finance.settle_finding", Attempt: 10 * time.Second,
}

type (
	// DetectAnomaliesInput is the transaction as it is booked.
	DetectAnomaliesInput struct {
		Transaction bookkeeping.Transaction `json:"transaction"`
	}
	// RefusalInput says what could not be booked, and why in a few words.
	RefusalInput struct {
		ID          string                   `json:"id"`
		Why         string                   `json:"why"`
		Transaction *bookkeeping.Transaction `json:"transaction,omitempty"`
	}
	// Anomalies are findings that nobody reviews yet, and the IDs of those under review
	// that have resolved themselves.
	Anomalies struct {
		Raised []FindingView `json:"raised,omitempty"`
		Gone   []string      `json:"gone,omitempty"`
	}
	// FindingView is a finding as its reviewer sees it. It names nobody.
	FindingView struct {
		ID       string `json:"id"`
		Kind     string `json:"kind"`
		Severity string `json:"severity"`
		// About is what it is about, in a word: "charge/12" or "lease 7".
		About      string   `json:"about"`
		Reason     string   `json:"reason"`
		Evidence   []Detail `json:"evidence,omitempty"`
		LeaseID    string   `json:"lease_id,omitempty"`
		PropertyID string   `json:"property_id,omitempty"`
		State      string   `json:"state"`
		// Proposals are matches that a person may choose from.
		Proposals []Proposal `json:"proposals,omitempty"`
	}
	// Proposal is a match by its ID, in words.
	Proposal struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	// Undone is what was found, and the transactions with entries that were planned and not
	// posted.
	Undone struct {
		Anomalies
		Unposted []string `json:"unposted,omitempty"`
	}
	// Settled tells that a finding is still open: what was decided could not be done.
	Settled struct {
		Open bool `json:"open,omitempty"`
	}
	// SettleFindingInput is a decision about a finding.
	SettleFindingInput struct {
		ID string `json:"id"`
		Decision
	}
	// Decision is how a finding ends.
	Decision struct {
		// State is FindingRight, FindingWrong or FindingGone.
		State string `json:"state"`
		// By is the id of who decided, "" for nobody.
		By   string `json:"by,omitempty"`
		Note string `json:"note,omitempty"`
		// Match is the ID of the match that was chosen, "" for none.
		Match string `json:"match,omitempty"`
	}
)

// The states of a finding, for workflows.
const (
	FindingOpen  = string(store.FindingOpen)
	FindingRight = string(store.FindingRight)
	FindingWrong = string(store.FindingWrong)
	FindingGone  = string(store.FindingGone)
)

// The kinds of findings that are made here.
const (
	// missingAtRentVine: booked, and RentVine does not show it any more.
	missingAtRentVine = "missing_at_rentvine"
	// notBooked: RentVine or QuickBooks refuses.
	notBooked = "not_booked"
)

// maxRaised bounds the findings that one look hands to their reviews; the next look has
// the rest.
const maxRaised = 200

func (a *Activities) detectAnomalies(ctx context.Context, in DetectAnomaliesInput) (Anomalies, error) {
	t, rules := in.Transaction, a.Policy.Finance()
	found := []anomalies.Finding{}
	known, err := a.knownOf(ctx, t.LeaseID)
	if err != nil {
		return Anomalies{}, err
	}
	switch {
	case !t.Found:
		gone, err := a.vanished(ctx, t)
		if err != nil {
			return Anomalies{}, err
		}
		found = append(found, gone...)
	case t.Counts():
		for _, k := range known {
			if k.ID == t.ID {
				found = append(found, anomalies.Of(k, known, rules.Anomalies)...)
			}
		}
	}
	return a.raise(ctx, found, place{t.PropertyID, t.PortfolioID}, func(f store.Finding) bool {
		return slices.Contains(f.Transactions, t.ID) && resolved(f, t, known, rules)
	}, t.ID)
}

// resolved tells whether an open finding about a transaction holds no more.
func resolved(f store.Finding, t bookkeeping.Transaction, known []anomalies.Known, rules policy.Finance) bool {
	switch f.Kind {
	case anomalies.DuplicateCharge, anomalies.UnusualAmount:
		if !t.Found || t.LeaseID == "" {
			return false
		}
		for _, k := range known {
			if slices.Contains(f.Transactions, k.ID) && slices.ContainsFunc(anomalies.Of(k, known, rules.Anomalies), func(now anomalies.Finding) bool { return now.ID == f.ID }) {
				return false
			}
		}
		return true
	case anomalies.MissingPayment:
		return t.Found && !t.Counts()
	case missingAtRentVine, notBooked:
		return t.Found
	}
	return false
}

// vanished are the findings about a transaction that RentVine does not show.
func (a *Activities) vanished(ctx context.Context, t bookkeeping.Transaction) ([]anomalies.Finding, error) {
	booked, err := a.Store.Entries(ctx, t.ID)
	if err != nil || len(booked) == 0 || booked[len(booked)-1].Reverses > 0 {
		return nil, err
	}
	last := booked[len(booked)-1]
	return []anomalies.Finding{{
		ID: missingAtRentVine + "/" + t.ID, Kind: missingAtRentVine, Severity: anomalies.High,
		Reason:       "It is booked, and RentVine does not show it any more. It stays booked until RentVine shows it as voided.",
		Evidence:     []anomalies.Evidence{{Label: "Booked on", Text: last.Day}, {Label: "Entry", Text: bookkeeping.Number(t.ID, last.Number)}},
		Transactions: []string{t.ID}, LeaseID: last.Transaction.LeaseID, Amount: policy.Cents(last.Transaction.Amount),
	}}, nil
}

// historyFor is how far back transactions of a lease are compared.
const historyFor = 2 * 365 * 24 * time.Hour

// knownOf are the transactions of a lease that count, as the checks want them.
func (a *Activities) knownOf(ctx context.Context, leaseID string) ([]anomalies.Known, error) {
	if leaseID == "" {
		return nil, nil
	}
	rows, err := a.Store.BookedTransactions(ctx, leaseID, a.businessNow().Add(-historyFor).Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	var known []anomalies.Known
	for _, r := range rows {
		known = append(known, knownFrom(r))
	}
	return known, nil
}

func knownFrom(r store.BookedTransaction) anomalies.Known {
	account := r.Account
	if account == "" {
		account = "category " + r.Category
	}
	return anomalies.Known{ID: r.ID, Kind: r.Kind, LeaseID: r.LeaseID, Account: account, Amount: policy.Cents(r.Amount), Day: r.Day, Text: r.Text}
}

// place is where a finding belongs.
type place struct{ propertyID, portfolioID string }

// raise records findings, and ends those that hold no more among the open ones about
// some transactions. It returns all that are about them and have no review yet, so that
// a look that is repeated, because its result was lost, returns the same again.
func (a *Activities) raise(ctx context.Context, found []anomalies.Finding, where place, gone func(store.Finding) bool, about ...string) (Anomalies, error) {
	var out Anomalies
	var open []store.Finding
	for _, f := range found {
		row := storedFinding(f, where, a.businessNow())
		if _, err := a.Store.RaiseFinding(ctx, row); err != nil {
			return out, err
		}
		kept, err := a.Store.Finding(ctx, f.ID)
		if err != nil {
			return out, err
		}
		open = append(open, kept)
	}
	for _, id := range about {
		more, err := a.Store.OpenFindingsOf(ctx, id)
		if err != nil {
			return out, err
		}
		open = append(open, more...)
	}
	seen := map[string]bool{}
	for _, f := range open {
		if seen[f.ID] || f.State != store.FindingOpen {
			continue
		}
		seen[f.ID] = true
		if gone != nil && gone(f) {
			if _, err := a.Store.SettleFinding(ctx, f.ID, store.FindingGone, "", "", a.businessNow()); err != nil {
				return out, err
			}
			out.Gone = append(out.Gone, f.ID)
			findingGone(ctx, f)
		} else if f.ReviewedAt.IsZero() && len(out.Raised) < maxRaised {
			findingRaised(ctx, f)
			out.Raised = append(out.Raised, viewOfFinding(f))
		}
	}
	return out, nil
}

// findingRaised and findingGone record that a finding was raised, and that it resolved
// itself: once, whoever meets it again.
func findingRaised(ctx context.Context, f store.Finding) {
	recordFinding(ctx, f, "", fmt.Sprintf("finding of %s severity about %s: %s", f.Severity, aboutOf(f), f.Reason))
}

func findingGone(ctx context.Context, f store.Finding) {
	recordFinding(ctx, f, "/gone", fmt.Sprintf("finding about %s has resolved itself: %s", aboutOf(f), f.Kind))
}

func recordFinding(ctx context.Context, f store.Finding, part, what string) {
	links := append([]string{"finding/" + f.ID}, f.Transactions...)
	if f.LeaseID != "" {
		links = append(links, "lease/"+f.LeaseID)
	}
	record(ctx, store.AuditEntry{ID: "finding/" + f.ID + part, Kind: store.AuditDecision, Actor: byPolicy, What: what, Links: links})
}

func storedFinding(f anomalies.Finding, where place, now time.Time) store.Finding {
	out := store.Finding{
		ID: f.ID, Kind: f.Kind, Severity: f.Severity, Reason: f.Reason, Transactions: f.Transactions, LeaseID: f.LeaseID,
		PropertyID: where.propertyID, PortfolioID: where.portfolioID, Amount: int64(f.Amount), FoundAt: now, State: store.FindingOpen,
	}
	for _, e := range f.Evidence {
		out.Evidence = append(out.Evidence, store.Detail{Label: e.Label, Text: e.Text})
	}
	return out
}

func viewOfFinding(f store.Finding) FindingView {
	v := FindingView{
		ID: f.ID, Kind: f.Kind, Severity: f.Severity, About: aboutOf(f), Reason: f.Reason, Evidence: f.Evidence,
		LeaseID: f.LeaseID, PropertyID: f.PropertyID, State: string(f.State),
	}
	for _, p := range f.Proposals {
		v.Proposals = append(v.Proposals, Proposal{ID: p.ID, Text: p.Why})
	}
	return v
}

func aboutOf(f store.Finding) string {
	switch {
	case len(f.Transactions) > 0:
		return strings.Join(f.Transactions, ", ")
	case f.LeaseID != "":
		return "lease " + f.LeaseID
	}
	return "the bank"
}

func (a *Activities) reportRefusal(ctx context.Context, in RefusalInput) (Anomalies, error) {
	f := anomalies.Finding{
		ID: notBooked + "/" + in.ID, Kind: notBooked, Severity: anomalies.High,
		Reason:   "It could not be booked: " + in.Why + ". It is tried again every few hours.",
		Evidence: []anomalies.Evidence{{Label: "Transaction", Text: in.ID}}, Transactions: []string{in.ID},
	}
	var where place
	if t := in.Transaction; t != nil {
		f.LeaseID, f.Amount, where = t.LeaseID, t.Amount(), place{t.PropertyID, t.PortfolioID}
	}
	return a.raise(ctx, []anomalies.Finding{f}, where, nil)
}

func (a *Activities) readFinding(ctx context.Context, id string) (FindingView, error) {
	if err := a.Store.NoteReview(ctx, id, a.businessNow()); err != nil {
		return FindingView{}, err
	}
	f, err := a.Store.Finding(ctx, id)
	return viewOfFinding(f), err
}

func (a *Activities) settleFinding(ctx context.Context, in SettleFindingInput) (Settled, error) {
	now := a.businessNow()
	if in.Match != "" {
		f, err := a.Store.Finding(ctx, in.ID)
		if err != nil {
			return Settled{}, err
		}
		i := slices.IndexFunc(f.Proposals, func(m store.BankMatch) bool { return m.ID == in.Match })
		if f.State == store.FindingOpen && i < 0 {
			return Settled{Open: true}, nil
		}
		if f.State == store.FindingOpen {
			match := f.Proposals[i]
			match.How, match.By, match.At = "person", in.By, now
			if n, err := a.Store.MatchBank(ctx, []store.BankMatch{match}); err != nil || n == 0 {
				return Settled{Open: true}, err
			}
		}
	}
	_, err := a.Store.SettleFinding(ctx, in.ID, store.FindingState(in.State), in.By, in.Note, now)
	return Settled{}, err
}

// missingWalk is where a walk through the leases is.
type missingWalk struct {
	Page int `json:"page"`
	Anomalies
}

func (a *Activities) findMissing(ctx context.Context, _ None) (Undone, error) {
	walk := resumed(ctx, missingWalk{Page: 1})
	began, err := a.Store.Setting(ctx, settingBooksBegan)
	if err != nil || began == "" {
		return Undone{}, err // nothing is booked yet
	}
	var failed error
	err = a.RentVine.EachLeaseFrom(ctx, max(walk.Page, 1), time.Time{}, nil, func(page int, l rentvine.Lease) bool {
		walk.Page = page
		gone, err := a.missingOf(ctx, l, began)
		if err != nil {
			failed = err
			return false
		}
		// A page that is done is not looked at again.
		if failed = writeDown(ctx); failed != nil {
			return false
		}
		walk.Gone = append(walk.Gone, gone...)
		activity.RecordHeartbeat(ctx, walk)
		return ctx.Err() == nil
	})
	failed = cmp.Or(failed, err, ctx.Err())
	if failed != nil {
		return Undone{}, toTemporal(ctx, failed)
	}
	return a.undone(ctx, walk.Gone)
}

// undone is what somebody has to be asked about, and what is to be posted.
func (a *Activities) undone(ctx context.Context, gone []string) (Undone, error) {
	out := Undone{Anomalies: Anomalies{Gone: gone[:min(len(gone), maxRaised)]}}
	open, err := a.Store.Findings(ctx, store.FindingOpen)
	if err != nil {
		return out, err
	}
	for _, f := range open {
		if f.ReviewedAt.IsZero() && len(out.Raised) < maxRaised {
			findingRaised(ctx, f)
			out.Raised = append(out.Raised, viewOfFinding(f))
		}
	}
	unposted, err := a.Store.Journal(ctx, store.JournalFilter{Unposted: true, Most: maxRaised})
	for _, e := range unposted {
		if !slices.Contains(out.Unposted, e.TransactionID) {
			out.Unposted = append(out.Unposted, e.TransactionID)
		}
	}
	return out, err
}

// missingOf looks at one lease, and returns the findings that hold no more.
func (a *Activities) missingOf(ctx context.Context, l rentvine.Lease, began string) (gone []string, err error) {
	rules := a.Policy.Finance()
	lease, err := a.ledgerOf(ctx, l, began)
	if err != nil {
		return nil, err
	}
	found := anomalies.Missing(lease, a.booksToday(rules), rules.Anomalies)
	if due, ok := amountOf(l.Balance.PastDueTotal); ok && due < rules.Anomalies.MissingLeast {
		// Payments from before the books began are not known here: RentVine has the last word
		// on whether something is owed.
		found = slices.DeleteFunc(found, func(f anomalies.Finding) bool { return len(f.Transactions) > 0 })
	}
	open, err := a.Store.OpenFindingsOfLease(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if _, err := a.Store.RaiseFinding(ctx, storedFinding(f, place{l.PropertyID, l.PortfolioID}, a.businessNow())); err != nil {
			return nil, err
		}
	}
	old := a.businessNow().Add(-missingFor)
	for _, f := range open {
		holds := slices.ContainsFunc(found, func(now anomalies.Finding) bool { return now.ID == f.ID })
		if f.Kind != anomalies.MissingPayment || holds || f.FoundAt.Before(old) {
			continue
		}
		if _, err := a.Store.SettleFinding(ctx, f.ID, store.FindingGone, "", "", a.businessNow()); err != nil {
			return nil, err
		}
		gone = append(gone, f.ID)
		findingGone(ctx, f)
	}
	return gone, nil
}

// missingFor is after how long a missing payment is not looked for any more: it stays
// open until somebody decides.
const missingFor = 300 * 24 * time.Hour

// ledgerOf is what a lease was charged and has paid, and what it is still to be charged.
func (a *Activities) ledgerOf(ctx context.Context, l rentvine.Lease, began string) (anomalies.Lease, error) {
	lease := anomalies.Lease{ID: l.ID, Since: began}
	rows, err := a.Store.BookedTransactions(ctx, l.ID, "")
	if err != nil {
		return lease, err
	}
	for _, r := range rows {
		k := knownFrom(r)
		switch k.Kind {
		case anomalies.Charge:
			lease.Charges = append(lease.Charges, k)
		case anomalies.Payment:
			lease.Payments = append(lease.Payments, k)
		case anomalies.Credit:
			lease.Credits = append(lease.Credits, k)
		}
	}
	if l.PrimaryStatus == rentvine.LeaseClosed {
		return lease, nil
	}
	recurring, err := a.RentVine.RecurringCharges(ctx, l.ID)
	lease.Recurring, lease.RentAccount = rentDue(recurring), rentAccountOf(recurring)
	return lease, err
}

// rentDue are the charges of rent that are to come every month.
func rentDue(charges []rentvine.RecurringCharge) []anomalies.Recurring {
	var out []anomalies.Recurring
	for _, c := range charges {
		amount, ok := amountOf(c.Amount)
		if c.IsRent && ok && amount > 0 {
			out = append(out, anomalies.Recurring{Amount: amount, DayDue: max(c.DayDue, 1), From: c.StartDate, To: c.EndDate})
		}
	}
	return out
}

// rentAccountOf is the account of the charges of rent, "" where there are none or
// several.
func rentAccountOf(charges []rentvine.RecurringCharge) string {
	account := ""
	for _, c := range charges {
		if !c.IsRent {
			continue
		}
		if account != "" && account != c.AccountID {
			return ""
		}
		account = c.AccountID
	}
	return account
}
