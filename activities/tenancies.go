package activities

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/ownerfigures"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadTenancies looks through all leases of RentVine and keeps who lives where, once for
// ever: after that each lease that is read, and the nightly sweep, keep it up to date.
// It tells nobody and changes nothing at RentVine; where it was done, it does nothing. A
// walk that breaks off goes on with the page on which it was. While another walks in the
// same process, it is put off.
var ReadTenancies = durable.Activity[None, None]{
	Name: "rentvine.read_tenancies", Queue: QueueBulk, Attempt: time.Hour, Heartbeat: 2 * time.Minute, Priority: 5,
}

// tenanciesAgain is when a property asks again while another has the leases looked through
// (real time). It gives its place on the queue back meanwhile.
const tenanciesAgain = 10 * time.Second

func (a *Activities) readTenancies(ctx context.Context, _ None) (None, error) {
	done, err := a.Store.Setting(ctx, ownerfigures.SettingTenanciesRead)
	if err != nil || done != "" {
		return None{}, toTemporal(ctx, err)
	}
	if !a.tenanciesTurn.TryLock() {
		return None{}, temporal.NewApplicationErrorWithOptions("the leases are being looked through", "busy",
			temporal.ApplicationErrorOptions{NextRetryDelay: tenanciesAgain, Category: temporal.ApplicationErrorCategoryBenign})
	}
	defer a.tenanciesTurn.Unlock()
	page := resumed(ctx, 1)
	var failed error
	err = a.RentVine.EachLeaseFrom(ctx, max(page, 1), time.Time{}, nil, func(page int, l rentvine.Lease) bool {
		failed = a.keepTenancy(ctx, a.leaseView(l), false)
		activity.RecordHeartbeat(ctx, page)
		return failed == nil && ctx.Err() == nil
	})
	failed = cmp.Or(failed, err, ctx.Err())
	if failed == nil {
		failed = a.Store.SetSetting(ctx, ownerfigures.SettingTenanciesRead, a.businessNow().Format(time.RFC3339))
	}
	return None{}, toTemporal(ctx, failed)
}

// keepTenancy keeps a lease as it was seen and, where tells is true, tells the property
// where the occupancy of its unit is not what it was told of last. The lease is kept
// first, so that the property reads what it was told of; that it was told is noted last,
// so that a crash between the two repeats a harmless signal.
func (a *Activities) keepTenancy(ctx context.Context, l LeaseView, tells bool) error {
	if !l.Found || l.PropertyID == "" {
		return nil
	}
	return a.keep(ctx, tenancyOf(l), tells)
}

// keep is keepTenancy of a lease in the words of the store.
func (a *Activities) keep(ctx context.Context, t store.Tenancy, tells bool) error {
	if _, err := a.Store.SeeTenancy(ctx, t); err != nil {
		return err
	}
	key, digest := "tenancy/"+t.LeaseID, occupancyDigest(t)
	told, err := a.Store.HandedOn(ctx, key, digest, time.Time{})
	if err != nil || told {
		return err
	}
	if tells && a.Policy.Portfolio(t.PortfolioID, t.PropertyID).On() {
		err := a.FindProperty(ctx, durable.Event{
			Source: "rentvine", Type: "lease.seen", EntityID: t.PropertyID, ReceivedAt: a.Now().UTC(),
			Key: "rentvine/tenancy/" + t.LeaseID + "/" + digest + "/" + a.Now().UTC().Format("20060102T150405"),
		})
		if err != nil {
			return err
		}
	}
	return a.Store.HandOn(ctx, key, digest, a.Now())
}

// endLostTenancies closes the tenancies whose leases a whole walk has not shown and that
// RentVine does not know any more, and tells their properties.
func (a *Activities) endLostTenancies(ctx context.Context, walk SweptLeases) error {
	for after := ""; ; {
		list, err := a.Store.Tenancies(ctx, store.PortfolioFilter{After: after})
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1].LeaseID
		for _, t := range list {
			if LeaseStatus(t.Status) == LeaseClosed || !t.SeenAt.Before(walk.Began) {
				continue
			}
			_, err := a.RentVine.LeaseWithTenants(ctx, t.LeaseID)
			if err == nil {
				continue
			}
			if partner.KindOf(err) != partner.NotFound {
				return err
			}
			t.Status, t.MoveOut, t.SeenAt = string(LeaseClosed), cmp.Or(t.MoveOut, DayIn(a.businessNow(), "")), a.businessNow()
			if err := a.keep(ctx, t, true); err != nil {
				return err
			}
			activity.RecordHeartbeat(ctx, walk)
		}
	}
}

// tenancyOf is a lease without its tenants. A closed one ends where they moved out; one of
// a status that the contract does not know counts as active while it is not closed, so that
// a home in which people live never looks empty.
func tenancyOf(l LeaseView) store.Tenancy {
	status := cmp.Or(l.Status, LeaseActive)
	if l.Over() {
		status = LeaseClosed
	}
	return store.Tenancy{
		LeaseID: l.ID, UnitID: l.UnitID, PropertyID: l.PropertyID, PortfolioID: l.PortfolioID, Status: string(status),
		Start: l.MovesInOn(), End: l.End, Notice: l.Notice, MoveOut: moveOut(l, status), Rent: int64(l.Rent), SeenAt: l.ReadAt,
	}
}

// moveOut is the day of moving out: where the lease is closed and nobody has said, the day
// on which it was closed.
func moveOut(l LeaseView, status LeaseStatus) string {
	if l.MoveOut == "" && status == LeaseClosed {
		return l.Closed
	}
	return l.MoveOut
}

// occupancyDigest changes with whatever says who lives where. A rent that is not known is
// no change.
func occupancyDigest(t store.Tenancy) string {
	return shortDigest(t.UnitID, t.PropertyID, t.Status, t.Start, t.End, t.Notice, t.MoveOut)
}

func shortDigest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
