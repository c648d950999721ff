package activities

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/clients/inventory"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/quickbooks"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox/mailbox"
	sandboxbooks "github.com/aictive/keyholder/sandbox/quickbooks"
	sandboxvine "github.com/aictive/keyholder/sandbox/rentvine"
	"github.com/aictive/keyholder/store"
)

// till is where money is spent: a SQLite store, and the stand-ins over HTTP and SMTP.
type till struct {
	acts  *Activities
	books *sandboxbooks.Server
	box   *mailbox.Server
	// fault, where it returns true, answers in QuickBooks' place.
	fault atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	mail  atomic.Value // mailbox.Fault
}

func newTill(t *testing.T) *till {
	t.Helper()
	d := &till{books: sandboxbooks.New(sandboxbooks.Config{})}
	d.mail.Store(mailbox.Fault{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := d.fault.Load(); f == nil || !(*f)(w, r) {
			d.books.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(api.Close)
	d.box = mailbox.New(mailbox.Config{Fault: func() mailbox.Fault { return d.mail.Load().(mailbox.Fault) }})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.box.Serve(listener)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = d.box.Close(ctx)
	})
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, kept.Close()) })
	rules, err := policy.Open("", nil)
	require.NoError(t, err)
	live, err := NewOutbound("live", nil)
	require.NoError(t, err)
	keys, err := store.ParseTokenKeys("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	require.NoError(t, err)
	tokens := quickbooks.NewTokens(quickbooks.OAuthConfig{
		TokenURL: api.URL + "/oauth2/v1/tokens/bearer", ClientID: sandboxbooks.DevClientID, ClientSecret: sandboxbooks.DevClientSecret,
		RefreshToken: sandboxbooks.DevRefreshToken, Store: store.NewToken(kept, keys, "quickbooks"),
	})
	t.Cleanup(tokens.Close)
	client := quickbooks.New(quickbooks.Config{BaseURL: api.URL, Realm: sandboxbooks.DevRealm, Tokens: tokens})
	t.Cleanup(client.Close)
	d.acts = New(Config{
		Store: kept, Policy: rules, Outbound: live, MailDomain: "keyholder.example",
		QuickBooks: QuickBooks{Client: client, Account: QuickBooksAccount},
		Mail: mail.New(mail.Config{
			Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: mail.TLSNone, Timeout: 5 * time.Second,
			From: mail.Address{Name: "Keyholder", Email: "office@keyholder.example"},
		}),
	})
	return d
}

func someOrder(ref string) PurchaseOrderInput {
	return PurchaseOrderInput{
		Ref: ref, Number: "WO1004-" + ref[len(ref)-1:], WorkOrderID: "4", WorkOrderNumber: "1004",
		Vendor:        Person{ID: "contact:14", Name: "Pat's <Plumbing>", Email: "pat@example.com", Phone: "+12135550111"},
		VendorContact: "14", Currency: "USD", Address: "12 Elm Street", Company: "Acme Homes",
		Lines: []OrderLine{{Text: "Tap cartridge", Quantity: 2, UnitCost: 1850}, {Text: "Labor", Quantity: 1, UnitCost: 125000}},
	}
}

func TestAnOrderIsBookedAndMailedOnce(t *testing.T) {
	t.Parallel()
	d, ctx := newTill(t), t.Context()
	in := someOrder("work-order/4/order-1")
	first, err := d.acts.createPurchaseOrder(ctx, in)
	require.NoError(t, err)
	require.Equal(t, PurchaseOrder{ID: first.ID, Number: "WO1004-1", Total: 128700, Booked: true, Mail: MessageSent}, first)
	again, err := d.acts.createPurchaseOrder(ctx, in)
	require.NoError(t, err)
	require.Equal(t, first, again)

	orders := d.books.Orders()
	require.Len(t, orders, 1)
	require.Equal(t, "Pat's <Plumbing>", orders[0].Vendor)
	require.Equal(t, "1287.00", orders[0].Total)
	require.Equal(t, []string{"2 x Tap cartridge = 37.00", "1 x Labor = 1250.00"}, orders[0].Lines)
	mails := d.box.Mails()
	require.Len(t, mails, 1)
	require.Equal(t, "Purchase order WO1004-1 from Acme Homes", mails[0].Subject)
	require.Contains(t, mails[0].Text, "2 x Tap cartridge, $18.50 each: $37.00")
	require.Contains(t, mails[0].Text, "Total: $1,287.00")
	require.Contains(t, mails[0].HTML, "Pat&#39;s &lt;Plumbing&gt;")
	require.Equal(t, []string{"pat@example.com"}, mails[0].To)

	second, err := d.acts.createPurchaseOrder(ctx, someOrder("work-order/4/order-2"))
	require.NoError(t, err)
	require.NotEqual(t, first.ID, second.ID)
	require.Len(t, d.books.Tables()[1].Rows, 2, "the vendor was made once")

	cancel := CancelPurchaseOrderInput{Ref: in.Ref, ID: first.ID, Number: in.Number, Vendor: in.Vendor, Company: in.Company}
	for range 2 {
		_, err = d.acts.cancelPurchaseOrder(ctx, cancel)
		require.NoError(t, err)
	}
	require.Len(t, d.books.Orders(), 1)
	require.Equal(t, second.ID, d.books.Orders()[0].ID)
	mails = d.box.Mails()
	require.Len(t, mails, 3)
	require.Equal(t, "Cancelled: purchase order WO1004-1 from Acme Homes", mails[2].Subject)
	require.Zero(t, d.box.Duplicates())
}

