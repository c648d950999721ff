package openmoove

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// Detail is a property in the older form, by its integer id (2).
type Detail struct {
	ID, Address, Postcode string
	// UPRN and TitleNumber are "" where they are not known.
	UPRN, TitleNumber string
	SaleMethod        SaleMethod
	Seller            Seller
	// Team is nil where the reply has none: code must live without it (2). An empty
	// team is not nil.
	Team *Team
	// MilestonesCount and CompletedMilestones are 0 where the reply does not say.
	MilestonesCount, CompletedMilestones int
}

// Seller is who sells; every field may be empty.
type Seller struct {
	ID, FirstName, LastName string
	Email, Phone            string
}

// Team is who works on a sale; nil is a role that nobody has.
type Team struct {
	EstateAgent, Conveyancer, Auctioneer, MortgageBroker *Member
}

// MemberStatus is how far a professional has joined. One that is not known is kept
// as it is; older replies have none.
type MemberStatus string

// The known statuses (2).
const (
	MemberInvited MemberStatus = "invited"
	MemberActive  MemberStatus = "active"
)

// Member is a professional in a team; every field may be empty.
type Member struct {
	ID                string
	Status            MemberStatus
	Email, Name, Firm string
	InvitedAt         time.Time
}

// PropertyDetail reads a property by its integer id. Errors are *partner.Error.
func (c *Client) PropertyDetail(ctx context.Context, id string) (Detail, error) {
	const op = "get_property_detail"
	if !wire.IsID(id) {
		return Detail{}, invalid(op, "the property's id is not a decimal number")
	}
	path, err := propertyPath(op, id, "detail/")
	if err != nil {
		return Detail{}, err
	}
	var out Detail
	err = c.get(ctx, op, path, nil, one(&out, detailFrom))
	return out, err
}

func detailFrom(b json.RawMessage) (Detail, error) {
	var w struct {
		ID          wire.ID          `json:"id"`
		Address     wire.Text        `json:"address"`
		Postcode    wire.Text        `json:"postcode"`
		UPRN        loose[wire.Text] `json:"uprn"`
		TitleNumber loose[wire.Text] `json:"title_number"`
		SaleMethod  wire.Text        `json:"sale_method"`
		Seller      loose[struct {
			ID        loose[wire.ID]   `json:"id"`
			FirstName loose[wire.Text] `json:"first_name"`
			LastName  loose[wire.Text] `json:"last_name"`
			Email     loose[wire.Text] `json:"email"`
			Phone     loose[wire.Text] `json:"phone_number"`
		}] `json:"seller"`
		Team                *teamWire         `json:"team"`
		MilestonesCount     loose[wire.Whole] `json:"milestones_count"`
		CompletedMilestones loose[wire.Whole] `json:"completed_milestones"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return Detail{}, err
	}
	if w.ID == "" {
		return Detail{}, partner.ShapeError("a property without an id")
	}
	s := w.Seller.is
	return Detail{
		ID: string(w.ID), Address: string(w.Address), Postcode: string(w.Postcode), UPRN: string(w.UPRN.is),
		TitleNumber: string(w.TitleNumber.is), SaleMethod: SaleMethod(w.SaleMethod),
		Seller: Seller{
			ID: string(s.ID.is), FirstName: string(s.FirstName.is), LastName: string(s.LastName.is),
			Email: string(s.Email.is), Phone: string(s.Phone.is),
		},
		Team:            w.Team.team(),
		MilestonesCount: int(w.MilestonesCount.is), CompletedMilestones: int(w.CompletedMilestones.is),
	}, nil
}

type teamWire struct {
	EstateAgent    *memberWire `json:"estate_agent"`
	Conveyancer    *memberWire `json:"conveyancer"`
	Auctioneer     *memberWire `json:"auctioneer"`
	MortgageBroker *memberWire `json:"mortgage_broker"`
}

func (t *teamWire) team() *Team {
	if t == nil {
		return nil
	}
	return &Team{
		EstateAgent: t.EstateAgent.member(), Conveyancer: t.Conveyancer.member(),
		Auctioneer: t.Auctioneer.member(), MortgageBroker: t.MortgageBroker.member(),
	}
}

// memberWire is strict about what invitations are followed up by.
type memberWire struct {
	ID        loose[wire.ID]   `json:"id"`
	Status    wire.Text        `json:"status"`
	Email     wire.Text        `json:"email"`
	Name      loose[wire.Text] `json:"name"`
	Firm      loose[wire.Text] `json:"firm"`
	InvitedAt instant          `json:"invited_at"`
}

// member is nil for nobody, {} too.
func (m *memberWire) member() *Member {
	if m == nil {
		return nil
	}
	who := Member{
		ID: string(m.ID.is), Status: MemberStatus(m.Status), Email: string(m.Email), Name: string(m.Name.is),
		Firm: string(m.Firm.is), InvitedAt: time.Time(m.InvitedAt),
	}
	if who == (Member{}) {
		return nil
	}
	return &who
}
