package movein

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

const (
	day  = 24 * time.Hour
	zone = "America/Los_Angeles"
)

// began is a Monday morning in Los Angeles.
var began = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

func rules() policy.Leasing {
	return policy.Leasing{
		Company: "Harbor", Currency: "USD", Language: "en",
		Manager:   policy.Person{ID: "grace", Name: "Grace"},
		Inspector: policy.Person{ID: "maria", Name: "Maria", Email: "maria@example.com"},
		MoveIn: policy.MoveIn{
			Late: 7 * day, At: 9 * 60, DateWithin: 2 * day,
			Welcome: []policy.Welcome{
				{Day: -7, Text: "welcome_week_before"}, {Day: -1, Text: "welcome_day_before"}, {Day: 0, Text: "welcome_day"},
				{Day: 7, Text: "welcome_week_after"}, {Day: 30, Text: "welcome_month_after"},
			},
			Inspection: policy.Inspection{DaysBefore: 1, At: 10 * 60, Takes: time.Hour, RemindAfter: day, Times: 2},
			Package: policy.Package{
				VendorName: "Crates", VendorEmail: "crates@example.com", VendorContact: "14", Item: "Welcome crate", Cost: 4500,
				DaysBefore: 7, ConfirmWithin: 2 * day,
			},
			Utilities: []policy.Utility{
				{Name: "Electricity", Email: "power@example.com", DaysBefore: 10}, {Name: "Water", DaysBefore: 10},
			},
			UtilityChase: []int{5, 2},
			Checks:       []policy.MaintenanceCheck{{ID: "smoke_alarms", First: 180 * day}, {ID: "hvac_filter", First: 90 * day}},
		},
	}
}

var (
	ann = activities.Person{ID: "contact:1", Name: "Ann", Email: "ann@example.com"}
	bob = activities.Person{ID: "contact:2", Name: "Bob"}
)

func lease(movesIn string) activities.LeaseView {
	return activities.LeaseView{
		ID: "5", Found: true, Status: activities.LeasePending, MoveIn: movesIn, End: "2027-12-31", Tenants: []activities.Person{ann}, Zone: zone,
	}
}

// play is a move-in in the hands of a test. What is told is sent at once.
type play struct {
	require.TestingT
	*State
	now  time.Time
	sent []campaign.Tell
	// calendar is who has the visit at what time; orders are the purchase orders.
	calendar map[string]time.Time
	sequence int
	orders   map[string]bool
}

func newPlay(t require.TestingT, movesIn string, change ...func(*policy.Leasing)) *play {
	r := rules()
	for _, c := range change {
		c(&r)
	}
	p := &play{TestingT: t, now: began, calendar: map[string]time.Time{}, sequence: -1, orders: map[string]bool{}}
	p.State = New(lease(movesIn), r, began)
	p.send()
	return p
}

func (p *play) send() { p.sent, p.Tells, p.Closes = append(p.sent, p.Tells...), nil, nil }

// work carries out what is to do and sends what is to be told.
func (p *play) work(failure string) {
	for n := 0; ; n++ {
		require.Less(p, n, 20, "work without end")
		task := p.Todo(p.now)
		if task == campaign.Nothing {
			break
		}
		p.do(task, failure)
	}
	p.send()
}

func (p *play) do(task campaign.Task, failure string) {
	switch task.Do {
	case DoScheduleInspection, DoMoveInspection, DoCancelInspection:
		b := p.Booking()
		p.keep(b)
		p.Booked(b, "77", failure, p.now)
	default:
		p.carryOut(task, failure)
	}
}

// keep is what calendars make of a booking.
func (p *play) keep(b Booking) {
	require.Greater(p, b.Sequence, p.sequence, "every change of a calendar has a greater sequence")
	p.sequence = b.Sequence
	for _, o := range b.Off {
		delete(p.calendar, o.ID)
	}
	for _, o := range b.People {
		p.calendar[o.ID] = b.Start
	}
}

