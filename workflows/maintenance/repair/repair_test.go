package repair

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/activities/inspection"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

var began = time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC)

// around are the circumstances of the tests: a tenant, a manager, an accountant.
func around() Circumstances {
	return Circumstances{
		Rules: policy.Repairs{
			Currency: "USD", OfferWithin: 4 * time.Hour, TechniciansUpTo: 4 * time.Hour,
			Spend: policy.Spend{
				Limit: 30000, RemindAfter: []time.Duration{24 * time.Hour, 72 * time.Hour}, EscalateAfter: 96 * time.Hour, AccountingLimit: 50000,
			},
			Windows:    policy.Windows{Offered: 4, AskAgain: 24 * time.Hour, Times: 2},
			Visit:      policy.Visit{Remind: []time.Duration{24 * time.Hour, time.Hour}, Late: time.Hour, Overrun: 100, NoAccess: 2},
			Check:      policy.Check{Photos: 1, RemindAfter: 24 * time.Hour, CloseAfter: 48 * time.Hour},
			Checklists: map[string][]string{"general": {"It works", "It is clean"}},
		},
		Manager: activities.Person{ID: "grace"}, Accountant: activities.Person{ID: "omar"},
		Tenants: []activities.Person{{ID: "contact:1"}}, WorkOrder: "4711",
	}
}

// play is a repair in the hands of a test.
type play struct {
	*testing.T
	*State
	c   Circumstances
	now time.Time
}

func newPlay(t *testing.T) *play {
	t.Helper()
	p := &play{T: t, State: New(false, began), c: around(), now: began}
	p.Analysed(analysis.Analysis{Priority: analysis.PriorityNormal, Trade: "plumbing", Problem: "Leaking tap", Minutes: 45}, began)
	return p
}

func technician(id string) sourcing.Candidate {
	return sourcing.Candidate{Kind: sourcing.Technician, ID: id, UserID: "31", Name: id, Estimate: 5000, Reason: "near"}
}

func vendor(id string) sourcing.Candidate {
	return sourcing.Candidate{Kind: sourcing.Vendor, ID: "contact:" + id, ContactID: id, Name: id, Estimate: 9000, Reason: "insured"}
}

func bid(id string, price policy.Cents) sourcing.Scored {
	return sourcing.Scored{Bid: sourcing.Bid{Candidate: vendor(id), Price: price, Earliest: "2026-11-25"}, Score: 500, Reason: "best"}
}

// pass lets time go by.
func (p *play) pass(d time.Duration) {
	p.now = p.now.Add(d)
	p.Tick(p.c, p.now)
}

// asked is the one open question of a purpose.
func (p *play) asked(purpose Purpose) Wait {
	p.Helper()
	w, ok := p.waiting(purpose, 0)
	require.True(p, ok, "%s is not asked at %s: %+v", purpose, p.Stage, p.Waits)
	return w
}

// says answers it.
func (p *play) says(purpose Purpose, choice string) durable.Outcome {
	p.Helper()
	w := p.asked(purpose)
	return p.Answer(durable.Answer{ID: w.Step() + choice, Step: w.Step() + "/" + w.To[0].ID, Person: w.To[0].ID, Choice: choice, Via: "sms"}, p.c, p.now)
}

func (p *play) at(stage Stage) {
	p.Helper()
	require.Equal(p, stage, p.Stage)
}

func (p *play) told(text string) bool {
	for _, t := range p.Tells {
		if t.Text == text {
			return true
		}
	}
	return false
}

func (p *play) offerTechnicians(ids ...string) {
	var list []sourcing.Candidate
	for _, id := range ids {
		list = append(list, technician(id))
	}
	p.Chosen(sourcing.Technician, "near", list, nil, nil, p.c, p.now)
}

func (p *play) windows(n int) []appointments.Window {
	var all []appointments.Window
	for i := range n {
		start := p.now.Add(time.Duration(24*(i+2)) * time.Hour)
		all = append(all, appointments.Window{Start: start, End: start.Add(4 * time.Hour)})
	}
	return all
}

// booked brings a repair to its booked visit.
func booked(t *testing.T) *play {
	t.Helper()
	p := newPlay(t)
	p.offerTechnicians("maria", "ana")
	p.says(AskOffer, Accept)
	p.visit()
	return p
}

// visit goes on from the acceptance to a booked visit.
func (p *play) visit() {
	p.Helper()
	if p.Stage == Ordering {
		require.Equal(p, PlaceOrders, p.Todo())
		p.AllOrdered("", p.now)
	}
	require.Equal(p, FindWindows, p.Todo())
	p.WindowsFound(p.windows(3), p.c, p.now)
	if len(p.c.Tenants) > 0 {
		p.says(AskWindow, WindowChoice(1))
	}
	require.Equal(p, Book, p.Todo())
	p.Booked(true, p.c.Rules.Visit, p.now)
	p.at(Scheduled)
	require.Equal(p, Invite, p.Todo())
	p.Invited(*p.Visit)
	require.Equal(p, Nothing, p.Todo())
}

