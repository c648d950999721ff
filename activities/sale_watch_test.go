package activities

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/polling"
	sandbox "github.com/aictive/keyholder/sandbox/openmoove"
	"github.com/aictive/keyholder/store"
)

// known is what the workflow of a sale knows: it takes the latest read, milestones
// and team each on their own.
type known struct {
	seenAt, teamSeenAt time.Time
	milestones         []Milestone
	team               []TeamMember
	status             string
}

// saw is a view that reaches a workflow. The office is locked.
func (o *office) saw(id string, v SaleView) {
	k := o.known[id]
	if k == nil {
		k = &known{}
		o.known[id] = k
	}
	if !v.ReadAt.Before(k.seenAt) {
		k.seenAt, k.milestones = v.ReadAt, milestonesByID(v.Milestones)
	}
	if !v.TeamUnread && !v.ReadAt.Before(k.teamSeenAt) {
		k.teamSeenAt, k.team, k.status = v.ReadAt, v.Team, v.Status
	}
}

// look is a read by the workflow of a sale itself, as after a webhook.
func (o *office) look(id string, milestonesOnly bool) error {
	view, err := o.acts.readSale(o.ctx, o.lookInput(id, milestonesOnly))
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.saw(id, view)
	return nil
}

func (o *office) lookInput(id string, milestonesOnly bool) ReadSaleInput {
	uuid := ""
	if p, err := o.box.Property(id); err == nil {
		uuid = p.TransactionID
	}
	return ReadSaleInput{Own: true, PropertyID: id, TransactionID: uuid, MilestonesOnly: milestonesOnly}
}

// knowsAll asserts that each sale's workflow knows what OpenMoove holds.
func (o *office) knowsAll(ids ...string) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		p, err := o.box.Property(id)
		require.NoError(o.t, err)
		k := o.known[id]
		require.NotNil(o.t, k, "sale %s was never shown", id)
		require.Equal(o.t, milestonesByID(milestonesIn(p)), k.milestones, "milestones of %s", id)
		require.Equal(o.t, membersIn(p), k.team, "team of %s", id)
		require.Equal(o.t, p.Status, k.status, "status of %s", id)
	}
}

// fullRound reads all sales with team and status.
func (o *office) fullRound(ids ...string) {
	o.t.Helper()
	o.due(ids...)
	p := o.poller(0, 1)
	o.round(p)
	require.GreaterOrEqual(o.t, p.result.Read, len(ids))
}

func TestWhatARereadingShows(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 12, 1, 23, 59, 59, 0, time.UTC)
	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	base := func() SaleView {
		return SaleView{
			ReadAt: due, MilestonesKnown: true, TeamKnown: true, Status: "For sale",
			Milestones: []Milestone{{ID: "1", Name: "Instruction", Order: 1, DueAt: due}, {ID: "2", Name: "Completion", Order: 2}},
			Team:       []TeamMember{{Role: Conveyancer, Email: "lawyer@example.com"}, {Role: EstateAgent, Email: "agent@example.com", Active: true}},
			Joined:     []string{"b@example.com", "a@example.com"},
		}
	}
	for name, c := range map[string]struct {
		change  func(*SaleView)
		changed bool
	}{
		"nothing":                         {func(*SaleView) {}, false},
		"milestones in another order":     {func(v *SaleView) { slices.Reverse(v.Milestones) }, false},
		"due in another zone":             {func(v *SaleView) { v.Milestones[0].DueAt = due.In(london) }, false},
		"participants in another order":   {func(v *SaleView) { slices.Reverse(v.Joined) }, false},
		"an address that comes and goes":  {func(v *SaleView) { v.Address = "1 Larkhall Rise" }, false},
		"the same a day later":            {func(v *SaleView) { v.ReadAt = due.Add(24 * time.Hour) }, false},
		"without team and status":         {func(v *SaleView) { v.TeamUnread, v.Team, v.Joined, v.Status = true, nil, nil, "" }, false},
		"due a second later":              {func(v *SaleView) { v.Milestones[0].DueAt = due.Add(time.Second) }, true},
		"a name":                          {func(v *SaleView) { v.Milestones[1].Name = "Moving in" }, true},
		"completed":                       {func(v *SaleView) { v.Milestones[1].Completed, v.Milestones[1].CompletedAt = true, due }, true},
		"one less":                        {func(v *SaleView) { v.Milestones = v.Milestones[:1] }, true},
		"none":                            {func(v *SaleView) { v.Milestones = nil }, true},
		"another place":                   {func(v *SaleView) { v.Milestones[0].Order, v.Milestones[1].Order = 2, 1 }, true},
		"accepted":                        {func(v *SaleView) { v.Team[0].Active = true }, true},
		"somebody left":                   {func(v *SaleView) { v.Team = v.Team[1:] }, true},
		"one for another":                 {func(v *SaleView) { v.Team[0].Email = "other@example.com" }, true},
		"another role":                    {func(v *SaleView) { v.Team[0].Role = MortgageBroker }, true},
		"a participant":                   {func(v *SaleView) { v.Joined = append(v.Joined, "c@example.com") }, true},
		"the status":                      {func(v *SaleView) { v.Status = "Sold" }, true},
		"milestones, of the team nothing": {func(v *SaleView) { v.TeamUnread, v.Milestones = true, v.Milestones[:1] }, true},
	} {
		w, changed := afterRead(store.Watch{PropertyID: "1", Reads: 2, Failures: 3, FailedAt: due}, base())
		require.True(t, changed, "the first read is all new")
		require.Zero(t, w.Reads+w.Failures)
		require.Equal(t, due, w.NextDue)
		view := base()
		c.change(&view)
		after, changed := afterRead(w, view)
		require.Equal(t, c.changed, changed, name)
		if view.TeamUnread {
			require.Equal(t, 1, after.Reads, name)
			require.Equal(t, w.DetailDigest, after.DetailDigest, name)
		}
		require.NotContains(t, after.MilestonesDigest+after.DetailDigest, "example.com")
	}
}

