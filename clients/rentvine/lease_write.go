package rentvine

import (
	"context"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

// LeaseChange holds the dates to change, YYYY-MM-DD; nil leaves one alone, "" clears
// it. A lease has no rent: that is its recurring charges (contracts/rentvine.md 2.3).
type LeaseChange struct {
	StartDate, EndDate, NoticeDate, ExpectedMoveOutDate *string
}

// UpdateLease changes the given dates and no others, and returns the lease as it reads
// afterwards: RentVine may answer 200 and change nothing (contracts/rentvine.md 4.4),
// so the caller compares. Setting dates twice does no harm. Errors are *partner.Error;
// one of the second read leaves the change done.
func (c *Client) UpdateLease(ctx context.Context, leaseID string, change LeaseChange) (Lease, error) {
	const op = "update_lease"
	if err := number(op, leaseID); err != nil {
		return Lease{}, err
	}
	b := bare(op)
	b.day("startDate", DateLayout, change.StartDate)
	b.day("endDate", DateLayout, change.EndDate)
	b.day("noticeDate", DateLayout, change.NoticeDate)
	b.day("expectedMoveOutDate", DateLayout, change.ExpectedMoveOutDate)
	if err := b.send(ctx, c, "/leases/"+leaseID); err != nil {
		return Lease{}, err
	}
	return c.LeaseWithTenants(ctx, leaseID)
}

// bare is an empty body without the flags of a work order.
func bare(op string) *body { return &body{op: op, fields: map[string]any{}} }

// day sends a day in a layout, "" as null, nil not at all.
func (b *body) day(name, layout string, day *string) {
	if day == nil || *day == "" {
		b.orNull(name, day)
		return
	}
	at, err := time.Parse(DateLayout, *day)
	if err != nil {
		b.err = &partner.Error{Op: "rentvine." + b.op, Kind: partner.Invalid, Message: name + " is not a date as 2026-11-21"}
		return
	}
	b.put(name, at.Format(layout))
}

// send posts the body and takes any object for a reply, for the caller reads what came
// of it. Nothing to change is partner.Invalid.
func (b *body) send(ctx context.Context, c *Client, path string) error {
	switch {
	case b.err != nil:
		return b.err
	case len(b.fields) == 0:
		return &partner.Error{Op: "rentvine." + b.op, Kind: partner.Invalid, Message: "there is nothing to change"}
	}
	var done struct{}
	return c.post(ctx, b.op, path, b.fields, one(&done, func(row) (struct{}, error) { return struct{}{}, nil }))
}
