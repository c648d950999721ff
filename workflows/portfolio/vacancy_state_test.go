package portfolio

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/activities/listingtext"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

var lettingAt = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)

func lettingRules() policy.Portfolio {
	return policy.Portfolio{
		Company: "Harbor Homes", TimeZone: "America/Los_Angeles", Currency: "USD",
		Manager: policy.Person{ID: "grace"}, Escalation: policy.Person{ID: "omar"}, Agent: policy.Person{ID: "chloe"},
		Questions: policy.PortfolioQuestions{RemindAfter: 48 * time.Hour, Times: 2}, Pricing: policy.AskingPrice{Below: 150, Above: 150},
		Vacancy: policy.Vacancy{
			PublishAfter: 48 * time.Hour, Headline: "{beds}", ApplyAfter: 2 * time.Hour, ReviewPriceAfter: 14 * 24 * time.Hour, SpeakAfter: 30 * 24 * time.Hour,
			Sources:  []policy.ListingSource{{ID: "website", Name: "Own website"}, {ID: "portal", Name: "Portal", Monthly: 3999, PerLead: 100}},
			Showings: policy.Windows{AskAgain: 24 * time.Hour, Times: 2, JobsPerWindow: 1},
		},
	}
}

func lettingUnit() UnitNow {
	return UnitNow{
		Property: activities.PropertyView{ID: "1", Found: true, Active: true, Address: "12 Elm", Zone: "America/Los_Angeles", ReadAt: lettingAt},
		Unit:     activities.UnitView{ID: "1", Active: true, Rent: 195000, EmptySince: "2026-11-11"},
	}
}

// listedState is a home that is offered since lettingAt.
func listedState() *VacancyState {
	s := newVacancy(lettingUnit(), lettingAt)
	s.Rules, s.RulesAt = lettingRules(), lettingAt
	s.wrote(listingtext.Words{Headline: "Home"}, s.facts(lettingUnit(), lettingAt))
	s.approve("grace", lettingAt)
	s.Closes, s.Publish = nil, false
	s.listed(lettingAt)
	return s
}

func someLead(id string) Lead {
	return Lead{ID: id, Email: id + "@example.org", Phone: "+1", Texts: true, Source: "portal", Via: "form", At: lettingAt}
}

// written sends the present letter of a prospect.
func writtenTo(s *VacancyState, n int, now time.Time) {
	p := s.prospect(n)
	s.sent(p, p.step(), activities.Sent{Outcome: activities.MessageSent}, true, now, now)
}

func TestWhatAListingCosts(t *testing.T) {
	t.Parallel()
	rules := lettingRules().Vacancy.Sources
	for _, c := range []struct {
		days  int
		leads []SourceCount
		want  policy.Cents
	}{
		{0, nil, 0},
		{30, nil, 3999},
		{15, nil, 2000},
		{1, []SourceCount{{ID: "portal", Leads: 3}, {ID: "website", Leads: 9}, {ID: "elsewhere", Leads: 5}}, 133 + 300},
	} {
		require.Equal(t, c.want, costOf(rules, c.leads, c.days), "%+v", c)
	}
	require.Equal(t, policy.Cents(65000), lostRent(195000, 10))
	require.Zero(t, lostRent(195000, 0))
	for d, want := range map[time.Duration]int{-time.Hour: 0, 0: 0, time.Second: 1, 24 * time.Hour: 1, 24*time.Hour + 1: 2} {
		require.Equal(t, want, daysOf(d), d)
	}
}

func TestTheRentThatIsAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rent, last policy.Cents
		want       policy.Cents
		known      bool
		first      task
	}{
		"the unit's":     {195000, 180000, 195000, true, taskWrite},
		"the last one":   {0, 180000, 180000, true, taskWrite},
		"none is looked": {0, 0, 0, false, taskPrice},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := lettingUnit()
			u.Unit.Rent, u.Unit.LastRent = c.rent, c.last
			s := newVacancy(u, lettingAt)
			s.Rules = lettingRules()
			first, _ := s.todo(u, lettingAt)
			require.Equal(t, c.first, first)
			require.Equal(t, c.want, s.Rent)
			require.Equal(t, c.known, s.Known)
			s.priced(200000, "suggested", lettingAt)
			require.Equal(t, max(c.want, 200000*policy.Cents(map[bool]int{true: 0, false: 1}[c.known])), s.Rent)
			s.askedToPublish(true, lettingAt)
			require.Equal(t, c.known, !s.PublishAt.IsZero(), "nobody's word but a person's makes a suggestion the rent")
		})
	}
}

