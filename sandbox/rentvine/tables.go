package rentvine

import (
	"slices"
	"strconv"
	"strings"
)

// maxShown is how many rows of a table the page shows.
const maxShown = 200

// Table is records as a person reads them, newest first.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]string
}

// Tables is what the sandbox's page shows of RentVine.
func (s *Server) Tables() []Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []Table{
		s.show("Work orders", "workOrders", "id=workOrderID", "number=workOrderNumber", "status=workOrderStatusID", "priority=priorityID",
			"property=propertyID", "unit=unitID", "lease=leaseID", "vendor=vendorContactID", "assigned=assignedToUserID",
			"scheduled=scheduledStartDate", "description=description", "closing=closingDescription"),
		s.showFiles(),
		s.showNotifications(),
		s.show("Chat messages", "chat", "id=chatMessageID", "object=objectID", "read=isRead", "message=message"),
		s.show("Properties", "properties", "id=propertyID", "name=name", "address=address", "city=city", "portfolio=portfolioID", "active=isActive"),
		s.show("Units", "units", "id=unitID", "property=propertyID", "address=address", "label=address2",
			"rent=rent", "beds=beds", "active=isActive"),
		s.show("Leases", "leases", "id=leaseID", "status=leaseStatusID", "property=propertyID", "unit=unitID", "move-in=moveInDate",
			"start=startDate", "end=endDate", "notice=noticeDate", "expected out=expectedMoveOutDate", "moved out=moveOutDate",
			"month to month=isMonthToMonth", "changed=dateTimeModified"),
		s.show("Recurring charges", "charges", "id=leaseRecurringChargeID", "lease=leaseID", "description=description", "amount=amount",
			"start=startDate", "end=endDate"),
		s.show("Transactions", "transactions", "id=transactionID", "lease=leaseID", "type=type", "amount=amount", "posted=datePosted",
			"account=accountID", "description=description", "voided=isVoided"),
		s.show("Bills", "bills", "id=billID", "payee=payeeContactID", "dated=billDate", "due=dateDue", "reference=reference",
			"work order=workOrderID", "voided=isVoided"),
		s.show("Inspections", "inspections", "id=inspectionID", "property=propertyID", "unit=unitID", "type=inspectionTypeID",
			"status=inspectionStatusID", "created=dateTimeCreated"),
		s.show("Prospects", "prospects", "id=prospectID", "unit=unitID", "first name=firstName", "last name=lastName", "phone=phone",
			"email=email", "created=dateTimeCreated"),
		s.show("Tenants", "tenants", "id=contactID", "name=name", "phone=phone", "email=email"),
		s.show("Vendors", "vendors", "id=contactID", "name=name", "phone=phone", "email=email", "insured until=insuranceExpiresDate"),
		s.show("Technicians", "technicians", "id=maintenanceTechnicianID", "user=userID", "name=name", "phone=phone"),
	}
}

// show makes a table of "column=field" pairs.
func (d *db) show(title, name string, columns ...string) Table {
	out := Table{Name: title}
	var fields []string
	for _, c := range columns {
		column, field, _ := strings.Cut(c, "=")
		out.Columns, fields = append(out.Columns, column), append(fields, field)
	}
	t := d.tables[name]
	for _, id := range slices.Backward(t.ids()) {
		if len(out.Rows) == maxShown {
			break
		}
		var row []string
		for _, f := range fields {
			row = append(row, d.readable(f, str(t.rows[id][f])))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// readable gives a status its name and a priority its word.
func (d *db) readable(field, v string) string {
	switch field {
	case "workOrderStatusID":
		if st := d.tables["statuses"].get(v); st != nil {
			return str(st["name"])
		}
	case "accountID":
		if a := d.tables["accounts"].get(v); a != nil {
			return str(a["name"])
		}
	case "leaseStatusID":
		if st := d.tables["leaseStatuses"].get(v); st != nil {
			return str(st["name"])
		}
	case "priorityID":
		if p := number(v); p >= 1 && p <= 3 {
			return [...]string{"Low", "Medium", "High"}[p-1]
		}
	}
	return v
}

func (d *db) showFiles() Table {
	out := Table{Name: "Files", Columns: []string{"id", "name", "bytes", "object type", "object"}}
	t := d.tables["files"]
	for _, id := range slices.Backward(t.ids()) {
		if len(out.Rows) == maxShown {
			break
		}
		c := d.content[id]
		out.Rows = append(out.Rows, []string{
			strconv.Itoa(id), str(t.rows[id]["fileName"]), strconv.Itoa(len(c.data)), c.objectTypeID, c.objectID,
		})
	}
	return out
}

func (d *db) showNotifications() Table {
	out := Table{Name: "Vendor notifications", Columns: []string{"at", "work order", "vendor"}}
	for _, n := range slices.Backward(d.notifications) {
		if len(out.Rows) == maxShown {
			break
		}
		out.Rows = append(out.Rows, []string{n.At, n.WorkOrderID, n.VendorContactID})
	}
	return out
}
