package portfolio

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// unit is an active unit with a rent in dollars, and who lives there, "" for nobody.
func unit(id string, rent policy.Cents, lease string) activities.UnitView {
	return activities.UnitView{ID: id, Active: true, Rent: rent * 100, LeaseID: lease}
}

func house(units ...activities.UnitView) activities.PropertyView {
	return activities.PropertyView{
		ID: "7", PortfolioID: "1", Found: true, Active: true, Address: "1 Elm Street", City: "Portland", State: "OR", Located: true, Zone: "America/Los_Angeles", Units: units,
	}
}

func homeRules() policy.Portfolio {
	return policy.Portfolio{
		TimeZone: "America/Los_Angeles", Questions: policy.PortfolioQuestions{RemindAfter: 48 * time.Hour, Times: 2},
		Onboarding: policy.Onboarding{Items: []string{"Keys", "Insurance", "Photos"}, Within: 14 * 24 * time.Hour},
		Compliance: policy.Compliance{Requirements: []policy.Requirement{
			{ID: "insurance"},
			{ID: "smoke", PerUnit: true, States: []string{"or", "WA"}},
			{ID: "licence", States: []string{"OR"}, Cities: []string{" portland "}},
			{ID: "lead", States: []string{"CA"}},
		}},
	}
}

func event(kind, unitID string, changes ...string) durable.Event {
	ev := durable.Event{Source: "rentvine", Type: kind, EntityID: "7", Changes: map[string]durable.Change{}}
	if unitID != "" {
		ev.Data = json.RawMessage(fmt.Sprintf(`{"unitID":%q,"propertyID":"7","later":{"x":1}}`, unitID))
	}
	for i := 0; i+2 < len(changes); i += 3 {
		ev.Changes[changes[i]] = durable.Change{Old: changes[i+1], New: changes[i+2]}
	}
	return ev
}

// begunAll carries out what the state wants, as the workflow does, and returns what it
// began. What is dropped says that it has ended.
func begunAll(s *PropertyState, now time.Time) (begun []string) {
	for range 20 {
		if !s.busy() {
			return begun
		}
		for _, c := range s.toTell(atOnce) {
			s.told(c.ID)
		}
		for _, c := range s.toDrop(atOnce) {
			s.dropped(c.ID, true)
			s.ended(Ended{WorkflowID: c.ID, Kind: kindCompliance, UnitID: c.UnitID, Outcome: "dropped"}, now)
		}
		for _, c := range s.toBegin(atOnce) {
			s.began(c)
			begun = append(begun, c.ID)
		}
	}
	panic("it never comes to rest")
}

func running(s *PropertyState) (ids []string) {
	for _, c := range s.Children {
		ids = append(ids, c.ID)
	}
	return ids
}

// followed is the state of a property that was adopted.
func followed(v activities.PropertyView) *PropertyState {
	s := &PropertyState{ID: "7", BeganAt: monday.Add(-30 * 24 * time.Hour)}
	s.event(durable.Event{Type: "property.found"}, s.BeganAt)
	s.read(v, homeRules(), s.BeganAt)
	begunAll(s, s.BeganAt)
	return s
}

var watches = []string{"compliance/7/1/smoke", "compliance/7/2/smoke", "compliance/7/insurance", "compliance/7/licence"}

func TestAPropertyIsAdoptedSilently(t *testing.T) {
	t.Parallel()
	s := followed(house(unit("1", 1000, ""), unit("2", 1200, "50")))
	require.Equal(t, watches, running(s), "only what it must have is watched: nothing is marketed or priced")
	for _, c := range s.Children {
		require.False(t, c.New, "nobody is asked about %s", c.ID)
	}
	require.False(t, s.onboards())
	require.Equal(t, PropertyVacant, s.stage())

	offered := unit("1", 1000, "")
	offered.Listed = true
	s = followed(house(offered, unit("2", 1200, "50")))
	require.Contains(t, running(s), "vacancy/1", "what an earlier run has offered is followed")
}

