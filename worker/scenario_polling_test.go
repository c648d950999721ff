package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/sandbox/openmoove"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/sales"
	"github.com/aictive/keyholder/workflows/sync"
)

// polled is a sale that is followed by polling alone.
type polled struct {
	*scenario
	id string
	mu stdsync.Mutex
	// views wait for the workflow; unheard fails the one who tells them after that.
	views   []activities.SaleView
	unheard error
	ended   bool
}

// newPolled is a scenario whose OpenMoove sends no webhooks.
func newPolled(t *testing.T) *polled {
	t.Helper()
	p := &polled{scenario: newScenario(t)}
	p.call(http.MethodPut, "/_records/openmoove/options", openmoove.Options{WithoutWebhooks: true}, nil)
	p.acts.ShowSale = func(_ context.Context, propertyID string, view activities.SaleView) (follows bool, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if propertyID != p.id || p.ended {
			return propertyID != p.id, nil
		}
		p.views = append(p.views, view)
		return p.unheard == nil, p.unheard
	}
	return p
}

// setStatus changes the sale's status at OpenMoove.
func (p *polled) setStatus(status string) {
	p.t.Helper()
	p.call(http.MethodPut, "/_records/openmoove/properties/"+p.id, map[string]any{"status": status}, nil)
}

// due lets the next read of the sale be due, with team and status.
func (p *polled) due() {
	p.t.Helper()
	w, err := p.store.Watch(p.t.Context(), p.id)
	require.NoError(p.t, err)
	w.DueAt, w.Reads = time.Now().Add(-time.Second), 100
	_, err = p.store.UpdateWatch(p.t.Context(), w, w.ReadAt)
	require.NoError(p.t, err)
}

// isDue tells whether the sale waits for its next read.
func (p *polled) isDue() bool {
	w, err := p.store.Watch(context.Background(), p.id)
	return err != nil || w.EndedAt.IsZero() && !w.DueAt.After(time.Now())
}

