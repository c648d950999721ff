package rentvine

import (
	"context"
	"strings"

	"github.com/aictive/keyholder/clients/partner"
)

// Contact is a tenant, owner, vendor or association (contracts/rentvine.md 2.4).
type Contact struct {
	ID   string
	Type ContactType
	// Name is the full name; Email and Phone are as typed there: a phone may be in
	// national form.
	Name, FirstName, LastName string
	Email, Phone              string
	IsActive                  bool
}

type wireContact struct {
	ContactID     key   `json:"contactID"`
	ContactTypeID whole `json:"contactTypeID"`
	Name          text  `json:"name"`
	FirstName     text  `json:"firstName"`
	LastName      text  `json:"lastName"`
	Email         text  `json:"email"`
	Phone         text  `json:"phone"`
	IsActive      *flag `json:"isActive"`
}

func (w wireContact) contact() (Contact, error) {
	if w.ContactID == "" {
		return Contact{}, partner.ShapeError("a contact without an id")
	}
	name := string(w.Name)
	if name == "" {
		name = strings.TrimSpace(string(w.FirstName) + " " + string(w.LastName))
	}
	return Contact{
		ID: string(w.ContactID), Type: ContactType(w.ContactTypeID), Name: name,
		FirstName: string(w.FirstName), LastName: string(w.LastName), Email: string(w.Email), Phone: string(w.Phone),
		IsActive: w.IsActive == nil || bool(*w.IsActive),
	}, nil
}

func contactFrom(r row) (Contact, error) {
	var w wireContact
	if err := r.into("contact", &w); err != nil {
		return Contact{}, err
	}
	return w.contact()
}

// Tenant reads one tenant. Errors are *partner.Error.
func (c *Client) Tenant(ctx context.Context, contactID string) (Contact, error) {
	const op = "get_tenant"
	var out Contact
	if err := number(op, contactID); err != nil {
		return out, err
	}
	err := c.get(ctx, op, "/tenants/"+contactID, nil, one(&out, contactFrom))
	return out, err
}

// Technician is one of the company's own maintenance people.
type Technician struct {
	// ID is the record's own; UserID is what a work order's AssignedToUserID takes.
	ID, UserID   string
	Name         string
	Email, Phone string
	IsActive     bool
}

// Technicians reads the company's technicians. Only the path is known, and that it
// is not below /maintenance (contracts/rentvine.md 2.6); the record's wrapper and
// fields are not, so the likely ones are accepted and anything else is Malformed.
// Errors are *partner.Error.
func (c *Client) Technicians(ctx context.Context) ([]Technician, error) {
	return list[Technician]{
		op: "list_technicians", path: "/maintenance-technicians", from: technicianFrom,
		id: func(t Technician) string { return t.ID },
	}.all(ctx, c)
}

func technicianFrom(r row) (Technician, error) {
	var w struct {
		wireContact
		MaintenanceTechnicianID key `json:"maintenanceTechnicianID"`
		TechnicianID            key `json:"technicianID"`
		UserID                  key `json:"userID"`
	}
	err := r.wrappedOrBare("userID", &w, "maintenanceTechnician", "technician", "user", "contact")
	if err != nil {
		return Technician{}, err
	}
	id := firstKey(w.MaintenanceTechnicianID, w.TechnicianID, w.UserID, w.ContactID)
	if id == "" {
		return Technician{}, partner.ShapeError("a technician without an id")
	}
	w.ContactID = key(id)
	who, err := w.contact()
	return Technician{
		ID: id, UserID: string(w.UserID), Name: who.Name, Email: who.Email, Phone: who.Phone, IsActive: who.IsActive,
	}, err
}

func firstKey(keys ...key) string {
	for _, k := range keys {
		if k != "" {
			return string(k)
		}
	}
	return ""
}
