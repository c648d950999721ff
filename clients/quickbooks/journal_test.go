package quickbooks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/quickbooks"
	sandbox "github.com/aictive/keyholder/sandbox/quickbooks"
)

func anEntry() quickbooks.NewJournalEntry {
	return quickbooks.NewJournalEntry{
		RequestID: "r", Number: "CH12-1", Day: "2026-11-02", Note: "charge/12 1",
		Lines: []quickbooks.JournalLine{{AccountID: "41", Debit: 150_025, Text: "Rent"}, {AccountID: "50", Credit: 140_000}, {AccountID: "53", Credit: 10_025}},
	}
}

func TestJournalEntryLife(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	made, err := c.client.CreateJournalEntry(ctx, anEntry())
	require.NoError(t, err)
	require.Equal(t, quickbooks.JournalEntry{
		ID: made.ID, SyncToken: "0", Number: "CH12-1", Day: "2026-11-02", Note: "charge/12 1", Total: 150_025, Lines: anEntry().Lines,
	}, made)
	again, err := c.client.CreateJournalEntry(ctx, anEntry())
	require.NoError(t, err)
	require.Equal(t, made, again, "the same requestid")
	require.Equal(t, 1, c.stand.Books().Entries)
	require.EqualValues(t, 150_025, c.stand.Books().Account("Tenant Receivables").Balance)

	found, ok, err := c.client.FindJournalEntry(ctx, "CH12-1", "charge/12 1")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, made, found)
	_, ok, err = c.client.FindJournalEntry(ctx, "CH12-1", "another's")
	require.NoError(t, err)
	require.False(t, ok)

	// The same requestid with something else in it is never taken for booked.
	for name, spoil := range map[string]func(*quickbooks.NewJournalEntry){
		"amounts": func(e *quickbooks.NewJournalEntry) { e.Lines[0].Debit++; e.Lines[1].Credit++ },
		"account": func(e *quickbooks.NewJournalEntry) { e.Lines[0].AccountID = "40" },
		"lines":   func(e *quickbooks.NewJournalEntry) { e.Lines = e.Lines[:2]; e.Lines[0].Debit = e.Lines[1].Credit },
		"day":     func(e *quickbooks.NewJournalEntry) { e.Day = "2026-11-03" },
	} {
		other := anEntry()
		spoil(&other)
		got, err := c.client.CreateJournalEntry(ctx, other)
		require.Contains(t, kind(t, partner.UnknownOutcome, err).Message, "not what was sent", name)
		require.Zero(t, got, name)
	}
}

func TestAReplyThatIsLostIsAskedForAgain(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	_, err := c.tokens.Token(ctx)
	require.NoError(t, err)
	lost := func(w http.ResponseWriter, r *http.Request) bool {
		c.stand.ServeHTTP(httptest.NewRecorder(), r) // carried out
		conn, _, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		return conn.Close() == nil
	}
	c.before.Store(&lost)
	_, err = c.client.CreateJournalEntry(ctx, anEntry())
	kind(t, partner.UnknownOutcome, err)
	c.before.Store(nil)
	_, err = c.client.CreateJournalEntry(ctx, anEntry())
	require.NoError(t, err)
	require.Equal(t, 1, c.stand.Books().Entries)
	require.Zero(t, c.stand.Duplicates())
}

