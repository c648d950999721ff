package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// ConflictOutcome is what became of a field that both sides have changed.
type ConflictOutcome string

// The outcomes.
const (
	// ConflictOurs: ours was written over theirs.
	ConflictOurs ConflictOutcome = "ours"
	// ConflictTheirs: theirs was kept.
	ConflictTheirs ConflictOutcome = "theirs"
	// ConflictAsks: nothing was written, for a person has to decide.
	ConflictAsks ConflictOutcome = "asks"
)

// A Conflict is a field that somebody has changed at RentVine since its workflow knew it,
// while the workflow wanted something else. No field is personal.
type Conflict struct {
	Field policy.ConflictField `json:"field"`
	// Theirs is what RentVine holds, Ours what we wanted; "" for nothing.
	Theirs string `json:"theirs,omitempty"`
	Ours   string `json:"ours,omitempty"`
	// Rule is what has decided.
	Rule    policy.ConflictRule `json:"rule"`
	Outcome ConflictOutcome     `json:"outcome"`
}

// Text is a conflict in one line.
func (c Conflict) Text() string {
	did := map[ConflictOutcome]string{ConflictOurs: "wrote ours", ConflictTheirs: "kept theirs", ConflictAsks: "the manager decides"}
	value := func(text string) string {
		if text == "" {
			return "nothing"
		}
		return text
	}
	return fmt.Sprintf("%s: RentVine says %s, we wanted %s: %s -> %s",
		policy.Words(string(c.Field)), value(c.Theirs), value(c.Ours), c.Rule, did[c.Outcome])
}

// side is what a decision about one value rests on.
type side struct {
	// base is what was known when it was decided to write; without known there is none.
	base  string
	known bool
	// theirs is what RentVine holds, ours what is to be written.
	theirs, ours string
	// theirsAt is when theirs was changed, zero where RentVine does not say; oursAt is when
	// ours was decided (real time).
	theirsAt, oursAt time.Time
}

// decide says what becomes of a value; it is a conflict where both sides have changed it.
// Without a conflict ours is to be written.
func decide(rule policy.ConflictRule, s side) (outcome ConflictOutcome, conflict bool) {
	if !s.known || s.theirs == s.base || s.theirs == s.ours {
		return ConflictOurs, false
	}
	switch rule {
	case policy.ConflictOurs:
		return ConflictOurs, true
	case policy.ConflictPerson:
		return ConflictAsks, true
	case policy.ConflictNewest:
		// Without a time theirs counts as later: we knew the record without it.
		if !s.theirsAt.IsZero() && s.theirsAt.Before(s.oursAt) {
			return ConflictOurs, true
		}
	case policy.ConflictPartner:
	}
	return ConflictTheirs, true
}

// decidedAt is when the workflow decided to write: activities begin at once, however long
// they are tried (real time).
func (a *Activities) decidedAt(ctx context.Context) time.Time {
	if activity.IsActivity(ctx) {
		return activity.GetInfo(ctx).ScheduledTime
	}
	return a.Now()
}

// conflicted makes a conflict visible: in the audit, once however often the activity is
// tried, and in the metrics. name is the record's.
func (a *Activities) conflicted(ctx context.Context, name string, c Conflict) {
	a.conflictsMet.WithLabelValues(string(c.Field), string(c.Rule), string(c.Outcome)).Inc()
	// Another try may meet another change.
	sum := sha256.Sum256([]byte(c.Text()))
	record(ctx, store.AuditEntry{
		ID: stepID(ctx, "conflict", string(c.Field)+"/"+hex.EncodeToString(sum[:8])), Kind: store.AuditConflict,
		Actor: "policy", What: c.Text(), Partner: "rentvine", Ref: name,
	})
}

// newConflictsMet counts conflicts.
func newConflictsMet() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "keyholder_conflicts_total",
		Help: "Fields that both sides had changed when they were to be written, by field, rule and outcome (ours, theirs, asks), each try counted.",
	}, []string{"field", "rule", "outcome"})
}