func TestTheNextDueDate(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for want, list := range map[time.Time][]Milestone{
		{}:                   {{Name: "a"}, {Name: "b", DueAt: day, Completed: true}},
		day:                  {{DueAt: day.AddDate(0, 0, 1)}, {DueAt: day}, {DueAt: day.AddDate(0, 0, -1), Completed: true}},
		day.AddDate(0, 0, 1): {{DueAt: day.AddDate(0, 0, 1)}},
	} {
		require.Equal(t, want, nextDue(list))
	}
	require.Zero(t, nextDue(nil))
}

// What is kept of a sale for the report does not get lost with a read that shows
// less.
func TestTheViewThatIsKept(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	w, _ := afterRead(store.Watch{}, SaleView{Address: "1 Larkhall Rise", Postcode: "SW4 6LB", Status: "For sale", Method: ModernAuction, CreatedAt: created})
	w, _ = afterRead(w, SaleView{TeamUnread: true, Milestones: []Milestone{{ID: "1", Name: "Instruction"}}})
	w, _ = afterRead(w, SaleView{Milestones: []Milestone{{ID: "2", Name: "Completion"}}})
	kept, known := viewOf(w)
	require.True(t, known)
	require.Equal(t, watchView{
		Address: "1 Larkhall Rise", Postcode: "SW4 6LB", Status: "For sale", Method: ModernAuction, CreatedAt: created,
		Milestones: []Milestone{{ID: "2", Name: "Completion"}},
	}, kept)
	for _, text := range []string{"", "{", "[]"} {
		_, known = viewOf(store.Watch{View: text})
		require.False(t, known)
	}
}

// A look of the workflow's own, as after a webhook, lets the polling's clock begin
// anew, and nothing that it has shown is told again.
func TestALookResetsTheClock(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	id := o.watched(1)[0]
	_, err := o.box.SetStatus(id, "Sold")
	require.NoError(t, err)
	o.due(id)
	require.NoError(t, o.look(id, false))
	p := o.poller(0, 1)
	o.round(p)
	require.Zero(t, p.result.Read, "it is young enough")
	o.due(id)
	o.round(p)
	require.Equal(t, 1, p.result.Read)
	require.Len(t, o.views(id), 1)
	o.knowsAll(id)

	stranger := o.sale()
	require.NoError(t, o.look(stranger, true), "a sale that is not polled yet is from now on")
	require.Equal(t, 1, o.watch(stranger).Reads)
	require.Empty(t, o.watch(stranger).DetailDigest, "the next read takes the team")
}

