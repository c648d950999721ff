package openmoove

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// PropertyList is one page of properties.
type PropertyList struct {
	// Count is the rows of all pages, as OpenMoove counts them.
	Count int
	Rows  []PropertyRow
	// More tells that there is a next page.
	More bool
}

// PropertyRow is a property in the list, by its integer id: the list has no
// transaction id (4.1).
type PropertyRow struct {
	ID, Address, Postcode string
	// UPRN is the property's national number, "" where it is not known.
	UPRN       string
	SaleMethod SaleMethod
	CreatedAt  time.Time
}

// Properties reads one page of the properties that the key may see. Errors are
// *partner.Error; NotFound is a page past the end.
func (c *Client) Properties(ctx context.Context, p Page) (PropertyList, error) {
	var out PropertyList
	err := c.get(ctx, "list_properties", "/properties/", p.query(), one(&out, propertyListFrom))
	return out, err
}

func propertyListFrom(b json.RawMessage) (PropertyList, error) {
	var l list
	if err := json.Unmarshal(b, &l); err != nil {
		return PropertyList{}, err
	}
	rows, err := each(l.Results, propertyRowFrom)
	if err != nil {
		return PropertyList{}, err
	}
	return PropertyList{Count: int(l.Count), Rows: rows, More: l.more()}, nil
}

func propertyRowFrom(b json.RawMessage) (PropertyRow, error) {
	var w struct {
		ID         wire.ID          `json:"id"`
		Address    wire.Text        `json:"address"`
		Postcode   wire.Text        `json:"postcode"`
		UPRN       loose[wire.Text] `json:"uprn"`
		SaleMethod wire.Text        `json:"sale_method"`
		CreatedAt  instant          `json:"created_at"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return PropertyRow{}, err
	}
	if w.ID == "" {
		return PropertyRow{}, partner.ShapeError("a property without an id")
	}
	return PropertyRow{
		ID: string(w.ID), Address: string(w.Address), Postcode: string(w.Postcode), UPRN: string(w.UPRN.is),
		SaleMethod: SaleMethod(w.SaleMethod), CreatedAt: time.Time(w.CreatedAt),
	}, nil
}

// Property is a property as the Property Data Trust Framework has it (2). Every
// field may be empty.
type Property struct {
	// TransactionID is the UUID that paths take.
	TransactionID string
	// Status is like "For sale".
	Status       string
	Participants []Participant
	// Address and Postcode are the first line and the postcode in the property pack.
	Address, Postcode string
	// Disposal is how it is sold, such as "Modern Method of Auction".
	Disposal string
	// OpenMooveID is externalIds.openmoove, a UUID of its own that paths do not take.
	OpenMooveID string
	// Team is nil where the reply has none that can be read; none is usual in this
	// form (2).
	Team *Team
	// Raw is the whole object.
	Raw json.RawMessage
}

// Participant is a person in a transaction; every field may be empty.
type Participant struct {
	// Role is like "Seller" or "Estate Agent".
	Role                string
	FirstName, LastName string
	Email, Phone        string
}

// Property reads a property by its UUID. Errors are *partner.Error.
func (c *Client) Property(ctx context.Context, transactionID string) (Property, error) {
	const op = "get_property"
	if !IsUUID(transactionID) {
		return Property{}, invalid(op, "the transaction id is not a UUID")
	}
	path, err := propertyPath(op, transactionID, "")
	if err != nil {
		return Property{}, err
	}
	var out Property
	err = c.get(ctx, op, path, nil, one(&out, propertyFrom))
	return out, err
}

// propertyFrom takes what is there, but an object with nothing of a property in it
// is an error.
func propertyFrom(b json.RawMessage) (Property, error) {
	var w struct {
		TransactionID loose[wire.Text]            `json:"transactionId"`
		Status        loose[wire.Text]            `json:"status"`
		Participants  loose[[]loose[participant]] `json:"participants"`
		Pack          loose[propertyPack]         `json:"propertyPack"`
		ExternalIDs   loose[struct {
			OpenMoove loose[wire.Text] `json:"openmoove"`
		}] `json:"externalIds"`
		Team loose[*teamWire] `json:"team"`
	}
	if !wire.IsObject(b) {
		return Property{}, partner.ShapeError("the property is not an object")
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return Property{}, err
	}
	p := Property{
		TransactionID: string(w.TransactionID.is), Status: string(w.Status.is),
		Address: string(w.Pack.is.Address.is.Line1.is), Postcode: string(w.Pack.is.Address.is.Postcode.is),
		Disposal: string(w.Pack.is.Price.is.Disposal.is), OpenMooveID: string(w.ExternalIDs.is.OpenMoove.is),
		Team: w.Team.is.team(),
	}
	for _, who := range w.Participants.is {
		if person := who.is.person(); person != (Participant{}) {
			p.Participants = append(p.Participants, person)
		}
	}
	if p.TransactionID == "" && p.Status == "" && p.OpenMooveID == "" && p.Address == "" && p.Participants == nil {
		return Property{}, partner.ShapeError("the reply has nothing of a property")
	}
	if p.TransactionID != "" && !IsUUID(p.TransactionID) {
		return Property{}, partner.ShapeError("the transaction id is not a UUID")
	}
	p.Raw = append(json.RawMessage(nil), b...)
	return p, nil
}

type propertyPack struct {
	Address loose[struct {
		Line1    loose[wire.Text] `json:"line1"`
		Postcode loose[wire.Text] `json:"postcode"`
	}] `json:"address"`
	Price loose[struct {
		Disposal loose[wire.Text] `json:"disposal"`
	}] `json:"priceInformation"`
}

type participant struct {
	Name  loose[participantName] `json:"name"`
	Email loose[wire.Text]       `json:"email"`
	Phone loose[wire.Text]       `json:"phone"`
	Role  loose[wire.Text]       `json:"role"`
}

func (p participant) person() Participant {
	return Participant{
		Role: string(p.Role.is), FirstName: p.Name.is.first, LastName: p.Name.is.last,
		Email: string(p.Email.is), Phone: string(p.Phone.is),
	}
}

// participantName is {"firstName","lastName"} or plain text.
type participantName struct{ first, last string }

// UnmarshalJSON reads both forms.
func (n *participantName) UnmarshalJSON(b []byte) error {
	if !wire.IsObject(b) {
		var whole wire.Text
		if err := whole.UnmarshalJSON(b); err != nil {
			return err
		}
		n.first, n.last, _ = strings.Cut(string(whole), " ")
		return nil
	}
	var w struct {
		First loose[wire.Text] `json:"firstName"`
		Last  loose[wire.Text] `json:"lastName"`
	}
	err := json.Unmarshal(b, &w)
	n.first, n.last = string(w.First.is), string(w.Last.is)
	return err
}
