package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/finance"
)

// accountant is who is asked about bookings and findings.
const accountant = "nora@example.com"

// ownerOfMade is how the addresses of the owners of made-up books begin.
const ownerOfMade = "contact"

// ledger is the books of a stack.
type ledger struct {
	*testing.T
	s *e2e.Stack
}

// posts makes RentVine tell of a charge, payment or bill of lease 1, and returns its
// workflow.
func (b *ledger) posts(sample string, fields map[string]any) string {
	b.Helper()
	id, err := b.s.Charge(b.Context(), sample, fields)
	require.NoError(b, err)
	return id
}

// changes changes a charge at RentVine, which tells of it.
func (b *ledger) changes(id string, fields map[string]any) {
	b.Helper()
	all := map[string]any{"leaseChargeID": strings.TrimPrefix(id, finance.ChargePrefix)}
	maps.Copy(all, fields)
	require.Equal(b, id, b.posts("lease_charge.updated", all))
}

// ends waits for the newest run of a workflow to complete.
func (b *ledger) ends(workflowID string) {
	b.Helper()
	require.NoError(b, b.s.Ended(b.Context(), workflowID, 4*soon))
}

func (b *ledger) describe(id string) finance.TransactionDescription {
	b.Helper()
	d, err := b.s.DescribeCharge(b.Context(), id)
	require.NoError(b, err)
	return d
}

// until waits until the description of a transaction fits.
func (b *ledger) until(id string, fits func(finance.TransactionDescription) bool) {
	b.Helper()
	var last finance.TransactionDescription
	require.Eventually(b, func() bool {
		d, err := b.s.DescribeCharge(b.Context(), id)
		last = d
		return err == nil && fits(d)
	}, 4*soon, 50*time.Millisecond, "%s stays %+v", id, lazily(func() string { return string(last.Stage) }))
}

// mailed waits for the newest mail to an address that contains something.
func (b *ledger) mailed(to string, contains ...string) e2e.Mail {
	b.Helper()
	var found e2e.Mail
	require.Eventually(b, func() bool {
		mails, err := b.s.Mails(b.Context(), to)
		for _, m := range mails {
			if containsAll(m.Subject+"\n"+m.Text, contains...) {
				found = m
			}
		}
		return err == nil && found.Subject != ""
	}, 4*soon, 100*time.Millisecond, "mail to %s with %q: %s", to, contains, b.seen())
	return found
}

// answers presses a button of the page behind the link in a mail to somebody.
func (b *ledger) answers(to, choice string, contains ...string) {
	b.Helper()
	page := e2e.LinkIn(b.mailed(to, contains...).Text)
	require.NotEmpty(b, page)
	said, err := b.s.AnswerForm(b.Context(), page, choice, nil, nil)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, said.Status, said.Body)
}

func (b *ledger) quickBooks() e2e.Books {
	b.Helper()
	books, err := b.s.QuickBooks(b.Context())
	require.NoError(b, err)
	return books
}

// finding is one as "keyholder finance findings" shows it.
type finding struct {
	ID           string   `json:"id"`
	Kind         string   `json:"kind"`
	State        string   `json:"state"`
	Transactions []string `json:"transactions"`
}

// shows runs a command that prints JSON, which must succeed.
func (b *ledger) shows(data string, into any, args ...string) {
	b.Helper()
	said, code := command(b.T, nil, append(args, "--data", data)...)
	require.Zero(b, code, said)
	require.NoError(b, json.Unmarshal([]byte(said), into), said)
}

// findings are all of a kind, whatever became of them.
func (b *ledger) findings(data, kind string) []finding {
	b.Helper()
	var all []finding
	b.shows(data, &all, "finance", "findings", "--state", "all", "--json")
	return slices.DeleteFunc(all, func(f finding) bool { return f.Kind != kind })
}

// open counts the transactions that are not booked yet, or of which nobody has said what
// they are for.
func (b *ledger) open() int64 {
	b.Helper()
	counted, err := b.s.Client.CountWorkflow(b.Context(), &workflowservice.CountWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", finance.TransactionName),
	})
	require.NoError(b, err)
	return counted.GetCount()
}