// poll runs the poller until nothing is due; what it shows waits in views.
func (p *polled) poll() (activities.PollResult, error) {
	p.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env, stop := suite.NewTestActivityEnvironment(), make(chan struct{})
	p.acts.RegisterBulk(env)
	env.SetWorkerStopChannel(stop)
	over := make(chan struct{})
	go func() {
		defer close(stop)
		for began := time.Now(); p.isDue() && time.Since(began) < 10*time.Second; {
			select {
			case <-over:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	value, err := env.ExecuteActivity(activities.PollSales.Name, activities.PollInput{State: polling.State{Calls: 10, At: time.Now()}})
	close(over)
	<-stop
	var result activities.PollResult
	if err == nil {
		require.NoError(p.t, value.Get(&result))
	}
	return result, err
}

// shown takes what the poller has shown.
func (p *polled) shown() (views []activities.SaleView) {
	p.mu.Lock()
	defer p.mu.Unlock()
	views, p.views = p.views, nil
	return views
}

// reads is a read of the sale; what it shows reaches the workflow.
func (p *polled) reads() (changed int) {
	p.t.Helper()
	p.due()
	result, err := p.poll()
	require.NoError(p.t, err)
	require.Equal(p.t, 1, result.Read)
	for _, view := range p.shown() {
		p.env.SignalWorkflow(sales.SaleSeen.Name, view)
	}
	return result.Changed
}

// polls is a read of the sale that shows so many changes, 0 or 1.
func (p *polled) polls(changed int) {
	p.t.Helper()
	require.Equal(p.t, changed, p.reads())
}

// told counts the mails to somebody that say something.
func (p *polled) told(to, words string) int {
	p.t.Helper()
	n := 0
	for _, m := range p.mails(to) {
		n += strings.Count(m.Text, words)
	}
	return n
}

func TestEachChangeThatPollingFindsIsToldOnce(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	facts := p.invitedSale()
	p.id = facts.PropertyID
	steps := p.milestones(p.id)
	var first, last sales.SaleDescription
	p.follow(sales.SaleInput{ID: p.id}, func() {
		p.at(0, func() { p.env.SignalWorkflow(sales.SaleHandedOver.Name, facts) })
		p.at(time.Hour, func() { p.reads() })
		p.at(2*time.Hour, func() {
			require.Empty(t, p.mails(agent), "nothing has changed")
			p.milestone(p.id, steps[0].ID, map[string]any{"completed": true})
			p.accept(p.id, "conveyancer")
			p.setStatus("Under offer")
			p.polls(1)
		})
		p.at(3*time.Hour, func() {
			first = p.describeSale()
			p.polls(0)
			p.polls(0)
		})
		// Temporal takes the next change, and its answer is lost.
		p.at(4*time.Hour, func() {
			p.milestone(p.id, steps[1].ID, map[string]any{"due_date": p.start.Add(30 * aDay).Format(time.RFC3339)})
			p.unheard = errors.New("Temporal's answer was lost")
			p.due()
			_, err := p.poll()
			require.ErrorContains(t, err, "Temporal's answer was lost")
			p.unheard = nil
			for _, view := range p.shown() {
				p.env.SignalWorkflow(sales.SaleSeen.Name, view)
			}
		})
		p.at(5*time.Hour, func() { p.polls(1) })
		p.at(6*time.Hour, func() {
			p.call(http.MethodPost, "/_records/openmoove/properties/"+p.id+"/milestones", map[string]any{"name": "Survey"}, nil)
			p.polls(1)
		})
		p.at(7*time.Hour, func() { last = p.describeSale() })
		p.at(8*time.Hour, p.env.CancelWorkflow)
	})
	require.Equal(t, "Under offer", first.Status)
	require.Equal(t, 1, first.Progress.Completed)
	require.Len(t, last.Timeline, 5)
	require.Equal(t, 7, last.Progress.Total)
	require.Empty(t, last.Events, "no webhook came")
	for _, words := range []string{
		"“Instruction” is completed", "conveyancer has accepted", "from “For sale” to “Under offer”", "“Legal Pack Preparation” is now due on", "“Survey” has been added",
	} {
		require.Equal(t, 1, p.told(agent, words), words)
	}
	require.Len(t, p.lettersTo(agent, "Sale of 1 Larkhall Rise, London: something has changed"), 3, "what was read together is told together")
	p.nothingTwice()
}

func TestASaleMadeElsewhereIsFollowedByPollingAlone(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	sale := newSale(1, sales.StandardSale)
	var made struct {
		ID int `json:"id"`
	}
	p.call(http.MethodPost, "/_records/openmoove/properties", map[string]any{
		"email": sale.Email, "property_address": sale.Address, "property_postcode": sale.Postcode, "estate_agent_email": agent,
	}, &made)
	p.id = fmt.Sprint(made.ID)
	steps := p.milestones(p.id)
	p.milestone(p.id, steps[0].ID, map[string]any{"due_date": p.start.Add(-10 * aDay).Format(time.RFC3339)})
	var adopted, moved sales.SaleDescription
	p.follow(sales.SaleInput{ID: p.id}, func() {
		p.at(0, func() {
			result, err := p.poll() // ends with the adoption: its first read is due later
			require.NoError(t, err)
			require.Equal(t, 4, result.Adopted, "three are seeded")
			p.polls(1)
		})
		p.at(time.Hour, func() {
			adopted = p.describeSale()
			p.milestone(p.id, steps[0].ID, map[string]any{"completed": true})
			p.polls(1)
		})
		p.at(2*time.Hour, func() { moved = p.describeSale() })
		p.at(3*time.Hour, p.env.CancelWorkflow)
	})
	require.Equal(t, sales.OriginFound, adopted.Origin)
	require.Equal(t, sales.StandardSale, adopted.Method)
	require.Equal(t, 6, adopted.Progress.Total)
	require.Equal(t, 1, adopted.Progress.Overdue)
	require.Zero(t, p.told(agent, "verdue"), "what was late before us is adopted silently")
	require.Equal(t, 1, moved.Progress.Completed)
	require.Equal(t, 1, p.told(agent, "“Instruction” is completed"))
	p.nothingTwice()
}

func TestASaleThatIsOverIsPolledNoMore(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	facts := p.invitedSale()
	p.id = facts.PropertyID
	p.accept(p.id, "conveyancer")
	p.freshEnvironment(sales.SaleID(p.id))
	p.at(0, func() { p.env.SignalWorkflow(sales.SaleHandedOver.Name, facts) })
	p.at(time.Hour, func() {
		for _, m := range p.milestones(p.id) {
			p.milestone(p.id, m.ID, map[string]any{"completed": true})
		}
		p.polls(1)
	})
	p.env.ExecuteWorkflow(sales.SaleName, sales.SaleInput{ID: p.id})
	require.NoError(t, p.env.GetWorkflowError())
	require.Len(t, p.lettersTo(agent, "Sale of 1 Larkhall Rise, London: Completed"), 1)
	w, err := p.store.Watch(t.Context(), p.id)
	require.NoError(t, err)
	require.NotZero(t, w.EndedAt)
	before := p.calls(sandbox.OpenMoove, http.MethodGet, "/properties/"+p.id+"/")
	w.DueAt = time.Now().Add(-time.Hour)
	updated, err := p.store.UpdateWatch(t.Context(), w, w.ReadAt)
	require.NoError(t, err)
	require.False(t, updated)
	result, err := p.poll()
	require.NoError(t, err)
	require.Zero(t, result.Read)
	require.Equal(t, before, p.calls(sandbox.OpenMoove, http.MethodGet, "/properties/"+p.id+"/"))
}

// The chase of an invitation reads the sale for itself: that the sale's workflow
// does not learn, and the poller still has to tell it.
func TestWhatAChaseHasReadIsShownToTheSale(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	in := p.invitation(p.invitedSale())
	p.id = in.PropertyID
	p.due()
	_, err := p.poll()
	require.NoError(t, err)
	p.shown() // as it was created
	p.setStatus("Under offer")
	before := p.calls(sandbox.OpenMoove, http.MethodGet, "/properties/"+p.id+"/detail/")
	result := p.chase(in, nil)
	require.Equal(t, 3, result.Reminders)
	require.GreaterOrEqual(t, p.calls(sandbox.OpenMoove, http.MethodGet, "/properties/"+p.id+"/detail/"), before+3, "it looked before each reminder")

	p.due()
	_, err = p.poll()
	require.NoError(t, err)
	views := p.shown()
	require.Len(t, views, 1)
	require.Equal(t, "Under offer", views[0].Status)
}

// An acceptance that the chase finds before any poll is a change like any other.
func TestAnAcceptanceThatAChaseFindsIsTold(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	facts := p.invitedSale()
	p.id = facts.PropertyID
	var found sales.SaleDescription
	p.follow(sales.SaleInput{ID: p.id}, func() {
		p.at(0, func() { p.env.SignalWorkflow(sales.SaleHandedOver.Name, facts) })
		p.at(time.Hour, func() {
			p.reads()
			p.accept(p.id, "conveyancer")
		})
		p.at(6*aDay, func() {
			found = p.describeSale()
			p.reads()
		})
		p.at(7*aDay, p.env.CancelWorkflow)
	})
	require.Contains(t, found.Team, sales.MemberSeen{Role: activities.Conveyancer, Active: true, Chase: "accepted"}, "the chase has looked")
	require.Empty(t, p.lettersTo(lawyer, reminder))
	require.Equal(t, 1, p.told(agent, "The conveyancer has accepted the invitation."))
}

// batches runs sync.openmoove on workers that stop at once, and lists the inputs of
// its batches.
func (s *scenario) batches(during func(n int, in activities.PollInput)) (sync.OpenMooveResult, []activities.PollInput, error) {
	s.t.Helper()
	s.freshEnvironment("sync/openmoove")
	stop := make(chan struct{})
	close(stop)
	s.env.SetWorkerStopChannel(stop)
	var inputs []activities.PollInput
	s.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		var in activities.PollInput
		if info.ActivityType.Name == activities.PollSales.Name && args.Get(&in) == nil {
			inputs = append(inputs, in)
			if during != nil {
				during(len(inputs), in)
			}
		}
	})
	s.env.ExecuteWorkflow(sync.OpenMooveName, sync.OpenMooveInput{})
	require.True(s.t, s.env.IsWorkflowCompleted())
	var result sync.OpenMooveResult
	if err := s.env.GetWorkflowError(); err != nil {
		return result, inputs, err
	}
	return result, inputs, s.env.GetWorkflowResult(&result)
}

// A run polls for an hour, batch after batch, by as many pollers as the policy has.
func TestARunOfPollingIsAnHourOfBatches(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	_, inputs, err := s.batches(nil)
	require.NoError(t, err)
	require.Len(t, inputs, 12)
	for _, in := range inputs {
		require.Equal(t, []int{0, 1}, []int{in.Shard, in.Shards})
	}

	s.policyWith(t, "shards: 1 ", "shards: 3 ")
	_, inputs, err = s.batches(nil)
	require.NoError(t, err)
	require.Len(t, inputs, 1+11*3, "the policy is read in each batch")
	parts := map[int]int{}
	for _, in := range inputs[1:] {
		require.Equal(t, 3, in.Shards)
		parts[in.Shard]++
	}
	require.Equal(t, map[int]int{0: 11, 1: 11, 2: 11}, parts)
}

// What a batch leaves of the budget is where the next begins.
func TestABatchBeginsWhereTheLastOneStood(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	p.id = p.invitedSale().PropertyID
	p.setStatus("Under offer")
	p.due()
	p.freshEnvironment("sync/openmoove")
	stop := make(chan struct{})
	p.env.SetWorkerStopChannel(stop)
	go func() {
		defer close(stop)
		for began := time.Now(); p.isDue() && time.Since(began) < 10*time.Second; {
			<-time.After(5 * time.Millisecond)
		}
	}()
	var states []polling.State
	p.env.SetOnActivityStartedListener(func(_ *activity.Info, _ context.Context, args converter.EncodedValues) {
		var in activities.PollInput
		if args.Get(&in) == nil {
			states = append(states, in.State)
		}
	})
	p.env.ExecuteWorkflow(sync.OpenMooveName, sync.OpenMooveInput{})
	require.NoError(t, p.env.GetWorkflowError())
	var result sync.OpenMooveResult
	require.NoError(t, p.env.GetWorkflowResult(&result))
	require.Equal(t, sync.OpenMooveResult{Read: 1, Changed: 1, Adopted: 3}, result)
	require.Len(t, states, 12)
	require.Zero(t, states[0])
	require.WithinDuration(t, time.Now(), states[1].At, 20*time.Second)
	require.Positive(t, states[1].Calls)
	for i := range states[2:] {
		require.False(t, states[i+2].At.Before(states[i+1].At))
		require.GreaterOrEqual(t, states[i+2].Calls, states[i+1].Calls, "those that were stopped at once spent nothing")
	}
}

func TestARunOfPollingEnds(t *testing.T) {
	t.Parallel()
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		s := newScenario(t)
		_, inputs, err := s.batches(func(n int, _ activities.PollInput) {
			if n == 3 {
				s.env.CancelWorkflow()
			}
		})
		var cancelled *temporal.CanceledError
		require.ErrorAs(t, err, &cancelled)
		require.Less(t, len(inputs), 12)
	})
	t.Run("the store is broken for good", func(t *testing.T) {
		t.Parallel()
		s := newScenario(t)
		broken, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "broken.db"))
		require.NoError(t, err)
		require.NoError(t, broken.Close())
		s.acts.Store = broken
		s.freshEnvironment("sync/openmoove")
		s.env.ExecuteWorkflow(sync.OpenMooveName, sync.OpenMooveInput{})
		require.ErrorContains(t, s.env.GetWorkflowError(), "part 1 of 1: ")
	})
}