func TestAnOrderWhoseReplyWasLostIsFound(t *testing.T) {
	t.Parallel()
	d, ctx := newTill(t), t.Context()
	d.acts.Store = older{d.acts.Store, time.Hour} // the lost try is no longer on its way
	in := someOrder("work-order/4/order-1")
	lost := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/purchaseorder") {
			return false
		}
		d.books.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	d.fault.Store(&lost)
	_, err := d.acts.createPurchaseOrder(ctx, in)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
	require.Equal(t, "unknown_outcome", app.Type())
	require.Len(t, d.books.Orders(), 1)
	require.Empty(t, d.box.Mails(), "nothing is mailed that may not be booked")

	// The workflow gives up meanwhile, not knowing the id.
	other := someOrder("work-order/5/order-2")
	_, err = d.acts.createPurchaseOrder(ctx, other)
	require.Error(t, err)
	d.fault.Store(nil)
	_, err = d.acts.cancelPurchaseOrder(ctx, CancelPurchaseOrderInput{Ref: other.Ref, Number: other.Number, Vendor: other.Vendor, Company: other.Company})
	require.NoError(t, err)
	require.Len(t, d.books.Orders(), 1)
	require.Empty(t, d.box.Mails(), "who was not asked is not told")

	made, err := d.acts.createPurchaseOrder(ctx, in)
	require.NoError(t, err)
	require.Equal(t, d.books.Orders()[0].ID, made.ID)
	require.Len(t, d.books.Orders(), 1)
	require.Len(t, d.box.Mails(), 1)
}

func TestTheMailOfAnOrderObeysOutbound(t *testing.T) {
	t.Parallel()
	d, ctx := newTill(t), t.Context()
	d.acts.Outbound = Outbound{Mode: OutboundRecord}
	made, err := d.acts.createPurchaseOrder(ctx, someOrder("a/1"))
	require.NoError(t, err)
	require.True(t, made.Booked, "a booking is no message")
	require.Equal(t, MessageRecorded, made.Mail)

	live, err := NewOutbound("live", nil)
	require.NoError(t, err)
	d.acts.Outbound = live
	require.NoError(t, d.acts.Store.SetSetting(ctx, "outbound_paused", "1"))
	_, err = d.acts.createPurchaseOrder(ctx, someOrder("a/2"))
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, pauseLook, app.NextRetryDelay())
	require.NoError(t, d.acts.Store.SetSetting(ctx, "outbound_paused", ""))

	in := someOrder("a/3")
	in.Vendor.Email = ""
	made, err = d.acts.createPurchaseOrder(ctx, in)
	require.NoError(t, err)
	require.Equal(t, MessageImpossible, made.Mail)
	d.mail.Store(mailbox.Fault{Status: 550})
	made, err = d.acts.createPurchaseOrder(ctx, someOrder("a/4"))
	require.NoError(t, err)
	require.Equal(t, MessageImpossible, made.Mail, "the order stands")
	require.Empty(t, d.box.Mails())
	require.Len(t, d.books.Orders(), 4)
}

func TestWithoutQuickBooksOrdersAreMailedOnly(t *testing.T) {
	t.Parallel()
	d, ctx := newTill(t), t.Context()
	d.acts.QuickBooks.Client = nil
	in := someOrder("a/1")
	made, err := d.acts.createPurchaseOrder(ctx, in)
	require.NoError(t, err)
	require.Equal(t, PurchaseOrder{Number: "WO1004-1", Total: 128700, Mail: MessageSent}, made)
	_, err = d.acts.cancelPurchaseOrder(ctx, CancelPurchaseOrderInput{Ref: in.Ref, Number: in.Number, Vendor: in.Vendor, Company: in.Company})
	require.NoError(t, err)
	require.Len(t, d.box.Mails(), 2)
	require.Empty(t, d.books.Orders())
}

