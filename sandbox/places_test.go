package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/sandbox/rentvine"
)

const rvAPI = "/rentvine/api/manager"

func TestNewPlacesAreSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	var sent sandbox.Sent
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/property.created", `{"address":"9 Low Road","spare":"x"}`, &sent))
	require.Equal(t, "3", sent.PropertyID)
	e := r.webhook()
	require.Equal(t, "property.created", e.body["event_type"])
	require.NotEqual(t, "sample-property-created", e.body["event_id"])
	require.NotContains(t, e.body, "changes")
	data := e.body["data"].(map[string]any)
	require.Equal(t, []any{"3", "9 Low Road", "1", "x"}, []any{data["propertyID"], data["address"], data["isActive"], data["spare"]})
	require.NotContains(t, data, "addressValidationData")
	require.Contains(t, r.body(rvAPI+"/properties/3"), `"address":"9 Low Road"`)
	require.Equal(t, "[]\n", r.body(rvAPI+"/properties/3/units"))

	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/unit.created", `{"propertyID":"3","rent":"1500.00"}`, &sent))
	require.Equal(t, []string{"3", "5"}, []string{sent.PropertyID, sent.UnitID})
	data = r.webhook().body["data"].(map[string]any)
	require.Equal(t, []any{"3", "5", "1500.00"}, []any{data["propertyID"], data["unitID"], data["rent"]})
	require.Contains(t, r.body(rvAPI+"/properties/3/units"), `"rent":"1500.00"`)

	for _, wrong := range []string{`{"propertyID":"99"}`, `{"rent":"a lot"}`} {
		require.Equal(t, http.StatusBadRequest, r.call(http.MethodPost, "/_send/rentvine/unit.created", wrong, nil), wrong)
	}
}

func TestAnEventTellsOfAPlaceAsItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	var sent sandbox.Sent
	change := func(was, is any) any { return map[string]any{"old": was, "new": is} }
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/unit.updated", "", &sent))
	require.Equal(t, []string{"1", "1"}, []string{sent.PropertyID, sent.UnitID}, "the sample's")
	require.Equal(t, map[string]any{"rent": change("0.00", "2595.00"), "rental_rate": change("2450.00", "2595.00")}, r.webhook().body["changes"])
	require.Contains(t, r.body(rvAPI+"/properties/1/units/1"), `"rent":"2595.00"`)

	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/unit.updated", `{"unitID":"3","rent":"1700.00"}`, &sent))
	require.Equal(t, []string{"2", "3"}, []string{sent.PropertyID, sent.UnitID})
	e := r.webhook()
	require.Equal(t, map[string]any{"rent": change("0.00", "1700.00")}, e.body["changes"])
	require.Equal(t, "Apt 102", e.body["data"].(map[string]any)["address2"], "not the sample's")

	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/property.updated", `{"property_id":2,"vacancy_rate":"0.33","isActive":false}`, &sent))
	require.Equal(t, "2", sent.PropertyID)
	e = r.webhook()
	require.Equal(t, map[string]any{"vacancy_rate": change("0.00", "0.33"), "isActive": change("1", "0")}, e.body["changes"])
	data := e.body["data"].(map[string]any)
	require.Equal(t, []any{"Alder House", "0.33"}, []any{data["name"], data["vacancy_rate"]})
	require.NotContains(t, data, "property_id")
	require.NotContains(t, r.body(rvAPI+"/properties/2"), "vacancy_rate", "RentVine has no such field")
}

func TestPlacesOfAPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	const records = "/_records/rentvine"
	var made map[string]string
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, records+"/properties", `{"address":"9 Low Road"}`, &made))
	require.Equal(t, "3", made["property_id"])
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, records+"/units", `{"propertyID":3,"beds":1}`, &made))
	require.Equal(t, "5", made["unit_id"])
	require.Equal(t, http.StatusOK, r.call(http.MethodPut, records+"/units/5", `{"rent":"1500.00","isActive":false}`, nil))
	require.Equal(t, http.StatusOK, r.call(http.MethodPut, records+"/properties/3", `{"latitude":""}`, nil))
	require.Contains(t, r.body(rvAPI+"/properties/3/units/5"), `"isActive":"0"`)
	require.Contains(t, r.body(rvAPI+"/properties/3"), `"latitude":null`)
	require.Empty(t, r.webhooks, "nobody is told")
	for _, wrong := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodPost, records + "/units", `{"propertyID":"99"}`, http.StatusBadRequest},
		{http.MethodPost, records + "/properties", `[]`, http.StatusBadRequest},
		{http.MethodPut, records + "/units/5", `{"bed":1}`, http.StatusBadRequest},
		{http.MethodPut, records + "/units/99", `{}`, http.StatusNotFound},
		{http.MethodPut, records + "/properties/99", `{}`, http.StatusNotFound},
		{http.MethodPost, "/_generate/portfolio", `{"properties":0}`, http.StatusBadRequest},
		{http.MethodPost, "/_generate/portfolio", `{"count":5}`, http.StatusBadRequest},
	} {
		require.Equal(t, wrong.status, r.call(wrong.method, wrong.path, wrong.body, nil), wrong)
	}

	// A write by the API is told.
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, rvAPI+"/properties/3/units/5", `{"rent":"1600.00"}`, nil))
	e := r.webhook()
	require.Equal(t, "unit.updated", e.body["event_type"])
	require.Equal(t, "3", e.body["data"].(map[string]any)["propertyID"])
	require.Equal(t, map[string]any{"rent": map[string]any{"old": "1500.00", "new": "1600.00"}}, e.body["changes"])

	var generated rentvine.Generated
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_generate/portfolio", `{"properties":20,"seed":7}`, &generated))
	require.Equal(t, []any{20, 4, "4", "23"}, []any{generated.Properties, generated.Portfolios, generated.First, generated.Last})
	require.Empty(t, r.webhooks)
	for _, shown := range []string{"Prospects", "1600.00", "9 Low Road"} {
		require.Contains(t, r.body("/"), shown)
	}
}