func TestWhoIsAskedToPublish(t *testing.T) {
	t.Parallel()
	s, u := newVacancy(lettingUnit(), lettingAt), lettingUnit()
	s.Rules = lettingRules()
	s.Rules.Vacancy.PublishAfter = 0
	s.wrote(listingtext.Words{Headline: "Home"}, s.facts(u, lettingAt))
	var asked []string
	for now := lettingAt; now.Before(lettingAt.AddDate(0, 0, 50)); now = now.AddDate(0, 0, 1) {
		s.tick(u, now)
		s.wrote(s.Words, s.facts(u, now))
		if next, _ := s.todo(u, now); next == taskAsk {
			asked = append(asked, fmt.Sprintf("%d %s", int(now.Sub(lettingAt).Hours()/24), s.askee().ID))
			s.askedToPublish(true, now)
		}
	}
	require.Equal(t, []string{"0 grace", "2 grace", "4 omar", "34 omar"}, asked)
	require.Empty(t, s.Approved)
}

func TestARentThatMayBeAPlaceholder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rent, last policy.Cents
		known      bool
	}{
		"no last one":     {195000, 0, true},
		"none of its own": {0, 195000, true},
		"near":            {195000, 180000, true},
		"as much above":   {230000, 200000, true},
		"too much above":  {230001, 200000, false},
		"as much below":   {170000, 200000, true},
		"too much below":  {169999, 200000, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := lettingUnit()
			u.Unit.Rent, u.Unit.LastRent = c.rent, c.last
			s := newVacancy(u, lettingAt)
			s.Rules = lettingRules()
			s.doubt(u)
			require.Equal(t, c.known, s.Known)
			require.Equal(t, !c.known, strings.Contains(s.RentWhy, "; the last tenancy paid "+s.money(c.last)), s.RentWhy)

			before := lettingUnit()
			s = newVacancy(before, lettingAt)
			s.Rules = lettingRules()
			s.askedToPublish(true, lettingAt)
			s.changed(&before, u, lettingAt)
			require.Equal(t, c.known, s.Known, "RentVine shows it later")
			s.askedToPublish(true, lettingAt)
			require.Equal(t, !c.known, s.PublishAt.IsZero(), "silence publishes no placeholder")
		})
	}
}

func TestASilenceOfWhoWasNotAskedPublishesNothing(t *testing.T) {
	t.Parallel()
	s, u := newVacancy(lettingUnit(), lettingAt), lettingUnit()
	s.Rules = lettingRules()
	s.askedToPublish(false, lettingAt)
	s.tick(u, lettingAt.AddDate(0, 0, 10))
	require.Empty(t, s.Approved)
	s.askedToPublish(true, lettingAt)
	s.tick(u, s.PublishAt)
	require.Equal(t, bySilence, s.Approved)
	require.Empty(t, s.Closes, "the manager may still answer")
}

func TestAnApprovalAfterSilence(t *testing.T) {
	t.Parallel()
	silent := func() *VacancyState {
		s := listedState()
		s.Approved = bySilence
		return s
	}
	say := func(s *VacancyState, choice string) durable.Outcome {
		return s.heard(durable.Answer{Step: "approve/1", Person: "grace", Choice: choice, Fields: map[string]string{fieldRent: "1800"}}, lettingUnit(), lettingAt)
	}
	s := silent()
	require.False(t, say(s, choicePublish).Late)
	require.Equal(t, []any{policy.Cents(180000), "grace", true, lettingAt}, []any{s.Rent, s.Approved, s.Publish, s.PricedAt})
	require.True(t, say(s, choiceWithdraw).Late, "a person has settled it")
	s = silent()
	require.False(t, say(s, choiceWithdraw).Late)
	require.Equal(t, StageWithdrawn, s.Outcome)
}

