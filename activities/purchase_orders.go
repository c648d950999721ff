package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/quickbooks"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// QueueQuickBooks is the task queue of everything that calls QuickBooks.
const QueueQuickBooks = "keyholder-quickbooks"

// CreatePurchaseOrder books an order in QuickBooks, where that is configured, and mails
// it to the vendor. It is safe to repeat: QuickBooks deduplicates by a requestid made
// of Ref (contracts/sms-and-accounting.md 2), a try that may be a repeat looks for the
// order first, and the mail has its Message-ID. KEYHOLDER_OUTBOUND and the pause are
// about messages, and so hold the mail back, but not the booking.
var CreatePurchaseOrder = durable.Activity[PurchaseOrderInput, PurchaseOrder]{
	Name: "quickbooks.create_purchase_order", Queue: QueueQuickBooks, Attempt: time.Minute, Within: 72 * time.Hour,
}

// CancelPurchaseOrder deletes the order in QuickBooks, or closes one that cannot be
// deleted any more, and tells the vendor, where the order was mailed. It is safe to
// repeat: an order that is gone already is fine, and the mail has its Message-ID.
var CancelPurchaseOrder = durable.Activity[CancelPurchaseOrderInput, None]{
	Name: "quickbooks.cancel_purchase_order", Queue: QueueQuickBooks, Attempt: time.Minute, Within: 72 * time.Hour,
}

// PurchaseOrderInput is an order to a vendor or supplier.
type PurchaseOrderInput struct {
	// Ref is the workflow's id and step: the same for every try, and for no other order.
	Ref string `json:"ref"`
	// Number is what people call the order, such as "WO1004-1"; at most 21 characters.
	Number          string `json:"number"`
	WorkOrderID     string `json:"work_order_id"`
	WorkOrderNumber string `json:"work_order_number"`
	// Vendor is who delivers; VendorContact is the contactID at RentVine.
	Vendor        Person `json:"vendor"`
	VendorContact string `json:"vendor_contact"`
	// Currency is ISO 4217, for the mail; QuickBooks books in the company's own.
	Currency string      `json:"currency"`
	Lines    []OrderLine `json:"lines"`
	// Address is where the work is done or the parts go; Company is who orders.
	Address string `json:"address"`
	Company string `json:"company"`
}

// OrderLine is one line of an order.
type OrderLine struct {
	Text     string       `json:"text"`
	Quantity int          `json:"quantity"`
	UnitCost policy.Cents `json:"unit_cost"`
}

// PurchaseOrder is an order that was placed.
type PurchaseOrder struct {
	// ID is QuickBooks' own, "" where it was not booked.
	ID     string       `json:"id,omitempty"`
	Number string       `json:"number"`
	Total  policy.Cents `json:"total"`
	// Booked tells whether QuickBooks has it.
	Booked bool `json:"booked"`
	// Mail is what became of the mail to the vendor.
	Mail SentOutcome `json:"mail"`
}

// CancelPurchaseOrderInput names an order that was placed.
type CancelPurchaseOrderInput struct {
	// Ref is the same as at the creation. ID may be "" where nobody knows whether that
	// got through: then the order is looked for.
	Ref     string `json:"ref"`
	ID      string `json:"id,omitempty"`
	Number  string `json:"number"`
	Vendor  Person `json:"vendor"`
	Company string `json:"company"`
}

// QuickBooks is how orders are booked.
type QuickBooks struct {
	// Client is nil where QuickBooks is not configured.
	Client *quickbooks.Client
	// Account is the name of the expense account of orders.
	Account string
}

// QuickBooksAccount is the expense account where none is configured.
const QuickBooksAccount = "Repairs & Maintenance"

