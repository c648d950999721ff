// Package store keeps what must outlive a workflow's history or be looked up
// across workflows: effects at partners, open questions to people, consent,
// running incidents, calls made within a partner's limits, OpenMoove's properties,
// rows of imports. SQLite by default, PostgreSQL by URL. It knows nothing of
// Temporal.
package store

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound is returned where a record that was asked for by key is not there.
var ErrNotFound = errors.New("store: not found")

// An Effect is one write at a partner that must happen once. Its row is written
// before the call and finished after it, so that a later try knows whether an
// earlier one may have got through.
type Effect struct {
	// Key names the effect for ever: workflow id and step.
	Key string
	// BegunAt is when the first try began (UTC, real time).
	BegunAt time.Time
	// TriedAt is when the latest try began (UTC, the database's time).
	TriedAt time.Time
	// Quiet is how long ago that was when the record was read, by the database's
	// clock: those of two machines may differ.
	Quiet time.Duration
	// Note is what the latest try kept about what it wants to do.
	Note string
	// Done tells whether a try is known to have succeeded.
	Done bool
	// Ref is the partner's id of the result once done.
	Ref string
}

// Purpose says what a question is for; the page and the texts depend on it.
type Purpose string

// A Question is something a person was asked by SMS or link and may answer.
type Question struct {
	// ID is opaque, unguessable and the same for every try of the same step.
	ID string
	// Code is the short code shown in the text, such as "K7": unique among the
	// questions of the same address within the last days. Set by Ask.
	Code string
	// Address is the keyed hash of the phone or e-mail.
	Address string
	// WorkflowID and Step say who asked.
	WorkflowID string
	Step       string
	// Person is the id of who was asked in policy or at the partner, never a name.
	Person  string
	Purpose Purpose
	// Title is one line that tells questions apart, such as "Water leak, 12 Elm St".
	// Ask keeps it as one clean line of at most 200 characters. It is the only
	// text kept that comes near to personal data: put no names in it. It stays
	// until Prune.
	Title string
	// Options are what may be answered, in order.
	Options []Option
	// Details are shown on the question's page, and Fields are what its form asks.
	Details []Detail
	Fields  []Field
	// Photos are the IDs of photos that the page shows to who was asked.
	Photos []string
	// AskedAt is real time, now where it is zero; ExpiresAt is business time (see
	// durable.Clock), never where it is zero.
	AskedAt   time.Time
	ExpiresAt time.Time
	// ClosedAt is zero while the question is open (real time).
	ClosedAt time.Time
	// Answer is the first recorded choice, "" while there is none.
	Answer string
	// OpenedAt is when its link was first opened (real time), zero where it was not.
	OpenedAt time.Time
}

// An Option is one possible answer.
type Option struct {
	// Key is what is typed in a text, such as "1".
	Key string `json:"key"`
	// Choice is what the workflow receives, such as "acknowledge".
	Choice string `json:"choice"`
	// Label is what a person reads, such as "I'm on it".
	Label string `json:"label"`
	// WantsNote asks for a line of text on the page.
	WantsNote bool `json:"wants_note,omitempty"`
}

// MessageStatus is how far a message has come, as Twilio orders it.
type MessageStatus string

// Message is one outbound text or mail as the store remembers it; no text, no
// address in clear.
type Message struct {
	// Key is the effect's key.
	Key string
	// Ref is the carrier's id (Twilio sid, Message-ID).
	Ref        string
	Channel    string
	Address    string
	WorkflowID string
	Step       string
	Class      string
	SentAt     time.Time
	Status     MessageStatus
	ErrorCode  string
	// Campaign is what the message is part of, "" for none; Contact is its receiver's
	// id at RentVine, Person the id by which whoever sent it knows him.
	Campaign string
	Contact  string
	Person   string
	// Question is the ID of the question that it asks, "" for none.
	Question string
	// DeliveredAt is real time, zero while it is not known.
	DeliveredAt time.Time
}

