package durable

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.temporal.io/sdk/workflow"
)

// NoteKind says what a note of the trail is about.
type NoteKind string

// The kinds of notes.
const (
	// NoteTook: the event of the key Ref was taken, or the answer "answer/<id>".
	NoteTook NoteKind = "took"
	// NoteDecided: something was decided or noted. Ref is whom it is about, such as
	// "person/ben", "" for nobody.
	NoteDecided NoteKind = "decision"
	// NoteCommand: an operator gave a command.
	NoteCommand NoteKind = "command"
	// NoteAnswer: a person answered.
	NoteAnswer NoteKind = "answer"
	// NoteBegan: another workflow was begun, whose id is Ref.
	NoteBegan NoteKind = "began"
)

// A Note is something that a workflow tells the audit. Notes cost no action: they travel
// in the header of the next activity, into the next run, or in the result.
type Note struct {
	Kind NoteKind `json:"kind"`
	// At is the workflow's real time.
	At time.Time `json:"at"`
	// Actor is who decided, as store.AuditEntry says it, but "person/" with the id of any
	// Person; What is one line without personal data.
	Actor string `json:"actor,omitempty"`
	What  string `json:"what,omitempty"`
	Ref   string `json:"ref,omitempty"`
	// Details may hold personal data: the audit can erase them.
	Details string `json:"details,omitempty"`
}

// A Line is one line of a workflow's own timeline. At is business time; Person is the id
// of whom it is about, "" for nobody: who was paged, who has answered.
type Line struct {
	At     time.Time
	What   string
	Person string
}

// The bounds of what travels.
const (
	// maxNotes bounds what waits; maxWhat, maxRef and maxDetails are in bytes.
	maxNotes   = 1000
	maxWhat    = 300
	maxRef     = 500
	maxDetails = 2000
	// maxCarried and maxCarriedBytes bound what one activity carries.
	maxCarried      = 100
	maxCarriedBytes = 32 << 10
)

// trail is what a run has to tell and has not got rid of yet.
type trail struct {
	// notes wait to leave; dropped counts those for which there was no room.
	notes   []Note
	dropped int
	// carried left with activities that have not ended yet.
	carried []carried
	// begun are other workflows that may not run yet.
	begun []begun
	// timeline returns the lines after the last one told, which is told.
	timeline func(told string) []Note
	told     string
}

// carried are notes that left with an activity. It has failed to deliver them where it
// ended without having run.
type carried struct {
	notes     []Note
	ready     func() bool
	delivered func(workflow.Context) bool
}

// begun is another workflow that was asked for.
type begun struct {
	note  Note
	ready func() bool
	runs  func(workflow.Context) bool
}

type trailKey struct{}

// trailOf is the trail of the run, nil without the interceptor.
func trailOf(ctx workflow.Context) *trail {
	t, _ := ctx.Value(trailKey{}).(*trail)
	return t
}

// Tell adds a note to the workflow's trail. Without the interceptor it does nothing.
func Tell(ctx workflow.Context, n Note) {
	t := trailOf(ctx)
	if t == nil {
		return
	}
	if n.At.IsZero() {
		n.At = workflow.Now(ctx)
	}
	t.add(n)
}

// TellTimeline tells the audit each line of the workflow's own timeline once, through
// continue-as-new too. It is called once at the start of a run, after WithClock. lines is
// asked whenever notes leave; it may have lost its oldest lines meanwhile.
func TellTimeline[E interface{ Line() Line }](ctx workflow.Context, lines func() []E) {
	t := trailOf(ctx)
	if t == nil {
		return
	}
	clock := ClockOf(ctx)
	t.timeline = func(told string) []Note {
		var news []Note
		for _, e := range slices.Backward(lines()) {
			l := e.Line()
			n := Note{Kind: NoteDecided, At: clock.Instant(l.At), What: l.What}
			if l.Person != "" {
				n.Ref = "person/" + l.Person
			}
			if n = tidy(n); n.mark() == told {
				break
			}
			news = append(news, n)
		}
		slices.Reverse(news)
		return news
	}
}

// mark tells lines of a timeline apart.
func (n Note) mark() string {
	return fmt.Sprintf("%d %s %s", n.At.UnixMicro(), n.Ref, n.What)
}

// tidy bounds a note. The audit keeps microseconds.
func tidy(n Note) Note {
	n.At = n.At.UTC().Truncate(time.Microsecond)
	n.What, n.Ref, n.Actor, n.Details = cut(n.What, maxWhat), cut(n.Ref, maxRef), cut(n.Actor, maxRef), cut(n.Details, maxDetails)
	return n
}

// cut returns at most most bytes of a text, as one line of whole characters.
func cut(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// add takes a note. Where there is no room, the oldest decision goes, as events taken,
// commands and answers matter more; without one the oldest note.
func (t *trail) add(n Note) {
	if len(t.notes) >= maxNotes {
		out := max(0, slices.IndexFunc(t.notes, func(n Note) bool { return n.Kind == NoteDecided }))
		t.notes = slices.Delete(t.notes, out, out+1)
		t.dropped++
	}
	t.notes = append(t.notes, tidy(n))
}

// gather brings the notes up to date: what was not delivered is back, others that run
// were begun, the timeline has new lines.
func (t *trail) gather(ctx workflow.Context) {
	var back []Note
	t.carried = slices.DeleteFunc(t.carried, func(c carried) bool {
		if !c.ready() {
			return false
		}
		if !c.delivered(ctx) {
			back = append(back, c.notes...)
		}
		return true
	})
	t.begun = slices.DeleteFunc(t.begun, func(b begun) bool {
		if !b.ready() {
			return false
		}
		if b.runs(ctx) {
			back = append(back, b.note)
		}
		return true
	})
	if t.timeline != nil {
		if news := t.timeline(t.told); len(news) > 0 {
			t.told = news[len(news)-1].mark()
			back = append(back, news...)
		}
	}
	for _, n := range back {
		t.add(n)
	}
	slices.SortStableFunc(t.notes, func(a, b Note) int { return a.At.Compare(b.At) })
}

// next takes out what one activity carries.
func (t *trail) next(ctx workflow.Context) []Note {
	t.gather(ctx)
	n, size := 0, 0
	for n < min(len(t.notes), maxCarried) {
		if size += t.notes[n].size(); size > maxCarriedBytes {
			break
		}
		n++
	}
	notes := slices.Clone(t.notes[:n])
	t.notes = slices.Delete(t.notes, 0, n)
	return append(notes, t.droppedNote(ctx)...)
}

// rest takes out everything, also what is on its way: the audit takes a note once.
func (t *trail) rest(ctx workflow.Context) []Note {
	t.gather(ctx)
	var notes []Note
	for _, c := range t.carried {
		notes = append(notes, c.notes...)
	}
	notes = append(notes, t.notes...)
	return append(notes[max(0, len(notes)-maxNotes):], t.droppedNote(ctx)...)
}

// droppedNote says how many notes had no room, where there were any.
func (t *trail) droppedNote(ctx workflow.Context) []Note {
	if t.dropped == 0 {
		return nil
	}
	n := Note{Kind: NoteDecided, At: workflow.Now(ctx), What: fmt.Sprintf("%d notes were left out: too many waited", t.dropped)}
	t.dropped = 0
	return []Note{tidy(n)}
}

// size is about how many bytes the note takes.
func (n Note) size() int { return len(n.Actor) + len(n.What) + len(n.Ref) + len(n.Details) + 80 }
