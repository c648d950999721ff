package quickbooks

import (
	"cmp"
	"context"
)

// NewInvoice is an invoice to create.
type NewInvoice struct {
	RequestID, Number string
	CustomerID        string
	// Day and DueDay are YYYY-MM-DD.
	Day, DueDay string
	// Note is for the company itself.
	Note  string
	Lines []SalesLine
}

// SalesLine is one line of an invoice. The item says on which account it is booked.
type SalesLine struct {
	ItemID string
	Text   string
	Amount Amount
}

// CreateInvoice makes an invoice. A repeat with the same RequestID gets the first reply
// again. The total is above that of the lines where the company adds sales tax. Errors
// are *partner.Error; Conflict says that the number is taken.
func (c *Client) CreateInvoice(ctx context.Context, i NewInvoice) (Document, error) {
	const op = "create_invoice"
	err := cmp.Or(documentNumber(op, i.Number), number(op, i.CustomerID), day(op, i.Day), day(op, i.DueDay))
	var lines []map[string]any
	var sums []Amount
	var personal []string
	for _, l := range i.Lines {
		err = cmp.Or(err, number(op, l.ItemID))
		lines = append(lines, map[string]any{
			"DetailType": "SalesItemLineDetail", "Amount": l.Amount, "Description": clean(l.Text, maxDescription),
			"SalesItemLineDetail": map[string]any{"ItemRef": ref{l.ItemID}},
		})
		sums, personal = append(sums, l.Amount), append(personal, l.Text)
	}
	if err := cmp.Or(err, amounts(op, sums...)); err != nil {
		return Document{}, err
	}
	return c.create(ctx, op, entityInvoice, i.RequestID, map[string]any{
		"DocNumber": i.Number, "CustomerRef": ref{i.CustomerID}, "TxnDate": i.Day, "DueDate": i.DueDay,
		"PrivateNote": clean(i.Note, maxNote), "Line": lines,
	}, personal)
}

// Invoice reads one. Errors are *partner.Error; NotFound where it was deleted.
func (c *Client) Invoice(ctx context.Context, id string) (Document, error) {
	return c.read(ctx, "get_invoice", entityInvoice, id)
}
