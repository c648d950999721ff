package leasing

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

var monday = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

const losAngeles = "America/Los_Angeles"

// rulesOf are the built-in policy's.
func rulesOf(t *testing.T) policy.Leasing {
	t.Helper()
	p, err := policy.Load("")
	require.NoError(t, err)
	rules := p.Leasing("1", "1")
	require.True(t, rules.On())
	return rules
}

// view is a lease in Los Angeles, whose tenants move in so many days after monday, for a
// year.
func view(movesIn int, change ...func(*activities.LeaseView)) activities.LeaseView {
	on := monday.AddDate(0, 0, movesIn)
	v := activities.LeaseView{
		ID: "7", PropertyID: "1", UnitID: "1", PortfolioID: "1", Found: true, Status: activities.LeasePending,
		Start: on.Format(time.DateOnly), MoveIn: on.Format(time.DateOnly), End: on.AddDate(1, 0, -1).Format(time.DateOnly),
		Rent: 185000, Tenants: []activities.Person{{ID: "contact:9", Name: "Tia Tenant", Phone: "+12135550155"}},
		State: "CA", Zone: losAngeles, CreatedAt: monday, ReadAt: monday,
	}
	for _, c := range change {
		c(&v)
	}
	return v
}

func read(t *testing.T, v activities.LeaseView, now time.Time, events ...string) *LeaseState {
	t.Helper()
	s := &LeaseState{ID: v.ID, BeganAt: now}
	for _, kind := range events {
		s.event(durable.Event{Type: kind})
	}
	s.read(v, rulesOf(t), now)
	return s
}

func TestWhoIsWelcomed(t *testing.T) {
	t.Parallel()
	old := func(v *activities.LeaseView) { v.CreatedAt = monday.AddDate(-1, 0, 0) }
	for name, c := range map[string]struct {
		view    activities.LeaseView
		events  []string
		adopted bool
		todo    step
	}{
		"created, to come":                    {view(10), []string{"lease.created"}, false, stepMoveIn},
		"created, a few days ago":             {view(-3), []string{"lease.created"}, false, stepMoveIn},
		"created, long past":                  {view(-60), []string{"lease.created"}, true, stepNothing},
		"created without a date":              {view(10, func(v *activities.LeaseView) { v.Start, v.MoveIn = "", "" }), []string{"lease.created"}, false, stepMoveIn},
		"created, but notice was given":       {view(10, func(v *activities.LeaseView) { v.Notice = "2026-11-01" }), []string{"lease.created"}, false, stepNothing},
		"found, made yesterday":               {view(10, func(v *activities.LeaseView) { v.CreatedAt = monday.AddDate(0, 0, -1) }), nil, false, stepMoveIn},
		"found, living there for years":       {view(-700, old), nil, true, stepNothing},
		"found, about to move in, made early": {view(10, old), []string{"lease.updated"}, true, stepNothing},
		"closed already":                      {view(-700, func(v *activities.LeaseView) { v.Status = activities.LeaseClosed }), nil, true, stepNothing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := read(t, c.view, monday, c.events...)
			require.Equal(t, c.adopted, s.Adopted)
			require.Equal(t, c.todo, s.todo(monday))
		})
	}
}

func TestARenewalWhoseTimeHadBegunIsLeftToPeople(t *testing.T) {
	t.Parallel()
	s := read(t, view(-330, func(v *activities.LeaseView) { v.CreatedAt = monday.AddDate(-1, 0, 0) }), monday)
	require.True(t, s.Adopted)
	require.Equal(t, renewalAdopted, s.Renewal.Outcome)
	require.Zero(t, s.renewalAt())
	// Another end is another renewal.
	moved := s.Lease
	moved.End, moved.ReadAt = "2028-01-31", monday.Add(time.Hour)
	s.read(moved, s.Rules, monday.Add(time.Hour))
	require.Equal(t, "2027-11-02", s.renewalAt().Format(time.DateOnly))
}

func TestARenewalBeginsByItsDateWithAFreshLook(t *testing.T) {
	t.Parallel()
	s := read(t, view(-200), monday, "lease.created")
	at := s.renewalAt()
	require.False(t, at.IsZero())
	require.NotEqual(t, stepRenewal, s.todo(at.Add(-time.Second)))
	s.AssessAt, s.Checks = time.Time{}, nil
	require.Equal(t, stepRead, s.todo(at), "what was read long ago is read again")
	s.Lease.ReadAt = at
	require.Equal(t, stepRenewal, s.todo(at))
	s.began(KindRenewal, "renewal/7/x", s.Lease.End, at)
	require.Equal(t, StageRenewing, s.stage())
	require.Equal(t, stepNothing, s.todo(at))

	s.ended(Ended{Kind: KindRenewal, WorkflowID: "renewal/7/other", Outcome: "renewed"}, at)
	require.NotEmpty(t, s.Renewal.WorkflowID, "another one's end is not this one's")
	s.ended(Ended{Kind: KindRenewal, WorkflowID: "renewal/7/x", Outcome: "declined"}, at)
	require.Equal(t, stepRead, s.todo(at))
	s.Stale = false
	require.Equal(t, stepNothing, s.todo(at), "the same end is not negotiated twice")

	s.Renewal.WorkflowID = "renewal/7/y"
	s.ended(Ended{Kind: KindRenewal, WorkflowID: "renewal/7/y", Outcome: "not_due"}, at)
	require.False(t, s.renewalAt().IsZero(), "an end that moved away is armed anew")
}