func TestEntriesThatAreNoEntriesAreNeverSent(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	for name, spoil := range map[string]func(*quickbooks.NewJournalEntry){
		"no requestid": func(e *quickbooks.NewJournalEntry) { e.RequestID = "" },
		"no number":    func(e *quickbooks.NewJournalEntry) { e.Number = "" },
		"long number":  func(e *quickbooks.NewJournalEntry) { e.Number = strings.Repeat("1", 22) },
		"no day":       func(e *quickbooks.NewJournalEntry) { e.Day = "" },
		"american day": func(e *quickbooks.NewJournalEntry) { e.Day = "11/02/2026" },
		"no lines":     func(e *quickbooks.NewJournalEntry) { e.Lines = nil },
		"one line":     func(e *quickbooks.NewJournalEntry) { e.Lines = e.Lines[:1] },
		"unbalanced":   func(e *quickbooks.NewJournalEntry) { e.Lines[0].Debit++ },
		"account":      func(e *quickbooks.NewJournalEntry) { e.Lines[0].AccountID = "Rent" },
		"both sides":   func(e *quickbooks.NewJournalEntry) { e.Lines[0].Credit, e.Lines[1].Debit = 1, 1 },
		"neither side": func(e *quickbooks.NewJournalEntry) { e.Lines = append(e.Lines, quickbooks.JournalLine{AccountID: "1"}) },
		"negative":     func(e *quickbooks.NewJournalEntry) { e.Lines[0].Debit, e.Lines[0].Credit = 0, -150_025 },
		"too much":     func(e *quickbooks.NewJournalEntry) { e.Lines[0].Debit = 1 << 62 },
		"too many":     func(e *quickbooks.NewJournalEntry) { e.Lines = make([]quickbooks.JournalLine, 101) },
		"all are zero": func(e *quickbooks.NewJournalEntry) {
			e.Lines = []quickbooks.JournalLine{{AccountID: "1"}, {AccountID: "2"}}
		},
		"id as address": func(e *quickbooks.NewJournalEntry) { e.Lines[0].AccountID = "1/../2" },
	} {
		e := anEntry()
		spoil(&e)
		_, err := c.client.CreateJournalEntry(ctx, e)
		kind(t, partner.Invalid, err)
		require.Zero(t, c.calls.Load(), name)
	}
	kind(t, partner.Invalid, c.client.JournalEntries(ctx, "2026-11-01", "' or '1", nil))
	require.Zero(t, c.calls.Load())
}

func TestAccountsThatNeedANameOrAreGone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusOK} {
		c, ctx := open(t, sandbox.Config{FaultStatus: status}), t.Context()
		e := anEntry()
		e.Lines[0].AccountID = "34" // receivables
		_, err := c.client.CreateJournalEntry(ctx, e)
		require.Equal(t, "6000", kind(t, partner.Invalid, err).Code)
		e.Lines[0].AccountID = "999"
		_, err = c.client.CreateJournalEntry(ctx, e)
		require.Equal(t, "2500", kind(t, partner.Invalid, err).Code)
		c.stand.SetActive("Tenant Receivables", false)
		_, err = c.client.CreateJournalEntry(ctx, anEntry())
		require.Equal(t, "610", kind(t, partner.NotFound, err).Code)
		require.Zero(t, c.stand.Books().Entries)
	}
}

// TestEntriesAreListedInPages has more entries than a page takes.
func TestEntriesAreListedInPages(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{PerMinute: 100_000}), t.Context()
	fast := quickbooks.New(quickbooks.Config{BaseURL: c.url, Realm: sandbox.DevRealm, Tokens: c.tokens, PerMinute: 1_000_000})
	t.Cleanup(fast.Close)
	for n := range 1_003 {
		e := anEntry()
		e.RequestID, e.Number = fmt.Sprint(n), fmt.Sprint("J", n)
		if n == 0 {
			e.Day = "2026-10-31"
		}
		_, err := fast.CreateJournalEntry(ctx, e)
		require.NoError(t, err)
	}
	before := c.calls.Load()
	seen := map[string]bool{}
	require.NoError(t, fast.JournalEntries(ctx, "2026-11-01", "2026-11-30", func(e quickbooks.JournalEntry) bool {
		seen[e.Number] = true
		return e.Total == 150_025
	}))
	require.Len(t, seen, 1_002)
	require.False(t, seen["J0"], "of October")
	require.EqualValues(t, 3, c.calls.Load()-before)

	n := 0
	require.NoError(t, fast.JournalEntries(ctx, "2026-11-01", "2026-11-30", func(quickbooks.JournalEntry) bool { n++; return n < 7 }))
	require.Equal(t, 7, n)
}

