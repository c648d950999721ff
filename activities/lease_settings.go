package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadLeasing reads how the leases of a property are accompanied, as the policy says it
// now. Like ReadSettings it is a recorded look-up: a workflow calls it again at a
// decision, and a replay sees what the decision saw.
var ReadLeasing = durable.Activity[ReadLeasingInput, policy.Leasing]{
	Name: "policy.read_leasing", Attempt: 5 * time.Second,
}

// ReadLeasingInput says whose leases; an empty id falls back to the company's.
type ReadLeasingInput struct {
	PortfolioID string `json:"portfolio_id,omitempty"`
	PropertyID  string `json:"property_id,omitempty"`
}

func (a *Activities) readLeasing(_ context.Context, in ReadLeasingInput) (policy.Leasing, error) {
	return a.Policy.Leasing(in.PortfolioID, in.PropertyID), nil
}
