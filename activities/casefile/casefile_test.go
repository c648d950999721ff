package casefile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/casefile"
	"github.com/aictive/keyholder/activities/paper/papertest"
	"github.com/aictive/keyholder/store"
)

const head = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"

// burst is a small case, its entries not in order.
func burst(t *testing.T) casefile.Case {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	at := func(seconds int) time.Time {
		return time.Date(2026, 11, 21, 5, 52, 1, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
	}
	const entity = "work-order/4711"
	return casefile.Case{
		Company: "Harbor Homes", Entity: entity, Zone: zone, Written: at(100_000),
		Chains: []casefile.Chain{{Head: store.AuditHead{Entity: entity, Seq: 5, Hash: head}}},
		Entries: []store.AuditEntry{
			{ID: "effect/page", Entity: entity, Seq: 2, Kind: store.AuditMessage, At: at(2), What: "text to oncall-1: page, safety", Partner: "twilio", Ref: "SM1", Links: []string{"question/q1"}, Subject: "person/1", Details: "Burst pipe at 12 Elm St", Hash: "h2"},
			{ID: "event/rentvine/1", Entity: entity, Seq: 1, Kind: store.AuditEvent, At: at(0), Actor: "rentvine", What: "work_order.created by webhook", Ref: "4711", Hash: "h1"},
			{ID: "note/1", Entity: entity, Seq: 3, Kind: store.AuditDecision, At: at(1), Actor: "policy", What: "it is an emergency: burst pipe"},
			{ID: "answer/1", Entity: entity, Seq: 4, Kind: store.AuditAnswer, At: at(62), Actor: "person/1", What: "acknowledge", Links: []string{"question/q1"}, Erased: true},
			{ID: "ended/1", Entity: entity, Seq: 5, Kind: store.AuditEnded, At: at(7200), What: "completed", Links: []string{"bidding/4711/1", "event/rentvine/1"}},
		},
	}
}

func text(t *testing.T, c casefile.Case) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.Text(&b))
	return b.String()
}

func TestText(t *testing.T) {
	t.Parallel()
	require.Equal(t, `work-order/4711
  5 entries from 2026-11-20 23:52:01 CST to 2026-11-21 01:52:01 CST: 1 answer, 1 decision, 1 ended, 1 event, 1 message
  decided by 1 person/1, 1 policy
  The chain of work-order/4711 is verified: 5 entries, head `+head+`.
  1 entry has personal details, which --details shows

time                     kind      who       what
2026-11-20 23:52:01 CST  event     rentvine  work_order.created by webhook [4711]
2026-11-20 23:52:02 CST  decision  policy    it is an emergency: burst pipe
2026-11-20 23:52:03 CST  message   workflow  text to oncall-1: page, safety [twilio SM1]
                                             links: question/q1
2026-11-20 23:53:03 CST  answer    person/1  acknowledge
                                             links: question/q1
                                             details: (erased)
2026-11-21 01:52:01 CST  ended     workflow  completed
                                             links: bidding/4711/1, event/rentvine/1
`, text(t, burst(t)))
}

func TestTextOfMore(t *testing.T) {
	t.Parallel()
	c := burst(t)
	c.Details, c.Cut = true, true
	c.Chains = append(c.Chains, casefile.Chain{Head: store.AuditHead{Entity: "bidding/4711/1", Seq: 2}, Faults: []store.AuditFault{{Entity: "bidding/4711/1", Seq: 2, Why: "it was changed"}}})
	c.Entries = append(c.Entries, store.AuditEntry{ID: "x", Entity: "bidding/4711/1", Seq: 1, Kind: store.AuditDecision, At: c.Entries[0].At, Actor: "policy", What: "\x1b[31mred\nline"})
	s := text(t, c)
	require.Contains(t, s, "The chain of bidding/4711/1 does NOT hold: 1 fault, the first at entry 2: it was changed.\n")
	require.Contains(t, s, "There are more entries than these")
	require.Contains(t, s, "details: Burst pipe at 12 Elm St\n")
	require.NotContains(t, s, "--details")
	require.Contains(t, s, "decision  bidding/4711/1   policy    [31mred line\n", "no control character reaches the terminal")
	c.Details = false
	require.NotContains(t, text(t, c), "Elm")
	require.Equal(t, "lease/9\n", text(t, casefile.Case{Entity: "lease/9"}))
}

