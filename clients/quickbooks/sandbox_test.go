package quickbooks_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/quickbooks"
	sandbox "github.com/aictive/keyholder/sandbox/quickbooks"
)

// memory is a TokenStore of several processes at once: take one process each.
type memory struct {
	mu      sync.Mutex
	value   []byte
	version int64
	holder  string
	// failing makes Swap fail.
	failing error
}

type process struct {
	*memory
	name string
}

func (p process) Load(context.Context) ([]byte, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.value, p.version, nil
}

func (p process) Swap(_ context.Context, version int64, value []byte) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing != nil || p.version != version {
		return false, p.failing
	}
	p.value, p.version = value, version+1
	return true, nil
}

func (p process) Lock(context.Context, time.Duration) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holder != "" {
		return false, nil
	}
	p.holder = p.name
	return true, nil
}

func (p process) Unlock(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holder == p.name {
		p.holder = ""
	}
	return nil
}

// company is a client of a stand-in over HTTP.
type company struct {
	client *quickbooks.Client
	tokens *quickbooks.Tokens
	stand  *sandbox.Server
	kept   *memory
	url    string
	// before sees each request, and answers it where it returns true.
	before atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	calls  atomic.Int32
}

func open(t *testing.T, cfg sandbox.Config) *company {
	t.Helper()
	c := &company{stand: sandbox.New(cfg), kept: &memory{}}
	h := httptest.NewServer(http.StripPrefix("/quickbooks", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.calls.Add(1)
		if f := c.before.Load(); f == nil || !(*f)(w, r) {
			c.stand.ServeHTTP(w, r)
		}
	})))
	t.Cleanup(h.Close)
	c.url = h.URL + "/quickbooks"
	c.client, c.tokens = c.process(t, "one", sandbox.DevRefreshToken)
	return c
}

// process is a client as another process would have it.
func (c *company) process(t *testing.T, name, refresh string) (*quickbooks.Client, *quickbooks.Tokens) {
	t.Helper()
	tokens := quickbooks.NewTokens(quickbooks.OAuthConfig{
		TokenURL: c.url + "/oauth2/v1/tokens/bearer", ClientID: sandbox.DevClientID, ClientSecret: sandbox.DevClientSecret,
		RefreshToken: refresh, Store: process{c.kept, name},
	})
	t.Cleanup(tokens.Close)
	client := quickbooks.New(quickbooks.Config{BaseURL: c.url + "/", Realm: sandbox.DevRealm, Tokens: tokens})
	t.Cleanup(client.Close)
	return client, tokens
}

func (c *company) order(t *testing.T, number string) quickbooks.NewPurchaseOrder {
	t.Helper()
	expense, ok, err := c.client.FindAccount(t.Context(), sandbox.AccountRepairs)
	require.NoError(t, err)
	require.True(t, ok)
	payables, ok, err := c.client.PayablesAccount(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	vendor, ok, err := c.client.FindVendor(t.Context(), "pacific plumbing")
	require.NoError(t, err)
	require.True(t, ok)
	return quickbooks.NewPurchaseOrder{
		RequestID: quickbooks.RequestID("work-order/4", number), Number: number, VendorID: vendor.ID, AccountID: expense.ID, PayablesID: payables.ID,
		Lines: []quickbooks.Line{{Text: "Tap cartridge", Quantity: 3, UnitPrice: 1234}, {Text: "Visit", Quantity: 1, UnitPrice: 9900}},
		Note:  "work-order/4 order", Memo: "12 Elm Street",
	}
}

func kind(t *testing.T, want partner.Kind, err error) *partner.Error {
	t.Helper()
	var e *partner.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Kind, "%v", err)
	return e
}

