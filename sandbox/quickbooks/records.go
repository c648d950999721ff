package quickbooks

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxRecords bounds what is kept of a kind; the oldest go first.
const maxRecords = 20_000

// record is one entity as it goes over the wire.
type record = map[string]any

// db is everything that the stand-in remembers of the company.
type db struct {
	Last     int                 `json:"last"`
	Accounts []record            `json:"accounts"`
	Vendors  []record            `json:"vendors"`
	Placed   []record            `json:"orders"`
	Requests map[string]original `json:"requests"`
	// Twice counts orders that repeat an earlier one.
	Twice     int `json:"duplicates"`
	refreshes int64
}

// original is the original reply to a requestid.
type original struct {
	Name   string          `json:"name"`
	Object json.RawMessage `json:"object"`
}

func seeded() db {
	account := func(id, name, kind string) record {
		return record{"Id": id, "Name": name, "AccountType": kind, "Active": true, "SyncToken": "0"}
	}
	return db{
		Last: 100, Requests: map[string]original{},
		Accounts: []record{
			account("33", AccountPayable, "Accounts Payable"), account("35", "Checking", "Bank"), account("77", AccountRepairs, "Expense"),
		},
		Vendors: []record{{"Id": "50", "DisplayName": "Pacific Plumbing", "Active": true, "SyncToken": "0"}},
	}
}

