package activities

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/activities/ownerfigures"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/workflows/durable"
)

// SweepLeases goes through the leases of RentVine that are not closed, and those closed
// since they were seen, and tells each lease's workflow where something is new: what no
// webhook has told. It changes nothing at RentVine, and a lease that it has told of is
// not told of again until it changes, so repeating it is harmless. A walk that breaks off
// goes on with the page on which it was.
var SweepLeases = durable.Activity[None, SweptLeases]{
	Name: "rentvine.sweep_leases", Queue: QueueBulk, Attempt: time.Hour, Heartbeat: 2 * time.Minute, Priority: 5,
}

// SweptLeases tells what a sweep has done.
type SweptLeases struct {
	// Seen counts leases, Told those whose workflow was told.
	Seen int `json:"seen"`
	Told int `json:"told"`
	// Page is where a walk that broke off goes on; Began is when it began (business time).
	Page  int       `json:"page,omitempty"`
	Began time.Time `json:"began,omitzero"`
}

// tellLeasesEvery is the pause between two leases that are told (real time): each reads
// RentVine, whose limits are not known (contracts/rentvine.md 1.7).
const tellLeasesEvery = 50 * time.Millisecond

// seenLeaseFor is after how long a lease is told of again although nothing is new, so
// that a workflow that was ended by mistake begins again (real time).
const seenLeaseFor = 180 * 24 * time.Hour

func (a *Activities) sweepLeases(ctx context.Context, _ None) (SweptLeases, error) {
	swept := resumed(ctx, SweptLeases{Page: 1})
	if swept.Began.IsZero() {
		swept.Began = a.businessNow()
	}
	// Before all were looked through once, nothing is known that could have changed.
	looked, failed := a.Store.Setting(ctx, ownerfigures.SettingTenanciesRead)
	if failed != nil {
		return SweptLeases{}, toTemporal(ctx, failed)
	}
	err := a.RentVine.EachLeaseFrom(ctx, max(swept.Page, 1), time.Time{}, nil, func(page int, l rentvine.Lease) bool {
		swept.Page = page
		swept.Seen++
		told, err := a.sweepLease(ctx, l)
		if err == nil {
			err = a.keepTenancy(ctx, a.leaseView(l), looked != "")
		}
		if err != nil {
			failed = err
			return false
		}
		if told {
			swept.Told++
		}
		activity.RecordHeartbeat(ctx, swept)
		return ctx.Err() == nil
	})
	failed = cmp.Or(failed, err, ctx.Err())
	if failed == nil {
		failed = a.endLostTenancies(ctx, swept)
	}
	if failed != nil {
		return SweptLeases{}, toTemporal(ctx, failed)
	}
	return swept, nil
}

// sweepLease tells the lease's workflow, unless it knows.
func (a *Activities) sweepLease(ctx context.Context, l rentvine.Lease) (told bool, err error) {
	digest := a.leaseDigest(l)
	seen, err := a.Store.LeaseSeen(ctx, l.ID, digest, a.Now().Add(-seenLeaseFor))
	if err != nil || seen {
		return false, err
	}
	// What has been closed for long concerns nobody; what was followed is told.
	ev := durable.Event{
		Source: "rentvine", Type: "lease.found", EntityID: l.ID, Key: "rentvine/sweep/" + l.ID + "/" + digest + "/" + a.Now().UTC().Format("200601"), ReceivedAt: a.Now().UTC(),
	}
	if err := a.FindLease(ctx, ev, l.PrimaryStatus != rentvine.LeaseClosed); err != nil {
		return false, err
	}
	select {
	case <-ctx.Done():
	case <-time.After(tellLeasesEvery):
	}
	return true, a.Store.SeeLease(ctx, l.ID, digest, a.Now())
}

// leaseDigest changes with whatever the workflow of a lease cares for. Of the
// tenants it holds keyed hashes.
func (a *Activities) leaseDigest(l rentvine.Lease) string {
	tenants := make([]string, 0, len(l.Tenants))
	for _, t := range l.Tenants {
		if t.IsActive {
			tenants = append(tenants, t.ID, a.Keys.Address(t.Phone), a.Keys.Address(t.Email))
		}
	}
	text, err := json.Marshal([]any{
		l.PropertyID, l.UnitID, l.PrimaryStatus, l.StatusID, l.StartDate, l.EndDate, l.MoveInDate, l.MoveOutDate, l.NoticeDate,
		l.ExpectedMoveOutDate, l.ClosedDate, l.MarkedToVacate, l.MonthToMonth, tenants,
	})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
