package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/clients/quickbooks"
	qbsandbox "github.com/aictive/keyholder/sandbox/quickbooks"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// nowhere is an address at which no Temporal answers.
const nowhere = "127.0.0.1:1"

// kept is a store with some books, which is open for as long as the test runs, and a
// command beside it.
type kept struct {
	command
	store store.Store
	box   *qbsandbox.Server
	qb    *quickbooks.Client
}

// keepBooks opens a store and a QuickBooks of the test's own.
func keepBooks(t *testing.T) *kept {
	t.Helper()
	box := qbsandbox.New(qbsandbox.Config{})
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	url := "sqlite:" + filepath.Join(t.TempDir(), "keyholder.db")
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	k := &kept{store: s, box: box, command: command{t: t, dir: t.TempDir(), settings: map[string]string{
		"KEYHOLDER_STORE_URL": url, "KEYHOLDER_POLICY": "built-in", "TEMPORAL_ADDRESS": nowhere,
		"KEYHOLDER_QUICKBOOKS_URL": server.URL, "KEYHOLDER_QUICKBOOKS_TOKEN_URL": server.URL + "/oauth2/v1/tokens/bearer",
		"KEYHOLDER_QUICKBOOKS_CLIENT_ID": devQuickBooksID, "KEYHOLDER_QUICKBOOKS_CLIENT_SECRET": devQuickBooksSecret,
		"KEYHOLDER_QUICKBOOKS_REALM": devQuickBooksRealm, "KEYHOLDER_QUICKBOOKS_REFRESH_TOKEN": devQuickBooksRefresh,
		"KEYHOLDER_TOKEN_KEY": devTokenKey,
	}}}
	cfg, err := parse[quickBooksConfig](k.settings)
	require.NoError(t, err)
	books, err := cfg.newQuickBooks(s, nil)
	require.NoError(t, err)
	k.qb = books.Client
	return k
}

// ago is a day of the company some days ago.
func ago(days int) string {
	place, _ := time.LoadLocation("America/Los_Angeles") // that of the policy
	return time.Now().In(place).AddDate(0, 0, -days).Format(time.DateOnly)
}

// book books a payment; posted tells whether QuickBooks is to have it, with these cents.
func (k *kept) book(id, day string, cents int64, posted ...int64) {
	k.t.Helper()
	entry := store.JournalEntry{Number: 1, Day: day, Currency: "USD", Lines: []store.JournalLine{
		{Role: "bank", Account: "Trust Checking", Debit: cents}, {Role: "receivables", Account: "Tenant Receivables", Credit: cents},
	}}
	_, err := k.store.BookTransaction(k.t.Context(), store.BookedTransaction{
		ID: id, Kind: "payment", Number: id, LeaseID: "7", Amount: cents, Day: day, Counts: true, SeenAt: time.Now(),
	}, func([]store.JournalEntry) ([]store.JournalEntry, error) { return []store.JournalEntry{entry}, nil })
	require.NoError(k.t, err)
	for _, there := range posted {
		made := k.post(id, day, there)
		require.NoError(k.t, k.store.MarkPosted(k.t.Context(), id, 1, made, time.Now()))
	}
}

// post posts a payment to QuickBooks alone.
func (k *kept) post(id, day string, cents int64) string {
	k.t.Helper()
	made, err := k.qb.CreateJournalEntry(k.t.Context(), quickbooks.NewJournalEntry{
		RequestID: quickbooks.RequestID(id, "test"), Number: bookkeeping.Number(id, 1), Day: day, Note: bookkeeping.Memo(id, 1),
		Lines: []quickbooks.JournalLine{{AccountID: "40", Debit: quickbooks.Amount(cents)}, {AccountID: "41", Credit: quickbooks.Amount(cents)}},
	})
	require.NoError(k.t, err)
	return made.ID
}

func TestFinanceCheck(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	s := k.run("finance", "check")
	require.NoError(t, s.failed)
	require.Equal(t, "all 17 accounts are fit\n", s.out.String())

	require.True(t, k.box.SetActive("Pet Rent", false))
	k.settings["KEYHOLDER_POLICY"] = k.policy(t, "insurance, name: Insurance, account: Insurance", "insurance, name: Insurance, account: Nowhere")
	s = k.run("finance", "check")
	require.EqualError(t, s.failed, "2 of 17 accounts cannot be booked on")
	require.Equal(t, "QuickBooks has no account Nowhere: add it, or name another one in the policy (finance)\n"+
		"the account Pet Rent is inactive in QuickBooks: make it active, or name another one in the policy (finance)\n", s.out.String())
}