func TestWhatOrdersNeedInQuickBooks(t *testing.T) {
	t.Parallel()
	d, ctx := newTill(t), t.Context()
	failure := func(in PurchaseOrderInput, wantType string, nonRetryable bool) *temporal.ApplicationError {
		t.Helper()
		_, err := d.acts.createPurchaseOrder(ctx, in)
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		require.Equal(t, wantType, app.Type())
		require.Equal(t, nonRetryable, app.NonRetryable())
		require.NotContains(t, app.Error(), "Pat")
		return app
	}
	nobody := someOrder("a/1")
	nobody.Vendor.Name = " "
	failure(nobody, "invalid", true)
	d.acts.QuickBooks.Account = "Sundries"
	require.ErrorContains(t, failure(someOrder("a/2"), "forbidden", false), "KEYHOLDER_QUICKBOOKS_ACCOUNT")
	d.acts.QuickBooks.Account = QuickBooksAccount
	throttled := func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/oauth2/") {
			return false
		}
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	d.fault.Store(&throttled)
	require.GreaterOrEqual(t, failure(someOrder("a/3"), "rate_limited", false).NextRetryDelay(), time.Minute)
	d.fault.Store(nil)

	// A customer has the vendor's name.
	taken := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/vendor") {
			return false
		}
		d.fault.Store(nil)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"Fault":{"Error":[{"Message":"Duplicate Name Exists Error","Detail":"","code":"6240"}],"type":"ValidationFault"}}`)
		return true
	}
	d.fault.Store(&taken)
	owner := someOrder("a/4")
	owner.Vendor.Name = "Olive Owner"
	made, err := d.acts.createPurchaseOrder(ctx, owner)
	require.NoError(t, err)
	require.True(t, made.Booked)
	require.Equal(t, "Olive Owner (vendor 14)", d.books.Orders()[0].Vendor)
}

func TestAnOrderThatCannotBeDeletedIsClosed(t *testing.T) {
	t.Parallel()
	d, ctx := newTill(t), t.Context()
	in := someOrder("a/1")
	made, err := d.acts.createPurchaseOrder(ctx, in)
	require.NoError(t, err)
	billed := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("operation") != "delete" {
			return false
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"Fault":{"Error":[{"Message":"Business Validation Error","Detail":"","code":"6000"}],"type":"ValidationFault"}}`)
		return true
	}
	d.fault.Store(&billed)
	_, err = d.acts.cancelPurchaseOrder(ctx, CancelPurchaseOrderInput{Ref: in.Ref, ID: made.ID, Number: in.Number, Vendor: in.Vendor, Company: in.Company})
	require.NoError(t, err)
	require.Equal(t, "Closed", d.books.Orders()[0].Status)
}

// shelves is a till with a stock list that a test can change.
func shelves(t *testing.T, text string) (*till, func(string)) {
	t.Helper()
	d := newTill(t)
	path := filepath.Join(t.TempDir(), "stock.csv")
	write := func(text string) {
		require.NoError(t, os.WriteFile(path, []byte("sku,name,quantity,unit_cost,supplier_contact,lead_days\n"+text), 0o600))
	}
	write(text)
	d.acts.Inventory = inventory.New(inventory.Config{Source: path, Fresh: time.Nanosecond})
	return d, write
}