func TestCSVReadsBack(t *testing.T) {
	t.Parallel()
	c := burst(t)
	c.Details = true
	c.Entries[2].What = `=HYPERLINK("http://x"), "quoted"`
	var b bytes.Buffer
	require.NoError(t, c.CSV(&b))
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 6)
	cell := func(row int, name string) string {
		for i, n := range rows[0] {
			if n == name {
				return rows[row][i]
			}
		}
		t.Fatal("no column " + name)
		return ""
	}
	require.Equal(t, "2026-11-20T23:52:01-06:00", cell(1, "time"))
	require.Equal(t, "event/rentvine/1", cell(1, "id"))
	require.Equal(t, `'=HYPERLINK("http://x"), "quoted"`, cell(2, "what"))
	require.Equal(t, []string{"twilio", "SM1", "question/q1", "person/1", "Burst pipe at 12 Elm St", "h2"},
		[]string{cell(3, "partner"), cell(3, "ref"), cell(3, "links"), cell(3, "subject"), cell(3, "details"), cell(3, "hash")})
	require.Equal(t, "(erased)", cell(4, "details"))
	require.Equal(t, "bidding/4711/1 event/rentvine/1", cell(5, "links"))

	c.Details = false
	b.Reset()
	require.NoError(t, c.CSV(&b))
	require.NotContains(t, b.String(), "Elm")
}

func TestJSONReadsBack(t *testing.T) {
	t.Parallel()
	c := burst(t)
	c.Chains[0].Faults = []store.AuditFault{{Entity: c.Entity, Seq: 3, Why: "it was changed"}}
	read := func() (out struct {
		Entity, Company string
		Chains          []struct {
			Entity, Head string
			Length       int
			Verified     bool
			Faults       []struct{ Seq int }
		}
		Entries []struct {
			At            time.Time
			ID, Details   string
			Erased        bool
			Links         []string
			Kind, Partner string
		}
	},
	) {
		var b bytes.Buffer
		require.NoError(t, c.JSON(&b))
		require.NoError(t, json.Unmarshal(b.Bytes(), &out))
		return out
	}
	out := read()
	require.Equal(t, "work-order/4711", out.Entity)
	require.False(t, out.Chains[0].Verified)
	require.Equal(t, 3, out.Chains[0].Faults[0].Seq)
	require.Len(t, out.Entries, 5)
	require.Equal(t, "event/rentvine/1", out.Entries[0].ID)
	require.Empty(t, out.Entries[2].Details)
	require.True(t, out.Entries[3].Erased)
	c.Details = true
	require.Equal(t, "Burst pipe at 12 Elm St", read().Entries[2].Details)
}

func TestPDF(t *testing.T) {
	t.Parallel()
	c := burst(t)
	for i := range 60 {
		c.Entries = append(c.Entries, store.AuditEntry{
			ID: fmt.Sprint(i), Entity: c.Entity, Seq: int64(6 + i), Kind: store.AuditWrite, At: c.Entries[0].At.Add(time.Duration(i) * time.Minute),
			What: fmt.Sprintf("status set to step %d", i), Partner: "rentvine", Ref: "4711",
		})
	}
	file, err := c.PDF()
	require.NoError(t, err)
	again, err := c.PDF()
	require.NoError(t, err)
	require.Equal(t, file, again, "the same case gives the same bytes")
	s := papertest.Words(t, file)
	for _, want := range []string{
		"HarborHomes", "Casefile:work-order/4711", "November20,2026,11:52PMCSTtoNovember21,2026,1:52AMCST",
		"isverified:5entries,head", head, "Whodecided", "Timeline", "itisanemergency:burstpipe", "twilioSM1", "links:question/q1",
		"Page1of4", "Page4of4", "1entryhaspersonaldetails,whicharenotshown", "WrittenNovember22,2026",
	} {
		require.Contains(t, s, want)
	}
	require.Contains(t, s, "statussettostep59")
	require.NotContains(t, s, "12ElmSt")

	c.Chains[0].Faults = []store.AuditFault{{Entity: c.Entity, Seq: 3, Why: "it was changed"}}
	c.Details, c.Entries = true, c.Entries[:1]
	file, err = c.PDF()
	require.NoError(t, err)
	s = papertest.Words(t, file)
	require.Contains(t, s, "doesNOThold:1fault,thefirstatentry3:itwaschanged.")
	require.Contains(t, s, "12ElmSt")
}

// Whatever partners and people write, there is a case file.
func FuzzRenderings(f *testing.F) {
	f.Add("work-order/1", int64(7))
	f.Add("\u202e\x00\xff\r\n=1+1 火🔥", int64(-1))
	f.Fuzz(func(t *testing.T, s string, n int64) {
		c := casefile.Case{Company: s, Entity: s, Details: true, Chains: []casefile.Chain{{Head: store.AuditHead{Entity: s, Seq: n}, Faults: []store.AuditFault{{Entity: s, Why: s}}}}}
		for range 3 {
			c.Entries = append(c.Entries, store.AuditEntry{
				ID: s, Entity: s + "x", Kind: store.AuditKind(s), At: time.Unix(n%(1<<33), 0), Actor: s, What: s, Partner: s, Ref: s, Links: []string{s, s}, Details: s,
			})
		}
		_, err := c.PDF()
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, c.Text(&b))
		require.NoError(t, c.JSON(&b))
		b.Reset()
		require.NoError(t, c.CSV(&b))
		_, err = csv.NewReader(&b).ReadAll()
		require.NoError(t, err)
	})
}
