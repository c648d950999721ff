package rentvine_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/rentvine"
)

func TestPlacesAreChangedByTheAPI(t *testing.T) {
	t.Parallel()
	var told []string
	a := open(t, rentvine.Config{OnChange: func(event string, rec map[string]any, changes map[string][2]any) {
		for field, c := range changes {
			told = append(told, fmt.Sprint(event, " ", rec["propertyID"], "/", rec["unitID"], " ", field, " ", c, " by ", rec[rentvine.ActorKey]))
		}
	}})
	require.Contains(t, a.post("/properties/2/units/3", `{"rent":2450.5}`), `"rent":"2450.5"`, "amounts are text")
	a.post("/properties/2/units/3", `{"unit":{"isActive":false}}`)
	a.post("/properties/1", `{"isActive":false}`)
	require.Equal(t, []string{
		"unit.updated 2/3 rent [0.00 2450.5] by api", "unit.updated 2/3 isActive [1 0] by api", "property.updated 1/<nil> isActive [1 0] by api",
	}, told)
	a.post("/properties/2/units/3", `{"rent":2450.5,"unitID":"9","propertyID":"1","nonsense":1}`)
	require.Len(t, told, 3, "what is as it was, and what is not known, is not told")
	require.Contains(t, a.get("/properties/2/units/3"), `"propertyID":"2"`)
	a.refused("/properties/2/units/3", `{"rent":"a lot"}`, "rent")
	a.refused("/properties/2/units/3", `{"beds":{"n":2}}`, "beds")
	for _, path := range []string{"/properties/1/units/3", "/properties/2/units/99", "/properties/99"} {
		status, _ := a.call(http.MethodPost, path, "application/json", `{}`)
		require.Equal(t, http.StatusNotFound, status, path)
	}
}

func TestPlacesByHand(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn, OnChange: func(string, map[string]any, map[string][2]any) { t.Error("nobody is told") }})
	id, err := a.server.PutProperty(map[string]any{"address": "9 Low Road", "city": "Salem", "stateID": "OR", "latitude": nil})
	require.NoError(t, err)
	require.Equal(t, "3", id)
	p := a.get("/properties/3")
	for _, want := range []string{`"name":"9 Low Road"`, `"latitude":null`, `"portfolioID":"1"`, `"isActive":"1"`, `"dateContractBegins":"2026-11-21"`, `"dateTimeCreated":"2026-11-21 18:00:00"`} {
		require.Contains(t, p, want)
	}
	unit, err := a.server.PutUnit(map[string]any{"propertyID": "3", "rent": "1500.00"})
	require.NoError(t, err)
	require.Contains(t, a.get("/properties/3/units"), `"address":"9 Low Road"`)
	require.NoError(t, a.server.ChangeUnit(unit, map[string]any{"beds": 0, "isActive": false, "propertyID": 3}))
	require.Contains(t, a.get("/properties/3/units/"+unit), `"isActive":"0"`)
	require.Contains(t, a.get("/properties/3/units/"+unit), `"rent":"1500.00"`)
	require.NoError(t, a.server.ChangeProperty("3", map[string]any{"isActive": "0"}))
	made, err := a.server.PutProperty(map[string]any{"propertyID": 40})
	require.NoError(t, err)
	require.Equal(t, "40", made)

	before := a.get("/properties/export") + a.get("/properties/units")
	for why, fields := range map[string]map[string]any{
		"there are address":    {"street": "9 Low Road"},
		"Amount is Invalid":    {"reserveAmount": "much"},
		"there is no 99":       {"portfolioID": "99"},
		"Number is Invalid":    {"latitude": "north"},
		"Date is Invalid":      {"dateContractBegins": "soon"},
		"Value is Invalid":     {"name": []any{"x"}},
		"a number above 0":     {"propertyID": "x"},
		"not a field":          {"dateTimeCreated": "2026-01-01"},
		"not a field of a pro": {"addressValidationData": "x"},
	} {
		_, err := a.server.PutProperty(fields)
		require.ErrorContains(t, err, why)
	}
	for why, fields := range map[string]map[string]any{
		"there is no 99": {"propertyID": "99"}, "Number is Invalid": {"beds": "-1"}, "that does not change": {"unitID": "1", "propertyID": "2"},
	} {
		_, err := a.server.PutUnit(fields)
		require.ErrorContains(t, err, why)
	}
	require.ErrorIs(t, a.server.ChangeUnit("99", nil), rentvine.ErrNoUnit)
	require.ErrorIs(t, a.server.ChangeProperty("99", nil), rentvine.ErrNoProperty)
	require.Equal(t, before, a.get("/properties/export")+a.get("/properties/units"), "nothing has changed")

	snapshot, err := a.server.Snapshot()
	require.NoError(t, err)
	later := rentvine.New(rentvine.Config{})
	require.NoError(t, later.Restore(snapshot))
	_, ok := later.Property("40")
	require.True(t, ok)
	kept, err := later.PutUnit(map[string]any{"propertyID": "3"})
	require.NoError(t, err)
	require.Equal(t, "6", kept)
}

