package quickbooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The kinds of documents, as replies and queries name them.
const (
	kindEntry   = "JournalEntry"
	kindInvoice = "Invoice"
	kindPayment = "Payment"
	kindBill    = "Bill"
	kindOrder   = "PurchaseOrder"
)

// kinds is the order in which documents are listed.
func kinds() []string { return []string{kindEntry, kindInvoice, kindPayment, kindBill, kindOrder} }

// The kinds of lines.
const (
	detailJournal = "JournalEntryLineDetail"
	detailExpense = "AccountBasedExpenseLineDetail"
	detailSales   = "SalesItemLineDetail"
	debit         = "Debit"
	credit        = "Credit"
)

// document is one of any kind as it goes over the wire. One that is kept is never
// changed: another one takes its place.
type document struct {
	ID          string  `json:"Id,omitempty"`
	SyncToken   string  `json:"SyncToken,omitempty"`
	Sparse      bool    `json:"sparse,omitempty"`
	Domain      string  `json:"domain,omitempty"`
	DocNumber   string  `json:"DocNumber,omitempty"`
	PaymentRef  string  `json:"PaymentRefNum,omitempty"`
	TxnDate     string  `json:"TxnDate,omitempty"`
	DueDate     string  `json:"DueDate,omitempty"`
	PrivateNote string  `json:"PrivateNote,omitempty"`
	Memo        string  `json:"Memo,omitempty"`
	POStatus    string  `json:"POStatus,omitempty"`
	Customer    *ref    `json:"CustomerRef,omitempty"`
	Vendor      *ref    `json:"VendorRef,omitempty"`
	Payables    *ref    `json:"APAccountRef,omitempty"`
	DepositTo   *ref    `json:"DepositToAccountRef,omitempty"`
	Currency    *ref    `json:"CurrencyRef,omitempty"`
	Adjustment  bool    `json:"Adjustment,omitempty"`
	Lines       []line  `json:"Line,omitempty"`
	Total       money   `json:"TotalAmt"`
	Balance     *money  `json:"Balance,omitempty"`
	Unapplied   *money  `json:"UnappliedAmt,omitempty"`
	MetaData    *record `json:"MetaData,omitempty"`
}

type ref struct {
	Value string `json:"value"`
	Name  string `json:"name,omitempty"`
}

// value is "" for no reference.
func (r *ref) value() string {
	if r == nil {
		return ""
	}
	return r.Value
}

type line struct {
	ID          string         `json:"Id,omitempty"`
	Number      int            `json:"LineNum,omitempty"`
	Description string         `json:"Description,omitempty"`
	DetailType  string         `json:"DetailType,omitempty"`
	Amount      *money         `json:"Amount,omitempty"`
	Journal     *journalDetail `json:"JournalEntryLineDetail,omitempty"`
	Expense     *expenseDetail `json:"AccountBasedExpenseLineDetail,omitempty"`
	Sales       *salesDetail   `json:"SalesItemLineDetail,omitempty"`
	Linked      []linked       `json:"LinkedTxn,omitempty"`
}

func (l line) amount() money {
	if l.Amount == nil {
		return 0
	}
	return *l.Amount
}

type journalDetail struct {
	PostingType string  `json:"PostingType"`
	Account     *ref    `json:"AccountRef"`
	Entity      *entity `json:"Entity,omitempty"`
}

// entity is the customer or vendor of a line.
type entity struct {
	Type string `json:"Type"`
	Ref  *ref   `json:"EntityRef"`
}

type expenseDetail struct {
	Account *ref `json:"AccountRef"`
}

type salesDetail struct {
	Item  *ref   `json:"ItemRef"`
	Price *money `json:"UnitPrice,omitempty"`
	Qty   *int   `json:"Qty,omitempty"`
}

type linked struct {
	ID   string `json:"TxnId"`
	Type string `json:"TxnType"`
}

func (d *document) shown() any { return d }

func (d *document) field(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "id":
		return d.ID, true
	case "docnumber":
		return d.DocNumber, true
	case "paymentrefnum":
		return d.PaymentRef, true
	case "txndate":
		return d.TxnDate, true
	case "duedate":
		return d.DueDate, true
	case "totalamt":
		return d.Total.String(), true
	case "customerref":
		return d.Customer.value(), true
	case "vendorref":
		return d.Vendor.value(), true
	case "postatus":
		return d.POStatus, true
	}
	return "", false
}

// number is the one that people give.
func (d *document) number() string { return d.DocNumber + d.PaymentRef }

