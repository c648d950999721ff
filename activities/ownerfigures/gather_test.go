package ownerfigures

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// now is a day after the month that is reported, in the zone of the built-in policy.
var now = time.Date(2026, 11, 3, 18, 0, 0, 0, time.UTC)

func at(month time.Month, day, hour int) time.Time {
	return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
}

func open(t *testing.T) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func rules(t *testing.T) Rules {
	t.Helper()
	file, err := policy.Open("", nil)
	require.NoError(t, err)
	return RulesOf(file, "4")
}

// book books an amount of a portfolio.
func book(t *testing.T, s store.Store, portfolio, kind, day, role string, cents int64, n int) {
	t.Helper()
	lines := map[string][]store.JournalLine{
		"payment": {{Role: "bank", Account: "Bank", Debit: cents}, {Role: "receivables", Account: "Owed", Credit: cents}},
		"charge":  {{Role: "receivables", Account: "Owed", Debit: cents}, {Role: role, Account: "Income", Credit: cents}},
		"credit":  {{Role: role, Account: "Income", Debit: cents}, {Role: "receivables", Account: "Owed", Credit: cents}},
		"bill":    {{Role: role, Account: "Cost", Debit: cents}, {Role: "payables", Account: "Due", Credit: cents}},
	}[kind]
	_, err := s.BookTransaction(t.Context(), store.BookedTransaction{
		ID: fmt.Sprint(kind, "/", n), Kind: kind, Number: fmt.Sprint(n), PropertyID: "5", PortfolioID: portfolio, Amount: cents, Day: day, Counts: true, SeenAt: now,
	}, func([]store.JournalEntry) ([]store.JournalEntry, error) {
		return []store.JournalEntry{{Number: 1, Day: day, Currency: "USD", Lines: lines}}, nil
	})
	require.NoError(t, err)
}