func (d *db) id() string {
	d.Last++
	return strconv.Itoa(d.Last)
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func find(rows []record, id string) record {
	for _, r := range rows {
		if r["Id"] == id {
			return r
		}
	}
	return nil
}

func notFound(s *Server) *fault {
	return s.validation("610", "Object Not Found", "Object Not Found : Something you're trying to use has been made inactive.", "")
}

func (s *Server) createVendor(_ *http.Request, body []byte) answer {
	var in record
	if json.Unmarshal(body, &in) != nil {
		return answer{fault: s.validation("2010", "Request has invalid or unsupported property", "the body is not an object", "")}
	}
	name := text(in["DisplayName"])
	switch {
	case name == "" || len([]rune(name)) > 100 || strings.ContainsAny(name, ":\t\n"):
		return answer{fault: s.validation("2020", "Required param missing or invalid", "DisplayName "+name, "DisplayName")}
	case slices.ContainsFunc(s.Vendors, func(v record) bool { return strings.EqualFold(text(v["DisplayName"]), name) }):
		return answer{fault: s.validation("6240", "Duplicate Name Exists Error", "The name supplied already exists. : "+name, "")}
	}
	vendor := record{"Id": s.id(), "SyncToken": "0", "DisplayName": name, "Active": true}
	for _, f := range []string{"PrimaryEmailAddr", "PrimaryPhone"} {
		if in[f] != nil {
			vendor[f] = in[f]
		}
	}
	s.Vendors = kept(append(s.Vendors, vendor))
	return answer{name: "Vendor", object: vendor}
}

func kept(rows []record) []record { return rows[max(0, len(rows)-maxRecords):] }

// postOrder creates, changes or deletes, as the body and the query say.
func (s *Server) postOrder(r *http.Request, body []byte) answer {
	var in record
	if json.Unmarshal(body, &in) != nil {
		return answer{fault: s.validation("2010", "Request has invalid or unsupported property", "the body is not an object", "")}
	}
	if in["Id"] == nil && r.URL.Query().Get("operation") == "" {
		return s.createOrder(in)
	}
	order := find(s.Placed, text(in["Id"]))
	switch {
	case order == nil:
		return answer{fault: notFound(s)}
	case in["SyncToken"] != order["SyncToken"]:
		return answer{fault: s.validation("5010", "Stale Object Error", "Stale Object Error : You and someone else were working on this at the same time.", "")}
	case r.URL.Query().Get("operation") == "delete":
		s.Placed = slices.DeleteFunc(s.Placed, func(o record) bool { return o["Id"] == order["Id"] })
		return answer{name: "PurchaseOrder", object: record{"status": "Deleted", "domain": "QBO", "Id": order["Id"]}}
	case in["sparse"] != true:
		return answer{fault: s.validation("2500", "Invalid Reference Id", "only sparse changes are imitated", "")}
	}
	for field, value := range in {
		if field != "Id" && field != "sparse" {
			order[field] = value
		}
	}
	s.touch(order)
	return answer{name: "PurchaseOrder", object: order}
}

func (s *Server) touch(order record) {
	n, _ := strconv.Atoi(text(order["SyncToken"]))
	order["SyncToken"] = strconv.Itoa(n + 1)
}

func (s *Server) createOrder(in record) answer {
	ref := func(v any) string {
		r, _ := v.(record)
		return text(r["value"])
	}
	number := text(in["DocNumber"])
	lines, _ := in["Line"].([]any)
	total := 0.0
	for _, l := range lines {
		line, _ := l.(record)
		amount, ok := line["Amount"].(float64)
		detail, _ := line["AccountBasedExpenseLineDetail"].(record)
		switch {
		case !ok || text(line["DetailType"]) != "AccountBasedExpenseLineDetail":
			return answer{fault: s.validation("2020", "Required param missing, need to supply the required value for the API", "Line", "Line")}
		case find(s.Accounts, ref(detail["AccountRef"])) == nil:
			return answer{fault: s.validation("2500", "Invalid Reference Id", "Invalid Reference Id : Accounts element id", "Line.AccountRef")}
		}
		total += amount
	}
	switch {
	case len(lines) == 0:
		return answer{fault: s.validation("2020", "Required param missing, need to supply the required value for the API", "Required parameter Line is missing", "Line")}
	case len([]rune(number)) > 21:
		return answer{fault: s.validation("2050", "String length is either shorter or longer than supported by specification", "DocNumber", "DocNumber")}
	case find(s.Vendors, ref(in["VendorRef"])) == nil:
		return answer{fault: s.validation("2500", "Invalid Reference Id", "Invalid Reference Id : Names element id", "VendorRef")}
	case find(s.Accounts, ref(in["APAccountRef"])) == nil:
		return answer{fault: s.validation("2500", "Invalid Reference Id", "Invalid Reference Id : Accounts element id", "APAccountRef")}
	}
	for _, o := range s.Placed {
		if number != "" && o["DocNumber"] == number {
			if !s.cfg.AllowSameNumber {
				return answer{fault: s.validation("6140", "Duplicate Document Number Error", "Duplicate Document Number Error : You must specify a different number. DocNumber="+number, "")}
			}
			s.Twice++
			break
		}
	}
	order := record{"Id": s.id(), "SyncToken": "0", "POStatus": "Open", "TotalAmt": math.Round(total*100) / 100,
		"MetaData": record{"CreateTime": s.cfg.Now().UTC().Format(time.RFC3339)}}
	for _, f := range []string{"DocNumber", "VendorRef", "APAccountRef", "Line", "PrivateNote", "Memo", "POStatus"} {
		if in[f] != nil {
			order[f] = in[f]
		}
	}
	s.Placed = kept(append(s.Placed, order))
	return answer{name: "PurchaseOrder", object: order}
}

func (s *Server) readOrder(r *http.Request, _ []byte) answer {
	order := find(s.Placed, r.PathValue("id"))
	if order == nil {
		return answer{fault: notFound(s)}
	}
	return answer{name: "PurchaseOrder", object: order}
}

// statement is the part of the query language that is imitated.
var statement = regexp.MustCompile(`(?i)^select \* from (Vendor|Account|PurchaseOrder)(?: where (\w+) = '((?:[^'\\]|\\.)*)')?(?: maxresults (\d+))?$`)

func (s *Server) query(r *http.Request, _ []byte) answer {
	m := statement.FindStringSubmatch(strings.TrimSpace(r.URL.Query().Get("query")))
	if m == nil {
		return answer{fault: s.validation("4000", "Error parsing query", "QueryParserError", "")}
	}
	rows := map[string][]record{"vendor": s.Vendors, "account": s.Accounts, "purchaseorder": s.Placed}[strings.ToLower(m[1])]
	value := regexp.MustCompile(`\\(.)`).ReplaceAllString(m[3], "$1")
	most := 100
	if n, err := strconv.Atoi(m[4]); err == nil {
		most = min(most, n)
	}
	found := []record{}
	for _, row := range rows {
		if len(found) < most && (m[2] == "" || strings.EqualFold(text(row[m[2]]), value)) {
			found = append(found, row)
		}
	}
	if len(found) == 0 {
		return answer{name: "QueryResponse", object: record{}}
	}
	return answer{name: "QueryResponse", object: record{m[1]: found, "startPosition": 1, "maxResults": len(found)}}
}

// Order is a purchase order as a test or a person reads it.
type Order struct {
	ID     string `json:"id"`
	Number string `json:"number"`
	Vendor string `json:"vendor"`
	Status string `json:"status"`
	// Total is such as "12.50".
	Total string   `json:"total"`
	Note  string   `json:"note"`
	Lines []string `json:"lines"`
}

// Orders lists the purchase orders that are not deleted, oldest first.
func (s *Server) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Order{}
	for _, o := range s.Placed {
		shown := Order{ID: text(o["Id"]), Number: text(o["DocNumber"]), Status: text(o["POStatus"]), Note: text(o["PrivateNote"])}
		total, _ := o["TotalAmt"].(float64)
		shown.Total = fmt.Sprintf("%.2f", total)
		if ref, ok := o["VendorRef"].(record); ok {
			shown.Vendor = text(find(s.Vendors, text(ref["value"]))["DisplayName"])
		}
		lines, _ := o["Line"].([]any)
		for _, l := range lines {
			line, _ := l.(record)
			amount, _ := line["Amount"].(float64)
			shown.Lines = append(shown.Lines, fmt.Sprintf("%s = %.2f", text(line["Description"]), amount))
		}
		out = append(out, shown)
	}
	return out
}

