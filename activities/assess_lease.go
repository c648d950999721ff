package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/activities/sentiment"
	"github.com/aictive/keyholder/clients/llm"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// AssessLease says how likely a tenant is to renew, how much the tenancy is at risk and
// why, by the weights of policy. It reads RentVine: the lease with its balances, its
// transactions, work orders and charges, and how much of the portfolio stands empty.
// Reading has no effect: the chat is not read, since reading it marks its messages as
// read (contracts/rentvine.md 4.14). What cannot be read for good, for want of a
// permission or a record, counts as not known and lowers the confidence; what may pass
// is tried again. Where a model is configured it judges the tone of texts, within what
// the lexicon allows; it never fails for the model's sake.
var AssessLease = durable.Activity[AssessLeaseInput, leasescore.Assessment]{
	Name: "agents.assess_lease", Queue: QueueRentVine, Attempt: 5 * time.Minute, Within: 12 * time.Hour,
}

// AssessLeaseInput is the lease, and what RentVine does not know.
type AssessLeaseInput struct {
	LeaseID     string `json:"lease_id"`
	PropertyID  string `json:"property_id"`
	PortfolioID string `json:"portfolio_id"`
	UnitID      string `json:"unit_id"`
	// Texts are what the tenant wrote to us in the last 12 months, such as a survey's
	// notes; descriptions of work orders are read here.
	Texts []string `json:"texts,omitempty"`
	// Survey and Retention are the last ones, Rent is that asked beside the last
	// suggestion's median; each is not known where it is zero.
	Survey    leasescore.SurveyKnown    `json:"survey,omitzero"`
	Retention leasescore.RetentionKnown `json:"retention,omitzero"`
	Rent      leasescore.RentKnown      `json:"rent,omitzero"`
}

const (
	// ledgerMonths is how far back transactions are read: some months more than the
	// year that is judged, so that its first charges meet the payments made for them.
	ledgerMonths = 15
	// malformedTries is after how many tries a reply that cannot be understood counts
	// as one that cannot be read.
	malformedTries = 3
	// ourMark begins the references in the work orders that we make ourselves.
	ourMark = "[KH-"
)

func (a *Activities) assessLease(ctx context.Context, in AssessLeaseInput) (leasescore.Assessment, error) {
	rules := a.Policy.Leasing(in.PortfolioID, in.PropertyID)
	g := gathering{a: a, in: in, rules: rules, found: leasescore.Inputs{Survey: in.Survey, Retention: in.Retention, Rent: in.Rent}}
	if err := g.gather(ctx); err != nil {
		return leasescore.Assessment{}, toTemporal(ctx, err)
	}
	g.tone(ctx)
	out := leasescore.Assess(g.found, rules.Scoring)
	out.Policy, out.Notes = rules.Version, g.notes
	decided(ctx, deciderOf(g.found.Sentiment.By), fmt.Sprintf("lease %s: renewal %d %%, risk %d %%, %d %% sure, policy %s",
		in.LeaseID, out.RenewalProbability, out.Risk, out.Confidence, out.Policy), "lease/"+in.LeaseID)
	return out, nil
}

// gathering collects what is known of a lease.
type gathering struct {
	a     *Activities
	in    AssessLeaseInput
	rules policy.Leasing
	found leasescore.Inputs
	// texts are the tenant's, the newest first.
	texts []string
	notes []string
}

// gather reads the parts one after another; the error may pass.
func (g *gathering) gather(ctx context.Context) error {
	a := g.a
	lease, err := a.RentVine.LeaseWithTenants(ctx, g.in.LeaseID)
	known := err == nil
	if err := g.missing(ctx, "the lease", err); err != nil {
		return err
	}
	today := a.leaseDay(g.rules, lease)
	g.found.AsOf = today
	var rent agreed
	charges, err := a.RentVine.RecurringCharges(ctx, g.in.LeaseID)
	if err == nil {
		rent = rentIn(charges, today)
	}
	if err := g.missing(ctx, "the rent", err); err != nil {
		return err
	}
	if known {
		g.tenancy(lease, rent, today)
		if err := g.payments(ctx, lease, today); err != nil {
			return err
		}
	}
	orders, err := a.RentVine.LeaseWorkOrders(ctx, g.in.LeaseID, cmp.Or(lease.UnitID, g.in.UnitID))
	if err == nil {
		g.repairs(orders, lease, today)
	}
	if err := g.missing(ctx, "work orders", err); err != nil {
		return err
	}
	if err := g.missing(ctx, "vacancies", a.readMarket(ctx)); err != nil {
		return err
	}
	percent, enough := a.market.vacancy(cmp.Or(lease.PortfolioID, g.in.PortfolioID))
	g.found.Vacancy = leasescore.VacancyKnown{Known: enough, Percent: percent}
	return nil
}

