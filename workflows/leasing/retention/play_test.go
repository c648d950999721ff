package retention

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// world is a retention among people who do anything at any time.
type world struct {
	*rapid.T
	s     *State
	now   time.Time
	steps map[string]bool
	tasks map[campaign.Task]bool
	// offered tells that the tenants were sent an offer.
	offered bool
}

// Whatever people, time and RentVine do, a retention ends with no question open and one
// result, and offers nothing above the limits.
func TestEveryRetentionEndsWell(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		owed := policy.Cents(rapid.SampledFrom([]int{0, 0, 0, 1, 300000}).Draw(rt, "owed"))
		tenants := []string{"1", "2", "3"}[:rapid.IntRange(0, 3).Draw(rt, "tenants")]
		w := &world{T: rt, s: New(lease(tenants...), rules(), risky(owed), began), now: began, steps: map[string]bool{}, tasks: map[campaign.Task]bool{}}
		for range rapid.IntRange(0, 30).Draw(rt, "steps") {
			w.step()
			w.check()
		}
		for turns := 0; w.s.Outcome == "" || w.s.Todo(w.now) != campaign.Nothing; turns++ {
			require.Less(rt, turns, 100, "left alone, it ends: %+v", w.s.Log)
			w.alone()
			w.check()
		}
		w.deliver()
		require.Empty(rt, w.s.Waits)
		require.Empty(rt, w.s.Tells)
		require.True(rt, w.s.ResultKept)
		require.True(rt, w.tasks[campaign.Task{Do: RecordResult}])
		if owed > 0 {
			require.False(rt, w.offered, "who owes rent is offered nothing")
		}
		ends[w.s.Outcome]++
	})
	t.Log(ends)
}

func (w *world) step() {
	switch n := rapid.IntRange(0, 12).Draw(w.T, "what"); {
	case n < 4 && w.s.Todo(w.now) != campaign.Nothing:
		w.do()
	case n < 8 && len(w.s.Waits) > 0:
		w.answer()
	case n == 8:
		w.deliver()
	case n < 11:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 24*10).Draw(w.T, "hours")) * time.Hour)
		w.s.Tick(w.now)
	case n == 11:
		w.change()
	case rapid.IntRange(0, 9).Draw(w.T, "stop") == 0:
		w.s.Stop("stopped by an operator", w.now)
	default:
		w.s = copied(w, w.s)
	}
}

// alone is what happens when nobody says or changes anything.
func (w *world) alone() {
	w.deliver()
	if w.s.Todo(w.now) != campaign.Nothing {
		w.do()
		return
	}
	next, why := w.s.Next(w.now)
	require.NotZero(w, next, "waits for nothing at %s", w.s.Stage)
	require.True(w, next.After(w.now), why)
	w.now = next
	w.s.Tick(w.now)
}

func (w *world) do() {
	task := w.s.Todo(w.now)
	require.False(w, w.tasks[task], "%v is done once", task)
	w.tasks[task] = true
	switch task.Do {
	case ReadRecord:
		count := rapid.IntRange(-1, 20)
		var records []Record
		for _, i := range rules().Retention.Incentives {
			records = append(records, Record{i.ID, count.Draw(w.T, "offered"), count.Draw(w.T, "kept")})
		}
		w.s.RecordRead(records, w.now)
	case Assess:
		problem := rapid.SampledFrom([]string{"", "", "", "unavailable"}).Draw(w.T, "problem")
		w.s.Measured(leasescore.Assessment{Risk: rapid.IntRange(1, 99).Draw(w.T, "risk")}, problem, w.now)
	case RecordResult:
		require.Equal(w, w.s.Outcome, w.s.Result().Outcome)
		w.s.Recorded(w.now)
	default:
		w.Fatalf("unknown work %v", task)
	}
}

func (w *world) answer() {
	q := rapid.SampledFrom(w.s.Waits).Draw(w.T, "wait")
	who := rapid.SampledFrom([]string{"1", "2", "3", "9", "grace", "helen"}).Draw(w.T, "who")
	choice := rapid.SampledFrom(append(slices.Clone(q.Tell.Ask.Choices), "nonsense")).Draw(w.T, "choice")
	out := w.s.Heard(q, durable.Answer{Step: q.Step + "/" + who, Person: who, Choice: choice, Fields: map[string]string{
		FieldRating: rapid.SampledFrom([]string{"", "1", "3", "5", "7"}).Draw(w.T, "rating"),
	}}, w.now)
	require.NotEmpty(w, out.Message)
}

func (w *world) change() {
	before := w.s.Lease
	switch rapid.IntRange(0, 3).Draw(w.T, "change") {
	case 0:
		w.s.Lease.Notice = rapid.SampledFrom([]string{"", "2027-04-01"}).Draw(w.T, "notice")
	case 1:
		w.s.Lease.Rent++
	default:
		w.s.Lease = lease([]string{"1", "2", "3"}[rapid.IntRange(0, 3).Draw(w.T, "gone"):]...)
	}
	w.s.Changed(before, w.now)
}

// deliver lets all messages leave.
func (w *world) deliver() {
	tells := w.s.Tells
	w.s.Tells, w.s.Closes = nil, nil
	for _, t := range tells {
		require.False(w, w.steps[t.Step], "%s is sent once", t.Step)
		w.steps[t.Step] = true
		if t.Ask != nil {
			_, open := w.s.Asking(t.Step)
			require.True(w, open, "%s asks what is settled", t.Step)
		}
		if t.Text == policy.TextRetentionIncentive {
			w.offered = true
			require.LessOrEqual(w, t.Data.Amount, w.s.Rules.Retention.MaxCost)
		}
	}
}

// check requires what is true at all times.
func (w *world) check() {
	w.s.Tick(w.now)
	next, why := w.s.Next(w.now)
	require.True(w, next.IsZero() || next.After(w.now), "%s in the past", why)
	require.LessOrEqual(w, len(w.s.Waits), 1)
	for _, q := range w.s.Waits {
		require.False(w, q.GiveUpAt.IsZero(), "%s is asked for ever", q.Purpose)
	}
	if w.s.Outcome == "" {
		require.True(w, !next.IsZero() || w.s.Todo(w.now) != campaign.Nothing, "stands still at %s", w.s.Stage)
	}
}