// decode reads a document strictly, so that a misspelt field does not go unnoticed.
func (s *Server) decode(raw []byte, into *document) *fault {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	switch {
	case errors.Is(err, errMoney):
		return s.validation("2090", "Invalid Number", "Invalid Number : "+errMoney.Error(), "Amount")
	case err != nil:
		return s.validation("2010", "Request has invalid or unsupported property", "Property Name:"+err.Error(), "")
	}
	return nil
}

// post creates, changes or deletes a document, as the body and the query say.
func (s *Server) post(kind string) func(*http.Request, []byte) answer {
	return func(r *http.Request, body []byte) answer {
		var in document
		if f := s.decode(body, &in); f != nil {
			return answer{fault: f}
		}
		operation := r.URL.Query().Get("operation")
		if in.ID == "" && operation == "" {
			return s.create(kind, in)
		}
		old := s.find(kind, in.ID)
		switch {
		case old == nil:
			return answer{fault: notFound(s)}
		case in.SyncToken != old.SyncToken:
			return answer{fault: s.validation("5010", "Stale Object Error", "Stale Object Error : You and someone else were working on this at the same time.", "")}
		case operation == "delete":
			if f := s.move(kind, old, nil); f != nil {
				return answer{fault: f}
			}
			s.remove(kind, old)
			return answer{name: kind, object: record{"status": "Deleted", "domain": "QBO", "Id": old.ID}}
		}
		return s.update(kind, old, in, body)
	}
}

func (s *Server) create(kind string, d document) answer {
	if len(s.Documents[kind]) >= maxRecords {
		return answer{fault: full()}
	}
	d.SyncToken, d.MetaData = "0", &record{"CreateTime": s.cfg.Now().UTC().Format(time.RFC3339)}
	if f := s.complete(kind, &d, nil); f != nil {
		return answer{fault: f}
	}
	again := s.numbered(kind, d.DocNumber) != nil
	if again && kind != kindEntry && !s.cfg.AllowSameNumber {
		return answer{fault: s.validation("6140", "Duplicate Document Number Error", "Duplicate Document Number Error : You must specify a different number. DocNumber="+d.DocNumber, "")}
	}
	if f := s.move(kind, nil, &d); f != nil {
		return answer{fault: f}
	}
	if again {
		s.Twice++
	}
	d.ID = s.id()
	s.add(kind, &d)
	return answer{name: kind, object: &d}
}

// update replaces a document: of a sparse change what it does not name stays, else it
// goes.
func (s *Server) update(kind string, old *document, in document, body []byte) answer {
	next := in
	if in.Sparse {
		raw, err := json.Marshal(old)
		if err != nil {
			return answer{fault: broken(err.Error())}
		}
		next = document{}
		if f := s.decode(raw, &next); f != nil {
			return answer{fault: f}
		}
		lines := next.Lines
		next.Lines = nil // else the new ones would be mixed with the old
		if f := s.decode(body, &next); f != nil {
			return answer{fault: f}
		}
		if next.Lines == nil {
			next.Lines = lines
		}
	}
	version, _ := strconv.Atoi(old.SyncToken)
	next.ID, next.SyncToken, next.MetaData = old.ID, strconv.Itoa(version+1), old.MetaData
	if f := s.complete(kind, &next, old); f != nil {
		return answer{fault: f}
	}
	if f := s.move(kind, old, &next); f != nil {
		return answer{fault: f}
	}
	s.replace(kind, &next)
	return answer{name: kind, object: &next}
}

// complete checks a document and fills in what QuickBooks would.
func (s *Server) complete(kind string, d, old *document) *fault {
	missing := func(element string) *fault {
		return s.validation("2020", "Required param missing, need to supply the required value for the API", "Required parameter "+element+" is missing", element)
	}
	if len([]rune(d.DocNumber)) > 21 || len([]rune(d.PaymentRef)) > 21 {
		return s.validation("2050", "String length is either shorter or longer than supported by specification", "DocNumber", "DocNumber")
	}
	if d.TxnDate == "" {
		d.TxnDate = s.cfg.Now().UTC().Format(time.DateOnly)
	}
	for _, day := range []string{d.TxnDate, d.DueDate} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return s.validation("2020", "Required param missing or invalid", "Invalid date : "+day, "TxnDate")
		}
	}
	if len(d.Lines) == 0 && kind != kindPayment {
		return missing("Line")
	}
	d.Sparse, d.Domain, d.Lines = false, "QBO", slices.Clone(d.Lines)
	total := money(0)
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Amount == nil || *l.Amount < 0 || *l.Amount > maxMoney {
			return missing("Amount")
		}
		if l.ID == "" {
			l.ID = strconv.Itoa(i)
		}
		total += *l.Amount
	}
	switch kind {
	case kindEntry:
		d.Total = 0 // it has none
		return s.completeEntry(d)
	case kindInvoice:
		d.Total = total
		return s.completeInvoice(d, old)
	case kindPayment:
		return s.completePayment(d, total)
	case kindBill:
		d.Total, d.Balance = total, &total
	case kindOrder:
		d.Total = total
		if d.POStatus == "" {
			d.POStatus = "Open"
		}
	}
	return s.completePurchase(d)
}

