package quickbooks

import (
	"cmp"
	"context"
)

// NewBill is a vendor's bill to create.
type NewBill struct {
	RequestID, Number string
	VendorID          string
	// PayablesID is the account of what is owed.
	PayablesID string
	// Day and DueDay are YYYY-MM-DD.
	Day, DueDay string
	// Note is for the company itself.
	Note  string
	Lines []BillLine
}

// BillLine is one line of a bill, booked on an account.
type BillLine struct {
	AccountID string
	Text      string
	Amount    Amount
}

// CreateBill makes a bill. A repeat with the same RequestID gets the first reply again.
// Errors are *partner.Error; Conflict says that the number is taken.
func (c *Client) CreateBill(ctx context.Context, b NewBill) (Document, error) {
	const op = "create_bill"
	err := cmp.Or(documentNumber(op, b.Number), number(op, b.VendorID, b.PayablesID), day(op, b.Day), day(op, b.DueDay))
	var lines []wireLine
	var sums []Amount
	var personal []string
	total := Amount(0)
	for _, l := range b.Lines {
		err = cmp.Or(err, number(op, l.AccountID))
		w := wireLine{DetailType: "AccountBasedExpenseLineDetail", Amount: l.Amount, Description: clean(l.Text, maxDescription)}
		w.Detail.AccountRef = ref{l.AccountID}
		lines, sums, personal = append(lines, w), append(sums, l.Amount), append(personal, l.Text)
		total += l.Amount
	}
	if err := cmp.Or(err, amounts(op, sums...)); err != nil {
		return Document{}, err
	}
	made, err := c.create(ctx, op, entityBill, b.RequestID, map[string]any{
		"DocNumber": b.Number, "VendorRef": ref{b.VendorID}, "APAccountRef": ref{b.PayablesID}, "TxnDate": b.Day, "DueDate": b.DueDay,
		"PrivateNote": clean(b.Note, maxNote), "Line": lines,
	}, personal)
	return made, sameTotal(op, made, total, err)
}

// Bill reads one. Errors are *partner.Error; NotFound where it was deleted.
func (c *Client) Bill(ctx context.Context, id string) (Document, error) {
	return c.read(ctx, "get_bill", entityBill, id)
}
