package rentvine

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

const prospectsPath = "/screening/prospects"

// Prospect is somebody who would like a unit (contracts/rentvine.md 2.9). Only the path,
// the wrapper, the filter by time and two refusals are on record; the fields are named as
// those of contacts and units, and not verified.
type Prospect struct {
	ID, UnitID string
	// Name is the full name.
	Name, FirstName, LastName string
	Email, Phone              string
	// CreatedAt is read as UTC where the wire gives no zone (1.6), zero where unknown.
	CreatedAt time.Time
}

// NewProspect is what a prospect is created from.
type NewProspect struct {
	UnitID              string
	FirstName, LastName string
	// Email and Phone may be "" but not both. Phone is E.164: RentVine refuses others.
	Email, Phone string
}

// CreateProspect creates a prospect and returns its id. RentVine makes no second one of
// the same unit and mail address: it answers 200 with a null id then, and the id here is
// "", so that repeating does no harm where there is a mail address. Where there is none,
// look for an earlier one by Prospects first. Errors are *partner.Error.
func (c *Client) CreateProspect(ctx context.Context, n NewProspect) (id string, err error) {
	const op = "create_prospect"
	if err := number(op, n.UnitID); err != nil {
		return "", err
	}
	switch {
	case n.Email == "" && n.Phone == "":
		return "", &partner.Error{Op: "rentvine." + op, Kind: partner.Invalid, Message: "a prospect needs a mail address or a phone"}
	case n.Phone != "" && !e164.MatchString(n.Phone):
		return "", &partner.Error{Op: "rentvine." + op, Kind: partner.Invalid, Message: "the phone is not E.164, such as +12135550100"}
	}
	b := bare(op)
	b.id("unitID", &n.UnitID)
	for name, s := range map[string]string{
		"firstName": n.FirstName, "lastName": n.LastName, "email": n.Email, "phone": n.Phone,
	} {
		if s != "" {
			b.put(name, s)
		}
	}
	if b.err != nil {
		return "", b.err
	}
	err = c.post(ctx, op, prospectsPath, b.fields, one(&id, func(r row) (string, error) {
		var w wireProspect
		err := r.wrappedOrBare("prospectID", &w, "prospect")
		return string(w.ProspectID), err
	}))
	return id, err
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// Prospects reads those changed since a time, or all where it is zero. The zone of
// RentVine's filter is not known, so some that changed up to 28 hours before come too.
// Up to 100 pages of 100 rows; more is partner.Invalid. Errors are *partner.Error.
func (c *Client) Prospects(ctx context.Context, modifiedSince time.Time) ([]Prospect, error) {
	return prospects(modifiedSince).all(ctx, c)
}

// FindProspect looks for the prospect of a unit with a mail address, in any case, among
// those changed since a time (Prospects). Errors are *partner.Error.
func (c *Client) FindProspect(
	ctx context.Context, unitID, email string, modifiedSince time.Time,
) (found Prospect, ok bool, err error) {
	if err := number("find_prospect", unitID); err != nil {
		return Prospect{}, false, err
	}
	if email == "" {
		return Prospect{}, false, &partner.Error{Op: "rentvine.find_prospect", Kind: partner.Invalid, Message: "there is no mail address to look for"}
	}
	err = prospects(modifiedSince).each(ctx, c, func(p Prospect) bool {
		if p.UnitID == unitID && strings.EqualFold(p.Email, email) {
			found, ok = p, true
		}
		return !ok
	})
	return found, ok, err
}

func prospects(modifiedSince time.Time) list[Prospect] {
	q := url.Values{}
	if !modifiedSince.IsZero() {
		q.Set("dateTimeModifiedMin", modifiedSince.Add(-zoneSlack).UTC().Format(WindowLayout))
	}
	return list[Prospect]{
		op: "list_prospects", path: prospectsPath, query: q, from: prospectFrom, id: func(p Prospect) string { return p.ID },
	}
}

type wireProspect struct {
	ProspectID      key            `json:"prospectID"`
	UnitID          key            `json:"unitID"`
	Name            text           `json:"name"`
	FirstName       text           `json:"firstName"`
	LastName        text           `json:"lastName"`
	Email           text           `json:"email"`
	Phone           text           `json:"phone"`
	DateTimeCreated lenientInstant `json:"dateTimeCreated"`
}

func prospectFrom(r row) (Prospect, error) {
	var w wireProspect
	if err := r.into("prospect", &w); err != nil {
		return Prospect{}, err
	}
	if w.ProspectID == "" {
		return Prospect{}, partner.ShapeError("a prospect without an id")
	}
	var unit struct {
		UnitID key `json:"unitID"`
	}
	if err := r.beside("unit", &unit); err != nil {
		return Prospect{}, err
	}
	return Prospect{
		ID: string(w.ProspectID), UnitID: firstKey(w.UnitID, unit.UnitID),
		Name:      cmp.Or(string(w.Name), strings.TrimSpace(string(w.FirstName)+" "+string(w.LastName))),
		FirstName: string(w.FirstName), LastName: string(w.LastName), Email: string(w.Email), Phone: string(w.Phone),
		CreatedAt: time.Time(w.DateTimeCreated),
	}, nil
}
