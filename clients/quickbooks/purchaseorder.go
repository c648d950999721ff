package quickbooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// The bounds of a purchase order, in characters but for its lines.
const (
	// MaxNumber is the longest number of a document.
	MaxNumber      = 21
	maxLines       = 100
	maxDescription = 4000
	maxNote        = 4000
)

// NewPurchaseOrder is an order to create. Its lines are booked on an account, because
// what a repair uses up is no item of the company's list.
type NewPurchaseOrder struct {
	RequestID string
	// Number is the document's own, unique where the company wants that.
	Number   string
	VendorID string
	// AccountID is the expense account of the lines, PayablesID that of what is owed.
	AccountID, PayablesID string
	Lines                 []Line
	// Note is for the company itself; FindPurchaseOrder knows the order by it.
	Note string
	// Memo is for the vendor.
	Memo string
}

// Line is one line of an order. It costs Quantity times UnitPrice.
type Line struct {
	Text      string
	Quantity  int
	UnitPrice Amount
}

// PurchaseOrder is an order as QuickBooks knows it.
type PurchaseOrder struct {
	ID string
	// SyncToken is the order's version, which a change must name.
	SyncToken string
	Number    string
	VendorID  string
	Note      string
	Total     Amount
	// Closed tells that nothing more is expected of it.
	Closed bool
}

type wireOrder struct {
	ID          wire.ID   `json:"Id"`
	SyncToken   wire.Text `json:"SyncToken"`
	DocNumber   wire.Text `json:"DocNumber"`
	PrivateNote wire.Text `json:"PrivateNote"`
	POStatus    wire.Text `json:"POStatus"`
	TotalAmt    Amount    `json:"TotalAmt"`
	VendorRef   struct {
		Value wire.ID `json:"value"`
	} `json:"VendorRef"`
}

func (w wireOrder) order(op string, kind partner.Kind) (PurchaseOrder, error) {
	if w.ID == "" {
		return PurchaseOrder{}, &partner.Error{Op: "quickbooks." + op, Kind: kind, Message: "a purchase order without an id"}
	}
	return PurchaseOrder{
		ID: string(w.ID), SyncToken: string(w.SyncToken), Number: string(w.DocNumber), VendorID: string(w.VendorRef.Value),
		Note: string(w.PrivateNote), Total: w.TotalAmt, Closed: w.POStatus == "Closed",
	}, nil
}

// ref is how one object names another.
type ref struct {
	Value string `json:"value"`
}

type wireLine struct {
	DetailType string `json:"DetailType"`
	Amount     Amount `json:"Amount"`
	// Description says quantity and price, for which such a line has no fields.
	Description string `json:"Description"`
	Detail      struct {
		AccountRef ref `json:"AccountRef"`
	} `json:"AccountBasedExpenseLineDetail"`
}

// CreatePurchaseOrder books an order. A repeat with the same RequestID gets the first
// reply again. Errors are *partner.Error; Conflict says that the number is taken.
func (c *Client) CreatePurchaseOrder(ctx context.Context, o NewPurchaseOrder) (PurchaseOrder, error) {
	const op = "create_purchase_order"
	q, err := requestID(op, o.RequestID)
	if err == nil {
		err = number(op, o.VendorID, o.AccountID, o.PayablesID)
	}
	if err != nil {
		return PurchaseOrder{}, err
	}
	lines, err := o.lines()
	if err != nil {
		return PurchaseOrder{}, err
	}
	body := map[string]any{
		"DocNumber": o.Number, "VendorRef": ref{o.VendorID}, "APAccountRef": ref{o.PayablesID}, "Line": lines, "POStatus": "Open",
		"PrivateNote": clean(o.Note, maxNote), "Memo": clean(o.Memo, maxNote),
	}
	var reply wireOrder
	err = c.call(ctx, request{
		op: op, method: http.MethodPost, path: "/purchaseorder", query: q, body: body, key: "PurchaseOrder", personal: []string{o.Memo},
	}, &reply)
	if err != nil {
		return PurchaseOrder{}, err
	}
	return reply.order(op, partner.UnknownOutcome)
}

