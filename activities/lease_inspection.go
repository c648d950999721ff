package activities

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// ScheduleInspection makes the record of a move-in inspection at RentVine and returns
// its id, "" where the account's type and status are not configured.
//
// It is safe to repeat by Ref: RentVine has no field for a reference nor for a day
// (contracts/rentvine.md 2.8), so the first try notes the inspections of that type that
// the unit had before, and a try that may be a repeat takes one that was not among them
// for its own. Should a person have made one in the same seconds, that is taken: the
// unit has its inspection.
var ScheduleInspection = durable.Activity[ScheduleInspectionInput, string]{
	Name: "leasing.schedule_inspection", Queue: QueueRentVine, Attempt: 30 * time.Second, Within: 72 * time.Hour,
}

// ScheduleInspectionInput says of what unit. When it is, calendars say: RentVine has no
// field on record for it.
type ScheduleInspectionInput struct {
	// Ref is the campaign's id and incarnation: one record for each.
	Ref        string `json:"ref"`
	PropertyID string `json:"property_id"`
	UnitID     string `json:"unit_id"`
	// TypeID and StatusID are the account's own (policy.Inspection).
	TypeID   string `json:"type_id,omitempty"`
	StatusID string `json:"status_id,omitempty"`
}

func (a *Activities) scheduleInspection(ctx context.Context, in ScheduleInspectionInput) (string, error) {
	if in.TypeID == "" || in.StatusID == "" || in.UnitID == "" || in.PropertyID == "" {
		return "", nil
	}
	key := in.Ref + "/inspection"
	known, err := a.Store.Effect(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		ids, err := a.inspectionsLike(ctx, in)
		if err != nil {
			return "", toTemporal(ctx, err)
		}
		known.Note = strings.Join(ids, ",")
	case err != nil:
		return "", err
	}
	id, err := a.once(ctx, effect{
		key: key, note: known.Note, about: writing(atRentVine, "inspection of unit "+in.UnitID+", type "+in.TypeID),
		find: func(ctx context.Context, _ time.Time) (string, bool, error) {
			ids, err := a.inspectionsLike(ctx, in)
			before := strings.Split(known.Note, ",")
			ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(before, id) })
			if err != nil || len(ids) == 0 {
				return "", false, err
			}
			return ids[0], true, nil
		},
		act: func(ctx context.Context) (string, error) {
			made, err := a.RentVine.CreateInspection(ctx, rentvine.NewInspection{UnitID: in.UnitID, TypeID: in.TypeID, StatusID: in.StatusID})
			return made.ID, err
		},
	})
	return id, toTemporal(ctx, err)
}

// inspectionsLike are the ids of the unit's inspections of the type.
func (a *Activities) inspectionsLike(ctx context.Context, in ScheduleInspectionInput) ([]string, error) {
	all, err := a.RentVine.Inspections(ctx, in.PropertyID)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range all {
		if i.UnitID == in.UnitID && i.TypeID == in.TypeID {
			ids = append(ids, i.ID)
		}
	}
	return ids, nil
}
