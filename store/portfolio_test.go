package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// onDay is a business time, days after the first.
func onDay(days int) time.Time { return time.Date(2027, 3, 1+days, 12, 0, 0, 0, time.UTC) }

func TestPlaces(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.Place(ctx, "1")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = s.Place(ctx, "")
		require.ErrorIs(t, err, store.ErrNotFound)
		require.Error(t, s.SeePlace(ctx, store.Place{PropertyID: "1"}), "when was it seen?")

		elm := store.Place{
			PropertyID: "1", PortfolioID: "p1", Name: "Elm", Address: "12 Elm St", City: "Portland", State: "OR", ZipCode: "97201", Active: true,
			Units: []store.PlaceUnit{
				{UnitID: "11", Label: "A", Active: true, Beds: 2, Baths: 1, Size: 800, Rent: 180000},
				{UnitID: "12", Label: "B", Beds: -1},
			},
			SeenAt: onDay(1),
		}
		require.NoError(t, s.SeePlace(ctx, elm))
		for i := range 2 {
			require.NoError(t, s.SeePlace(ctx, store.Place{PropertyID: fmt.Sprint(2 + i), PortfolioID: "p2", Active: i == 1, SeenAt: onDay(1)}))
		}
		early := elm
		early.Name, early.Units, early.SeenAt = "Old", nil, onDay(0)
		require.NoError(t, s.SeePlace(ctx, early))
		got, err := s.Place(ctx, "1")
		require.NoError(t, err)
		require.Equal(t, elm, got, "an earlier look changes nothing")

		ids := func(f store.PortfolioFilter) []string {
			list, err := s.Places(ctx, f)
			require.NoError(t, err)
			var ids []string
			for _, p := range list {
				ids = append(ids, p.PropertyID)
			}
			return ids
		}
		require.Equal(t, []string{"1", "2", "3"}, ids(store.PortfolioFilter{}))
		require.Equal(t, []string{"2"}, ids(store.PortfolioFilter{After: "1", Most: 1}))
		require.Equal(t, []string{"2", "3"}, ids(store.PortfolioFilter{PortfolioID: "p2"}))
		require.Equal(t, []string{"1"}, ids(store.PortfolioFilter{UnitID: "12"}))

		elm.Units, elm.SeenAt = elm.Units[:1], onDay(2)
		require.NoError(t, s.SeePlace(ctx, elm))
		require.Empty(t, ids(store.PortfolioFilter{UnitID: "12"}), "the unit is gone")
		require.Equal(t, []string{"1"}, ids(store.PortfolioFilter{UnitID: "11"}))

		portfolios, err := s.Portfolios(ctx, "", 10)
		require.NoError(t, err)
		require.Equal(t, []string{"p1", "p2"}, portfolios)
		portfolios, err = s.Portfolios(ctx, "p1", 10)
		require.NoError(t, err)
		require.Equal(t, []string{"p2"}, portfolios)
		elm.Active, elm.SeenAt = false, onDay(3)
		require.NoError(t, s.SeePlace(ctx, elm))
		portfolios, err = s.Portfolios(ctx, "", 10)
		require.NoError(t, err)
		require.Equal(t, []string{"p2"}, portfolios, "one without an active place")
	})
}

func TestAPlaceWithManyUnits(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		p := store.Place{PropertyID: "1", SeenAt: onDay(1)}
		for i := range 1203 {
			p.Units = append(p.Units, store.PlaceUnit{UnitID: fmt.Sprint(i)})
		}
		for range 2 {
			require.NoError(t, s.SeePlace(ctx, p))
		}
		list, err := s.Places(ctx, store.PortfolioFilter{UnitID: "1202"})
		require.NoError(t, err)
		require.Equal(t, []store.Place{p}, list)
	})
}