// done goes on from a booked visit to the tenant's question.
func (p *play) done() {
	p.Helper()
	p.now = p.Visit.Window.Start.Add(-time.Hour)
	p.Tick(p.c, p.now)
	p.says(AskWay, Way)
	p.pass(2 * time.Hour)
	p.says(AskSite, Here)
	p.pass(30 * time.Minute)
	p.says(AskDone, Done)
	require.Equal(p, Inspect, p.Todo())
	p.Inspected(inspection.Verdict{Passed: true, By: "rules"}, p.c, p.now)
}

func TestARepairThatMeetsNoTrouble(t *testing.T) {
	t.Parallel()
	p := booked(t)
	p.done()
	p.at(Confirming)
	p.says(AskConfirm, Fixed)
	p.at(Finishing)
	require.Equal(t, Finish, p.Todo())
	p.Closed(p.c, p.now)
	p.at(Finished)
	require.Empty(t, p.Waits)
	require.False(t, p.Undo.any())
	require.True(t, p.told(policy.TextRepairTenantClosed))
	last := p.Records[len(p.Records)-1]
	require.NotNil(t, last.FirstTimeFixed)
	require.True(t, *last.FirstTimeFixed)
}

func TestSilenceClosesARepair(t *testing.T) {
	t.Parallel()
	p := booked(t)
	p.done()
	w := p.asked(AskConfirm)
	p.Sent(w.Number, p.now)
	require.Equal(t, p.now.Add(24*time.Hour), p.asked(AskConfirm).NextAt)
	p.pass(48 * time.Hour)
	p.at(Finishing)
	require.Equal(t, "silence", p.Confirmed)
}

func TestAPriceAboveTheLimitIsApprovedByTheOwner(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(p *play) Stage{
		"the owner approves":  func(p *play) Stage { p.says(AskOwner, Approve); return Offering },
		"the owner declines":  func(p *play) Stage { p.says(AskOwner, Decline); return Stopped },
		"the manager decides": func(p *play) Stage { p.pass(96 * time.Hour); p.says(AskSpend, Approve); return Offering },
		"nobody decides":      func(p *play) Stage { p.pass(96 * time.Hour); p.pass(7 * 24 * time.Hour); return Stopped },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			p.Chosen(sourcing.Vendor, "too long", nil, []sourcing.Candidate{vendor("11")}, nil, p.c, p.now)
			require.Equal(t, Bid, p.Todo())
			p.Bids([]sourcing.Scored{bid("11", 45000), bid("14", 60000)}, false, "", p.c, p.now)
			p.at(Approving)
			require.Equal(t, ReadOwners, p.Todo())
			p.OwnersFound([]activities.Person{{ID: "contact:21"}}, p.c, p.now)
			w := p.asked(AskOwner)
			p.Sent(w.Number, p.now)
			require.Equal(t, p.now.Add(24*time.Hour), p.asked(AskOwner).NextAt)
			p.Sent(w.Number, p.now.Add(24*time.Hour))
			require.Equal(t, p.now.Add(72*time.Hour), p.asked(AskOwner).NextAt)
			p.at(Approving)
			p.at(Approving)
			require.Equal(t, decide(p), p.Stage)
			if p.Stage == Stopped {
				require.True(t, p.told(policy.TextRepairTenantStopped))
				require.True(t, p.told(policy.TextRepairManagerStopped))
				require.Empty(t, p.Waits)
			}
		})
	}
}

func TestAfterAnApprovalACheaperOfferNeedsNone(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.Chosen(sourcing.Vendor, "", nil, []sourcing.Candidate{vendor("11")}, nil, p.c, p.now)
	p.OwnersFound([]activities.Person{{ID: "contact:21"}}, p.c, p.now)
	p.Bids([]sourcing.Scored{bid("11", 45000), bid("14", 40000), bid("15", 50000)}, false, "", p.c, p.now)
	p.says(AskOwner, Approve)
	p.says(AskAward, Decline)
	p.at(Offering)
	require.Equal(t, "contact:14", p.Current.ID)
	p.says(AskAward, Decline)
	p.at(Approving)
}

