// Package sales holds the workflows of property sales at OpenMoove: create.go and
// import.go bring sales into being, sale.go follows each one for its life, and
// invitation.go chases a professional who was invited. Decisions are pure: state.go
// and follow.go for the sale, chase.go for the invitation, and the packages progress
// and change.
package sales

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Create creates one sale at OpenMoove and hands it over to its workflow. It waits
// for OpenMoove as long as it takes. It fails with an ApplicationError of type
// "invalid", with []activities.FieldProblem as detail, where OpenMoove refuses the
// sale for good.
var Create = durable.Definition[CreateInput, CreateResult]{
	Name: CreateName, Run: create, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// CreateName is the durable name.
const CreateName = "sales.create"

// CreateID is the workflow id; request is store.Keys.SaleRequest.
func CreateID(request string) string { return "sale-request/" + request }

// NewSale is a sale to create, checked and normalised.
type NewSale = activities.NewSale

// SaleMethod is how a property is sold.
type SaleMethod = activities.SaleMethod

// The sale methods.
const (
	StandardSale  = activities.StandardSale
	ModernAuction = activities.ModernAuction
	SecureSale    = activities.SecureSale
)

type (
	// CreateInput starts the workflow.
	CreateInput struct {
		RequestID string        `json:"request_id"`
		Clock     durable.Clock `json:"clock,omitzero"`
		Sale      NewSale       `json:"sale"`
	}
	// CreateResult tells what was created.
	CreateResult struct {
		PropertyID    string `json:"property_id"`
		TransactionID string `json:"transaction_id,omitempty"`
		// Existing is true where the property was there before.
		Existing bool                  `json:"existing,omitempty"`
		Team     []activities.Assigned `json:"team,omitempty"`
		// MissingMilestones are those that the sale method should have and has not.
		MissingMilestones []string `json:"missing_milestones,omitempty"`
	}
	// CreateDescription is what an operator or caller sees while it runs and after.
	CreateDescription struct {
		State CreateState `json:"state"`
		CreateResult
		// Problem says in words why it is refused, without personal data.
		Problem string `json:"problem,omitempty"`
	}
	// CreateState is how far the creation is.
	CreateState string
)

// The states of a creation.
const (
	CreateQueued    CreateState = "queued"
	CreateDone      CreateState = "created"
	CreateExisting  CreateState = "existing"
	CreateRefused   CreateState = "refused"
	CreateCancelled CreateState = "cancelled"
)

// DescribeCreate shows how far it is.
var DescribeCreate = durable.Query[CreateDescription]{Name: "describe", Description: "How far the creation of this sale is"}

// verifyWithin is how long a created sale waits for the look at its milestones
// before it is handed over without (real time).
const verifyWithin = time.Hour

func create(ctx workflow.Context, in CreateInput) (CreateResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	now := CreateDescription{State: CreateQueued}
	if err := DescribeCreate.Handle(ctx, func() (CreateDescription, error) { return now, nil }); err != nil {
		return CreateResult{}, err
	}
	workflow.SetCurrentDetails(ctx, "Waiting for OpenMoove to create the property.")
	created, err := activities.CreateSale.Run(ctx,
		activities.CreateSaleInput{RequestID: in.RequestID, Sale: in.Sale}, "create the property at OpenMoove")
	if err != nil {
		now.State, now.Problem = refusal(err)
		workflow.SetCurrentDetails(ctx, "**"+string(now.State)+"** "+now.Problem)
		return CreateResult{}, plain(err)
	}
	now.CreateResult = CreateResult{
		PropertyID: created.PropertyID, TransactionID: created.TransactionID, Existing: created.Existing, Team: created.Team,
	}
	facts := activities.SaleFacts{
		Origin: OriginCreated, RequestID: in.RequestID, PropertyID: created.PropertyID, TransactionID: created.TransactionID,
		Address: in.Sale.Address, Postcode: in.Sale.Postcode, Method: in.Sale.Method, Team: created.Team,
	}
	if created.Existing {
		facts.Origin = OriginFound
	}
	view, err := activities.ReadSale.Limited(verifyWithin).Run(ctx, activities.ReadSaleInput{
		PropertyID: created.PropertyID, TransactionID: created.TransactionID, Method: in.Sale.Method, Urgent: true,
	}, "verify team and milestones")
	switch {
	case err != nil:
		// Also where an operator cancels now: what exists is handed over.
		workflow.GetLogger(ctx).Warn("the milestones of a new sale could not be verified", "error", err)
	default:
		now.MissingMilestones = view.Missing
		facts.View = &view
	}
	handing, _ := workflow.NewDisconnectedContext(ctx)
	if _, err := activities.HandOverSale.Run(handing, facts, "hand over to "+SaleID(created.PropertyID)); err != nil {
		return now.CreateResult, err
	}
	now.State = CreateDone
	if created.Existing {
		now.State = CreateExisting
	}
	workflow.SetCurrentDetails(ctx, createdDetails(now))
	return now.CreateResult, nil
}

// refusal says how a creation ended that did not succeed.
func refusal(err error) (CreateState, string) {
	if temporal.IsCanceledError(err) {
		return CreateCancelled, "an operator cancelled it"
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return CreateRefused, app.Message()
	}
	return CreateRefused, err.Error()
}

// plain passes an activity's ApplicationError on as the workflow's own, so that
// whoever started it finds type and details at the top.
func plain(err error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return err
	}
	var problems []activities.FieldProblem
	if app.HasDetails() {
		if err := app.Details(&problems); err != nil {
			problems = nil
		}
	}
	return temporal.NewNonRetryableApplicationError(app.Message(), app.Type(), nil, problems)
}

func createdDetails(d CreateDescription) string {
	lines := []string{fmt.Sprintf("**%s** as property %s, followed by `%s`.\n", d.State, d.PropertyID, SaleID(d.PropertyID))}
	for _, m := range d.Team {
		lines = append(lines, fmt.Sprintf("- %s: %s", policy.Words(string(m.Role)), m.Reason))
	}
	if len(d.MissingMilestones) > 0 {
		lines = append(lines, "\nMissing milestones: "+strings.Join(d.MissingMilestones, ", "))
	}
	return strings.Join(lines, "\n")
}
