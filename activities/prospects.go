package activities

import (
	"context"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/workflows/durable"
)

// WriteProspect writes somebody who wants to apply for a unit to RentVine, and tells
// whether he is new there. It is safe to repeat: a try that may be a repeat looks for him
// by unit and address first, and RentVine itself makes no second one of the same unit and
// mail address (contracts/rentvine.md 2.9).
var WriteProspect = durable.Activity[ProspectInput, ProspectWritten]{
	Name: "rentvine.write_prospect", Queue: QueueRentVine, Attempt: 30 * time.Second, Within: 24 * time.Hour,
}

type (
	// ProspectInput is an applicant. Ref names the effect for ever. One of Email and Phone
	// (E.164) is needed.
	ProspectInput struct {
		Ref    string `json:"ref"`
		UnitID string `json:"unit_id"`
		Name   string `json:"name,omitempty"`
		Email  string `json:"email,omitempty"`
		Phone  string `json:"phone,omitempty"`
	}
	// ProspectWritten tells RentVine's id of him, "" where he was there already and the id
	// is not known.
	ProspectWritten struct {
		ID string `json:"id,omitempty"`
	}
)

func (a *Activities) writeProspect(ctx context.Context, in ProspectInput) (ProspectWritten, error) {
	first, last := splitName(in.Name)
	id, err := a.once(ctx, effect{
		key:   in.Ref,
		about: writing(atRentVine, "applicant of unit "+in.UnitID),
		find: func(ctx context.Context, since time.Time) (string, bool, error) {
			if in.Email != "" {
				found, ok, err := a.RentVine.FindProspect(ctx, in.UnitID, in.Email, since)
				return found.ID, ok, err
			}
			list, err := a.RentVine.Prospects(ctx, since)
			for _, p := range list {
				if p.UnitID == in.UnitID && a.person(p.ID, "", p.Phone, "").Phone == in.Phone {
					return p.ID, true, err
				}
			}
			return "", false, err
		},
		act: func(ctx context.Context) (string, error) {
			return a.RentVine.CreateProspect(ctx, rentvine.NewProspect{
				UnitID: in.UnitID, FirstName: first, LastName: last, Email: in.Email, Phone: in.Phone,
			})
		},
	})
	return ProspectWritten{ID: id}, toTemporal(ctx, err)
}

// splitName takes the last word as the family name.
func splitName(name string) (first, last string) {
	words := strings.Fields(name)
	if len(words) < 2 {
		return name, ""
	}
	return strings.Join(words[:len(words)-1], " "), words[len(words)-1]
}