func ExampleClient_CreatePurchaseOrder() {
	api := httptest.NewServer(sandbox.New(sandbox.Config{}))
	defer api.Close()
	client := quickbooks.New(quickbooks.Config{BaseURL: api.URL, Realm: sandbox.DevRealm, Tokens: quickbooks.NewTokens(quickbooks.OAuthConfig{
		TokenURL: api.URL + "/oauth2/v1/tokens/bearer", ClientID: sandbox.DevClientID, ClientSecret: sandbox.DevClientSecret,
		RefreshToken: sandbox.DevRefreshToken, Store: process{&memory{}, "one"},
	})})
	defer client.Close()
	ctx := context.Background()
	vendor, _, err := client.FindVendor(ctx, "Pacific Plumbing")
	fmt.Println(vendor.Name, err)
	expense, _, err := client.FindAccount(ctx, "Repairs & Maintenance")
	fmt.Println(expense.Name, err)
	payables, _, err := client.PayablesAccount(ctx)
	fmt.Println(payables.Name, err)
	order, err := client.CreatePurchaseOrder(ctx, quickbooks.NewPurchaseOrder{
		RequestID: quickbooks.RequestID("work-order/4", "order"), Number: "WO1004-1",
		VendorID: vendor.ID, AccountID: expense.ID, PayablesID: payables.ID,
		Lines: []quickbooks.Line{{Text: "Tap cartridge", Quantity: 2, UnitPrice: 1250}},
	})
	fmt.Println(order.Number, order.Total, err)
	// Output:
	// Pacific Plumbing <nil>
	// Repairs & Maintenance <nil>
	// Accounts Payable (A/P) <nil>
	// WO1004-1 2500 <nil>
}

func TestPurchaseOrderLife(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	wanted := c.order(t, "WO1004-1")
	made, err := c.client.CreatePurchaseOrder(ctx, wanted)
	require.NoError(t, err)
	require.Equal(t, quickbooks.PurchaseOrder{
		ID: made.ID, SyncToken: "0", Number: "WO1004-1", VendorID: "50", Note: "work-order/4 order", Total: 13602,
	}, made)
	require.Equal(t, []sandbox.Order{{
		ID: made.ID, Number: "WO1004-1", Vendor: "Pacific Plumbing", Status: "Open", Total: "136.02", Note: "work-order/4 order",
		Lines: []string{"3 x Tap cartridge = 37.02", "1 x Visit = 99.00"},
	}}, c.stand.Orders())

	again, err := c.client.CreatePurchaseOrder(ctx, wanted)
	require.NoError(t, err)
	require.Equal(t, made, again, "the same requestid")
	require.Len(t, c.stand.Orders(), 1)
	wanted.RequestID = quickbooks.RequestID("work-order/4", "another")
	_, err = c.client.CreatePurchaseOrder(ctx, wanted)
	require.Equal(t, "6140", kind(t, partner.Conflict, err).Code)

	found, ok, err := c.client.FindPurchaseOrder(ctx, "WO1004-1", "work-order/4 order")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, made, found)
	_, ok, err = c.client.FindPurchaseOrder(ctx, "WO1004-1", "another's")
	require.NoError(t, err)
	require.False(t, ok)

	require.NoError(t, c.client.ClosePurchaseOrder(ctx, made.ID))
	require.NoError(t, c.client.ClosePurchaseOrder(ctx, made.ID))
	read, err := c.client.PurchaseOrder(ctx, made.ID)
	require.NoError(t, err)
	require.True(t, read.Closed)
	require.Equal(t, "1", read.SyncToken)
	require.Equal(t, made.Total, read.Total, "a sparse change leaves the rest alone")

	require.NoError(t, c.client.DeletePurchaseOrder(ctx, made.ID))
	require.NoError(t, c.client.DeletePurchaseOrder(ctx, made.ID), "gone already")
	require.NoError(t, c.client.ClosePurchaseOrder(ctx, made.ID))
	_, err = c.client.PurchaseOrder(ctx, made.ID)
	require.Equal(t, "610", kind(t, partner.NotFound, err).Code)
	require.Empty(t, c.stand.Orders())
	require.Zero(t, c.stand.Duplicates())
}

func TestAStaleOrderIsReadAgainOnce(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	made, err := c.client.CreatePurchaseOrder(ctx, c.order(t, "WO1"))
	require.NoError(t, err)
	var deletes atomic.Int32
	meddle := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("operation") == "delete" && deletes.Add(1) == 1 {
			// Somebody has changed it between the read and the delete.
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, `{"Fault":{"Error":[{"Message":"Stale Object Error","Detail":"","code":"5010","element":""}],"type":"ValidationFault"}}`)
			return true
		}
		return false
	}
	c.before.Store(&meddle)
	require.NoError(t, c.client.DeletePurchaseOrder(ctx, made.ID))
	require.EqualValues(t, 2, deletes.Load())
	require.Empty(t, c.stand.Orders())
}