func TestTenancies(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.SeeTenancy(ctx, store.Tenancy{LeaseID: "7"})
		require.Error(t, err)
		lease := store.Tenancy{
			LeaseID: "7", UnitID: "11", PropertyID: "1", PortfolioID: "p1", Status: "active",
			Start: "2026-01-01", End: "2026-12-31", Rent: 180000, SeenAt: onDay(5),
		}
		for _, step := range []struct {
			name    string
			change  func(l *store.Tenancy)
			changed bool
		}{
			{"first", func(*store.Tenancy) {}, true},
			{"the same", func(*store.Tenancy) {}, false},
			{"another rent", func(l *store.Tenancy) { l.Rent = 190000 }, false},
			{"another portfolio", func(l *store.Tenancy) { l.PortfolioID = "p2" }, false},
			{"a notice", func(l *store.Tenancy) { l.Notice = "2026-10-01" }, true},
			{"a move out", func(l *store.Tenancy) { l.MoveOut = "2026-11-30" }, true},
			{"an end", func(l *store.Tenancy) { l.End = "2026-11-30" }, true},
			{"a start", func(l *store.Tenancy) { l.Start = "2026-01-02" }, true},
			{"another status", func(l *store.Tenancy) { l.Status = "closed" }, true},
			{"another unit", func(l *store.Tenancy) { l.UnitID = "12" }, true},
		} {
			lease.SeenAt = lease.SeenAt.Add(time.Minute)
			step.change(&lease)
			changed, err := s.SeeTenancy(ctx, lease)
			require.NoError(t, err, step.name)
			require.Equal(t, step.changed, changed, step.name)
			list, err := s.Tenancies(ctx, store.PortfolioFilter{})
			require.NoError(t, err)
			require.Equal(t, []store.Tenancy{lease}, list, step.name)
		}
		early := lease
		early.Status, early.SeenAt = "active", onDay(1)
		changed, err := s.SeeTenancy(ctx, early)
		require.NoError(t, err)
		require.False(t, changed, "an earlier look changes nothing")

		require.NoError(t, second(s.SeeTenancy(ctx, store.Tenancy{LeaseID: "8", UnitID: "13", PropertyID: "2", SeenAt: onDay(1)})))
		for _, c := range []struct {
			f    store.PortfolioFilter
			want int
		}{
			{store.PortfolioFilter{}, 2},
			{store.PortfolioFilter{UnitID: "12"}, 1},
			{store.PortfolioFilter{PropertyID: "2"}, 1},
			{store.PortfolioFilter{PropertyID: "2", UnitID: "12"}, 0},
			{store.PortfolioFilter{PortfolioID: "p2"}, 1},
			{store.PortfolioFilter{After: "7"}, 1},
			{store.PortfolioFilter{Most: 1}, 1},
			{store.PortfolioFilter{From: onDay(9), To: onDay(10)}, 2}, // a lease has no such time
		} {
			list, err := s.Tenancies(ctx, c.f)
			require.NoError(t, err)
			require.Len(t, list, c.want, "%+v", c.f)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// Of those who see the same change at once, one hears that it is one.
func TestOneSeesTheChange(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for round, status := range []string{"pending", "active", "closed"} {
			heard := make([]bool, 8)
			together(len(heard), func(i int) {
				changed, err := s.SeeTenancy(ctx, store.Tenancy{LeaseID: "7", UnitID: "11", Status: status, SeenAt: onDay(round)})
				heard[i] = err == nil && changed
			})
			n := 0
			for _, changed := range heard {
				if changed {
					n++
				}
			}
			require.Equal(t, 1, n, status)
		}
	})
}

func TestListings(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.Listing(ctx, "11")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = s.Listing(ctx, "")
		require.ErrorIs(t, err, store.ErrNotFound)
		require.Error(t, s.Publish(ctx, store.Listing{UnitID: "11", PublishedAt: onDay(0), ChangedAt: onDay(0)}), "who takes leads?")
		l := store.Listing{
			UnitID: "11", PropertyID: "1", PortfolioID: "p1", Address: "12 Elm St", UnitLabel: "A", City: "Portland", State: "OR", ZipCode: "97201",
			Latitude: 45.5202471, Longitude: -122.6741949, Located: true, Beds: 2, Baths: 1, Size: 800, Rent: 180000, Currency: "USD",
			Available: "2027-04-01", Headline: "Two rooms", Text: "A\nB", Contact: "Ana Agent", WorkflowID: "vacancy/11", PublishedAt: onDay(0), ChangedAt: onDay(1),
		}
		require.NoError(t, s.Publish(ctx, l))
		got, err := s.Listing(ctx, "11")
		require.NoError(t, err)
		require.Equal(t, l, got)
		old := l
		old.Rent, old.ChangedAt = 1, onDay(0)
		require.NoError(t, s.Publish(ctx, old))
		l.Rent, l.Beds, l.ChangedAt = 175000, -1, onDay(2)
		require.NoError(t, s.Publish(ctx, l))
		list, err := s.Listings(ctx, store.PortfolioFilter{PropertyID: "1"})
		require.NoError(t, err)
		require.Equal(t, []store.Listing{l}, list)

		for range 2 {
			require.NoError(t, s.Withdraw(ctx, "11"))
		}
		_, err = s.Listing(ctx, "11")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

func TestLettings(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.Error(t, s.RecordLetting(ctx, store.Letting{Key: "k", Outcome: "let"}))
		l := store.Letting{
			Key: "k", UnitID: "11", PropertyID: "1", PortfolioID: "p1", Outcome: "withdrawn", EmptyAt: onDay(0), ListedAt: onDay(1), EndedAt: onDay(20),
			Leads: 3, Showings: 2, Applications: 1, FirstReply: 90 * time.Second, Cost: 2500, Lost: 120000, Source: "zillow",
			Sources: map[string]int{"zillow": 2, "website": 1},
		}
		require.NoError(t, s.RecordLetting(ctx, l))
		l.Outcome = "let"
		require.NoError(t, s.RecordLetting(ctx, l))
		require.NoError(t, s.RecordLetting(ctx, store.Letting{Key: "l", Outcome: "let", EndedAt: onDay(30)}))
		list, err := s.Lettings(ctx, store.PortfolioFilter{From: onDay(20), To: onDay(30)})
		require.NoError(t, err)
		require.Equal(t, []store.Letting{l}, list)
		list, err = s.Lettings(ctx, store.PortfolioFilter{From: onDay(21)})
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.NotNil(t, list[0].Sources)
	})
}

