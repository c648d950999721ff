package ingress

import (
	"context"
	"encoding/json"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/portfolio"
	"github.com/aictive/keyholder/workflows/sales"
)

// tell adds an entry to the audit. Where that fails, what was confirmed stays confirmed, and
// who sent it may send it again: the same entry is kept once.
func tell(ctx context.Context, audit store.Audit, log *zap.Logger, e store.AuditEntry) error {
	if audit == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWait)
	defer cancel()
	err := audit.Append(ctx, e)
	if err != nil {
		log.Error("the audit could not be told", zap.String("entity", e.Entity), zap.String("kind", string(e.Kind)), zap.Error(err))
	}
	return err
}

// answerDetails are what of an answer may be personal.
type answerDetails struct {
	Note   string            `json:"note,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	Photos []string          `json:"photos,omitempty"`
}

// answerEntry is what the audit says of an answer that was delivered.
func answerEntry(q store.Question, a durable.Answer, fate fate) store.AuditEntry {
	e := store.AuditEntry{
		ID: store.AuditAnswerID + a.ID, Entity: q.WorkflowID, Kind: store.AuditAnswer, At: a.At, Actor: store.SubjectOf(a.Person),
		What: a.Step + ": " + a.Choice + " by " + a.Via, Links: []string{"question/" + q.ID}, Subject: store.SubjectOf(a.Person),
	}
	switch fate {
	case fateLate:
		e.What += ", too late to change anything"
	case fateGone:
		e.What += ", after the matter was closed"
	case fateTaken, fateReceived, fateRefused, fateAway:
	}
	d := answerDetails{Note: a.Note, Fields: a.Fields}
	for _, photo := range a.Photos {
		d.Photos = append(d.Photos, photo.ID)
	}
	if text, err := json.Marshal(d); err == nil && string(text) != "{}" {
		e.Details = string(text)
	}
	return e
}

// leadEntry is what the audit says of a prospect's words that a home's marketing has. Whose they
// are only the workflow knows.
func leadEntry(l store.Listing, lead portfolio.Lead) store.AuditEntry {
	return store.AuditEntry{
		ID: "lead/" + lead.ID, Entity: l.WorkflowID, Kind: store.AuditEvent, At: lead.At, Actor: lead.Source,
		What: "lead by " + lead.Via, Ref: l.UnitID,
	}
}

// submittedEntry is what the audit says of a sale, or a file of them, for which a run was
// started, however often it is submitted.
func submittedEntry(what, ref string, run client.WorkflowRun) store.AuditEntry {
	return store.AuditEntry{
		ID: "submitted/" + run.GetRunID(), Entity: run.GetID(), Kind: store.AuditEvent, Actor: ViaAPI,
		What: what + " submitted by " + ViaAPI, Ref: ref, RunID: run.GetRunID(),
	}
}

// milestoneReceipt is the receipt of another system's word that a milestone is reached.
func milestoneReceipt(r sales.MilestoneReport, propertyID string) store.Receipt {
	return store.Receipt{
		Source: ViaAPI, Key: r.Key, Type: printable(r.Type), EntityID: propertyID, Via: ViaAPI,
		WorkflowID: sales.SaleID(propertyID), Outcome: string(Accepted), ReceivedAt: r.ReceivedAt,
	}
}
