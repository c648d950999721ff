package openmoove

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// Milestone is one step of a sale (2).
type Milestone struct {
	ID, Name, Description string
	// Order counts from 1.
	Order     int
	Completed bool
	// CompletedAt and DueDate are zero where there are none.
	CompletedAt, DueDate time.Time
	// IsOverdue is the server's view when it answered: work it out from DueDate when
	// time has passed (4.5).
	IsOverdue bool
}

// CurrentMilestone is the step that a sale is at.
type CurrentMilestone struct {
	Milestone
	// DaysUntilDue is nil where the reply does not say; it is below 0 when overdue.
	DaysUntilDue *int
	// AssignedTo is a role such as "Conveyancer", Priority like "high".
	AssignedTo, Priority string
}

// Milestones reads the steps of a sale in the order of the reply; ref is the
// property's UUID or integer id. Errors are *partner.Error.
func (c *Client) Milestones(ctx context.Context, ref string) ([]Milestone, error) {
	const op = "list_milestones"
	path, err := propertyPath(op, ref, "milestones/")
	if err != nil {
		return nil, err
	}
	var out []Milestone
	f := reader(func(b []byte) (err error) {
		out, err = each(b, milestoneFrom)
		return err
	})
	err = c.get(ctx, op, path, nil, &f)
	return out, err
}

// CurrentMilestone reads the step that a sale is at; ref is the property's UUID or
// integer id. found is false for a reply of null or {}: how OpenMoove says that no
// step is left is not documented, and it may be NotFound as well. Errors are
// *partner.Error.
func (c *Client) CurrentMilestone(ctx context.Context, ref string) (current CurrentMilestone, found bool, err error) {
	const op = "get_current_milestone"
	path, err := propertyPath(op, ref, "milestones/current/")
	if err != nil {
		return CurrentMilestone{}, false, err
	}
	f := reader(func(b []byte) (err error) {
		var fields map[string]json.RawMessage
		if b = bytes.TrimSpace(b); string(b) == "null" || json.Unmarshal(b, &fields) == nil && len(fields) == 0 {
			return nil
		}
		found = true
		return one(&current, currentMilestoneFrom).UnmarshalJSON(b)
	})
	if err := c.get(ctx, op, path, nil, &f); err != nil {
		return CurrentMilestone{}, false, err
	}
	return current, found, nil
}

func milestoneFrom(b json.RawMessage) (Milestone, error) {
	var w struct {
		ID          wire.ID          `json:"id"`
		Name        wire.Text        `json:"name"`
		Description loose[wire.Text] `json:"description"`
		Order       wire.Whole       `json:"order"`
		Completed   wire.Flag        `json:"completed"`
		CompletedAt instant          `json:"completed_at"`
		DueDate     instant          `json:"due_date"`
		IsOverdue   wire.Flag        `json:"is_overdue"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return Milestone{}, err
	}
	if w.ID == "" {
		return Milestone{}, partner.ShapeError("a milestone without an id")
	}
	return Milestone{
		ID: string(w.ID), Name: string(w.Name), Description: string(w.Description.is), Order: int(w.Order),
		Completed: bool(w.Completed), CompletedAt: time.Time(w.CompletedAt), DueDate: time.Time(w.DueDate),
		IsOverdue: bool(w.IsOverdue),
	}, nil
}

func currentMilestoneFrom(b json.RawMessage) (CurrentMilestone, error) {
	m, err := milestoneFrom(b)
	if err != nil {
		return CurrentMilestone{}, err
	}
	var w struct {
		DaysUntilDue loose[*wire.Whole] `json:"days_until_due"`
		AssignedTo   loose[wire.Text]   `json:"assigned_to"`
		Priority     loose[wire.Text]   `json:"priority"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return CurrentMilestone{}, err
	}
	out := CurrentMilestone{Milestone: m, AssignedTo: string(w.AssignedTo.is), Priority: string(w.Priority.is)}
	if days := w.DaysUntilDue.is; days != nil {
		out.DaysUntilDue = new(int(*days))
	}
	return out, nil
}
