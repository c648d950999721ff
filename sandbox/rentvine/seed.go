package rentvine

import (
	"strconv"
	"time"
)

// rentAccount is the account of rent in the seeded charges.
const rentAccount = "1"

// lastContact is above all seeded contacts, who share one row of ids.
const lastContact = 100

// seeded is the account's first state: small, stable, every name and number made up.
func seeded() db {
	d := db{
		tables: map[string]*table{
			"portfolios":    newTable("portfolio", "portfolioID", portfolios()...),
			"properties":    newTable("property", "propertyID", properties()...),
			"units":         newTable("unit", "unitID", units()...),
			"leases":        newTable("lease", "leaseID", leases()...),
			"leaseStatuses": newTable("leaseStatus", "leaseStatusID", named("leaseStatusID", "Pending", "Active", "Active - Notice Given", "Closed")...),
			"charges":       newTable("recurringCharge", "leaseRecurringChargeID", charges()...),
			"tenants":       newTable("contact", "contactID", tenants()...),
			"owners": newTable("contact", "contactID",
				contact(21, 1, "Olive Owner", "(213) 555-0121"), contact(22, 1, "Otis Owner", "(503) 555-0122")),
			"vendors": newTable("contact", "contactID", vendors()...),
			"trades": newTable("vendorTrade", "vendorTradeID",
				named("vendorTradeID", "Plumbing", "Electrical", "HVAC", "General", "Gas", "Locksmith")...),
			"technicians":  newTable("maintenanceTechnician", "maintenanceTechnicianID", technicians()...),
			"statuses":     newTable("workOrderStatus", "workOrderStatusID", statuses()...),
			"workOrders":   newTable("workOrder", "workOrderID"),
			"inspections":  newTable("inspection", "inspectionID"),
			"prospects":    newTable("prospect", "prospectID"),
			"files":        newTable("file", "fileID"),
			"transactions": newTable("transaction", "transactionID", transactions()...),
			"accounts":     newTable("account", "accountID", accounts()...),
			"bills":        newTable("bill", "billID", bill()),
			"bankAccounts": newTable("bankAccount", "bankAccountID", record{"bankAccountID": "1", "name": "Trust Checking", "isActive": "1"}),
			"chat": newTable("chatMessage", "chatMessageID", record{
				"chatObjectTypeID": "1", "objectID": "1", "message": "Any news?", "isRead": "0", "dateTimeCreated": "2026-09-02 17:00:00",
			}),
		},
		content: map[int]content{},
		created: map[string]int{},
	}
	d.tables["files"].max = maxFiles
	d.tables["transactions"].max = maxTransactions
	d.tables["transactions"].indexBy("leaseID")
	d.tables["charges"].indexBy("leaseID")
	d.tables["units"].indexBy("propertyID")
	for _, t := range d.tables["trades"].rows {
		t["isVisibleTenantPortal"] = "1"
	}
	old := blankWorkOrder()
	for f, v := range (record{
		"workOrderNumber": "1001", "propertyID": "1", "unitID": "1", "leaseID": "1", "requestedByContactID": "1", "vendorTradeID": "1",
		"priorityID": "1", "description": "<p>The kitchen tap drips&nbsp;slowly.</p>", "dateTimeCreated": "2026-09-01 16:30:00",
		"isSharedWithTenant": "1", "estimatedAmount": "120.00",
	}) {
		old[f] = v
	}
	d.complete(old)
	d.tables["workOrders"].add(old)
	return d
}

// statuses are one account's own: their ids are not those of the primary statuses.
func statuses() []record {
	var rows []record
	for _, s := range []struct {
		id, primary, name, system string
	}{
		{"11", "1", "New", "1"}, {"12", "2", "Scheduled", "0"}, {"13", "2", "In Progress", "0"},
		{"14", "4", "Awaiting Parts", "0"}, {"15", "3", "Completed", "1"}, {"16", "5", "Cancelled", "1"},
		{"17", "5", "Merged", "0"},
	} {
		rows = append(rows, record{
			"workOrderStatusID": s.id, "primaryWorkOrderStatusID": s.primary, "name": s.name, "isSystemStatus": s.system,
		})
	}
	return rows
}

func portfolios() []record {
	return []record{
		{"portfolioID": "1", "name": "Los Angeles Homes", "isActive": "1", "reserveAmount": "500.00",
			"owners": []record{{"contactID": "21", "percent": "100.00"}}},
		{"portfolioID": "2", "name": "Portland Buildings", "isActive": "1", "reserveAmount": "1500.00",
			"owners": []record{{"contactID": "22", "percent": "100.00"}}},
	}
}