func TestWhatLooksAndHintsBegin(t *testing.T) {
	t.Parallel()
	let := house(unit("1", 1000, "40"), unit("2", 1200, "50"), unit("3", 900, ""))
	for name, c := range map[string]struct {
		events []durable.Event
		after  activities.PropertyView
		want   []string
	}{
		"nothing new":                      {nil, let, nil},
		"a unit is vacated":                {nil, house(unit("1", 1000, ""), unit("2", 1200, "50"), unit("3", 900, "")), []string{"vacancy/1", "vacancy/3"}},
		"one is let, another vacated":      {nil, house(unit("1", 1000, ""), unit("2", 1200, "50"), unit("3", 900, "60")), []string{"vacancy/1"}},
		"one is let":                       {nil, house(unit("1", 1000, "40"), unit("2", 1200, "50"), unit("3", 900, "60")), nil},
		"a let unit is gone":               {nil, house(unit("1", 1000, "40"), unit("3", 900, "")), []string{"vacancy/3"}},
		"told that the rate rose":          {[]durable.Event{event("property.updated", "", "vacancy_rate", "0", "33.3")}, let, []string{"vacancy/3"}},
		"RentVine's spelling, a share":     {[]durable.Event{event("unit.updated", "3", "vacancyRate", "0.05", "7.5%")}, let, []string{"vacancy/3"}},
		"told that it fell":                {[]durable.Event{event("property.updated", "", "vacancy_rate", "50", "33.3")}, let, nil},
		"told nonsense":                    {[]durable.Event{event("property.updated", "", "vacancy_rate", "0", "high", "rental_rate", "x", "y", "unknown", "1", "2")}, let, nil},
		"a rent is changed":                {nil, house(unit("1", 1000, "40"), unit("2", 1300, "50"), unit("3", 900, "")), []string{"pricing/2"}},
		"the property's rate is changed":   {[]durable.Event{event("property.updated", "", "rental_rate", "900", "950.00")}, let, []string{"pricing/3"}},
		"a rate that stays":                {[]durable.Event{event("property.updated", "", "rental_rate", "900", "900")}, let, nil},
		"a unit's rent is changed, twice":  {[]durable.Event{event("unit.updated", "1", "rent", "900", "$1,000.00"), event("unit.updated", "1", "market_rent", "900", "1000")}, let, []string{"pricing/1"}},
		"a rent of a unit that is unknown": {[]durable.Event{event("unit.updated", "99", "rent", "900", "1000")}, let, nil},
		"both at once": {[]durable.Event{event("property.updated", "", "vacancyRate", "0", "100%", "rentalRate", "1", "2")}, let,
			[]string{"vacancy/3", "pricing/3"}},
	} {
		s := followed(let)
		for _, ev := range c.events {
			s.event(ev, monday)
		}
		s.read(c.after, homeRules(), monday)
		begun := begunAll(s, monday)
		begun = slices.DeleteFunc(begun, func(id string) bool { return strings.HasPrefix(id, "compliance/") })
		require.Equal(t, c.want, begun, name)
		s.read(c.after, homeRules(), monday)
		require.Empty(t, begunAll(s, monday), "%s: seen once more", name)
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"7.5": 75_000, "7.5%": 75_000, "0.075": 75_000, " 7.5 % ": 75_000, "0": 0, "100": 1_000_000, "1": 1_000_000, "1%": 10_000} {
		got, ok := share(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "null", "-1", "101", "NaN", "Inf", "1e999", "abc", "%"} {
		_, ok := share(text)
		require.False(t, ok, text)
	}
}

func TestUnitsOfEvents(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"unitID":"9"}`: "9", `{"unitID":9,"id":"8"}`: "9", `{"id":8}`: "8", `{"unitID":"x y","id":"8"}`: "8", `{"unitID":"0"}`: "",
		`{}`: "", `null`: "", `[]`: "", ``: "", `{"unitID":{"a":1}}`: "", `{"unitID":1.5}`: "", `{"unitID":"99999999999999999999"}`: "",
	} {
		require.Equal(t, want, unitOf(durable.Event{Data: json.RawMessage(data)}), data)
	}
}

// RentVine's event about what a pricing has written may come before its end does.
func TestADecidedPriceIsNotAskedAboutAgain(t *testing.T) {
	t.Parallel()
	before, written := house(unit("1", 1000, "")), house(unit("1", 1100, ""))
	webhook := event("unit.updated", "1", "rent", "1000", "1100")

	s := followed(before)
	s.settled("1", 1100_00)
	s.event(webhook, monday)
	s.read(written, homeRules(), monday)
	require.Empty(t, begunAll(s, monday), "it was told first")

	ended := Ended{WorkflowID: "pricing/1", Kind: kindPricing, UnitID: "1", Outcome: PricingChanged, Rent: 1100_00}
	s = followed(before)
	s.event(webhook, monday)
	s.read(written, homeRules(), monday)
	s.ended(ended, monday)
	require.Empty(t, begunAll(s, monday), "it is told before another begins")

	s = followed(before)
	s.read(house(unit("1", 1150, "")), homeRules(), monday)
	s.ended(ended, monday)
	require.Equal(t, []string{"pricing/1"}, begunAll(s, monday), "others have set another since")

	s = followed(before)
	s.settled("", 1100_00)
	s.settled("1", 0)
	require.Equal(t, followed(before), s, "a price that stays decides nothing")
}

// What a pricing writes itself is not priced again, whichever is heard first.
func TestAPricingDoesNotPriceItself(t *testing.T) {
	t.Parallel()
	priced := func() *PropertyState {
		s := followed(house(unit("1", 1000, ""), unit("2", 1200, "50")))
		s.event(event("unit.updated", "1", "rent", "900", "1000"), monday)
		s.read(s.View, homeRules(), monday)
		require.Equal(t, []string{"pricing/1"}, begunAll(s, monday))
		return s
	}
	written := house(unit("1", 1100, ""), unit("2", 1200, "50"))
	ended := Ended{WorkflowID: "pricing/1", Kind: kindPricing, UnitID: "1", Outcome: PricingChanged, Rent: 1100_00}

	s := priced()
	s.event(event("unit.updated", "1", "rent", "1000", "1100"), monday)
	s.read(written, homeRules(), monday)
	require.Empty(t, begunAll(s, monday), "it goes on, and is told")
	s.ended(ended, monday)
	s.event(event("property.updated", "", "rental_rate", "1000", "1100"), monday)
	s.read(written, homeRules(), monday)
	require.Empty(t, begunAll(s, monday))

	s = priced()
	s.ended(ended, monday)
	s.event(event("unit.updated", "1", "rent", "1000", "1100"), monday)
	s.read(written, homeRules(), monday)
	require.Empty(t, begunAll(s, monday))

	s.read(house(unit("1", 1150, ""), unit("2", 1200, "50")), homeRules(), monday)
	require.Equal(t, []string{"pricing/1"}, begunAll(s, monday), "others have changed it since")

	// A pricing that a vacancy has begun counts as well.
	s = followed(house(unit("1", 1000, ""), unit("2", 1200, "50")))
	s.ended(ended, monday)
	s.read(written, homeRules(), monday)
	require.Empty(t, begunAll(s, monday))
}

func TestWhatPeopleTakeOffTheMarketStaysOff(t *testing.T) {
	t.Parallel()
	empty, let := house(unit("1", 1000, ""), unit("2", 1200, "50")), house(unit("1", 1000, "60"), unit("2", 1200, "50"))
	rose := event("property.updated", "", "vacancy_rate", "0", "50")
	s := followed(let)
	s.read(empty, homeRules(), monday)
	require.Equal(t, []string{"vacancy/1"}, begunAll(s, monday))
	s.ended(Ended{WorkflowID: "vacancy/1", Kind: kindVacancy, UnitID: "1", Outcome: outcomeWithdrawn}, monday)
	s.event(rose, monday)
	s.read(empty, homeRules(), monday)
	require.Empty(t, begunAll(s, monday), "people have decided")
	require.Empty(t, s.refuses(kindVacancy, "1"))
	s.command(BeginNowCommand{Kind: kindVacancy, UnitID: "1"}, monday)
	s.read(empty, homeRules(), monday)
	require.Equal(t, []string{"vacancy/1"}, begunAll(s, monday), "an operator decides otherwise")

	s.read(let, homeRules(), monday)
	require.Equal(t, []string{"vacancy/1"}, ids(s.toTell(9)), "it is told that the unit is let")
	s.told("vacancy/1")
	s.ended(Ended{WorkflowID: "vacancy/1", Kind: kindVacancy, UnitID: "1", Outcome: "let"}, monday)
	s.read(empty, homeRules(), monday)
	require.Equal(t, []string{"vacancy/1"}, begunAll(s, monday), "vacated again")

	// It falls empty again while the old campaign is wound up.
	s.read(let, homeRules(), monday)
	s.read(empty, homeRules(), monday)
	require.Empty(t, begunAll(s, monday))
	s.ended(Ended{WorkflowID: "vacancy/1", Kind: kindVacancy, UnitID: "1", Outcome: StageLet}, monday)
	require.Equal(t, []string{"vacancy/1"}, begunAll(s, monday))

	// What nobody has decided is marketed when the rate rises.
	s.ended(Ended{WorkflowID: "vacancy/1", Kind: kindVacancy, UnitID: "1", Outcome: StageStopped}, monday)
	require.Empty(t, begunAll(s, monday), "an operator who cancels it is obeyed")
	s.event(rose, monday)
	s.read(empty, homeRules(), monday)
	require.Equal(t, []string{"vacancy/1"}, begunAll(s, monday))

	// One that ended because the unit was out of service is marketed when it is back.
	closed := house(unit("1", 1000, ""), unit("2", 1200, "50"))
	closed.Units[0].Active = false
	s.read(closed, homeRules(), monday)
	s.told("vacancy/1")
	s.ended(Ended{WorkflowID: "vacancy/1", Kind: kindVacancy, UnitID: "1", Outcome: outcomeWithdrawn}, monday)
	s.read(empty, homeRules(), monday)
	require.Contains(t, begunAll(s, monday), "vacancy/1")
}

func ids(list []child) (out []string) {
	for _, c := range list {
		out = append(out, c.ID)
	}
	return out
}

func TestCommandsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	s := followed(house(unit("1", 1000, ""), unit("2", 1200, "50")))
	require.Contains(t, s.refuses("party", "1"), "kind is one of")
	require.Contains(t, s.refuses(kindVacancy, "2"), "lease 50")
	require.Contains(t, s.refuses(kindVacancy, "9"), "no unit")
	require.Contains(t, s.refuses(kindPricing, ""), "no unit")
	require.Empty(t, s.refuses(kindPricing, "2"))
	require.Empty(t, s.refuses(kindCompliance, ""))
	s.began(child{ID: "vacancy/1", Kind: kindVacancy, UnitID: "1"})
	require.Contains(t, s.refuses(kindVacancy, "1"), "under way")
	s.View.Active = false
	require.Contains(t, s.refuses(kindCompliance, ""), "gone")
	require.Contains(t, (&PropertyState{}).refuses(kindCompliance, ""), "unread")
}

func TestWhatAPropertyMustHave(t *testing.T) {
	t.Parallel()
	v := house(unit("1", 1000, ""), unit("2", 1200, "50"))
	s := followed(v)

	moved := v
	moved.State, moved.City = "CA", "Fresno"
	s.read(moved, homeRules(), monday)
	require.Equal(t, []string{"compliance/7/1/smoke", "compliance/7/2/smoke", "compliance/7/licence"}, ids(s.toDrop(9)))
	require.Equal(t, []string{"compliance/7/lead"}, begunAll(s, monday))
	require.Equal(t, []string{"compliance/7/insurance", "compliance/7/lead"}, running(s))
	s.read(v, homeRules(), monday)
	begunAll(s, monday)
	require.Equal(t, watches, running(s), "and back")

	// One that people have ended does not begin again, unless it is asked for, or was not
	// wanted for a while.
	s.ended(Ended{WorkflowID: "compliance/7/insurance", Kind: kindCompliance, Outcome: "dropped"}, monday)
	s.read(v, homeRules(), monday)
	require.Empty(t, begunAll(s, monday))
	s.command(BeginNowCommand{Kind: kindCompliance}, monday)
	require.Equal(t, []string{"compliance/7/insurance"}, begunAll(s, monday))
	s.ended(Ended{WorkflowID: "compliance/7/insurance", Kind: kindCompliance, Outcome: "dropped"}, monday)
	less := homeRules()
	less.Compliance.Requirements = less.Compliance.Requirements[1:]
	s.read(v, less, monday)
	begunAll(s, monday)
	s.read(v, homeRules(), monday)
	require.Equal(t, []string{"compliance/7/insurance"}, begunAll(s, monday))

	// A new unit is asked about, and a unit that is out of service is not.
	grown := house(unit("1", 1000, "40"), unit("2", 1200, "50"), unit("3", 900, "60"))
	grown.Units[0].Active = false
	s.read(grown, homeRules(), monday)
	begunAll(s, monday)
	require.NotContains(t, running(s), "compliance/7/1/smoke")
	at, ok := s.find("compliance/7/3/smoke")
	require.True(t, ok)
	require.True(t, s.Children[at].New)

	// Nobody answers a drop: it is not told again, nor begun beside the one that runs.
	s = followed(v)
	s.read(moved, homeRules(), monday)
	for _, c := range s.toDrop(9) {
		s.dropped(c.ID, true)
	}
	require.Empty(t, s.toDrop(9))
	s.read(v, homeRules(), monday)
	require.NotContains(t, ids(s.toBegin(9)), "compliance/7/licence")
	s.ended(Ended{WorkflowID: "compliance/7/licence", Kind: kindCompliance, Outcome: "dropped"}, monday)
	require.Contains(t, ids(s.toBegin(9)), "compliance/7/licence", "it has ended, and is wanted")
	// One that had ended already is simply gone.
	s.read(moved, homeRules(), monday)
	s.dropped("compliance/7/1/smoke", false)
	require.NotContains(t, running(s), "compliance/7/1/smoke")
}

func TestAWatchIsToldWhereItsPropertyIs(t *testing.T) {
	t.Parallel()
	v := house(unit("1", 1000, ""), unit("2", 1200, "50"))
	for name, c := range map[string]struct {
		change func(*activities.PropertyView)
		want   []string
	}{
		"another owner":  {func(v *activities.PropertyView) { v.PortfolioID = "2" }, watches},
		"another zone":   {func(v *activities.PropertyView) { v.Zone = "America/Boise" }, watches},
		"a label":        {func(v *activities.PropertyView) { v.Units[0].Label = "A" }, watches[:1]},
		"a rent, leased": {func(v *activities.PropertyView) { v.Units[0].Rent, v.Units[0].LeaseID = 1, "9" }, nil},
		"inactive":       {func(v *activities.PropertyView) { v.Active = false }, nil},
	} {
		s, after := followed(v), house(slices.Clone(v.Units)...)
		c.change(&after)
		s.read(after, homeRules(), monday)
		require.Equal(t, c.want, ids(s.toTell(9)), name)
		begunAll(s, monday)
		require.Empty(t, s.toTell(9), name)
	}
	s, moved := followed(v), house(v.Units...)
	moved.City = "Salem"
	s.read(moved, homeRules(), monday)
	s.dropped("compliance/7/licence", true)
	require.NotContains(t, ids(s.toTell(9)), "compliance/7/licence", "it is told to stop")
}

// What is required years later of a property that was new is not said to be new with it.
func TestNewIsForAWhile(t *testing.T) {
	t.Parallel()
	for days, want := range map[int]bool{0: true, 29: true, 30: false, 700: false} {
		s := &PropertyState{ID: "7", BeganAt: monday}
		s.event(event("property.created", ""), monday)
		s.event(event("unit.created", "2"), monday)
		now := monday.AddDate(0, 0, days)
		v := house(unit("1", 1000, "40"), unit("2", 1200, "50"))
		v.ReadAt = now
		s.read(v, homeRules(), now)
		for _, c := range s.required() {
			require.Equal(t, want, c.New, "%s after %d days", c.ID, days)
		}
		v.Units = append(v.Units, unit("3", 900, "60"))
		s.read(v, homeRules(), now)
		begunAll(s, now)
		at, ok := s.find("compliance/7/3/smoke")
		require.True(t, ok)
		require.True(t, s.Children[at].New, "a unit that has come after %d days", days)
		v.ReadAt = now.Add(newFor)
		s.read(v, homeRules(), v.ReadAt)
		require.Empty(t, begunAll(s, monday), "what runs goes on")
		require.Empty(t, s.NewUnits)
	}
}

func TestAPropertyThatIsGone(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]activities.PropertyView{
		"inactive": func() activities.PropertyView {
			v := house(unit("1", 1000, ""), unit("2", 1200, "50"))
			v.Active = false
			return v
		}(),
		"unknown": {ID: "7"},
	} {
		s := followed(house(unit("1", 1000, ""), unit("2", 1200, "50")))
		s.began(child{ID: "vacancy/1", Kind: kindVacancy, UnitID: "1"})
		s.read(v, homeRules(), monday)
		require.False(t, s.over(), "%s: its workflows are told first", name)
		require.Equal(t, []string{"vacancy/1"}, ids(s.toTell(9)), name)
		now := s.unitNow("1")
		require.False(t, now.Property.Active, name)
		require.Equal(t, "1 Elm Street", now.Property.Address, "%s: people are told where it was", name)
		require.Len(t, s.toDrop(9), 4, name)
		require.Len(t, s.toDrop(3), 3, "bounded")
		begunAll(s, monday)
		require.True(t, s.over(), name)
		require.Equal(t, PropertyGone, s.stage(), name)
	}
	s := &PropertyState{ID: "7", BeganAt: monday}
	s.read(activities.PropertyView{ID: "7"}, policy.Portfolio{}, monday)
	require.True(t, s.over(), "RentVine never knew it")
}

func TestAPolicyThatIsOff(t *testing.T) {
	t.Parallel()
	let, empty := house(unit("1", 1000, "40")), house(unit("1", 1100, ""))
	s := &PropertyState{ID: "7", BeganAt: monday}
	s.event(event("property.created", ""), monday)
	s.read(let, policy.Portfolio{}, monday)
	s.event(event("property.updated", "", "vacancy_rate", "0", "100", "rental_rate", "1", "2"), monday)
	s.read(empty, policy.Portfolio{}, monday)
	require.False(t, s.busy())
	require.False(t, s.over(), "it is followed all the same")
	require.Equal(t, PropertyIdle, s.stage())

	s = followed(let)
	s.read(let, policy.Portfolio{}, monday)
	require.Empty(t, s.toDrop(9), "what was begun goes on")
}

func TestOnboarding(t *testing.T) {
	t.Parallel()
	s := &PropertyState{ID: "7", BeganAt: monday}
	s.event(event("property.created", ""), monday)
	v := house(unit("1", 1000, ""), unit("2", 1200, "50"))
	v.Located, v.Zone = false, ""
	s.read(v, homeRules(), monday)
	require.Equal(t, PropertyOnboarding, s.stage())
	begunAll(s, monday)
	require.Equal(t, watches, running(s), "nothing is marketed before the property is set up")
	for _, c := range s.Children {
		require.True(t, c.New, c.ID)
	}
	require.Equal(t, monday, s.onboardingDue(monday))
	s.onboardingBegins(0, monday)
	require.Len(t, s.missing(), 3)
	q := s.onboardingQuestion(policy.Person{ID: "grace"}, "ref", monday)
	require.Contains(t, q.Text, "names no active owner")
	require.Contains(t, q.Text, "{link}")
	require.Equal(t, []string{"Keys", "Insurance", "Photos"}, q.Ask.Fields[0].Items)
	s.onboardingAsked(false, monday)
	require.Equal(t, monday.Add(48*time.Hour), s.onboardingDue(monday))

	answer := func(id, choice, items string) durable.Outcome {
		return s.heard(durable.Answer{ID: id, Step: "onboarding/0", Choice: choice, Fields: map[string]string{itemsField: items}}, monday)
	}
	require.True(t, answer("0", "dance", "0").Late)
	require.True(t, s.heard(durable.Answer{ID: "00", Step: "other", Choice: choiceSave}, monday).Late)
	require.Contains(t, answer("1", choiceSave, "0,9,-1,x,0").Message, "2 of 3 are left")
	require.Equal(t, []int{0}, s.Onboarding.Done)
	answer("1", choiceClose, "")
	require.Empty(t, s.Onboarding.Outcome, "the same answer twice is one")

	// The rate rises meanwhile: nothing is marketed, unless an event says so.
	s.read(house(unit("1", 1000, ""), unit("2", 1200, "")), homeRules(), monday)
	require.Empty(t, begunAll(s, monday))
	require.False(t, answer("2", choiceSave, "1,2").Late)
	require.Equal(t, onboardingDone, s.Onboarding.Outcome)
	require.Equal(t, []string{"vacancy/1", "vacancy/2"}, begunAll(s, monday))
	require.True(t, answer("3", choiceSave, "1").Late)
	require.Zero(t, s.onboardingDue(monday))
}

// Reminders go to the manager as often as the policy says, or until the time is up; then
// the escalation contact is asked once.
func TestOnboardingIsReminded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		within time.Duration
		want   []string
	}{
		"often enough":   {30 * 24 * time.Hour, []string{"0h manager", "48h manager", "96h manager", "144h escalation", "192h left"}},
		"the time is up": {60 * time.Hour, []string{"0h manager", "48h manager", "60h escalation", "108h left"}},
		"at once":        {0, []string{"0h escalation", "48h left"}},
	} {
		rules := homeRules()
		rules.Onboarding.Within = c.within
		s := &PropertyState{ID: "7", BeganAt: monday}
		s.event(event("property.created", ""), monday)
		s.read(house(unit("1", 1000, "")), rules, monday)
		var got []string
		for at := monday; !at.IsZero(); at = s.onboardingDue(at) {
			say := fmt.Sprintf("%dh ", int(at.Sub(monday).Hours()))
			switch {
			case s.Onboarding.Escalated:
				s.onboardingEnds(onboardingLeft, at)
				got = append(got, say+"left")
				continue
			}
			s.onboardingBegins(1, at)
			escalated := s.escalates(at)
			s.onboardingAsked(escalated, at)
			got = append(got, say+map[bool]string{true: "escalation", false: "manager"}[escalated])
		}
		require.Equal(t, c.want, got, name)
		require.Equal(t, []string{"vacancy/1"}, s.marketed(), name)
	}
}

// marketed are the ids of the vacancies that are to begin.
func (s *PropertyState) marketed() (list []string) {
	for _, c := range s.toBegin(atOnce) {
		if c.Kind == kindVacancy {
			list = append(list, c.ID)
		}
	}
	return list
}

// The same events in any order, any number of times and with a look after any of them, end
// in the same state.
func TestAnyOrderEndsInTheSameState(t *testing.T) {
	t.Parallel()
	events := []durable.Event{
		event("property.created", ""),
		event("property.updated", "", "vacancy_rate", "0", "50", "some_field", "a", "b"),
		event("property.updated", "", "rental_rate", "900", "1000"),
		event("unit.created", "1"),
		event("unit.created", "2", "rent", "", "1200"),
		event("unit.updated", "1", "rent", "900", "1000.00"),
		event("unit.updated", "2", "rent", "broken", "worse", "vacancyRate", "0.1", "0.5"),
		event("property.updated", "", "vacancy_rate", "60", "50"),
		{Type: "property.found", EntityID: "7"},
	}
	v := house(unit("1", 1000, ""), unit("2", 1200, "50"), unit("3", 900, ""))
	rapid.Check(t, func(t *rapid.T) {
		chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, len(events)-1), 1, len(events), rapid.ID[int]).Draw(t, "events")
		play := func(name string) (state, begun string) {
			s := &PropertyState{ID: "7", BeganAt: monday}
			order := rapid.Permutation(append(slices.Clone(chosen), rapid.SliceOfN(rapid.SampledFrom(chosen), 0, 5).Draw(t, name+" again")...)).Draw(t, name)
			ever := map[string]bool{}
			look := func() {
				s.read(v, homeRules(), monday)
				for _, id := range begunAll(s, monday) {
					ever[id] = true
				}
			}
			for _, n := range order {
				s.event(events[n], monday)
				if rapid.Bool().Draw(t, name+" looks") {
					look()
				}
			}
			look()
			if rapid.Bool().Draw(t, name+" looks again") {
				look()
			}
			list := make([]string, 0, len(ever))
			for id := range ever {
				list = append(list, id)
			}
			slices.Sort(list)
			slices.Sort(s.NewUnits)
			return fmt.Sprint(s.Children, s.New, s.NewUnits, s.onboards(), s.Priced, s.ToMarket, s.ToPrice, s.Withdrawn, s.Stopped), strings.Join(list, " ")
		}
		state, begun := play("one order")
		again, begunAgain := play("another")
		require.Equal(t, state, again)
		require.Equal(t, begun, begunAgain)
	})
}