// workOrderPart is a part of a work order under one rule.
type workOrderPart struct {
	field policy.ConflictField
	// wish are the places of the wished values, by RentVine's names, in order.
	wish []namedWish
}

type namedWish struct {
	name  string
	value **string
}

// workOrderParts are the parts of a wish that people write too. A wish that closes the work
// order is about every status that goes on.
func workOrderParts(w *rentvine.WorkOrderUpdate, closes bool) []workOrderPart {
	parts := []workOrderPart{
		{policy.FieldWorkOrderWorker, []namedWish{{"assignedToUserID", &w.AssignedToUserID}, {"vendorContactID", &w.VendorContactID}}},
		{policy.FieldWorkOrderSchedule, []namedWish{
			{"scheduledStartDate", &w.ScheduledStartDate}, {"scheduledEndDate", &w.ScheduledEndDate},
			{"appointmentWindowStartDateTime", &w.AppointmentWindowStart}, {"appointmentWindowEndDateTime", &w.AppointmentWindowEnd},
		}},
	}
	if !closes {
		parts = append(parts, workOrderPart{policy.FieldWorkOrderStatus, []namedWish{{"workOrderStatusID", &w.StatusID}}})
	}
	return parts
}

// settleConflicts takes out of a wish what somebody has changed at RentVine since the
// workflow knew the work order, where theirs is kept. Who has given the job to somebody has
// a time in mind: where their worker stays, their schedule stays too.
func (a *Activities) settleConflicts(ctx context.Context, current rentvine.WorkOrder, wish *rentvine.WorkOrderUpdate, closes bool) ([]Conflict, error) {
	name := workOrderRecord + current.ID
	known, err := a.Store.KnownRecord(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	theirs := a.workOrderFields(current)
	var met []Conflict
	for _, part := range workOrderParts(wish, closes) {
		rule := a.Policy.ConflictRule(part.field)
		c, conflict := partConflict(rule, part, known.Fields, theirs, a.decidedAt(ctx))
		if !conflict {
			continue
		}
		met = append(met, c)
		a.conflicted(ctx, name, c)
		if c.Outcome == ConflictOurs {
			continue
		}
		for _, w := range part.wish {
			*w.value = nil
		}
		if part.field == policy.FieldWorkOrderWorker {
			wish.ScheduledStartDate, wish.ScheduledEndDate, wish.AppointmentWindowStart, wish.AppointmentWindowEnd = nil, nil, nil, nil
		}
	}
	return met, nil
}

// partConflict compares one part of a work order: it is in conflict where any of its values
// is. RentVine does not say when a work order was changed.
func partConflict(rule policy.ConflictRule, part workOrderPart, known, theirs map[string]string, oursAt time.Time) (c Conflict, conflict bool) {
	var said, wanted []string
	for _, w := range part.wish {
		if *w.value == nil {
			continue
		}
		base, isKnown := known[w.name]
		outcome, both := decide(rule, side{base: base, known: isKnown, theirs: theirs[w.name], ours: **w.value, oursAt: oursAt})
		if !both {
			continue
		}
		conflict, c.Outcome = true, outcome
		said, wanted = append(said, namedValue(part, w.name, theirs[w.name])), append(wanted, namedValue(part, w.name, **w.value))
	}
	c.Field, c.Rule, c.Theirs, c.Ours = part.field, rule, strings.Join(said, ", "), strings.Join(wanted, ", ")
	return c, conflict
}

// namedValue says which value it is, where a part has several.
func namedValue(part workOrderPart, name, value string) string {
	switch {
	case len(part.wish) == 1:
		return value
	case value == "":
		return "no " + name
	}
	return name + " " + value
}

// Kept tells whether a field was left as RentVine has it.
func (w Written) Kept(field policy.ConflictField) bool {
	for _, c := range w.Conflicts {
		if c.Field == field && c.Outcome != ConflictOurs {
			return true
		}
	}
	return false
}