// Store is the one door to the database. Every method has the context's time
// limit, is safe for concurrent use by several processes, and returns an error
// only where the database failed or as said beside it.
type Store interface {
	// BeginEffect records that a try begins, with a note about it. first is true for
	// exactly one caller ever; everybody else gets the earlier record and must look
	// before acting.
	BeginEffect(ctx context.Context, key, note string) (e Effect, first bool, err error)
	// Effect returns the record, or ErrNotFound where no try has begun.
	Effect(ctx context.Context, key string) (Effect, error)
	// TryEffect records that a repeat begins now. mine is true for one of several
	// callers that have read the same record, and false where it is done.
	TryEffect(ctx context.Context, e Effect, note string) (now Effect, mine bool, err error)
	// FinishEffect records success; doing it again is harmless, the first ref is kept.
	FinishEffect(ctx context.Context, key, ref string) error
	// ForgetEffect removes the record after a try that is known to have done
	// nothing, so that the next one is the first again. A success stays, and so does
	// a record that a later try has taken over.
	ForgetEffect(ctx context.Context, e Effect) error

	// Ask records an open question, or returns the one already recorded under the
	// same ID, with its code. An option key of the form of a code (a letter and
	// digits) is refused, and so is a field of no proper name.
	Ask(ctx context.Context, q Question) (Question, error)
	// Question returns one by ID, or ErrNotFound.
	Question(ctx context.Context, id string) (Question, error)
	// OpenQuestions lists those that an address may answer at the business time
	// now, oldest first, at most 20. One that was answered stays on the list until
	// it is closed.
	OpenQuestions(ctx context.Context, address string, now time.Time) ([]Question, error)
	// LastQuestions lists the latest questions of an address asked within the last
	// 7 days, open or closed, newest first, at most 20.
	LastQuestions(ctx context.Context, address string) ([]Question, error)
	// RecordAnswer keeps the first answer of a question, open or closed, and
	// returns the one kept, or ErrNotFound.
	RecordAnswer(ctx context.Context, id, choice string) (kept string, err error)
	// CloseQuestions closes the open questions of a workflow whose step starts
	// with the prefix, except the steps listed.
	CloseQuestions(ctx context.Context, workflowID, stepPrefix string, except ...string) error

	// SetOptedOut records STOP (true) or START (false) of an address; of several,
	// the one with the latest at counts.
	SetOptedOut(ctx context.Context, address string, optedOut bool, at time.Time) error
	// OptedOut tells whether the address asked not to be written to.
	OptedOut(ctx context.Context, address string) (bool, error)

	// RecordMessage remembers an outbound message; the same key again is harmless.
	RecordMessage(ctx context.Context, m Message) error
	// MessageByRef returns a message by the carrier's id, or ErrNotFound.
	MessageByRef(ctx context.Context, ref string) (Message, error)
	// AdvanceMessage moves a message's status forward, never backwards (queued,
	// accepted, scheduled, sending, sent, then one of delivered, undelivered,
	// failed, canceled; after delivered only read), and tells whether it moved.
	// ErrNotFound where the ref is unknown.
	AdvanceMessage(ctx context.Context, ref string, status MessageStatus, errorCode string) (m Message, moved bool, err error)
	// CountMessages counts an address's messages of a class since a real time.
	CountMessages(ctx context.Context, address, class string, since time.Time) (int, error)

	// ClaimIncident makes the work order the lead of the running incident of a
	// property and category, or returns the lead that there is. An incident that
	// began before notBefore (business time) or was ended does not count.
	ClaimIncident(ctx context.Context, propertyID, category, workOrderID string, at, notBefore time.Time) (lead string, err error)
	// EndIncident ends the incident that the work order leads, if it leads one.
	EndIncident(ctx context.Context, workOrderID string) error

	// Assign records that a technician holds the workflow's one job, in place of
	// whoever held it; Release ends it. Load counts open jobs by technician.
	Assign(ctx context.Context, technicianID, workflowID string) error
	Release(ctx context.Context, workflowID string) error
	Load(ctx context.Context) (map[string]int, error)

	Calls
	Properties
	Cases
	Imports
	Watches
	Stock
	Tokens
	Work
	Appointments
	Photos
	Swaps
	Waiting
	Contacts
	Engagement
	Leases
	Finance
	Portfolio
	Audit
	Evidence
	Known

	// Setting reads a named setting ("" where unset); SetSetting writes it.
	// "outbound_paused" is "1" while messages are paused; "clock" holds the
	// virtual clock of a development store.
	Setting(ctx context.Context, name string) (string, error)
	SetSetting(ctx context.Context, name, value string) error

	// Ping tells whether the database answers.
	Ping(ctx context.Context) error
	Close() error
}