func TestProspectsAreTakenOnce(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	const pat = `{"unitID":3,"firstName":"Pat","email":"pat@example.com","phone":"+12135550100","status":"Approved"}`
	require.Contains(t, a.post("/screening/prospects", pat), `"prospectID":"1"`)
	require.JSONEq(t, `{"prospect":{"prospectID":null}}`, a.post("/screening/prospects", strings.ToUpper(pat[:1])+strings.Replace(pat[1:], "pat@", "PAT@", 1)))
	require.Contains(t, a.post("/screening/prospects", strings.Replace(pat, `"unitID":3`, `"unitID":4`, 1)), `"prospectID":"2"`)
	require.Contains(t, a.get("/screening/prospects/1"), `"status":"New"`)
	a.post("/screening/prospects/1", `{"status":"Approved"}`)
	require.Contains(t, a.get("/screening/prospects/1"), `"status":"New"`, "that is ignored")
	require.Len(t, rowsOf(t, a.get("/screening/prospects?pageSize=1")), 1)
	require.Len(t, rowsOf(t, a.get("/screening/prospects?dateTimeModifiedMin=2026-11-21+18:00:00")), 2)
	require.Empty(t, rowsOf(t, a.get("/screening/prospects?dateTimeModifiedMin=2026-11-21+18:00:01")))
	a.refused("/screening/prospects", `{"unitID":3,"phone":"(213) 555-0100"}`, "phone")
	a.refused("/screening/prospects", `{"unitID":99,"email":"a@example.com"}`, "unitID")
	a.refused("/screening/prospects", `{"unitID":3,"email":["a@example.com"]}`, "email")
	require.Zero(t, a.server.Duplicates())

	// Where there is no address, nothing stops a second one.
	for range 2 {
		a.post("/screening/prospects", `{"unitID":3,"phone":"+12135550101"}`)
	}
	require.Equal(t, 1, a.server.Duplicates())
}

func TestAPortfolioIsGenerated(t *testing.T) {
	t.Parallel()
	a, twin, other := open(t, rentvine.Config{Now: autumn}), open(t, rentvine.Config{Now: autumn}), open(t, rentvine.Config{Now: autumn})
	made, err := a.server.GeneratePortfolio(rentvine.PortfolioConfig{Properties: 200, Seed: 7})
	require.NoError(t, err)
	require.Equal(t, []any{200, 40, "3", "202"}, []any{made.Properties, made.Portfolios, made.First, made.Last})
	require.InDelta(t, 500, made.Units, 50)
	require.InDelta(t, 0.93, float64(made.Let)/float64(made.Units), 0.03)
	_, err = twin.server.GeneratePortfolio(rentvine.PortfolioConfig{Properties: 200, Seed: 7})
	require.NoError(t, err)
	_, err = other.server.GeneratePortfolio(rentvine.PortfolioConfig{Properties: 200, Seed: 8})
	require.NoError(t, err)
	for _, path := range []string{"/properties/export", "/properties/units/export", "/leases/export", "/tenants", "/leases/5/recurring-charges"} {
		path += "?pageSize=250"
		require.Equal(t, a.get(path), twin.get(path), path)
		if !strings.HasPrefix(path, "/tenants") {
			require.NotEqual(t, a.get(path), other.get(path), path)
		}
	}

	let, gone := 0, 0
	for page := 1; page <= 3; page++ {
		for _, row := range rowsOf(t, a.get(fmt.Sprintf("/leases/export?pageSize=250&page=%d", page))) {
			lease, unit := row["lease"].(map[string]any), row["unit"].(map[string]any)
			require.Equal(t, lease["propertyID"], unit["propertyID"])
			require.Len(t, lease["tenants"], 1)
			switch lease["primaryLeaseStatusID"] {
			case "2":
				let++
				require.LessOrEqual(t, lease["startDate"], "2026-11-21")
				require.GreaterOrEqual(t, lease["endDate"], "2026-11-20")
			case "3":
				gone++
				require.LessOrEqual(t, lease["moveOutDate"], "2026-11-21")
			}
		}
	}
	require.Equal(t, made.Let+4, let)
	require.Positive(t, gone)
	require.Less(t, gone, made.Units-made.Let)
	for _, row := range rowsOf(t, a.get("/properties/export?pageSize=250")) {
		p := row["property"].(map[string]any)
		require.Contains(t, []any{"OR", "CA"}, p["stateID"])
		require.NotNil(t, row["portfolio"].(map[string]any)["owners"])
	}
	require.Contains(t, a.get("/leases/5/recurring-charges"), `"isRent":"1"`)

	for _, wrong := range []int{0, -1, 7_001} {
		_, err = a.server.GeneratePortfolio(rentvine.PortfolioConfig{Properties: wrong})
		require.ErrorContains(t, err, "1 to 7000")
	}
	for {
		if _, err = a.server.GeneratePortfolio(rentvine.PortfolioConfig{Properties: 3_000}); err != nil {
			break
		}
	}
	require.ErrorContains(t, err, "there is room for")
	require.Contains(t, a.get("/properties/1"), "12 Elm Street", "nothing was pushed out")
}

// A walk over everything must stay fast at the size of a large manager.
func TestALargePortfolioIsListedQuickly(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	started := time.Now()
	_, err := a.server.GeneratePortfolio(rentvine.PortfolioConfig{Properties: 5_000, Seed: 7})
	require.NoError(t, err)
	for path, least := range map[string]int{"/properties/export": 5_000, "/properties/units/export": 12_000, "/leases/export": 11_000} {
		rows := 0
		for page := 1; ; page++ {
			body := a.get(fmt.Sprintf("%s?pageSize=100&page=%d", path, page))
			if body == "[]\n" {
				break
			}
			rows += 100
		}
		require.Greater(t, rows, least, path)
	}
	const most = 30 * time.Second // in which a walk that sorts or searches at every row is not done
	require.Less(t, time.Since(started), most)
}