func (o NewPurchaseOrder) lines() ([]wireLine, error) {
	invalid := func(format string, a ...any) error {
		return &partner.Error{Op: "quickbooks.create_purchase_order", Kind: partner.Invalid, Message: fmt.Sprintf(format, a...)}
	}
	if n := len([]rune(o.Number)); n == 0 || n > MaxNumber {
		return nil, invalid("the number of an order has 1 to %d characters", MaxNumber)
	}
	if len(o.Lines) == 0 || len(o.Lines) > maxLines {
		return nil, invalid("an order has 1 to %d lines", maxLines)
	}
	var lines []wireLine
	for i, l := range o.Lines {
		if l.Quantity < 1 || l.Quantity > 1_000_000 || l.UnitPrice < 0 || l.UnitPrice > 100_000_000_000 {
			return nil, invalid("line %d has no sensible quantity or price", i+1)
		}
		w := wireLine{DetailType: "AccountBasedExpenseLineDetail", Amount: Amount(l.Quantity) * l.UnitPrice}
		w.Description = clean(fmt.Sprintf("%d x %s", l.Quantity, l.Text), maxDescription)
		w.Detail.AccountRef = ref{o.AccountID}
		lines = append(lines, w)
	}
	return lines, nil
}

// PurchaseOrder reads one order. Errors are *partner.Error; NotFound where it was
// deleted.
func (c *Client) PurchaseOrder(ctx context.Context, orderID string) (PurchaseOrder, error) {
	const op = "get_purchase_order"
	if err := number(op, orderID); err != nil {
		return PurchaseOrder{}, err
	}
	var reply wireOrder
	if err := c.get(ctx, op, "/purchaseorder/"+orderID, "PurchaseOrder", &reply); err != nil {
		return PurchaseOrder{}, err
	}
	return reply.order(op, partner.Malformed)
}

// FindPurchaseOrder finds the order with a number and a note. Errors are
// *partner.Error.
func (c *Client) FindPurchaseOrder(ctx context.Context, number, note string) (PurchaseOrder, bool, error) {
	const op = "find_purchase_order"
	var reply struct{ PurchaseOrder []wireOrder }
	if err := c.query(ctx, op, "select * from PurchaseOrder where DocNumber = "+quoted(number), &reply); err != nil {
		return PurchaseOrder{}, false, err
	}
	for _, w := range reply.PurchaseOrder {
		if string(w.PrivateNote) == clean(note, maxNote) {
			o, err := w.order(op, partner.Malformed)
			return o, err == nil, err
		}
	}
	return PurchaseOrder{}, false, nil
}

// DeletePurchaseOrder deletes an order; one that is gone already is fine. Where
// somebody changes it at the same moment it reads and tries a second time. Errors are
// *partner.Error.
func (c *Client) DeletePurchaseOrder(ctx context.Context, orderID string) error {
	return c.change(ctx, orderID, "delete_purchase_order", func(o PurchaseOrder) (url.Values, map[string]any) {
		return url.Values{"operation": {"delete"}}, map[string]any{"Id": o.ID, "SyncToken": o.SyncToken}
	})
}

// ClosePurchaseOrder says that nothing more is expected of an order, for one that
// cannot be deleted any more. Errors are *partner.Error.
func (c *Client) ClosePurchaseOrder(ctx context.Context, orderID string) error {
	return c.change(ctx, orderID, "close_purchase_order", func(o PurchaseOrder) (url.Values, map[string]any) {
		if o.Closed {
			return nil, nil
		}
		return nil, map[string]any{"Id": o.ID, "SyncToken": o.SyncToken, "sparse": true, "POStatus": "Closed", "VendorRef": ref{o.VendorID}}
	})
}

// change reads the order and posts what post makes of it; no body is no change.
func (c *Client) change(ctx context.Context, orderID, op string, post func(PurchaseOrder) (url.Values, map[string]any)) error {
	const tries = 2
	for try := 1; ; try++ {
		o, err := c.PurchaseOrder(ctx, orderID)
		if err == nil {
			query, body := post(o)
			if body == nil {
				return nil
			}
			var reply struct{}
			err = c.call(ctx, request{op: op, method: http.MethodPost, path: "/purchaseorder", query: query, body: body, key: "PurchaseOrder"}, &reply)
		}
		if partner.KindOf(err) == partner.NotFound {
			return nil
		}
		var e *partner.Error
		if try == tries || !errors.As(err, &e) || e.Code != codeStale {
			return err
		}
	}
}
