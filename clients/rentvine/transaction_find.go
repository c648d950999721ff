package rentvine

import (
	"context"
	"errors"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

// TransactionHint is where a transaction may be; what is not known is "".
type TransactionHint struct {
	LeaseID, PropertyID string
	// Day is when it was posted, YYYY-MM-DD.
	Day string
}

// maxFindPages bounds a search through the transactions of all properties.
const maxFindPages = 20

// errManyPages is a search that ended before the list did.
var errManyPages = errors.New("the transaction is not on the first pages of a list that has more")

// FindTransaction reads a transaction by its id, voided or not; found is false where
// RentVine does not have it. RentVine documents no path for one transaction
// (contracts/rentvine.md 2.10), so it is searched for: in the hinted property around
// the hinted day, in the lease's property (which counts more than the hint), there
// from the beginning, and last in 20 pages of all properties. It is assumed that the
// search shows voided ones where it is not told otherwise, and that a transaction of a
// lease is in the lease's property: where that was read to its end, the transaction is
// not there. Where nothing was, the error is partner.Invalid, not "not found": the
// books would take back what is there. Errors are *partner.Error.
func (c *Client) FindTransaction(ctx context.Context, id string, hint TransactionHint) (t Transaction, found bool, err error) {
	const op = "find_transaction"
	if err := number(op, id); err != nil {
		return Transaction{}, false, err
	}
	for _, hinted := range []string{hint.LeaseID, hint.PropertyID} {
		if err := number(op, hinted); hinted != "" && err != nil {
			return Transaction{}, false, err
		}
	}
	property := hint.PropertyID
	if t, found, err = c.findAround(ctx, id, property, hint.Day); found || err != nil {
		return t, found, err
	}
	ofLease, err := c.propertyOfLease(ctx, hint.LeaseID)
	if err != nil {
		return Transaction{}, false, err
	}
	if ofLease != "" && ofLease != property {
		property = ofLease
		if t, found, err = c.findAround(ctx, id, property, hint.Day); found || err != nil {
			return t, found, err
		}
	}
	searched := false // the lease's property, to its end
	if property != "" {
		t, found, err = c.find(ctx, id, TransactionFilter{PropertyID: property}, maxPages)
		if found || err != nil && !errors.Is(err, errManyPages) {
			return t, found, err
		}
		searched = err == nil && property == ofLease
	}
	t, found, err = c.find(ctx, id, TransactionFilter{}, maxFindPages)
	if errors.Is(err, errManyPages) {
		if searched {
			return Transaction{}, false, nil
		}
		err = &partner.Error{Op: "rentvine." + op, Kind: partner.Invalid, Message: errManyPages.Error()}
	}
	return t, found, err
}

// propertyOfLease is "" where there is no lease, or RentVine does not have it.
func (c *Client) propertyOfLease(ctx context.Context, leaseID string) (string, error) {
	if leaseID == "" {
		return "", nil
	}
	lease, err := c.LeaseWithTenants(ctx, leaseID)
	if partner.KindOf(err) == partner.NotFound {
		return "", nil
	}
	return lease.PropertyID, err
}

// findAround looks on a day, the one before and the one after: in which zone RentVine
// takes a day is not known. It finds nothing where property or day is not known.
func (c *Client) findAround(ctx context.Context, id, property, day string) (Transaction, bool, error) {
	at, _ := time.Parse(DateLayout, day) // zero where it is none
	if at.IsZero() || property == "" {
		return Transaction{}, false, nil
	}
	t, found, err := c.find(ctx, id, TransactionFilter{
		PropertyID: property, From: at.AddDate(0, 0, -1).Format(DateLayout), To: at.AddDate(0, 0, 1).Format(DateLayout),
	}, maxPages)
	if errors.Is(err, errManyPages) {
		err = nil
	}
	return t, found, err
}

// find walks at most so many pages; if there are more, the error is errManyPages.
func (c *Client) find(ctx context.Context, id string, f TransactionFilter, pages int) (t Transaction, found bool, err error) {
	l := f.list()
	l.most = pages + 1
	more := false
	err = l.eachFrom(ctx, c, 1, func(page int, r Transaction) bool {
		found, more = r.ID == id, page > pages
		if found {
			t = r
		}
		return !found && !more
	})
	if err == nil && more && !found {
		err = errManyPages
	}
	return t, found, err
}