func TestVendorsAreFoundByTheirExactName(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	for i, name := range []string{`Pat's \ "Plumbing" & Sons`, "Zoë: Heating\nLtd", strings.Repeat("x", 130)} {
		_, ok, err := c.client.FindVendor(ctx, name)
		require.NoError(t, err)
		require.False(t, ok, name)
		made, err := c.client.CreateVendor(ctx, quickbooks.NewVendor{
			RequestID: quickbooks.RequestID("v", fmt.Sprint(i)), Name: name, Email: "v@example.com", Phone: "+12135550111",
		})
		require.NoError(t, err)
		found, ok, err := c.client.FindVendor(ctx, name)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, made, found)
		require.Equal(t, quickbooks.VendorName(name), found.Name)
	}
	_, err := c.client.CreateVendor(ctx, quickbooks.NewVendor{RequestID: "another", Name: "PACIFIC PLUMBING", Email: "v@example.com"})
	e := kind(t, partner.Conflict, err)
	require.Equal(t, "6240", e.Code)
	require.NotContains(t, e.Error(), "PACIFIC")
}

func TestAFaultInsideA200(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{FaultStatus: http.StatusOK}), t.Context()
	order := c.order(t, "WO1")
	order.VendorID = "999"
	_, err := c.client.CreatePurchaseOrder(ctx, order)
	e := kind(t, partner.Invalid, err)
	require.Equal(t, http.StatusOK, e.Status)
	require.True(t, e.Refuses("VendorRef"))
	_, err = c.client.PurchaseOrder(ctx, "999")
	kind(t, partner.NotFound, err)
	_, err = c.client.CreateVendor(ctx, quickbooks.NewVendor{RequestID: "v", Name: "Pacific Plumbing"})
	kind(t, partner.Conflict, err)
}

func TestAThrottledRealmWaitsAMinute(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{PerMinute: 2}), t.Context()
	var err error
	for range 3 {
		_, _, err = c.client.FindVendor(ctx, "x")
	}
	require.Equal(t, time.Minute, kind(t, partner.RateLimited, err).RetryAfter)
}

func TestNoMoreThanTenAtOnce(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	var now, most atomic.Int32
	full, release := make(chan struct{}, 100), make(chan struct{})
	slow := func(http.ResponseWriter, *http.Request) bool {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		full <- struct{}{}
		<-release
		return false
	}
	_, err := c.tokens.Token(ctx)
	require.NoError(t, err)
	c.before.Store(&slow)
	var wg sync.WaitGroup
	for range 25 {
		wg.Go(func() {
			_, _, err := c.client.FindVendor(ctx, "x")
			require.NoError(t, err)
		})
	}
	for range 10 {
		<-full
	}
	hurried, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, _, err = c.client.FindVendor(hurried, "x")
	kind(t, partner.Unavailable, err)
	close(release)
	wg.Wait()
	require.EqualValues(t, 10, most.Load())
}

func TestNonsenseIsNeverSent(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	good := c.order(t, "WO1")
	sent := c.calls.Load()
	for name, spoil := range map[string]func(*quickbooks.NewPurchaseOrder){
		"no requestid":   func(o *quickbooks.NewPurchaseOrder) { o.RequestID = "" },
		"long requestid": func(o *quickbooks.NewPurchaseOrder) { o.RequestID = strings.Repeat("x", 51) },
		"no number":      func(o *quickbooks.NewPurchaseOrder) { o.Number = "" },
		"long number":    func(o *quickbooks.NewPurchaseOrder) { o.Number = strings.Repeat("1", 22) },
		"vendor":         func(o *quickbooks.NewPurchaseOrder) { o.VendorID = "1/../2" },
		"no lines":       func(o *quickbooks.NewPurchaseOrder) { o.Lines = nil },
		"quantity":       func(o *quickbooks.NewPurchaseOrder) { o.Lines = []quickbooks.Line{{Text: "x", Quantity: 0}} },
		"price": func(o *quickbooks.NewPurchaseOrder) {
			o.Lines = []quickbooks.Line{{Text: "x", Quantity: 1, UnitPrice: -1}}
		},
	} {
		order := good
		spoil(&order)
		_, err := c.client.CreatePurchaseOrder(ctx, order)
		require.Equal(t, partner.Invalid, partner.KindOf(err), name)
	}
	_, err := c.client.PurchaseOrder(ctx, "1?x=1")
	kind(t, partner.Invalid, err)
	require.Equal(t, sent, c.calls.Load())
	require.Len(t, quickbooks.RequestID(strings.Repeat("long ", 100), "step"), 50)
}