func TestCompliance(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.Error(t, s.KeepCompliance(ctx, store.ComplianceItem{Key: "k", State: "due"}))
		c := store.ComplianceItem{
			Key: "compliance/1/smoke", PropertyID: "1", PortfolioID: "p1", RequirementID: "smoke", Name: "Smoke alarms",
			Kind: "inspection", State: "due", Due: "2027-04-01", Renewed: "2026-04-01", ChangedAt: onDay(1),
		}
		require.NoError(t, s.KeepCompliance(ctx, c))
		old := c
		old.State, old.ChangedAt = "valid", onDay(0)
		require.NoError(t, s.KeepCompliance(ctx, old))
		list, err := s.ComplianceItems(ctx, store.PortfolioFilter{PortfolioID: "p1"})
		require.NoError(t, err)
		require.Equal(t, []store.ComplianceItem{c}, list)
		for range 2 {
			require.NoError(t, s.DropCompliance(ctx, c.Key))
		}
		for _, f := range []store.PortfolioFilter{{}, {PortfolioID: "p1", PropertyID: "1"}} {
			list, err = s.ComplianceItems(ctx, f)
			require.NoError(t, err)
			require.Empty(t, list)
		}
		known, err := s.Compliance(ctx, c.Key)
		require.NoError(t, err)
		c.State = "dropped"
		require.Equal(t, c, known, "it is kept for when it is wanted again")
		_, err = s.Compliance(ctx, "compliance/2/smoke")
		require.ErrorIs(t, err, store.ErrNotFound)
		require.NoError(t, s.DropCompliance(ctx, "compliance/2/smoke"))
	})
}

func TestMarketRents(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.Error(t, second(s.AddMarketRents(ctx, []store.MarketRent{{Source: "x", Ref: "1", Day: "2027-01-01"}})), "no rent")
		var rows []store.MarketRent
		for i := range 1002 {
			rows = append(rows, store.MarketRent{
				Source: "survey", Ref: fmt.Sprint(i), Day: onDay(i % 30).Format(time.DateOnly), ZipCode: "97201", City: "Portland", State: "OR",
				Beds: -1, Rent: 150000,
			})
		}
		rows[0].ZipCode = "97202"
		added, err := s.AddMarketRents(ctx, rows)
		require.NoError(t, err)
		require.Equal(t, 1002, added)
		rows[1].Rent, rows[1].Day, rows[1].Beds = 160000, "2027-06-01", 2
		added, err = s.AddMarketRents(ctx, append(rows[1:2:2], store.MarketRent{Source: "other", Ref: "1", Day: "2027-01-01", State: "OR", City: "Salem", Rent: 1}))
		require.NoError(t, err)
		require.Equal(t, 1, added)

		near, err := s.MarketRents(ctx, "OR", "97201", "Portland", "2027-03-02")
		require.NoError(t, err)
		require.Equal(t, rows[1], near[0], "the newest, as it was replaced")
		require.Len(t, near, 968, "those of the zip code, without the ones that are too old")
		for _, c := range []struct {
			state, zipCode, city string
			want                 int
		}{
			{"OR", "97299", "PORTLAND", 1002}, // nothing of the zip code: those of the city
			{"OR", "", "portland", 1002},
			{"OR", "97202", "Portland", 1},
			{"WA", "97201", "Portland", 0},
			{"OR", "", "", 0},
		} {
			list, err := s.MarketRents(ctx, c.state, c.zipCode, c.city, "2000-01-01")
			require.NoError(t, err)
			require.Len(t, list, c.want, "%+v", c)
		}
	})
}

