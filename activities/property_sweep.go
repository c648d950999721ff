package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// SweepProperties goes through the properties of RentVine and tells the workflow of each
// in which something is new: its address, its units and their rents, who lives there. It
// changes nothing at RentVine, and a property that it has told is not told again until it
// changes, so repeating it is harmless. A walk that breaks off goes on with the page on
// which it was.
var SweepProperties = durable.Activity[None, SweptProperties]{
	Name: "rentvine.sweep_properties", Queue: QueueBulk, Attempt: time.Hour, Heartbeat: 2 * time.Minute, Priority: 5,
}

// SweptProperties tells what a sweep has done.
type SweptProperties struct {
	// Seen counts properties, Told those whose workflow was told.
	Seen int `json:"seen"`
	Told int `json:"told"`
	// Page is where a walk that broke off goes on.
	Page int `json:"page,omitempty"`
}

const (
	// tellPropertiesEvery is the pause between two properties that are told (real time): each
	// reads RentVine, whose limits are not known (contracts/rentvine.md 1.7).
	tellPropertiesEvery = 50 * time.Millisecond
	// seenPropertyFor is after how long a property is told again although nothing is new, so
	// that a workflow that was ended by mistake begins again (real time).
	seenPropertyFor = 30 * 24 * time.Hour
)

func (a *Activities) sweepProperties(ctx context.Context, _ None) (SweptProperties, error) {
	swept := resumed(ctx, SweptProperties{Page: 1})
	units, err := a.unitsByProperty(ctx)
	if err != nil {
		return SweptProperties{}, toTemporal(ctx, err)
	}
	var failed error
	err = a.RentVine.EachProperty(ctx, max(swept.Page, 1), func(page int, p rentvine.Property) bool {
		swept.Page = page
		swept.Seen++
		told, err := a.sweepProperty(ctx, p, units[p.ID])
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
	if failed != nil {
		return SweptProperties{}, toTemporal(ctx, failed)
	}
	return swept, nil
}

// unitsByProperty are all units. An account with more than the export's bound has none
// here: changes of its units are told by webhooks alone.
func (a *Activities) unitsByProperty(ctx context.Context) (map[string][]rentvine.Unit, error) {
	list, err := a.RentVine.Units(ctx)
	if partner.KindOf(err) == partner.Invalid {
		a.Log.Warn("there are too many units to look through: changes of units are told by webhooks alone")
		return nil, nil
	}
	units := map[string][]rentvine.Unit{}
	for _, u := range list {
		units[u.PropertyID] = append(units[u.PropertyID], u)
	}
	return units, err
}

// sweepProperty tells the property's workflow, unless it knows. One that is inactive and
// was never followed concerns nobody.
func (a *Activities) sweepProperty(ctx context.Context, p rentvine.Property, units []rentvine.Unit) (told bool, err error) {
	rules := a.Policy.Portfolio(p.PortfolioID, p.ID)
	if !rules.On() {
		return false, nil
	}
	tenancies, err := a.Store.Tenancies(ctx, store.PortfolioFilter{PropertyID: p.ID})
	if err != nil {
		return false, err
	}
	now := a.businessNow()
	key, digest := "property/"+p.ID, propertyDigest(p, units, tenancies, rules, DayIn(now, a.propertyView(p, now).Zone))
	seen, err := a.Store.HandedOn(ctx, key, digest, a.Now().Add(-seenPropertyFor))
	if err != nil || seen {
		return false, err
	}
	if !p.IsActive {
		place, err := a.Store.Place(ctx, p.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && !place.Active {
			return false, a.Store.HandOn(ctx, key, digest, a.Now())
		}
		if err != nil {
			return false, err
		}
	}
	ev := durable.Event{
		Source: "rentvine", Type: "property.found", EntityID: p.ID, ReceivedAt: a.Now().UTC(),
		Key: "rentvine/sweep/property/" + p.ID + "/" + digest + "/" + a.Now().UTC().Format("20060102T150405"),
	}
	if err := a.FindProperty(ctx, ev); err != nil {
		return false, err
	}
	select {
	case <-ctx.Done():
	case <-time.After(tellPropertiesEvery):
	}
	return true, a.Store.HandOn(ctx, key, digest, a.Now())
}

// propertyDigest changes with whatever the workflow of a property cares for: what the policy
// requires of it, too, and which leases hold their homes today.
func propertyDigest(p rentvine.Property, units []rentvine.Unit, tenancies []store.Tenancy, rules policy.Portfolio, today string) string {
	parts := []string{fmt.Sprint(rules.Compliance.Requirements), p.PortfolioID, p.Name, p.Address, p.City, p.StateID, p.PostalCode, fmt.Sprint(p.IsActive, p.Latitude, p.Longitude, p.Located, p.AddressDoubtful)}
	var homes []string
	for _, u := range units {
		homes = append(homes, strings.Join([]string{"unit", u.ID, u.Label, u.Rent, fmt.Sprint(u.IsActive, u.Beds, u.BedsKnown, u.FullBaths, u.Size)}, "\x00"))
	}
	for _, t := range tenancies {
		homes = append(homes, strings.Join([]string{"tenancy", t.LeaseID, occupancyDigest(t), fmt.Sprint(t.Holds(today))}, "\x00"))
	}
	slices.Sort(homes)
	return shortDigest(append(parts, homes...)...)
}
