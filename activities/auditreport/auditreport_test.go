package auditreport_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/auditreport"
	"github.com/aictive/keyholder/store"
)

var (
	from = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to   = from.AddDate(0, 1, 0)
)

// at is an entry of an entity, so long after the month began.
func at(entity string, after time.Duration, kind store.AuditKind, actor, what, partner string, links ...string) store.AuditEntry {
	return store.AuditEntry{Entity: entity, At: from.Add(after), Kind: kind, Actor: actor, What: what, Partner: partner, Links: links}
}

func report(entries ...store.AuditEntry) auditreport.Report {
	b := auditreport.New(from, to, "")
	for _, e := range entries {
		b.Add(e)
	}
	return b.Report()
}

const hour = time.Hour

// november is a month in which there is one of everything.
func november() auditreport.Report {
	b := auditreport.New(from, to, "7")
	for _, e := range []store.AuditEntry{
		// The page is in the chain before the event that caused it.
		at("work-order/1", 1500*time.Millisecond, store.AuditMessage, "", "text", "twilio", "question/q1"),
		at("work-order/1", 0, store.AuditEvent, "rentvine", "work_order.created by webhook", ""),
		at("work-order/1", time.Second, store.AuditTook, "", "", ""),
		at("work-order/1", time.Second, store.AuditDecision, "policy", "emergency", ""),
		at("work-order/1", time.Second, store.AuditDecision, "", "began", ""),
		at("work-order/1", 90*time.Second, store.AuditMessage, "", "text", "twilio", "question/q1"), // again: it was asked once
		at("work-order/1", 121500*time.Millisecond, store.AuditAnswer, "person/1", "acknowledge", "", "question/q1"),
		at("work-order/1", 200*time.Second, store.AuditAnswer, "person/1", "again", "", "question/q1"),
		at("work-order/1", hour, store.AuditWrite, "", "status", "rentvine"),
		at("work-order/1", hour, store.AuditConflict, "policy", "status", "rentvine", "rule/partner"),
		at("work-order/1", 2*hour, store.AuditEnded, "", "completed", ""),
		// Asked in October, answered in November; an event that is acted on two days later.
		at("lease/3", -48*hour, store.AuditMessage, "", "mail", "mail", "question/q2"),
		at("lease/3", 24*hour, store.AuditAnswer, "person/2", "approve", "", "question/q2"),
		at("lease/3", 25*hour, store.AuditEvent, "rentvine", "lease.updated by sync: parked, no route", ""),
		at("lease/3", 80*hour, store.AuditCommand, "operator/ann", "pause", ""),
		at("lease/3", 80*hour, store.AuditErased, "operator/ann", "", ""),
		at("lease/3", 80*hour, store.AuditWrite, "", "rent", "rentvine"),
		// Not in November.
		at("lease/4", -hour, store.AuditEvent, "rentvine", "lease.created by webhook", ""),
		at("lease/4", 31*24*hour, store.AuditEvent, "rentvine", "lease.created by webhook", ""),
	} {
		b.Add(e)
	}
	b.Broken("lease/3")
	return b.Report()
}

func TestReport(t *testing.T) {
	t.Parallel()
	require.Equal(t, auditreport.Report{
		From: from, To: to, Portfolio: "7", Entries: 16, Entities: 2,
		Events: []auditreport.Count{{Name: "lease.updated", Count: 1}, {Name: "work_order.created", Count: 1}}, Parked: 1,
		Reaction: auditreport.Latency{Count: 1, Median: 1500 * time.Millisecond, P95: 1500 * time.Millisecond}, Quiet: 1,
		Asked: 1, Answers: auditreport.Latency{Count: 2, Median: 2 * time.Minute, P95: 72 * hour},
		Decisions: []auditreport.Count{{Name: "person", Count: 3}, {Name: "policy", Count: 2}, {Name: "operator", Count: 1}, {Name: "workflow", Count: 1}},
		Messages:  []auditreport.Count{{Name: "twilio", Count: 2}},
		Writes:    []auditreport.Count{{Name: "rentvine", Count: 2}},
		Conflicts: []auditreport.Count{{Name: "partner", Count: 1}},
		Commands:  []auditreport.Count{{Name: "ann", Count: 1}},
		Ended:     1, Erased: 1, Broken: []string{"lease/3"}, BrokenCount: 1,
	}, november())
}

