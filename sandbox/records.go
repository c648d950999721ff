package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aictive/keyholder/sandbox/rentvine"
	"github.com/aictive/keyholder/sandbox/samples"
)

const workOrderID = "workOrderID"

// clockID is a number, the seconds of 2026 and after, that grows from one life of
// the sandbox to the next: the product keeps its workflows, which are named after
// the work orders of earlier lives.
func clockID(now time.Time) int {
	return int(max(0, now.Sub(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))/time.Second))
}

// newRentVine is RentVine, telling of its changes by webhook as the real one does.
func (s *Sandbox) newRentVine() *rentvine.Server {
	return rentvine.New(rentvine.Config{
		AccessKey: s.cfg.RentVineKey, Secret: s.cfg.RentVineSecret, WorkOrdersAfter: clockID(time.Now()),
		LeasesAfter: clockID(time.Now()), Now: s.cfg.BusinessNow,
		OnChange: func(event string, record map[string]any, changes map[string][2]any) {
			// The guide's envelope has no place for who did it.
			delete(record, rentvine.ActorKey)
			told := map[string]any{}
			for field, c := range changes {
				told[field] = map[string]any{"old": c[0], "new": c[1]}
			}
			s.webhooks.enqueue(envelope(event, record, told))
			s.changed()
		},
	})
}

// Sent is what became of a webhook.
type Sent struct {
	// Status is what the ingress answered.
	Status int `json:"status"`
	// WorkOrderID is the record that the event is about, "" for other events.
	WorkOrderID string `json:"work_order_id,omitempty"`
	// LeaseID is the lease that an event of leases or of money is about.
	LeaseID string `json:"lease_id,omitempty"`
	// TransactionID is the charge or payment, and BillID the bill that an event is about.
	TransactionID string `json:"transaction_id,omitempty"`
	BillID        string `json:"bill_id,omitempty"`
	// PropertyID is the property that an event of OpenMoove is about, or one of RentVine of
	// properties and units; UnitID is the unit.
	PropertyID string `json:"property_id,omitempty"`
	UnitID     string `json:"unit_id,omitempty"`
	// Body is the ingress's answer: JSON, or text where it is none.
	Body any `json:"body"`
}

// Send posts a sample webhook, signed, with a fresh event id. The overrides
// replace fields of its data. An event about a work order gets a new record of
// its own in RentVine unless the overrides name one, which is then made or
// changed to match; so does an event about a lease, a charge, a payment, a bill, a property or a
// unit, but an update without a name is of the sample's. The error says that there is no such sample, that RentVine
// cannot hold the overrides, or that nobody answered.
func (s *Sandbox) Send(ctx context.Context, event string, overrides map[string]any) (Sent, error) {
	sample, err := samples.Get(event)
	if err != nil {
		return Sent{}, err
	}
	body, data, err := opened(event, sample)
	if err != nil {
		return Sent{}, err
	}
	for k, v := range overrides {
		data[k] = v
	}
	var sent Sent
	if strings.HasPrefix(event, "lease.") {
		if sent.LeaseID, err = s.registerLease(body, data, overrides); err != nil {
			return Sent{}, err
		}
	}
	if aboutMoney(event) {
		if err = s.registerMoney(event, body, data, overrides, &sent); err != nil {
			return Sent{}, err
		}
	}
	if aboutPlace(event) {
		if err = s.registerPlace(event, body, data, overrides, &sent); err != nil {
			return Sent{}, err
		}
	}
	fresh := envelope(event, data, nil)
	if _, live := body["event"]; !live {
		body["event_id"] = fresh["event_id"]
		body["timestamp"] = fresh["timestamp"]
	}
	if strings.HasPrefix(event, "work_order.") {
		sent.WorkOrderID = s.register(data, overrides)
		if live, ok := body["event"].(map[string]any); ok {
			live["objectID"] = sent.WorkOrderID
		}
	}
	return sent.post(ctx, s.webhooks.Post, body)
}