func (p *play) carryOut(task campaign.Task, failure string) {
	switch task.Do {
	case DoSaveContact:
		_, ok := p.Contact(task.Key)
		require.True(p, ok)
		p.ContactSaved(task.Key, failure, p.now)
	case DoOrderPackage:
		_, ok := p.Order(task.Key)
		require.True(p, ok)
		require.False(p, p.orders[task.Key], "an order is placed once")
		p.orders[task.Key] = true
		p.Ordered(task.Key, activities.PurchaseOrder{Number: task.Key}, failure, p.now)
	case DoCancelPackage:
		_, ok := p.Order(task.Key)
		require.True(p, ok)
		delete(p.orders, task.Key)
		p.OrderCancelled(task.Key, failure, p.now)
	default:
		require.Fail(p, "unknown work", task.Do)
	}
}

// to lets time pass to an instant, stopping wherever something is due.
func (p *play) to(end time.Time) {
	for n := 0; ; n++ {
		require.Less(p, n, 200, "a busy loop")
		p.work("")
		at, why := p.Next(p.now)
		if at.IsZero() || at.After(end) {
			break
		}
		require.True(p, at.After(p.now), "%s is due at %s, which has passed at %s", why, at, p.now)
		p.now = at
		p.Tick(p.now)
	}
	p.now = end
	p.Tick(p.now)
	p.work("")
}

func (p *play) pass(d time.Duration) { p.to(p.now.Add(d)) }

func (p *play) says(purpose, choice string, fields map[string]string) durable.Outcome {
	w := p.Waiting(purpose)
	require.NotNil(p, w, "%s is not asked: %+v", purpose, p.Waits)
	out := p.Heard(*w, durable.Answer{ID: w.Step + choice, Step: w.Step + "/x", Person: "x", Choice: choice, Fields: fields}, p.now)
	p.work("")
	return out
}

func (p *play) change(by func(*activities.LeaseView)) {
	before := p.Lease
	l := before
	l.Tenants = slices.Clone(l.Tenants)
	by(&l)
	p.Lease = l
	p.Changed(before, p.now)
	p.work("")
}

func movedTo(to string) func(*activities.LeaseView) {
	return func(l *activities.LeaseView) { l.MoveIn = to }
}

// told counts what was sent of a text.
func (p *play) told(text string) (n int) {
	for _, t := range p.sent {
		if t.Text == text {
			n++
		}
	}
	return n
}

func (p *play) last(text string) campaign.Tell {
	for _, t := range slices.Backward(p.sent) {
		if t.Text == text {
			return t
		}
	}
	require.Fail(p, "not told", text)
	return campaign.Tell{}
}

func (p *play) state(name string, want PartState) {
	require.Equal(p, want, p.Part(name).State, "%s: %+v", name, p.Parts)
}