func property(id, portfolio, name, address, city, state, code, multi, lat, lon string) record {
	return record{
		"propertyID": id, "portfolioID": portfolio, "propertyTypeID": "1", "name": name, "address": address, "city": city,
		"stateID": state, "postalCode": code, "countryID": "US", "isMultiUnit": multi, "isActive": "1", "isFromImport": "0",
		"reserveAmount": "300.00", "latitude": lat, "longitude": lon, "addressValidationData": record{"isValid": true},
		"dateContractBegins": "2024-01-01", "dateTimeCreated": "2024-01-01 09:00:00",
	}
}

func properties() []record {
	return []record{
		property("1", "1", "12 Elm Street", "12 Elm Street", "Los Angeles", "CA", "90026", "0", "34.077200", "-118.260300"),
		property("2", "2", "Alder House", "400 NW Alder Street", "Portland", "OR", "97209", "1", "45.526300", "-122.682600"),
	}
}

// unit has a placeholder for a rent: the charges tell (contracts/rentvine.md 4.13).
func unit(id, property, address, label, city, state, code, beds, baths, size string) record {
	return record{
		"unitID": id, "propertyID": property, "address": address, "address2": label, "city": city, "stateID": state,
		"postalCode": code, "rent": "0.00", "deposit": "0.00", "beds": beds, "fullBaths": baths, "size": size, "isActive": "1",
		"leaseNotes": "",
	}
}

func units() []record {
	return []record{
		unit("1", "1", "12 Elm Street", "", "Los Angeles", "CA", "90026", "3", "2", "1380"),
		unit("2", "2", "400 NW Alder Street", "Apt 101", "Portland", "OR", "97209", "1", "1", "640"),
		unit("3", "2", "400 NW Alder Street", "Apt 102", "Portland", "OR", "97209", "2", "1", "850"),
		unit("4", "2", "400 NW Alder Street", "Apt 201", "Portland", "OR", "97209", "2", "1", "870"),
	}
}

// leases 1 to 4 are those of units 1 to 4, each with the tenant of the same number.
func leases() []record {
	var rows []record
	for n := 1; n <= 4; n++ {
		id, property := strconv.Itoa(n), "2"
		if n == 1 {
			property = "1"
		}
		lease := blankLease()
		for f, v := range (record{
			"leaseID": id, "code": "L-" + id, "propertyID": property, "unitID": id, "primaryLeaseStatusID": "2", "leaseStatusID": "2",
			"moveInDate": "2025-06-01", "startDate": "2026-06-01", "endDate": "2027-05-31", "increaseEligibilityDate": "2027-06-01",
			"dateTimeCreated": "2025-05-20T17:00:00Z", "dateTimeModified": "2026-05-20T17:00:00Z", "tenants": []string{id},
		}) {
			lease[f] = v
		}
		rows = append(rows, lease)
	}
	return rows
}

func charges() []record {
	var rows []record
	for n := 1; n <= 4; n++ {
		rows = append(rows,
			record{"leaseID": strconv.Itoa(n), "accountID": rentAccount, "description": "Rent", "amount": "1850.00",
				"dayDue": "1", "frequency": "1", "startDate": "06/01/2026", "endDate": "05/31/2027"},
			record{"leaseID": strconv.Itoa(n), "accountID": "2", "description": "Parking", "amount": "75.00",
				"dayDue": "1", "frequency": "1", "startDate": "06/01/2026", "endDate": "05/31/2027"})
	}
	return rows
}

// accounts of the chart: 1 is the rent's, 2 the one of the seeded parking.
func accounts() []record {
	var rows []record
	for i, a := range []struct{ number, name, category string }{
		{"4000", "Rent", "Income"}, {"4040", "Parking", "Income"}, {"4010", "Late Fee", "Income"}, {"4020", "Utilities", "Income"},
		{"4030", "Pet Rent", "Income"}, {"2200", "Security Deposit", "Liability"}, {"6000", "Repairs", "Expense"},
		{"6010", "Cleaning", "Expense"}, {"6100", "Insurance", "Expense"}, {"4900", "Misc", "Income"},
		{"6200", "Utilities Expense", "Expense"},
	} {
		rent := "0"
		if i == 0 {
			rent = "1"
		}
		rows = append(rows, record{
			"accountID": strconv.Itoa(i + 1), "number": a.number, "name": a.name, "isActive": "1", "isRent": rent,
			"accountTypeID": map[string]string{"Income": "4", "Liability": "2", "Expense": "5"}[a.category], "category": a.category,
		})
	}
	return rows
}