// A poll's read and a look of the workflow cross, and what the later one shows is
// what was there before: the next read tells it all the same.
func TestReadsThatCrossLoseNoChange(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for name, cross := range map[string]func(o *office, id string, complete func(bool), status func(string)){
		"a look between the poll's plan and its read": func(o *office, id string, complete func(bool), _ func(string)) {
			planned := polling.Read{Watch: o.watch(id), Detail: true}
			complete(yes)
			require.NoError(o.t, o.look(id, true))
			complete(no)
			failure, err := o.poller(0, 1).readOne(o.ctx, planned)
			require.NoError(o.t, errors.Join(failure, err))
		},
		"a look of the team during a poll of the milestones": func(o *office, id string, _ func(bool), status func(string)) {
			planned := polling.Read{Watch: o.watch(id)}
			status("Under offer")
			require.NoError(o.t, o.look(id, false))
			failure, err := o.poller(0, 1).readOne(o.ctx, planned)
			require.NoError(o.t, errors.Join(failure, err))
			status("For sale")
		},
		"a look that is kept after a later poll": func(o *office, id string, complete func(bool), _ func(string)) {
			complete(yes)
			in := o.lookInput(id, true)
			view, err := o.acts.saleView(o.ctx, in, forBulk)
			require.NoError(o.t, err)
			complete(no)
			o.due(id)
			o.round(o.poller(0, 1))
			require.NoError(o.t, o.acts.wasLookedAt(o.ctx, in, view))
			o.mu.Lock()
			o.saw(id, view)
			o.mu.Unlock()
		},
		"a poll of the team that is kept after a later look of the milestones": func(o *office, id string, _ func(bool), status func(string)) {
			status("Under offer")
			var crossed atomic.Bool
			o.due(id)
			o.during(func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/detail/") && !crossed.Swap(true) {
					if err := o.look(id, true); err != nil {
						o.t.Error(err)
					}
				}
				return false
			}, func() { o.round(o.poller(0, 1)) })
			require.True(o.t, crossed.Load())
			status("For sale")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, everything()...)
			id := o.watched(1)[0]
			cross(o, id, func(completed bool) {
				_, err := o.box.SetMilestone(id, strconv.Itoa(o.property(id).Milestones[0].ID), sandbox.MilestoneChange{Completed: &completed})
				require.NoError(t, err)
			}, func(status string) {
				_, err := o.box.SetStatus(id, status)
				require.NoError(t, err)
			})
			o.fullRound(id)
			o.knowsAll(id)
		})
	}
}

// history is a random one of a few sales.
type history struct {
	*office
	random *rand.Rand
	poll   *poll
	ids    []string
	// crossing lets workflows look while a poll's read is under way.
	crossing bool
}

func (h *history) one() string { return h.ids[h.random.IntN(len(h.ids))] }

// change does one thing at OpenMoove, among them much that undoes another.
func (h *history) change() error {
	id := h.one()
	p, err := h.box.Property(id)
	if err != nil {
		return err
	}
	milestone := strconv.Itoa(p.Milestones[h.random.IntN(len(p.Milestones))].ID)
	day := time.Date(2026, 12, 1, 23, 59, 59, 0, time.UTC)
	switch h.random.IntN(5) {
	case 0:
		completed := h.random.IntN(2) == 0
		return second(h.box.SetMilestone(id, milestone, sandbox.MilestoneChange{Completed: &completed}))
	case 1:
		due := []time.Time{{}, day, day.AddDate(0, 0, 7)}[h.random.IntN(3)]
		return second(h.box.SetMilestone(id, milestone, sandbox.MilestoneChange{DueDate: &due}))
	case 2:
		if len(p.Milestones) > 8 {
			return nil
		}
		return second(h.box.AddMilestone(id, fmt.Sprintf("Survey %d", len(p.Milestones)), "", day))
	case 3:
		return second(h.box.Accept(id, "conveyancer"))
	}
	return second(h.box.SetStatus(id, []string{"For sale", "Under offer"}[h.random.IntN(2)]))
}

func second[T any](_ T, err error) error { return err }

// decision lets a random part of the sales be read, while something may go wrong.
func (h *history) decision() {
	var some []string
	for _, id := range h.ids {
		if h.random.IntN(2) == 0 {
			some = append(some, id)
		}
	}
	h.dueAt(time.Now().Add(-time.Second), h.random.IntN(2) == 0, some...)
	gone := errors.New("Temporal is away")
	switch h.random.IntN(8) {
	case 0:
		h.away = gone
	case 1:
		h.unheard = gone
	case 2:
		h.during(status(http.StatusServiceUnavailable), func() { h.round(h.poll) })
		return
	case 3:
		h.during(only(h.one(), status(http.StatusNotFound)), func() { h.round(h.poll) })
		return
	case 4:
		h.poll = h.poller(0, 1)
	}
	if err := h.try(h.poll); err != nil {
		require.ErrorIs(h.t, err, gone)
	}
	h.away, h.unheard = nil, nil
}

// crossed is a read that was planned before other things happened.
func (h *history) crossed() {
	planned := polling.Read{Watch: h.watch(h.one()), Detail: h.random.IntN(2) == 0}
	for range 1 + h.random.IntN(3) {
		h.step()
	}
	failure, err := h.poll.readOne(h.ctx, planned)
	require.NoError(h.t, errors.Join(failure, err))
}