// policy is a file with the built-in policy, in which a text is replaced.
func (c command) policy(t *testing.T, old, replacement string) string {
	t.Helper()
	text, err := os.ReadFile("../../policy/policy.yaml")
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), old))
	return c.file("policy.yaml", strings.Replace(string(text), old, replacement, 1))
}

func TestFinanceCompare(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	k.book("payment/1", ago(3), 185_000, 185_000)
	k.book("payment/2", ago(20), 5_000, 5_000)
	k.book("payment/3", ago(40), 7_000) // before the days that are compared
	s := k.run("finance", "compare")
	require.NoError(t, s.failed)
	require.Equal(t, ago(30)+" to "+ago(0)+": 2 entries compared, 0 differences\ndebits equal credits over all that was posted\n", s.out.String())

	k.book("payment/4", ago(3), 100)
	k.book("payment/5", ago(3), 200, 300)
	k.post("payment/6", ago(3), 400)
	s = k.run("finance", "compare")
	require.EqualError(t, s.failed, "QuickBooks differs from the journal")
	require.Equal(t, ago(30)+" to "+ago(0)+`: 4 entries compared, 3 differences
  P4-1  is planned and not posted yet
  P5-1  has other amounts or accounts in QuickBooks
  P6-1  is in QuickBooks and not in the journal
debits equal credits over all that was posted
`, s.out.String())

	s = k.run("finance", "compare", "--json", "--to", ago(10), "--from", ago(40))
	require.Error(t, s.failed)
	require.JSONEq(t, `{"from":"`+ago(40)+`","to":"`+ago(10)+`","compared":2,"differences":[
		{"number":"P3-1","problem":"is planned and not posted yet"}],"balance":"0.00","currency":"USD"}`, s.out.String())
	s = k.run("finance", "compare", "--json", "--to", ago(10), "--from", ago(30))
	require.NoError(t, s.failed)
	require.Contains(t, s.out.String(), `"differences": []`)
}

// Days are those of the store's clock, and the zone those of the policy.
func TestFinanceCompareKeepsToTheClock(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	// A clock that runs so slowly that it is 2031-04-10 in Los Angeles all day.
	clock, err := json.Marshal(durable.Clock{Epoch: time.Date(2031, 4, 10, 20, 0, 0, 0, time.UTC), Scale: 1e-9})
	require.NoError(t, err)
	require.NoError(t, k.store.SetSetting(t.Context(), clockSetting, string(clock)))
	k.book("payment/1", "2031-03-11", 100, 100)
	k.book("payment/2", "2031-04-10", 100, 100)
	k.book("payment/3", "2031-03-10", 100, 100)
	k.book("payment/4", "2031-04-11", 100, 100)
	s := k.run("finance", "compare")
	require.NoError(t, s.failed)
	require.Contains(t, s.out.String(), "2031-03-11 to 2031-04-10: 2 entries compared, 0 differences\n")
	s = k.run("finance", "compare", "--from", "2031-04-11")
	require.NoError(t, s.failed)
	require.Contains(t, s.out.String(), "2031-04-11 to 2031-04-11: 1 entries compared")
}

func TestBooksThatDoNotBalance(t *testing.T) {
	t.Parallel()
	c := comparison{Balance: 1250, Currency: "USD"}
	require.Equal(t, "debits are USD 12.50 more than credits over all that was posted", c.balanced())
	require.EqualError(t, c.err(), "the journal does not balance")
}

