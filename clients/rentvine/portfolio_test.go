package rentvine_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/partnertest"
	"github.com/aictive/keyholder/clients/rentvine"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
)

func TestUnitsOfAProperty(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{MaxPageSize: 2}), t.Context()
	units, err := a.client.UnitsOf(ctx, "2")
	require.NoError(t, err)
	require.Len(t, units, 3, "over two pages")
	require.Equal(t, rentvine.Unit{
		ID: "4", PropertyID: "2", Address: "400 NW Alder Street", Label: "Apt 201", City: "Portland", StateID: "OR", PostalCode: "97209",
		IsActive: true, Beds: 2, BedsKnown: true, FullBaths: 1, Size: 870, Rent: "0.00",
	}, units[2])
	_, err = a.client.UnitsOf(ctx, "99")
	require.Equal(t, partner.NotFound, partner.KindOf(err))
	_, err = a.client.UnitsOf(ctx, "../leases")
	require.Equal(t, partner.Invalid, partner.KindOf(err))
}

func TestRentIsReadLeniently(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string]string{
		`"1850.00"`: "1850.00", `1850`: "1850", `1850.5`: "1850.5", `null`: "", `""`: "", `"call us"`: "", `"-5.00"`: "", `"1e3"`: "", `"$5"`: "",
	} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"unit":{"unitID":7,"propertyID":"2","rent":`+wire+`}}`)
		}))
		got, err := rentvine.New(rentvine.Config{BaseURL: api.URL}).Unit(t.Context(), "2", "7")
		api.Close()
		require.NoError(t, err, wire)
		require.Equal(t, want, got.Rent, wire)
	}
}

func TestTheRentOfAUnitIsWritten(t *testing.T) {
	t.Parallel()
	var told []string
	a, ctx := open(t, sandbox.Config{OnChange: func(event string, rec map[string]any, changes map[string][2]any) {
		require.Equal(t, [2]any{"0.00", "2450.00"}, changes["rent"])
		told = append(told, event+" "+rec["unitID"].(string)+" of "+rec["propertyID"].(string))
	}}), t.Context()
	for range 2 {
		got, err := a.client.UpdateUnitRent(ctx, "2", "3", "2450.00")
		require.NoError(t, err)
		require.Equal(t, "2450.00", got.Rent)
		require.Equal(t, "Apt 102", got.Label, "the rest stays")
	}
	require.Equal(t, []string{"unit.updated 3 of 2"}, told, "a repeat changes nothing")
	calls := a.calls()
	require.Equal(t, "/properties/2/units/3", calls[0].uri)
	require.JSONEq(t, `{"rent":"2450.00"}`, string(calls[0].body), "bare and partial")

	_, err := a.client.UpdateUnitRent(ctx, "1", "3", "2450.00")
	require.Equal(t, partner.NotFound, partner.KindOf(err), "it is a unit of another property")
	for _, rent := range []string{"", "-1.00", "2,450.00", "a lot", "1e9"} {
		_, err = a.client.UpdateUnitRent(ctx, "2", "3", rent)
		require.Equal(t, partner.Invalid, partner.KindOf(err), rent)
	}
}

// What RentVine answers to the write is not believed.
func TestARentThatIsNotKeptIsSeen(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rent := "1.00"
		if r.Method == http.MethodPost {
			rent = "2450.00"
		}
		_, _ = io.WriteString(w, `{"unit":{"unitID":"3","rent":"`+rent+`"}}`)
	}))
	t.Cleanup(api.Close)
	got, err := rentvine.New(rentvine.Config{BaseURL: api.URL}).UpdateUnitRent(t.Context(), "2", "3", "2450.00")
	require.NoError(t, err)
	require.Equal(t, "1.00", got.Rent)
}

func TestEveryPropertyWithItsOwners(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{MaxPageSize: 3}), t.Context()
	_, err := a.server.GeneratePortfolio(sandbox.PortfolioConfig{Properties: 9, Seed: 7})
	require.NoError(t, err)
	pages := map[string]int{}
	var found []rentvine.Property
	require.NoError(t, a.client.EachProperty(ctx, 1, func(page int, p rentvine.Property) bool {
		pages[p.ID] = page
		found = append(found, p)
		return true
	}))
	require.Len(t, found, 11)
	require.Equal(t, rentvine.Property{
		ID: "2", PortfolioID: "2", Name: "Alder House", Address: "400 NW Alder Street", City: "Portland", StateID: "OR", PostalCode: "97209",
		CountryID: "US", IsMultiUnit: true, IsActive: true, Latitude: 45.5263, Longitude: -122.6826, Located: true,
		ContractBegins: "2024-01-01", CreatedAt: time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC), OwnerContactIDs: []string{"22"},
	}, found[1])
	require.Equal(t, []int{1, 1, 2, 4}, []int{pages["1"], pages["3"], pages["4"], pages["11"]})
	for _, p := range found {
		require.Len(t, p.OwnerContactIDs, 1)
		require.True(t, p.Located)
	}

	var later []string
	require.NoError(t, a.client.EachProperty(ctx, 3, func(_ int, p rentvine.Property) bool {
		later = append(later, p.ID)
		return len(later) < 4
	}))
	require.Equal(t, []string{"7", "8", "9", "10"}, later, "it goes on from a page, and stops when told")

	one, err := a.client.Property(ctx, "2")
	require.NoError(t, err)
	require.Empty(t, one.OwnerContactIDs, "only the export has them")
	require.Equal(t, "2024-01-01", one.ContractBegins)
}

func TestProspects(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	a, ctx := open(t, sandbox.Config{MaxPageSize: 1, Now: func() time.Time { return now }}), t.Context()
	pat := rentvine.NewProspect{UnitID: "3", FirstName: "Pat", LastName: "Prospect", Email: "pat@example.com", Phone: "+12135550100"}
	id, err := a.client.CreateProspect(ctx, pat)
	require.NoError(t, err)
	require.NotEmpty(t, id)
	require.Equal(t, map[string]any{"unitID": 3.0, "firstName": "Pat", "lastName": "Prospect", "email": "pat@example.com", "phone": "+12135550100"}, a.lastBody(t))

	pat.Email = "Pat@example.com"
	again, err := a.client.CreateProspect(ctx, pat)
	require.NoError(t, err)
	require.Empty(t, again, "there is one of that unit and address")
	require.Zero(t, a.server.Duplicates())
	pat.UnitID = "4"
	other, err := a.client.CreateProspect(ctx, pat)
	require.NoError(t, err)
	require.NotEmpty(t, other)

	all, err := a.client.Prospects(ctx, time.Time{})
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, rentvine.Prospect{
		ID: id, UnitID: "3", Name: "Pat Prospect", FirstName: "Pat", LastName: "Prospect", Email: "pat@example.com", Phone: "+12135550100", CreatedAt: now,
	}, all[0])
	found, ok, err := a.client.FindProspect(ctx, "4", "PAT@example.com", now.Add(-time.Hour))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, other, found.ID)
	for _, nobody := range [][2]string{{"1", "pat@example.com"}, {"3", "pa@example.com"}} {
		_, ok, err = a.client.FindProspect(ctx, nobody[0], nobody[1], time.Time{})
		require.NoError(t, err)
		require.False(t, ok)
	}
	later, err := a.client.Prospects(ctx, now.Add(48*time.Hour))
	require.NoError(t, err)
	require.Empty(t, later)

	for name, wrong := range map[string]rentvine.NewProspect{
		"no unit": {Email: "a@example.com"}, "no way to answer": {UnitID: "3", FirstName: "Pat"}, "national": {UnitID: "3", Phone: "(213) 555-0100"},
	} {
		before := len(a.calls())
		_, err := a.client.CreateProspect(ctx, wrong)
		require.Equal(t, partner.Invalid, partner.KindOf(err), name)
		require.Len(t, a.calls(), before, name)
	}
	_, err = a.client.CreateProspect(ctx, rentvine.NewProspect{UnitID: "99", Email: "a@example.com"})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.ErrorContains(t, err, "unitID")
	_, _, err = a.client.FindProspect(ctx, "3", "", time.Time{})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
}

func TestAProspectsReplyIsChecked(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		`{"prospect":{"prospectID":7}}`: "7", `{"prospect":{"prospectID":null}}`: "", `{"prospectID":null}`: "", `{"prospectID":"8"}`: "8",
		`{"ok":true}`: "malformed", `[]`: "malformed",
	} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, reply) }))
		id, err := rentvine.New(rentvine.Config{BaseURL: api.URL}).CreateProspect(t.Context(), rentvine.NewProspect{UnitID: "3", Email: "a@example.com"})
		api.Close()
		if want == "malformed" {
			require.Equal(t, partner.UnknownOutcome, partner.KindOf(err), reply)
			continue
		}
		require.NoError(t, err, reply)
		require.Equal(t, want, id, reply)
	}
}

func TestOpenWorkOrders(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{MaxPageSize: 2}), t.Context()
	open := map[string]bool{"1": true}
	for n, status := range []string{"11", "12", "13", "14", "15", "16", "17", "12", "12"} {
		id := a.server.PutWorkOrder(map[string]any{"propertyID": "2", "workOrderStatusID": status, "description": "x"})
		if n < 4 || n > 6 {
			open[id] = true
		}
	}
	got := map[string]bool{}
	require.NoError(t, a.client.EachOpenWorkOrder(ctx, func(w rentvine.WorkOrder) bool {
		require.False(t, got[w.ID])
		require.False(t, w.CreatedAt.IsZero())
		got[w.ID] = true
		return true
	}))
	require.Equal(t, open, got)
	require.False(t, slices.ContainsFunc(a.calls(), func(c call) bool { return strings.Contains(c.uri, "workOrderStatusID=15") }), "those are not read")

	seen := 0
	require.NoError(t, a.client.EachOpenWorkOrder(ctx, func(rentvine.WorkOrder) bool { seen++; return seen < 2 }))
	require.Equal(t, 2, seen)
}

// RentVine was seen to ignore filters: then every list has all.
func TestOpenWorkOrdersWithoutAFilter(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/statuses") {
			_, _ = io.WriteString(w, `[{"workOrderStatus":{"workOrderStatusID":"1","primaryWorkOrderStatusID":"1"}},{"workOrderStatus":{"workOrderStatusID":"2","primaryWorkOrderStatusID":"4"}}]`)
			return
		}
		_, _ = io.WriteString(w, `[{"workOrder":{"workOrderID":5,"primaryWorkOrderStatusID":3}},{"workOrder":{"workOrderID":6,"primaryWorkOrderStatusID":1}}]`)
	}))
	t.Cleanup(api.Close)
	var got []string
	require.NoError(t, rentvine.New(rentvine.Config{BaseURL: api.URL}).EachOpenWorkOrder(t.Context(), func(w rentvine.WorkOrder) bool {
		got = append(got, w.ID)
		return true
	}))
	require.Equal(t, []string{"6"}, got)
}

func TestConformanceOfThePortfolio(t *testing.T) {
	t.Parallel()
	type client = *rentvine.Client
	partnertest.Run(t, partnertest.Suite[client]{
		New: func(base string, limits partner.HTTPConfig) client {
			return rentvine.New(rentvine.Config{BaseURL: base, AccessKey: "an-access-key", Secret: "topsecret", HTTP: limits})
		},
		Refusal: func(_ int, text string) string { return fmt.Sprintf(`{"prospect":{"email":%q}}`, text) },
		Secrets: []string{"an-access-key", "topsecret"},
		Calls: []partnertest.Call[client]{
			{
				Name: "properties", Body: `[{"property":{"propertyID":1},"portfolio":{"portfolioID":1}}]`,
				Do: func(ctx context.Context, c client) error {
					return c.EachProperty(ctx, 1, func(int, rentvine.Property) bool { return false })
				},
			},
			{
				Name: "prospects", Body: `[{"prospect":{"prospectID":1,"unitID":"3","email":"jane@example.com"}}]`,
				Do: func(ctx context.Context, c client) error {
					_, _, err := c.FindProspect(ctx, "3", "jane@example.com", time.Time{})
					return err
				},
			},
			{
				Name: "new prospect", Write: true, Body: `{"prospect":{"prospectID":1}}`,
				Do: func(ctx context.Context, c client) error {
					_, err := c.CreateProspect(ctx, rentvine.NewProspect{UnitID: "3", Email: "jane@example.com"})
					return err
				},
			},
		},
	})
}