// Table is records as a person reads them, newest first.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]string
}

// maxShown is how many rows of a table the page shows.
const maxShown = 200

// Tables is what the sandbox's page shows of QuickBooks.
func (s *Server) Tables() []Table {
	orders := Table{Name: "QuickBooks: purchase orders", Columns: []string{"id", "number", "vendor", "status", "total", "lines"}}
	for _, o := range slices.Backward(s.Orders()) {
		if len(orders.Rows) < maxShown {
			orders.Rows = append(orders.Rows, []string{o.ID, o.Number, o.Vendor, o.Status, o.Total, strings.Join(o.Lines, "; ")})
		}
	}
	vendors := Table{Name: "QuickBooks: vendors", Columns: []string{"id", "display name"}}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range slices.Backward(s.Vendors) {
		if len(vendors.Rows) < maxShown {
			vendors.Rows = append(vendors.Rows, []string{text(v["Id"]), text(v["DisplayName"])})
		}
	}
	return []Table{orders, vendors}
}

// Duplicates counts the orders that were created although another one had their number.
func (s *Server) Duplicates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Twice
}

// saved is the form of a snapshot.
type saved struct {
	db
	Tokens tokens `json:"tokens"`
}

// Snapshot is all records and how far the tokens have rolled, as JSON for Restore.
func (s *Server) Snapshot() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(saved{db: s.db, Tokens: s.tokens})
}

// Restore replaces everything by what a snapshot says. On an error nothing has changed.
func (s *Server) Restore(snapshot json.RawMessage) error {
	in := saved{db: seeded()}
	if err := json.Unmarshal(snapshot, &in); err != nil {
		return fmt.Errorf("quickbooks' records: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db, s.tokens = in.db, in.Tokens
	return nil
}