func TestFinanceFindings(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	s := k.run("finance", "findings")
	require.NoError(t, s.failed)
	require.Equal(t, "There are no such findings.\n", s.out.String())
	require.Equal(t, "[]\n", k.run("finance", "findings", "--json").out.String())

	// It is still the 4th in Los Angeles.
	at := time.Date(2026, 11, 5, 5, 0, 0, 0, time.UTC)
	for _, f := range []store.Finding{
		{
			ID: "duplicate_charge/charge/12+charge/15", Kind: "duplicate_charge", Severity: "high", Reason: "The same\x1b[31m charge\ntwice.", Amount: 185_000,
			Transactions: []string{"charge/12", "charge/15", "charge/16", "charge/17", "charge/18"}, LeaseID: "7", FoundAt: at, Evidence: []store.Detail{{Label: "days apart", Text: "2"}},
		},
		{ID: "ledger_against_bank/line/x", Kind: "ledger_against_bank", Severity: "low", Reason: "No booking.", Amount: -1_250, FoundAt: at.Add(-time.Hour)},
	} {
		raised, err := k.store.RaiseFinding(t.Context(), f)
		require.NoError(t, err)
		require.True(t, raised)
	}
	settled, err := k.store.SettleFinding(t.Context(), "ledger_against_bank/line/x", store.FindingRight, "nora", "a fee", at.Add(24*time.Hour))
	require.NoError(t, err)
	require.True(t, settled)

	s = k.run("finance", "findings")
	require.NoError(t, s.failed)
	require.Equal(t, `id                                    state  severity  kind              USD      since       about                                             reason
duplicate_charge/charge/12+charge/15  open   high      duplicate_charge  1850.00  2026-11-04  lease 7, charge/12, charge/15, charge/16, 2 more  The same [31m charge twice.
`, s.out.String())
	require.Len(t, strings.Split(strings.TrimSpace(k.run("finance", "findings", "--state", "all").out.String()), "\n"), 3)
	require.JSONEq(t, `[{"id":"ledger_against_bank/line/x","state":"right","severity":"low","kind":"ledger_against_bank","amount":"-12.50",
		"since":"2026-11-04","reason":"No booking.","decided":"2026-11-05","decided_by":"nora","note":"a fee"}]`,
		k.run("finance", "findings", "--state", "right", "--json").out.String())
	require.Contains(t, k.run("finance", "findings", "--json").out.String(), `"label": "days apart"`)
}

func TestFinanceCommandsRefuseNonsense(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	for _, args := range [][]string{
		{"finance"}, {"finance", "check", "x"}, {"finance", "compare", "--from", "yesterday"}, {"finance", "compare", "--to", "2026-02-30"},
		{"finance", "compare", "--from", "2026-02-02", "--to", "2026-02-01"}, {"finance", "findings", "--state", "closed"},
		{"bank"}, {"bank", "import"}, {"bank", "import", "missing.csv"}, {"bank", "status", "x"},
	} {
		require.ErrorAs(t, k.run(args...).failed, new(usageError), "%v", args)
	}
	quickBooksRealm := k.settings["KEYHOLDER_QUICKBOOKS_REALM"]
	delete(k.settings, "KEYHOLDER_QUICKBOOKS_REALM")
	require.ErrorContains(t, k.run("finance", "check").failed, "KEYHOLDER_QUICKBOOKS_REALM")
	k.settings["KEYHOLDER_QUICKBOOKS_REALM"] = quickBooksRealm
	for name := range k.settings {
		if strings.HasPrefix(name, "KEYHOLDER_QUICKBOOKS_") {
			delete(k.settings, name)
		}
	}
	for _, command := range []string{"check", "compare"} {
		s := k.run("finance", command)
		require.ErrorAs(t, s.failed, new(usageError))
		require.ErrorContains(t, s.failed, "QuickBooks is not configured")
	}
	require.NoError(t, k.run("finance", "findings").failed, "it needs the store alone")
	require.NoError(t, k.run("bank", "status").failed)

	k.settings["KEYHOLDER_QUICKBOOKS_URL"], k.settings["KEYHOLDER_QUICKBOOKS_TOKEN_URL"] = "http://"+nowhere, "http://"+nowhere
	delete(k.settings, "KEYHOLDER_STORE_URL")
	for _, args := range [][]string{{"finance", "check"}, {"finance", "findings"}, {"bank", "import", "x.csv"}, {"bank", "status"}} {
		require.ErrorContains(t, k.run(args...).failed, "KEYHOLDER_STORE_URL", "%v", args)
	}
}

func TestAPolicyWithoutFinanceIsSaid(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	text, err := os.ReadFile("../../policy/policy.yaml")
	require.NoError(t, err)
	before, after, _ := strings.Cut(string(text), "\n  finance:\n")
	_, after, _ = strings.Cut(after, "\nportfolios:")
	k.settings["KEYHOLDER_POLICY"] = k.file("policy.yaml", before+"\nportfolios:"+after)
	for _, args := range [][]string{{"finance", "check"}, {"finance", "compare"}, {"finance", "findings"}, {"bank", "import", "x.csv"}, {"bank", "status"}} {
		s := k.run(args...)
		require.ErrorAs(t, s.failed, new(usageError), "%v", args)
		require.ErrorContains(t, s.failed, `the policy has no section "finance"`, "%v", args)
	}
}