// fill keeps a portfolio 4 with three homes, and one of somebody else.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, s.SetSetting(ctx, SettingTenanciesRead, "1"))
	for _, p := range []store.Place{
		{PropertyID: "5", PortfolioID: "4", Name: "Elm", Active: true, SeenAt: now, Units: []store.PlaceUnit{
			{UnitID: "51", Label: "A", Active: true, Rent: 190000}, {UnitID: "52", Label: "B", Active: true, Rent: 170000}, {UnitID: "53", Label: "C"},
		}},
		{PropertyID: "6", PortfolioID: "4", Name: "Oak", Active: true, SeenAt: now, Units: []store.PlaceUnit{{UnitID: "61", Active: true}}},
		{PropertyID: "7", PortfolioID: "4", Name: "Gone", SeenAt: now},
		{PropertyID: "9", PortfolioID: "8", Name: "Other", Active: true, SeenAt: now, Units: []store.PlaceUnit{{UnitID: "91", Active: true}}},
	} {
		require.NoError(t, s.SeePlace(ctx, p))
	}
	for _, l := range []store.Tenancy{
		{LeaseID: "1", UnitID: "51", PropertyID: "5", Status: "active", Start: "2026-01-01", End: "2026-12-31", Rent: 185000, SeenAt: now},
		// B was left on the 10th of October and is let again from the 21st.
		{LeaseID: "2", UnitID: "52", PropertyID: "5", Status: "closed", Start: "2025-10-01", End: "2026-09-30", MoveOut: "2026-10-10", SeenAt: now},
		{LeaseID: "3", UnitID: "52", PropertyID: "5", Status: "active", Start: "2026-10-21", End: "2027-10-20", Notice: "2026-11-01", MoveOut: "2026-12-01", SeenAt: now},
		// The Oak has been empty since the end of September.
		{LeaseID: "4", UnitID: "61", PropertyID: "6", Status: "closed", Start: "2025-01-01", End: "2026-09-30", SeenAt: now},
		{LeaseID: "5", UnitID: "61", PropertyID: "6", Status: "pending", Start: "2026-12-01", SeenAt: now},
		{LeaseID: "9", UnitID: "91", PropertyID: "9", Status: "active", Start: "2026-01-01", SeenAt: now},
	} {
		_, err := s.SeeTenancy(ctx, l)
		require.NoError(t, err)
	}
	require.NoError(t, s.Publish(ctx, store.Listing{UnitID: "61", PropertyID: "6", PortfolioID: "4", WorkflowID: "vacancy/61", Rent: 150000, PublishedAt: at(10, 14, 18), ChangedAt: at(10, 14, 18)}))
	require.NoError(t, s.RecordLetting(ctx, store.Letting{
		Key: "vacancy/52", UnitID: "52", PropertyID: "5", PortfolioID: "4", Outcome: "let", EmptyAt: at(10, 11, 18), ListedAt: at(10, 12, 18), EndedAt: at(10, 21, 18),
		Leads: 4, Showings: 2, FirstReply: 30 * time.Second, Cost: 5000, Source: "zillow",
	}))
	require.NoError(t, s.RecordLetting(ctx, store.Letting{Key: "later", UnitID: "51", PropertyID: "5", PortfolioID: "4", Outcome: "let", ListedAt: at(11, 1, 18), EndedAt: at(11, 2, 18)}))
	require.NoError(t, s.RecordLetting(ctx, store.Letting{Key: "other", UnitID: "91", PropertyID: "9", PortfolioID: "8", Outcome: "let", EndedAt: at(10, 2, 18)}))
	yes, no := true, false
	for _, r := range []store.Repair{
		{WorkOrderID: "1", PropertyID: "5", UnitID: "51", PortfolioID: "4", What: "plumbing", OpenedAt: at(10, 1, 10), DoneAt: at(10, 3, 10), Cost: 12000, Rating: 5, Fixed: &yes},
		// The last evening of October in Los Angeles, and the first of November in UTC.
		{WorkOrderID: "2", PropertyID: "6", PortfolioID: "4", What: "roofing", OpenedAt: at(10, 27, 6), DoneAt: at(11, 1, 6), Rating: 2, Fixed: &no},
		{WorkOrderID: "3", PropertyID: "5", PortfolioID: "4", What: "late", OpenedAt: at(10, 30, 6), DoneAt: at(11, 1, 20)},
		{WorkOrderID: "9", PropertyID: "9", PortfolioID: "8", What: "other", OpenedAt: at(10, 1, 10), DoneAt: at(10, 3, 10)},
	} {
		require.NoError(t, s.RecordRepair(ctx, r))
	}
	require.NoError(t, s.ReplaceOpenRequests(ctx, []store.OpenRequest{
		{WorkOrderID: "11", Number: "1011", PropertyID: "5", UnitID: "52", PortfolioID: "4", Status: "Open", OpenedAt: at(11, 1, 10)},
		{WorkOrderID: "19", PropertyID: "9", PortfolioID: "8", OpenedAt: at(11, 1, 10)},
	}))
	require.NoError(t, s.KeepCompliance(ctx, store.ComplianceItem{
		Key: "compliance/5/alarms", PropertyID: "5", PortfolioID: "4", RequirementID: "alarms", Name: "Smoke alarms", Kind: "inspection", State: "due", Due: "2026-12-01", ChangedAt: now,
	}))
	book(t, s, "4", "payment", "2026-09-05", "", 300000, 1)
	book(t, s, "4", "bill", "2026-09-06", "repairs", 50000, 2)
	book(t, s, "4", "charge", "2026-10-01", "rent", 355000, 3)
	book(t, s, "4", "credit", "2026-10-02", "rent", 5000, 4)
	book(t, s, "4", "payment", "2026-10-05", "", 340000, 5)
	book(t, s, "4", "bill", "2026-10-31", "repairs", 12000, 6)
	book(t, s, "4", "bill", "2026-10-31", "unsure", 700, 7)
	book(t, s, "4", "payment", "2026-11-01", "", 1, 8)
	book(t, s, "8", "payment", "2026-10-05", "", 999999, 9)
}