// bill is that of the seeded work order.
func bill() record {
	b := blankBill()
	b["payeeContactID"], b["workOrderID"], b["reference"] = "11", "1", "INV-0001"
	b["billDate"], b["dateDue"] = "2026-11-21", "2026-12-21"
	b["charges"] = []record{{
		"ledgerID": strconv.Itoa(propertyLedgers + 1), "chargeAccountID": repairsAccount, "amount": "120.00", "description": "Repair of the kitchen tap",
	}}
	return b
}

// transactions are the year before December 2026 of leases 1 to 4: rent and parking
// due on the 1st of each month, and one payment of both. Lease 1 and 4 pay on that day,
// lease 2 is mostly 6 to 12 days late, lease 3 now and then.
func transactions() []record {
	late := [4][12]int{
		{}, {0, 9, 11, 0, 12, 7, 10, 0, 12, 6, 11, 9}, {0, 3, 0, 8, 0, 0, 5, 0, 10, 0, 2, 0}, {},
	}
	var rows []record
	for n, days := range late {
		id := strconv.Itoa(n + 1)
		for month, behind := range days {
			due := time.Date(2025, time.December+time.Month(month), 1, 0, 0, 0, 0, time.UTC)
			paid := due.AddDate(0, 0, behind)
			rows = append(rows,
				transaction(id, rentAccount, "Charge", "1850.00", due.Format(time.DateOnly), "Rent"),
				transaction(id, "2", "Charge", "75.00", due.Format(time.DateOnly), "Parking"),
				transaction(id, "", "Payment", "1925.00", paid.Format(time.DateOnly), "Payment"))
		}
	}
	return rows
}

// tenants have phones in national form, as people type them.
func tenants() []record {
	return []record{
		contact(1, 2, "Tara Tenant", "(213) 555-0101"), contact(2, 2, "Toby Tenant", "(503) 555-0102"),
		contact(3, 2, "Tess Tenant", "(503) 555-0103"), contact(4, 2, "Theo Tenant", "(503) 555-0104"),
	}
}

func contact(id, kind int, name, phone string) record {
	n := strconv.Itoa(id)
	return record{
		"contactID": n, "contactTypeID": strconv.Itoa(kind), "name": name, "firstName": nil, "lastName": nil,
		"email": "contact" + n + "@example.com", "phone": phone, "isActive": "1", "dateTimeCreated": "2024-01-01 09:00:00",
	}
}

// vendors are insured so far ahead that a fast clock does not get there, but for one.
func vendors() []record {
	vendor := func(id int, name, phone, insured string) record {
		v := contact(id, 3, name, phone)
		for field, value := range (record{
			"vendorTypeID": "1", "payeeName": name, "taxPayerName": name, "payoutTypeID": "1", "holdPayments": "0",
			"liabilityInsuranceName": "Harbor Mutual", "liabilityInsurancePolicyNumber": "GL-100" + v["contactID"].(string),
			"liabilityInsuranceExpiresDate":   insured,
			"workersCompInsuranceExpiresDate": insured, "insuranceExpiresDate": insured, "isInsuranceRequiredForPayment": "1",
		}) {
			v[field] = value
		}
		return v
	}
	const insured = "2036-12-31"
	return []record{
		vendor(11, "Pacific Plumbing", "(213) 555-0111", insured), vendor(12, "Bright Spark Electric", "(503) 555-0112", insured),
		vendor(13, "Cool Air HVAC", "(213) 555-0113", insured), vendor(14, "Silver Lake Plumbing", "(213) 555-0114", insured),
		vendor(15, "Echo Park Drains", "(213) 555-0115", insured), vendor(16, "Lapsed Pipe Works", "(213) 555-0116", "2026-01-31"),
		vendor(17, "Able Hands Repairs", "(213) 555-0117", insured), vendor(18, "Sunset Electric", "(213) 555-0118", insured),
	}
}

// technicians 1 to 4 are users 31 to 34. The record's form is this sandbox's own:
// only the path is on record (contracts/rentvine.md 2.6).
func technicians() []record {
	var rows []record
	for i, name := range []string{"Maria Fixit", "Sam Wrench", "Ana Volt", "Lee Pipe"} {
		n := strconv.Itoa(i + 1)
		rows = append(rows, record{
			"maintenanceTechnicianID": n, "userID": "3" + n, "name": name, "phone": "(213) 555-013" + n,
			"email": "technician" + n + "@example.com", "isActive": "1",
		})
	}
	return rows
}

func named(key string, names ...string) []record {
	var rows []record
	for i, name := range names {
		rows = append(rows, record{key: strconv.Itoa(i + 1), "name": name})
	}
	return rows
}
