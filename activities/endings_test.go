package activities

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// graveyard is a stand-in of the cluster: runs that have ended.
type graveyard struct {
	runs    []EndedRun
	endings map[string]Ending
	// read counts looks at the last event of each run.
	read map[string]int
	// away is why the last event of a run cannot be read, by run.
	away map[string]error
	// largest is the longest list that was asked for, page the length of a page.
	largest, page int
}

func (g *graveyard) within(from, to time.Time) (found []EndedRun) {
	for _, r := range g.runs {
		if !r.At.Before(from) && r.At.Before(to) {
			found = append(found, r)
		}
	}
	return found
}

func (g *graveyard) CountEnded(_ context.Context, from, to time.Time) (int, error) {
	return len(g.within(from, to)), nil
}

func (g *graveyard) ListEnded(_ context.Context, from, to time.Time, token []byte) ([]EndedRun, []byte, error) {
	all := g.within(from, to)
	g.largest = max(g.largest, len(all))
	at, _ := strconv.Atoi(string(token)) // none is the beginning
	if end := at + g.page; end < len(all) {
		return all[at:end], []byte(strconv.Itoa(end)), nil
	}
	return all[at:], nil, nil
}

func (g *graveyard) Ending(_ context.Context, r EndedRun) (Ending, error) {
	g.read[r.RunID]++
	return g.endings[r.RunID], g.away[r.RunID]
}

// bury is a graveyard, and activities that look at it on a clock of their own.
func bury(t *testing.T, now *time.Time, runs ...EndedRun) (*graveyard, *Activities) {
	t.Helper()
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, kept.Close()) })
	g := &graveyard{runs: runs, endings: map[string]Ending{}, read: map[string]int{}, away: map[string]error{}, page: 100}
	return g, New(Config{Store: kept, Endings: g, Now: func() time.Time { return *now }, Log: zap.NewNop()})
}

// told is what the audit says of an entity, one line an entry.
func told(t *testing.T, a *Activities, entity string) []string {
	t.Helper()
	entries, err := a.Store.AuditEntries(t.Context(), store.AuditFilter{Entity: entity})
	require.NoError(t, err)
	var lines []string
	for _, e := range entries {
		lines = append(lines, string(e.Kind)+" "+e.What+e.Ref)
	}
	return lines
}

var buried = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func TestEndingsAreRecordedOnceWithTheNotesThatWereLeft(t *testing.T) {
	t.Parallel()
	now := buried
	g, a := bury(t, &now,
		EndedRun{WorkflowID: "lease/1", RunID: "r1", Status: EndedWell, At: now.Add(-10 * time.Minute)},
		EndedRun{WorkflowID: "webhook/crm/1", RunID: "r2", Status: "failed", At: now.Add(-9 * time.Minute)},
		EndedRun{WorkflowID: "sync/openmoove-1", RunID: "r3", Status: EndedWell, Scheduled: true, At: now.Add(-8 * time.Minute)},
		EndedRun{WorkflowID: "sync/openmoove-2", RunID: "r4", Status: "terminated", Scheduled: true, At: now.Add(-7 * time.Minute)},
		EndedRun{WorkflowID: "lease/0", RunID: "r0", Status: EndedWell, At: now.Add(-26 * time.Hour)},
	)
	g.endings["r1"] = Ending{Notes: []durable.Note{
		{Kind: durable.NoteTook, Ref: "rentvine:e1", At: now.Add(-11 * time.Minute)},
		{Kind: durable.NoteDecided, What: "nothing to do", At: now.Add(-11 * time.Minute)},
	}}
	g.endings["r2"] = Ending{Why: "not_delivered"}
	g.endings["r4"] = Ending{Why: "stopped by pat"}

	done, err := a.recordEndings(t.Context(), None{})
	require.NoError(t, err)
	require.Equal(t, RecordedEndings{Seen: 4, Recorded: 3, Until: now}, done)
	require.Equal(t, []string{"took takes the eventrentvine:e1", "decision nothing to do", "ended completed"}, told(t, a, "lease/1"))
	require.Equal(t, []string{"ended failed: not_delivered"}, told(t, a, "webhook/crm/1"))
	require.Equal(t, []string{"ended terminated: stopped by pat"}, told(t, a, "sync/openmoove-2"))
	require.Empty(t, told(t, a, "sync/openmoove-1"), "a sweep that ended well is no news")
	require.Empty(t, told(t, a, "lease/0"), "it ended long before the first look")

	// The overlap is listed again and read no more; what the list told late is found.
	now = now.Add(15 * time.Minute)
	g.runs = append(g.runs, EndedRun{WorkflowID: "lease/2", RunID: "r5", Status: EndedWell, At: buried.Add(-time.Minute)})
	done, err = a.recordEndings(t.Context(), None{})
	require.NoError(t, err)
	require.Equal(t, 1, done.Recorded)
	require.Equal(t, []string{"ended completed"}, told(t, a, "lease/2"))
	require.Equal(t, 1, g.read["r1"])
	require.Len(t, told(t, a, "lease/1"), 3)
	faults, err := a.Store.VerifyAudit(t.Context(), "lease/1")
	require.NoError(t, err)
	require.Empty(t, faults)
}

