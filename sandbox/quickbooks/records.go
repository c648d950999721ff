package quickbooks

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxRecords bounds what is kept of a kind, maxRequests the requestids: then nothing
	// more is taken, because books without their oldest entries would not add up.
	maxRecords  = 60_000
	maxRequests = 3 * maxRecords
)

// record is an object as it goes over the wire.
type record = map[string]any

// db is everything that the stand-in remembers of the company. What is not in a
// snapshot is derived from the documents.
type db struct {
	Last      int      `json:"last"`
	Vendors   []*party `json:"vendors"`
	Customers []*party `json:"customers"`
	// Documents are by kind, in the order of their ids.
	Documents map[string][]*document `json:"documents"`
	Requests  map[string]original    `json:"requests"`
	// Twice counts documents that repeat the number of an earlier one.
	Twice int `json:"duplicates"`
	// OutOfBalance tells that a write left books that do not add up.
	OutOfBalance bool     `json:"out_of_balance,omitempty"`
	Inactive     []string `json:"inactive,omitempty"`

	accounts  []*account
	items     []*party
	byID      map[[2]string]*document // by kind and id
	byNumber  map[[2]string][]string  // ids, by kind and number
	refreshes int64
}

// original is the original reply to a requestid: an object that is never changed. A
// snapshot has its ID alone where it is still what the document looks like.
type original struct {
	Name   string `json:"name"`
	Object any    `json:"object,omitempty"`
	ID     string `json:"id,omitempty"`
}

func seeded() db {
	return db{
		Last: 100, Requests: map[string]original{}, Documents: map[string][]*document{},
		Vendors:   []*party{{ID: "50", DisplayName: "Pacific Plumbing", Active: true, SyncToken: "0"}},
		Customers: []*party{{ID: "60", DisplayName: "Residents", Active: true, SyncToken: "0"}},
	}
}

// items has the one thing that invoices sell.
func items() []*party {
	return []*party{{ID: "70", Name: "Rent", Active: true, SyncToken: "0", Type: "Service", Income: &ref{Value: "50", Name: "Rental Income"}}}
}

func (d *db) id() string {
	d.Last++
	return strconv.Itoa(d.Last)
}

// older compares ids, which are numbers.
func older(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

func (d *db) find(kind, id string) *document { return d.byID[[2]string{kind, id}] }

// numbered lists the documents of a number, oldest first; those without one are none.
func (d *db) numbered(kind, number string) []*document {
	var out []*document
	for _, id := range d.byNumber[[2]string{kind, number}] {
		out = append(out, d.find(kind, id))
	}
	return out
}

func (d *db) index(kind string, doc *document) {
	d.byID[[2]string{kind, doc.ID}] = doc
	if doc.DocNumber != "" {
		key := [2]string{kind, doc.DocNumber}
		d.byNumber[key] = append(d.byNumber[key], doc.ID)
	}
}

func (d *db) forget(kind string, doc *document) {
	delete(d.byID, [2]string{kind, doc.ID})
	key := [2]string{kind, doc.DocNumber}
	d.byNumber[key] = slices.DeleteFunc(d.byNumber[key], func(id string) bool { return id == doc.ID })
	if len(d.byNumber[key]) == 0 {
		delete(d.byNumber, key)
	}
}

func (d *db) add(kind string, doc *document) {
	d.Documents[kind] = append(d.Documents[kind], doc)
	d.index(kind, doc)
}

func (d *db) place(kind, id string) (int, bool) {
	return slices.BinarySearchFunc(d.Documents[kind], id, func(doc *document, id string) int { return older(doc.ID, id) })
}

func (d *db) replace(kind string, next *document) {
	if i, ok := d.place(kind, next.ID); ok {
		d.forget(kind, d.Documents[kind][i])
		d.Documents[kind][i] = next
		d.index(kind, next)
	}
}

func (d *db) remove(kind string, doc *document) {
	if i, ok := d.place(kind, doc.ID); ok {
		d.Documents[kind] = slices.Delete(d.Documents[kind], i, i+1)
		d.forget(kind, doc)
	}
}

func notFound(s *Server) *fault {
	return s.validation("610", "Object Not Found", "Object Not Found : Something you're trying to use has been made inactive.", "")
}

func full() *fault { return broken("the stand-in keeps no more: reset the sandbox") }

// broken is for what is nobody's mistake but the stand-in's.
func broken(detail string) *fault {
	return &fault{status: http.StatusInternalServerError, kind: "SystemFault", code: "10000", message: "An application error has occurred while processing your request", det: detail}
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
	for _, o := range s.Documents[kindOrder] {
		shown := Order{ID: o.ID, Number: o.DocNumber, Status: o.POStatus, Note: o.PrivateNote, Total: o.Total.String()}
		if v := withID(s.Vendors, o.Vendor.value()); v != nil {
			shown.Vendor = v.DisplayName
		}
		for _, l := range o.Lines {
			shown.Lines = append(shown.Lines, fmt.Sprintf("%s = %s", l.Description, l.amount()))
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
			vendors.Rows = append(vendors.Rows, []string{v.ID, v.DisplayName})
		}
	}
	return []Table{orders, vendors}
}

// Duplicates counts the documents that were created although another one of their kind
// had their number.
func (s *Server) Duplicates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Twice
}

// saved is the form of a snapshot.
type saved struct {
	db
	// Placed are the purchase orders of older snapshots.
	Placed []*document `json:"orders,omitempty"`
	Tokens tokens      `json:"tokens"`
}

// Snapshot is all records and how far the tokens have rolled, as JSON for Restore. Its
// work grows with what is kept; requests wait only while it lists that, not while it
// is written down.
func (s *Server) Snapshot() (json.RawMessage, error) {
	s.mu.Lock()
	out := saved{db: s.db, Tokens: s.tokens}
	out.Vendors, out.Customers, out.Inactive = slices.Clone(s.Vendors), slices.Clone(s.Customers), slices.Clone(s.Inactive)
	out.Documents = map[string][]*document{}
	for kind, all := range s.Documents {
		out.Documents[kind] = slices.Clone(all)
	}
	out.Requests = maps.Clone(s.Requests)
	for request, o := range out.Requests {
		if d, ok := o.Object.(*document); ok && s.find(o.Name, d.ID) == d {
			out.Requests[request] = original{Name: o.Name, ID: d.ID}
		}
	}
	s.mu.Unlock()
	return json.Marshal(out)
}

// Restore replaces everything by what a snapshot says. On an error nothing has changed.
func (s *Server) Restore(snapshot json.RawMessage) error {
	in := saved{db: seeded()}
	d := json.NewDecoder(bytes.NewReader(snapshot))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return fmt.Errorf("quickbooks' records: %w", err)
	}
	if in.Documents == nil || in.Requests == nil {
		return errors.New("quickbooks' records: documents or requests are null")
	}
	if len(in.Placed) > 0 {
		in.Documents[kindOrder] = append(in.Documents[kindOrder], in.Placed...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db, s.tokens = in.db, in.Tokens
	s.rebuild()
	for request, o := range s.Requests {
		if found := s.find(o.Name, o.ID); o.ID != "" && found != nil {
			s.Requests[request] = original{Name: o.Name, Object: found}
		}
	}
	return nil
}
