package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
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

	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
	"github.com/aictive/keyholder/sandbox/samples"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
)

// account is RentVine over HTTP with the activities that call it: real but for
// Temporal.
type account struct {
	t    *testing.T
	box  *sandbox.Server
	acts *Activities

	mu     sync.Mutex
	bodies []string
	// twist may answer in RentVine's place.
	twist func(w http.ResponseWriter, r *http.Request, body []byte) bool
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, box: sandbox.New(sandbox.Config{FileReply: sandbox.FileReplyLive})}
	server := httptest.NewServer(http.StripPrefix("/rentvine/api/manager", http.HandlerFunc(a.answer)))
	t.Cleanup(server.Close)
	client := rentvine.New(rentvine.Config{
		BaseURL: server.URL + "/rentvine/api/manager", AccessKey: sandbox.DevAccessKey, Secret: sandbox.DevSecret,
		HTTP: partner.HTTPConfig{BreakAfter: 100_000},
	})
	t.Cleanup(client.Close)
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, kept.Close()) })
	rules, err := policy.Open("", nil)
	require.NoError(t, err)
	photos := blobs.InMemory()
	t.Cleanup(func() { require.NoError(t, photos.Close()) })
	a.acts = New(Config{
		RentVine: client, Policy: rules, Store: older{kept, stillOnItsWay}, Photos: photos, Log: zap.NewNop(),
		FindProperty: func(context.Context, durable.Event) error { return nil },
	})
	return a
}

func (a *account) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	twist := a.twist
	if r.Method == http.MethodPost {
		a.bodies = append(a.bodies, string(body))
	}
	a.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	if twist == nil || !twist(w, r, body) {
		a.box.ServeHTTP(w, r)
	}
}

// posted are the bodies written since the last call.
func (a *account) posted() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.bodies
	a.bodies = nil
	return out
}

func (a *account) twisted(twist func(w http.ResponseWriter, r *http.Request, body []byte) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.twist = twist
}

func (a *account) update(in UpdateWorkOrderInput) (Written, error) {
	in.WorkOrderID = "1"
	return a.acts.updateWorkOrder(a.t.Context(), in)
}

func (a *account) record() map[string]any {
	wo, ok := a.box.WorkOrder("1")
	require.True(a.t, ok)
	return wo
}

// kindOf is the type of an error that Temporal records.
func kindOf(t *testing.T, err error) string {
	t.Helper()
	var e *temporal.ApplicationError
	require.ErrorAs(t, err, &e)
	return e.Type()
}

// What emergencies write is as it was before repairs were coordinated.
func TestAnEmergencysWishIsWrittenAsEver(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	in := UpdateWorkOrderInput{
		WorkOrderID: "1", StatusNames: []string{"Scheduled", "Assigned"}, Primary: StatusOpen, ScheduledDate: "2026-11-24", AssignedUserID: "31",
	}
	encoded, err := json.Marshal(in)
	require.NoError(t, err)
	require.JSONEq(t, `{"work_order_id":"1","status_names":["Scheduled","Assigned"],"primary":2,"scheduled_date":"2026-11-24","assigned_user_id":"31"}`, string(encoded))
	written, err := a.update(in)
	require.NoError(t, err)
	require.Equal(t, Written{Status: "Scheduled", StatusID: "12", Changed: true}, written)
	bodies := a.posted()
	require.Len(t, bodies, 1)
	require.JSONEq(t, `{"sendVendorNotification":false,"sendEmail":false,"sendReview":false,
		"workOrderStatusID":12,"assignedToUserID":31,"scheduledStartDate":"2026-11-24"}`, bodies[0])

	written, err = a.update(in)
	require.NoError(t, err)
	require.Equal(t, Written{Status: "Scheduled", StatusID: "12"}, written)
	require.Empty(t, a.posted(), "what is as wished is not written again")

	require.True(t, a.box.SetWorkOrderStatus("1", "Cancelled"))
	written, err = a.update(in)
	require.NoError(t, err)
	require.Equal(t, Written{StatusID: "16"}, written)
	require.Empty(t, a.posted(), "people's word stands")
}

