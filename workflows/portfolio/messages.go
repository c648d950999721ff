// Package portfolio looks after homes: a workflow for each property, and one for each
// empty unit, each price that is looked at and each thing that a property must have.
package portfolio

import (
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// The durable names.
const (
	PropertyName   = "portfolio.property"
	VacancyName    = "portfolio.vacancy"
	PricingName    = "portfolio.pricing"
	ComplianceName = "portfolio.compliance"
	SweepName      = "portfolio.sweep"
	MonthEndName   = "portfolio.month_end"
	DigestName     = "portfolio.digest"
)

// PropertyID is the workflow id of a property, VacancyID and PricingID those of a unit.
func PropertyID(propertyID string) string { return "property/" + propertyID }

// VacancyID is the workflow id of the marketing of a unit.
func VacancyID(unitID string) string { return "vacancy/" + unitID }

// PricingID is the workflow id of the pricing of a unit.
func PricingID(unitID string) string { return "pricing/" + unitID }

// ComplianceID is the workflow id of a requirement of a property, or of one of its units.
func ComplianceID(propertyID, unitID, requirementID string) string {
	if unitID != "" {
		return "compliance/" + propertyID + "/" + unitID + "/" + requirementID
	}
	return "compliance/" + propertyID + "/" + requirementID
}

// What workflows of this package tell each other.
var (
	// PropertyFound tells a property that the sweep, or a lease of it, has shown something
	// new.
	PropertyFound = durable.Signal[durable.Event]{Name: "property_found"}
	// UnitChanged tells what was begun for a unit or property what that is now.
	UnitChanged = durable.Signal[UnitNow]{Name: "unit_changed"}
	// ChildEnded tells a property that something that it has begun is over.
	ChildEnded = durable.Signal[Ended]{Name: "child_ended"}
	// PriceSettled tells a vacancy and a property what a pricing of a unit came to.
	PriceSettled = durable.Signal[Price]{Name: "price_settled"}
	// LeadReceived carries a prospect to the vacancy that he asks about.
	LeadReceived = durable.Signal[Lead]{Name: "lead_received"}
	// RequirementDropped tells a compliance that it is not wanted any more, with the reason.
	RequirementDropped = durable.Signal[string]{Name: "requirement_dropped"}
)

type (
	// UnitNow is a unit and its property as RentVine shows them. The view's list of units is
	// left out; the unit is empty where the whole property is meant.
	UnitNow struct {
		Property activities.PropertyView `json:"property"`
		Unit     activities.UnitView     `json:"unit"`
	}
	// Ended tells how something ended.
	Ended struct {
		WorkflowID string `json:"workflow_id"`
		// Kind is "vacancy", "pricing" or "compliance".
		Kind   string `json:"kind"`
		UnitID string `json:"unit_id,omitempty"`
		// Outcome is the child's own word. A vacancy's is "let", "withdrawn" where people took
		// the home off the market, or "stopped" where something else ended it.
		Outcome string `json:"outcome"`
		// Rent is what a pricing has written to RentVine, 0 for nothing.
		Rent policy.Cents `json:"rent,omitempty"`
	}
	// Price is what a pricing came to; Rent is 0 where the price stays. A property hears it
	// before the rent is written to RentVine.
	Price struct {
		UnitID string       `json:"unit_id,omitempty"`
		Rent   policy.Cents `json:"rent"`
	}
	// Lead is somebody who asks about a home. It holds personal data.
	Lead struct {
		// ID is the same for every delivery of the same request.
		ID    string `json:"id"`
		Name  string `json:"name,omitempty"`
		Email string `json:"email,omitempty"`
		// Phone is E.164, or "".
		Phone string `json:"phone,omitempty"`
		// Texts tells that he agreed to be texted.
		Texts bool `json:"texts,omitempty"`
		// Message is what he wrote, at most 2,000 characters; untrusted.
		Message string `json:"message,omitempty"`
		// Source is the policy's id of where he came from.
		Source string `json:"source"`
		// Via is "form" or "mail". At is when it reached us (real time).
		Via string    `json:"via"`
		At  time.Time `json:"at"`
	}

	// VacancyInput starts the marketing of a unit.
	VacancyInput struct {
		UnitNow
		Clock durable.Clock `json:"clock,omitzero"`
		// Why is such as "the vacancy rate rose".
		Why string `json:"why"`
		// State goes on where an earlier run was.
		State *VacancyState `json:"state,omitempty"`
	}
	// PricingInput starts the pricing of a unit.
	PricingInput struct {
		UnitNow
		Clock durable.Clock `json:"clock,omitzero"`
		Why   string        `json:"why"`
		// ListedAt is since when the home is offered, zero where it is not (business time).
		ListedAt time.Time `json:"listed_at,omitzero"`
		// PricedAt is when the rent was settled while it was offered, zero for never.
		PricedAt time.Time `json:"priced_at,omitzero"`
		// Asked is the rent that its marketing asks, whatever RentVine shows; 0 for none.
		Asked policy.Cents `json:"asked,omitempty"`
		// Vacancy is the workflow id of its marketing, "" where there is none.
		Vacancy string `json:"vacancy,omitempty"`
		// State goes on where an earlier run was.
		State *PricingState `json:"state,omitempty"`
	}
	// ComplianceInput starts the watch over one requirement.
	ComplianceInput struct {
		Property      activities.PropertyView `json:"property"`
		UnitID        string                  `json:"unit_id,omitempty"`
		RequirementID string                  `json:"requirement_id"`
		Clock         durable.Clock           `json:"clock,omitzero"`
		// New tells that the property or unit is new: the first is due within the policy's
		// time, and somebody is asked. Else the state is unknown until somebody tells it.
		New   bool             `json:"new,omitempty"`
		State *ComplianceState `json:"state,omitempty"`
	}
)
