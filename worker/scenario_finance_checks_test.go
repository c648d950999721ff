package worker_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/finance"
)

func TestADuplicateCharge(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]int{"the first is booked first": 0, "the second is booked first": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t)
			ids := []string{b.charge("75.00", lateFeeAccount), b.charge("75.00", lateFeeAccount)}
			b.plays("lease_charge.created", ids[first], nil)
			require.Empty(t, b.findings(""))
			b.plays("lease_charge.created", ids[1-first], nil)
			found := b.findings(store.FindingOpen)
			require.Len(t, found, 1)
			require.Equal(t, "duplicate_charge/charge/"+ids[0]+"+charge/"+ids[1], found[0].ID)
			review := finance.ReviewID(found[0].ID)
			require.Equal(t, 1, b.count(review))
			for _, id := range ids {
				b.plays("lease_charge.updated", id, nil)
			}
			require.Equal(t, 1, b.count(review), "it is not raised twice")
			require.Len(t, b.findings(""), 1)
			require.Len(t, b.entries(), 2, "a finding holds nothing back")

			b.others[review] = true
			b.change(ids[0], map[string]any{"isVoided": true})
			b.plays("lease_charge.updated", ids[0], nil)
			require.Empty(t, b.findings(store.FindingOpen))
			require.Len(t, b.findings(store.FindingGone), 1)
			require.Contains(t, b.signals, review+" finding_gone")

			b.others[review] = false
			b.change(ids[0], map[string]any{"isVoided": false})
			b.plays("lease_charge.updated", ids[0], nil)
			require.Len(t, b.findings(store.FindingOpen), 1, "it is one again")
			require.Equal(t, 2, b.count(review))
			b.sound()
		})
	}
}

func TestAnUnusualCharge(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	month := func(m time.Month, amount string) string {
		return b.post("lease_charge.created", map[string]any{
			"amount": amount, "accountID": lateFeeAccount, "description": "", "datePosted": fmt.Sprintf("2026-%02d-05", m),
		})
	}
	for m := time.April; m <= time.October; m++ {
		b.plays("lease_charge.created", month(m, "100.00"), nil)
	}
	require.Empty(t, b.findings(""))
	id := month(time.November, "900.00")
	b.plays("lease_charge.created", id, nil)
	found := b.findings(store.FindingOpen)
	require.Len(t, found, 1)
	require.Equal(t, []string{"charge/" + id}, found[0].Transactions)
	require.Equal(t, "unusual_amount", found[0].Kind)
	require.Equal(t, 1, b.count(finance.ReviewID(found[0].ID)))

	b.change(id, map[string]any{"amount": "100.00"})
	b.plays("lease_charge.updated", id, nil)
	require.Empty(t, b.findings(store.FindingOpen))
}

func TestAReviewIsAnswered(t *testing.T) {
	t.Parallel()
	for _, choice := range []string{"right", "wrong"} {
		t.Run(choice, func(t *testing.T) {
			t.Parallel()
			b, finding := withDuplicate(t)
			var told, late *updated
			result := b.reviews(finding, func() {
				b.at(time.Hour, func() {
					answer := b.said(accountantMail, "review_finding", choice)
					answer.Note = "two keys"
					told = command(b.scenario, durable.GiveAnswer, answer)
					other := answer
					other.ID, other.Choice = "another", "wrong"
					late = command(b.scenario, durable.GiveAnswer, other)
				})
			})
			require.Equal(t, finance.ReviewResult{Decision: choice, By: "nora"}, result)
			require.NoError(t, told.err)
			require.False(t, told.out.(durable.Outcome).Late)
			require.True(t, late.out.(durable.Outcome).Late)
			kept := b.findings("")[0]
			require.Equal(t, choice, string(kept.State))
			require.Equal(t, "nora", kept.DecidedBy)
			require.Equal(t, "two keys", kept.Note)
			require.Equal(t, 1, b.questions(accountantMail))
			require.Empty(t, b.openBids(accountantMail))
			started := b.count(finance.ReviewID(finding))
			for _, id := range kept.Transactions {
				b.plays("lease_charge.updated", strings.TrimPrefix(id, finance.ChargePrefix), nil)
			}
			require.Equal(t, started, b.count(finance.ReviewID(finding)), "what was decided is not asked again")
			require.Equal(t, choice, string(b.findings("")[0].State))
		})
	}
}