// Anybody can write another's address into a form.
func TestNobodyTakesAProspectOver(t *testing.T) {
	t.Parallel()
	mailed := Lead{Email: "a@example.org", Source: "portal", Via: "mail"}
	texted := Lead{Phone: "+1", Texts: true, Source: "portal", Via: "form"}
	called := Lead{Phone: "+1", Source: "portal", Via: "form"}
	for name, c := range map[string]struct{ first, then, want Lead }{
		"another phone":   {someLead("a"), Lead{Email: "a@example.org", Phone: "+666", Texts: true, Via: "form"}, someLead("a")},
		"a phone":         {mailed, Lead{Email: "a@example.org", Phone: "+666", Texts: true, Via: "form"}, Lead{Email: "a@example.org", Phone: "+666", Via: "mail"}},
		"an address":      {texted, Lead{Phone: "+1", Email: "evil@example.org", Via: "form"}, texted},
		"another channel": {someLead("a"), Lead{Email: "a@example.org", Via: "mail"}, someLead("a")},
		"the first":       {called, Lead{Phone: "+1", Email: "a@example.org", Via: "form"}, Lead{Phone: "+1", Email: "a@example.org", Via: "form"}},
		"consent":         {called, Lead{Phone: "+1", Texts: true, Via: "form"}, texted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := listedState()
			c.first.ID, c.then.ID = "first", "then"
			s.take(c.first, lettingAt, lettingAt)
			s.take(c.then, lettingAt, lettingAt)
			require.Len(t, s.Prospects, 1)
			got := s.Prospects[0].Lead
			require.Equal(t, []any{c.want.Email, c.want.Phone, c.want.Texts, c.want.Via}, []any{got.Email, got.Phone, got.Texts, got.Via})
		})
	}
}

func TestAPlaceIsFreedForAnother(t *testing.T) {
	t.Parallel()
	for status, free := range map[string]bool{statusDeclined: true, statusLapsed: true, statusTold: true, statusAsked: false, statusBooked: false, statusApplied: false, statusAgent: false} {
		s := listedState()
		for i := range maxProspects {
			l := someLead(fmt.Sprint("l", i))
			l.Phone = ""
			s.take(l, lettingAt, lettingAt)
			s.Prospects[i].Letter = ""
			s.Prospects[i].Status = statusAsked
		}
		s.Prospects[6].Status = status
		other := someLead("other")
		s.take(other, lettingAt, lettingAt)
		require.Equal(t, free, s.prospect(7) == nil, status)
		require.Equal(t, free, len(s.Crowd) == 0, status)
		require.Equal(t, !free, len(s.Notices) == 1, status)
		require.Equal(t, maxProspects+1, s.Numbered)
		p := s.prospect(maxProspects + 1)
		if !free {
			require.Equal(t, letterMany, p.Letter, status)
			continue
		}
		require.Contains(t, s.Closes, "windows/7/")
		require.True(t, s.heard(durable.Answer{Step: "windows/7/1", Choice: choiceOther}, lettingUnit(), lettingAt).Late)
		start := lettingAt.Add(5 * time.Hour)
		s.offered(p, []appointments.Window{{Start: start, End: start.Add(time.Hour)}}, lettingAt)
		writtenTo(s, p.N, lettingAt)
		require.False(t, s.heard(durable.Answer{Step: fmt.Sprintf("windows/%d/1", p.N), Choice: choiceAt + fmt.Sprint(start.Unix())}, lettingUnit(), lettingAt).Late)
		s.booked(p.N, p.Window, true, lettingAt)
		require.Equal(t, statusBooked, p.Status)
		s.failed(p.step(), lettingAt)
	}
}

func TestATextGoesByTheHoursOfTheState(t *testing.T) {
	t.Parallel()
	s, u := listedState(), lettingUnit()
	u.Property.State = "CA"
	s.take(someLead("a"), lettingAt, lettingAt)
	require.Equal(t, "CA", s.letter(s.prospect(1), u, lettingAt).State)
}

