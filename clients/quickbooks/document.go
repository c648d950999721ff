package quickbooks

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// maxAmount is the highest amount of a line.
const maxAmount Amount = 100_000_000_000

// Document is an invoice, payment or bill as QuickBooks knows it.
type Document struct {
	ID string
	// SyncToken is the document's version, which a change must name.
	SyncToken string
	Number    string
	// PartyID is the customer, of a bill the vendor.
	PartyID string
	// Day and DueDay are YYYY-MM-DD; a payment has no DueDay.
	Day, DueDay string
	Note        string
	Total       Amount
	// Open is what is still to be paid, of a payment what belongs to no invoice yet.
	Open Amount
}

type wireDocument struct {
	ID            wire.ID   `json:"Id"`
	SyncToken     wire.Text `json:"SyncToken"`
	DocNumber     wire.Text `json:"DocNumber"`
	PaymentRefNum wire.Text `json:"PaymentRefNum"`
	CustomerRef   wireRef   `json:"CustomerRef"`
	VendorRef     wireRef   `json:"VendorRef"`
	TxnDate       wire.Text `json:"TxnDate"`
	DueDate       wire.Text `json:"DueDate"`
	PrivateNote   wire.Text `json:"PrivateNote"`
	TotalAmt      Amount    `json:"TotalAmt"`
	Balance       Amount    `json:"Balance"`
	UnappliedAmt  Amount    `json:"UnappliedAmt"`
}

// wireRef is a reference as it arrives, wireNamed one by a word rather than an id.
type (
	wireRef struct {
		Value wire.ID `json:"value"`
	}
	wireNamed struct {
		Value wire.Text `json:"value"`
	}
)

func (w wireDocument) document(op string, kind partner.Kind) (Document, error) {
	if w.ID == "" {
		return Document{}, &partner.Error{Op: "quickbooks." + op, Kind: kind, Message: "a document without an id"}
	}
	return Document{
		ID: string(w.ID), SyncToken: string(w.SyncToken), Number: string(w.DocNumber + w.PaymentRefNum), PartyID: string(w.CustomerRef.Value + w.VendorRef.Value),
		Day: string(w.TxnDate), DueDay: string(w.DueDate), Note: string(w.PrivateNote), Total: w.TotalAmt, Open: w.Balance + w.UnappliedAmt,
	}, nil
}

// entity is one kind of document: the name in replies and in paths.
type entity struct{ name, path string }

var (
	entityInvoice = entity{"Invoice", "/invoice"}
	entityPayment = entity{"Payment", "/payment"}
	entityBill    = entity{"Bill", "/bill"}
)

// create books a document once for all repeats with the requestid.
func (c *Client) create(ctx context.Context, op string, e entity, requestid string, body map[string]any, personal []string) (Document, error) {
	q, err := requestID(op, requestid)
	if err != nil {
		return Document{}, err
	}
	var reply wireDocument
	err = c.call(ctx, request{op: op, method: http.MethodPost, path: e.path, query: q, body: body, key: e.name, personal: personal}, &reply)
	if err != nil {
		return Document{}, err
	}
	return reply.document(op, partner.UnknownOutcome)
}

// read reads a document.
func (c *Client) read(ctx context.Context, op string, e entity, id string) (Document, error) {
	if err := number(op, id); err != nil {
		return Document{}, err
	}
	var reply wireDocument
	if err := c.get(ctx, op, e.path+"/"+id, e.name, &reply); err != nil {
		return Document{}, err
	}
	return reply.document(op, partner.Malformed)
}

func invalid(op, format string, a ...any) error {
	return &partner.Error{Op: "quickbooks." + op, Kind: partner.Invalid, Message: fmt.Sprintf(format, a...)}
}

// documentNumber checks the number of a document.
func documentNumber(op, value string) error {
	if n := len([]rune(value)); n == 0 || n > MaxNumber {
		return invalid(op, "the number of a document has 1 to %d characters", MaxNumber)
	}
	return nil
}

// day checks a day.
func day(op, value string) error {
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		return invalid(op, "a day is written such as 2026-11-22")
	}
	return nil
}

// amounts checks those of a document's lines.
func amounts(op string, of ...Amount) error {
	if len(of) == 0 || len(of) > maxLines {
		return invalid(op, "a document has 1 to %d lines", maxLines)
	}
	for i, a := range of {
		if a <= 0 || a > maxAmount {
			return invalid(op, "line %d has no amount above 0", i+1)
		}
	}
	return nil
}
