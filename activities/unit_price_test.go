package activities

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// emptyHome is unit 3 of Portland's property 2 as if nobody lived there.
func emptyHome(rent policy.Cents) PriceUnitInput {
	return PriceUnitInput{
		Property: PropertyView{ID: "2", PortfolioID: "2", Found: true, Active: true, City: "Portland", State: "or", PostalCode: "97209-1234", Zone: "America/Los_Angeles"},
		Unit:     UnitView{ID: "3", Active: true, Beds: 2, BedsKnown: true, Baths: 1, Size: 850, Rent: rent},
	}
}

func (a *assessor) price(in PriceUnitInput) PriceSuggestion {
	a.t.Helper()
	out, err := a.acts.priceUnit(a.t.Context(), in)
	require.NoError(a.t, err)
	return out
}

func (a *assessor) market(rows ...store.MarketRent) {
	a.t.Helper()
	for i := range rows {
		r := &rows[i]
		r.Source, r.City, r.State, r.Beds, r.Baths = "zillow", "Portland", "OR", 2, 1
	}
	_, err := a.acts.Store.AddMarketRents(a.t.Context(), rows)
	require.NoError(a.t, err)
}

func sources(p PriceSuggestion) map[string]int {
	count := map[string]int{}
	for _, c := range p.Comparables {
		count[c.Source]++
	}
	return count
}

func TestAPriceFromLeasesAndMarketData(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	first := a.price(emptyHome(1900_00))
	require.Equal(t, map[string]int{comparables.SourceLease: 3}, sources(first), "Los Angeles is not Portland")
	require.Empty(t, first.Notes)

	a.market(
		store.MarketRent{Ref: "1", Day: "2026-11-20", ZipCode: "97209", Rent: 195000, Size: 850},
		store.MarketRent{Ref: "2", Day: "2026-11-20", ZipCode: "97209", Rent: 196000, Size: 850},
		store.MarketRent{Ref: "3", Day: "2026-11-20", ZipCode: "97209", Rent: 197000, Size: 850},
		store.MarketRent{Ref: "old", Day: "2026-01-01", ZipCode: "97209", Rent: 100000, Size: 850},
		store.MarketRent{Ref: "far", Day: "2026-11-20", ZipCode: "97299", Rent: 400000, Size: 850},
	)
	out := a.price(emptyHome(1900_00))
	require.Equal(t, map[string]int{comparables.SourceLease: 3, "market:zillow": 3}, sources(out), "what is old, or elsewhere, is left out")
	require.Contains(t, out.Reason, "6 homes compare (3 leases of our own, 3 of market data)")
	require.Greater(t, out.Confidence, first.Confidence)
	require.Zero(t, out.Rent%5_00)
	require.Empty(t, a.posted(), "nothing is written")

	listed := emptyHome(1900_00)
	listed.ListedDays = 50
	require.Less(t, a.price(listed).Rent, out.Rent)

	occupied := emptyHome(1900_00)
	occupied.Unit.LeaseID = "3"
	require.Equal(t, 2, sources(a.price(occupied))[comparables.SourceLease], "its own lease is none to compare with")
}

// Where a zip code has next to nothing, its city is compared.
func TestACityStandsInForItsZipCode(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	a.market(
		store.MarketRent{Ref: "1", Day: "2026-11-20", ZipCode: "97209", Rent: 195000},
		store.MarketRent{Ref: "2", Day: "2026-11-20", ZipCode: "97210", Rent: 196000},
		store.MarketRent{Ref: "3", Day: "2026-11-20", ZipCode: "97211", Rent: 197000},
	)
	require.Equal(t, 3, sources(a.price(emptyHome(1900_00)))["market:zillow"])
}

