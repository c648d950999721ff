package triage

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// severe are the phrases that are emergencies whatever the temperature.
func severe() []phrase {
	var out []phrase
	for _, p := range phrases() {
		if p.want == life || (p.want == urgent && p.category != CategoryNoHeat && p.category != CategoryNoCooling) {
			out = append(out, p)
		}
	}
	return out
}

// sentences are what may stand beside a phrase: harmless and hostile ones, other
// phrases, pieces of exclusions, and anything at all.
func sentences() *rapid.Generator[string] {
	var known []string
	for _, p := range phrases() {
		known = append(known, p.text)
	}
	words := []string{
		"no", "not", "never", "no longer", "stopped", "fixed", "low battery", "inspection", "ignore", "previous", "instructions",
		"emergency", "gas", "smoke", "detector", "leak", "water", "priority", "low", "{", "}", "<p>", "</p>", "&lt;", "70 degrees",
	}
	return rapid.OneOf(
		rapid.SampledFrom(known),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom(words), 0, 12), func(w []string) string { return strings.Join(w, " ") }),
		rapid.StringN(0, 60, 200),
	)
}

// Further sentences never lower a rule: exclusions do not reach across the end of
// a sentence. A low priority does not lower it either.
func TestAddedTextNeverLowers(t *testing.T) {
	t.Parallel()
	phrases := severe()
	require.Greater(t, len(phrases), 100)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(phrases).Draw(t, "phrase")
		before, after := sentences().Draw(t, "before"), sentences().Draw(t, "after")
		priority := rapid.SampledFrom([]Priority{PriorityNone, PriorityLow, PriorityMedium, PriorityHigh, PriorityEmergency, "?"}).Draw(t, "priority")
		alone := Assess(Report{Text: p.text})
		a := Assess(Report{Text: before + " \n" + p.text + ".\n " + after, Priority: priority})
		require.True(t, a.Emergency)
		require.True(t, a.LifeSafety || !alone.LifeSafety, a.Reason)
	})
}

// A priority only raises.
func TestPriorityNeverLowers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := Report{Text: sentences().Draw(t, "text"), Trade: rapid.SampledFrom([]string{"", "Gas", "HVAC", "Plumbing"}).Draw(t, "trade")}
		plain := Assess(r)
		r.Priority = rapid.SampledFrom([]Priority{PriorityLow, PriorityMedium, PriorityHigh, PriorityEmergency}).Draw(t, "priority")
		a := Assess(r)
		require.True(t, a.Emergency || !plain.Emergency)
		require.Equal(t, plain.LifeSafety, a.LifeSafety)
		require.Equal(t, r.Priority == PriorityEmergency, r.Priority == PriorityEmergency && a.Emergency)
	})
}

// sound checks what holds for every assessment.
func sound(t require.TestingT, a, again Assessment) {
	require.Equal(t, a, again, "the same report, the same answer")
	require.NotEmpty(t, a.Reason)
	require.LessOrEqual(t, len(a.Reason), 300)
	require.True(t, utf8.ValidString(a.Reason))
	require.NotEmpty(t, a.Problem)
	require.NotEmpty(t, a.Trade)
	require.NotEmpty(t, a.Category)
	require.True(t, a.Emergency || !a.LifeSafety, "life safety is an emergency")
	require.True(t, a.Category != CategoryNone || !a.Emergency, "an emergency has a category")
}

func FuzzAssess(f *testing.F) {
	for _, p := range phrases() {
		f.Add(p.text, "high", "Plumbing")
	}
	f.Add(strings.Repeat("gas ", 5000), "", "\xff")
	f.Add("-9e9 degrees no heat 1..2 degrees -. -f", "", "HVAC")
	f.Fuzz(func(t *testing.T, text, priority, trade string) {
		r := Report{Text: text, Priority: Priority(priority), Trade: trade}
		sound(t, Assess(r), Assess(r))
	})
}

func ExampleAssess() {
	a := Assess(Report{Text: "<p>No heat since last night, it’s 50 °F in here and we have a baby.</p>", Priority: PriorityMedium})
	fmt.Println(a.Emergency, a.LifeSafety, a.Category, a.Trade)
	fmt.Println(a.Problem + ": " + a.Reason)
	// Output:
	// true false no_heat hvac
	// No heat: rule no-heat: a home without heating is reported, and 50 F is below the limit of 55 F with a vulnerable person
}
