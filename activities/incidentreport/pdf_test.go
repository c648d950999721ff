package incidentreport_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/incidentreport"
	"github.com/aictive/keyholder/activities/paper/papertest"
)

func pdf(t *testing.T, r incidentreport.Report) []byte {
	t.Helper()
	b, err := incidentreport.PDF(r)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(b, []byte("%PDF-")))
	return b
}

func pages(b []byte) int { return len(regexp.MustCompile(`/Type /Page\b`).FindAll(b, -1)) }

func TestPDFSaysEverything(t *testing.T) {
	t.Parallel()
	b := pdf(t, burstPipe())
	require.Equal(t, 2, pages(b))
	text := papertest.Words(t, b)
	for _, want := range []string{
		"Cedar & Oak Property Management", "Work order 1042 (id 4711)",
		"Incident report: Burst pipe under the kitchen sink", "1420 Juniper Street, Austin, TX 78702, Unit 2B",
		"Repaired: split supply line replaced",
		"Reported Fri, Nov 20, 2026, 11:52 PM CST", "Ended Sat, Nov 21, 2026, 1:50 AM CST (after 1 h 59 min)",
		"Category Water leak", "the priority is emergency (rules 2026-11.1)", "Response times 2 of 3 met, missed: on site",
		"I cannot find the shut-off valve.",
		"Acknowledge 10 min 6 min 48 s MET", "On site 1 h 1 h 25 min MISSED by 25 min", "Tenant call-back 4 h not reached NOT REACHED",
		"Property manager Priya Raman", "Technician (declined) Mark Sørensen",
		"11:58 PM CST +6 min 48 s Luis Ortega acknowledged", "12:03 AM CST +11 min Mark Sørensen declined",
		"1:16 AM CST +1 h 25 min Ana Nowak is on site.",
		"Times are CST (America/Chicago) Page 1 of 2", "Page 2 of 2", "Timeline, continued Fri, Nov 20, 2026",
	} {
		require.Contains(t, text, papertest.Squeeze(want))
	}
	require.NotContains(t, text, papertest.Squeeze("cannot print"))
}

func TestPDFMinimal(t *testing.T) {
	t.Parallel()
	b := pdf(t, minimal())
	require.Equal(t, 1, pages(b))
	require.Contains(t, string(b), "/MediaBox [0 0 595.28 841.89]", "A4 outside the United States")
	require.Contains(t, string(pdf(t, burstPipe())), "/MediaBox [0 0 612.00 792.00]", "Letter in the United States")
	text := papertest.Words(t, b)
	require.Contains(t, text, papertest.Squeeze("Ended Sun 29 Mar 2026, 02:15 BST (after 45 min)"))
	require.Contains(t, text, papertest.Squeeze("Times are GMT and BST (Europe/London) Page 1 of 1"))
	for _, absent := range []string{"What was reported", "Response times", "People"} {
		require.NotContains(t, text, papertest.Squeeze(absent))
	}
}

func TestPDFOfNothing(t *testing.T) {
	t.Parallel()
	b := pdf(t, incidentreport.Report{})
	require.Equal(t, 1, pages(b))
	require.Contains(t, string(b), "/CreationDate (D:19700101000000)", "never the present time")
}

func TestPDFIsDeterministic(t *testing.T) {
	t.Parallel()
	want := pdf(t, burstPipe())
	require.Contains(t, string(want), "/CreationDate (D:20261121075047)")
	got := make(chan []byte, 4)
	for range cap(got) {
		go func() {
			b, _ := incidentreport.PDF(burstPipe())
			got <- b
		}()
	}
	for range cap(got) {
		require.True(t, bytes.Equal(want, <-got), "the same report gave other bytes")
	}
	other := burstPipe()
	other.People[0].Name = "Dana W."
	require.False(t, bytes.Equal(want, pdf(t, other)))
}

func TestPDFReplacesWhatTheFontLacks(t *testing.T) {
	t.Parallel()
	r := burstPipe()
	r.Description = "火事 🔥 in Nguyễn's kitchen"
	r.Problem = "🔥"
	text := papertest.Words(t, pdf(t, r))
	require.Contains(t, text, papertest.Squeeze("Incident report: \ufffd"))
	require.Contains(t, text, papertest.Squeeze("\ufffd\ufffd \ufffd in Nguyên's kitchen"))
	require.Contains(t, text, papertest.Squeeze("\ufffd stands for a character that this document cannot print."))
}

func longReport(steps int) incidentreport.Report {
	r := burstPipe()
	r.Timeline = nil
	for i := range steps {
		r.Timeline = append(r.Timeline, incidentreport.Step{
			At:   r.OpenedAt.Add(time.Duration(i) * 7 * time.Minute),
			What: fmt.Sprintf("Step %d. %s", i, strings.Repeat("Somebody was told. ", i%9)),
		})
	}
	return r
}

func TestPDFLongTimeline(t *testing.T) {
	t.Parallel()
	b := pdf(t, longReport(500))
	require.LessOrEqual(t, pages(b), 7)
	require.Greater(t, pages(b), 3)
	require.Equal(t, pages(b), pages(pdf(t, longReport(5000))))
	text := papertest.Words(t, b)
	for _, want := range []string{"Step 0.", "Step 79.", "… 380 steps are left out here to keep the report short …", "Step 460.", "Step 499."} {
		require.Contains(t, text, papertest.Squeeze(want))
	}
	require.NotContains(t, text, papertest.Squeeze("Step 80."))
	require.NotContains(t, text, papertest.Squeeze("Step 459."))
}

// hugeReport has every text and list far beyond its bound, in the widest letter
// and without a place to break a line.
func hugeReport() incidentreport.Report {
	w := strings.Repeat("W", 20_000)
	r := incidentreport.Report{
		Company: w, WorkOrderID: w, Number: "N" + w, Problem: w, Category: w, Reason: w, Rules: w, Description: w + "\n" + w,
		Address: w, Unit: w, Zone: "America/New_York", Result: w,
		OpenedAt: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), EndedAt: time.Date(2027, 1, 5, 12, 0, 0, 0, time.UTC),
	}
	for i := range 300 {
		r.SLAs = append(r.SLAs, incidentreport.SLA{Name: w, Limit: time.Hour, Took: 9000 * time.Hour, Verdict: incidentreport.Missed})
		r.People = append(r.People, incidentreport.Role{Role: w, Name: w})
		r.Timeline = append(r.Timeline, incidentreport.Step{At: r.OpenedAt.Add(time.Duration(i) * 30 * time.Hour), What: w})
	}
	return r
}

func TestPDFHugeInputIsBounded(t *testing.T) {
	t.Parallel()
	b := pdf(t, hugeReport())
	require.Less(t, pages(b), 60)
	require.Less(t, len(b), 1<<20)
	text := papertest.Words(t, b)
	require.Contains(t, text, papertest.Squeeze("… and 280 more"))
	require.Contains(t, text, papertest.Squeeze("… and 260 more people"))
	require.Contains(t, text, papertest.Squeeze("180 steps are left out"))
}