func TestALargeOrderIsApprovedByAccounting(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.c.Rules.Spend.Limit = 100000
	p.Chosen(sourcing.Vendor, "", nil, []sourcing.Candidate{vendor("11")}, nil, p.c, p.now)
	p.Bids([]sourcing.Scored{bid("11", 60000)}, false, "", p.c, p.now)
	p.says(AskAward, Accept)
	p.at(Ordering)
	require.Equal(t, Nothing, p.Todo())
	p.says(AskAccounting, Approve)
	require.Equal(t, PlaceOrders, p.Todo())
	orders := p.ToOrder("the work")
	require.Len(t, orders, 1)
	p.OrderPlaced(Order{PurchaseOrder: activities.PurchaseOrder{Number: "WO1-1", Total: 60000}, Of: "contact:11"}, p.now)
	p.AllOrdered("", p.now)
	p.at(Scheduling)
	require.Equal(t, "2026-11-25", p.Earliest)

	p.replace("withdrew", p.c, p.now)
	require.Len(t, p.Undo.Orders, 1)
	p.at(Stuck)
}

func TestWhoDoesNotComeIsReplaced(t *testing.T) {
	t.Parallel()
	p := booked(t)
	end := p.Visit.Window.End
	p.now = end
	p.Tick(p.c, p.now)
	p.pass(time.Hour)
	p.asked(AskLate)
	require.True(t, p.Visit.Late)
	p.pass(time.Hour)
	p.at(Offering)
	require.Equal(t, "ana", p.Current.ID)
	require.Len(t, p.Undo.Visits, 1)
	require.True(t, p.told(policy.TextRepairTenantReplaced))
}

func TestNobodyHomeTwiceIsTheManagers(t *testing.T) {
	t.Parallel()
	p := booked(t)
	for range 2 {
		p.now = p.Visit.Window.Start.Add(-time.Hour)
		p.Tick(p.c, p.now)
		p.says(AskWay, Way)
		p.says(AskSite, NoAccess)
		if p.Stage == Scheduling {
			p.visit()
		}
	}
	p.at(Stuck)
	p.says(AskStuck, Again)
	p.at(Scheduling)
	p.visit()
}

func TestARepairThatDoesNotHold(t *testing.T) {
	t.Parallel()
	p := booked(t)
	p.done()
	p.says(AskConfirm, NotFixed)
	p.at(Scheduling)
	require.Equal(t, "maria", p.Worker.ID, "the same one comes once more")
	p.visit()
	p.done()
	p.says(AskConfirm, NotFixed)
	p.at(Offering)
	require.Equal(t, "ana", p.Current.ID)
	require.Contains(t, p.Out, "maria")
}

func TestWhatTheCheckFindsIsAskedForOnce(t *testing.T) {
	t.Parallel()
	p := booked(t)
	failed := inspection.Verdict{Findings: []inspection.Finding{{Code: inspection.CodePhotosMissingAfter, Text: "Send a photo."}}}
	p.now = p.Visit.Window.Start.Add(-time.Hour)
	p.Tick(p.c, p.now)
	p.says(AskWay, Way)
	p.says(AskSite, Here)
	p.says(AskDone, Done)
	p.Inspected(failed, p.c, p.now)
	require.Equal(t, "Send a photo.", p.asked(AskAgain).Reason)
	p.says(AskAgain, Done)
	require.Equal(t, Inspect, p.Todo())
	p.Inspected(failed, p.c, p.now)
	p.at(Reviewing)
	p.says(AskReview, Accept)
	p.at(Confirming)
}

func TestTheTenantChoosesAnotherTime(t *testing.T) {
	t.Parallel()
	p := booked(t)
	first := p.Visit.Window.Start
	p.now = first.Add(-24 * time.Hour)
	p.Tick(p.c, p.now)
	p.says(AskReminder, Other)
	p.at(Scheduling)
	require.Contains(t, p.Refused, first)
	require.Len(t, p.Undo.Visits, 1)
	p.visit()
}

func TestATimeThatIsTakenMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.offerTechnicians("maria")
	p.says(AskOffer, Accept)
	p.AllOrdered("", p.now)
	p.WindowsFound(p.windows(2), p.c, p.now)
	p.says(AskWindow, WindowChoice(0))
	p.Booked(false, p.c.Rules.Visit, p.now)
	require.Equal(t, FindWindows, p.Todo())
	require.Len(t, p.Refused, 1)
}

func TestTenantsWhoMoveOutAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	p := booked(t)
	p.c.Tenants = nil
	p.TenantsGone(p.c, p.now)
	p.at(Scheduling)
	require.Len(t, p.Undo.Visits, 1)
	p.visit()
	p.done()
	p.at(Finishing)
	require.Equal(t, "the check", p.Confirmed)
}

func TestHeldMessagesTakeNobodysTime(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.offerTechnicians("maria")
	w := p.asked(AskOffer)
	p.Sent(w.Number, p.now)
	p.Postpone(w.Step()+"/maria", p.now.Add(10*time.Hour), p.now)
	p.pass(10 * time.Hour)
	p.asked(AskOffer)
	p.pass(4 * time.Hour)
	p.at(Choosing)
	require.True(t, p.VendorsOnly, "after the technicians come the vendors")
}

