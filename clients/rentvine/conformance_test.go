package rentvine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/partnertest"
	"github.com/aictive/keyholder/clients/rentvine"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
)

// account is a client, the sandbox that it calls over HTTP, and what was sent.
type account struct {
	client *rentvine.Client
	server *sandbox.Server

	mu   sync.Mutex
	sent []call
}

type call struct {
	method, uri string
	body        []byte
}

func open(t *testing.T, cfg sandbox.Config) *account {
	t.Helper()
	a := &account{server: sandbox.New(cfg)}
	h := httptest.NewServer(http.StripPrefix("/rentvine/api/manager", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.mu.Lock()
		a.sent = append(a.sent, call{r.Method, r.URL.RequestURI(), body})
		a.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		a.server.ServeHTTP(w, r)
	})))
	t.Cleanup(h.Close)
	a.client = rentvine.New(rentvine.Config{
		BaseURL: h.URL + "/rentvine/api/manager/", AccessKey: sandbox.DevAccessKey, Secret: sandbox.DevSecret,
	})
	t.Cleanup(a.client.Close)
	return a
}

func (a *account) lastBody(t *testing.T) map[string]any {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	var body map[string]any
	require.NoError(t, json.Unmarshal(a.sent[len(a.sent)-1].body, &body))
	return body
}

func (a *account) calls() []call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]call(nil), a.sent...)
}

func emergency() rentvine.NewWorkOrder {
	return rentvine.NewWorkOrder{
		PropertyID: "2", UnitID: "3", LeaseID: "3", RequestedByContactID: "3", StatusID: "11", Priority: rentvine.PriorityHigh,
		SourceType: rentvine.SourcePhone, VendorTradeID: "1", Description: "<p>Pipe burst &amp; water everywhere</p>",
		EstimatedAmount: "275.00", IsSharedWithTenant: true,
	}
}

func TestWorkOrderLife(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{}), t.Context()
	made, err := a.client.CreateWorkOrder(ctx, emergency())
	require.NoError(t, err)
	require.Equal(t, "2", made.ID)
	require.Equal(t, "1002", made.Number)
	require.Equal(t, "2", made.PortfolioID)
	require.Equal(t, "Pipe burst & water everywhere", made.Description)
	require.Equal(t, rentvine.StatusPending, made.PrimaryStatus)
	require.True(t, made.IsSharedWithTenant)
	require.False(t, made.IsVacant)

	_, err = a.client.UpdateWorkOrder(ctx, made.ID, rentvine.WorkOrderUpdate{
		StatusID: new("12"), AssignedToUserID: new("31"), ScheduledStartDate: new("2026-11-21"),
		AppointmentWindowStart: new("2026-11-21 10:00:00"),
	})
	require.NoError(t, err)
	read, err := a.client.WorkOrder(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, rentvine.StatusOpen, read.PrimaryStatus)
	require.Equal(t, "31", read.AssignedToUserID)
	require.Equal(t, "2026-11-21", read.ScheduledStartDate)
	require.Equal(t, "2026-11-21 10:00:00", read.AppointmentWindowStart)
	require.Equal(t, 1, read.SchedulingStatusID)
	require.Equal(t, made.Description, read.Description, "a partial update leaves the rest alone")

	_, err = a.client.UpdateWorkOrder(ctx, made.ID, rentvine.WorkOrderUpdate{AssignedToUserID: new("")})
	require.NoError(t, err)
	read, err = a.client.WorkOrder(ctx, made.ID)
	require.NoError(t, err)
	require.Empty(t, read.AssignedToUserID, "an empty id clears the field")
}

func TestTrap2StatusesAreReadFromTheSingularPath(t *testing.T) {
	t.Parallel()
	statuses, err := open(t, sandbox.Config{MaxPageSize: 4}).client.WorkOrderStatuses(t.Context())
	require.NoError(t, err)
	require.Len(t, statuses, 7)
	require.Equal(t, rentvine.WorkOrderStatus{ID: "15", Name: "Completed", Primary: rentvine.StatusClosed, IsSystem: true}, statuses[4])
	require.Equal(t, rentvine.StatusCancelled, statuses[5].Primary, "trap 1: cancelled is 5")
	require.True(t, statuses[5].Primary.Ended())
}