func (a *Activities) createPurchaseOrder(ctx context.Context, in PurchaseOrderInput) (PurchaseOrder, error) {
	vendor, err := a.supplier(ctx, in.Vendor)
	if err != nil {
		return PurchaseOrder{}, toTemporal(ctx, err)
	}
	in.Vendor = vendor
	out := PurchaseOrder{Number: in.Number}
	for _, l := range in.Lines {
		out.Total += policy.Cents(l.Quantity) * l.UnitCost
	}
	if a.QuickBooks.Client != nil {
		id, err := a.bookOrder(ctx, in)
		if err != nil {
			return PurchaseOrder{}, toTemporal(ctx, err)
		}
		out.ID, out.Booked = id, true
	}
	text, html, err := orderMail(in, out.Total)
	if err != nil {
		return PurchaseOrder{}, err
	}
	subject := fmt.Sprintf("Purchase order %s from %s", in.Number, in.Company)
	out.Mail, err = a.mailOnce(ctx, orderKey(in.Ref), in.Vendor, mail.Message{Subject: oneLine(subject), Text: text, HTML: html}, "purchase order "+in.Number)
	return out, toTemporal(ctx, err)
}

// supplier is the vendor with name and addresses: who sells parts is known by the
// contact alone.
func (a *Activities) supplier(ctx context.Context, vendor Person) (Person, error) {
	contact, ok := strings.CutPrefix(vendor.ID, "contact:")
	if vendor.Name != "" || !ok {
		return vendor, nil
	}
	vendors, _, err := a.vendorsAndTrades(ctx)
	if err != nil {
		return vendor, err
	}
	for _, v := range vendors {
		if v.ID == contact {
			return a.person(v.ID, v.Name, v.Phone, v.Email), nil
		}
	}
	return vendor, nil
}

// orderKey names the mail of an order for ever.
func orderKey(ref string) string { return ref + "/purchase-order-mail" }

// orderNote is by what an order in QuickBooks is known as ours.
func orderNote(ref string) string { return "Keyholder order " + ref }