func TestLateAndForeignAnswersChangeNothing(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.offerTechnicians("maria", "ana")
	w := p.asked(AskOffer)
	foreign := durable.Answer{ID: "1", Step: w.Step() + "/ana", Person: "ana", Choice: Accept}
	require.True(t, p.Answer(foreign, p.c, p.now).Late)
	p.says(AskOffer, Decline)
	late := durable.Answer{ID: "2", Step: w.Step() + "/maria", Person: "maria", Choice: Accept}
	require.True(t, p.Answer(late, p.c, p.now).Late)
	require.Equal(t, "ana", p.Current.ID)
}

// Whatever happens in whatever order, a repair that was taken back leaves nothing: no
// question, nobody with the job, no order and no visit but those to be undone.
func TestAnEndLeavesNothingDangling(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := &play{T: t, State: New(false, began), c: around(), now: began}
		orders, visits := map[string]bool{}, map[int]bool{}
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			p.step(rt, orders, visits)
		}
		p.End(policy.TextRepairTenantStopped, "cancelled")
		require.Empty(t, p.Waits)
		require.Nil(t, p.Worker)
		require.Nil(t, p.Current)
		require.Nil(t, p.Visit)
		require.Equal(t, Nothing, p.Todo())
		at, _ := p.NextDeadline(p.c.Rules.Visit)
		require.Zero(t, at)
		for _, o := range p.Undo.Orders {
			delete(orders, o.Number)
		}
		for _, o := range p.Orders {
			delete(orders, o.Number) // of work that was begun
		}
		require.Empty(t, orders)
	})
}

// step does what is to do, answers a question or lets time pass.
func (p *play) step(rt *rapid.T, orders map[string]bool, visits map[int]bool) {
	switch task := p.Todo(); {
	case task != Nothing && rapid.Bool().Draw(rt, "do"):
		p.do(rt, task, orders, visits)
	case len(p.Waits) > 0 && rapid.Bool().Draw(rt, "answer"):
		w := rapid.SampledFrom(p.Waits).Draw(rt, "wait")
		choice := rapid.SampledFrom(Choices(w.Purpose)).Draw(rt, "choice")
		p.Answer(durable.Answer{ID: w.Step(), Step: w.Step() + "/x", Person: w.To[0].ID, Choice: choice, Via: "link"}, p.c, p.now)
	default:
		p.pass(time.Duration(rapid.IntRange(1, 30).Draw(rt, "hours")) * time.Hour)
	}
}

func (p *play) do(rt *rapid.T, task Task, orders map[string]bool, visits map[int]bool) {
	switch task {
	case Analyse:
		p.Analysed(analysis.Analysis{Trade: "plumbing", Minutes: 60, Parts: []analysis.Part{{SKU: "X", Quantity: 1}}}, p.now)
	case Reserve:
		p.PartsReserved(activities.ReservedParts{Missing: []activities.PartLine{{SKU: "X", Quantity: 1, UnitCost: 1000, SupplierContact: "14"}}}, p.now)
	case Choose:
		var list []sourcing.Candidate
		if !p.VendorsOnly && rapid.Bool().Draw(rt, "technicians") {
			list = []sourcing.Candidate{technician("maria"), technician("ana")}
		}
		kind := sourcing.Vendor
		if list != nil {
			kind = sourcing.Technician
		}
		p.Chosen(kind, "", list, []sourcing.Candidate{vendor("11"), vendor("14")}, nil, p.c, p.now)
	case Bid:
		p.Bids([]sourcing.Scored{bid("11", 20000), bid("14", 70000)}, rapid.IntRange(0, 9).Draw(rt, "left") == 0, "", p.c, p.now)
	case ReadOwners:
		p.OwnersFound([]activities.Person{{ID: "contact:21"}}, p.c, p.now)
	case PlaceOrders:
		for _, o := range p.ToOrder("work") {
			number := "WO-" + itoa(o.Number)
			require.False(p, orders[number], "an order's number is given once")
			orders[number] = true
			p.OrderPlaced(Order{PurchaseOrder: activities.PurchaseOrder{Number: number}, Of: o.Of}, p.now)
		}
		p.AllOrdered("", p.now)
	case FindWindows:
		p.WindowsFound(p.windows(3), p.c, p.now)
	case Book:
		p.Booked(rapid.IntRange(0, 4).Draw(rt, "taken") > 0, p.c.Rules.Visit, p.now)
	case Invite:
		visits[p.Visit.Number] = true
		p.Invited(*p.Visit)
	case Inspect:
		p.Inspected(inspection.Verdict{Passed: rapid.Bool().Draw(rt, "passed")}, p.c, p.now)
	case Finish:
		p.Closed(p.c, p.now)
	case Nothing:
	}
}
