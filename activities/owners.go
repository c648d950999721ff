package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadOwners reads the active owners of a portfolio, with their addresses, at most 10;
// none where RentVine names nobody. Reading has no effect.
var ReadOwners = durable.Activity[ReadOwnersInput, []Person]{
	Name: "rentvine.read_owners", Queue: QueueRentVine, Attempt: 20 * time.Second, Within: time.Hour,
}

// ReadOwnersInput names the portfolio and one of its properties.
type ReadOwnersInput struct {
	PortfolioID string `json:"portfolio_id"`
	PropertyID  string `json:"property_id"`
}

// maxOwners bounds who is asked about one repair.
const maxOwners = 10

func (a *Activities) readOwners(ctx context.Context, in ReadOwnersInput) ([]Person, error) {
	portfolio, err := a.RentVine.PortfolioOf(ctx, in.PortfolioID, in.PropertyID)
	if partner.KindOf(err) == partner.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, toTemporal(ctx, err)
	}
	people, err := a.ownersOf(ctx, portfolio)
	return people, toTemporal(ctx, err)
}

// ownersOf are the active owners of a portfolio, at most 10.
func (a *Activities) ownersOf(ctx context.Context, portfolio rentvine.Portfolio) ([]Person, error) {
	var people []Person
	for _, id := range portfolio.OwnerContactIDs {
		if len(people) == maxOwners {
			break
		}
		o, err := a.RentVine.Owner(ctx, id)
		if partner.KindOf(err) == partner.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if o.IsActive {
			people = append(people, a.person(o.ID, o.Name, o.Phone, o.Email))
		}
	}
	return people, nil
}
