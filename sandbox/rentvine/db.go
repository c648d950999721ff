package rentvine

import (
	"maps"
	"slices"
	"strconv"
)

// Bounds of what is kept; the oldest go first.
const (
	maxRecords = 20_000
	maxFiles   = 2_000
)

// record is one object as it goes over the wire: ids and amounts as text, flags as
// "0" and "1" (contracts/rentvine.md 1.2).
type record = map[string]any

// table holds the records of one resource by id.
type table struct {
	// wrapper and key are the record's name and id field on the wire.
	wrapper, key string
	rows         map[int]record
	last         int
	max          int
}

func newTable(wrapper, key string, rows ...record) *table {
	t := &table{wrapper: wrapper, key: key, rows: map[int]record{}, max: maxRecords}
	for _, r := range rows {
		t.add(r)
	}
	return t
}

// add stores the record under its own id, else under the next one.
func (t *table) add(r record) int {
	id := number(r[t.key])
	if id == 0 {
		id = t.last + 1
	}
	r[t.key] = strconv.Itoa(id)
	t.rows[id] = r
	t.last = max(t.last, id)
	for len(t.rows) > t.max {
		delete(t.rows, slices.Min(slices.Collect(maps.Keys(t.rows))))
	}
	return id
}

// ids in rising order.
func (t *table) ids() []int { return slices.Sorted(maps.Keys(t.rows)) }

func (t *table) get(id string) record {
	n, err := strconv.Atoi(id)
	if err != nil {
		return nil
	}
	return t.rows[n]
}

// db is everything that the sandbox remembers.
type db struct {
	tables        map[string]*table
	content       map[int]content // of files, by their id
	notifications []VendorNotification
	created       map[string]int // work orders by what makes them the same
	duplicates    int
}

// content is an uploaded file's bytes and what it is attached to.
type content struct {
	contentType            string
	data                   []byte
	objectTypeID, objectID string
}

// VendorNotification is a message that RentVine itself would have sent to a vendor
// because a write did not say sendVendorNotification:false (contracts/rentvine.md 4.3).
type VendorNotification struct {
	WorkOrderID, VendorContactID, At string
}

// VendorNotifications lists them, oldest first.
func (s *Server) VendorNotifications() []VendorNotification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notifications)
}

// Duplicates counts the writes that repeat an earlier effect: a file of the same
// name on the same object, a work order created twice alike. Nothing stops them, as
// with RentVine (contracts/rentvine.md 4.6).
func (s *Server) Duplicates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.duplicates
}

func (d *db) notify(workOrder record, at string) {
	vendor := str(workOrder["vendorContactID"])
	if vendor == "" {
		return
	}
	if len(d.notifications) >= maxRecords {
		d.notifications = d.notifications[1:]
	}
	d.notifications = append(d.notifications, VendorNotification{
		WorkOrderID: str(workOrder["workOrderID"]), VendorContactID: vendor, At: at,
	})
}