// planted are the transactions, or leases, of what was planted of a kind.
func planted(made e2e.MadeBooks, kind string) (out []e2e.Planted) {
	for _, p := range made.Planted {
		if p.Kind == kind {
			out = append(out, p)
		}
	}
	return out
}

// found asserts that each that was planted of a kind has exactly one finding, of which
// the accountant was asked, and logs how many there are beside: rent is missing for a
// moment where its payment is booked late.
func (b *ledger) found(data string, made e2e.MadeBooks, kind string, wanted int) {
	b.Helper()
	all := b.findings(data, kind)
	was := planted(made, kind)
	require.Len(b, was, wanted)
	for _, p := range was {
		about := finance.ChargePrefix + p.Transactions[len(p.Transactions)-1]
		before := len(all)
		all = slices.DeleteFunc(all, func(f finding) bool { return slices.Contains(f.Transactions, about) })
		require.Equal(b, 1, before-len(all), "%s about %s", kind, about)
		b.mailed(accountant, about, "/a/")
	}
	open := slices.DeleteFunc(slices.Clone(all), func(f finding) bool { return f.State != "open" })
	b.Logf("%s: %d planted, all found once; %d false alarms, %d of them still open: %v", kind, len(was), len(all), len(open), all)
	require.Empty(b, open, "in books in which nothing else is wrong")
}

// yearOfBooks has the sandbox make up nine months of nine leases, with what is to be
// found in them.
func (b *ledger) yearOfBooks() e2e.MadeBooks {
	b.Helper()
	today := time.Now().UTC()
	made, err := b.s.MakeBooks(b.Context(), map[string]any{
		"seed": 11, "leases": 9, "from": time.Date(today.Year(), today.Month()-8, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly),
		"duplicates": 3, "gaps": 3, "outliers": 3, "unsure": 2, "updated": 100, "voided": 60, "send": true, "rate": 60,
	})
	require.NoError(b, err)
	b.Logf("%v", made.Counts)
	return made
}

// agree asserts that QuickBooks has booked what RentVine has, each entry once.
func (b *ledger) agree(data string, made e2e.MadeBooks) {
	b.Helper()
	books := b.quickBooks()
	require.True(b, books.Balanced)
	require.Equal(b, books.Debits, books.Credits)
	require.Zero(b, books.Duplicates)
	require.Equal(b, made.Totals.Payments, books.Balance("Trust Checking"))
	require.Equal(b, made.Totals.Charges-made.Totals.Payments, books.Balance("Tenant Receivables"))
	require.Equal(b, -made.Totals.Bills, books.Balance("Vendor Payables"))
	var compared struct {
		Compared    int   `json:"compared"`
		Differences []any `json:"differences"`
	}
	b.shows(data, &compared, "finance", "compare", "--from", made.From, "--to", later(), "--json")
	require.Empty(b, compared.Differences)
	require.Equal(b, books.Entries, compared.Compared)
	b.Logf("%d entries", books.Entries)
}

// later is a day after all that a story books.
func later() string { return time.Now().UTC().AddDate(0, 0, 30).Format(time.DateOnly) }