// bookOrder books once and returns QuickBooks' id.
func (a *Activities) bookOrder(ctx context.Context, in PurchaseOrderInput) (string, error) {
	qb := a.QuickBooks.Client
	key := in.Ref + "/quickbooks"
	if done, err := a.Store.Effect(ctx, key); err == nil && done.Done {
		record(ctx, orderEffect(in, key).entry(done.Ref))
		return done.Ref, nil
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	order := quickbooks.NewPurchaseOrder{
		RequestID: quickbooks.RequestID(in.Ref, "purchase order"), Number: in.Number, Note: orderNote(in.Ref),
		Memo: in.Address,
	}
	if in.WorkOrderNumber != "" {
		order.Memo = fmt.Sprintf("Work order %s, %s", in.WorkOrderNumber, in.Address)
	}
	for _, l := range in.Lines {
		order.Lines = append(order.Lines, quickbooks.Line{Text: l.Text, Quantity: l.Quantity, UnitPrice: quickbooks.Amount(l.UnitCost)})
	}
	vendor, err := a.bookedVendor(ctx, in)
	if err != nil {
		return "", err
	}
	account, found, err := qb.FindAccount(ctx, a.QuickBooks.Account)
	if err = orMissing(found, err, "QuickBooks has no active account "+a.QuickBooks.Account+": set KEYHOLDER_QUICKBOOKS_ACCOUNT to the one that repairs are booked on"); err != nil {
		return "", err
	}
	payables, found, err := qb.PayablesAccount(ctx)
	if err = orMissing(found, err, "QuickBooks has no active account of the type Accounts Payable: add one"); err != nil {
		return "", err
	}
	order.VendorID, order.AccountID, order.PayablesID = vendor, account.ID, payables.ID
	e := orderEffect(in, key)
	e.find = func(ctx context.Context, _ time.Time) (string, bool, error) {
		o, found, err := qb.FindPurchaseOrder(ctx, in.Number, order.Note)
		return o.ID, found, err
	}
	e.act = func(ctx context.Context) (string, error) {
		o, err := qb.CreatePurchaseOrder(ctx, order)
		return o.ID, err
	}
	return a.once(ctx, e)
}

// orderEffect names the booking of an order.
func orderEffect(in PurchaseOrderInput, key string) effect {
	return effect{key: key, about: writing(atQuickBooks, fmt.Sprintf("purchase order %s to %s", in.Number, in.Vendor.ID))}
}

// orMissing is an error that waiting mends, once somebody has added what is missing.
func orMissing(found bool, err error, message string) error {
	if err == nil && !found {
		err = &partner.Error{Op: CreatePurchaseOrder.Name, Kind: partner.Forbidden, Message: message}
	}
	return err
}

// bookedVendor is the id of the vendor in QuickBooks, where it is made if it is not
// there. The name may be a customer's already, as an owner may be a vendor too; then
// the vendor is told apart.
func (a *Activities) bookedVendor(ctx context.Context, in PurchaseOrderInput) (string, error) {
	qb := a.QuickBooks.Client
	name := quickbooks.VendorName(in.Vendor.Name)
	if name == "" {
		return "", &partner.Error{Op: CreatePurchaseOrder.Name, Kind: partner.Invalid, Message: "the vendor has no name"}
	}
	var taken error
	for i, name := range []string{name, name + " (vendor " + in.VendorContact + ")"} {
		id, err := a.vendorNamed(ctx, in, i, name)
		if partner.KindOf(err) != partner.Conflict {
			return id, err
		}
		taken = err
		// Another order may have made it at the same time.
		if v, found, err := qb.FindVendor(ctx, name); err != nil || found {
			return v.ID, err
		}
	}
	return "", taken
}

// vendorNamed is the id of the vendor of a name, which is the i-th that is tried. It is
// made once where QuickBooks does not have it.
func (a *Activities) vendorNamed(ctx context.Context, in PurchaseOrderInput, i int, name string) (string, error) {
	qb := a.QuickBooks.Client
	key := fmt.Sprintf("%s/quickbooks-vendor/%d", in.Ref, i)
	_, err := a.Store.Effect(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		// Nobody has begun to make it: then what is found was there before.
		v, found, err := qb.FindVendor(ctx, name)
		if err != nil || found {
			return v.ID, err
		}
	} else if err != nil {
		return "", err
	}
	return a.once(ctx, effect{
		key: key, about: writing(atQuickBooks, "vendor "+in.Vendor.ID),
		find: func(ctx context.Context, _ time.Time) (string, bool, error) {
			v, found, err := qb.FindVendor(ctx, name)
			return v.ID, found, err
		},
		act: func(ctx context.Context) (string, error) {
			v, err := qb.CreateVendor(ctx, quickbooks.NewVendor{
				RequestID: quickbooks.RequestID(in.Ref, "vendor "+name), Name: name, Email: in.Vendor.Email, Phone: in.Vendor.Phone,
			})
			return v.ID, err
		},
	})
}

func (a *Activities) cancelPurchaseOrder(ctx context.Context, in CancelPurchaseOrderInput) (None, error) {
	if a.QuickBooks.Client != nil {
		if err := a.unbookOrder(ctx, in); err != nil {
			return None{}, toTemporal(ctx, err)
		}
	}
	placed, err := a.Store.Effect(ctx, orderKey(in.Ref))
	if errors.Is(err, store.ErrNotFound) || err == nil && !placed.Done {
		// Who was not asked for anything need not be told.
		return None{}, nil
	}
	if err != nil {
		return None{}, err
	}
	if in.Vendor, err = a.supplier(ctx, in.Vendor); err != nil {
		return None{}, toTemporal(ctx, err)
	}
	text, html, err := cancellationMail(in)
	if err != nil {
		return None{}, err
	}
	subject := fmt.Sprintf("Cancelled: purchase order %s from %s", in.Number, in.Company)
	_, err = a.mailOnce(ctx, in.Ref+"/purchase-order-cancelled", in.Vendor, mail.Message{Subject: oneLine(subject), Text: text, HTML: html}, "purchase order "+in.Number+" is cancelled")
	return None{}, toTemporal(ctx, err)
}

func (a *Activities) unbookOrder(ctx context.Context, in CancelPurchaseOrderInput) error {
	qb, id := a.QuickBooks.Client, in.ID
	if id == "" {
		o, found, err := qb.FindPurchaseOrder(ctx, in.Number, orderNote(in.Ref))
		if err != nil || !found {
			return err
		}
		id = o.ID
	}
	how, err := "deleted", qb.DeletePurchaseOrder(ctx, id)
	if kind := partner.KindOf(err); kind == partner.Invalid || kind == partner.Conflict {
		// Something was booked against it meanwhile.
		how, err = "closed", qb.ClosePurchaseOrder(ctx, id)
	}
	if err == nil {
		a.wroteAt(ctx, true, "", writing(atQuickBooks, "purchase order "+in.Number+" "+how), id)
	}
	return err
}
