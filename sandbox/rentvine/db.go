package rentvine

import (
	"maps"
	"slices"
	"strconv"
)

// Bounds of what is kept; the oldest go first.
const (
	maxRecords      = 20_000
	maxFiles        = 2_000
	maxTransactions = 60_000
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
	// order are the ids in rising order, nil where that is to be found out anew.
	order []int
	// index is a field that never changes, by whose values the ids are kept in by; ""
	// for none.
	index string
	by    map[string][]int
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
	t.remove(id)
	t.rows[id] = r
	if len(t.rows) == 1 || len(t.order) > 0 && id > t.order[len(t.order)-1] {
		t.order = append(t.order, id)
	} else {
		t.order = nil
	}
	if t.index != "" {
		t.by[str(r[t.index])] = append(t.by[str(r[t.index])], id)
	}
	t.last = max(t.last, id)
	for len(t.rows) > t.max {
		t.remove(t.ids()[0])
	}
	return id
}

func (t *table) remove(id int) {
	if old := t.rows[id]; old != nil && t.index != "" {
		value := str(old[t.index])
		t.by[value] = slices.DeleteFunc(t.by[value], func(other int) bool { return other == id })
	}
	if len(t.order) > 0 && id == t.order[0] {
		t.order = t.order[1:]
	} else if t.rows[id] != nil {
		t.order = nil
	}
	delete(t.rows, id)
}

func (t *table) clear() {
	t.order = nil
	clear(t.rows)
	clear(t.by)
}

// indexBy keeps the ids by a field, too.
func (t *table) indexBy(field string) {
	t.index, t.by = field, map[string][]int{}
	for id, r := range t.rows {
		t.by[str(r[field])] = append(t.by[str(r[field])], id)
	}
}

// of are the ids of those whose indexed field has the value, in rising order.
func (t *table) of(value string) []int { return slices.Sorted(slices.Values(t.by[value])) }

// ids in rising order, which are the table's own.
func (t *table) ids() []int {
	if len(t.order) != len(t.rows) {
		t.order = slices.Sorted(maps.Keys(t.rows))
	}
	return t.order
}

// where are those of some ids whose field has a value that is wanted.
func (t *table) where(ids []int, field string, wanted func(string) bool) []int {
	var found []int
	for _, id := range ids {
		if wanted(str(t.rows[id][field])) {
			found = append(found, id)
		}
	}
	return found
}

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
