package rentvine_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
)

// answering is a client of a server that answers every request alike.
func answering(t *testing.T, body string) *rentvine.Client {
	t.Helper()
	return handled(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	})
}

func handled(t *testing.T, h http.HandlerFunc) *rentvine.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := rentvine.New(rentvine.Config{BaseURL: s.URL, AccessKey: "a", Secret: "b", Timeout: 5 * time.Second})
	t.Cleanup(c.Close)
	return c
}

func TestTrap9UnknownShapesFailLoudly(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"object":            `{}`,
		"data wrapper":      `{"data":[{"workOrder":{"workOrderID":"1"}}]}`,
		"results wrapper":   `{"results":[]}`,
		"null":              `null`,
		"text":              `"ok"`,
		"bare rows":         `[{"workOrderID":"1"}]`,
		"rows of lists":     `[[]]`,
		"null row":          `[null]`,
		"wrapper is a list": `[{"workOrder":[]}]`,
		"no id":             `[{"workOrder":{"description":"x"}}]`,
		"id is an object":   `[{"workOrder":{"workOrderID":{"x":1}}}]`,
		"id is a word":      `[{"workOrder":{"workOrderID":"abc"}}]`,
		"flag is a word":    `[{"workOrder":{"workOrderID":"1","isVacant":"maybe"}}]`,
		"date is a word":    `[{"workOrder":{"workOrderID":"1","dateClosed":"soon"}}]`,
		"status is a float": `[{"workOrder":{"workOrderID":"1","primaryWorkOrderStatusID":1.5}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := answering(t, body).WorkOrders(t.Context(), rentvine.WorkOrderFilter{})
			require.Equal(t, partner.Malformed, partner.KindOf(err), "%v", got)
		})
	}
	_, err := answering(t, `{"vendor":{}}`).Tenant(t.Context(), "1")
	require.Equal(t, partner.Malformed, partner.KindOf(err))
	_, err = answering(t, `[{"lease":{"leaseID":1,"tenants":["Ann Roe"]}}]`).LeaseWithTenants(t.Context(), "1")
	require.Equal(t, partner.Malformed, partner.KindOf(err))
	require.NotContains(t, err.Error(), "Ann")
	_, err = answering(t, `{}`).UpdateWorkOrder(t.Context(), "1", rentvine.WorkOrderUpdate{})
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err), "a write that was answered 200 may have been done")
	_, err = answering(t, `{"upload":{"fileID":"1"}}`).UploadFile(t.Context(), rentvine.ObjectWorkOrder, "1", "a", "text/plain", nil)
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err))
	empty, err := answering(t, ` [] `).WorkOrders(t.Context(), rentvine.WorkOrderFilter{})
	require.NoError(t, err)
	require.Empty(t, empty)
}

func TestTrap11ValuesAreReadLeniently(t *testing.T) {
	t.Parallel()
	want := rentvine.WorkOrder{
		ID: "77", Number: "1077", PropertyID: "5", StatusID: "12", PrimaryStatus: rentvine.StatusOpen, SchedulingStatusID: 2,
		Priority: rentvine.PriorityHigh, EstimatedAmount: "275.00", IsVacant: true, ScheduledStartDate: "2026-11-21",
		AppointmentWindowStart: "2026-11-21 10:00:00", CreatedAt: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
	}
	for name, body := range map[string]string{
		"live": `{"workOrder":{"workOrderID":"77","workOrderNumber":"1077","propertyID":"5","unitID":null,"workOrderStatusID":"12",
			"primaryWorkOrderStatusID":"2","priorityID":"3","estimatedAmount":"275.00","isVacant":"1","isNew":"0","description":null,
			"scheduledStartDate":"2026-11-21","appointmentWindowStartDateTime":"2026-11-21 10:00:00","dateClosed":"0000-00-00",
			"dateTimeCreated":"2026-11-20 08:00:00"},"schedulingStatusID":2}`,
		"documented": `{"workOrder":{"workOrderID":77,"workOrderNumber":1077,"propertyID":5,"workOrderStatusID":12,"leaseID":0,
			"primaryWorkOrderStatusID":2,"priorityID":3,"estimatedAmount":275.00,"isVacant":true,"isNew":false,
			"scheduledStartDate":"11/21/2026","appointmentWindowStartDateTime":"2026-11-21T10:00:00","dateClosed":"",
			"dateTimeCreated":"2026-11-20T00:00:00-08:00"},"schedulingStatusID":"2","extra":{"a":[1]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := answering(t, body).WorkOrder(t.Context(), "77")
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestTradesAndTechniciansMayBeBare(t *testing.T) {
	t.Parallel()
	trades, err := answering(t, `[{"vendorTradeID":3,"name":"HVAC","isVisibleTenantPortal":true}]`).VendorTrades(t.Context())
	require.NoError(t, err)
	require.Equal(t, []rentvine.VendorTrade{{ID: "3", Name: "HVAC", IsVisibleTenantPortal: true}}, trades)
	people, err := answering(t, `[{"user":{"userID":31,"firstName":"Ana","lastName":"Volt","isActive":"0"}}]`).Technicians(t.Context())
	require.NoError(t, err)
	require.Equal(t, []rentvine.Technician{{ID: "31", UserID: "31", Name: "Ana Volt"}}, people)
	_, err = answering(t, `[{"person":{"id":1}}]`).Technicians(t.Context())
	require.Equal(t, partner.Malformed, partner.KindOf(err))
}

// A row or a page that cannot be read hides no other, and is not forgotten.
func TestWalksPassOverWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	const good, bad = `{"bill":{"billID":"%d"}}`, `{"bill":{"billID":{"x":1}}}`
	row := func(id int) string { return fmt.Sprintf(good, id) }
	for name, c := range map[string]struct {
		pages []string
		want  []string
		asked int
	}{
		"a row":            {[]string{"[" + row(1) + "," + bad + "," + row(2) + "]", "[" + row(3) + "]"}, []string{"1", "2", "3"}, 2},
		"a page of rows":   {[]string{"[" + row(1) + "]", "[" + bad + "]", "[" + row(3) + "]", "[]"}, []string{"1", "3"}, 4},
		"a page":           {[]string{"[" + row(1) + "]", `{"x":1}`, "[" + row(3) + "]", "[]"}, []string{"1", "3"}, 4},
		"the first page":   {[]string{`{"x":1}`, "[" + row(2) + "]"}, nil, 1},
		"nothing but that": {[]string{"[" + row(1) + "]", "[" + bad + "]", "{}", "[" + bad + "]", "[" + row(5) + "]"}, []string{"1"}, 4},
	} {
		asked := 0
		client := handled(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, c.pages[asked])
			asked++
		})
		var got []string
		err := client.EachBill(t.Context(), 1, func(_ int, b rentvine.Bill) bool {
			got = append(got, b.ID)
			return true
		})
		require.Equal(t, partner.Malformed, partner.KindOf(err), name)
		require.Equal(t, c.want, got, name)
		require.Equal(t, c.asked, asked, name)
	}
}