func TestGatherReadsOnePortfoliosMonth(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s)
	r, err := Gather(t.Context(), s, rules(t), "4", "2026-10-01", "2026-10-31", now)
	require.NoError(t, err)
	_, err = r.PDF()
	require.NoError(t, err, "nothing is of another portfolio")

	repairs, found := rules(t).Books.Category("repairs")
	require.True(t, found)
	require.Equal(t, ownerreport.Money{
		Known: true, Opening: 250000, Charged: 350000, Received: 340000, Costs: 12700,
		Charges: []ownerreport.Amount{{Label: "Rent", Amount: 350000}},
		Bills:   []ownerreport.Amount{{Label: repairs.Name, Amount: 12000}, {Label: "Not categorised", Amount: 700}},
	}, r.Money)
	require.Equal(t, policy.Cents(577300), r.Money.Closing())
	require.Equal(t, []string{"USD 7.00 has no category yet."}, r.Notes)

	require.Equal(t, []ownerreport.Property{
		{PortfolioID: "4", ID: "5", Name: "Elm", Units: []ownerreport.Unit{
			{Label: "A", State: ownerreport.Let, Rent: 185000, LeaseEnds: "2026-12-31"},
			{Label: "B", State: ownerreport.Leaving, Rent: 170000, LeaseEnds: "2026-12-01"},
		}},
		{PortfolioID: "4", ID: "6", Name: "Oak", Units: []ownerreport.Unit{{State: ownerreport.Listed, EmptyDays: 34, LetFrom: "2026-12-01"}}},
	}, r.Properties)

	require.Len(t, r.Repairs, 2)
	require.Equal(t, "Elm, A", r.Repairs[0].Where)
	require.Equal(t, "Oak", r.Repairs[1].Where, "done in October where the company is")
	require.Equal(t, []ownerreport.Request{{PortfolioID: "4", Number: "1011", Where: "Elm, B", Status: "Open", OpenedAt: at(11, 1, 10)}}, r.Requests)
	require.Equal(t, []ownerreport.Letting{{
		PortfolioID: "4", Where: "Elm, B", ListedDays: 9, EmptyDays: 10, Leads: 4, Showings: 2, Cost: 5000, Source: "Zillow",
	}}, r.Lettings)
	require.Equal(t, []ownerreport.Requirement{{PortfolioID: "4", Name: "Smoke alarms", Where: "Elm", State: "due", Due: "2026-12-01"}}, r.Compliance)

	require.Len(t, r.Months, 12)
	require.Equal(t, "2025-11", r.Months[0].Month)
	september, october := r.Months[10], r.Months[11]
	require.Equal(t, []policy.Cents{300000, 50000, 340000, 12700}, []policy.Cents{september.Income, september.Costs, october.Income, october.Costs})
	require.Equal(t, policy.Permille(1000), *september.Occupancy)
	// A was let for 31 days, B for 10 and 11, the Oak not at all.
	require.Equal(t, policy.Permille(1000*52/93), *october.Occupancy)
}

func TestKPIs(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s)
	targets := rules(t).Homes.Owners.Targets
	r, err := Gather(t.Context(), s, rules(t), "4", "2026-10-01", "2026-10-31", now)
	require.NoError(t, err)
	const day = int64(24 * time.Hour)
	require.Equal(t, []ownerreport.KPI{
		{Name: "Repair, from request to completion", Measure: ownerreport.Duration, Value: 7 * day / 2, Target: int64(targets.Repair), Count: 2},
		{Name: "Vendor's bill, from completion", Measure: ownerreport.Duration, Target: int64(targets.Invoice)},
		// B: left on the 10th, listed on the 12th; the Oak: left on September 30, listed on October 14.
		{Name: "Make-ready, from move-out", Measure: ownerreport.Duration, Value: 8 * day, Target: int64(targets.MakeReady), Count: 2},
		{Name: "First reply to a prospect", Measure: ownerreport.Duration, Value: int64(30 * time.Second), Target: int64(targets.FirstReply), Count: 4},
		{Name: "Rating by tenants", Measure: ownerreport.Stars, Value: 35, Target: int64(targets.Rating), Count: 2},
		{Name: "Fixed at the first visit", Measure: ownerreport.Share, Value: 500, Target: int64(targets.FirstTimeFix), Count: 2},
		{Name: "Occupancy", Measure: ownerreport.Share, Value: 1000 * 52 / 93, Target: int64(targets.Occupancy), Count: 3},
	}, r.KPIs)
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	t.Parallel()
	s := open(t)
	without := rules(t)
	without.Books = policy.Finance{}
	r, err := Gather(t.Context(), s, without, "4", "2026-10-01", "2026-10-31", now)
	require.NoError(t, err)
	require.False(t, r.Money.Known)
	require.Len(t, r.Notes, 2)
	for _, k := range r.KPIs {
		require.False(t, k.Known(), k.Name)
	}
	for _, m := range r.Months {
		require.Nil(t, m.Occupancy)
	}
	_, err = r.PDF()
	require.NoError(t, err)
	for _, wrong := range [][2]string{{"", "2026-10-31"}, {"2026-10-31", "2026-10-01"}, {"2026-10-01", "soon"}} {
		_, err := Gather(t.Context(), s, without, "4", wrong[0], wrong[1], now)
		require.ErrorContains(t, err, "want two days")
	}
}

