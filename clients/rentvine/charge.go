package rentvine

import (
	"context"

	"github.com/aictive/keyholder/clients/partner"
)

// RecurringCharge is what a lease is charged each period (contracts/rentvine.md 2.3).
// The rent is the sum of those in force that are IsRent (2.4).
type RecurringCharge struct {
	ID, AccountID, Description string
	// Amount is a decimal in the account's currency, such as "1850.00".
	Amount string
	IsRent bool
	// StartDate and EndDate are YYYY-MM-DD, "" for none; the wire has MM/DD/YYYY.
	StartDate, EndDate string
	// Frequency is RentVine's own value, whose meaning is not documented, and DayDue
	// the day of the month, 0 where RentVine does not say.
	Frequency string
	DayDue    int
}

// NewRecurringCharge is what a recurring charge is created from (contracts/rentvine.md
// 2.3). What Frequency may be is not documented: copy it from an existing charge.
type NewRecurringCharge struct {
	AccountID, Description string
	// Amount is a decimal such as "1850.00".
	Amount string
	// StartDate and EndDate are YYYY-MM-DD; EndDate may be "".
	StartDate, EndDate string
	// Frequency and DayDue are left to RentVine where "" and 0.
	Frequency string
	DayDue    int
}

// RecurringChargeChange holds the fields to change; nil leaves one alone, "" clears the
// end. EndDate is YYYY-MM-DD.
type RecurringChargeChange struct {
	Amount, EndDate, Description *string
}

func chargesPath(leaseID string) string { return "/leases/" + leaseID + "/recurring-charges" }

// RecurringCharges reads all charges of a lease, past and future ones too. Errors are
// *partner.Error.
func (c *Client) RecurringCharges(ctx context.Context, leaseID string) ([]RecurringCharge, error) {
	const op = "list_recurring_charges"
	if err := number(op, leaseID); err != nil {
		return nil, err
	}
	return list[RecurringCharge]{
		op: op, path: chargesPath(leaseID), from: chargeFrom, id: func(r RecurringCharge) string { return r.ID },
	}.all(ctx, c)
}

type wireCharge struct {
	LeaseRecurringChargeID key          `json:"leaseRecurringChargeID"`
	AccountID              key          `json:"accountID"`
	Description            text         `json:"description"`
	Amount                 text         `json:"amount"`
	StartDate              date         `json:"startDate"`
	EndDate                date         `json:"endDate"`
	Frequency              text         `json:"frequency"`
	DayDue                 lenientWhole `json:"dayDue"`
}

func chargeFrom(r row) (RecurringCharge, error) {
	var w wireCharge
	if err := r.into("recurringCharge", &w); err != nil {
		return RecurringCharge{}, err
	}
	if w.LeaseRecurringChargeID == "" {
		return RecurringCharge{}, partner.ShapeError("a recurring charge without an id")
	}
	var account struct {
		AccountID key  `json:"accountID"`
		IsRent    flag `json:"isRent"`
	}
	if err := r.beside("account", &account); err != nil {
		return RecurringCharge{}, err
	}
	return RecurringCharge{
		ID: string(w.LeaseRecurringChargeID), AccountID: firstKey(w.AccountID, account.AccountID),
		Description: string(w.Description), Amount: string(w.Amount), IsRent: bool(account.IsRent),
		StartDate: string(w.StartDate), EndDate: string(w.EndDate), Frequency: string(w.Frequency), DayDue: w.DayDue.positive(),
	}, nil
}

// AddRecurringCharge adds a charge to a lease and returns its id. It is not safe to
// repeat: nothing stops a second one (contracts/rentvine.md 4.6), so where an earlier
// try may have got through, look through RecurringCharges first. The reply's form is
// not documented; one that names no charge is partner.UnknownOutcome. Errors are
// *partner.Error.
func (c *Client) AddRecurringCharge(ctx context.Context, leaseID string, n NewRecurringCharge) (id string, err error) {
	const op = "add_recurring_charge"
	if err := number(op, leaseID); err != nil {
		return "", err
	}
	b := bare(op)
	b.id("accountID", &n.AccountID)
	b.put("amount", n.Amount)
	b.put("description", n.Description)
	b.day("startDate", USDateLayout, &n.StartDate)
	if n.EndDate != "" {
		b.day("endDate", USDateLayout, &n.EndDate)
	}
	if n.Frequency != "" {
		b.put("frequency", n.Frequency)
	}
	if n.DayDue != 0 {
		b.put("dayDue", n.DayDue)
	}
	if b.err != nil {
		return "", b.err
	}
	err = c.post(ctx, op, chargesPath(leaseID), b.fields, one(&id, newChargeID))
	return id, err
}

func newChargeID(r row) (string, error) {
	var w wireCharge
	if err := r.wrappedOrBare("leaseRecurringChargeID", &w, "recurringCharge", "leaseRecurringCharge"); err != nil {
		return "", err
	}
	if w.LeaseRecurringChargeID == "" {
		return "", partner.ShapeError("a recurring charge without an id")
	}
	return string(w.LeaseRecurringChargeID), nil
}

// UpdateRecurringCharge changes the given fields of a charge and no others, and returns
// it as it reads afterwards: RentVine may answer 200 and change nothing
// (contracts/rentvine.md 4.4), so the caller compares. Setting fields twice does no
// harm. Errors are *partner.Error; NotFound where the lease has no such charge
// afterwards.
func (c *Client) UpdateRecurringCharge(
	ctx context.Context, leaseID, chargeID string, change RecurringChargeChange,
) (RecurringCharge, error) {
	const op = "update_recurring_charge"
	if err := number(op, leaseID, chargeID); err != nil {
		return RecurringCharge{}, err
	}
	b := bare(op)
	b.day("endDate", USDateLayout, change.EndDate)
	if change.Amount != nil {
		b.put("amount", *change.Amount)
	}
	if change.Description != nil {
		b.put("description", *change.Description)
	}
	if err := b.send(ctx, c, chargesPath(leaseID)+"/"+chargeID); err != nil {
		return RecurringCharge{}, err
	}
	charges, err := c.RecurringCharges(ctx, leaseID)
	if err != nil {
		return RecurringCharge{}, err
	}
	for _, r := range charges {
		if r.ID == chargeID {
			return r, nil
		}
	}
	return RecurringCharge{}, &partner.Error{Op: "rentvine." + op, Kind: partner.NotFound, Message: "the lease has no such charge"}
}
