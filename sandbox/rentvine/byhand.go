package rentvine

import (
	"maps"
	"strings"
	"time"
)

// PutWorkOrder makes the record that a webhook sent by hand speaks of: it creates a
// work order or merges the fields over the one with that workOrderID (or id), and
// returns its id. Fields that RentVine does not have are dropped; nothing is
// checked, nobody is notified and no change is told.
func (s *Server) PutWorkOrder(fields map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables["workOrders"]
	id := number(fields["workOrderID"])
	if id == 0 {
		id = number(fields["id"])
	}
	wo := t.rows[id]
	if wo == nil {
		wo = blankWorkOrder()
		wo["dateTimeCreated"] = s.now()
	}
	for f, v := range fields {
		if _, known := wo[f]; known && f != "workOrderID" && scalar(v) {
			wo[f] = wire(v)
		}
	}
	if id != 0 {
		wo["workOrderID"] = id
	}
	s.follow(wo)
	s.complete(wo)
	t.add(wo)
	s.numberOf(wo)
	return str(wo["workOrderID"])
}

// WorkOrder is a copy of a record as it stands.
func (s *Server) WorkOrder(id string) (fields map[string]any, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wo := s.tables["workOrders"].get(id)
	return maps.Clone(wo), wo != nil
}

// SetWorkOrderStatus is a person changing the status in RentVine's own pages, by the
// status's name in any case. It tells the change, and is false where there is no
// such work order or status.
func (s *Server) SetWorkOrderStatus(id, statusName string) bool {
	s.mu.Lock()
	wo, status := s.tables["workOrders"].get(id), ""
	for _, st := range s.tables["statuses"].rows {
		if strings.EqualFold(str(st["name"]), statusName) {
			status = str(st["workOrderStatusID"])
		}
	}
	if wo == nil || status == "" {
		s.mu.Unlock()
		return false
	}
	before := maps.Clone(wo)
	s.apply(wo, record{"workOrderStatusID": status})
	changes, heard := difference(before, wo), maps.Clone(wo)
	s.mu.Unlock()
	if len(changes) > 0 {
		s.changed("work_order.updated", ActorOffice, heard, changes)
	}
	return true
}

// EndLease is a person recording in RentVine's own pages that the tenants moved out
// on a day (YYYY-MM-DD, "" is today): the lease is closed and its tenants are not
// active any more. It tells the change, and is false where there is no such lease,
// or no such day.
func (s *Server) EndLease(id, day string) bool {
	s.mu.Lock()
	if day == "" {
		day = s.today()
	}
	lease := s.tables["leases"].get(id)
	if lease == nil || !fits(time.DateOnly, day) {
		s.mu.Unlock()
		return false
	}
	before := told(lease)
	s.moveOut(lease, day)
	tell := s.leaseChanged(lease, before, ActorOffice)
	s.mu.Unlock()
	tell()
	return true
}

// moveOut ends a lease.
func (d *db) moveOut(lease record, day string) {
	lease["primaryLeaseStatusID"], lease["leaseStatusID"] = "3", "4"
	lease["moveOutDate"], lease["closedDate"] = day, day
	for _, t := range d.tenantsOf(lease) {
		t["isActive"] = "0"
	}
}

// LeaseIDs are those of the leases that have not ended.
func (s *Server) LeaseIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, id := range s.tables["leases"].ids() {
		if lease := s.tables["leases"].rows[id]; str(lease["primaryLeaseStatusID"]) != "3" {
			ids = append(ids, str(lease["leaseID"]))
		}
	}
	return ids
}

// StatusNames are the account's work-order statuses in order of their ids.
func (s *Server) StatusNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	t := s.tables["statuses"]
	for _, id := range t.ids() {
		names = append(names, str(t.rows[id]["name"]))
	}
	return names
}
