package store

import (
	"context"
	"time"
)

// AuditKind says what an entry of the audit is about.
type AuditKind string

// The kinds of entries.
const (
	// AuditEvent: an event of a partner, a form, a mail or the API was accepted.
	AuditEvent AuditKind = "event"
	// AuditTook: the workflow has taken the event.
	AuditTook AuditKind = "took"
	// AuditDecision: the workflow has decided or noted something.
	AuditDecision AuditKind = "decision"
	// AuditCommand: an operator gave a command.
	AuditCommand AuditKind = "command"
	// AuditAnswer: a person answered a question or approved something.
	AuditAnswer AuditKind = "answer"
	// AuditMessage: a text or mail left.
	AuditMessage AuditKind = "message"
	// AuditWrite: something was written at a partner.
	AuditWrite AuditKind = "write"
	// AuditConflict: both sides had changed a field, and a rule decided.
	AuditConflict AuditKind = "conflict"
	// AuditEnded: a run of the workflow has ended.
	AuditEnded AuditKind = "ended"
	// AuditErased: personal details were erased.
	AuditErased AuditKind = "erased"
)

// How the IDs of entries begin, whoever writes or looks for them: an event's key follows, the
// workflow's id and the key, an effect's key, an answer's id. That of a parked event that a
// person has let go on ends with AuditReplay.
const (
	AuditEventID  = "event/"
	AuditTookID   = "took/"
	AuditEffectID = "effect/"
	AuditAnswerID = "answer/"
	AuditReplay   = "/replay"
)

// An AuditEntry is one thing that happened to an entity. Only Details may hold personal
// data; everything else is in the hash chain in clear and is kept for good.
type AuditEntry struct {
	// ID names what happened for ever: the same ID again changes nothing.
	ID string
	// Entity is the id of the workflow that it belongs to, such as "work-order/4711".
	Entity string
	Kind   AuditKind
	// At is when it happened (UTC, real time).
	At time.Time
	// Actor is who or what decided: "policy", "person/<id>", "operator/<by>", "model", a
	// partner such as "rentvine", "" for the workflow itself.
	Actor string
	// What is one line for a reader, without personal data.
	What string
	// Partner is where an effect took place ("rentvine", "twilio", "mail" ...), Ref its id
	// there.
	Partner string
	Ref     string
	// Links are the ids of what it hangs together with: entries, or other entities.
	Links []string
	// RunID and Step are where in the workflow it happened: Step is the activity's name.
	RunID string
	Step  string
	// Subject is whose personal data the details hold, such as "contact/21"; "" for nobody.
	Subject string
	// Details may hold personal data. They can be erased without breaking the chain, which
	// holds a salted digest of them.
	Details string

	// Seq is the entry's place in the entity's chain, from 1; Prev and Hash are hex SHA-256.
	// The store sets these, and Erased where the details were erased.
	Seq        int64
	Prev, Hash string
	Erased     bool
}

// A Receipt is the ingress's record of an event that it has accepted. It is written after
// Temporal has confirmed the event and before the sender is told.
type Receipt struct {
	// Source and Key name the event; Key includes the source.
	Source, Key string
	Type        string
	EntityID    string
	// Via is how it came: "webhook", "sync", "replay", "api", "form", "mail".
	Via string
	// WorkflowID and RunID are what Temporal confirmed; Outcome is "accepted", "parked" or
	// "duplicate", and Reason why it was parked.
	WorkflowID, RunID string
	Outcome, Reason   string
	// Digest is the hex SHA-256 of the body as it came, "" where there was none.
	Digest string
	// ReceivedAt and RecordedAt are real time.
	ReceivedAt, RecordedAt time.Time
}

// An AuditFilter bounds a look at the audit; "" and zero do not bound.
type AuditFilter struct {
	Entity string
	// Prefix bounds the entities, such as "work-order/".
	Prefix  string
	Kinds   []AuditKind
	Subject string
	// From and To bound At (real time), To excluded.
	From, To time.Time
	// AfterEntity and AfterSeq are where the list goes on: entries come in the order of
	// entity and place in its chain.
	AfterEntity string
	AfterSeq    int64
	// Most is at most 10,000, which 0 means too.
	Most int
}

// A ReceiptFilter bounds a look at receipts; "" and zero do not bound.
type ReceiptFilter struct {
	Source, Type, Outcome string
	// From and To bound RecordedAt (real time), To excluded; After is the key after which the list
	// goes on, in the order of RecordedAt and key.
	From, To time.Time
	AfterAt  time.Time
	After    string
	// Most is at most 10,000, which 0 means too.
	Most int
}

// An AuditFault is an entry whose chain does not hold.
type AuditFault struct {
	Entity string
	Seq    int64
	// Why is what is wrong: the entry was changed, one is missing, the head says another.
	Why string
}

// Audit is the append-only record of what happened. Nothing but details can be changed.
type Audit interface {
	// Append adds entries at the ends of their entities' chains, all or none, in the order
	// given. An ID that is there already is passed over, whatever it says.
	Append(ctx context.Context, entries ...AuditEntry) error
	// AuditEntries lists entries with their details.
	AuditEntries(ctx context.Context, f AuditFilter) ([]AuditEntry, error)
	// AuditEntities lists the entities after one, at most most, with the length of each.
	AuditEntities(ctx context.Context, prefix, after string, most int) ([]AuditHead, error)
	// VerifyAudit recomputes the chain of an entity and compares it with its head.
	VerifyAudit(ctx context.Context, entity string) ([]AuditFault, error)
	// EraseDetails removes the details of all entries of a subject, or of one entity where
	// subject is "", and appends an AuditErased entry to each entity concerned. It returns how
	// many entries lost theirs.
	EraseDetails(ctx context.Context, subject, entity, by, why string, at time.Time) (int, error)

	// Accept keeps receipts and appends an AuditEvent entry for each, all in one transaction;
	// a key that is there already keeps its first receipt.
	Accept(ctx context.Context, receipts ...Receipt) error
	// Receipts lists receipts, the oldest first. Receipt returns one by key, or ErrNotFound.
	Receipts(ctx context.Context, f ReceiptFilter) ([]Receipt, error)
	Receipt(ctx context.Context, key string) (Receipt, error)
}

// An AuditHead is the end of an entity's chain.
type AuditHead struct {
	Entity string
	Seq    int64
	Hash   string
}