func local(text string) time.Time {
	place, _ := time.LoadLocation(zone)
	t, err := time.ParseInLocation("2006-01-02 15:04", text, place)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestAMoveInThatMeetsNoTrouble(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-12-10")
	p.work("")
	require.Equal(t, Preparing, p.Stage)
	require.Equal(t, map[string]time.Time{"maria": local("2026-12-09 10:00"), "contact:1": local("2026-12-09 10:00")}, p.calendar)
	require.Equal(t, "2026-12-09 10:00", p.last(policy.TextMoveInInspection).Data.When)
	require.Equal(t, "77", p.Visit.Record)
	require.Equal(t, []Check{{"smoke_alarms", "2027-06-08"}, {"hvac_filter", "2027-03-10"}}, p.Checks())
	p.state(PartChecks, Done)
	p.says("contact_contact:1", "text", map[string]string{"language": " Español "})
	c, _ := p.Contact("contact:1")
	require.Equal(t, Contact{Person: "contact:1", Language: "es", Consent: activities.ConsentGiven, Channel: activities.SMS, At: p.now, Saved: true}, c)

	at, why := p.Next(p.now)
	require.Equal(t, local("2026-11-30 09:00"), at)
	require.Equal(t, "electricity", why)
	p.to(local("2026-11-30 09:00"))
	require.Equal(t, "power@example.com", p.last(policy.TextUtilityRequest).Person.Email)
	require.Nil(t, p.Waiting("utility_electricity"), "the tenants are asked nearer to the day")
	p.says("utility_water", "done", nil)

	p.to(local("2026-12-03 09:00"))
	require.Equal(t, 1, p.told("welcome_week_before"))
	require.True(t, p.last("welcome_week_before").MailOnly)
	require.Equal(t, map[string]bool{"1": true}, p.orders)
	order := p.last(policy.TextPackageOrder)
	require.Equal(t, policy.Cents(4500), order.Data.Amount)
	require.Equal(t, "contact:14", order.Person.ID)
	p.says("package", "confirm", nil)

	p.to(local("2026-12-05 09:00"))
	p.says("utility_electricity", "done", nil)
	p.to(local("2026-12-09 10:30"))
	require.Zero(t, p.told(policy.TextInspectorDone))
	p.to(local("2026-12-09 11:00"))
	require.Equal(t, "maria", p.last(policy.TextInspectorDone).Person.ID)
	p.says("inspection", "done", nil)
	p.to(local("2027-01-09 08:59"))
	require.Empty(t, p.Outcome)
	require.Equal(t, MovedIn, p.Stage)
	p.to(local("2027-01-09 09:00"))
	require.Equal(t, Completed, p.Outcome)
	for _, w := range p.Rules.MoveIn.Welcome {
		require.Equal(t, 1, p.told(w.Text), w.Text)
	}
	at, _ = p.Next(p.now)
	require.Zero(t, at)
	require.Zero(t, p.told(policy.TextManagerNotice))
}

func TestSilenceIsChasedAndToldToTheManager(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-12-10")
	p.to(local("2027-01-09 09:00"))
	require.Equal(t, Gaps, p.Outcome)
	for name, want := range map[string]PartState{
		"contact/contact:1": Done, PartInspection: Failed, PartPackage: Failed, "utility/electricity": Failed, "utility/water": Failed,
		"welcome/day": Done, PartChecks: Done,
	} {
		p.state(name, want)
	}
	for text, times := range map[string]int{
		policy.TextMoveInContact: 2, policy.TextInspectorDone: 3, policy.TextPackageOrder: 2,
		policy.TextMoveInUtility: 2 + 3, policy.TextUtilityRequest: 1, policy.TextManagerNotice: 4,
	} {
		require.Equal(t, times, p.told(text), text)
	}
	_, ok := p.Contact("contact:1")
	require.False(t, ok, "silence is no wish: nothing is noted")
}

func TestWhatPeopleCannotIsToldToTheManager(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-12-10")
	p.to(local("2026-12-05 09:00"))
	p.says("package", "cannot", nil)
	require.Empty(t, p.orders, "the purchase order is taken back")
	require.Zero(t, p.told(policy.TextPackageOff), "who cannot need not be told")
	p.says("utility_electricity", "help", nil)
	require.Equal(t, sorry, p.says("utility_water", "nonsense", nil).Message)
	p.state("utility/water", Asked)
	p.says("utility_water", "done", nil)
	p.to(local("2026-12-09 12:00"))
	p.says("inspection", "not_done", nil)
	require.Equal(t, 3, p.told(policy.TextManagerNotice))
	for _, name := range []string{PartPackage, PartInspection, "utility/electricity"} {
		p.state(name, Failed)
	}
}

func TestTheManagerSaysAMissingDate(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "")
	require.Equal(t, Waiting, p.Stage)
	require.Len(t, p.sent, 1, "everything else waits")
	f := p.last(policy.TextManagerMoveInDate).Ask.Fields[0]
	require.Equal(t, activities.Field{
		Name: "date", Label: "Day of the move-in", Kind: activities.FieldDate, For: []string{"date"}, From: "2026-11-16", To: "2028-11-23",
	}, f)
	for _, bad := range []string{"", "soon", "2026-02-30", "2020-01-01", "2062-12-10"} {
		out := p.says("move_in_date", "date", map[string]string{"date": bad})
		require.Contains(t, out.Message, "YYYY-MM-DD", bad)
	}
	require.Equal(t, 1+5, p.told(policy.TextManagerMoveInDate), "asked anew, as a page takes one answer")
	p.says("move_in_date", "date", map[string]string{"date": "2026-12-10"})
	require.Equal(t, local("2026-12-09 10:00"), p.calendar["maria"])
	require.Equal(t, "2026-12-10", p.last(policy.TextMoveInContact).Data.MoveIn)
	p.change(func(l *activities.LeaseView) { l.StatusName = "Signed" })
	require.Equal(t, "2026-12-10", p.Day, "the manager's word stands while RentVine has none")
	p.change(func(l *activities.LeaseView) { l.Start = "2026-12-12" })
	require.Equal(t, "2026-12-12", p.Day)
	require.Equal(t, local("2026-12-11 10:00"), p.calendar["maria"])
}

func TestADateThatNobodySaysIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, until := range map[string]func(p *play){
		"silence": func(p *play) { p.pass(30 * day) },
		"none":    func(p *play) { p.says("move_in_date", "none", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, "")
			until(p)
			at, _ := p.Next(p.now)
			require.Zero(t, at)
			require.Empty(t, p.Waits)
			require.LessOrEqual(t, p.told(policy.TextManagerMoveInDate), 1+3)
			p.change(movedTo(p.dayOf(p.now.Add(20 * day))))
			p.state(PartDate, Done)
			p.state("contact/contact:1", Asked)
			require.NotEmpty(t, p.calendar)
		})
	}
}

func TestALateStart(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-11-20") // three days ago, a Friday
	p.work("")
	require.Equal(t, MovedIn, p.Stage)
	require.Equal(t, local("2026-11-24 10:00"), p.calendar["maria"], "the next working morning")
	p.state(PartPackage, Skipped)
	for name, want := range map[string]PartState{"week_before": Skipped, "day_before": Skipped, "day": Skipped, "week_after": Planned} {
		p.state("welcome/"+name, want)
	}
	p.state("utility/electricity", Asked)
	p.state("utility/water", Asked)
	p.pass(3 * day)
	p.state("utility/water", Failed)

	friday := newPlay(t, "2026-11-25")
	friday.now = local("2026-11-27 15:00")
	friday.State = New(lease("2026-11-25"), rules(), friday.now)
	friday.work("")
	require.Equal(t, local("2026-11-30 10:00"), friday.calendar["maria"], "not on a weekend")
}

func TestOfSeveralMailsTheNewestGoes(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-11-24")
	p.state("welcome/week_before", Skipped)
	require.Equal(t, 1, p.told("welcome_day_before"))
	p.Rules.MoveIn.Welcome = append(p.Rules.MoveIn.Welcome, policy.Welcome{Day: -2, Text: "welcome_new"}, policy.Welcome{Day: -1, Text: "welcome_newer"})
	p.Tick(p.now)
	p.work("")
	p.state("welcome/new", Skipped)
	p.state("welcome/newer", Done)
	p.Rules.MoveIn.Welcome = nil
	p.Tick(p.now)
	p.state("welcome/month_after", Skipped)
}

func TestAMovedDateIsPlannedAndDoneAgain(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-12-10")
	p.to(local("2026-12-05 09:00"))
	p.says("utility_water", "done", nil)
	p.says("package", "confirm", nil)
	require.Equal(t, 1, p.told(policy.TextUtilityRequest))
	p.change(movedTo("2026-12-20"))
	require.Equal(t, 1, p.told(policy.TextMoveInMoved))
	require.Equal(t, "2026-12-20", p.last(policy.TextMoveInMoved).Data.MoveIn)
	require.Equal(t, 2, p.told(policy.TextUtilityRequest))
	require.Equal(t, "2026-12-20", p.last(policy.TextUtilityRequest).Data.MoveIn)
	require.Equal(t, 1, p.told(policy.TextPackageOff))
	require.Equal(t, "It was for the move-in on 2026-12-10.", p.last(policy.TextPackageOff).Data.Reason, "the vendor knows which")
	require.Empty(t, p.orders)
	require.Equal(t, local("2026-12-19 10:00"), p.calendar["contact:1"])
	require.Equal(t, "2026-12-19 10:00", p.last(policy.TextMoveInInspection).Data.When)
	require.Nil(t, p.Waiting("utility_electricity"))
	p.state("utility/water", Planned)
	p.state("welcome/week_before", Done)

	p.change(func(l *activities.LeaseView) { l.StatusName = "Signed" })
	require.Equal(t, 1, p.told(policy.TextMoveInMoved), "once")
	p.to(local("2026-12-20 12:00"))
	require.Equal(t, 1, p.told("welcome_week_before"), "what was sent is not sent again")
	require.Equal(t, 1, p.told("welcome_day"))
	require.Equal(t, map[string]bool{"2": true}, p.orders)
	require.Equal(t, "2026-12-20", p.last(policy.TextPackageOrder).Data.DueBy)
}