func TestText(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, november().Text(&b))
	require.Equal(t, `2026-11-01 00:00 UTC until 2026-12-01 00:00 UTC, portfolio 7: 16 entries on 2 entities

Event to first effect                  1, median 1.5s, 95 % within 1.5s
Events without an effect within a day  1
Events parked                          1
Questions asked                        1
Question to answer                     2, median 2m, 95 % within 72h
Runs ended                             1
Erasures                               1
Chains that do not hold                1

Events accepted
       1  lease.updated
       1  work_order.created

Decisions by
       3  person
       2  policy
       1  operator
       1  workflow

Messages through
       2  twilio

Writes at
       2  rentvine

Conflicts by rule
       1  partner

Commands by
       1  ann

Chains that do not hold
  lease/3
`, b.String())
	b.Reset()
	require.NoError(t, report().Text(&b))
	require.Contains(t, b.String(), "all portfolios: 0 entries on 0 entities")
	require.Contains(t, b.String(), "Event to first effect                  none\n")
}

func TestFilesReadBack(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, november().CSV(&b))
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Contains(t, rows, []string{"time", "question to answer", "2", "120", "259200"})
	require.Contains(t, rows, []string{"decision", "person", "3", "", ""})
	require.Contains(t, rows, []string{"broken", "lease/3", "1", "", ""})

	b.Reset()
	require.NoError(t, november().JSON(&b))
	var out struct {
		Answers struct {
			Count  int
			Median float64 `json:"median_seconds"`
			P95    float64 `json:"p95_seconds"`
		}
		Events []auditreport.Count
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &out))
	require.Equal(t, 2, out.Answers.Count)
	require.InDelta(t, 120, out.Answers.Median, 0)
	require.InDelta(t, 259200, out.Answers.P95, 0)
	require.Len(t, out.Events, 2)

	b.Reset()
	require.NoError(t, report().JSON(&b))
	require.NotContains(t, b.String(), "null", "lists are empty, not missing")
}

// The quantiles are those of a sorted list, whatever the order of the entries.
func TestQuantiles(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var entries []store.AuditEntry
	for _, i := range random.Perm(1000) {
		entity := fmt.Sprintf("lease/%d", i)
		entries = append(entries, at(entity, 0, store.AuditEvent, "", "x by y", ""), at(entity, time.Duration(i+1)*time.Second, store.AuditWrite, "", "", "rentvine"))
	}
	r := report(entries...)
	require.Equal(t, 1000, r.Reaction.Count)
	require.InDelta(t, 500, r.Reaction.Median.Seconds(), 0)
	require.InDelta(t, 950, r.Reaction.P95.Seconds(), 0)
	require.Equal(t, time.Second, report(entriesOf(time.Second)...).Reaction.P95)
	require.Equal(t, 5*time.Hour+2*time.Minute, report(entriesOf(5*time.Hour+2*time.Minute+9*time.Second)...).Reaction.P95, "hours to minutes")
}

func entriesOf(d time.Duration) []store.AuditEntry {
	return []store.AuditEntry{at("a", 0, store.AuditEvent, "", "x by y", ""), at("a", d, store.AuditWrite, "", "", "rentvine")}
}

// Names that a partner makes up do not fill the memory.
func TestNamesAreBounded(t *testing.T) {
	t.Parallel()
	var entries []store.AuditEntry
	for i := range 10_000 {
		entries = append(entries, at("webhooks", time.Duration(i)*time.Second, store.AuditEvent, "", fmt.Sprintf("type%d by webhook", i), ""))
	}
	r := report(entries...)
	require.LessOrEqual(t, len(r.Events), 201)
	require.Equal(t, auditreport.Count{Name: "others", Count: 9800}, r.Events[0])
	require.Equal(t, 10_000, r.Quiet)
}

// A long life is worked off in parts.
func TestManyEntriesOfOneEntity(t *testing.T) {
	t.Parallel()
	b := auditreport.New(from, to, "")
	for i := range 120_000 {
		when := time.Duration(i) * 10 * time.Second
		b.Add(at("sweep", when, store.AuditEvent, "", "x by y", ""))
		b.Add(at("sweep", when+time.Second, store.AuditWrite, "", "", "rentvine"))
	}
	r := b.Report()
	require.Equal(t, 240_000, r.Entries)
	require.Equal(t, 1, r.Entities)
	require.Equal(t, auditreport.Latency{Count: 120_000, Median: time.Second, P95: time.Second}, r.Reaction)
	require.Zero(t, r.Quiet)
}