func TestTrap3NobodyIsNotifiedUnlessAsked(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{}), t.Context()
	order := emergency()
	order.VendorContactID = "11"
	made, err := a.client.CreateWorkOrder(ctx, order)
	require.NoError(t, err)
	for _, flag := range []string{"sendVendorNotification", "sendEmail", "sendReview"} {
		require.Equal(t, false, a.lastBody(t)[flag])
	}
	_, err = a.client.UpdateWorkOrder(ctx, made.ID, rentvine.WorkOrderUpdate{StatusID: new("12")})
	require.NoError(t, err)
	for _, flag := range []string{"sendVendorNotification", "sendEmail", "sendReview"} {
		require.Equal(t, false, a.lastBody(t)[flag])
	}
	require.Empty(t, a.server.VendorNotifications())
	_, err = a.client.UpdateWorkOrder(ctx, made.ID, rentvine.WorkOrderUpdate{Notify: rentvine.Notify{Vendor: true}})
	require.NoError(t, err)
	require.Empty(t, a.server.VendorNotifications(), "nothing changed")
	_, err = a.client.UpdateWorkOrder(ctx, made.ID, rentvine.WorkOrderUpdate{StatusID: new("13"), Notify: rentvine.Notify{Vendor: true}})
	require.NoError(t, err)
	require.Len(t, a.server.VendorNotifications(), 1)
}

func TestTrap4And5BodiesAreBareAndPosted(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Config{})
	_, err := a.client.UpdateWorkOrder(t.Context(), "1", rentvine.WorkOrderUpdate{StatusID: new("15"), ClosingDescription: new("done")})
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"workOrderStatusID": 15.0, "closingDescription": "done", "sendVendorNotification": false, "sendEmail": false, "sendReview": false,
	}, a.lastBody(t))
	require.Equal(t, http.MethodPost, a.calls()[0].method)
	read, err := a.client.WorkOrder(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, rentvine.StatusClosed, read.PrimaryStatus, "the write was applied")
}

func TestTrap8EveryPageIsRead(t *testing.T) {
	t.Parallel()
	for _, most := range []int{7, 15, 250} { // the server's own cap is not known
		a := open(t, sandbox.Config{MaxPageSize: most})
		for n := range 29 {
			a.server.PutWorkOrder(map[string]any{"propertyID": "2", "description": fmt.Sprint(n)})
		}
		all, err := a.client.AllWorkOrders(t.Context(), rentvine.WorkOrderFilter{})
		require.NoError(t, err)
		require.Len(t, all, 30, "pages of %d", most)
		some, err := a.client.AllWorkOrders(t.Context(), rentvine.WorkOrderFilter{PropertyID: "2"})
		require.NoError(t, err)
		require.Len(t, some, 29)
	}
	a := open(t, sandbox.Config{})
	page, err := a.client.WorkOrders(t.Context(), rentvine.WorkOrderFilter{
		UnitID: "1", StatusID: "11", LeaseID: "1", IsNew: new(true), StartDate: "2026-09-01", EndDate: "2026-09-30",
		Page: rentvine.Page{Number: 1, Size: 10},
	})
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, "The kitchen tap drips slowly.", page[0].Description)
}

func TestTrap10TenantsComeFromTheLeaseExport(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Config{})
	lease, err := a.client.LeaseWithTenants(t.Context(), "3")
	require.NoError(t, err)
	require.Equal(t, rentvine.Lease{
		ID: "3", PropertyID: "2", UnitID: "3", PortfolioID: "2", PrimaryStatus: rentvine.LeaseActive, StatusID: "2",
		Code: "L-3", StartDate: "2026-06-01", EndDate: "2027-05-31", MoveInDate: "2025-06-01", IncreaseEligibilityDate: "2027-06-01",
		CreatedAt: time.Date(2025, 5, 20, 17, 0, 0, 0, time.UTC), ModifiedAt: time.Date(2026, 5, 20, 17, 0, 0, 0, time.UTC),
		Balance: rentvine.Balances{UnpaidTotal: "0.00", UnpaidRent: "0.00", PastDueTotal: "0.00", PastDueRent: "0.00"},
		Address: "400 NW Alder Street", UnitLabel: "Apt 102", City: "Portland", StateID: "OR", PostalCode: "97209",
		Latitude: 45.5263, Longitude: -122.6826, Located: true,
		Tenants: []rentvine.Contact{{
			ID: "3", Type: rentvine.ContactTenant, Name: "Tess Tenant", Email: "contact3@example.com", Phone: "(503) 555-0103", IsActive: true,
		}},
	}, lease)
	require.Contains(t, a.calls()[0].uri, "leaseIDs%5B%5D=3")
	_, err = a.client.LeaseWithTenants(t.Context(), "99")
	require.Equal(t, partner.NotFound, partner.KindOf(err))
}

