package e2e_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/finance"
)

// bookDay is how long a day of the golden histories of the books lasts: an hour, after
// which a summary ends, passes in less than a second.
const bookDay = "20s"

// unhurried is a policy whose accountant is asked once within a story, and in which what
// nobody can categorise is booked after hours.
func unhurried(t *testing.T, changes ...string) string {
	t.Helper()
	return steady(t, append([]string{
		"remind_after: 24h # so many", "remind_after: 720h # so many",
		"unsure_after: 72h", "unsure_after: 4h",
	}, changes...)...)
}

// recordBooks plays charges: booked, changed and voided, of an unknown kind, twice, and
// unpaid; and what the clock starts about the books.
func recordBooks(t *testing.T) {
	data := t.TempDir()
	s := start(t, e2e.Options{Data: data, Args: []string{"--policy", unhurried(t), "--day", bookDay}})
	b := &ledger{t, s}
	today := businessToday(t, s)

	id := b.posts("lease_charge.created", map[string]any{"amount": "75.00", "accountID": "2", "description": "Parking"})
	b.ends(id)
	record(t, s, finance.Transaction.Name, "booked", id)
	b.changes(id, map[string]any{"amount": "80.00"})
	b.ends(id)
	record(t, s, finance.Transaction.Name, "changed", id)
	b.changes(id, map[string]any{"isVoided": "1"})
	b.ends(id)
	record(t, s, finance.Transaction.Name, "voided", id)
	b.ends(finance.SummaryID("1"))
	record(t, s, finance.Summary.Name, "told", finance.SummaryID("1"))

	id = b.posts("lease_charge.created", map[string]any{"amount": "64.00", "accountID": "10", "description": "Adj 417"})
	b.until(id, func(d finance.TransactionDescription) bool { return d.Stage == finance.StageUnsure && d.Entries == 1 })
	b.answers(accountant, "other_income", "What is "+id)
	b.ends(id)
	require.EqualValues(t, -64_00, b.quickBooks().Balance("Other Income"))
	record(t, s, finance.Transaction.Name, "unsure", id)

	review, second := b.chargedTwice(map[string]any{"amount": "312.00", "accountID": "4", "description": "Water"})
	b.answers(accountant, "wrong", second, "312.00")
	b.ends(review)
	record(t, s, finance.Review.Name, "answered", review)
	review, second = b.chargedTwice(map[string]any{"amount": "41.00", "accountID": "2", "description": "Parking"})
	b.mailed(accountant, second, "41.00")
	b.changes(second, map[string]any{"isVoided": "1"})
	b.ends(review)
	record(t, s, finance.Review.Name, "gone", review)

	earlier := today.AddDate(0, 0, -12).Format(time.DateOnly)
	id = b.posts("lease_charge.created", map[string]any{"amount": "1850.00", "accountID": "1", "description": "Rent", "datePosted": earlier})
	b.ends(id)
	id = b.posts("payment.received", map[string]any{"amount": "700.00", "datePosted": earlier})
	b.ends(id)
	b.imports(data, []byte("date,amount,description,reference,balance\n"+
		earlier+",700.00,ACH CREDIT RENT,,25700.00\n"+earlier+",93.00,CHECK 1042,,25793.00\n"))
	require.Eventually(t, func() bool { return len(b.findings(data, "ledger_against_bank")) > 0 }, 2*soon, 100*time.Millisecond)
	matching, err := s.Newest(t.Context(), finance.ReconcileBankName)
	require.NoError(t, err)
	b.ends(matching)
	record(t, s, finance.ReconcileBank.Name, "found", matching)
	b.clock("found", finance.CloseDay.Name, id)
	b.clock("reported", finance.CloseMonth.Name, id)
}

// chargedTwice charges the same twice, one after the other, and returns the review of
// that and the second one.
func (b *ledger) chargedTwice(fields map[string]any) (review, second string) {
	b.Helper()
	first := b.posts("lease_charge.created", maps.Clone(fields))
	b.ends(first)
	second = b.posts("lease_charge.created", fields)
	b.ends(second)
	found := b.describe(second).Findings
	require.Len(b, found, 1)
	return finance.ReviewID(found[0]), second
}

// clock runs what the clock starts, with the clock of another workflow, and records it.
func (b *ledger) clock(name, workflow, like string) {
	b.Helper()
	clock, err := b.s.ClockOf(b.Context(), like)
	require.NoError(b, err)
	run, err := b.s.Client.ExecuteWorkflow(b.Context(), client.StartWorkflowOptions{ID: name, TaskQueue: workflows.TaskQueue}, workflow, finance.BooksInput{Clock: clock})
	require.NoError(b, err)
	require.NoError(b, run.Get(b.Context(), nil))
	record(b.T, b.s, workflow, name, name)
}
