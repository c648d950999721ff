package activities

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

func TestWhoLivesInAUnit(t *testing.T) {
	t.Parallel()
	const today = "2026-11-22"
	lease := func(id, status, start, end, out string) store.Tenancy {
		return store.Tenancy{LeaseID: id, UnitID: "1", Status: status, Start: start, End: end, MoveOut: out}
	}
	nowhere := func(t store.Tenancy) store.Tenancy {
		t.UnitID = ""
		return t
	}
	lived := lease("1", "closed", "2025-01-01", "2026-12-31", "2026-10-31")
	for name, c := range map[string]struct {
		leases         []store.Tenancy
		lease          string
		since          string
		others, lonely string // the lease of a second unit, and of the only one
	}{
		"nobody":                        {},
		"let":                           {leases: []store.Tenancy{lived, lease("2", "active", "2026-11-01", "", "")}, lease: "2"},
		"about to be let":               {leases: []store.Tenancy{lived, lease("2", "pending", "2026-12-01", "", "")}, lease: "2"},
		"the last day":                  {leases: []store.Tenancy{lease("2", "active", "2025-11-01", "2026-12-31", today)}, lease: "2"},
		"active, and vacated":           {leases: []store.Tenancy{lease("2", "active", "2025-11-01", "2026-12-31", "2026-11-21")}, since: "2026-11-21"},
		"vacated, and let again":        {leases: []store.Tenancy{lease("2", "active", "2025-11-01", "", "2026-11-21"), lease("3", "pending", "2026-12-01", "", "")}, lease: "3"},
		"empty":                         {leases: []store.Tenancy{lived}, since: "2026-10-31"},
		"closed before it ends":         {leases: []store.Tenancy{lease("2", "closed", "2026-01-01", "2027-05-31", "")}, since: today},
		"closed before it began":        {leases: []store.Tenancy{lived, lease("2", "closed", "2026-11-20", "2027-11-19", "2026-11-10")}, since: "2026-10-31"},
		"closed, and would begin later": {leases: []store.Tenancy{lived, lease("2", "closed", "2026-12-01", "2027-11-30", "")}, since: "2026-10-31"},
		"a lease without a unit": {
			leases: []store.Tenancy{lived, nowhere(lease("2", "active", "2026-11-01", "", ""))}, lease: "2", others: "2", lonely: "2",
		},
		"one without a unit beside one with": {
			leases: []store.Tenancy{lease("1", "active", "2026-01-01", "", ""), nowhere(lease("2", "pending", "2026-12-01", "", ""))}, lease: "1", others: "2", lonely: "1",
		},
		"one without a unit that is over": {leases: []store.Tenancy{lived, nowhere(lease("2", "closed", "2026-01-01", "", "2026-11-01"))}, since: "2026-10-31"},
	} {
		units := unitViews([]rentvine.Unit{{ID: "2", IsActive: true}, {ID: "1", IsActive: true}}, c.leases, nil, today)
		require.Equal(t, []string{"1", c.lease, c.since}, []string{units[0].ID, units[0].LeaseID, units[0].EmptySince}, name)
		require.Equal(t, c.others, units[1].LeaseID, name)
		require.Equal(t, c.others == "", units[1].Empty(), name)
		only := unitViews([]rentvine.Unit{{ID: "1", IsActive: true}}, c.leases, nil, today)
		if c.lonely != "" {
			require.Equal(t, c.lonely, only[0].LeaseID, name)
		}
	}
}

func TestALeaseOfAnUnknownStatusIsNotOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lease LeaseView
		want  LeaseStatus
	}{
		"unknown":         {LeaseView{Found: true}, LeaseActive},
		"unknown, closed": {LeaseView{Found: true, Closed: "2026-11-01"}, LeaseClosed},
		"pending":         {LeaseView{Found: true, Status: LeasePending}, LeasePending},
		"gone":            {LeaseView{Status: LeaseActive}, LeaseClosed},
	} {
		require.Equal(t, string(c.want), tenancyOf(c.lease).Status, name)
	}
}

func TestALeaseWithoutAUnitIsKept(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	now := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	require.NoError(t, a.acts.keepTenancy(t.Context(), LeaseView{ID: "7", PropertyID: "2", Found: true, ReadAt: now}, false))
	require.NoError(t, a.acts.keepTenancy(t.Context(), LeaseView{ID: "8", Found: true, ReadAt: now}, false))
	list, err := a.acts.Store.Tenancies(t.Context(), store.PortfolioFilter{PropertyID: "2"})
	require.NoError(t, err)
	require.Equal(t, []store.Tenancy{{LeaseID: "7", PropertyID: "2", Status: "active", SeenAt: now}}, list)
}

// That the units of a property which is there are "not found" does not say that it has none.
func TestUnitsThatAreNotFound(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	view, err := a.acts.readProperty(t.Context(), "2")
	require.NoError(t, err)
	require.Len(t, view.Units, 3)
	a.answering("/properties/2/units", http.StatusNotFound)
	_, err = a.acts.readProperty(t.Context(), "2")
	var again *temporal.ApplicationError
	require.ErrorAs(t, err, &again)
	require.False(t, again.NonRetryable())
	a.answering("/properties/2", http.StatusNotFound)
	view, err = a.acts.readProperty(t.Context(), "2")
	require.NoError(t, err)
	require.False(t, view.Found)
}

// A home from which people have moved is told of on the day after.
func TestThePropertyIsToldOfTheMoveOut(t *testing.T) {
	t.Parallel()
	leases := []store.Tenancy{{LeaseID: "1", UnitID: "1", Status: "active", MoveOut: "2026-11-22"}}
	on := func(day string) string {
		return propertyDigest(rentvine.Property{}, nil, leases, policy.Portfolio{}, day)
	}
	require.Equal(t, on("2026-11-21"), on("2026-11-22"))
	require.NotEqual(t, on("2026-11-22"), on("2026-11-23"))
	require.Equal(t, on("2026-11-23"), on("2026-11-24"))
}