func TestAReviewIsNotAnswered(t *testing.T) {
	t.Parallel()
	b, finding := withDuplicate(t)
	asked := func() [2]int { return [2]int{b.questions(accountantMail), b.questions(controllerMail)} }
	result := b.reviews(finding, func() {
		b.at(time.Hour, func() { require.Equal(t, [2]int{1, 0}, asked()) })
		b.at(49*time.Hour, func() { require.Equal(t, [2]int{3, 0}, asked()) })
		b.at(73*time.Hour, func() { require.Equal(t, [2]int{3, 1}, asked()) })
		b.at(20*24*time.Hour, func() {
			require.Equal(t, [2]int{3, 1}, asked())
			unclear := b.said(controllerMail, "review_finding", "perhaps")
			b.fact(unclear)
		})
		b.at(40*24*time.Hour, func() {
			require.Len(t, b.findings(store.FindingOpen), 1, "it stays open")
			require.Equal(t, [2]int{3, 2}, asked())
			b.says(controllerMail, "review_finding", "right")
		})
	})
	require.Equal(t, finance.ReviewResult{Decision: "right", By: "victor"}, result)
	require.Empty(t, b.openBids(accountantMail))
	require.Empty(t, b.openBids(controllerMail))
}

func TestAReviewIsNotNeededAnyMore(t *testing.T) {
	t.Parallel()
	b, finding := withDuplicate(t)
	result := b.reviews(finding, func() {
		b.at(time.Hour, func() {
			_, err := b.store.SettleFinding(context.Background(), finding, store.FindingGone, "", "", b.now())
			require.NoError(t, err)
			b.env.SignalWorkflow(finance.FindingGone.Name, "resolved")
		})
	})
	require.Equal(t, finance.ReviewResult{Decision: "gone"}, result)
	require.Empty(t, b.openBids(accountantMail))

	result = b.reviews(finding, nil) // begun although the finding has gone
	require.Equal(t, finance.ReviewResult{Decision: "gone"}, result)
	require.Equal(t, 1, b.questions(accountantMail))
}

func TestAReviewIsCancelled(t *testing.T) {
	t.Parallel()
	b, finding := withDuplicate(t)
	b.reviewed = true
	err := b.execute(finance.ReviewID(finding), finance.ReviewName, finance.ReviewInput{FindingID: finding}, func() {
		b.at(time.Hour, b.env.CancelWorkflow)
	})
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Len(t, b.findings(store.FindingOpen), 1)
}

func TestASummary(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.others["finance-summary/1"] = true
	for _, amount := range []string{"10.00", "20.00", "30.00"} {
		b.plays("lease_charge.created", b.charge(amount, lateFeeAccount), nil)
	}
	require.Len(t, b.heard, 3)
	require.Zero(t, b.count("finance-summary/1"))
	in := finance.SummaryInput{ID: "1", State: &finance.SummaryState{Pending: b.heard[:1:1]}}
	result := b.sums(in, func() {
		b.at(10*time.Second, func() {
			b.env.SignalWorkflow(finance.SummaryBooked.Name, b.heard[1])
			b.env.SignalWorkflow(finance.SummaryBooked.Name, b.heard[1]) // another run says it again
		})
		b.at(50*time.Second, func() { require.Empty(t, b.mails(accountantMail)) })
		b.at(2*time.Minute, func() { require.Len(t, b.mails(accountantMail), 1) })
		b.at(30*time.Minute, func() { b.env.SignalWorkflow(finance.SummaryBooked.Name, b.heard[2]) })
		b.at(55*time.Minute, func() { require.Len(t, b.mails(accountantMail), 1) })
		b.at(65*time.Minute, func() { require.Len(t, b.mails(accountantMail), 2) })
	})
	require.Equal(t, finance.SummaryResult{Mails: 2}, result)
	for _, to := range []string{accountantMail, controllerMail, landlordMail} {
		got := b.mails(to)
		require.Len(t, got, 2, to)
		require.Contains(t, got[0].Subject, "2 bookings for Los Angeles Homes")
		require.Contains(t, got[1].Subject, "1 booking for Los Angeles Homes")
		require.Contains(t, got[0].Text, "$20.00")
		require.NotContains(t, got[0].Text, "$30.00")
	}

	b.lease = "2" // of another portfolio
	b.plays("lease_charge.created", b.post("lease_charge.created", map[string]any{
		"amount": "40.00", "accountID": lateFeeAccount, "description": "", "datePosted": "2026-11-21",
	}), nil)
	require.Equal(t, 1, b.count("finance-summary/2"))
	require.Len(t, b.mails(landlordMail), 2, "the owner of the one is not told of the other")
	b.nothingTwice()
}

