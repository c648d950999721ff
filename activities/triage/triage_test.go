package triage

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Outcomes of a report without a priority.
const (
	life   = "life safety"
	urgent = "emergency"
	minor  = "minor"
	none   = "none"
)

func outcome(a Assessment) string {
	switch {
	case a.LifeSafety:
		return life
	case a.Emergency:
		return urgent
	case a.Category != CategoryNone:
		return minor
	}
	return none
}

func TestPhrases(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range phrases() {
		require.False(t, seen[c.text], "twice: %s", c.text)
		seen[c.text] = true
		a := Assess(Report{Text: c.text})
		assert.Equal(t, c.want, outcome(a), "%s\n%s", c.text, a.Reason)
		assert.Equal(t, c.category, a.Category, "%s\n%s", c.text, a.Reason)
	}
	require.GreaterOrEqual(t, len(seen), 250)
}

// What is written around a phrase, in other sentences, changes nothing.
func TestPhrasesInContext(t *testing.T) {
	t.Parallel()
	for _, c := range phrases() {
		for _, frame := range []string{
			"<p>Hello,</p><p>%</p><p>Thank you</p>",
			"Unit 12B. %. Please call me at 213-555-0100!",
			"\n\n  %\t\n",
			"[Portal] %",
		} {
			text := strings.Replace(frame, "%", c.text, 1)
			require.Equal(t, c.want, outcome(Assess(Report{Text: text})), text)
		}
		for name, change := range map[string]func(string) string{"upper": strings.ToUpper, "wide": fullwidth, "curly": curly} {
			if !strings.Contains(c.text, "&") { // entities are not words
				require.Equal(t, c.want, outcome(Assess(Report{Text: change(c.text)})), "%s: %s", name, c.text)
			}
		}
	}
}

func fullwidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xfee0
		}
		return r
	}, s)
}

func curly(s string) string { return strings.ReplaceAll(s, "'", "\u2019") }

func TestPriority(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text     string
		priority Priority
		want     string
		category Category
		reason   string
	}{
		{"Kitchen faucet drips", PriorityNone, minor, CategoryLeak, "minor, so not an emergency"},
		{"Kitchen faucet drips", PriorityMedium, minor, CategoryLeak, "minor, so not an emergency"},
		{"Kitchen faucet drips", PriorityHigh, urgent, CategoryLeak, "the priority is high"},
		{"Kitchen faucet drips", PriorityEmergency, urgent, CategoryLeak, "the priority is emergency"},
		{"Kitchen faucet drips", " HIGH ", urgent, CategoryLeak, "the priority is high"},
		{"Kitchen faucet drips", "whatever", minor, CategoryLeak, "minor"},
		{"Please repaint the hallway", PriorityHigh, none, CategoryNone, "no rule applies"},
		{"Please repaint the hallway", PriorityEmergency, urgent, CategoryOther, "no rule applies; the priority is emergency"},
		{"", PriorityEmergency, urgent, CategoryOther, "the priority is emergency"},
		{"I smell gas", PriorityLow, life, CategoryGas, "rule gas: a smell or leak of gas is reported"},
		{"Burst pipe", PriorityLow, urgent, CategoryLeak, "rule leak"},
		{"No heat, it's 60 degrees inside", PriorityNone, minor, CategoryNoHeat, "60 F is not below the limit of 45 F"},
		{"No heat, it's 60 degrees inside", PriorityHigh, urgent, CategoryNoHeat, "the priority is high"},
	} {
		a := Assess(Report{Text: c.text, Priority: c.priority})
		require.Equal(t, c.want, outcome(a), c.text)
		require.Equal(t, c.category, a.Category, c.text)
		require.Contains(t, a.Reason, c.reason)
		require.Equal(t, Version, a.RulesVersion)
		require.NotEmpty(t, a.Problem)
	}
}

func TestTrade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, trade string
		month       time.Month
		want        string
		category    Category
		who         Trade
	}{
		{"There is a leak", "Gas Fitter", 0, life, CategoryGas, TradeGas},
		{"Strange odor in the basement", "Gas", 0, life, CategoryGas, TradeGas},
		{"Strange odor in the basement", "Plumbing", 0, none, CategoryNone, TradePlumbing},
		{"There is a leak", "Plumbing", 0, urgent, CategoryLeak, TradePlumbing},
		{"The unit stopped working", "HVAC", time.January, urgent, CategoryNoHeat, TradeHVAC},
		{"The unit stopped working", "HVAC", time.July, urgent, CategoryNoCooling, TradeHVAC},
		{"The unit stopped working", "HVAC", 0, urgent, CategoryNoHeat, TradeHVAC},
		{"The unit stopped working, it is 80 degrees", "HVAC", time.July, minor, CategoryNoCooling, TradeHVAC},
		{"AC not working", "HVAC", time.January, urgent, CategoryNoCooling, TradeHVAC},
		{"The unit stopped working", "Appliance", 0, none, CategoryNone, TradeGeneral},
		{"Please look at this", "Electrician", 0, none, CategoryNone, TradeElectrical},
		{"Please look at this", "Air Conditioning", 0, none, CategoryNone, TradeHVAC},
		{"Please look at this", "Locks & Keys", 0, none, CategoryNone, TradeLocksmith},
		{"The smoke alarm is going off", "Electrical", 0, life, CategoryFire, TradeElectrical},
		{"Burst pipe", "Electrical", 0, urgent, CategoryLeak, TradePlumbing},
	} {
		a := Assess(Report{Text: c.text, Trade: c.trade, Month: c.month})
		require.Equal(t, c.want, outcome(a), "%s, %s: %s", c.text, c.trade, a.Reason)
		require.Equal(t, c.category, a.Category, "%s, %s", c.text, c.trade)
		require.Equal(t, c.who, a.Trade, "%s, %s", c.text, c.trade)
	}
}

