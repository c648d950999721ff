package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadSettings reads the policy of a property as it is now. It is a recorded
// look-up: a workflow calls it again at each decision, and a replay sees what
// the decision saw.
var ReadSettings = durable.Activity[ReadSettingsInput, Settings]{
	Name: "policy.read_settings", Attempt: 5 * time.Second,
}

// ReadSettingsInput says whose settings; an empty id falls back to the company's.
type ReadSettingsInput struct {
	PortfolioID string `json:"portfolio_id,omitempty"`
	PropertyID  string `json:"property_id,omitempty"`
}

// Settings is the resolved policy of one property.
type Settings = policy.Settings

func (a *Activities) readSettings(_ context.Context, in ReadSettingsInput) (Settings, error) {
	return a.Policy.For(in.PortfolioID, in.PropertyID), nil
}