func TestARepairIsWrittenAndTakenBack(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	booked := UpdateWorkOrderInput{
		StatusNames: []string{"Scheduled"}, Primary: StatusOpen, ScheduledDate: "2026-11-24", ScheduledEndDate: "2026-11-24",
		WindowStart: "2026-11-24 08:00:00", WindowEnd: "2026-11-24 12:00:00", VendorContactID: "11", ClearAssigned: true,
		EstimatedAmount: "180.50", OwnerApproved: true,
	}
	written, err := a.update(booked)
	require.NoError(t, err)
	require.Equal(t, Written{Status: "Scheduled", StatusID: "12", Changed: true}, written)
	wo := a.record()
	for field, want := range map[string]any{
		"vendorContactID": "11", "assignedToUserID": nil, "scheduledStartDate": "2026-11-24", "scheduledEndDate": "2026-11-24",
		"appointmentWindowStartDateTime": "2026-11-24 08:00:00", "appointmentWindowEndDateTime": "2026-11-24 12:00:00",
		"estimatedAmount": "180.50", "isOwnerApproved": "1", "workOrderStatusID": "12",
	} {
		require.Equal(t, want, wo[field], field)
	}
	require.Empty(t, a.box.VendorNotifications(), "RentVine itself tells no vendor")
	require.Len(t, a.posted(), 1)
	written, err = a.update(booked)
	require.NoError(t, err)
	require.False(t, written.Changed)
	require.Empty(t, a.posted())

	// The amount in another writing is the same amount.
	a.box.PutWorkOrder(map[string]any{"workOrderID": "1", "estimatedAmount": "180.5000"})
	written, err = a.update(booked)
	require.NoError(t, err)
	require.False(t, written.Changed)

	back := UpdateWorkOrderInput{
		StatusNames: []string{"In Progress"}, Primary: StatusOpen, ClearVendor: true, ClearAssigned: true, ClearSchedule: true,
	}
	written, err = a.update(back)
	require.NoError(t, err)
	require.True(t, written.Changed)
	wo = a.record()
	for _, field := range []string{
		"vendorContactID", "assignedToUserID", "scheduledStartDate", "scheduledEndDate", "appointmentWindowStartDateTime", "appointmentWindowEndDateTime",
	} {
		require.Nil(t, wo[field], field)
	}
	require.Equal(t, "180.50", strings.TrimSuffix(wo["estimatedAmount"].(string), "00"), "what is not wished stays")
	require.Equal(t, "1", wo["isOwnerApproved"])
	written, err = a.update(back)
	require.NoError(t, err)
	require.False(t, written.Changed)

	// A new assignment counts more than taking the old one back.
	written, err = a.update(UpdateWorkOrderInput{AssignedUserID: "33", ClearAssigned: true, VendorContactID: "12", ClearVendor: true})
	require.NoError(t, err)
	require.True(t, written.Changed)
	require.Equal(t, "33", a.record()["assignedToUserID"])
	require.Equal(t, "12", a.record()["vendorContactID"])
	require.Empty(t, a.box.VendorNotifications())
}

func TestACheckedRepairIsClosed(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	closing := UpdateWorkOrderInput{
		StatusNames: []string{"In Progress", "Completed"}, Primary: StatusClosed, Closes: true,
		ClosingDescription: "Washer replaced & tested:\nno drip below 5 bar", ActualStartDate: "2026-11-24", ActualEndDate: "2026-11-25",
	}
	written, err := a.update(closing)
	require.NoError(t, err)
	require.Equal(t, Written{Status: "Completed", StatusID: "15", Changed: true}, written, "a name of an open status does not count")
	wo := a.record()
	require.Equal(t, "3", wo["primaryWorkOrderStatusID"])
	require.Equal(t, "2026-11-25", wo["actualEndDate"])
	require.Len(t, a.posted(), 1)

	// The reply may have been lost: the same wish again is fulfilled.
	written, err = a.update(closing)
	require.NoError(t, err)
	require.Equal(t, Written{Status: "Completed", StatusID: "15"}, written)
	require.Empty(t, a.posted())

	require.True(t, a.box.SetWorkOrderStatus("1", "Merged"))
	written, err = a.update(closing)
	require.NoError(t, err)
	require.Equal(t, Written{StatusID: "17"}, written, "people have ended it in another way")
	require.Empty(t, a.posted())

	// Text as RentVine may keep it.
	require.True(t, a.box.SetWorkOrderStatus("1", "New"))
	_, err = a.update(closing)
	require.NoError(t, err)
	a.posted()
	a.box.PutWorkOrder(map[string]any{"workOrderID": "1", "workOrderStatusID": "13", "closingDescription": "<p>Washer replaced &amp; tested:<br>no drip below 5 bar</p>"})
	_, err = a.update(UpdateWorkOrderInput{ClosingDescription: closing.ClosingDescription})
	require.NoError(t, err)
	require.Empty(t, a.posted())
}

func TestAWishThatClosesMustSaySo(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for _, in := range []UpdateWorkOrderInput{
		{StatusNames: []string{"Completed"}, Primary: StatusClosed},
		{StatusNames: []string{"Cancelled"}, Primary: StatusCancelled},
		{StatusNames: []string{"Cancelled"}, Primary: StatusCancelled, Closes: true},
		{StatusNames: []string{"Completed"}, Primary: StatusOpen, Closes: true},
		{Closes: true},
	} {
		_, err := a.update(in)
		require.Equal(t, string(partner.Invalid), kindOf(t, err))
		require.Empty(t, a.posted())
	}
	written, err := a.update(UpdateWorkOrderInput{StatusNames: []string{"Completed"}, Primary: StatusOpen})
	require.NoError(t, err)
	require.Equal(t, "Scheduled", written.Status, "without saying so an ending name is passed over")
}

