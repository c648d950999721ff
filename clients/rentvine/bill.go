package rentvine

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/aictive/keyholder/clients/partner"
)

// Bill is what a vendor is owed (contracts/rentvine.md 2.10).
type Bill struct {
	ID, PayeeContactID string
	// Day and DueDay are YYYY-MM-DD.
	Day, DueDay            string
	Reference, WorkOrderID string
	Voided                 bool
	Charges                []BillCharge
	// PropertyID, UnitID and PortfolioID are those that the bill or all its charges
	// name, "" where none is named; Ledger tells what a charge's ledger is of.
	PropertyID, UnitID, PortfolioID string
}

// BillCharge is a line of a bill.
type BillCharge struct {
	LedgerID, AccountID string
	// Amount is a decimal in the account's currency, such as "120.00".
	Amount, Description string
}

// Bill reads one bill. One without a list of charges is partner.Malformed: it would
// look like nothing owed. Errors are *partner.Error.
func (c *Client) Bill(ctx context.Context, id string) (Bill, error) {
	const op = "get_bill"
	var out Bill
	if err := number(op, id); err != nil {
		return out, err
	}
	err := c.get(ctx, op, "/accounting/bills/"+id, nil, one(&out, billFrom))
	return out, err
}

// maxAccountPages bounds a walk over bills or transactions.
const maxAccountPages = 1000

// EachBill shows each bill from a page on, counting from 1, until each says stop, and tells
// it which page a bill is on. No filter is documented, nor that a list shows the charges
// of a bill: they are left out, and with them the places. It walks at most 1,000 pages of
// 100 rows; more is partner.Invalid. Errors are *partner.Error.
func (c *Client) EachBill(ctx context.Context, fromPage int, each func(page int, b Bill) (more bool)) error {
	return list[Bill]{
		op: "list_bills", path: "/accounting/bills", id: func(b Bill) string { return b.ID }, most: maxAccountPages, passes: true,
		from: func(r row) (Bill, error) {
			var w wireBill
			if err := r.into("bill", &w); err != nil {
				return Bill{}, err
			}
			return w.head()
		},
	}.eachFrom(ctx, c, fromPage, each)
}

type wireBill struct {
	BillID         key             `json:"billID"`
	PayeeContactID key             `json:"payeeContactID"`
	BillDate       date            `json:"billDate"`
	DateDue        date            `json:"dateDue"`
	Reference      text            `json:"reference"`
	WorkOrderID    key             `json:"workOrderID"`
	IsVoided       flag            `json:"isVoided"`
	PropertyID     key             `json:"propertyID"`
	UnitID         key             `json:"unitID"`
	PortfolioID    key             `json:"portfolioID"`
	Charges        json.RawMessage `json:"charges"`
}

type wireBillCharge struct {
	LedgerID        key        `json:"ledgerID"`
	ChargeAccountID key        `json:"chargeAccountID"`
	AccountID       key        `json:"accountID"`
	Amount          text       `json:"amount"`
	Description     text       `json:"description"`
	Ledger          wireLedger `json:"ledger"`
}

// head is a bill without its charges and places.
func (w wireBill) head() (Bill, error) {
	if w.BillID == "" {
		return Bill{}, partner.ShapeError("a bill without an id")
	}
	return Bill{
		ID: string(w.BillID), PayeeContactID: string(w.PayeeContactID), Day: string(w.BillDate), DueDay: string(w.DateDue),
		Reference: string(w.Reference), WorkOrderID: string(w.WorkOrderID), Voided: bool(w.IsVoided),
	}, nil
}

func billFrom(r row) (Bill, error) {
	var w wireBill
	if err := r.into("bill", &w); err != nil {
		return Bill{}, err
	}
	b, err := w.head()
	if err != nil {
		return Bill{}, err
	}
	// Whether the charges are in the bill or beside it is not documented.
	raw := w.Charges
	if len(raw) == 0 {
		raw = r["charges"]
	}
	var charges []wireBillCharge
	if b := bytes.TrimSpace(raw); len(b) == 0 || b[0] != '[' {
		return Bill{}, partner.ShapeError("a bill without a list of charges")
	}
	if err := json.Unmarshal(raw, &charges); err != nil {
		return Bill{}, err
	}
	var of Ledger
	for i, c := range charges {
		b.Charges = append(b.Charges, BillCharge{
			LedgerID: firstKey(c.LedgerID, c.Ledger.LedgerID), AccountID: firstKey(c.ChargeAccountID, c.AccountID),
			Amount: string(c.Amount), Description: string(c.Description),
		})
		here := c.Ledger.place()
		if i == 0 {
			of = here
		}
		of = of.common(here)
	}
	b.PropertyID = firstKey(w.PropertyID, key(of.PropertyID))
	b.UnitID = firstKey(w.UnitID, key(of.UnitID))
	b.PortfolioID = firstKey(w.PortfolioID, key(of.PortfolioID))
	return b, nil
}

// common keeps the places that both ledgers name.
func (l Ledger) common(other Ledger) Ledger {
	for mine, its := range map[*string]string{&l.PortfolioID: other.PortfolioID, &l.PropertyID: other.PropertyID, &l.UnitID: other.UnitID} {
		if *mine != its {
			*mine = ""
		}
	}
	return l
}