func TestPagesEndAndAreBounded(t *testing.T) {
	t.Parallel()
	asked := 0
	c := handled(t, func(w http.ResponseWriter, _ *http.Request) { // always another full page
		asked++
		_, _ = fmt.Fprintf(w, `[{"workOrder":{"workOrderID":%d}}]`, asked)
	})
	_, err := c.AllWorkOrders(t.Context(), rentvine.WorkOrderFilter{})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.Equal(t, 100, asked)

	same, err := answering(t, `[{"workOrder":{"workOrderID":1}},{"workOrder":{"workOrderID":2}}]`). // not paged at all
													AllWorkOrders(t.Context(), rentvine.WorkOrderFilter{})
	require.NoError(t, err)
	require.Len(t, same, 2)
}

func TestPropertyWithoutAUsablePosition(t *testing.T) {
	t.Parallel()
	for _, at := range []string{
		`null,"longitude":null`, `"","longitude":""`, `0,"longitude":0`, `"91","longitude":"10"`, `"NaN","longitude":"1"`, `"x","longitude":"1"`,
	} {
		p, err := answering(t, `{"property":{"propertyID":1,"latitude":`+at+`,"addressValidationData":{"isValid":false}}}`).
			Property(t.Context(), "1")
		require.NoError(t, err)
		require.False(t, p.Located, at)
		require.True(t, p.AddressDoubtful)
	}
	p, err := answering(t, `{"property":{"propertyID":1,"latitude":45.5,"longitude":-122.6}}`).Property(t.Context(), "1")
	require.NoError(t, err)
	require.True(t, p.Located)
	require.InDelta(t, -122.6, p.Longitude, 1e-9)
	require.False(t, p.AddressDoubtful)
}