// Months of transactions are booked once each, while QuickBooks loses answers and the
// worker is killed; what is wrong in them is found and asked about, the bank's statement
// is matched, and owners and team are told.
func TestBooksOfMonths(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, e2e.Options{
		Data: data, Args: []string{"--without", "worker", "--policy", unhurried(t, "unsure_after: 4h", "unsure_after: 30m"), "--day", "1m"},
		Env: []string{"KEYHOLDER_QUICKBOOKS_PER_MINUTE=20000"},
	})
	b := &ledger{t, s}
	running := worker(t, s)
	require.NoError(t, s.Fault(t.Context(), "quickbooks", map[string]any{"reset_after_commit": true, "method": "POST", "rate": 0.05}))
	made := b.yearOfBooks()
	for _, events := range []int{40, 110} {
		_, err := s.UntilTold(t.Context(), events, 2*soon)
		require.NoError(t, err)
		require.NoError(t, running.Kill())
		running = worker(t, s)
	}
	_, err := s.UntilTold(t.Context(), 250, 2*soon)
	require.NoError(t, err)
	require.NoError(t, s.Fault(t.Context(), "quickbooks", map[string]any{"status": 503, "rate": 0.02}))
	made, err = s.UntilTold(t.Context(), made.Counts["events"], 4*soon)
	require.NoError(t, err)

	unsure := planted(made, "unsure")
	require.Len(t, unsure, 2)
	for _, p := range unsure {
		b.mailed(accountant, "What is "+finance.ChargePrefix+p.Transactions[0], "/a/")
	}
	require.Eventually(t, func() bool { return b.open() == int64(len(unsure)) }, 6*soon, 200*time.Millisecond, "%s are open", lazily(func() string { return fmt.Sprint(b.open()) }))
	require.NoError(t, s.Mend(t.Context(), "quickbooks")) // a command asks once, and says so where QuickBooks refuses
	b.agree(data, made)
	answered := finance.ChargePrefix + unsure[0].Transactions[0]
	require.Equal(t, -unsure[0].Amount-unsure[1].Amount, b.quickBooks().Balance("Uncategorized"))
	b.answers(accountant, "other_income", "What is "+answered)
	b.ends(answered)
	require.Equal(t, -unsure[1].Amount, b.quickBooks().Balance("Uncategorized"))
	require.Equal(t, -unsure[0].Amount, b.quickBooks().Balance("Other Income"))

	b.found(data, made, "duplicate_charge", 3)
	b.found(data, made, "unusual_amount", 3)
	require.NoError(t, s.Trigger(t.Context(), workflows.ScheduleDay))
	require.Eventually(t, func() bool { return len(b.findings(data, "missing_payment")) >= 3 }, 3*soon, 500*time.Millisecond)
	b.found(data, made, "missing_payment", 3)
	b.putsRight(data, &made)
	b.bankAgrees(data, made)
	b.told()
	b.agree(data, made)
	noDuplicates(t, s)
	statuses, err := s.Statuses(t.Context(), "quickbooks")
	require.NoError(t, err)
	t.Logf("QuickBooks answered %v", statuses)
}

// putsRight voids a charge that came twice and corrects one that was unusual, after which
// nothing is conspicuous about them.
func (b *ledger) putsRight(data string, made *e2e.MadeBooks) {
	b.Helper()
	twice, odd := planted(*made, "duplicate_charge")[0], planted(*made, "unusual_amount")[0]
	b.changes(finance.ChargePrefix+twice.Transactions[1], map[string]any{"isVoided": "1"})
	b.changes(finance.ChargePrefix+odd.Transactions[0], map[string]any{"amount": "100.00"})
	made.Totals.Charges -= twice.Amount + odd.Amount - 100_00
	for id, entries := range map[string]int{twice.Transactions[1]: 2, odd.Transactions[0]: 3} {
		b.ends(finance.ChargePrefix + id)
		require.Equal(b, entries, b.describe(finance.ChargePrefix+id).Entries)
	}
	for _, kind := range []string{twice.Kind, odd.Kind} {
		all := b.findings(data, kind)
		gone := slices.DeleteFunc(slices.Clone(all), func(f finding) bool { return f.State != "gone" })
		require.Len(b, gone, 1, "%v", all)
	}
}

// imports reads a bank's statement in, which begins the matching.
func (b *ledger) imports(data string, statement []byte) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "statement.csv")
	require.NoError(b, os.WriteFile(file, statement, 0o600))
	out, code := command(b.T, nil, "bank", "import", file, "--data", data)
	require.Zero(b, code, out)
	require.Contains(b, out, "matching with bookings has begun")
}