func TestASummaryOfMany(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	refs := b.booked(600)
	err := b.execute(finance.SummaryID("1"), finance.SummaryName, finance.SummaryInput{ID: "1"}, func() {
		b.at(0, func() {
			for _, r := range refs[:500] {
				b.env.SignalWorkflow(finance.SummaryBooked.Name, r)
			}
		})
		// While an activity runs the clock is the real one, and a summary of 500 takes its time.
		b.at(50*time.Second, func() { require.Len(t, b.mails(accountantMail), 1, "so many wait for nobody") })
		b.at(60*time.Second, func() {
			for _, r := range refs[500:] {
				b.env.SignalWorkflow(finance.SummaryBooked.Name, r)
			}
		})
		b.at(70*time.Second, func() { b.env.SetContinueAsNewSuggested(true); b.env.SignalWorkflow("nobody knows it", 1) })
		b.at(80*time.Second, func() { b.env.SignalWorkflow(finance.SummaryBooked.Name, refs[500]) })
	})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &next)
	var in finance.SummaryInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	require.Len(t, in.State.Pending, 100)
	require.Equal(t, "1", in.ID)
	require.Equal(t, finance.SummaryResult{Mails: 2}, b.sums(in, nil))
	require.Len(t, b.mails(accountantMail), 2)
	require.Contains(t, b.mails(accountantMail)[0].Subject, "500 bookings")
	require.Contains(t, b.mails(accountantMail)[1].Subject, "100 bookings")
}

func TestASummaryIsRefused(t *testing.T) {
	t.Parallel()
	for status, mails := range map[int]int{550: 0, 451: 1} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			b := newBooks(t)
			refs := b.booked(1)
			require.NoError(t, b.box.SetFault(sandbox.SMTP, sandbox.Fault{Status: status}))
			result := b.sums(finance.SummaryInput{ID: "1", State: &finance.SummaryState{Pending: refs}}, func() {
				b.at(40*time.Minute, func() { b.box.ClearFault(sandbox.SMTP) })
			})
			require.Equal(t, finance.SummaryResult{Mails: 1}, result)
			require.Len(t, b.mails(accountantMail), mails)
			b.nothingTwice()
		})
	}
}

func TestTheDayIsClosed(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	b.plays("lease_charge.created", id, nil)
	before := len(b.mails(controllerMail))
	b.start = time.Date(2026, 12, 20, 18, 0, 0, 0, time.UTC)
	done := b.closes(finance.CloseDayName)
	require.Equal(t, finance.ClosedBooks{Period: "2026-12-19", Findings: 1, Mails: 2}, done)
	found := b.findings(store.FindingOpen)
	require.Len(t, found, 1, "what was to come before the books began is not missing")
	require.Equal(t, "missing_payment/charge/"+id, found[0].ID)
	require.Equal(t, 1, b.count(finance.ReviewID(found[0].ID)))

	done = b.closes(finance.CloseDayName)
	require.Zero(t, done.Mails)
	require.Zero(t, done.Findings)
	require.Len(t, b.mails(controllerMail), before+1, "one report")
	require.Equal(t, 1, b.count(finance.ReviewID(found[0].ID)))

	b.plays("payment.received", b.post("payment.received", map[string]any{"amount": "1850.00", "datePosted": "2026-12-20"}), nil)
	b.start = b.start.AddDate(0, 0, 2)
	b.others[finance.ReviewID(found[0].ID)] = true
	done = b.closes(finance.CloseDayName)
	require.Equal(t, "2026-12-20 to 2026-12-21", done.Period)
	require.Empty(t, b.findings(store.FindingOpen))
	require.Contains(t, b.signals, finance.ReviewID(found[0].ID)+" finding_gone")

	b.start = time.Date(2027, 1, 20, 18, 0, 0, 0, time.UTC)
	require.Equal(t, 4, b.closes(finance.CloseDayName).Findings, "January's rent of four leases was not even charged")
	b.nothingTwice()
}

