package incidentreport

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/sheet"
)

func TestPromises(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	for name, c := range map[string]struct {
		in   SLA
		want promise
	}{
		"met":             {SLA{"on site", 60 * minute, 20 * minute, Met}, promise{"On site", "1 h", "20 min", "Met", "", good}},
		"met at once":     {SLA{"on site", 60 * minute, 0, Met}, promise{"On site", "1 h", "at once", "Met", "", good}},
		"missed":          {SLA{"on site", 60 * minute, 60*minute + 20*time.Second, Missed}, promise{"On site", "1 h", "1 h", "Missed", "by 20 s", bad}},
		"missed, never":   {SLA{"on site", 60 * minute, 0, Missed}, promise{"On site", "1 h", "not reached", "Missed", "", bad}},
		"not reached":     {SLA{"on site", 60 * minute, 0, NotReached}, promise{"On site", "1 h", "not reached", "Not reached", "", neutral}},
		"without a limit": {SLA{"on site", 0, minute, "waived"}, promise{"On site", "none", "1 min", "Waived", "", neutral}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, []promise{c.want}, promises([]SLA{c.in}))
		})
	}
}

func TestKept(t *testing.T) {
	t.Parallel()
	met, missed, never := SLA{Name: "a", Verdict: Met}, SLA{Name: "b", Verdict: Missed}, SLA{Name: "c", Verdict: NotReached}
	require.Empty(t, kept(nil))
	require.Equal(t, "None came to be tested", kept([]SLA{never}))
	require.Equal(t, "Met", kept([]SLA{met, never}))
	require.Equal(t, "All 2 met", kept([]SLA{met, met}))
	require.Equal(t, "1 of 3 met, missed: b, b", kept([]SLA{met, missed, missed, never}))
}

func TestOrderAndAddress(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Work order 1042 (id 4711)", order(Report{WorkOrderID: "4711", Number: "1042"}))
	require.Equal(t, "Work order 4711", order(Report{WorkOrderID: "4711", Number: "4711"}))
	require.Equal(t, "Work order 4711", order(Report{WorkOrderID: "4711"}))
	require.Equal(t, "1 High St, Unit 2B", address(Report{Address: "1 High St", Unit: "2B"}))
	require.Equal(t, "1 High St, Unit 2B", address(Report{Address: "1 High St", Unit: "Unit 2B"}))
	require.Equal(t, "Unit 2B", address(Report{Unit: "2B"}))
	require.Equal(t, "1 High St", address(Report{Address: "1 High St"}))
}

// The end of summer time shows 1:30 twice: the order and the abbreviation tell.
func TestTimelineAcrossTheEndOfSummerTime(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC)
	r := Report{OpenedAt: first, Timeline: []Step{{first.Add(time.Hour), "second"}, {first, "first"}, {first, "first too"}}}
	given := slices.Clone(r.Timeline)
	require.Equal(t, []day{{"Sun, Nov 1, 2026", []moment{
		{"1:30 AM CDT", "+0 s", "first"}, {"1:30 AM CDT", "+0 s", "first too"}, {"1:30 AM CST", "+1 h", "second"},
	}}}, days(r, localeOf("America/Chicago")))
	require.Equal(t, given, r.Timeline, "the caller's steps stay as they are")
}

func TestTimelineKeepsBeginningAndEnd(t *testing.T) {
	t.Parallel()
	opened := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	r := Report{OpenedAt: opened}
	for i := range maxFirstSteps + maxLastSteps {
		r.Timeline = append(r.Timeline, Step{opened.Add(time.Duration(i) * time.Second), "step"})
	}
	require.Len(t, days(r, localeOf(""))[0].Rows, maxFirstSteps+maxLastSteps, "nothing is left out at the bound")

	r.Timeline = append(r.Timeline, Step{opened.Add(time.Hour), "last"})
	rows := days(r, localeOf(""))[0].Rows
	require.Len(t, rows, maxFirstSteps+1+maxLastSteps)
	require.Equal(t, moment{What: "… 1 step is left out here to keep the report short …"}, rows[maxFirstSteps])
	require.Equal(t, "last", rows[len(rows)-1].What)
}

func TestStepsWithoutATime(t *testing.T) {
	t.Parallel()
	r := Report{Timeline: []Step{{time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), "known"}, {What: "unknown"}}}
	require.Equal(t, []day{
		{"Time not recorded", []moment{{What: "unknown"}}},
		{"Mon 5 Jan 2026", []moment{{Time: "12:00 UTC", What: "known"}}},
	}, days(r, localeOf("")))
}

func TestLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"spaces and breaks":  {"  a\tb\r\nc\u2028d\u00a0e ", "a b c d e"},
		"controls":           {"a\x00b\x1b[31mc", "ab[31mc"},
		"direction":          {"pay \u202eevil\u202c \u2066now\u2069", "pay evil now"},
		"invalid UTF-8":      {"a\xffb", "a\ufffdb"},
		"composed":           {"e\u0301", "é"},
		"joined emoji stay":  {"👨‍👩‍👧", "👨‍👩‍👧"},
		"too long":           {strings.Repeat("ä", 50), strings.Repeat("ä", 19) + "…"},
		"as long as allowed": {strings.Repeat("ä", 20), strings.Repeat("ä", 20)},
		"far too long":       {strings.Repeat(" ", 700) + "tail", "…"},
		"empty":              {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, sheet.Line(c.in, 20))
		})
	}
}

func TestParagraphs(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"a", "b c"}, paragraphs("a\r\n\r\n  b\tc\n"))
	require.Empty(t, paragraphs(" \n "))

	many := paragraphs(strings.Repeat("x\n", 200))
	require.Len(t, many, maxParagraphs+1)
	require.Equal(t, "…", many[maxParagraphs])

	full := strings.Repeat("y", maxDescription)
	require.Equal(t, []string{full}, paragraphs(full))
	require.Equal(t, []string{full, "…"}, paragraphs(full+"\nmore"))
}