func TestWhatHasBegunIsNotMoved(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-11-25")
	p.work("")
	p.now = local("2026-11-24 10:30") // the inspector is there, and nothing else has happened
	p.change(movedTo("2026-12-20"))
	require.Equal(t, local("2026-11-24 10:00"), p.calendar["maria"])
	p.to(local("2026-11-24 11:00"))
	p.says("inspection", "not_done", nil)
	p.state(PartInspection, Failed)
	p.change(movedTo("2026-12-21"))
	require.Equal(t, local("2026-12-20 10:00"), p.calendar["maria"], "what was not done is planned again")
	require.Equal(t, 1, p.told(policy.TextInspectorDone))
}

func TestWhatIsDeliveredIsNotTakenBack(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-11-30")
	p.work("")
	p.says("package", "confirm", nil)
	p.to(local("2026-11-30 12:00"))
	p.change(movedTo("2026-12-20"))
	p.to(local("2026-12-20 12:00"))
	require.Zero(t, p.told(policy.TextPackageOff))
	require.Equal(t, 1, p.told(policy.TextPackageOrder))
	require.Equal(t, map[string]bool{"1": true}, p.orders)
}

func TestADateThatIsGone(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-11-30")
	p.work("")
	require.NotEmpty(t, p.calendar)
	require.NotEmpty(t, p.orders)
	p.change(movedTo(""))
	require.Equal(t, Waiting, p.Stage)
	require.Empty(t, p.calendar)
	require.Empty(t, p.orders)
	for _, text := range []string{policy.TextUtilityOff, policy.TextPackageOff, policy.TextMoveInInspectionOff, policy.TextManagerMoveInDate} {
		require.Equal(t, 1, p.told(text), text)
	}
	p.state("utility/electricity", Planned)
	p.change(movedTo("2026-11-29"))
	require.Equal(t, local("2026-11-28 10:00"), p.calendar["maria"])
	require.Equal(t, map[string]bool{"2": true}, p.orders)
	require.Equal(t, 2, p.told(policy.TextUtilityRequest))
}

func TestACorrectionAfterTheMoveIn(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-11-25")
	p.to(local("2026-11-24 12:00"))
	p.says("inspection", "done", nil)
	p.to(local("2026-11-27 12:00"))
	calendar := len(p.calendar)
	p.change(movedTo("2026-11-26"))
	require.Zero(t, p.told(policy.TextMoveInMoved))
	require.Zero(t, p.told(policy.TextPackageOff))
	require.Len(t, p.calendar, calendar)
	p.state(PartInspection, Done)
	require.Equal(t, "2026-11-26", p.last(policy.TextUtilityRequest).Data.MoveIn, "the provider knows from when")
}

func TestAnEndUndoesWhatWasDone(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(l *activities.LeaseView){
		"closed":  func(l *activities.LeaseView) { l.Status, l.Tenants = activities.LeaseClosed, nil },
		"deleted": func(l *activities.LeaseView) { *l = activities.LeaseView{ID: l.ID} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, "2026-11-30")
			p.work("")
			p.change(end)
			require.Equal(t, Cancelled, p.Outcome)
			require.Empty(t, p.Waits)
			require.Empty(t, p.calendar)
			require.Empty(t, p.orders)
			for _, text := range []string{policy.TextUtilityOff, policy.TextPackageOff, policy.TextMoveInCancelled} {
				require.Equal(t, 1, p.told(text), text)
			}
			require.Equal(t, []activities.Person{ann}, p.Lease.Tenants, "who is told is not forgotten")
			p.state("welcome/day", CalledOff)
			out := p.Heard(campaign.Wait{Purpose: "package"}, durable.Answer{Choice: "confirm"}, p.now)
			require.True(t, out.Late)
		})
	}
}

