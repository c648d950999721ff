package renewal

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// world is a renewal among people who do anything at any time.
type world struct {
	*rapid.T
	s   *State
	now time.Time
	// holds are the tenants who were offered a renewal and were not told otherwise.
	holds map[string]bool
	steps map[string]bool
	tasks map[campaign.Task]bool
	kind  string
}

// Whatever people, time and RentVine do, a renewal ends with no question open; whoever
// was offered one is told when it no longer holds; and nothing is renewed without an
// approval and the signature of every tenant.
func TestEveryRenewalEndsWell(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		state := rapid.SampledFrom([]string{"CA", "OR", "TX", "NV"}).Draw(rt, "state")
		l := lease(state, []string{"1", "2", "3"}[:rapid.IntRange(0, 3).Draw(rt, "tenants")]...)
		start, ok := StartAt(l, rules())
		require.True(rt, ok)
		w := &world{T: rt, s: New(l, rules(), start), now: start, holds: map[string]bool{}, steps: map[string]bool{}, tasks: map[campaign.Task]bool{}}
		w.kind = rapid.SampledFrom([]string{"calm", "kind", "wild"}).Draw(rt, "kind")
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			w.step()
			w.check()
		}
		for turns := 0; w.s.Outcome == ""; turns++ {
			require.Less(rt, turns, 200, "left alone, it ends: %+v", w.s.Log)
			w.alone()
			w.check()
		}
		w.deliver()
		w.finally()
		ends[w.s.Outcome]++
	})
	t.Log(ends)
}

func (w *world) step() {
	most, pause := 10, 40
	if w.kind != "wild" {
		most, pause = 8, 3
	}
	switch n := rapid.IntRange(0, most).Draw(w.T, "what"); {
	case n < 3 && w.s.Todo(w.now) != campaign.Nothing:
		w.do()
	case n < 6 && len(w.s.Waits) > 0:
		w.answer()
	case n == 6:
		w.deliver()
	case n == 7:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 24*pause).Draw(w.T, "hours")) * time.Hour)
		w.s.Tick(w.now)
	case n == 9:
		w.change()
	case n == 10 && rapid.IntRange(0, 9).Draw(w.T, "stop") == 0:
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
	fails := rapid.IntRange(0, 3).Draw(w.T, "fails") == 0
	problem := ""
	if fails {
		problem = "unavailable"
	}
	switch task.Do {
	case CountWorkOrders:
		w.s.Counted(rapid.IntRange(-1, 2).Draw(w.T, "open"), w.now)
	case Assess:
		percent := rapid.IntRange(0, 100)
		w.s.Assessed(leasescore.Assessment{RenewalProbability: percent.Draw(w.T, "likely"), Risk: percent.Draw(w.T, "risk")}, problem, w.now)
	case SuggestRent:
		w.s.Suggested(comparables.Suggestion{Rent: policy.Cents(rapid.IntRange(0, 500000).Draw(w.T, "rent"))}, problem, w.now)
		if most, limit := w.s.mostLawful(); limit > 0 {
			require.LessOrEqual(w, w.s.Price, most)
		}
	case ReadOwners:
		var owners []activities.Person
		if !fails {
			owners = []activities.Person{{ID: "owner"}, {ID: "owner2"}}
		}
		w.s.OwnersRead(owners, w.now)
	case WriteRenewal:
		w.s.Written(!fails, []string{"the end"}, w.now)
	default:
		w.Fatalf("unknown work %v", task)
	}
}

