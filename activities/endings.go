package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// RecordEndings writes into the audit how runs of workflows have ended since it looked
// last, with the notes that they left in their results: what no activity could carry any
// more. It goes through the time since then in pieces and keeps how far it has come, so a
// walk that breaks off goes on there; an ending that is recorded already is passed over.
var RecordEndings = durable.Activity[None, RecordedEndings]{
	Name: "audit.record_endings", Queue: QueueBulk, Attempt: 15 * time.Minute, Heartbeat: 2 * time.Minute, Within: time.Hour, Priority: 5,
}

// RecordedEndings tells what RecordEndings did.
type RecordedEndings struct {
	// Seen counts runs that have ended, Recorded those that the audit did not know yet.
	Seen     int `json:"seen"`
	Recorded int `json:"recorded"`
	// Until is up to when all endings are recorded (real time). More tells that this is not
	// the present yet, because there were too many for one run.
	Until time.Time `json:"until,omitzero"`
	More  bool      `json:"more,omitempty"`
}

const (
	// endingsSetting is the store's setting of up to when endings are recorded (RFC 3339,
	// real time).
	endingsSetting = "audit.endings"
	// endingsOverlap is looked at again each time: lists of runs lag behind, and clocks differ.
	endingsOverlap = time.Hour
	// endingsFirst is how far the first look goes back. What ended before left no notes.
	endingsFirst = 24 * time.Hour
	// endingsPiece is how many endings a piece of time should have at most, and
	// shortestPiece how short a piece becomes for that.
	endingsPiece  = 2000
	shortestPiece = time.Second
	// endingsMost is after how many new endings a run leaves the rest to the next one.
	endingsMost = 20_000
)

// EndedRun is a run of a workflow that has ended, as lists of runs tell it. A run that went
// on in another one has not ended.
type EndedRun struct {
	WorkflowID, RunID, Type string
	// At is when it ended (real time).
	At time.Time
	// Status is "completed", "failed", "cancelled", "terminated" or "timed out".
	Status string
	// Scheduled tells that a Schedule started it.
	Scheduled bool
}

// EndedWell is the status of a run that ended as it should.
const EndedWell = "completed"

// Ending is what the last event of a run says.
type Ending struct {
	// Why is the kind of failure, or the reason that was given for the termination; "" for
	// none.
	Why string
	// Notes are those of the workflow's trail that had not left yet.
	Notes []durable.Note
	// Unread tells that there is a result that cannot be read here.
	Unread bool
}

// Endings reads how runs ended. All times are real, from is included and to excluded.
type Endings interface {
	// CountEnded counts the runs that ended in a time.
	CountEnded(ctx context.Context, from, to time.Time) (int, error)
	// ListEnded lists them, page after page: next is empty after the last one.
	ListEnded(ctx context.Context, from, to time.Time, token []byte) (page []EndedRun, next []byte, err error)
	// Ending reads the last event of a run. One that is past its retention has none.
	Ending(ctx context.Context, run EndedRun) (Ending, error)
}

func (a *Activities) recordEndings(ctx context.Context, _ None) (RecordedEndings, error) {
	now := a.Now().UTC()
	text, err := a.Store.Setting(ctx, endingsSetting)
	if err != nil {
		return RecordedEndings{}, err
	}
	done := RecordedEndings{Until: now.Add(-endingsFirst)}
	// A setting that cannot be read is none.
	if until, err := time.Parse(time.RFC3339Nano, text); err == nil {
		done.Until = until
	}
	from := done.Until.Add(-endingsOverlap)
	for from.Before(now) {
		if done.Recorded >= endingsMost {
			done.More = true
			break
		}
		to, err := a.pieceOfEndings(ctx, from, now)
		if err != nil {
			return done, err
		}
		if err := a.recordPiece(ctx, from, to, &done); err != nil {
			return done, err
		}
		// The overlap is behind what is known to be recorded.
		if to.After(done.Until) {
			done.Until = to
			if err := a.Store.SetSetting(ctx, endingsSetting, to.Format(time.RFC3339Nano)); err != nil {
				return done, err
			}
		}
		from = to
	}
	return done, nil
}

// pieceOfEndings is until when a piece of time goes that has few enough endings.
func (a *Activities) pieceOfEndings(ctx context.Context, from, now time.Time) (time.Time, error) {
	for length := now.Sub(from); ; length = max(length/2, shortestPiece) {
		n, err := a.Endings.CountEnded(ctx, from, from.Add(length))
		if err != nil || n <= endingsPiece || length <= shortestPiece {
			return from.Add(length), err
		}
	}
}

// recordPiece records the endings of a piece of time.
func (a *Activities) recordPiece(ctx context.Context, from, to time.Time, done *RecordedEndings) error {
	for token, more := []byte(nil), true; more; {
		page, next, err := a.Endings.ListEnded(ctx, from, to, token)
		if err != nil {
			return err
		}
		done.Seen += len(page)
		recorded, err := a.recordEnded(ctx, page)
		if err != nil {
			return err
		}
		done.Recorded += recorded
		token, more = next, len(next) > 0
	}
	return ctx.Err()
}

// recordEnded records those of some endings that the audit does not know, and returns how
// many these were.
func (a *Activities) recordEnded(ctx context.Context, runs []EndedRun) (recorded int, err error) {
	for ; len(runs) > 0; runs = runs[min(len(runs), store.EvidenceMost):] {
		some := runs[:min(len(runs), store.EvidenceMost)]
		ids := make([]string, 0, len(some))
		for _, r := range some {
			ids = append(ids, endedID(r))
		}
		known, err := a.Store.AuditIDs(ctx, ids)
		if err != nil {
			return recorded, err
		}
		for _, r := range some {
			if activity.IsActivity(ctx) {
				activity.RecordHeartbeat(ctx)
			}
			if known[endedID(r)] {
				continue
			}
			ending, err := a.Endings.Ending(ctx, r)
			if err != nil {
				return recorded, err
			}
			if ending.Unread {
				later := !r.At.Before(a.Now().Add(-endingsOverlap))
				a.Log.Warn("a result cannot be read: if it held notes, the audit lacks them; are all payload keys given?",
					zap.String("workflow", r.WorkflowID), zap.String("run", r.RunID), zap.Bool("read_again", later))
				if later {
					continue // the overlap of the next look has it again
				}
			}
			entries := endingEntries(r, ending)
			if len(entries) == 0 {
				continue
			}
			if err := a.Store.Append(ctx, entries...); err != nil {
				return recorded, err
			}
			recorded++
		}
	}
	return recorded, nil
}

func endedID(r EndedRun) string { return "ended/" + r.RunID }

// endingEntries are what the audit is told of a run that has ended: the notes that it left,
// then its end. A run that a Schedule started is an entity by itself: that it ended well
// is no news.
func endingEntries(r EndedRun, e Ending) []store.AuditEntry {
	var entries []store.AuditEntry
	for _, n := range e.Notes {
		entries = append(entries, noteEntry(r.WorkflowID, r.RunID, n))
	}
	if r.Scheduled && r.Status == EndedWell && len(entries) == 0 && !e.Unread {
		return nil
	}
	what := r.Status
	if e.Why != "" {
		what += ": " + e.Why
	}
	if e.Unread {
		what += "; its notes could not be read"
	}
	return append(entries, store.AuditEntry{
		ID: endedID(r), Entity: r.WorkflowID, Kind: store.AuditEnded, At: r.At, What: what, RunID: r.RunID,
	})
}
