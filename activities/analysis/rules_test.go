package analysis

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/policy"
)

type sample struct {
	text     string
	problem  string
	trade    triage.Trade
	priority Priority
}

const (
	pl = triage.TradePlumbing
	el = triage.TradeElectrical
	hv = triage.TradeHVAC
	lk = triage.TradeLocksmith
	ge = triage.TradeGeneral
)

func samples() []sample {
	return []sample{
		{"The kitchen tap is leaking, a drop every few seconds.", "Leaking tap", pl, PriorityNormal},
		{"The kitchen tap is dripping", "Leaking tap", pl, PriorityNormal},
		{"leaky faucet in the bathroom", "Leaking tap", pl, PriorityNormal},
		{"Bathroom faucet handle is loose", "Leaking tap", pl, PriorityNormal},
		{"El grifo de la cocina gotea", "Leaking tap", pl, PriorityNormal},
		{"The outside spigot drips", "Leaking outdoor tap", pl, PriorityNormal},
		{"Toilet keeps running all night", "Running toilet", pl, PriorityNormal},
		{"toilet is clogged in the guest bath", "Clogged toilet", pl, PriorityUrgent},
		{"The toilet seat is cracked", "Broken toilet seat or handle", pl, PriorityLow},
		{"Toilet is loose and rocks when I sit", "Leaking toilet", pl, PriorityNormal},
		{"kitchen sink is draining slowly", "Clogged drain", pl, PriorityNormal},
		{"There is a slow drip under the kitchen sink", "Leak under the sink", pl, PriorityNormal},
		{"The shower head drips", "Leaking shower", pl, PriorityNormal},
		{"no hot water since this morning", "No hot water", pl, PriorityUrgent},
		{"The water heater is making noise", "No hot water", pl, PriorityUrgent},
		{"garbage disposal is jammed", "Garbage disposal problem", pl, PriorityNormal},
		{"disposal hums but does not turn", "Garbage disposal problem", pl, PriorityNormal},
		{"low water pressure in shower", "Low water pressure", pl, PriorityNormal},
		{"The pipes bang when I turn the water off", "Noisy pipes", pl, PriorityLow},

		{"outlet in bedroom not working", "Dead outlet", el, PriorityNormal},
		{"the GFCI in the bathroom keeps tripping", "Dead outlet", el, PriorityNormal},
		{"breaker keeps tripping", "Tripping breaker", el, PriorityUrgent},
		{"the hallway light is out", "Light out", el, PriorityLow},
		{"light bulb burned out on the stairs landing", "Light out", el, PriorityLow},
		{"Lights flicker in the living room", "Flickering lights", el, PriorityUrgent},
		{"the light switch is broken", "Broken light switch", el, PriorityNormal},
		{"smoke detector low battery", "Chirping smoke alarm", el, PriorityUrgent},
		{"The smoke alarm is chirping because of a low battery", "Chirping smoke alarm", el, PriorityUrgent},
		{"The bathroom fan is noisy", "Broken fan", el, PriorityLow},
		{"doorbell is broken", "Broken doorbell", el, PriorityLow},

		{"AC is not cooling well, 78 degrees inside", "AC problem", hv, PriorityUrgent},
		{"AC unit leaking water", "AC leaking water", hv, PriorityUrgent},
		{"please change the furnace filter", "Air filter change", hv, PriorityLow},
		{"thermostat is blank", "Thermostat problem", hv, PriorityUrgent},
		{"furnace is noisy", "Heating problem", hv, PriorityUrgent},
		{"vents are very dusty", "Blocked vent", hv, PriorityLow},

		{"the deadbolt is hard to turn", "Door lock problem", lk, PriorityNormal},
		{"locked out of my apartment", "Lost keys or locked out", lk, PriorityUrgent},
		{"request for a new mailbox key", "Mailbox lock or key", lk, PriorityLow},
		{"garage door opener stopped working", "Garage door problem", ge, PriorityNormal},
		{"bedroom window is stuck", "Window problem", ge, PriorityNormal},
		{"the closet door sticks", "Door needs adjusting", ge, PriorityNormal},
		{"window screen is torn", "Torn screen", ge, PriorityLow},
		{"broken window blinds", "Broken blinds", ge, PriorityLow},

		{"fridge is not cooling", "Fridge problem", ge, PriorityUrgent},
		{"oven does not heat", "Oven or stove problem", ge, PriorityNormal},
		{"dishwasher not working", "Dishwasher problem", ge, PriorityNormal},
		{"dryer does not heat", "Dryer problem", ge, PriorityNormal},
		{"the washing machine will not spin", "Washing machine problem", ge, PriorityNormal},
		{"microwave is broken", "Microwave problem", ge, PriorityLow},
		{"no water in the ice maker", "Ice maker problem", ge, PriorityLow},

		{"ants in the kitchen", "Insects", ge, PriorityNormal},
		{"I saw two mice", "Rodents", ge, PriorityUrgent},
		{"we have bed bugs", "Bed bugs", ge, PriorityUrgent},
		{"there is mold in the bathroom", "Mold", ge, PriorityUrgent},
		{"some shingles blew off the roof", "Roof leak", ge, PriorityUrgent},
		{"a slow drip at the skylight when it rains", "Roof leak", ge, PriorityUrgent},
		{"the gutters are overflowing", "Gutter problem", ge, PriorityNormal},
		{"cabinet hinge is loose", "Loose cabinet or drawer", ge, PriorityLow},
		{"The handrail is loose", "Loose railing or step", ge, PriorityUrgent},
		{"a floor tile is cracked", "Floor damage", ge, PriorityNormal},
		{"hole in the wall behind the sofa", "Wall or ceiling damage", ge, PriorityLow},
		{"Please repaint the hallway", "Painting", ge, PriorityLow},
		{"the grout needs to be redone", "Worn caulk or grout", ge, PriorityLow},
		{"the fence is leaning", "Fence or gate problem", ge, PriorityNormal},
		{"sprinkler head is broken", "Sprinkler problem", ge, PriorityNormal},
		{"the lawn is overgrown", "Yard work", ge, PriorityLow},

		{"emergency exit light needs a bulb", "Light out", el, PriorityLow},
		{"request for a parking permit", "Maintenance request", ge, PriorityNormal},
		{"", "Maintenance request", ge, PriorityNormal},
		{" \n\t ", "Maintenance request", ge, PriorityNormal},
		{"\U0001f6bf\U0001f527", "Maintenance request", ge, PriorityNormal},
	}
}