func (w *world) answer() {
	q := rapid.SampledFrom(w.s.Waits).Draw(w.T, "wait")
	person := rapid.SampledFrom([]string{"1", "2", "3", "9", "owner", "owner2", "grace"}).Draw(w.T, "who")
	switch q.Tell.To {
	case campaign.Manager:
		person = "grace"
	case campaign.Tenants, campaign.Owners, campaign.One:
	}
	choice := rapid.SampledFrom(append(slices.Clone(q.Tell.Ask.Choices), "nonsense")).Draw(w.T, "choice")
	a := durable.Answer{Step: q.Step + "/" + person, Person: person, Choice: choice, Fields: map[string]string{
		FieldAmount: rapid.SampledFrom([]string{"", "x", "1500", "1950", "2050", "2150", "2240", "3000", "9000"}).Draw(w.T, "amount"),
		FieldName:   rapid.SampledFrom([]string{"", "A Name"}).Draw(w.T, "name"),
	}}
	if w.kind == "kind" && rapid.IntRange(0, 9).Draw(w.T, "agrees") > 0 {
		// Those who are asked agree.
		a.Choice, a.Fields[FieldName] = q.Tell.Ask.Choices[0], "A Name"
		switch q.Tell.To {
		case campaign.Tenants:
			for _, p := range w.s.Offered {
				if !q.HasAnswered(p.ID) {
					a.Person = p.ID
				}
			}
		case campaign.Owners:
			a.Person = "owner"
		case campaign.Manager, campaign.One:
		}
	}
	before, who := w.s.Outcome, a.Person
	out := w.s.Heard(q, a, w.now)
	require.NotEmpty(w, out.Message)
	if before == "" && w.s.Outcome == OutcomeDeclined {
		delete(w.holds, who) // and needs not be told
	}
}

func (w *world) change() {
	before := w.s.Lease
	l := &w.s.Lease
	switch rapid.IntRange(0, 7).Draw(w.T, "change") {
	case 0:
		l.End = rapid.SampledFrom([]string{"2027-05-31", "2027-05-15", "2027-07-31", "2028-05-31", "", "soon"}).Draw(w.T, "end")
	case 1:
		l.Rent = policy.Cents(rapid.SampledFrom([]int{0, 190000, 200000, 210000}).Draw(w.T, "rent"))
	case 2, 3:
		l.Tenants = nil
		for _, id := range []string{"1", "2", "3"} {
			if rapid.Bool().Draw(w.T, "lives there") {
				l.Tenants = append(l.Tenants, tenant(id))
			}
		}
	case 4:
		l.StatusName += "!"
	case 5:
		l.Notice = rapid.SampledFrom([]string{"", "2027-04-01"}).Draw(w.T, "notice")
	case 6:
		l.MonthToMonth = rapid.Bool().Draw(w.T, "month to month")
	case 7:
		l.State = rapid.SampledFrom([]string{"CA", "OR", "TX", "NV"}).Draw(w.T, "moves")
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
		switch t.Text {
		case policy.TextRenewalOffer, policy.TextRenewalSign:
			people := w.s.Lease.Tenants
			if t.To == campaign.One {
				people = []activities.Person{t.Person}
			}
			for _, p := range people {
				w.holds[p.ID] = true
			}
		case policy.TextRenewalWithdrawn:
			delete(w.holds, t.Person.ID)
		}
	}
}

// check requires what is true at all times.
func (w *world) check() {
	s := w.s
	s.Tick(w.now)
	next, why := s.Next(w.now)
	require.True(w, next.IsZero() || next.After(w.now), "%s in the past", why)
	seen := map[string]bool{}
	for _, q := range s.Waits {
		require.False(w, seen[q.Purpose])
		seen[q.Purpose] = true
		require.False(w, q.GiveUpAt.IsZero(), "%s is asked for ever", q.Purpose)
	}
	if s.Outcome == "" {
		require.True(w, len(s.Waits) > 0 || !next.IsZero() || s.Todo(w.now) != campaign.Nothing, "stands still at %s", s.Stage)
	}
	switch s.Stage {
	case Offered, Countered, Signing, Writing:
		require.NotNil(w, s.Approval)
		require.Equal(w, s.Approval.Rent, s.Terms.Rent, "what is offered was approved")
	}
}

func (w *world) finally() {
	s := w.s
	require.Empty(w, s.Waits)
	require.Empty(w, s.Tells)
	require.Equal(w, campaign.Nothing, s.Todo(w.now))
	switch s.Outcome {
	case OutcomeRenewed, OutcomeRenewedUnwritten:
		require.NotNil(w, s.Approval)
		require.NotEmpty(w, s.Offered)
		var signed []string
		for _, g := range s.Signatures {
			require.NotEmpty(w, g.Name)
			signed = append(signed, g.By)
		}
		for _, p := range s.Offered {
			require.Contains(w, signed, p.ID)
		}
		require.Len(w, signed, len(s.Offered))
	case OutcomeSilent: // the offer named its last day
	default:
		require.Empty(w, w.holds, "%s: who was offered a renewal is told: %+v", s.Outcome, s.Log)
	}
}
