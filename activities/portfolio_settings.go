package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadPortfolio reads how the homes of a property are looked after, as the policy says it
// now: a recorded look-up, like ReadSettings.
var ReadPortfolio = durable.Activity[PlaceRef, policy.Portfolio]{
	Name: "policy.read_portfolio", Attempt: 5 * time.Second,
}

// PlaceRef names a property; both ids are "" for the company.
type PlaceRef struct {
	PortfolioID string `json:"portfolio_id"`
	PropertyID  string `json:"property_id"`
}

func (a *Activities) readPortfolio(_ context.Context, in PlaceRef) (policy.Portfolio, error) {
	return a.Policy.Portfolio(in.PortfolioID, in.PropertyID), nil
}