func TestEverydayProblems(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		a := Rules(Report{Text: s.text, Month: time.June})
		got := sample{s.text, a.Problem, a.Trade, a.Priority}
		require.Equal(t, s, got, "%+v", a)
		bounded(t, a)
		if s.problem != "Maintenance request" {
			require.GreaterOrEqual(t, a.Confidence, confident, "%+v", a)
			require.NotEmpty(t, a.Skills)
			require.Contains(t, a.Reason, "rule ")
		}
	}
}

// bounded is what holds for every analysis.
func bounded(t require.TestingT, a Analysis) {
	require.GreaterOrEqual(t, rank(a.Priority), 0)
	require.Contains(t, policy.Trades(), string(a.Trade))
	require.NotEmpty(t, a.Problem)
	require.LessOrEqual(t, len(a.Problem), 40)
	require.GreaterOrEqual(t, a.Minutes, MinMinutes)
	require.LessOrEqual(t, a.Minutes, MaxMinutes)
	require.GreaterOrEqual(t, a.Confidence, 0)
	require.LessOrEqual(t, a.Confidence, 100)
	require.NotEmpty(t, a.Reason)
	require.LessOrEqual(t, len(a.Reason), 600)
	require.NotEmpty(t, a.By)
	require.LessOrEqual(t, len(a.Overruled), 600)
	require.LessOrEqual(t, len(a.Skills), maxSkills)
	for _, s := range a.Skills {
		require.Contains(t, Skills(), s)
	}
	require.LessOrEqual(t, len(a.Parts), MaxParts)
	for _, p := range a.Parts {
		c, ok := findItem(p.SKU)
		require.True(t, ok, p.SKU)
		require.Equal(t, c.Name, p.Name)
		require.GreaterOrEqual(t, p.Quantity, 1)
		require.LessOrEqual(t, p.Quantity, c.Quantity)
	}
}

func TestTheEmergencyResponseHasTheWord(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"I smell gas in the kitchen", "The ceiling is leaking and the tap drips", "sewage backup in the tub", "front door won't lock",
		"no power in the apartment", "The smoke alarm is going off", "no running water in the unit", "no heat and it is 38 degrees",
	} {
		for _, priority := range []triage.Priority{"", triage.PriorityLow, triage.PriorityHigh} {
			a := Rules(Report{Text: text, Priority: priority, Trade: "Painting"})
			want := triage.Assess(triage.Report{Text: text, Priority: priority, Trade: "Painting"})
			require.True(t, want.Emergency, text)
			require.Equal(t, PriorityEmergency, a.Priority, text)
			require.Equal(t, want.Trade, a.Trade, text)
			require.Equal(t, want.Problem, a.Problem, text)
			require.Empty(t, a.Parts, "an emergency orders nothing")
			bounded(t, a)
		}
	}
}