func TestTheYearOfConstructionCounts(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	text, err := os.ReadFile("../policy/policy.yaml")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(file, append(text, "\nproperties: {\"2\": {portfolio: {pricing: {built: 1962}}}}\n"...), 0o600))
	a.acts.Policy, err = policy.Open(file, nil)
	require.NoError(t, err)
	a.market(store.MarketRent{Ref: "1", Day: "2026-11-20", ZipCode: "97209", Rent: 200000, Size: 850, Built: 2012})
	for _, c := range a.price(emptyHome(1900_00)).Comparables {
		if c.Source == comparables.SourceLease {
			require.NotContains(t, c.Reason, "built", "it is of the same property")
			continue
		}
		require.Equal(t, policy.Cents(1700_00), c.AdjustedRent, "50 years at 0.3% each")
		require.Contains(t, c.Reason, "built 2012, not 1962")
	}
}

func TestAPriceWithoutAllThatIsAsked(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	a.answering("/recurring-charges", http.StatusNotFound)
	out := a.price(emptyHome(1900_00))
	require.Zero(t, out.Rent)
	require.Zero(t, out.Confidence)
	require.Contains(t, out.Notes, "the rent of lease 3: not_found")
	require.Contains(t, out.Reason, "nothing is suggested")

	a.answering("/leases/export", http.StatusServiceUnavailable)
	day := a.acts.Now().Add(24 * time.Hour)
	a.acts.Now = func() time.Time { return day }
	_, err := a.acts.priceUnit(t.Context(), emptyHome(1900_00))
	require.Error(t, err, "it is tried again")
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
}

func TestWriteUnitRent(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	write := func(unit string, rent policy.Cents) (WrittenRent, error) {
		return a.acts.writeUnitRent(t.Context(), WriteUnitRentInput{PropertyID: "2", UnitID: unit, Rent: rent})
	}
	for i, bodies := range []int{1, 0} {
		got, err := write("3", 2050_50)
		require.NoError(t, err)
		require.Equal(t, WrittenRent{OK: true, Rent: 2050_50}, got)
		require.Len(t, a.posted(), bodies, "try %d", i)
	}
	unit, err := a.acts.RentVine.Unit(t.Context(), "2", "3")
	require.NoError(t, err)
	require.Equal(t, "2050.50", unit.Rent)
	require.Equal(t, 2, unit.Beds, "nothing else changes")

	// A 200 that changes nothing is seen.
	a.twisted(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method != http.MethodPost {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"unit":{"unitID":"3","propertyID":"2","rent":"1.00"}}`))
		return true
	})
	got, err := write("3", 1999_00)
	require.NoError(t, err)
	require.Equal(t, WrittenRent{OK: false, Rent: 2050_50}, got)

	// A reply that is lost after the change does no harm.
	a.twisted(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method != http.MethodPost {
			return false
		}
		a.box.ServeHTTP(w, r)
		panic(http.ErrAbortHandler)
	})
	_, _ = write("3", 1995_00)
	a.twisted(nil)
	a.posted()
	got, err = write("3", 1995_00)
	require.NoError(t, err)
	require.Equal(t, WrittenRent{OK: true, Rent: 1995_00}, got)
	require.Empty(t, a.posted(), "it is there already")

	for _, c := range []struct {
		unit string
		rent policy.Cents
		kind partner.Kind
	}{{"3", 0, partner.Invalid}, {"3", -1, partner.Invalid}, {"99", 2000_00, partner.NotFound}} {
		_, err = write(c.unit, c.rent)
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		require.True(t, app.NonRetryable())
		require.Equal(t, string(c.kind), app.Type())
	}
}

func TestReadPortfolio(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	got, err := a.acts.readPortfolio(t.Context(), PlaceRef{PortfolioID: "2", PropertyID: "2"})
	require.NoError(t, err)
	require.Equal(t, a.acts.Policy.Portfolio("2", "2"), got)
	require.Equal(t, "helen", got.Manager.ID)
	got, err = a.acts.readPortfolio(t.Context(), PlaceRef{})
	require.NoError(t, err)
	require.Equal(t, "grace", got.Manager.ID)
}