func TestTrap12UnknownRecordIsWhateverTheServerSays(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]partner.Kind{404: partner.NotFound, 400: partner.Invalid} {
		_, err := open(t, sandbox.Config{UnknownID: status}).client.WorkOrder(t.Context(), "999")
		require.Equal(t, want, partner.KindOf(err))
	}
}

func TestTrap14ChatIsNeverRead(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{}), t.Context()
	_, err := a.client.WorkOrder(ctx, "1")
	require.NoError(t, err)
	_, err = a.client.AllWorkOrders(ctx, rentvine.WorkOrderFilter{})
	require.NoError(t, err)
	for _, table := range a.server.Tables() {
		if table.Name == "Chat messages" {
			require.Equal(t, "0", table.Rows[0][2], "still unread")
		}
	}
}

func TestTrap17PathsTakeTheIDNotTheNumber(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Config{})
	order, err := a.client.WorkOrder(t.Context(), "1")
	require.NoError(t, err)
	require.NotEqual(t, order.ID, order.Number)
	_, err = a.client.WorkOrder(t.Context(), order.Number)
	require.Equal(t, partner.NotFound, partner.KindOf(err))
}

func TestPlacesAndPeople(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{}), t.Context()
	house, err := a.client.Property(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, rentvine.Property{
		ID: "1", PortfolioID: "1", Name: "12 Elm Street", Address: "12 Elm Street", City: "Los Angeles", StateID: "CA",
		PostalCode: "90026", CountryID: "US", IsActive: true, Latitude: 34.0772, Longitude: -118.2603, Located: true,
		ContractBegins: "2024-01-01", CreatedAt: time.Date(2024, time.January, 1, 9, 0, 0, 0, time.UTC),
	}, house)
	unit, err := a.client.Unit(ctx, "2", "4")
	require.NoError(t, err)
	require.Equal(t, "Apt 201", unit.Label)
	require.Equal(t, "2", unit.PropertyID)
	tenant, err := a.client.Tenant(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, "(213) 555-0101", tenant.Phone, "as typed")
	technicians, err := a.client.Technicians(ctx)
	require.NoError(t, err)
	require.Len(t, technicians, 4)
	require.Equal(t, rentvine.Technician{
		ID: "1", UserID: "31", Name: "Maria Fixit", Email: "technician1@example.com", Phone: "(213) 555-0131", IsActive: true,
	}, technicians[0])
	trades, err := a.client.VendorTrades(ctx)
	require.NoError(t, err)
	require.Len(t, trades, 6)
	require.Equal(t, rentvine.VendorTrade{ID: "1", Name: "Plumbing", IsVisibleTenantPortal: true}, trades[0])
	vendors, err := a.client.Vendors(ctx)
	require.NoError(t, err)
	require.Len(t, vendors, 8)
	require.Equal(t, rentvine.Vendor{
		Contact: rentvine.Contact{
			ID: "16", Type: rentvine.ContactVendor, Name: "Lapsed Pipe Works", Email: "contact16@example.com", Phone: "(213) 555-0116", IsActive: true,
		},
		LiabilityInsuranceExpires: "2026-01-31", WorkersCompInsuranceExpires: "2026-01-31", InsuranceExpires: "2026-01-31",
	}, vendors[5])
	trades, err = a.client.TradesWithVendors(ctx)
	require.NoError(t, err)
	require.Len(t, trades, 6)
	require.Equal(t, []string{"11", "14", "15", "16"}, trades[0].VendorIDs)
	require.Nil(t, trades[5].VendorIDs)
}