func TestTheMonthIsClosed(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.plays("lease_charge.created", b.charge("1850.00", rentAccount), nil)
	b.start = time.Date(2026, 12, 3, 18, 0, 0, 0, time.UTC)
	before := len(b.mails(controllerMail))
	require.Equal(t, finance.ClosedBooks{Period: "2026-11", Mails: 2, Files: 1}, b.closes(finance.CloseMonthName))
	require.Equal(t, 2, b.calls(sandbox.RentVine, http.MethodPost, "/files"), "a PDF and a CSV")
	require.Len(t, b.mails(controllerMail), before+1)

	b.restart()
	b.closes(finance.CloseMonthName)
	require.Equal(t, 2, b.calls(sandbox.RentVine, http.MethodPost, "/files"))
	require.Len(t, b.mails(controllerMail), before+1)
	b.nothingTwice()
}

func TestTheBankIsReconciled(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	pays := func(amount string) string {
		id := b.post("payment.received", map[string]any{"amount": amount, "datePosted": "2026-11-21"})
		b.plays("payment.received", id, nil)
		return id
	}
	pays("1850.00")
	pays("1000.00")
	pays("520.00")
	odd := pays("333.00")
	b.statement("first", "2026-11-21", "2026-11-24", map[string]int64{"a": 185000, "b": 152000, "c": 33190, "d": -7700, "e": 7700})
	done := b.reconciles()
	require.Equal(t, 2, done.Matched, "one exactly, one deposit of two")
	require.Equal(t, []int{3, 1}, []int{done.OpenLines, done.OpenBookings})
	require.Empty(t, b.findings(""), "nothing is late yet")
	require.Zero(t, b.reconciles().Matched)

	b.start = b.start.AddDate(0, 0, 10)
	done = b.reconciles()
	require.Len(t, done.Anomalies.Raised, 3, "what was paid to vendors and owners is booked by nobody")
	about := "ledger_against_bank/payment/" + odd + "#1"
	asked := slices.IndexFunc(done.Anomalies.Raised, func(f activities.FindingView) bool { return f.ID == about })
	require.GreaterOrEqual(t, asked, 0)
	require.Equal(t, 1, b.count(finance.ReviewID(about)))
	require.Empty(t, b.reconciles().Anomalies.Raised, "each once")
	require.Len(t, done.Anomalies.Raised[asked].Proposals, 1)

	result := b.reviews(about, func() {
		b.at(time.Hour, func() {
			b.says(accountantMail, "review_finding", "match_"+done.Anomalies.Raised[asked].Proposals[0].ID)
		})
	})
	require.Equal(t, finance.ReviewResult{Decision: "right", By: "nora"}, result)
	line := finance.ReviewID("ledger_against_bank/line/c")
	b.others[line] = true
	done = b.reconciles()
	require.Equal(t, []int{2, 0}, []int{done.OpenLines, done.OpenBookings})
	require.Contains(t, b.signals, line+" finding_gone")
	open := b.findings(store.FindingOpen)
	require.Len(t, open, 1)
	require.Equal(t, "ledger_against_bank/line/e", open[0].ID)
}