func TestWhereTheTenantComesFrom(t *testing.T) {
	t.Parallel()
	s := listedState()
	require.Empty(t, s.tenantFrom())
	for i, want := range []string{"portal", ""} {
		l := someLead(fmt.Sprint("l", i))
		l.Phone = ""
		s.take(l, lettingAt, lettingAt)
		s.Prospects[i].AppliedAt = lettingAt.Add(time.Duration(i))
		require.Equal(t, want, s.tenantFrom(), "several have applied: nobody knows who has it")
	}
}

func TestWhenTheRentWasSettled(t *testing.T) {
	t.Parallel()
	s := listedState()
	require.Zero(t, s.PricedAt)
	s.repriced(Price{}, lettingAt.Add(1))
	require.Zero(t, s.PricedAt, "it stays")
	s.repriced(Price{Rent: s.Rent}, lettingAt.Add(2))
	require.Equal(t, lettingAt.Add(2), s.PricedAt)
	u, after := lettingUnit(), lettingUnit()
	after.Unit.Rent = 180000
	s.changed(&u, after, lettingAt.Add(3))
	require.Equal(t, lettingAt.Add(3), s.PricedAt)
	fresh := newVacancy(lettingUnit(), lettingAt)
	fresh.repriced(Price{Rent: 180000}, lettingAt)
	require.Zero(t, fresh.PricedAt, "it is not offered yet")
}

func TestFiguresKnowTwoOutcomes(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[string]string{StageLet: "let", StageWithdrawn: "withdrawn", StageStopped: "withdrawn"} {
		s := listedState()
		s.end(outcome, "test", lettingAt)
		require.Equal(t, want, s.letting(lettingUnit(), "k").Outcome)
		require.Equal(t, outcome, s.result().Outcome)
	}
}

func TestAnApproval(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		choice string
		fields map[string]string
		late   bool
		rent   policy.Cents
		text   string
		next   task
	}{
		"as it is":       {choicePublish, map[string]string{"rent": "1950.00"}, false, 195000, "Text", taskClose},
		"another rent":   {choicePublish, map[string]string{"rent": "2000"}, false, 200000, "Text", taskClose},
		"another text":   {choicePublish, map[string]string{"rent": "1950", "text": "Mine"}, false, 195000, "Mine", taskClose},
		"no rent":        {choicePublish, nil, true, 195000, "Text", taskNone},
		"nothing":        {choicePublish, map[string]string{"rent": "0"}, true, 195000, "Text", taskNone},
		"withdrawn":      {choiceWithdraw, nil, false, 195000, "Text", taskClose},
		"not an answer":  {"maybe", nil, true, 195000, "Text", taskNone},
		"rent in words":  {choicePublish, map[string]string{"rent": "lots"}, true, 195000, "Text", taskNone},
		"steering":       {choicePublish, map[string]string{"rent": "1950", "text": "Perfect for a couple."}, true, 195000, "Text", taskNone},
		"a city's name":  {choicePublish, map[string]string{"rent": "1950", "text": "Near White Plains."}, false, 195000, "Near White Plains.", taskClose},
		"negative money": {choicePublish, map[string]string{"rent": "-5"}, true, 195000, "Text", taskNone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, u := newVacancy(lettingUnit(), lettingAt), lettingUnit()
			s.Rules = lettingRules()
			u.Property.City = "White Plains"
			s.wrote(listingtext.Words{Headline: "Head", Text: "Text"}, s.facts(u, lettingAt))
			s.askedToPublish(true, lettingAt)
			out := s.heard(durable.Answer{Step: "approve/1", Person: "grace", Choice: c.choice, Fields: c.fields}, u, lettingAt)
			require.Equal(t, c.late, out.Late, out.Message)
			require.Equal(t, c.rent, s.Rent)
			require.Equal(t, c.text, s.Words.Text)
			next, _ := s.todo(u, lettingAt)
			require.Equal(t, c.next, next)
			require.Equal(t, c.choice == choiceWithdraw, s.Outcome == StageWithdrawn)
		})
	}
}

func TestTheUnitChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*UnitNow)
		outcome string
		publish bool
	}{
		"nothing":         {func(*UnitNow) {}, "", false},
		"a lease":         {func(u *UnitNow) { u.Unit.LeaseID = "7" }, StageLet, false},
		"a pending lease": {func(u *UnitNow) { u.Unit.LeaseID, u.Unit.Pending = "7", true }, StageLet, false},
		"inactive":        {func(u *UnitNow) { u.Unit.Active = false }, StageStopped, false},
		"property gone":   {func(u *UnitNow) { u.Property.Found = false }, StageStopped, false},
		"sold":            {func(u *UnitNow) { u.Property.Active = false }, StageStopped, false},
		"an older look":   {func(u *UnitNow) { u.Unit.LeaseID, u.Property.ReadAt = "7", lettingAt.Add(-1) }, "", false},
		"another unit":    {func(u *UnitNow) { u.Unit.LeaseID, u.Unit.ID = "7", "8" }, "", false},
		"another rent":    {func(u *UnitNow) { u.Unit.Rent = 180000 }, "", true},
		"no rent":         {func(u *UnitNow) { u.Unit.Rent = 0 }, "", false},
		"another size":    {func(u *UnitNow) { u.Unit.Size = 900 }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, u := listedState(), lettingUnit()
			after := lettingUnit()
			c.change(&after)
			s.changed(&u, after, lettingAt)
			require.Equal(t, c.outcome, s.Outcome)
			require.Equal(t, c.publish, s.Publish)
			s.changed(&u, after, lettingAt) // again
			require.Equal(t, c.outcome, s.Outcome)
		})
	}
}

func TestLeadsAreTakenOnce(t *testing.T) {
	t.Parallel()
	s := listedState()
	s.take(someLead("a"), lettingAt, lettingAt)
	s.take(someLead("a"), lettingAt, lettingAt)
	require.Len(t, s.Prospects, 1)
	require.Equal(t, 1, s.totals().Leads)
	other := someLead("b")
	other.Email, other.Source = "A@Example.org", "website"
	s.take(other, lettingAt, lettingAt)
	require.Len(t, s.Prospects, 1, "the same mail address")
	require.Equal(t, "portal", s.Prospects[0].Lead.Source, "where he came from first")

	require.Equal(t, []int{1}, s.dueLetters(lettingAt))
	s.offered(s.prospect(1), []appointments.Window{{Start: lettingAt.Add(5 * time.Hour), End: lettingAt.Add(6 * time.Hour)}}, lettingAt)
	writtenTo(s, 1, lettingAt.Add(time.Minute))
	require.Equal(t, time.Minute, s.firstReply())
	s.take(Lead{ID: "c", Phone: "+1"}, lettingAt, lettingAt.Add(5*time.Minute))
	require.Empty(t, s.dueLetters(lettingAt.Add(5*time.Minute)), "answered a moment ago")
	s.take(Lead{ID: "d", Phone: "+1"}, lettingAt, lettingAt.Add(12*time.Minute))
	require.Equal(t, []int{1}, s.dueLetters(lettingAt.Add(12*time.Minute)))
	require.Equal(t, 1, s.Replies, "the first answer counts")
}

func TestManyLeadsAreBounded(t *testing.T) {
	t.Parallel()
	s := listedState()
	for i := range maxProspects + maxCrowd + 5 {
		l := someLead(fmt.Sprint("l", i))
		l.Phone = ""
		l.Message = strings.Repeat("x", 5000)
		s.take(l, lettingAt, lettingAt)
	}
	require.Len(t, s.Prospects, maxProspects)
	require.Len(t, s.Crowd, maxCrowd)
	require.Equal(t, maxCrowd+5, s.Crowded)
	require.Equal(t, maxProspects+maxCrowd+5, s.totals().Leads)
	require.Len(t, s.Prospects[0].Lead.Message, maxKept)
	require.Len(t, s.dueLetters(lettingAt), lettersAtOnce)
	require.Len(t, s.Notices, 1, "the agent is told once")
	require.NotContains(t, s.letter(s.prospect(maxProspects+1), lettingUnit(), lettingAt).Text, "we will write")
	writtenTo(s, maxProspects+1, lettingAt)
	s.leave()
	require.Len(t, s.Crowd, maxCrowd-1)
}

func TestAProspectWhoDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s, u := listedState(), lettingUnit()
	s.take(someLead("a"), lettingAt, lettingAt)
	var letters []string
	for now := lettingAt; now.Before(lettingAt.AddDate(0, 0, 8)); now = now.Add(time.Hour) {
		s.tick(u, now)
		for _, n := range s.dueLetters(now) {
			p := s.prospect(n)
			if p.Letter == letterWindows {
				s.offered(p, []appointments.Window{{Start: now.Add(5 * time.Hour), End: now.Add(6 * time.Hour)}}, now)
			}
			letters = append(letters, p.step())
			writtenTo(s, n, now)
		}
	}
	require.Equal(t, []string{"windows/1/1", "windows/1/2"}, letters)
	require.Equal(t, statusLapsed, s.Prospects[0].Status)
}

// windowsOf has a prospect asked to choose one of two times.
func askedState(t *testing.T) (*VacancyState, string) {
	t.Helper()
	s := listedState()
	s.take(someLead("a"), lettingAt, lettingAt)
	start := lettingAt.Add(5 * time.Hour)
	s.offered(s.prospect(1), []appointments.Window{{Start: start, End: start.Add(time.Hour)}}, lettingAt)
	writtenTo(s, 1, lettingAt)
	return s, choiceAt + fmt.Sprint(start.Unix())
}

func TestWhatAProspectAnswers(t *testing.T) {
	t.Parallel()
	answer := func(s *VacancyState, choice string, now time.Time) durable.Outcome {
		return s.heard(durable.Answer{Step: "windows/1/1", Choice: choice}, lettingUnit(), now)
	}
	s, _ := askedState(t)
	require.True(t, answer(s, choiceAt+"1", lettingAt).Late, "never offered")
	require.Equal(t, letterWindows, s.Prospects[0].Letter)

	s, at := askedState(t)
	require.True(t, answer(s, at, lettingAt.Add(6*time.Hour)).Late, "it has passed")

	s, at = askedState(t)
	require.False(t, answer(s, at, lettingAt).Late)
	require.True(t, answer(s, at, lettingAt).Late, "chosen already")
	window := s.Prospects[0].Window
	s.booked(1, window, false, lettingAt)
	require.Equal(t, statusWaiting, s.Prospects[0].Status)
	require.Equal(t, []time.Time{window.Start}, s.Prospects[0].Refused)

	s, at = askedState(t)
	answer(s, at, lettingAt)
	require.False(t, answer(s, choiceNo, lettingAt).Late, "a change of mind while it is booked")
	s.booked(1, window, true, lettingAt)
	require.True(t, s.Prospects[0].Unbook)
	require.Equal(t, statusDeclined, s.Prospects[0].Status)

	s, _ = askedState(t)
	for range maxOthers {
		require.False(t, answer(s, choiceOther, lettingAt).Late)
	}
	require.Equal(t, statusAgent, s.Prospects[0].Status)
	require.Len(t, s.Notices, 1)
	require.Equal(t, "chloe", s.Notices[0].To.ID)

	s, _ = askedState(t)
	for _, step := range []string{"windows/2/1", "windows/x/1", "windows", "", "//"} {
		require.True(t, s.heard(durable.Answer{Step: step, Choice: choiceOther}, lettingUnit(), lettingAt).Late, step)
	}
	require.True(t, answer(s, choiceApply, lettingAt).Late, "he has not seen it")
	s.end(StageLet, "test", lettingAt)
	require.True(t, answer(s, choiceOther, lettingAt).Late)
}

