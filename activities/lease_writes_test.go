package activities

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
)

// lost answers a write that was carried out as if it had been lost, once.
func lost(a *account, path string) func(w http.ResponseWriter, r *http.Request, body []byte) bool {
	done := false
	return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if done || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, path) {
			return false
		}
		done = true
		a.box.ServeHTTP(discard{http.Header{}}, r)
		w.WriteHeader(http.StatusInternalServerError)
		return true
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestAnInspectionIsMadeOnce(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	_, err := a.acts.RentVine.CreateInspection(t.Context(), rentvine.NewInspection{UnitID: "1", TypeID: "1", StatusID: "1"})
	require.NoError(t, err)
	a.posted()
	in := ScheduleInspectionInput{Ref: "move-in/5@1", PropertyID: "1", UnitID: "1", TypeID: "1", StatusID: "1"}
	a.twisted(lost(a, "/maintenance/inspections"))
	_, err = a.acts.scheduleInspection(t.Context(), in)
	require.Error(t, err)
	require.JSONEq(t, `{"unitID":1,"inspectionTypeID":1,"inspectionStatusID":1}`, a.posted()[0])
	id, err := a.acts.scheduleInspection(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, a.posted(), "what got through is found")
	require.Equal(t, "2", id, "it is not the one that was there before")
	again, err := a.acts.scheduleInspection(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, id, again)

	in.Ref = "move-in/6@1"
	other, err := a.acts.scheduleInspection(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "3", other, "another move-in has its own")
	all, err := a.acts.RentVine.Inspections(t.Context(), "1")
	require.NoError(t, err)
	require.Len(t, all, 3)
}

func TestAnInspectionThatDidNotGetThroughIsMadeByTheRepeat(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	in := ScheduleInspectionInput{Ref: "move-in/5@1", PropertyID: "1", UnitID: "1", TypeID: "1", StatusID: "1"}
	a.twisted(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return r.Method == http.MethodPost
	})
	_, err := a.acts.scheduleInspection(t.Context(), in)
	require.Error(t, err)
	a.twisted(nil)
	id, err := a.acts.scheduleInspection(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "1", id)
}

func TestWithoutAnAccountsTypeThereIsNoInspectionRecord(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for _, in := range []ScheduleInspectionInput{
		{Ref: "1", PropertyID: "1", UnitID: "1", StatusID: "1"}, {Ref: "2", PropertyID: "1", UnitID: "1", TypeID: "1"},
		{Ref: "3", PropertyID: "1", TypeID: "1", StatusID: "1"},
	} {
		id, err := a.acts.scheduleInspection(t.Context(), in)
		require.NoError(t, err)
		require.Empty(t, id)
	}
	_, err := a.acts.scheduleInspection(t.Context(), ScheduleInspectionInput{Ref: "4", PropertyID: "1", UnitID: "1", TypeID: "move-in", StatusID: "1"})
	require.Equal(t, string(partner.Invalid), kindOf(t, err))
	require.Empty(t, a.posted())
}

func TestACheckIsMadeOnce(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	in := CreateCheckInput{
		Ref: "lease/1@1", LeaseID: "1", PropertyID: "1", UnitID: "1", CheckID: "smoke_alarms", Name: "Smoke alarms", Trade: "hvac", Number: 1,
	}
	a.twisted(lost(a, "/maintenance/work-orders"))
	_, err := a.acts.createCheck(t.Context(), in)
	require.Error(t, err)
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.posted()[0]), &body))
	require.Equal(t, false, body["sendVendorNotification"])
	text, ok := body["description"].(string)
	require.True(t, ok)
	require.Regexp(t, `^Smoke alarms \(recurring check, number 1\) \[KH-check-1-smoke_alarms-1-1-[a-z2-7]{16}\]$`, text)
	require.True(t, a.acts.isOwnCheck(text))
	for _, other := range []string{"Fire! " + text, text + " it burns", strings.Replace(text, "Smoke alarms", "Smoke", 1), text[:len(text)-2] + "]", "Fire [KH-check-1-smoke_alarms-1-1-]", "", "-"} {
		require.False(t, a.acts.isOwnCheck(other), other)
	}
	require.EqualValues(t, rentvine.SourceRecurring, body["sourceTypeID"])
	require.EqualValues(t, 11, body["workOrderStatusID"], "the account's own pending status")
	require.NotEmpty(t, body["vendorTradeID"])

	id, err := a.acts.createCheck(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, a.posted(), "what got through is found")
	made, err := a.acts.RentVine.WorkOrder(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "1", made.LeaseID)

	in.Number = 2
	second, err := a.acts.createCheck(t.Context(), in)
	require.NoError(t, err)
	require.NotEqual(t, id, second)
	in.Number = 11 // whose reference begins like that of the first
	eleventh, err := a.acts.createCheck(t.Context(), in)
	require.NoError(t, err)
	require.NotContains(t, []string{id, second}, eleventh)
}
