package rentvine

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// blankWorkOrder holds every field of a work order (contracts/rentvine.md 2.7).
func blankWorkOrder() record {
	r := record{
		"workOrderID": "", "workOrderNumber": "", "description": "", "workOrderStatusID": "11", "primaryWorkOrderStatusID": "1",
		"priorityID": "2", "sourceTypeID": "1", "propertyID": nil, "isNew": "1",
	}
	for _, f := range []string{
		"unitID", "leaseID", "portfolioID", "vendorTradeID", "vendorContactID", "assignedToUserID", "requestedByContactID",
		"workOrderProjectID", "vendorInstructions", "closingDescription", "estimatedAmount", "scheduledStartDate",
		"scheduledEndDate", "actualStartDate", "actualEndDate", "dateClosed", "appointmentWindowStartDateTime",
		"appointmentWindowEndDateTime", "dateTimeCreated",
	} {
		r[f] = nil
	}
	for _, f := range []string{"isOwnerApproved", "isVacant", "isSharedWithTenant", "isSharedWithOwner", "isInternal"} {
		r[f] = "0"
	}
	return r
}

// detailOf is the record with schedulingStatusID beside it: a real integer or null.
func detailOf(wo record) record {
	row := record{"workOrder": maps.Clone(wo), "schedulingStatusID": nil}
	if str(wo["scheduledStartDate"]) != "" {
		row["schedulingStatusID"] = 1
	}
	return row
}

// workOrders lists newest first, 15 a page, the vendor beside each as contact.
func (s *Server) workOrders(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, q := s.tables["workOrders"], r.URL.Query()
	var ids []int
	for _, id := range slices.Backward(t.ids()) {
		wo := t.rows[id]
		match := true
		for _, f := range []string{"propertyID", "unitID", "workOrderStatusID", "leaseID", "isNew"} {
			match = match && (!q.Has(f) || q.Get(f) == str(wo[f]))
		}
		day, _, _ := strings.Cut(str(wo["dateTimeCreated"]), " ")
		match = match && (!q.Has("startDate") || day >= q.Get("startDate")) && (!q.Has("endDate") || day <= q.Get("endDate"))
		if match {
			ids = append(ids, id)
		}
	}
	rows := []record{}
	for _, id := range s.page(r, 15, ids) {
		wo := t.rows[id]
		row := record{"workOrder": maps.Clone(wo), "contact": nil}
		if v := s.tables["vendors"].get(str(wo["vendorContactID"])); v != nil {
			row["contact"] = maps.Clone(v)
		}
		rows = append(rows, row)
	}
	reply(w, rows)
}

func (s *Server) workOrder(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wo := s.tables["workOrders"].get(r.PathValue("id"))
	if wo == nil {
		s.unknown(w)
		return
	}
	reply(w, detailOf(wo))
}

// createWorkOrder takes a bare body; description, property and priority are enough,
// as seen live.
func (s *Server) createWorkOrder(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	problems := s.problemsOf(body)
	for _, f := range []string{"description", "propertyID", "priorityID"} {
		if str(body[f]) == "" {
			problems[f] = []string{"Value is Required"}
		}
	}
	if len(problems) > 0 {
		s.mu.Unlock()
		refuse(w, problems)
		return
	}
	wo := blankWorkOrder()
	wo["dateTimeCreated"] = s.now()
	s.apply(wo, body)
	s.complete(wo)
	s.tables["workOrders"].add(wo)
	s.numberOf(wo)
	s.countCreated(wo)
	s.tell(wo, body)
	out, heard := detailOf(wo), maps.Clone(wo)
	s.mu.Unlock()
	s.changed("work_order.created", ActorAPI, heard, nil)
	reply(w, out)
}

// updateWorkOrder merges a bare partial body. A wrapped one has no field that is
// known here: 200, and nothing changes (contracts/rentvine.md 4.4).
func (s *Server) updateWorkOrder(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	wo := s.tables["workOrders"].get(r.PathValue("id"))
	if wo == nil {
		s.mu.Unlock()
		s.unknown(w)
		return
	}
	if problems := s.problemsOf(body); len(problems) > 0 {
		s.mu.Unlock()
		refuse(w, problems)
		return
	}
	before := maps.Clone(wo)
	if s.apply(wo, body) {
		s.tell(wo, body)
	}
	changes := difference(before, wo)
	out, heard := detailOf(wo), maps.Clone(wo)
	s.mu.Unlock()
	if len(changes) > 0 {
		s.changed("work_order.updated", ActorAPI, heard, changes)
	}
	reply(w, out)
}