// step is one thing that happens.
func (h *history) step() {
	switch n := h.random.IntN(10); {
	case n < 4:
		require.NoError(h.t, h.change())
	case n < 6:
		h.decision()
	case n < 8:
		require.NoError(h.t, h.look(h.one(), h.random.IntN(2) == 0))
	case h.crossing:
		h.crossed()
	}
}

// Whatever happened, in whatever order: after each sale was read once more, its
// workflow knows what OpenMoove holds.
func TestWhatWasShownLastIsWhatOpenMooveHolds(t *testing.T) {
	t.Parallel()
	for _, crossing := range []bool{false, true} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprintf("seed %d, reads cross %t", seed, crossing), func(t *testing.T) {
				t.Parallel()
				o := newOffice(t, everything()...)
				h := &history{office: o, random: rand.New(rand.NewPCG(seed, 1)), poll: o.poller(0, 1), ids: o.watched(2), crossing: crossing}
				for range 10 {
					for range 12 {
						h.step()
					}
					o.fullRound(h.ids...)
					o.knowsAll(h.ids...)
				}
			})
		}
	}
}

// Pollers, looks and changes at once.
func TestPollersAndLooksAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	ids := o.watched(4)
	until := time.Now().Add(1500 * time.Millisecond)
	var group sync.WaitGroup
	loop := func(seed uint64, f func(h *history) error) {
		h := &history{office: o, random: rand.New(rand.NewPCG(seed, 2)), ids: ids}
		group.Go(func() {
			for time.Now().Before(until) {
				if err := f(h); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	loop(1, (*history).change)
	loop(2, (*history).change)
	loop(3, func(h *history) error { return h.look(h.one(), h.random.IntN(2) == 0) })
	for shard := range 2 {
		p := o.poller(shard, 2)
		p.listAt = time.Now().Add(time.Hour)
		loop(uint64(4+shard), func(h *history) error {
			for _, id := range ids {
				w, err := o.acts.Store.Watch(o.ctx, id)
				if err != nil {
					return err
				}
				if w.DueAt = time.Now().Add(-time.Second); h.random.IntN(2) == 0 {
					w.Reads = 100
				}
				if _, err := o.acts.Store.UpdateWatch(o.ctx, w, w.ReadAt); err != nil {
					return err
				}
			}
			return o.try(p)
		})
	}
	group.Wait()
	o.fullRound(ids...)
	o.knowsAll(ids...)
}

// The freshness of each class, as Prometheus is told it.
func TestTheMetricsOfThePolling(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	now := time.Now()
	for i, w := range []store.Watch{
		{Class: store.WatchOverdue, ReadAt: now.Add(-10 * time.Minute), DueAt: now.Add(-5 * time.Minute)},
		{Class: store.WatchOverdue, ReadAt: now.Add(-20 * time.Minute), DueAt: now.Add(time.Minute)},
		{Class: store.WatchRest, DueAt: now.Add(time.Hour)},
	} {
		w.PropertyID, w.AddedAt = strconv.Itoa(100+i), now
		_, err := o.acts.Store.PutWatch(t.Context(), w, time.Time{})
		require.NoError(t, err)
	}
	registry := prometheus.NewPedanticRegistry()
	for _, c := range o.acts.Collectors() {
		require.NoError(t, registry.Register(c))
	}
	got := gathered(t, registry)
	for name, want := range map[string]float64{
		"keyholder_openmoove_sales overdue":                    2,
		"keyholder_openmoove_sales due_soon":                   0,
		"keyholder_openmoove_sales rest":                       1,
		"keyholder_openmoove_sales_late overdue":               1,
		"keyholder_openmoove_sales_late rest":                  0,
		"keyholder_openmoove_sale_age_seconds overdue mean":    900,
		"keyholder_openmoove_sale_age_seconds overdue max":     1200,
		"keyholder_openmoove_sale_age_seconds rest max":        0,
		"keyholder_openmoove_sale_age_target_seconds overdue":  300,
		"keyholder_openmoove_sale_age_target_seconds due_soon": 900,
		"keyholder_openmoove_sale_age_target_seconds rest":     1800,
		"keyholder_openmoove_sale_age_seconds due_soon mean":   0,
	} {
		value, there := got[name]
		require.True(t, there, name)
		require.InDelta(t, want, value, 30, name)
	}
	maps.DeleteFunc(got, func(name string, _ float64) bool { return !strings.HasPrefix(name, "keyholder_openmoove_") })
	require.Len(t, got, 3*7, "nothing of the sales themselves")

	// What cannot be counted is missing rather than wrong.
	require.NoError(t, o.acts.Store.Close())
	require.Empty(t, gathered(t, registry))
}

// gathered are the gauges by name and labels.
func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			out[name] = m.GetGauge().GetValue()
		}
	}
	return out
}