func TestThePartnersPriorityRaises(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		given triage.Priority
		want  Priority
	}{
		{"cabinet hinge is loose", triage.PriorityNone, PriorityLow},
		{"cabinet hinge is loose", triage.PriorityMedium, PriorityNormal},
		{"cabinet hinge is loose", triage.PriorityHigh, PriorityUrgent},
		{"cabinet hinge is loose", triage.PriorityEmergency, PriorityEmergency},
		{"cabinet hinge is loose", " High ", PriorityUrgent},
		{"cabinet hinge is loose", "!!!", PriorityLow},
		{"no hot water", triage.PriorityLow, PriorityUrgent},
		{"the tap drips", triage.PriorityLow, PriorityNormal},
		{"the tap drips, please treat this as urgent", triage.PriorityLow, PriorityNormal},
		{"ants in the kitchen, this is urgent", triage.PriorityLow, PriorityUrgent},
		{"something to discuss", triage.PriorityLow, PriorityLow},
		{"something to discuss", triage.PriorityMedium, PriorityNormal},
	} {
		require.Equal(t, c.want, Rules(Report{Text: c.text, Priority: c.given}).Priority, "%+v", c)
	}
}

func TestThePartnersTrade(t *testing.T) {
	t.Parallel()
	a := Rules(Report{Text: "please come by", Trade: "Plumbing"})
	require.Equal(t, sample{"", "Plumbing problem", pl, PriorityNormal}, sample{"", a.Problem, a.Trade, a.Priority})
	require.Equal(t, onlyTrade, a.Confidence)

	a = Rules(Report{Text: "the hallway light is out", Trade: "Plumbing"})
	require.Equal(t, el, a.Trade, "the text decides")
	require.Equal(t, unsureOfTrade, a.Confidence, "and a model may have a say")

	a = Rules(Report{Text: "microwave is broken", Trade: "Electrical"})
	require.Equal(t, el, a.Trade, "general work goes to the trade that the office chose")

	a = Rules(Report{Text: "The hallway light is out. Also there is mold in the bathroom."})
	require.Equal(t, unsureOfTwo, a.Confidence)
	require.Contains(t, a.Reason, "rule mold applies too")
}

func TestAVeryLongReport(t *testing.T) {
	t.Parallel()
	a := Rules(Report{Text: strings.Repeat("hello there ", 200_000) + " the tap drips."})
	require.Equal(t, "Leaking tap", a.Problem)
	bounded(t, a)
}

// The reason names rules; nothing of the text gets into the answer.
func TestNothingOfTheTextIsQuoted(t *testing.T) {
	t.Parallel()
	a := Rules(Report{Text: "Zebrafish dripping tap, call Xanthippe on 555-0100", Trade: "Zebrafish", Priority: "Zebrafish"})
	said := strings.ToLower(fmt.Sprintf("%+v", a))
	for _, word := range []string{"zebrafish", "xanthippe", "555"} {
		require.NotContains(t, said, word)
	}
}

func TestTheTablesAreSound(t *testing.T) {
	t.Parallel()
	ids, skus := map[string]bool{}, map[string]bool{}
	for _, c := range catalogue {
		require.Regexp(t, `^[A-Z0-9]+(-[A-Z0-9]+)*$`, c.SKU)
		require.False(t, skus[c.SKU], "%s is there twice", c.SKU)
		skus[c.SKU] = true
		require.NotEmpty(t, c.trades)
		require.Positive(t, c.Quantity)
	}
	require.GreaterOrEqual(t, len(table), 40)
	for _, r := range table {
		require.False(t, ids[r.id], "%s is there twice", r.id)
		ids[r.id] = true
		require.NotEmpty(t, r.phrases, r.id)
		require.LessOrEqual(t, len(r.problem), 40, r.id)
		require.GreaterOrEqual(t, rank(r.priority), 0, r.id)
		require.Less(t, rank(r.priority), rank(PriorityEmergency), "%s: emergencies are triage's", r.id)
		require.GreaterOrEqual(t, r.minutes, MinMinutes, r.id)
		require.LessOrEqual(t, len(r.parts), MaxParts, r.id)
		for _, sku := range r.parts {
			require.True(t, uses(r.trade, sku), "%s: %s is no part of its trade", r.id, sku)
		}
		require.Contains(t, Problems(), r.problem)
	}
	for _, trade := range policy.Trades() {
		require.NotEmpty(t, unnamed[triage.Trade(trade)])
	}
	require.True(t, slices.IsSorted(Problems()))
	require.Len(t, Catalogue(), len(catalogue))
}

func ExampleRules() {
	a := Rules(Report{Text: "<p>The kitchen tap is leaking, a drop every second.</p>", Priority: triage.PriorityMedium, Trade: "Plumbing"})
	fmt.Println(a.Problem, a.Priority, a.Trade, a.Minutes, a.Confidence)
	fmt.Println(a.Reason)
	for _, p := range a.Parts {
		fmt.Println(p.Quantity, p.SKU, p.Name)
	}
	// Output:
	// Leaking tap normal plumbing 45 90
	// rule tap; rule drip: a drip or slow leak is reported; minor, so not an emergency
	// 1 TAP-CARTRIDGE Tap cartridge
	// 1 TAP-WASHER Tap washer set
}
