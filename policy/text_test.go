package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBuiltInTextsAreShortAndPlain(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("1", "1")
	for _, id := range slices.Sorted(maps.Keys(texts())) {
		data := sample()
		data.Company = ""
		most := 2
		if texts()[id] == lists {
			most, data.Window = 3, sampleOf(lists).Window
		}
		out, err := s.Text(id, data)
		require.NoError(t, err, id)
		for _, r := range fillSample(out) {
			require.Positive(t, septets(r), "%s has %q", id, r)
		}
		require.LessOrEqual(t, Segments(fillSample(out)), most, "%s: %s", id, fillSample(out))
		require.Contains(t, out, "104711", id)
	}
	require.Len(t, s.Texts, len(texts()))
}

func TestText(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("1", "1")
	got, err := s.Text(TextPageOnCall, TextData{Problem: "Water leak", Address: "12 Elm St", WorkOrder: "4711"})
	require.NoError(t, err)
	require.Equal(t, "Harbor Homes EMERGENCY {code}: Water leak at 12 Elm St (#4711). Reply 1 = on it, 2 = can't. {link}", got)

	got, err = s.Text(TextTenantLifeSafety, TextData{Problem: "Gas smell", WorkOrder: "4711"})
	require.NoError(t, err)
	require.Contains(t, got, "call 911")

	_, err = s.Text("tenant_hello", TextData{})
	require.ErrorIs(t, err, ErrUnknownText)
	s.Texts["wrong"] = "{{.Nothing}}"
	_, err = s.Text("wrong", TextData{})
	require.Error(t, err)
}

func TestValuesAreMadeHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"12 Elm St\r\n  Apt {link}":  "12 Elm St Apt (link)",
		"José O’Brien – “Joe”…":      "José O'Brien - \"Joe\"...",
		"Dvořák Łukasz":              "Dvorák Łukasz",
		"a\u200bb\u202ec\x00d":       "abcd",
		"李雷":                         "李雷",
		"\xff\xfe":                   "",
		strings.Repeat("x", 1000):    strings.Repeat("x", 60),
		strings.Repeat("界", 1000):    strings.Repeat("界", 60),
		"{{.Reason}} {{template 1}}": "((.Reason)) ((template 1))",
	} {
		got := cleanValue(in, maxValue)
		if in == "Dvořák Łukasz" {
			want = cleanValue("Dvorak Łukasz", maxValue)
		}
		require.Equal(t, want, got)
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	for want, text := range map[int]string{
		0: "", 1: strings.Repeat("a", 160), 2: strings.Repeat("a", 161), 3: strings.Repeat("a", 307),
		4: strings.Repeat("界", 70*4-12), 5: strings.Repeat("😀", 140) + strings.Repeat("x", 10),
	} {
		require.Equal(t, want, Segments(text))
	}
	require.Equal(t, 1, Segments(strings.Repeat("€", 80)))
	require.Equal(t, 2, Segments(strings.Repeat("€", 81)))
	require.Equal(t, 2, Segments(strings.Repeat("a", 70)+"ł"))
}

// Whatever people and partners send, every text renders, stays one bounded line
// and has no placeholder that the template does not have.
func TestAnyValuesRender(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("2", "2")
	ids := slices.Sorted(maps.Keys(texts()))
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"{code}", "{link}", "{{.}}", "\n", "’"}))
		data := TextData{
			Problem: value.Draw(t, "problem"), Reason: value.Draw(t, "reason"), Address: value.Draw(t, "address"),
			Unit: value.Draw(t, "unit"), WorkOrder: value.Draw(t, "order"), Person: value.Draw(t, "person"),
			By: value.Draw(t, "by"), DueBy: value.Draw(t, "due"), Price: value.Draw(t, "price"),
			Window: value.Draw(t, "window"), Count: rapid.Int().Draw(t, "count"),
		}
		id := rapid.SampledFrom(ids).Draw(t, "id")
		out, err := s.Text(id, data)
		require.NoError(t, err)
		again, err := s.Text(id, data)
		require.NoError(t, err)
		require.Equal(t, out, again)
		require.True(t, utf8.ValidString(out))
		require.NotContains(t, out, "\n")
		require.Equal(t, strings.Count(s.Texts[id], "{code}"), strings.Count(out, "{code}"))
		require.Equal(t, strings.Count(s.Texts[id], "{link}"), strings.Count(out, "{link}"))
	})
}

func Example() {
	p, err := Load("")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := p.For("2", "2") // Portland
	text, err := s.Text(TextManagerBreach, TextData{
		Problem: "Water leak", Address: "410 NW Lovejoy St", WorkOrder: "4711", Reason: "nobody has accepted the job", DueBy: "3:45 PM",
	})
	fmt.Println(s.Manager.ID, s.SLA.Accept)
	fmt.Println(text, err)
	// Output:
	// helen 30m0s
	// Harbor Homes #4711 LATE: nobody has accepted the job (due 3:45 PM). Water leak at 410 NW Lovejoy St. <nil>
}