// A look that breaks off goes on where it was: what was recorded is not read again, and
// nothing is left out.
func TestEndingsGoOnWhereALookBrokeOff(t *testing.T) {
	t.Parallel()
	now := buried
	var runs []EndedRun
	for i := range 5000 {
		runs = append(runs, EndedRun{WorkflowID: fmt.Sprintf("charge/%d", i), RunID: fmt.Sprintf("r%d", i), Status: EndedWell, At: now.Add(-time.Duration(5000-i) * time.Second)})
	}
	g, a := bury(t, &now, runs...)
	g.page = 200
	g.away["r4000"] = errors.New("away")
	_, err := a.recordEndings(t.Context(), None{})
	require.ErrorContains(t, err, "away")
	require.LessOrEqual(t, g.largest, endingsPiece, "time is taken in pieces")

	delete(g.away, "r4000")
	done, err := a.recordEndings(t.Context(), None{})
	require.NoError(t, err)
	require.False(t, done.More)
	require.Equal(t, now, done.Until)
	require.Equal(t, 2, g.read["r4000"])
	delete(g.read, "r4000")
	require.Len(t, g.read, 4999)
	for run, n := range g.read {
		require.Equal(t, 1, n, run)
	}
	entities, err := a.Store.AuditEntities(t.Context(), "charge/", "", 10_000)
	require.NoError(t, err)
	require.Len(t, entities, 5000)
}

// A result that cannot be read here is left to a worker that can, for as long as it is looked
// at again; then its end is written, and that its notes are missing.
func TestAnEndingWhoseNotesCannotBeReadYet(t *testing.T) {
	t.Parallel()
	now := buried
	g, a := bury(t, &now,
		EndedRun{WorkflowID: "lease/1", RunID: "r1", Status: EndedWell, At: now.Add(-time.Minute)},
		EndedRun{WorkflowID: "lease/2", RunID: "r2", Status: EndedWell, At: now.Add(-time.Minute)},
		EndedRun{WorkflowID: "lease/3", RunID: "r3", Status: EndedWell, At: now.Add(-2 * time.Hour)},
	)
	for _, run := range []string{"r1", "r2", "r3"} {
		g.endings[run] = Ending{Unread: true}
	}
	look := func(recorded int) {
		t.Helper()
		done, err := a.recordEndings(t.Context(), None{})
		require.NoError(t, err)
		require.Equal(t, recorded, done.Recorded)
	}
	const unread = "ended completed; its notes could not be read"
	look(1)
	require.Equal(t, []string{unread}, told(t, a, "lease/3"), "nobody looks at it again")
	require.Empty(t, told(t, a, "lease/1"))

	now = now.Add(15 * time.Minute)
	g.endings["r1"] = Ending{Notes: []durable.Note{{Kind: durable.NoteDecided, What: "assigned", At: buried}}}
	look(1)
	require.Equal(t, []string{"decision assigned", "ended completed"}, told(t, a, "lease/1"), "the key is there")
	// The last look within the overlap was 59 minutes before, the next one is beyond it.
	now = buried.Add(58 * time.Minute)
	look(0)
	now = now.Add(15 * time.Minute)
	look(1)
	require.Equal(t, []string{unread}, told(t, a, "lease/2"))
}