func TestTemperatureLimits(t *testing.T) {
	t.Parallel()
	const unstated = "no temperature is given"
	for _, c := range []struct{ text, want, reason string }{
		{"No heat", urgent, unstated},
		{"No heat, 44F inside", urgent, "44 F is below the limit of 45 F"},
		{"No heat, 45F inside", minor, "45 F is not below the limit of 45 F"},
		{"No heat, 54 degrees and we have a baby", urgent, "54 F is below the limit of 55 F with a vulnerable person"},
		{"No heat, 55 degrees and we have a baby", minor, "not below the limit of 55 F"},
		{"Heater broken. My 80 year old mother lives here. It is 50 °F", urgent, "limit of 55 F"},
		{"Heat is out, it's 5C in here", urgent, "41 F is below"},
		{"Heat is out, it's 5 °C in here", urgent, "41 F is below"},
		{"Heat is out, 18 degrees celsius", minor, "64 F is not below"},
		{"Heat is out, 18℃", minor, "64 F is not below"},
		{"Heating not working, minus 3 degrees", urgent, "-3 F is below"},
		{"Heating not working, -3C", urgent, "27 F is below"},
		{"no heat and temp is 38", urgent, "38 F is below"},
		{"no heat and thermostat reads 58", minor, "58 F is not below"},
		{"no heat, thermostat set to 70", urgent, unstated},
		{"no heat, thermostat is at 70", urgent, unstated},
		{"no heat, thermostat set to 70 but it is 40 degrees", urgent, "40 F"},
		{"no heat, thermostat set to 70 but it reads 60 degrees", minor, "60 F is not below"},
		{"no heat, it's 60 degrees outside", urgent, unstated},
		{"no heat in apt 70f", urgent, unstated},
		{"no heat in unit 60 f", urgent, unstated},
		{"no heat since 10 days, called 3 times, I pay 1200", urgent, unstated},
		{"no heat: between 50 and 40 degrees at night", urgent, "40 F"},
		{"no heat, 50 degrees in the kitchen, 38 degrees in the bedroom", urgent, "38 F"},
		{"AC not working", urgent, unstated},
		{"AC not working, 96 degrees", urgent, "96 F is above the limit of 95 F"},
		{"AC not working, 95 degrees", minor, "95 F is not above the limit of 95 F"},
		{"AC not working, 86 degrees with an elderly tenant", urgent, "86 F is above the limit of 85 F with a vulnerable person"},
		{"AC not working, 85 degrees with an elderly tenant", minor, "85 F is not above"},
		{"AC out and it is 38 degrees in here", urgent, "100 F is above"},
		{"AC out and it is 36C in here", urgent, "97 F is above"},
		{"AC out and it is 30C in here", minor, "86 F is not above"},
		{"No heat, 50F, I'll be home; the 20 year old furnace died", minor, "50 F is not below the limit of 45 F"},
		{"AC out, 110 outside", urgent, unstated},
		{"a/c is out, my son has asthma", urgent, "limit of 85 F with a vulnerable person is taken as reached"},
		{"No hay calefacción, 3 grados", urgent, "3 F is below"},
	} {
		a := Assess(Report{Text: c.text})
		require.Equal(t, c.want, outcome(a), "%s: %s", c.text, a.Reason)
		require.Contains(t, a.Reason, c.reason, c.text)
	}
}

func TestLongText(t *testing.T) {
	t.Parallel()
	filler := strings.Repeat("The hallway could be painted. ", 4000)
	for _, text := range []string{"I smell gas. " + filler, filler + "I smell gas."} {
		a := Assess(Report{Text: text})
		require.True(t, a.LifeSafety)
		require.Contains(t, a.Reason, "very long text")
	}
	require.Less(t, len(Assess(Report{Text: strings.Repeat("gas ", 1<<20)}).Reason), 300)
}

// The reason goes into texts and records: none of the tenant's words may be in it.
func TestReasonQuotesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range phrases() {
		a := Assess(Report{Text: c.text + ". Zebulon Quux, 213-555-0100", Trade: "Zebulon"})
		require.NotContains(t, a.Reason+a.Problem, "Zebulon")
		require.NotContains(t, a.Reason, "555")
	}
}

func TestTableIsSound(t *testing.T) {
	t.Parallel()
	var ids []string
	last := levelLifeSafety
	name := regexp.MustCompile(`@([a-z]+)`)
	for _, c := range table {
		require.NotContains(t, ids, c.id)
		ids = append(ids, c.id)
		require.LessOrEqual(t, c.level, last, "%s: the most severe rules come first", c.id)
		last = c.level
		require.NotEmpty(t, c.why)
		require.LessOrEqual(t, len(c.problem), 25, c.id)
		for _, p := range slices.Concat(c.rule.always, c.rule.phrases, c.rule.except) {
			require.Regexp(t, `^[a-z0-9|@*?_. ]+$`, p, c.id)
			tokens := strings.Fields(p)
			require.NotContains(t, []string{tokens[0][:1], tokens[len(tokens)-1][:1]}, ".", "%s: %s", c.id, p)
			require.NotEqual(t, "?", tokens[0][:1], "%s: %s", c.id, p)
			for _, m := range name.FindAllStringSubmatch(p, -1) {
				require.Contains(t, vocabulary, m[1], "%s: %s", c.id, p)
			}
		}
		for _, p := range c.rule.except {
			require.NotContains(t, p, "..", "%s: an exclusion leaps over nothing", c.id)
		}
	}
}