func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	page := func(object string) string { return strings.Repeat(object+",", 499) + object }
	reply := `{"QueryResponse":{"JournalEntry":[` + page(`{"Id":"1"}`) + `],"Account":[` + page(`{"Id":"1"}`) + `]}}`
	var calls atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = io.WriteString(w, reply)
	}))
	t.Cleanup(api.Close)
	client := quickbooks.New(quickbooks.Config{BaseURL: api.URL, Realm: "913", Tokens: fixed("at"), PerMinute: 1_000_000})
	t.Cleanup(client.Close)
	err := client.JournalEntries(t.Context(), "2026-11-01", "2026-11-30", func(quickbooks.JournalEntry) bool { return true })
	require.Contains(t, kind(t, partner.Invalid, err).Message, "fewer days")
	require.EqualValues(t, 100, calls.Swap(0))
	_, err = client.Accounts(t.Context())
	kind(t, partner.Invalid, err)
	require.EqualValues(t, 2, calls.Load())
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	_, err := c.client.CreateJournalEntry(ctx, quickbooks.NewJournalEntry{
		RequestID: "r", Number: "1", Day: "2026-11-02",
		Lines: []quickbooks.JournalLine{{AccountID: "40", Debit: 1207}, {AccountID: "43", Credit: 1207}},
	})
	require.NoError(t, err)
	c.stand.SetActive("Pet Rent", false)
	accounts, err := c.client.Accounts(ctx)
	require.NoError(t, err)
	byName := map[string]quickbooks.Account{}
	for _, a := range accounts {
		byName[a.Name] = a
	}
	require.Len(t, byName, len(c.stand.Books().Accounts))
	require.Equal(t, quickbooks.Account{ID: "40", Name: "Trust Checking", Type: "Bank", Currency: "USD", Active: true, Balance: 1207}, byName["Trust Checking"])
	require.Equal(t, quickbooks.Amount(-1207), byName["Security Deposits Held"].Balance)
	require.Equal(t, quickbooks.TypeReceivable, byName[sandbox.AccountReceivable].Type)
	require.Equal(t, quickbooks.TypePayable, byName[sandbox.AccountPayable].Type)
	require.False(t, byName["Pet Rent"].Active)
	_, ok, err := c.client.FindAccount(ctx, "Pet Rent")
	require.NoError(t, err)
	require.False(t, ok, "it is no longer active")
}