// missing notes a part that cannot be read for good, and returns the errors that may
// pass.
func (g *gathering) missing(ctx context.Context, part string, err error) error {
	switch {
	case err == nil:
		return nil
	case !forGood(err, attempt(ctx)):
		return err
	}
	g.note("%s: %s", part, cmp.Or(string(partner.KindOf(err)), "could not be read"))
	return nil
}

// forGood tells whether an error of a try (from 1) means that a part cannot be read at
// all.
func forGood(err error, try int32) bool {
	return passing(err) == nil || partner.KindOf(err) == partner.Malformed && try >= malformedTries
}

// note keeps words that hold nothing of what was read.
func (g *gathering) note(format string, args ...any) {
	g.notes = append(g.notes, fmt.Sprintf(format, args...))
}

// leaseDay is today at a lease's property: by the zone of policy, else that at its
// coordinates, else UTC.
func (a *Activities) leaseDay(rules policy.Leasing, lease rentvine.Lease) string {
	name := rules.TimeZone
	if name == "" && lease.Located {
		name = a.zones.at(lease.Latitude, lease.Longitude)
	}
	return DayIn(a.businessNow(), name)
}

// tenancy takes what the lease itself says.
func (g *gathering) tenancy(lease rentvine.Lease, rent agreed, today string) {
	months, ok := leasescore.MonthsBetween(cmp.Or(lease.MoveInDate, lease.StartDate), today)
	g.found.Tenure = leasescore.TenureKnown{Known: ok, Months: months}
	unpaid, _ := amountOf(lease.Balance.UnpaidTotal)
	due, ok := amountOf(lease.Balance.PastDueTotal)
	g.found.PastDue = leasescore.PastDueKnown{Known: ok, Unpaid: unpaid, PastDue: due, Rent: rent.rent}
}

// payments reads how the last 12 months were paid.
func (g *gathering) payments(ctx context.Context, lease rentvine.Lease, today string) error {
	day, err := time.Parse(time.DateOnly, today)
	if err != nil {
		return err
	}
	since := day.AddDate(0, -ledgerMonths, 0)
	list, err := g.a.RentVine.LeaseTransactions(ctx, g.in.LeaseID, since)
	if err := g.missing(ctx, "payments", err); err != nil || list == nil {
		return err
	}
	charges, payments, ok := ledgerOf(list, lease.Balance.UnpaidTotal, since.Format(time.DateOnly))
	if !ok {
		g.note("payments: the transactions do not add up to the balance, or cannot be read")
		return nil
	}
	paid, ok := leasescore.PaymentsOf(charges, payments, today, g.rules.Scoring.Grace)
	g.found.Payments = leasescore.PaymentsKnown{Known: ok && len(paid) > 0, List: paid}
	return nil
}

// ledgerOf sorts a lease's transactions into charges and payments. What was open when
// they begin follows from what is open now; ok is false where that comes to more than
// an ordinary month, since then transactions are missing, and where an amount cannot be
// read. Whether RentVine gives payments a sign is not documented (contracts/rentvine.md
// 2.10): they count as they are without.
func ledgerOf(list []rentvine.Transaction, unpaidNow, since string) (charges, payments []leasescore.Booking, ok bool) {
	var charged, paid policy.Cents
	days := map[string]bool{}
	for _, t := range list {
		if t.Voided {
			continue
		}
		amount, fine := amountOf(t.Amount)
		b := leasescore.Booking{Date: t.DatePosted, Amount: amount}
		switch t.Type {
		case rentvine.TransactionCharge:
			charges, charged, days[t.DatePosted] = append(charges, b), charged+amount, true
		case rentvine.TransactionPayment, rentvine.TransactionCredit:
			b.Amount = max(amount, -amount)
			payments, paid = append(payments, b), paid+b.Amount
		default:
			continue // whatever it is, it is nothing that a tenant pays or owes
		}
		if !fine {
			return nil, nil, false
		}
	}
	unpaid, known := amountOf(unpaidNow)
	if !known {
		return charges, payments, true
	}
	opening := unpaid - (charged - paid)
	if ordinary := charged / policy.Cents(max(len(days), 1)); max(opening, -opening) > max(ordinary, 0) {
		return nil, nil, false
	}
	if opening != 0 {
		charges = append(charges, leasescore.Booking{Date: since, Amount: opening})
	}
	return charges, payments, true
}

