package rentvine

import (
	"context"
	"net/url"

	"github.com/aictive/keyholder/clients/partner"
)

const inspectionsPath = "/maintenance/inspections"

// Inspection is a visit to a unit (contracts/rentvine.md 2.8). What its types and
// statuses mean is the account's own; no field for its day, its text or who inspects is
// on record, so there is none here.
type Inspection struct {
	// PropertyID is "" where RentVine does not say.
	ID, PropertyID, UnitID string
	TypeID, StatusID       string
}

// NewInspection is what an inspection is created from: the fields on record and no
// others, all of them ids and all needed (contracts/rentvine.md 2.8).
type NewInspection struct {
	UnitID, TypeID, StatusID string
}

// Inspections reads the inspections of a property, up to 100 pages of 100 rows. That
// RentVine filters by property is not verified: those of which it is said that they are
// of another are left out here too. Errors are *partner.Error.
func (c *Client) Inspections(ctx context.Context, propertyID string) ([]Inspection, error) {
	const op = "list_inspections"
	if err := number(op, propertyID); err != nil {
		return nil, err
	}
	rows, err := list[Inspection]{
		op: op, path: inspectionsPath, query: url.Values{"propertyID": {propertyID}}, from: inspectionFrom,
		id: func(i Inspection) string { return i.ID },
	}.all(ctx, c)
	if err != nil {
		return nil, err
	}
	var found []Inspection
	for _, i := range rows {
		if i.PropertyID == "" || i.PropertyID == propertyID {
			found = append(found, i)
		}
	}
	return found, nil
}

// CreateInspection creates an inspection. It is not safe to repeat, and there is no
// field for a reference: where an earlier try may have got through, compare
// Inspections of the unit before and after. Errors are *partner.Error; UnknownOutcome
// means just that.
func (c *Client) CreateInspection(ctx context.Context, n NewInspection) (Inspection, error) {
	const op = "create_inspection"
	if err := number(op, n.UnitID, n.TypeID, n.StatusID); err != nil {
		return Inspection{}, err
	}
	b := bare(op)
	b.id("unitID", &n.UnitID)
	b.id("inspectionTypeID", &n.TypeID)
	b.id("inspectionStatusID", &n.StatusID)
	var made Inspection
	err := c.post(ctx, op, inspectionsPath, b.fields, one(&made, inspectionFrom))
	return made, err
}

func inspectionFrom(r row) (Inspection, error) {
	var w struct {
		InspectionID       key `json:"inspectionID"`
		PropertyID         key `json:"propertyID"`
		UnitID             key `json:"unitID"`
		InspectionTypeID   key `json:"inspectionTypeID"`
		InspectionStatusID key `json:"inspectionStatusID"`
	}
	if err := r.into("inspection", &w); err != nil {
		return Inspection{}, err
	}
	if w.InspectionID == "" {
		return Inspection{}, partner.ShapeError("an inspection without an id")
	}
	var place struct {
		PropertyID key `json:"propertyID"`
		UnitID     key `json:"unitID"`
	}
	for _, name := range []string{"property", "unit"} {
		if err := r.beside(name, &place); err != nil {
			return Inspection{}, err
		}
	}
	return Inspection{
		ID: string(w.InspectionID), PropertyID: firstKey(w.PropertyID, place.PropertyID), UnitID: firstKey(w.UnitID, place.UnitID),
		TypeID: string(w.InspectionTypeID), StatusID: string(w.InspectionStatusID),
	}, nil
}