func TestNightlyRunsAreCancelled(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	refs := b.booked(1)
	for name, in := range map[string]any{
		finance.SummaryName:       finance.SummaryInput{ID: "1", State: &finance.SummaryState{Pending: refs}},
		finance.ReconcileBankName: finance.BooksInput{}, finance.CloseDayName: finance.BooksInput{}, finance.CloseMonthName: finance.BooksInput{},
	} {
		err := b.execute(name, name, in, func() { b.at(0, b.env.CancelWorkflow) })
		require.True(t, temporal.IsCanceledError(err), "%s: %v", name, err)
	}
	require.Empty(t, b.mails(accountantMail))
}

// withDuplicate has two charges alike, and the ID of the finding about them.
func withDuplicate(t *testing.T) (b *books, finding string) {
	t.Helper()
	b = newBooks(t)
	b.others["finance-summary/1"] = true
	for range 2 {
		b.plays("lease_charge.created", b.charge("75.00", lateFeeAccount), nil)
	}
	found := b.findings(store.FindingOpen)
	require.Len(t, found, 1)
	return b, found[0].ID
}

func (b *books) reviews(finding string, during func()) finance.ReviewResult {
	b.t.Helper()
	b.reviewed = true
	require.NoError(b.t, b.execute(finance.ReviewID(finding), finance.ReviewName, finance.ReviewInput{FindingID: finding}, during))
	b.reviewed = false
	var result finance.ReviewResult
	require.NoError(b.t, b.env.GetWorkflowResult(&result))
	return result
}

func (b *books) sums(in finance.SummaryInput, during func()) finance.SummaryResult {
	b.t.Helper()
	require.NoError(b.t, b.execute(finance.SummaryID(in.ID), finance.SummaryName, in, during))
	var result finance.SummaryResult
	require.NoError(b.t, b.env.GetWorkflowResult(&result))
	return result
}

func (b *books) closes(name string) finance.ClosedBooks {
	b.t.Helper()
	require.NoError(b.t, b.execute(name, name, finance.BooksInput{}, nil))
	var done finance.ClosedBooks
	require.NoError(b.t, b.env.GetWorkflowResult(&done))
	return done
}

func (b *books) reconciles() activities.ReconciledBank {
	b.t.Helper()
	require.NoError(b.t, b.execute(finance.ReconcileBankName, finance.ReconcileBankName, finance.BooksInput{}, nil))
	var done activities.ReconciledBank
	require.NoError(b.t, b.env.GetWorkflowResult(&done))
	return done
}

// statement reads one in, with lines of its first day, in cents.
func (b *books) statement(id, from, to string, amounts map[string]int64) {
	b.t.Helper()
	var lines []store.BankLine
	for line, amount := range amounts {
		lines = append(lines, store.BankLine{ID: line, StatementID: id, Account: "Trust Checking", Day: from, Amount: amount, Text: line})
	}
	_, _, err := b.store.AddBankStatement(context.Background(), store.BankStatement{
		ID: id, Account: "Trust Checking", Currency: "USD", From: from, To: to, At: b.start,
	}, lines)
	require.NoError(b.t, err)
}

// booked are so many charges in the journal alone.
func (b *books) booked(n int) []finance.Booked {
	b.t.Helper()
	var refs []finance.Booked
	for i := range n {
		id := fmt.Sprintf("charge/%d", 1000+i)
		_, err := b.store.BookTransaction(context.Background(), store.BookedTransaction{
			ID: id, Kind: "charge", Number: fmt.Sprint(1000 + i), LeaseID: "1", PropertyID: "1", PortfolioID: "1",
			Account: lateFeeAccount, Category: "late_fee", Amount: 1000, Day: "2026-11-21", Counts: true, SeenAt: b.start,
		}, func([]store.JournalEntry) ([]store.JournalEntry, error) {
			return []store.JournalEntry{{Number: 1, Day: "2026-11-21", Currency: "USD", Lines: []store.JournalLine{
				{Role: "receivables", Account: "Tenant Receivables", Debit: 1000}, {Role: "late_fee", Account: "Late Fee Income", Credit: 1000},
			}}}, nil
		})
		require.NoError(b.t, err)
		refs = append(refs, finance.Booked{Transaction: id, Numbers: []int{1}})
	}
	return refs
}