func (s *Server) badReference(of, element string) *fault {
	return s.validation("2500", "Invalid Reference Id", "Invalid Reference Id : "+of+" element id", element)
}

// usable tells what is wrong with a reference to an account.
func (s *Server) usable(r *ref, element string) *fault {
	a := s.account(r.value())
	switch {
	case a == nil:
		return s.badReference("Accounts", element)
	case !a.Active:
		return notFound(s)
	}
	return nil
}

func (s *Server) business(detail string) *fault {
	return s.validation("6000", "A business validation error has occurred while processing your request", "Business Validation Error: "+detail, "")
}

// completeEntry refuses lines on receivables and payables without a name, and what does
// not balance.
func (s *Server) completeEntry(d *document) *fault {
	sum := money(0)
	for _, l := range d.Lines {
		if l.DetailType != detailJournal || l.Journal == nil {
			return s.validation("2020", "Required param missing, need to supply the required value for the API", "DetailType", "Line.DetailType")
		}
		if f := s.usable(l.Journal.Account, "Line.AccountRef"); f != nil {
			return f
		}
		switch l.Journal.PostingType {
		case debit:
			sum += *l.Amount
		case credit:
			sum -= *l.Amount
		default:
			return s.validation("2020", "Required param missing or invalid", "PostingType", "Line.PostingType")
		}
		named := ""
		if e := l.Journal.Entity; e != nil {
			named = e.Ref.value()
		}
		switch s.account(l.Journal.Account.value()).Type {
		case typeReceivable:
			if withID(s.Customers, named) == nil {
				return s.business("When you use Accounts Receivable, you must choose a customer in the Name field.")
			}
		case typePayable:
			if withID(s.Vendors, named) == nil {
				return s.business("When you use Accounts Payable, you must choose a vendor in the Name field.")
			}
		}
	}
	if sum != 0 || len(d.Lines) < 2 {
		return s.business("Transaction is out of balance: debits are not credits.")
	}
	return nil
}

// completeInvoice leaves what payments have paid paid.
func (s *Server) completeInvoice(d, old *document) *fault {
	if withID(s.Customers, d.Customer.value()) == nil {
		return s.badReference("Names", "CustomerRef")
	}
	for _, l := range d.Lines {
		if l.DetailType != detailSales || l.Sales == nil || withID(s.items, l.Sales.Item.value()) == nil {
			return s.badReference("Products and Services", "Line.ItemRef")
		}
	}
	open := d.Total
	if old != nil {
		open -= old.Total - *old.Balance
	}
	if open < 0 {
		return s.business("The invoice is less than what was paid of it.")
	}
	d.Balance = &open
	return nil
}

func (s *Server) completePayment(d *document, applied money) *fault {
	if withID(s.Customers, d.Customer.value()) == nil {
		return s.badReference("Names", "CustomerRef")
	}
	if d.DepositTo == nil {
		d.DepositTo = &ref{Value: s.accountNamed(AccountUndeposited).ID}
	}
	if d.Total <= 0 || d.Total > maxMoney || applied > d.Total {
		return s.business("The amount is not that of its lines, or not above 0.")
	}
	rest := d.Total - applied
	d.Unapplied = &rest
	return s.usable(d.DepositTo, "DepositToAccountRef")
}

// completePurchase is for bills and orders.
func (s *Server) completePurchase(d *document) *fault {
	if withID(s.Vendors, d.Vendor.value()) == nil {
		return s.badReference("Names", "VendorRef")
	}
	if d.Payables == nil {
		d.Payables = &ref{Value: s.accountNamed(AccountPayable).ID}
	}
	for _, l := range d.Lines {
		if l.DetailType != detailExpense || l.Expense == nil {
			return s.validation("2020", "Required param missing, need to supply the required value for the API", "Line", "Line")
		}
		if f := s.usable(l.Expense.Account, "Line.AccountRef"); f != nil {
			return f
		}
	}
	if a := s.account(d.Payables.value()); a == nil || a.Type != typePayable {
		return s.badReference("Accounts", "APAccountRef")
	}
	return nil
}

// get reads a document.
func (s *Server) get(kind string) func(*http.Request, []byte) answer {
	return func(r *http.Request, _ []byte) answer {
		d := s.find(kind, r.PathValue("id"))
		if d == nil {
			return answer{fault: notFound(s)}
		}
		return answer{name: kind, object: d}
	}
}