// bankAgrees reads the bank's statement in, and asserts that all of it is matched but
// what no booking can be for.
func (b *ledger) bankAgrees(data string, made e2e.MadeBooks) {
	b.Helper()
	said, err := b.s.Statement(b.Context())
	require.NoError(b, err)
	b.imports(data, said)
	var fees, pending int64
	for _, p := range planted(made, "bank_fee") {
		fees += p.Amount
	}
	for _, p := range planted(made, "not_at_bank") {
		pending += p.Amount
	}
	type sides struct{ Lines, Bookings, Difference string }
	var status struct {
		Matched, Open, All sides
		Flaws              []string
	}
	require.Eventually(b, func() bool {
		b.shows(data, &status, "bank", "status", "--json")
		return status.Open.Lines == dollars(fees)
	}, 3*soon, 500*time.Millisecond, "%s", lazily(func() string { return fmt.Sprintf("%+v", status) }))
	require.Empty(b, status.Flaws)
	require.Equal(b, dollars(0), status.Matched.Difference)
	require.Equal(b, dollars(pending), status.Open.Bookings)
	require.Equal(b, dollars(made.Totals.Payments), status.All.Bookings)
	require.Equal(b, dollars(made.Totals.Payments-pending+fees), status.All.Lines)
}

// dollars is an amount as commands print it.
func dollars(cents int64) string { return policy.Cents(cents).String() }

// told asserts that an owner and the team got summaries, and the team the report on a
// day on which something was booked, with its figures and a picture of them.
func (b *ledger) told() {
	b.Helper()
	arrived := func(to, report string, kinds ...string) bool {
		var mails []e2e.Mail
		require.NoError(b, b.s.Get(b.Context(), "/_mails", &mails))
		return slices.ContainsFunc(mails, func(m e2e.Mail) bool {
			var has []string
			for _, a := range m.Attachments {
				if strings.HasPrefix(a.Name, report) && a.Size > 0 {
					has = append(has, a.ContentType)
				}
			}
			slices.Sort(has)
			return strings.HasPrefix(m.To[0], to) && slices.Equal(has, kinds)
		})
	}
	for _, to := range []string{accountant, ownerOfMade} {
		// A worker that is killed while it mails is missed after two minutes.
		require.Eventually(b, func() bool { return arrived(to, "summary-", "text/csv") }, 4*soon, 200*time.Millisecond, "%s: %s", to, b.seen())
	}
	require.Eventually(b, func() bool {
		require.NoError(b, b.s.Trigger(b.Context(), workflows.ScheduleDay))
		return arrived("victor@example.com", "daily-", "image/png", "text/csv")
	}, 4*soon, 2*time.Second, "%s", b.seen())
}

// seen is what people got so far.
func (b *ledger) seen() fmt.Stringer { return lazily((&story{T: b.T, s: b.s}).seen) }

// A policy that names an account which QuickBooks does not have is complained of at the
// start and holds bookings back; once it is put right, they are booked.
func TestAnAccountIsMissingInQuickBooks(t *testing.T) {
	t.Parallel()
	const right, wrong = "account: Parking Income", "account: Car Park Income"
	file := unhurried(t, right, wrong)
	s := start(t, e2e.Options{Args: []string{"--without", "worker", "--policy", file, "--day", bookDay}})
	b := &ledger{t, s}
	running := worker(t, s)
	id := b.posts("lease_charge.created", map[string]any{"amount": "75.00", "accountID": "2", "description": "Parking"})
	b.until(id, func(d finance.TransactionDescription) bool { return d.Stage == finance.StageBooking })
	require.Eventually(t, func() bool {
		return strings.Count(running.Output(), "QuickBooks has no account Car Park Income: add it") > 1
	}, soon, 50*time.Millisecond)
	require.Zero(t, b.quickBooks().Entries)

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), wrong, right, 1)), 0o600))
	require.NoError(t, running.Stop(2*soon))
	worker(t, s)
	b.ends(id) // the next try is a minute after the first
	require.EqualValues(t, -75_00, b.quickBooks().Balance("Parking Income"))
	require.Equal(t, 1, b.quickBooks().Entries)
	noDuplicates(t, s)
}