func TestRepairs(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.Error(t, s.RecordRepair(ctx, store.Repair{WorkOrderID: "1", Rating: 6}))
		full := store.Repair{
			WorkOrderID: "1", PropertyID: "1", UnitID: "11", PortfolioID: "p1", Emergency: true, What: "plumbing",
			OpenedAt: onDay(0), AcknowledgedAt: onDay(1), OnSiteAt: onDay(2), DoneAt: onDay(3), Cost: 12000, Rating: 4, Fixed: new(false),
		}
		for _, r := range []store.Repair{
			{WorkOrderID: "1", PropertyID: "1", UnitID: "11", PortfolioID: "p1", Emergency: true, What: "plumbing", OpenedAt: onDay(0), AcknowledgedAt: onDay(1)},
			{WorkOrderID: "1", OnSiteAt: onDay(2), DoneAt: onDay(3), Cost: 12000, Fixed: new(true)},
			{WorkOrderID: "1", Rating: 4, Fixed: new(false)},
			{WorkOrderID: "2", OpenedAt: onDay(0)},
			{WorkOrderID: "3", OpenedAt: onDay(0), DoneAt: onDay(4)},
		} {
			require.NoError(t, s.RecordRepair(ctx, r))
		}
		list, err := s.Repairs(ctx, store.PortfolioFilter{From: onDay(3), To: onDay(4)})
		require.NoError(t, err)
		require.Equal(t, []store.Repair{full}, list)
		list, err = s.Repairs(ctx, store.PortfolioFilter{})
		require.NoError(t, err)
		require.Len(t, list, 2, "one that is not done is not listed")
		require.Nil(t, list[1].Fixed)
	})
}

func TestOpenRequests(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		var many []store.OpenRequest
		for i := range 1201 {
			many = append(many, store.OpenRequest{
				WorkOrderID: fmt.Sprintf("%04d", i), Number: "WO", PropertyID: "1", UnitID: "11", PortfolioID: "p1", Status: "open", OpenedAt: onDay(0),
			})
		}
		require.NoError(t, s.ReplaceOpenRequests(ctx, append(many, many[0])), "the same twice is one")
		list, err := s.OpenRequests(ctx, store.PortfolioFilter{PortfolioID: "p1"})
		require.NoError(t, err)
		require.Equal(t, many, list)

		// Those who replace at once take turns: one list is left, not two.
		together(4, func(i int) {
			_ = s.ReplaceOpenRequests(ctx, []store.OpenRequest{{WorkOrderID: fmt.Sprint(i)}, {WorkOrderID: fmt.Sprint(i, "b")}})
		})
		list, err = s.OpenRequests(ctx, store.PortfolioFilter{})
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.NoError(t, s.ReplaceOpenRequests(ctx, nil))
		list, err = s.OpenRequests(ctx, store.PortfolioFilter{})
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

func TestOldFiguresArePruned(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx, now := open(), t.Context(), time.Now().UTC()
		for i, at := range []time.Time{now.AddDate(-4, 0, 0), now.AddDate(-2, 0, 0)} {
			id := fmt.Sprint(i)
			require.NoError(t, s.RecordLetting(ctx, store.Letting{Key: id, Outcome: "let", EndedAt: at}))
			require.NoError(t, s.RecordRepair(ctx, store.Repair{WorkOrderID: id, DoneAt: at}))
			row := store.MarketRent{Source: "x", Ref: id, Day: at.Format(time.DateOnly), State: "OR", City: "Salem", Rent: 1}
			require.NoError(t, second(s.AddMarketRents(ctx, []store.MarketRent{row})))
		}
		rows, err := s.(store.Pruner).Prune(ctx, now)
		require.NoError(t, err)
		require.EqualValues(t, 3, rows)
		lettings, err := s.Lettings(ctx, store.PortfolioFilter{})
		require.NoError(t, err)
		repairs, err := s.Repairs(ctx, store.PortfolioFilter{})
		require.NoError(t, err)
		rents, err := s.MarketRents(ctx, "OR", "", "Salem", "2000-01-01")
		require.NoError(t, err)
		require.Len(t, lettings, 1)
		require.Len(t, repairs, 1)
		require.Len(t, rents, 1)
		require.Equal(t, "1", lettings[0].Key, "the later one stays")
	})
}