// A 200 that changes nothing is told of every field (contracts/rentvine.md 4.4).
func TestASilentNoOpIsToldOfEveryField(t *testing.T) {
	t.Parallel()
	for field, in := range map[string]UpdateWorkOrderInput{
		"workOrderStatusID":              {StatusNames: []string{"Scheduled"}},
		"scheduledStartDate":             {ScheduledDate: "2026-11-24"},
		"scheduledEndDate":               {ScheduledEndDate: "2026-11-24"},
		"appointmentWindowStartDateTime": {WindowStart: "2026-11-24 08:00:00"},
		"appointmentWindowEndDateTime":   {WindowEnd: "2026-11-24 12:00:00"},
		"assignedToUserID":               {AssignedUserID: "31"},
		"vendorContactID":                {VendorContactID: "11"},
		"actualStartDate":                {ActualStartDate: "2026-11-24"},
		"actualEndDate":                  {ActualEndDate: "2026-11-24"},
		"estimatedAmount":                {EstimatedAmount: "99.00"},
		"isOwnerApproved":                {OwnerApproved: true},
		"closingDescription":             {ClosingDescription: "Done"},
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.twisted(func(_ http.ResponseWriter, r *http.Request, body []byte) bool {
				if r.Method != http.MethodPost {
					return false
				}
				var fields map[string]any
				if json.Unmarshal(body, &fields) == nil {
					delete(fields, field)
					less, _ := json.Marshal(fields)
					r.Body = io.NopCloser(bytes.NewReader(less))
				}
				return false
			})
			_, err := a.update(in)
			require.Equal(t, "no_op", kindOf(t, err))
			a.twisted(nil)
			written, err := a.update(in)
			require.NoError(t, err)
			require.True(t, written.Changed)
		})
	}
	// Taking back what stays is one, too.
	a := newAccount(t)
	_, err := a.update(UpdateWorkOrderInput{VendorContactID: "11"})
	require.NoError(t, err)
	a.twisted(func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method == http.MethodPost {
			r.Body = io.NopCloser(strings.NewReader(`{"sendVendorNotification":false}`))
		}
		return false
	})
	_, err = a.update(UpdateWorkOrderInput{ClearVendor: true})
	require.Equal(t, "no_op", kindOf(t, err))
}

func (a *account) files() (names []string) {
	a.t.Helper()
	for _, table := range a.box.Tables() {
		if table.Name != "Files" {
			continue
		}
		for _, row := range table.Rows {
			names = append(names, row[1])
		}
	}
	return names
}

func (a *account) upload(ids ...string) []durable.Photo {
	a.t.Helper()
	var photos []durable.Photo
	for _, id := range ids {
		require.NoError(a.t, a.acts.Photos.Put(a.t.Context(), blobs.PhotoKey(id), []byte("picture "+id)))
		photos = append(photos, durable.Photo{ID: id, Field: "after"})
	}
	return photos
}

func TestDocumentsAreAttachedAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	photos := a.upload("0123456789abcdef.pdf", "0af3.pdf")
	ids, err := a.acts.attachPhotos(t.Context(), AttachPhotosInput{Ref: "x", WorkOrderID: "1", Photos: photos})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"document-after-01234567.pdf", "document-after-0af3.pdf"}, a.files())
	_, data, ok := a.box.File(ids[0])
	require.True(t, ok)
	require.Equal(t, "picture 0123456789abcdef.pdf", string(data))
}

func TestPhotosAreAttachedOnce(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	photos := a.upload("0123456789abcdef", "fedcba9876543210")
	photos[0].Field = "before"
	in := AttachPhotosInput{Ref: "work-order/1/photos", WorkOrderID: "1", Photos: photos}
	ids, err := a.acts.attachPhotos(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, ids, 2)
	require.ElementsMatch(t, []string{"photo-before-01234567.jpg", "photo-after-fedcba98.jpg"}, a.files())
	name, data, ok := a.box.File(ids[0])
	require.True(t, ok)
	require.Equal(t, "photo-before-01234567.jpg", name)
	require.Equal(t, "picture 0123456789abcdef", string(data))

	again, err := a.acts.attachPhotos(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, ids, again)
	require.Len(t, a.files(), 2)
	require.Zero(t, a.box.Duplicates())
}