func TestWhatBecomesOfALetter(t *testing.T) {
	t.Parallel()
	held := activities.Sent{Outcome: activities.MessageHeld, HeldUntil: lettingAt.Add(9 * time.Hour)}
	for name, c := range map[string]struct {
		lead  Lead
		sent  activities.Sent
		known bool
		want  func(*testing.T, *VacancyState, Prospect)
	}{
		"held, with a mail address": {someLead("a"), held, true, func(t *testing.T, s *VacancyState, p Prospect) {
			require.Equal(t, []activities.Channel{activities.Mail}, p.channels())
			require.Equal(t, []int{1}, s.dueLetters(lettingAt), "at once")
		}},
		"held, without one": {Lead{ID: "a", Phone: "+1", Texts: true}, held, true, func(t *testing.T, s *VacancyState, p Prospect) {
			require.Equal(t, held.HeldUntil, p.LetterAt)
		}},
		"not known": {someLead("a"), activities.Sent{}, false, func(t *testing.T, s *VacancyState, p Prospect) {
			require.Equal(t, lettingAt.Add(retryPause), p.LetterAt)
			require.Equal(t, "windows/1/1", p.step(), "the same letter")
		}},
		"impossible": {someLead("a"), activities.Sent{Outcome: activities.MessageImpossible}, true, func(t *testing.T, s *VacancyState, p Prospect) {
			require.Equal(t, statusAgent, p.Status)
			require.Len(t, s.Notices, 1)
		}},
		"recorded": {someLead("a"), activities.Sent{Outcome: activities.MessageRecorded}, true, func(t *testing.T, s *VacancyState, p Prospect) {
			require.Equal(t, statusAsked, p.Status)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := listedState()
			s.take(c.lead, lettingAt, lettingAt)
			p := s.prospect(1)
			s.sent(p, p.step(), c.sent, c.known, lettingAt, lettingAt)
			c.want(t, s, s.Prospects[0])
		})
	}
	s, _ := askedState(t)
	s.failed("windows/1/1", lettingAt)
	require.True(t, s.Prospects[0].ByMail)
	s.failed("windows/7/1", lettingAt)
	s.failed("tell/1", lettingAt)
	s.failed("", lettingAt)

	require.Empty(t, (&Prospect{Lead: Lead{Phone: "+1"}}).channels(), "he has not agreed to be texted")
	require.Equal(t, []activities.Channel{activities.Mail, activities.SMS},
		(&Prospect{Lead: Lead{Phone: "+1", Texts: true, Email: "a@b.c", Via: "mail"}}).channels(), "as he asked")
}

func TestAnApplicantWhomRentVineRefuses(t *testing.T) {
	t.Parallel()
	for refused, applied := range map[string]bool{"": true, "invalid": true, "unavailable": false, "timeout": false} {
		s, _ := askedState(t)
		p := s.prospect(1)
		p.Status, p.AppliedAt = statusApplying, lettingAt
		s.written(p, "12 Elm", refused, lettingAt)
		require.Equal(t, applied, p.Status == statusApplied, refused)
		require.Equal(t, !applied, p.WriteAt.After(lettingAt), refused)
		require.Equal(t, applied, len(s.Notices) == 2, refused)
	}
}

func TestTheEndIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	s, u := listedState(), lettingUnit()
	s.take(someLead("a"), lettingAt, lettingAt)
	s.end(StageLet, "test", lettingAt)
	s.end(StageWithdrawn, "again", lettingAt)
	require.Equal(t, StageLet, s.Outcome)
	s.Closes, s.Withdrawn, s.Recorded = nil, true, true
	s.tick(u, lettingAt)
	require.False(t, s.finished(u, lettingAt), "people are to be told")
	later := lettingAt.Add(giveUp)
	s.tick(u, later)
	require.True(t, s.finished(u, later))
}

func TestAModelsWordsOutlastAnotherRent(t *testing.T) {
	t.Parallel()
	s, u := newVacancy(lettingUnit(), lettingAt), lettingUnit()
	s.Rules = lettingRules()
	s.wrote(listingtext.Words{Headline: "Home", Model: "m"}, s.facts(u, lettingAt))
	s.Rent = 180000
	next, _ := s.todo(u, lettingAt.AddDate(0, 0, 3))
	require.Equal(t, taskAsk, next)
	s.Words.Model = ""
	next, _ = s.todo(u, lettingAt)
	require.Equal(t, taskWrite, next)
}