// apply sets the writable fields and tells whether the body had any. The primary
// status follows the status; sent by itself it is ignored.
func (d *db) apply(wo, body record) bool {
	applied := false
	for f, v := range body {
		_, known := wo[f]
		switch f {
		case "workOrderID", "workOrderNumber", "primaryWorkOrderStatusID", "dateTimeCreated", "portfolioID":
			continue
		}
		if known {
			wo[f], applied = wire(v), true
		}
	}
	d.follow(wo)
	return applied
}

// follow derives what depends on the status.
func (d *db) follow(wo record) {
	if st := d.tables["statuses"].get(str(wo["workOrderStatusID"])); st != nil {
		wo["primaryWorkOrderStatusID"] = st["primaryWorkOrderStatusID"]
	}
	if str(wo["primaryWorkOrderStatusID"]) != "1" {
		wo["isNew"] = "0"
	}
}

// complete fills what follows from the property: the portfolio, and the unit where
// there is only one.
func (d *db) complete(wo record) {
	p := d.tables["properties"].get(str(wo["propertyID"]))
	if p == nil {
		return
	}
	wo["portfolioID"] = p["portfolioID"]
	if str(wo["unitID"]) == "" && !yes(p["isMultiUnit"]) {
		for _, id := range d.tables["units"].of(str(p["propertyID"])) {
			wo["unitID"] = strconv.Itoa(id)
		}
	}
}

// numberOf gives the human number, which is never the id (contracts/rentvine.md 4.17).
func (d *db) numberOf(wo record) {
	if str(wo["workOrderNumber"]) == "" {
		wo["workOrderNumber"] = strconv.Itoa(1000 + number(wo["workOrderID"]))
	}
}

func (d *db) countCreated(wo record) {
	d.countAlike(str(wo["propertyID"]), str(wo["unitID"]), str(wo["requestedByContactID"]), str(wo["description"]))
}

// tell notifies the vendor unless the body says sendVendorNotification:false.
func (s *Server) tell(wo, body record) {
	if v, said := body["sendVendorNotification"]; !said || yes(v) {
		s.notify(wo, s.now())
	}
}

// problemsOf checks the values that are there.
func (d *db) problemsOf(body record) map[string][]string {
	problems := map[string][]string{}
	for f, v := range body {
		if _, known := blankWorkOrder()[f]; known && !scalar(v) {
			problems[f] = []string{f + " is Invalid"}
		}
	}
	for field, tables := range map[string][]string{
		"propertyID": {"properties"}, "unitID": {"units"}, "leaseID": {"leases"}, "workOrderStatusID": {"statuses"},
		"vendorTradeID": {"trades"}, "vendorContactID": {"vendors"}, "requestedByContactID": {"tenants", "owners"},
	} {
		id := str(body[field])
		found := slices.ContainsFunc(tables, func(t string) bool { return d.tables[t].get(id) != nil })
		if id != "" && !found {
			problems[field] = []string{field + " is Invalid"}
		}
	}
	if p := str(body["priorityID"]); p != "" && (number(p) < 1 || number(p) > 3) {
		problems["priorityID"] = []string{"priorityID is Invalid"}
	}
	for _, f := range []string{"scheduledStartDate", "scheduledEndDate", "actualStartDate", "actualEndDate", "dateClosed"} {
		if v := str(body[f]); v != "" && !fits(time.DateOnly, v) {
			problems[f] = []string{"Date is Invalid"}
		}
	}
	for _, f := range []string{"appointmentWindowStartDateTime", "appointmentWindowEndDateTime"} {
		if v := str(body[f]); v != "" && !fits(time.DateTime, v) {
			problems[f] = []string{"Date is Invalid"}
		}
	}
	return problems
}

func fits(layout, v string) bool {
	_, err := time.Parse(layout, v)
	return err == nil
}

// difference is the fields that changed, as {old, new}.
func difference(before, after record) map[string][2]any {
	changes := map[string][2]any{}
	for f, v := range after {
		if before[f] != v {
			changes[f] = [2]any{before[f], v}
		}
	}
	return changes
}

// changed tells the listener; it must run without the lock.
func (s *Server) changed(event, actor string, rec record, changes map[string][2]any) {
	if s.cfg.OnChange == nil {
		return
	}
	rec[ActorKey] = actor
	s.cfg.OnChange(event, rec, changes)
}