// After a time away the bound of one run leaves the rest to the next.
func TestEndingsAreBounded(t *testing.T) {
	t.Parallel()
	now := buried
	g, a := bury(t, &now)
	require.NoError(t, a.Store.SetSetting(t.Context(), endingsSetting, now.Add(-30*24*time.Hour).Format(time.RFC3339Nano)))
	g.runs = []EndedRun{{WorkflowID: "lease/1", RunID: "r1", Status: EndedWell, At: now.Add(-29 * 24 * time.Hour)}}
	done, err := a.recordEndings(t.Context(), None{})
	require.NoError(t, err)
	require.Equal(t, RecordedEndings{Seen: 1, Recorded: 1, Until: now}, done, "a month without endings is one piece")

	to, err := a.pieceOfEndings(t.Context(), now, now.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, now.Add(time.Hour), to)
	for i := range endingsPiece + 1 {
		g.runs = append(g.runs, EndedRun{RunID: fmt.Sprint("x", i), At: now})
	}
	to, err = a.pieceOfEndings(t.Context(), now, now.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, now.Add(shortestPiece), to, "a piece is never shorter than that")
}

func TestANoteHasOneIDWhicheverWayItCame(t *testing.T) {
	t.Parallel()
	n := durable.Note{Kind: durable.NoteDecided, What: "assigned", At: buried}
	require.Equal(t, noteEntry("lease/1", "r1", n).ID, noteEntry("lease/1", "r2", n).ID)
	require.NotEqual(t, noteEntry("lease/1", "r1", n).ID, noteEntry("lease/2", "r1", n).ID)
	require.Equal(t, "took/lease/1/k", noteEntry("lease/1", "r1", durable.Note{Kind: durable.NoteTook, Ref: "k"}).ID)
	require.Equal(t, "answer/lease/1/a1", noteEntry("lease/1", "r1", durable.Note{Kind: durable.NoteAnswer, Ref: "a1"}).ID)
}

func TestPeopleOfNotesAreToldApart(t *testing.T) {
	t.Parallel()
	held := durable.Note{Kind: durable.NoteDecided, What: "held back", Ref: "person/contact:21", At: buried}
	other := held
	other.Ref = "person/ben"
	require.NotEqual(t, noteEntry("lease/1", "r1", held).ID, noteEntry("lease/1", "r1", other).ID)
	require.Equal(t, []string{"contact/21"}, noteEntry("lease/1", "r1", held).Links)
	require.Equal(t, []string{"person/ben"}, noteEntry("lease/1", "r1", other).Links)
	require.Equal(t, "contact/21", noteEntry("lease/1", "r1", durable.Note{Kind: durable.NoteAnswer, Actor: "person/contact:21"}).Actor)
	require.Equal(t, "operator/ops", noteEntry("lease/1", "r1", durable.Note{Kind: durable.NoteCommand, Actor: "operator/ops"}).Actor)
}

// Whoever delivered an answer has told the audit of it: the workflow took it.
func TestAnswersTakenLinkToTheAnswer(t *testing.T) {
	t.Parallel()
	e := noteEntry("lease/1", "r1", durable.Note{Kind: durable.NoteTook, Ref: "answer/a1", What: "offer: yes by sms", Actor: "person/contact:21", At: buried})
	require.Equal(t, store.AuditEntry{
		ID: "took/lease/1/answer/a1", Entity: "lease/1", RunID: "r1", Kind: store.AuditTook, At: buried, Actor: "contact/21",
		What: "offer: yes by sms", Ref: "answer/a1", Links: []string{"answer/a1"},
	}, e)
}

// Why is free text: it can be erased, and what was decided stays.
func TestWhyACommandWasGivenIsADetail(t *testing.T) {
	t.Parallel()
	e := noteEntry("lease/1", "r1", durable.Note{Kind: durable.NoteCommand, What: "stop", Details: "Jane Roe called"})
	require.Equal(t, "stop", e.What)
	require.Equal(t, "Jane Roe called", e.Details)
}
