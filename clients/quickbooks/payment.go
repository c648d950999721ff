package quickbooks

import (
	"cmp"
	"context"
	"net/http"

	"github.com/aictive/keyholder/clients/partner"
)

// NewPayment is a customer's payment to record.
type NewPayment struct {
	RequestID, Number string
	CustomerID        string
	// AccountID is where the money arrived, such as a bank account.
	AccountID string
	// InvoiceID is what it pays, "" for nothing in particular.
	InvoiceID string
	// Day is YYYY-MM-DD.
	Day string
	// Note is for the company itself.
	Note   string
	Amount Amount
}

// CreatePayment records a payment. A repeat with the same RequestID gets the first reply
// again. Errors are *partner.Error.
func (c *Client) CreatePayment(ctx context.Context, p NewPayment) (Document, error) {
	const op = "create_payment"
	if err := cmp.Or(documentNumber(op, p.Number), number(op, p.CustomerID, p.AccountID), day(op, p.Day), amounts(op, p.Amount)); err != nil {
		return Document{}, err
	}
	body := map[string]any{
		"PaymentRefNum": p.Number, "CustomerRef": ref{p.CustomerID}, "DepositToAccountRef": ref{p.AccountID}, "TxnDate": p.Day,
		"PrivateNote": clean(p.Note, maxNote), "TotalAmt": p.Amount,
	}
	if p.InvoiceID != "" {
		if err := number(op, p.InvoiceID); err != nil {
			return Document{}, err
		}
		body["Line"] = []any{map[string]any{
			"Amount": p.Amount, "LinkedTxn": []any{map[string]any{"TxnId": p.InvoiceID, "TxnType": entityInvoice.name}},
		}}
	}
	made, err := c.create(ctx, op, entityPayment, p.RequestID, body, nil)
	return made, sameTotal(op, made, p.Amount, err)
}

// sameTotal says where something else was booked than was sent.
func sameTotal(op string, made Document, sent Amount, err error) error {
	if err == nil && made.Total != sent {
		err = &partner.Error{
			Op: "quickbooks." + op, Kind: partner.UnknownOutcome, Status: http.StatusOK,
			Message: "document " + made.ID + " has another total than was sent; compare it in QuickBooks",
		}
	}
	return err
}

// Payment reads one. Errors are *partner.Error; NotFound where it was deleted.
func (c *Client) Payment(ctx context.Context, id string) (Document, error) {
	return c.read(ctx, "get_payment", entityPayment, id)
}
