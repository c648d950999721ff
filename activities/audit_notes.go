package activities

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// noteEntry is a note of a workflow's trail as the audit keeps it: the same note has the
// same id, whichever way it came.
func noteEntry(entity, runID string, n durable.Note) store.AuditEntry {
	e := store.AuditEntry{Entity: entity, RunID: runID, At: n.At.UTC(), Actor: n.Actor, What: n.What, Ref: n.Ref, Details: n.Details}
	if person, ok := strings.CutPrefix(n.Actor, "person/"); ok {
		e.Actor = store.SubjectOf(person)
	}
	switch n.Kind {
	case durable.NoteTook:
		e.ID, e.Kind, e.Links = store.AuditTookID+entity+"/"+n.Ref, store.AuditTook, []string{store.AuditEventID + n.Ref}
		e.What = cmp.Or(n.What, "takes the event")
		if strings.HasPrefix(n.Ref, store.AuditAnswerID) {
			e.Links = []string{n.Ref}
		}
		return e
	case durable.NoteAnswer:
		e.ID, e.Kind = store.AuditAnswerID+entity+"/"+n.Ref, store.AuditAnswer
		return e
	case durable.NoteCommand:
		e.Kind = store.AuditCommand
	case durable.NoteBegan:
		e.Kind, e.Links = store.AuditDecision, []string{n.Ref}
	case durable.NoteDecided:
		e.Kind = store.AuditDecision
		if person, ok := strings.CutPrefix(n.Ref, "person/"); ok {
			e.Ref, e.Links = "", []string{store.SubjectOf(person)}
		}
	default:
		e.Kind = store.AuditDecision
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{entity, n.At.UTC().Format(time.RFC3339Nano), string(n.Kind), n.Actor, n.What, n.Ref}, "\x00")))
	e.ID = "note/" + hex.EncodeToString(sum[:16])
	return e
}