// opened is a sample as an object, and its data.
func opened(event string, sample []byte) (body, data map[string]any, err error) {
	if body, err = decodeObject(bytes.NewReader(sample)); err != nil {
		return nil, nil, fmt.Errorf("the sample %s is not an object: %w", event, err)
	}
	data, ok := body["data"].(map[string]any)
	if !ok {
		return nil, nil, fmt.Errorf("the sample %s has no data", event)
	}
	return body, data, nil
}

// post sends the body by a partner's own way and completes what became of it.
func (sent Sent) post(ctx context.Context, post func(context.Context, []byte) (int, []byte, error), body map[string]any) (Sent, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return Sent{}, err
	}
	status, answer, err := post(ctx, raw)
	if err != nil {
		return Sent{}, fmt.Errorf("the ingress did not answer: %w", err)
	}
	sent.Status = status
	if err := json.Unmarshal(answer, &sent.Body); err != nil {
		sent.Body = string(answer)
	}
	return sent, nil
}

// register makes the work order that an event is about exist, and lets the
// event name it.
func (s *Sandbox) register(data, overrides map[string]any) string {
	delete(data, workOrderID)
	for _, spelling := range []string{workOrderID, "work_order_id", "id"} {
		if id, given := overrides[spelling]; given {
			data[workOrderID] = id
			break
		}
	}
	if _, given := overrides["workOrderNumber"]; !given {
		delete(data, "workOrderNumber")
	}
	id := s.rentvine.PutWorkOrder(data)
	data[workOrderID] = id
	if record, ok := s.rentvine.WorkOrder(id); ok {
		data["workOrderNumber"] = record["workOrderNumber"]
	}
	s.changed()
	return id
}

func (s *Sandbox) postSend(w http.ResponseWriter, r *http.Request) {
	overrides, err := decodeObject(http.MaxBytesReader(w, r.Body, maxControl))
	if err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	event := r.PathValue("event")
	if _, err := samples.Get(event); err != nil {
		refused(w, http.StatusNotFound, err)
		return
	}
	sent, err := s.Send(r.Context(), event, overrides)
	if err != nil {
		status := http.StatusBadGateway
		if errors.Is(err, errFields) {
			status = http.StatusBadRequest
		}
		refused(w, status, err)
		return
	}
	respond(w, http.StatusOK, sent)
}

// postWorkOrder makes or changes a record without telling anybody.
func (s *Sandbox) postWorkOrder(w http.ResponseWriter, r *http.Request) {
	fields, err := decodeObject(http.MaxBytesReader(w, r.Body, maxControl))
	if err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	id := s.rentvine.PutWorkOrder(fields)
	s.changed()
	respond(w, http.StatusOK, map[string]string{"work_order_id": id})
}

// putStatus is a person changing a status in RentVine's own pages. RentVine
// tells of it by webhook, as of every change.
func (s *Sandbox) putStatus(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Status string `json:"status"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	id := r.PathValue("id")
	if !s.rentvine.SetWorkOrderStatus(id, in.Status) {
		refused(w, http.StatusNotFound, fmt.Errorf("no such work order, or no such status; there are %s",
			strings.Join(s.rentvine.StatusNames(), ", ")))
		return
	}
	respond(w, http.StatusOK, map[string]string{"work_order_id": id, "status": in.Status})
}

// putMoveOut is a person recording in RentVine's own pages that the tenants of a
// lease moved out, today where no date is given. RentVine tells of it by webhook.
func (s *Sandbox) putMoveOut(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Date string `json:"date"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	id := r.PathValue("id")
	if !s.rentvine.EndLease(id, in.Date) {
		refused(w, http.StatusNotFound, errors.New("no such lease, or the date is not as 2026-11-22"))
		return
	}
	s.changed()
	respond(w, http.StatusOK, map[string]string{"lease_id": id})
}

// decodeObject reads a JSON object and keeps numbers as they were written; no
// body at all is an empty one.
func decodeObject(r io.Reader) (map[string]any, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	object := map[string]any{}
	if err := d.Decode(&object); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the body is not a JSON object: %w", err)
	}
	if object == nil {
		object = map[string]any{}
	}
	return object, nil
}