func TestThePageIsOfThePresentMonthUntilToday(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s)
	// 03:00 UTC on December 1 is still November in Los Angeles.
	r, err := Present(t.Context(), s, rules(t), "4", time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.Equal(t, []any{ownerreport.Page, "2026-11-01", "2026-11-30"}, []any{r.Kind, r.From, r.To})
	require.Equal(t, policy.Cents(1), r.Money.Received)
	r, err = Present(t.Context(), s, rules(t), "4", now)
	require.NoError(t, err)
	// Three days: A and B were let on all, the Oak on none.
	require.Equal(t, policy.Permille(666), *r.Months[11].Occupancy)
}

// A home counts as let here as it does for its property (activities.ReadProperty).
func TestHowAUnitStands(t *testing.T) {
	t.Parallel()
	const today = "2026-11-03"
	for _, c := range []struct {
		name  string
		lease store.Tenancy
		state ownerreport.State
		days  int
	}{
		{"let", store.Tenancy{Status: "active", Start: "2026-01-01"}, ownerreport.Let, 0},
		{"the last day", store.Tenancy{Status: "active", Start: "2026-01-01", MoveOut: today}, ownerreport.Leaving, 0},
		{"active, and vacated", store.Tenancy{Status: "active", Start: "2026-01-01", MoveOut: "2026-11-02"}, ownerreport.Empty, 1},
		{"closed", store.Tenancy{Status: "closed", Start: "2026-01-01", MoveOut: "2026-10-31"}, ownerreport.Empty, 3},
		{"closed today, long before its end", store.Tenancy{Status: "closed", Start: "2026-01-01", End: "2027-05-31"}, ownerreport.Empty, 0},
		{"closed before it began", store.Tenancy{Status: "closed", Start: "2026-11-02", MoveOut: "2026-10-20"}, ownerreport.Empty, 0},
	} {
		u := unitOf(store.PlaceUnit{UnitID: "1"}, []store.Tenancy{c.lease}, false, today)
		require.Equal(t, c.state, u.State, c.name)
		require.Equal(t, c.days, u.EmptyDays, c.name)
	}
}

func TestALeaseWithoutAUnitIsOfTheOnlyOne(t *testing.T) {
	t.Parallel()
	s := open(t)
	require.NoError(t, s.SeePlace(t.Context(), store.Place{PropertyID: "6", PortfolioID: "4", Active: true, SeenAt: now, Units: []store.PlaceUnit{{UnitID: "61", Active: true}}}))
	_, err := s.SeeTenancy(t.Context(), store.Tenancy{LeaseID: "1", PropertyID: "6", Status: "active", Start: "2026-01-01", SeenAt: now})
	require.NoError(t, err)
	all, err := read(t.Context(), s, "4", span{})
	require.NoError(t, err)
	require.Equal(t, ownerreport.Let, all.properties("2026-11-03")[0].Units[0].State)
}

func TestALeaseHoldsItsHome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lease store.Tenancy
		want  string // of the days 1 to 5
	}{
		{"active for ever", store.Tenancy{Status: "active", Start: "2026-01-01"}, "11111"},
		{"active beyond its end", store.Tenancy{Status: "active", Start: "2026-01-01", End: "2026-10-02"}, "11111"},
		{"active without a start", store.Tenancy{Status: "active"}, "11111"},
		{"active until the move-out", store.Tenancy{Status: "active", Start: "2026-01-01", MoveOut: "2026-10-02"}, "11000"},
		{"active from a day", store.Tenancy{Status: "active", Start: "2026-10-04"}, "00011"},
		{"active later", store.Tenancy{Status: "active", Start: "2026-10-06"}, "00000"},
		{"pending", store.Tenancy{Status: "pending", Start: "2026-10-01"}, "00000"},
		{"closed at its end", store.Tenancy{Status: "closed", Start: "2026-01-01", End: "2026-10-03"}, "11100"},
		{"closed before its end", store.Tenancy{Status: "closed", Start: "2026-01-01", End: "2026-10-03", MoveOut: "2026-10-01"}, "10000"},
		{"closed long ago", store.Tenancy{Status: "closed", Start: "2025-01-01", End: "2026-09-30"}, "00000"},
		{"closed without an end", store.Tenancy{Status: "closed", Start: "2026-01-01"}, "00000"},
		{"closed within", store.Tenancy{Status: "closed", Start: "2026-10-02", End: "2026-10-04"}, "01110"},
		{"ended before it began", store.Tenancy{Status: "closed", Start: "2026-10-04", MoveOut: "2026-10-02"}, "00000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			held := make([]bool, 5)
			mark(held, c.lease, "2026-10-01")
			got := ""
			for _, h := range held {
				got += map[bool]string{true: "1", false: "0"}[h]
			}
			require.Equal(t, c.want, got)
		})
	}
}