func TestFilesAreFoundAlthoughFiltersAreIgnored(t *testing.T) {
	t.Parallel()
	for _, form := range []sandbox.FileReply{sandbox.FileReplyDocs, sandbox.FileReplyLive} {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			a, ctx := open(t, sandbox.Config{FileReply: form, MaxPageSize: 3}), t.Context()
			for n := range 7 {
				_, err := a.client.UploadFile(ctx, rentvine.ObjectWorkOrder, fmt.Sprint(n+1), "incident.pdf", "application/pdf", []byte("%PDF"))
				require.NoError(t, err)
			}
			found, ok, err := a.client.FindFile(ctx, rentvine.ObjectWorkOrder, "7", "incident.pdf")
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, "7", found.ID)
			require.Equal(t, "9007", found.AttachmentID)
			require.Equal(t, 4, found.Size)
			for _, other := range []struct{ id, name string }{{"8", "incident.pdf"}, {"7", "other.pdf"}} {
				_, ok, err = a.client.FindFile(ctx, rentvine.ObjectWorkOrder, other.id, other.name)
				require.NoError(t, err)
				require.False(t, ok)
			}
			files, err := a.client.Files(ctx, rentvine.Page{Number: 3})
			require.NoError(t, err)
			require.Len(t, files, 1)
			require.Zero(t, a.server.Duplicates())
		})
	}
}

func TestUploadKeepsNameTypeAndBytes(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Config{FileReply: sandbox.FileReplyLive})
	data := []byte("%PDF\x00\r\n--boundary")
	got, err := a.client.UploadFile(t.Context(), rentvine.ObjectWorkOrder, "1", `in"ci dent.pdf`, "application/pdf", data)
	require.NoError(t, err)
	require.Equal(t, rentvine.File{ID: "1", Name: `in"ci dent.pdf`, Object: rentvine.ObjectWorkOrder, ObjectID: "1"}, got)
	name, kept, ok := a.server.File("1")
	require.True(t, ok)
	require.Equal(t, `in"ci dent.pdf`, name)
	require.Equal(t, data, kept)
	_, err = a.client.UploadFile(t.Context(), rentvine.ObjectWorkOrder, "1", "big", "text/plain", make([]byte, 20<<20+1))
	require.Equal(t, partner.Invalid, partner.KindOf(err))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	type client = *rentvine.Client
	partnertest.Run(t, partnertest.Suite[client]{
		New: func(base string, limits partner.HTTPConfig) client {
			return rentvine.New(rentvine.Config{BaseURL: base + "/api/manager", AccessKey: "an-access-key", Secret: "topsecret", HTTP: limits})
		},
		Refusal: func(_ int, text string) string {
			return fmt.Sprintf(`{"phone":[%q],"contact":{"email":%q}}`, text, text)
		},
		Secrets: []string{"an-access-key", "topsecret", "Pipe burst"},
		Calls: []partnertest.Call[client]{
			{
				Name: "create work order", Write: true, Body: `{"workOrder":{"workOrderID":1}}`,
				Do: func(ctx context.Context, c client) error { _, err := c.CreateWorkOrder(ctx, emergency()); return err },
			},
			{
				Name: "update work order", Write: true, Body: `{"workOrder":{"workOrderID":1}}`,
				Do: func(ctx context.Context, c client) error {
					_, err := c.UpdateWorkOrder(ctx, "1", rentvine.WorkOrderUpdate{StatusID: new("12")})
					return err
				},
			},
			{
				Name: "upload file", Write: true, Body: `{"file":{"fileID":1}}`,
				Do: func(ctx context.Context, c client) error {
					_, err := c.UploadFile(ctx, rentvine.ObjectWorkOrder, "1", "incident.pdf", "application/pdf", []byte("%PDF"))
					return err
				},
			},
			{
				Name: "work order", Body: `{"workOrder":{"workOrderID":1}}`,
				Do: func(ctx context.Context, c client) error { _, err := c.WorkOrder(ctx, "1"); return err },
			},
			{
				Name: "work orders", Body: `[{"workOrder":{"workOrderID":1}}]`,
				Do: func(ctx context.Context, c client) error {
					_, err := c.WorkOrders(ctx, rentvine.WorkOrderFilter{})
					return err
				},
			},
			{
				Name: "add recurring charge", Write: true, Body: `{"recurringCharge":{"leaseRecurringChargeID":1}}`,
				Do: func(ctx context.Context, c client) error {
					_, err := c.AddRecurringCharge(ctx, "1", rentvine.NewRecurringCharge{AccountID: "1", Amount: "1850.00", StartDate: "2027-06-01"})
					return err
				},
			},
			{
				Name: "create inspection", Write: true, Body: `{"inspection":{"inspectionID":1}}`,
				Do: func(ctx context.Context, c client) error {
					_, err := c.CreateInspection(ctx, rentvine.NewInspection{UnitID: "1", TypeID: "1", StatusID: "1"})
					return err
				},
			},
			{
				Name: "bill", Body: `{"bill":{"billID":1,"charges":[]}}`,
				Do: func(ctx context.Context, c client) error { _, err := c.Bill(ctx, "1"); return err },
			},
			{
				Name: "ledger", Body: `{"ledger":{"ledgerID":1}}`,
				Do: func(ctx context.Context, c client) error { _, err := c.Ledger(ctx, "1"); return err },
			},
			{
				Name: "transactions", Body: `[{"transaction":{"transactionID":1}}]`,
				Do: func(ctx context.Context, c client) error {
					_, _, err := c.FindTransaction(ctx, "1", rentvine.TransactionHint{})
					return err
				},
			},
			{
				Name: "leases", Body: `[{"lease":{"leaseID":1,"tenants":[]}}]`,
				Do: func(ctx context.Context, c client) error {
					return c.EachLease(ctx, time.Time{}, nil, func(rentvine.Lease) bool { return false })
				},
			},
			{
				Name: "lease with tenants", Body: `[{"lease":{"leaseID":1,"tenants":[]}}]`,
				Do: func(ctx context.Context, c client) error { _, err := c.LeaseWithTenants(ctx, "1"); return err },
			},
		},
	})
}

