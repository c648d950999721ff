package durable

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Answer is what a person said to a question, by text, by link or through an
// operator.
type Answer struct {
	// ID deduplicates the answer: the action link's question id, the text's
	// MessageSid, or an operator's update id.
	ID string `json:"id"`
	// QuestionID and Step say what was asked.
	QuestionID string `json:"question_id"`
	Step       string `json:"step"`
	// Person is the id of who was asked, never a name.
	Person string `json:"person"`
	// Choice is one of the question's choices, such as "acknowledge".
	Choice string `json:"choice"`
	// Note is free text from the person; treat it as untrusted.
	Note string `json:"note,omitempty"`
	// Fields are what else the form asked, by name, in the form that the question's
	// field says; untrusted where it is text.
	Fields map[string]string `json:"fields,omitempty"`
	// Photos are uploads that the store keeps.
	Photos []Photo `json:"photos,omitempty"`
	// Via is "sms", "link" or "operator".
	Via string `json:"via"`
	// At is when it reached us (UTC, real time).
	At time.Time `json:"at"`
}

// Photo is an uploaded picture. Its bytes stay out of histories.
type Photo struct {
	// ID is the store's; that of a PDF file ends in ".pdf".
	ID string `json:"id"`
	// Field is the field of the form, such as "before".
	Field string `json:"field"`
	// Digest is the hex SHA-256 of the picture's pixels: the same picture has the same
	// one, however it was named or compressed without loss. Of a PDF file, that of its
	// bytes.
	Digest string `json:"digest"`
}

// Command is what an operator's command says of itself.
type Command struct {
	// By and Why are who decided, and the reason.
	By  string `json:"by"`
	Why string `json:"why,omitempty"`
}

// Validate refuses a command that does not say both.
func (c Command) Validate() error {
	if c.By == "" || c.Why == "" {
		return temporal.NewApplicationError(`say who decided and why: {"by": "...", "why": "..."}`, "invalid")
	}
	return nil
}

// note keeps why as details: it is free text, and may name people.
func (c Command) note(name string) Note {
	return Note{Kind: NoteCommand, Actor: "operator/" + c.By, What: name, Details: c.Why}
}

// note is of an answer, or that it was taken where whoever delivered it has told the audit
// of the answer itself.
func (a Answer) note(string) Note {
	n := Note{Kind: NoteAnswer, Actor: "person/" + a.Person, What: a.Step + ": " + a.Choice + " by " + a.Via, Ref: a.ID}
	if a.Via == "link" || a.Via == "sms" {
		n.Kind, n.Ref = NoteTook, "answer/"+a.ID
	}
	return n
}

// tellOf tells the audit of a fact or command that knows what there is to tell, under the
// name by which it came.
func tellOf(ctx workflow.Context, name string, said any) {
	if n, ok := said.(interface{ note(name string) Note }); ok {
		Tell(ctx, n.note(name))
	}
}

// Outcome is what the person who answered is told at once.
type Outcome struct {
	// Late tells that the answer came after the matter was settled: it is recorded
	// and changes nothing.
	Late bool `json:"late,omitempty"`
	// Message is one sentence for the person.
	Message string `json:"message"`
}

// MessageFailure tells that an accepted message did not arrive.
type MessageFailure struct {
	Step      string `json:"step"`
	Ref       string `json:"ref"`
	Status    string `json:"status"`
	ErrorCode string `json:"error_code,omitempty"`
}

// What people do reaches workflows under these names.
var (
	// AnswerReceived carries an answer as a fact; GiveAnswer is the same as a
	// command that tells its outcome. A workflow deduplicates both by Answer.ID.
	AnswerReceived = Signal[Answer]{Name: "answer_received"}
	GiveAnswer     = Update[Answer, Outcome]{Name: "give_answer", Description: "A person's answer to an open question"}
	// MessageFailed tells that the carrier gave up on a message.
	MessageFailed = Signal[MessageFailure]{Name: "message_failed"}
)