func TestWhoWasNotWrittenToIsNotTold(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "")
	p.Stop("stopped by an operator", p.now)
	p.work("")
	require.Zero(t, p.told(policy.TextMoveInCancelled))
	require.Equal(t, Cancelled, p.Outcome)

	p = newPlay(t, "2026-11-25")
	p.pass(5 * day)
	p.change(func(l *activities.LeaseView) { l.Status = activities.LeaseClosed })
	require.Zero(t, p.told(policy.TextMoveInCancelled), "they live there already")
	require.Zero(t, p.told(policy.TextUtilityOff))
}

func TestTenantsComeAndGo(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-12-10")
	p.work("")
	p.change(func(l *activities.LeaseView) { l.Tenants = []activities.Person{ann, bob} })
	require.Equal(t, local("2026-12-09 10:00"), p.calendar["contact:2"])
	require.Equal(t, "contact:2", p.last(policy.TextMoveInInspection).Person.ID)
	p.state("contact/contact:2", Asked)
	require.Equal(t, 2, p.told(policy.TextMoveInContact))
	p.change(func(l *activities.LeaseView) { l.Tenants = []activities.Person{bob} })
	require.Nil(t, p.Waiting("contact_contact:1"))
	p.state("contact/contact:1", CalledOff)
	require.NotContains(t, p.calendar, "contact:1")
	p.change(func(l *activities.LeaseView) { l.Tenants = []activities.Person{ann, bob} })
	p.state("contact/contact:1", Asked)
}

func TestWhatCannotBeCarriedOutIsTheManagers(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-11-30")
	p.work("unavailable")
	require.Equal(t, 2, p.told(policy.TextManagerNotice), "calendars and the purchase order")
	p.says("contact_contact:1", "mail", map[string]string{"language": "Klingon"})
	c, _ := p.Contact("contact:1")
	require.Equal(t, Contact{Person: "contact:1", Consent: activities.ConsentRefused, Channel: activities.Mail, At: p.now, Saved: true}, c)
	p.state(PartInspection, Planned)
}

func TestAnInspectionThatCalendarsGetTooLate(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-12-10")
	for range maxLate + 1 {
		task := p.Todo(p.now)
		require.Contains(t, []string{DoScheduleInspection, DoMoveInspection}, task.Do)
		b := p.Booking()
		p.keep(b)
		p.now = b.Start.Add(time.Minute)
		p.Tick(p.now)
		p.Booked(b, "", "", p.now)
	}
	p.state(PartInspection, Failed)
	p.work("")
	require.Empty(t, p.calendar)
	require.Zero(t, p.told(policy.TextMoveInInspection))
}

func TestWhatIsUnderWayWhenTheDateMoves(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "2026-12-02")
	b := p.Booking()
	p.keep(b)
	before := p.Lease
	p.Lease.MoveIn = "2026-12-20"
	p.Changed(before, p.now)
	p.Booked(b, "77", "", p.now)
	require.Zero(t, p.told(policy.TextMoveInInspection), "nobody is told of what does not hold")
	require.Equal(t, DoMoveInspection, p.Todo(p.now).Do)
	p.work("")
	require.Equal(t, local("2026-12-19 10:00"), p.calendar["maria"])
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "ES": "es", "es-MX": "es", "Spanish": "es", "english ": "en", "Elvish": "", "x-y": ""} {
		require.Equal(t, want, languageOf(text), text)
	}
}

// Whatever happens in whatever order, nothing stays open after the end, and whatever was
// requested, ordered or put on calendars is for the right day, past, or undone.
func TestAnEndLeavesNothingDangling(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		movesIn := rapid.SampledFrom([]string{"", "2026-11-18", "2026-11-23", "2026-11-24", "2026-12-02", "2026-12-20"}).Draw(rt, "moves in")
		p := newPlay(rt, movesIn)
		for range rapid.IntRange(0, 30).Draw(rt, "steps") {
			p.step(rt)
			p.sound(rt)
		}
		p.reload(rt)
		if rapid.Bool().Draw(rt, "stop") {
			p.Stop("stopped by an operator", p.now)
			p.work("")
			require.NotEmpty(rt, p.Outcome)
		} else if p.Day != "" {
			p.pass(90 * day)
			require.NotEmpty(rt, p.Outcome, "%+v", p.Parts)
		}
		p.sound(rt)
		if p.Outcome == "" {
			return
		}
		require.Empty(rt, p.Waits)
		at, _ := p.Next(p.now)
		require.Zero(rt, at)
		require.Equal(rt, campaign.Nothing, p.Todo(p.now))
		for _, part := range p.Parts {
			require.True(rt, part.State.ended() || part.Name == PartDate && p.Day == "", "%+v", part)
		}
		if p.Outcome == Cancelled && !p.past(p.EndedAt) {
			for _, u := range p.Utilities {
				require.Empty(rt, u.For)
			}
			for who, start := range p.calendar {
				require.False(rt, start.After(p.EndedAt), "%s has a visit that is off", who)
			}
			for _, o := range p.Orders {
				require.LessOrEqual(rt, o.For, p.dayOf(p.EndedAt))
			}
		}
	})
}