func TestErrorsAreClassifiedAndHoldNoPersonalData(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{}), t.Context()
	_, err := a.client.CreateWorkOrder(ctx, rentvine.NewWorkOrder{PropertyID: "99", Priority: 4, Description: "call (213) 555-0101"})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.EqualError(t, err,
		"rentvine.create_work_order: invalid (HTTP 400): priorityID: priorityID is Invalid; propertyID: propertyID is Invalid")

	h := httptest.NewServer(sandbox.New(sandbox.Config{Secret: "other"}))
	t.Cleanup(h.Close)
	stranger := rentvine.New(rentvine.Config{BaseURL: h.URL, AccessKey: sandbox.DevAccessKey, Secret: "wrong"})
	t.Cleanup(stranger.Close)
	_, err = stranger.Property(ctx, "1")
	require.Equal(t, partner.Unauthorised, partner.KindOf(err))
}

func TestIDsThatAreNotDecimalAreNeverSent(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{}), t.Context()
	for _, id := range []string{"", "0", "-1", "../vendors/11", "1?x=1", "1 ", "abc", strings.Repeat("9", 20)} {
		_, err := a.client.WorkOrder(ctx, id)
		require.Equal(t, partner.Invalid, partner.KindOf(err), id)
		_, err = a.client.UpdateWorkOrder(ctx, id, rentvine.WorkOrderUpdate{})
		require.Equal(t, partner.Invalid, partner.KindOf(err), id)
		_, err = a.client.Unit(ctx, "1", id)
		require.Equal(t, partner.Invalid, partner.KindOf(err), id)
		_, _, err = a.client.FindFile(ctx, rentvine.ObjectWorkOrder, id, "x")
		require.Equal(t, partner.Invalid, partner.KindOf(err), id)
		if id != "" {
			_, err = a.client.UpdateWorkOrder(ctx, "1", rentvine.WorkOrderUpdate{VendorContactID: &id})
			require.Equal(t, partner.Invalid, partner.KindOf(err), id)
			_, err = a.client.WorkOrders(ctx, rentvine.WorkOrderFilter{PropertyID: id})
			require.Equal(t, partner.Invalid, partner.KindOf(err), id)
		}
	}
	require.Empty(t, a.calls())
}