// repairs counts what was asked for, and keeps the words of it. Work that nobody who
// lives there has asked for does not count, nor what was cancelled.
func (g *gathering) repairs(orders []rentvine.WorkOrder, lease rentvine.Lease, today string) {
	since := cmp.Or(lease.MoveInDate, lease.StartDate)
	end, err := time.Parse(time.DateOnly, today)
	if err != nil {
		return
	}
	year := end.AddDate(-1, 0, 0).Format(time.DateOnly)
	slices.SortStableFunc(orders, func(a, b rentvine.WorkOrder) int { return b.CreatedAt.Compare(a.CreatedAt) })
	var list []leasescore.Request
	for _, o := range orders {
		made := o.CreatedAt.UTC().Format(time.DateOnly)
		if o.CreatedAt.IsZero() {
			made = ""
		}
		before := o.LeaseID == "" && (since == "" || made < since)
		if o.IsInternal || o.IsVacant || before || o.PrimaryStatus == rentvine.StatusCancelled || strings.Contains(o.Description, ourMark) {
			continue
		}
		list = append(list, leasescore.Request{
			ID: o.ID, Made: made, Closed: cmp.Or(o.DateClosed, o.ActualEndDate), Open: !o.PrimaryStatus.Ended(), Trade: o.VendorTradeID,
		})
		if o.LeaseID != "" && made > year {
			g.texts = append(g.texts, o.Description)
		}
	}
	g.found.Repairs = leasescore.RepairsOf(list, today)
}

// tone judges the texts.
func (g *gathering) tone(ctx context.Context) {
	texts := slices.Concat(g.in.Texts, g.texts)
	read := sentiment.Read(texts)
	if g.a.Model != nil && read.Of > 0 {
		opinion, err := g.a.askTone(ctx, texts)
		if err == nil {
			read = sentiment.Merge(read, opinion)
		} else {
			g.a.modelFailed(AssessLease.Name, err)
			read.Overruled = "the model did not decide: " + failureOf(err)
		}
	}
	if read.Overruled != "" {
		g.note("tone: %s", read.Overruled)
	}
	g.found.Sentiment = leasescore.SentimentKnown{Known: read.Messages > 0, Average: read.Average, Messages: read.Messages, By: read.By}
	g.found.Complaints = leasescore.ComplaintsKnown{Known: read.Of > 0, Count: read.Complaints, Of: read.Of}
}

func (a *Activities) askTone(ctx context.Context, texts []string) (sentiment.Opinion, error) {
	prompt, err := sentiment.Prompt(texts)
	if err != nil {
		return sentiment.Opinion{}, err
	}
	answer, err := a.ask(ctx, llm.Request{
		System: sentiment.Instructions, User: prompt, SchemaName: sentiment.SchemaName, Schema: sentiment.Schema(),
	})
	if err != nil {
		return sentiment.Opinion{}, err
	}
	opinion, err := sentiment.ReadAnswer(answer, a.Model.Model())
	if err != nil {
		return sentiment.Opinion{}, errors.Join(errContradiction, err)
	}
	return opinion, nil
}

// amountOf reads RentVine's decimals, such as "1850.00", "-20" or "275.0000".
func amountOf(text string) (policy.Cents, bool) {
	digits, negative := strings.CutPrefix(strings.TrimSpace(text), "-")
	c, err := policy.ParseCents(plainAmount(digits))
	if negative {
		c = -c
	}
	return c, err == nil
}