func (p *play) step(rt *rapid.T) {
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0, 1:
		to := ""
		if days := rapid.IntRange(-10, 40).Draw(rt, "days"); days < 38 {
			to = p.dayOf(p.now.Add(time.Duration(days) * day))
		}
		p.change(movedTo(to))
	case 2:
		p.change(func(l *activities.LeaseView) {
			l.Tenants = rapid.SampledFrom([][]activities.Person{{ann}, {ann, bob}, {bob}, nil}).Draw(rt, "tenants")
		})
	case 3, 4, 5:
		if len(p.Waits) == 0 {
			return
		}
		w := p.Waits[rapid.IntRange(0, len(p.Waits)-1).Draw(rt, "wait")]
		choice := rapid.SampledFrom(append(slices.Clone(w.Tell.Ask.Choices), "nonsense")).Draw(rt, "choice")
		p.says(w.Purpose, choice, map[string]string{"date": p.dayOf(p.now.Add(9 * day))})
	case 6:
		p.reload(rt)
		p.Tick(p.now)
		if task := p.Todo(p.now); task != campaign.Nothing {
			p.do(task, "unavailable")
		}
	default:
		p.pass(time.Duration(rapid.IntRange(1, 200).Draw(rt, "hours")) * time.Hour)
	}
}

// reload goes on with what a history keeps of the state.
func (p *play) reload(rt *rapid.T) {
	text, err := json.Marshal(p.State)
	require.NoError(rt, err)
	var back State
	require.NoError(rt, json.Unmarshal(text, &back))
	again, err := json.Marshal(back)
	require.NoError(rt, err)
	require.JSONEq(rt, string(text), string(again))
	p.State = &back
}

// sound checks what holds at all times.
func (p *play) sound(rt *rapid.T) {
	p.work("")
	at, why := p.Next(p.now)
	require.True(rt, at.IsZero() || at.After(p.now), "%s is due at %s, which has passed", why, at)
	require.NotContains(rt, strings.ToLower(logOf(p.State)), "ann@")

	if p.Outcome == "" {
		for _, u := range p.Utilities {
			require.Contains(rt, []string{"", p.Day}, u.For)
		}
	}
	standing := 0
	for _, o := range p.Orders {
		require.True(rt, o.For == p.Day || o.For <= p.dayOf(p.now), "an order for %s where the move-in is on %q", o.For, p.Day)
		standing++
		require.Equal(rt, o.Book, p.orders[strconv.Itoa(o.Number)])
	}
	require.Len(rt, p.orders, standing)
	if v := p.Visit; !v.Held && p.Outcome == "" && p.is(PartInspection, Planned) {
		require.Equal(rt, p.Day, v.Want.For)
		require.True(rt, v.Have.same(v.Want))
	}
	if v := p.Visit; v.Want.none() && !v.Held {
		for who, start := range p.calendar {
			require.False(rt, start.After(p.now), "%s has a visit that is off", who)
		}
	}
	for id, start := range p.calendar {
		require.True(rt, !start.After(p.now) || slices.ContainsFunc(p.Visit.Have.People, func(o activities.Person) bool { return o.ID == id }), id)
	}
}

func logOf(s *State) string {
	var b strings.Builder
	for _, e := range s.Log {
		b.WriteString(e.What + "\n")
	}
	for _, p := range s.Parts {
		b.WriteString(p.Name + p.Note + "\n")
	}
	return b.String()
}