// A reply that is lost leaves it unknown whether the file is there: it is looked for.
func TestAPhotoWhoseReplyWasLostIsFound(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	in := AttachPhotosInput{Ref: "ref", WorkOrderID: "1", Photos: a.upload("0123456789abcdef", "fedcba9876543210")}
	lost := 0
	a.twisted(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method == http.MethodPost && lost == 0 {
			lost++
			a.box.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		return false
	})
	_, err := a.acts.attachPhotos(t.Context(), in)
	require.Equal(t, string(partner.UnknownOutcome), kindOf(t, err))
	ids, err := a.acts.attachPhotos(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, ids, 2)
	require.Len(t, a.files(), 2)
	require.Zero(t, a.box.Duplicates())
}

func TestPhotosThatCannotBeAttachedHoldUpNoOther(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	photos := a.upload("0123456789abcdef", "fedcba9876543210")
	photos = append([]durable.Photo{{ID: "gone", Field: "after"}}, photos...)
	ids, err := a.acts.attachPhotos(t.Context(), AttachPhotosInput{Ref: "ref", WorkOrderID: "1", Photos: photos})
	require.NoError(t, err)
	require.Empty(t, ids[0])
	require.NotEmpty(t, ids[1])
	require.Len(t, a.files(), 2)

	a = newAccount(t)
	photos = a.upload("0123456789abcdef", "fedcba9876543210")
	a.twisted(func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
		refused := bytes.Contains(body, []byte("photo-after-01234567.jpg"))
		if refused {
			http.Error(w, `{"file":["Invalid"]}`, http.StatusBadRequest)
		}
		return refused
	})
	_, err = a.acts.attachPhotos(t.Context(), AttachPhotosInput{Ref: "ref", WorkOrderID: "1", Photos: photos})
	require.Equal(t, string(partner.Invalid), kindOf(t, err))
	require.Equal(t, []string{"photo-after-fedcba98.jpg"}, a.files())

	_, err = a.acts.attachPhotos(t.Context(), AttachPhotosInput{Photos: make([]durable.Photo, maxPhotos+1)})
	require.Equal(t, "invalid", kindOf(t, err))
}

func (a *account) report(ctx context.Context, id string) Report {
	a.t.Helper()
	report, err := a.acts.readReport(ctx, ReadReportInput{WorkOrderID: id})
	require.NoError(a.t, err)
	require.True(a.t, report.Found)
	return report
}

func TestAReportTellsOfMovesAndOfHowItEnded(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	report := a.report(t.Context(), "1")
	require.Equal(t, Lease{ID: "1"}, report.Lease)
	require.Len(t, report.Tenants, 1)
	require.Empty(t, report.WorkOrder.StatusName, "of an open work order it is not read")

	require.True(t, a.box.SetWorkOrderStatus("1", "Merged"))
	require.True(t, a.box.EndLease("1", "2026-10-31"))
	report = a.report(t.Context(), "1")
	require.Equal(t, Lease{ID: "1", Ended: true, MoveOut: "2026-10-31"}, report.Lease)
	require.Equal(t, "Merged", report.WorkOrder.StatusName)
	require.Equal(t, StatusCancelled, report.WorkOrder.PrimaryStatus)

	// Vacant units have no lease.
	a.box.PutWorkOrder(map[string]any{"workOrderID": "1", "leaseID": nil, "requestedByContactID": nil})
	report = a.report(t.Context(), "1")
	require.Zero(t, report.Lease)
	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	require.NotContains(t, string(encoded), `"lease"`)
}

// The day of the move is over when it is over at the property.
func TestTheDayOfAMoveIsTheProperties(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	midnight := time.Date(2026, time.November, 24, 0, 0, 0, 0, time.FixedZone("PST", -8*3600))
	for offset, ended := range map[time.Duration]bool{-time.Hour: false, time.Hour: true} {
		// A clock that stands still at the instant.
		a.acts.Clock = durable.Clock{Epoch: midnight.Add(offset), Scale: 1e-12}
		r := reading{a: a.acts, report: Report{Property: Property{ID: "1", PortfolioID: "1"}, Lease: Lease{ID: "1", MoveOut: "2026-11-23"}}}
		require.Equal(t, ended, r.movedOut(), offset)
	}
}

func TestTheSampleOfATapIsNoEmergency(t *testing.T) {
	t.Parallel()
	body, err := samples.Get("work_order.created.tap")
	require.NoError(t, err)
	var e struct {
		Data json.RawMessage `json:"data"`
	}
	require.NoError(t, json.Unmarshal(body, &e))
	order, err := rentvine.DecodeWorkOrder(e.Data)
	require.NoError(t, err)
	assessed := triage.Assess(triage.Report{Text: order.Description, Priority: triage.Priority(orderOf(order).Priority), Trade: "Plumbing"})
	require.False(t, assessed.Emergency, assessed.Reason)
	require.Equal(t, triage.TradePlumbing, assessed.Trade)
}