func TestPartsAreSetAsideAndGivenBack(t *testing.T) {
	t.Parallel()
	d, write := shelves(t, "TAP,Kitchen tap,3,129.00,11,2\nTRAP,Sink trap,0,12.80,,1\n")
	ctx := t.Context()
	reserve := func(order string, parts ...analysis.Part) ReservedParts {
		t.Helper()
		out, err := d.acts.reserveParts(ctx, ReservePartsInput{WorkOrderID: order, Parts: parts})
		require.NoError(t, err)
		return out
	}
	line := func(n int) []PartLine {
		return []PartLine{{SKU: "TAP", Name: "Kitchen tap", Quantity: n, UnitCost: 12900, SupplierContact: "11", LeadDays: 2}}
	}
	tap := func(n int) analysis.Part { return analysis.Part{SKU: "TAP", Name: "A tap", Quantity: n} }

	want := ReservedParts{Reserved: line(2), Missing: []PartLine{
		{SKU: "TRAP", Name: "Sink trap", Quantity: 1, UnitCost: 1280, LeadDays: 1}, {SKU: "ODD", Name: "Odd thing", Quantity: 3},
	}}
	parts := []analysis.Part{tap(1), {SKU: "TRAP", Name: "Trap", Quantity: 1}, {SKU: "ODD", Name: "Odd thing", Quantity: 3}, tap(1), {SKU: "TAP", Quantity: 0}}
	require.Equal(t, want, reserve("1", parts...))
	require.Equal(t, want, reserve("1", parts...), "the same work order reserves once")
	require.Equal(t, ReservedParts{Reserved: line(1), Missing: line(1)}, reserve("2", tap(2)))
	require.Equal(t, ReservedParts{Missing: line(1)}, reserve("3", tap(1)))

	for range 2 {
		_, err := d.acts.releaseParts(ctx, "2")
		require.NoError(t, err)
		_, err = d.acts.useParts(ctx, "1")
		require.NoError(t, err)
	}
	require.Equal(t, ReservedParts{Reserved: line(1), Missing: line(1)}, reserve("4", tap(2)))
	// The list was counted again: it knows of the two that work order 1 used up.
	write("TAP,Kitchen tap,2,129.00,11,2\n")
	require.Equal(t, ReservedParts{Reserved: line(1), Missing: line(1)}, reserve("5", tap(2)))
	require.Equal(t, ReservedParts{}, reserve("6"))
}

func TestAListWithMistakesIsTriedAgain(t *testing.T) {
	t.Parallel()
	d, write := shelves(t, "TAP,Kitchen tap,many,,,\n")
	in := ReservePartsInput{WorkOrderID: "1", Parts: []analysis.Part{{SKU: "TAP", Name: "Tap", Quantity: 1}}}
	_, err := d.acts.reserveParts(t.Context(), in)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
	require.ErrorContains(t, err, "line 2, column 17")
	_, err = d.acts.useParts(t.Context(), "1")
	require.NoError(t, err, "what was used needs no list")
	write("TAP,Kitchen tap,1,,,\n")
	out, err := d.acts.reserveParts(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, out.Reserved, 1)

	in.Parts[0].Quantity = 1001
	_, err = d.acts.reserveParts(t.Context(), in)
	require.ErrorAs(t, err, &app)
	require.True(t, app.NonRetryable())
	d.acts.Inventory = nil
	in.Parts[0].Quantity = 2
	out, err = d.acts.reserveParts(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, ReservedParts{Missing: []PartLine{{SKU: "TAP", Name: "Tap", Quantity: 2}}}, out)
}

// TestTheSampleListHasEveryPart keeps the list of development and the rules together.
func TestTheSampleListHasEveryPart(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../sandbox/samples/inventory.csv")
	require.NoError(t, err)
	list, err := inventory.Parse(raw)
	require.NoError(t, err)
	for _, p := range analysis.Catalogue() {
		item, ok := list.Item(p.SKU)
		require.True(t, ok, p.SKU)
		require.Equal(t, p.Name, item.Name)
		require.Positive(t, item.UnitCost, p.SKU)
	}
	require.Len(t, analysis.Catalogue(), list.Len())
}

func TestReadOwners(t *testing.T) {
	t.Parallel()
	d, ctx := newTill(t), t.Context()
	vine := sandboxvine.New(sandboxvine.Config{})
	api := httptest.NewServer(vine)
	t.Cleanup(api.Close)
	client := rentvine.New(rentvine.Config{BaseURL: api.URL, AccessKey: sandboxvine.DevAccessKey, Secret: sandboxvine.DevSecret})
	t.Cleanup(client.Close)
	d.acts.RentVine = client
	olive := []Person{{ID: "contact:21", Name: "Olive Owner", Phone: "+12135550121", Email: "contact21@example.com"}}
	for _, in := range []ReadOwnersInput{{PortfolioID: "1", PropertyID: "1"}, {PortfolioID: "1"}, {PropertyID: "1"}} {
		owners, err := d.acts.readOwners(ctx, in)
		require.NoError(t, err)
		require.Equal(t, olive, owners)
	}
	owners, err := d.acts.readOwners(ctx, ReadOwnersInput{PortfolioID: "99", PropertyID: "99"})
	require.NoError(t, err)
	require.Empty(t, owners)
	_, err = d.acts.readOwners(ctx, ReadOwnersInput{PortfolioID: "x"})
	require.Error(t, err)
}

func TestAnUnknownListErrorStaysAsItIs(t *testing.T) {
	t.Parallel()
	plain := errors.New("plain")
	require.Equal(t, plain, mendable(plain))
}