func TestInvoicesPaymentsAndBills(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	customer, err := c.client.CreateCustomer(ctx, quickbooks.NewCustomer{RequestID: "c", Name: "Unit: 4B", Email: "b@example.com"})
	require.NoError(t, err)
	found, ok, err := c.client.FindCustomer(ctx, "Unit: 4B")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, customer, found)
	item, ok, err := c.client.FindItem(ctx, "rent")
	require.NoError(t, err)
	require.True(t, ok)
	_, ok, err = c.client.FindItem(ctx, "nothing")
	require.NoError(t, err)
	require.False(t, ok)

	wanted := quickbooks.NewInvoice{
		RequestID: "i", Number: "I1", CustomerID: customer.ID, Day: "2026-11-01", DueDay: "2026-12-01", Note: "charge/1",
		Lines: []quickbooks.SalesLine{{ItemID: item.ID, Text: "Rent", Amount: 10_010}, {ItemID: item.ID, Text: "Parking", Amount: 90}},
	}
	invoice, err := c.client.CreateInvoice(ctx, wanted)
	require.NoError(t, err)
	require.Equal(t, quickbooks.Document{
		ID: invoice.ID, SyncToken: "0", Number: "I1", PartyID: customer.ID, Day: "2026-11-01", DueDay: "2026-12-01", Note: "charge/1", Total: 10_100, Open: 10_100,
	}, invoice)
	wanted.RequestID = "another"
	_, err = c.client.CreateInvoice(ctx, wanted)
	require.Equal(t, "6140", kind(t, partner.Conflict, err).Code)

	payment, err := c.client.CreatePayment(ctx, quickbooks.NewPayment{
		RequestID: "p", Number: "P1", CustomerID: customer.ID, AccountID: "40", InvoiceID: invoice.ID, Day: "2026-11-05", Note: "payment/1", Amount: 6_000,
	})
	require.NoError(t, err)
	read, err := c.client.Payment(ctx, payment.ID)
	require.NoError(t, err)
	require.Equal(t, payment, read)
	require.Equal(t, quickbooks.Document{ID: payment.ID, SyncToken: "0", Number: "P1", PartyID: customer.ID, Day: "2026-11-05", Note: "payment/1", Total: 6_000}, read)
	loose, err := c.client.CreatePayment(ctx, quickbooks.NewPayment{RequestID: "p2", Number: "P2", CustomerID: customer.ID, AccountID: "40", Day: "2026-11-05", Amount: 7})
	require.NoError(t, err)
	require.EqualValues(t, 7, loose.Open)
	read, err = c.client.Invoice(ctx, invoice.ID)
	require.NoError(t, err)
	require.EqualValues(t, 4_100, read.Open)

	wantedBill := quickbooks.NewBill{
		RequestID: "b", Number: "B1", VendorID: "50", PayablesID: "33", Day: "2026-11-03", DueDay: "2026-11-30", Note: "invoice/1",
		Lines: []quickbooks.BillLine{{AccountID: "77", Text: "Tap", Amount: 4_000}, {AccountID: "78", Amount: 50}},
	}
	bill, err := c.client.CreateBill(ctx, wantedBill)
	require.NoError(t, err)
	read, err = c.client.Bill(ctx, bill.ID)
	require.NoError(t, err)
	require.Equal(t, bill, read)
	require.Equal(t, quickbooks.Document{
		ID: bill.ID, SyncToken: "0", Number: "B1", PartyID: "50", Day: "2026-11-03", DueDay: "2026-11-30", Note: "invoice/1", Total: 4_050, Open: 4_050,
	}, read)
	wantedBill.Lines = wantedBill.Lines[:1]
	_, err = c.client.CreateBill(ctx, wantedBill)
	require.Contains(t, kind(t, partner.UnknownOutcome, err).Message, "another total")

	books := c.stand.Books()
	require.True(t, books.Balanced)
	require.EqualValues(t, 4_093, books.Account(sandbox.AccountReceivable).Balance)
	require.EqualValues(t, -4_050, books.Account(sandbox.AccountPayable).Balance)

	sent := c.calls.Load()
	for _, err := range []error{
		second(c.client.CreateInvoice(ctx, quickbooks.NewInvoice{RequestID: "x", Number: "1", CustomerID: "1", Day: "2026-11-01", DueDay: "2026-11-01"})),
		second(c.client.CreateInvoice(ctx, quickbooks.NewInvoice{RequestID: "x", Number: "1", CustomerID: "1", Day: "2026-11-01", DueDay: "2026-11-01", Lines: []quickbooks.SalesLine{{ItemID: "x", Amount: 1}}})),
		second(c.client.CreatePayment(ctx, quickbooks.NewPayment{RequestID: "x", Number: "1", CustomerID: "1", AccountID: "1", Day: "2026-11-01"})),
		second(c.client.CreatePayment(ctx, quickbooks.NewPayment{RequestID: "x", Number: "1", CustomerID: "1", AccountID: "1", Day: "2026-11-01", Amount: 1, InvoiceID: "x"})),
		second(c.client.CreatePayment(ctx, quickbooks.NewPayment{Number: "1", CustomerID: "1", AccountID: "1", Day: "2026-11-01", Amount: 1})),
		second(c.client.CreateBill(ctx, quickbooks.NewBill{RequestID: "x", Number: "1", VendorID: "1", PayablesID: "1", Day: "2026-11-01", DueDay: "later", Lines: []quickbooks.BillLine{{AccountID: "1", Amount: 1}}})),
		second(c.client.CreateBill(ctx, quickbooks.NewBill{RequestID: "x", Number: "1", VendorID: "1", PayablesID: "1", Day: "2026-11-01", DueDay: "2026-11-01", Lines: []quickbooks.BillLine{{AccountID: "1", Amount: -1}}})),
		second(c.client.Bill(ctx, "../1")),
	} {
		kind(t, partner.Invalid, err)
	}
	require.Equal(t, sent, c.calls.Load())
}

func second[T any](_ T, err error) error { return err }

func TestThePaceOfAMinute(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	slow := quickbooks.New(quickbooks.Config{BaseURL: c.url, Realm: sandbox.DevRealm, Tokens: c.tokens, PerMinute: 30})
	t.Cleanup(slow.Close)
	_, err := c.tokens.Token(ctx)
	require.NoError(t, err)
	before := c.calls.Load()
	for range 3 { // a tenth of it at once
		_, _, err := slow.FindVendor(ctx, "x")
		require.NoError(t, err)
	}
	// The next one has to wait two seconds, for which this caller has no time.
	hurried, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, _, err = slow.FindVendor(hurried, "x")
	kind(t, partner.Unavailable, err)
	require.EqualValues(t, 3, c.calls.Load()-before)
}
