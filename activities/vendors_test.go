package activities

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
	"github.com/aictive/keyholder/store"
)

// yard is what the activities about vendors need, real but for Temporal: the sandbox's
// RentVine over HTTP, the built-in policy and a SQLite store.
type yard struct {
	acts *Activities
	mu   sync.Mutex
	// paths are the calls that arrived; answer, where set, answers in RentVine's place
	// unless it returns false.
	paths  []string
	answer func(http.ResponseWriter, *http.Request) bool
}

func newYard(t *testing.T) *yard {
	t.Helper()
	y, box := &yard{}, sandbox.New(sandbox.Config{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		y.mu.Lock()
		y.paths = append(y.paths, r.URL.Path)
		answer := y.answer
		y.mu.Unlock()
		if answer == nil || !answer(w, r) {
			box.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, kept.Close()) })
	rules, err := policy.Open("", nil)
	require.NoError(t, err)
	client := rentvine.New(rentvine.Config{BaseURL: server.URL, AccessKey: sandbox.DevAccessKey, Secret: sandbox.DevSecret})
	t.Cleanup(client.Close)
	y.acts = New(Config{RentVine: client, Policy: rules, Store: kept, Log: zap.NewNop()})
	return y
}

func (y *yard) list(t *testing.T, trade string) []sourcing.Firm {
	t.Helper()
	firms, err := y.acts.listVendors(t.Context(), ListVendorsInput{Trade: trade, PortfolioID: "1", PropertyID: "1"})
	require.NoError(t, err)
	return firms
}

func contacts(firms []sourcing.Firm) []string {
	out := []string{}
	for _, f := range firms {
		out = append(out, f.ContactID)
	}
	return out
}

func TestVendorsOfATrade(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	firms := y.list(t, policy.TradePlumbing)
	require.Equal(t, []string{"11", "14", "15", "17", "16"}, contacts(firms), "a generalist too, and who is not insured last")
	require.Equal(t, sourcing.Firm{
		ContactID: "11", Name: "Pacific Plumbing", Phone: "+12135550111", Email: "contact11@example.com", Active: true,
		Trades: []string{"plumbing"}, InsuranceExpires: "2036-12-31", HasPosition: true, Latitude: 34.0522, Longitude: -118.2437,
	}, firms[0])
	require.Equal(t, []string{"12", "17", "18"}, contacts(y.list(t, policy.TradeElectrical)))
	require.Empty(t, y.list(t, policy.TradeGas))
	require.Len(t, y.list(t, ""), 8)
	once := []string{"/vendors/search", "/vendors/search", "/maintenance/vendor-trades", "/maintenance/vendor-trades"}
	require.Equal(t, once, y.paths, "RentVine was asked once, to the empty page of each list")

	y.acts.vendors.readAt = time.Now().Add(-vendorsFresh)
	y.list(t, policy.TradeGas)
	require.Len(t, y.paths, 8)

	_, err := y.acts.listVendors(t.Context(), ListVendorsInput{Trade: "roofing"})
	var final *temporal.ApplicationError
	require.ErrorAs(t, err, &final)
	require.True(t, final.NonRetryable())
	require.ErrorContains(t, err, "there are plumbing, electrical")
}

// The whole way from RentVine to a ranking.
func TestListedVendorsAreRanked(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	job := sourcing.Job{Trade: policy.TradePlumbing, Minutes: 60, HasPosition: true, Latitude: 34.0772, Longitude: -118.2603, MaxDistanceKm: 60}
	ranked, passed := sourcing.Vendors(job, y.list(t, policy.TradePlumbing), 11_000, "2026-11-24", nil, nil)
	var order []string
	for _, c := range ranked {
		order = append(order, c.ID)
	}
	require.Equal(t, []string{"contact:15", "contact:14", "contact:11", "contact:17"}, order)
	require.Equal(t, []sourcing.Passed{{ID: "contact:16", Why: "not insured on the day"}}, passed)
}

// Policy says who has which trade where RentVine does not.
func TestTradesMayBeMissing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter){
		"refused":   func(w http.ResponseWriter) { http.Error(w, `{"includes":["unknown"]}`, http.StatusBadRequest) },
		"not there": func(w http.ResponseWriter) { http.Error(w, "", http.StatusNotFound) },
		"garbled":   func(w http.ResponseWriter) { fmt.Fprint(w, `{"data":[]}`) },
		"no vendors": func(w http.ResponseWriter) {
			fmt.Fprint(w, `[{"vendorTrade":{"vendorTradeID":"1","name":"Plumbing"}}]`)
		},
		"another trade": func(w http.ResponseWriter) {
			fmt.Fprint(w, `[{"vendorTrade":{"vendorTradeID":"1","name":"Roofing"},"vendors":["11","14"]}]`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			y.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/vendor-trades") {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				answer(w)
				return true
			}
			require.Equal(t, []string{"11", "14", "15", "17", "16"}, contacts(y.list(t, policy.TradePlumbing)))
		})
	}
}

func TestVendorsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "", http.StatusServiceUnavailable)
		return true
	}
	_, err := y.acts.listVendors(t.Context(), ListVendorsInput{})
	var failed *temporal.ApplicationError
	require.ErrorAs(t, err, &failed)
	require.False(t, failed.NonRetryable())
	require.Equal(t, string(partner.Unavailable), failed.Type())
	y.mu.Lock()
	y.answer = nil
	y.mu.Unlock()
	require.Len(t, y.list(t, ""), 8, "a failure is not kept")
}

func TestMerge(t *testing.T) {
	t.Parallel()
	vendor := func(id, phone string) rentvine.Vendor {
		return rentvine.Vendor{Contact: rentvine.Contact{ID: id, Phone: phone, IsActive: true}, InsuranceExpires: "2027-01-01"}
	}
	got := merge(
		[]rentvine.Vendor{vendor("1", ""), vendor("2", ""), vendor("3", ""), vendor("4", "")},
		[]rentvine.VendorTrade{
			{Name: "Drains & Sewer", VendorIDs: []string{"1", "1", "99"}}, {Name: "Plumbing", VendorIDs: []string{"1"}},
			{Name: "Handyman", VendorIDs: []string{"1"}}, {Name: "Landscaping", VendorIDs: []string{"2", "3"}},
		},
		[]policy.Vendor{{Contact: "1", Trades: []string{"gas"}, Latitude: 34}, {Contact: "2", Trades: []string{"hvac"}}, {Contact: "98", Trades: []string{"gas"}}},
		time.Now(),
	)
	require.Equal(t, []sourcing.Firm{
		{ContactID: "1", Active: true, Trades: []string{"plumbing", "general"}, InsuranceExpires: "2027-01-01", HasPosition: true, Latitude: 34},
		{ContactID: "2", Active: true, Trades: []string{"hvac"}, InsuranceExpires: "2027-01-01"},
		{ContactID: "3", Active: true, InsuranceExpires: "2027-01-01"},
		{ContactID: "4", Active: true, InsuranceExpires: "2027-01-01"},
	}, got, "a trade that we do not know is not general work")
}

func TestInsuredUntil(t *testing.T) {
	t.Parallel()
	now, days := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC), func(n int) *int { return &n }
	for want, list := range map[string][]rentvine.Vendor{
		"": {{}, {WorkersCompInsuranceExpires: "2030-01-01"}},
		"2027-01-01": {
			{LiabilityInsuranceExpires: "2027-01-01"},
			{InsuranceExpires: "2027-01-01"},
			{LiabilityInsuranceExpires: "2028-01-01", InsuranceExpires: "2027-01-01", InsuranceDays: days(1)},
			{LiabilityInsuranceExpires: "2028-01-01", WorkersCompInsuranceExpires: "2027-01-01"},
		},
		"2026-12-03": {{InsuranceDays: days(10)}, {InsuranceDays: days(10), WorkersCompInsuranceExpires: "2027-01-01"}},
		"2026-11-18": {{InsuranceDays: days(-5)}},
	} {
		for _, v := range list {
			require.Equal(t, want, insuredUntil(v, now), v)
		}
	}
}

func TestFirmsAreBounded(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.acts.vendors.readAt = time.Now()
	for i := range 300 {
		v := rentvine.Vendor{Contact: rentvine.Contact{ID: fmt.Sprint(i + 1), IsActive: true, Phone: "call me", Email: "nowhere"}}
		if i%2 == 1 {
			v.InsuranceExpires = "2036-12-31"
		}
		y.acts.vendors.vendors = append(y.acts.vendors.vendors, v)
	}
	firms := y.list(t, "")
	require.Len(t, firms, maxFirms)
	require.Equal(t, "2", firms[0].ContactID)
	require.Equal(t, "1", firms[150].ContactID, "those with an insurance come first")
	require.Empty(t, firms[0].Phone+firms[0].Email)
}

func TestRecordedWorkMakesCards(t *testing.T) {
	t.Parallel()
	y, ctx, yes := newYard(t), context.Background(), true
	now := y.acts.Clock.Now()
	for _, w := range []WorkRecord{
		{Key: "bidding/1/11", Worker: "contact:11", WorkOrderID: "1", Trade: "plumbing", AskedAt: now.Add(-time.Hour), AnsweredAt: now.Add(-30 * time.Minute), Accepted: true},
		{Key: "bidding/1/11", Worker: "contact:11", FinishedAt: now, Estimate: 10_000, Price: 12_000, FirstTimeFixed: &yes, Rating: 5},
		{Key: "old", Worker: "maria", AskedAt: now.AddDate(0, -13, 0)},
	} {
		_, err := y.acts.recordWork(ctx, w)
		require.NoError(t, err)
	}
	cards, err := y.acts.readCards(ctx, None{})
	require.NoError(t, err)
	require.Equal(t, map[string]sourcing.Card{"contact:11": {
		Asked: 1, Answered: 1, ResponseMinutes: 30, Jobs: 1, FirstTimeFixed: 1, Priced: 1, OverPercent: 20, Rated: 1, RatingTenths: 50,
	}}, cards)

	_, err = y.acts.recordWork(ctx, WorkRecord{Key: "k", Worker: "w", Rating: 9})
	var final *temporal.ApplicationError
	require.ErrorAs(t, err, &final)
	require.True(t, final.NonRetryable(), "repeating it cannot help")
}