func TestRunningCampaignsAreToldOnce(t *testing.T) {
	t.Parallel()
	s := read(t, view(10), monday, "lease.created")
	s.began(KindMoveIn, "move-in/7", "", monday)
	require.Equal(t, stepNothing, s.todo(monday))
	s.event(durable.Event{Type: "lease.updated"})
	require.Equal(t, stepRead, s.todo(monday))
	moved := view(20, func(v *activities.LeaseView) { v.ReadAt = monday.Add(time.Minute) })
	s.read(moved, s.Rules, monday)
	require.Equal(t, stepTell, s.todo(monday))
	s.told(KindMoveIn)
	require.Equal(t, stepNothing, s.todo(monday))
	require.Contains(t, s.Timeline[len(s.Timeline)-1].What+s.Timeline[len(s.Timeline)-2].What+s.Timeline[len(s.Timeline)-3].What, "move-in: 2026-12-13")
}

func TestChecksRecur(t *testing.T) {
	t.Parallel()
	s := read(t, view(-400, func(v *activities.LeaseView) { v.CreatedAt = monday.AddDate(-2, 0, 0) }), monday)
	require.NotEmpty(t, s.Checks)
	for _, c := range s.Checks {
		require.True(t, c.At.After(monday), "an adopted lease has none in the past")
	}
	first := s.checkAt()
	s.Lease.ReadAt = first
	require.Equal(t, stepCheck, s.todo(first))
	c, rule, ok := s.dueCheck(first)
	require.True(t, ok)
	s.checked(c.ID, rule.Every, first)
	require.True(t, s.checkAt().After(first))
	require.Equal(t, 1, s.Checks[0].Number+s.Checks[len(s.Checks)-1].Number)
}

func TestWhoIsAtRiskIsCampaignedForNowAndThen(t *testing.T) {
	t.Parallel()
	s := read(t, view(-60, func(v *activities.LeaseView) { v.CreatedAt = monday.AddDate(-1, 0, 0) }), monday)
	require.True(t, s.AssessAt.After(monday))
	at := s.AssessAt
	s.Lease.ReadAt = at
	s.Checks = nil
	require.Equal(t, stepAssess, s.todo(at))
	s.assessed(&leasescore.Assessment{Risk: s.Rules.Retention.Risk}, at)
	require.Equal(t, stepRetention, s.todo(at))
	s.began(KindRetention, "retention/7/1", "", at)
	s.ended(Ended{Kind: KindRetention, WorkflowID: "retention/7/1", Outcome: "improved", Learned: Learned{Rating: 4, At: at}}, at)
	require.Equal(t, 4, s.Learned.Rating)
	require.Equal(t, stepNothing, s.todo(at), "not again at once")
	later := at.Add(s.Rules.Retention.Every)
	s.AssessAt, s.Lease.ReadAt = time.Time{}, later
	s.Renewal.For = s.Lease.End
	require.Equal(t, stepRetention, s.todo(later))
	s.Lease.Notice = "2027-01-01"
	require.Equal(t, stepNothing, s.todo(later), "nobody is kept who is leaving")
	require.Equal(t, StageLeaving, s.stage())
}

func TestALeaseEndsWithItsCampaigns(t *testing.T) {
	t.Parallel()
	s := read(t, view(10), monday, "lease.created")
	s.began(KindMoveIn, "move-in/7", "", monday)
	closed := view(10, func(v *activities.LeaseView) { v.Status, v.ReadAt = activities.LeaseClosed, monday.Add(time.Second) })
	s.read(closed, s.Rules, monday)
	require.Equal(t, stepTell, s.todo(monday))
	s.told(KindMoveIn)
	require.False(t, s.over())
	s.ended(Ended{Kind: KindMoveIn, WorkflowID: "move-in/7", Outcome: "cancelled"}, monday)
	require.True(t, s.over())
	require.Equal(t, StageEnded, s.stage())
}

// What continue-as-new carries is all that there is.
func TestTheStateOfALeaseGoesThroughJSON(t *testing.T) {
	t.Parallel()
	s := read(t, view(10), monday, "lease.created")
	s.began(KindMoveIn, "move-in/7", "", monday)
	s.assessed(&leasescore.Assessment{Risk: 10}, monday)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	require.Less(t, len(text), 12_000)
	var again LeaseState
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, s.describe(), again.describe())
	require.Equal(t, s.todo(monday), again.todo(monday))
}