func TestDecodeWorkOrderOfAWebhook(t *testing.T) {
	t.Parallel()
	got, err := rentvine.DecodeWorkOrder(json.RawMessage(
		`{"id":4711,"propertyID":1,"unitID":"1","priority":"emergency","description":"<b>Burst</b> pipe","isVacant":0,"tags":["a"]}`))
	require.NoError(t, err)
	require.Equal(t, rentvine.WorkOrder{ID: "4711", PropertyID: "1", UnitID: "1", PriorityName: "emergency", Description: "Burst pipe"}, got)
	got, err = rentvine.DecodeWorkOrder(json.RawMessage(`{"id":"5","workOrderID":"7"}`))
	require.NoError(t, err)
	require.Equal(t, "7", got.ID)
	for _, bad := range []string{``, `null`, `[]`, `{}`, `{"id":"x"}`, `{"workOrderID":"1"`, `{"workOrderID":"1","description":{}}`} {
		_, err = rentvine.DecodeWorkOrder(json.RawMessage(bad))
		require.Equal(t, partner.Malformed, partner.KindOf(err), bad)
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                             "",
		"No heat.\r\n  Since   Monday": "No heat.\nSince Monday",
		"<p>Water&nbsp;everywhere</p><p>Help &amp; soon</p>": "Water everywhere\nHelp & soon",
		"one<br>two<br/>three":                               "one\ntwo\nthree",
		"<ul><li>tap</li><li>sink</li></ul>":                 "tap\nsink",
		"a <b>burst</b> <i>pipe</i>":                         "a burst pipe",
		"<script>alert(1)</script>ok<style>p{}</style>":      "ok",
		"<!-- hidden -->seen":                                "seen",
		"heat is < 50 and <45F at night":                     "heat is < 50 and <45F at night",
		"I smell <gas> in here":                              "I smell <gas> in here",
		"<o:p>word</o:p>":                                    "word",
		"leak <kitch":                                        "leak <kitch",
		"&lt;b&gt;":                                          "<b>",
	} {
		require.Equal(t, want, rentvine.PlainText(in), in)
	}
	require.Len(t, []rune(rentvine.PlainText(strings.Repeat("ö", 20_000))), 10_000)
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	la, err := time.LoadLocation("America/Los_Angeles")
	require.NoError(t, err)
	for in, want := range map[string]time.Time{
		"2026-11-21":                time.Date(2026, 11, 21, 0, 0, 0, 0, la),
		"11/21/2026":                time.Date(2026, 11, 21, 0, 0, 0, 0, la),
		"2026-11-21 09:30:00":       time.Date(2026, 11, 21, 9, 30, 0, 0, la),
		"2026-11-21T17:30:00Z":      time.Date(2026, 11, 21, 9, 30, 0, 0, la),
		"2026-11-21T12:30:00-05:00": time.Date(2026, 11, 21, 9, 30, 0, 0, la),
		"":                          {},
		"0000-00-00 00:00:00":       {},
	} {
		got, err := rentvine.ParseTime(in, la)
		require.NoError(t, err)
		require.True(t, want.Equal(got), "%q: %v", in, got)
	}
	_, err = rentvine.ParseTime("Ann's birthday", nil)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "Ann")
}

func TestRefusalKeepsFieldPathsAndHidesPeople(t *testing.T) {
	t.Parallel()
	c := handled(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"charges[0].ledgerID":["Payer is Invalid"],"phone":["+12135550101 is not valid"],"email":"ann@example.com exists","x":{"a":1}}`)
	})
	_, err := c.Property(t.Context(), "1")
	require.EqualError(t, err, "rentvine.get_property: invalid (HTTP 400): "+
		"charges[0].ledgerID: Payer is Invalid; email: [e-mail] exists; phone: [number] is not valid; x.a")
}
