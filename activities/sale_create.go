package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities/professionals"
	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// createSale is the activity of one sale.
func (a *Activities) createSale(ctx context.Context, in CreateSaleInput) (CreatedSale, error) {
	created, err := a.create(ctx, a.Policy.Sales(), in, a.findSale, true)
	if err != nil {
		return CreatedSale{}, refused(toTemporal(ctx, err), err)
	}
	return created, nil
}

// finder looks for the property of a sale.
type finder func(ctx context.Context, sale NewSale, urgent bool) (store.PropertyRef, bool, error)

// createKey names the creation in the effect journal: one a sale, whichever
// workflow or import asks for it.
func createKey(request string) string { return "sale/" + request + "/create" }

// create makes sure that the property exists, and creates it once. look finds one
// that was there before anybody asked us. Where OpenMoove refuses the auctioneer
// that the directory chose, the next one is tried.
func (a *Activities) create(ctx context.Context, rules policy.Sales, in CreateSaleInput, look finder, urgent bool) (CreatedSale, error) {
	_, err := a.Store.Effect(ctx, createKey(in.RequestID))
	if errors.Is(err, store.ErrNotFound) {
		// Before the journal: once a creation has begun, what is found is ours.
		ref, found, err := look(ctx, in.Sale, urgent)
		if err != nil {
			return CreatedSale{}, err
		}
		if found {
			return CreatedSale{PropertyID: ref.ID, TransactionID: ref.TransactionID, Existing: true}, nil
		}
	} else if err != nil {
		return CreatedSale{}, err
	}
	var refusedIDs []string
	for {
		team, err := a.assign(ctx, rules, in.Sale, refusedIDs)
		if err != nil {
			return CreatedSale{}, err
		}
		out := CreatedSale{Team: team}
		ids, err := a.once(ctx, createKey(in.RequestID),
			func(ctx context.Context, _ time.Time) (string, bool, error) {
				ref, found, err := a.findSale(ctx, in.Sale, urgent)
				return joinIDs(ref.ID, ref.TransactionID), found, err
			},
			func(ctx context.Context) (string, error) { return a.post(ctx, rules, in.Sale, team, urgent) })
		if id, ok := refusedAuctioneer(err, team); ok && len(refusedIDs) < maxAuctioneers {
			a.Log.Info("OpenMoove refused an auctioneer, the next one is tried", zap.String("professional", id))
			refusedIDs = append(refusedIDs, id)
			continue
		}
		if err != nil {
			return CreatedSale{}, err
		}
		out.PropertyID, out.TransactionID, _ = strings.Cut(ids, " ")
		return out, a.remember(ctx, in, out)
	}
}

func joinIDs(propertyID, transactionID string) string {
	return strings.TrimSpace(propertyID + " " + transactionID)
}

// maxAuctioneers bounds how many are tried for one sale.
const maxAuctioneers = 5

// refusedAuctioneer is the directory's id of the auctioneer whom OpenMoove does not
// take, false where it is not about the auctioneer or the caller named him.
func refusedAuctioneer(err error, team []Assigned) (string, bool) {
	var e *partner.Error
	if !errors.As(err, &e) || e.Kind != partner.Invalid {
		return "", false
	}
	for _, m := range team {
		if e.Refuses("auctioneer_email") && m.Role == Auctioneer && m.ID != "" {
			return m.ID, true
		}
	}
	return "", false
}

// assign is who works on the sale: whom the caller named, else the directory's
// best. Mortgage brokers are only ever named.
func (a *Activities) assign(ctx context.Context, rules policy.Sales, sale NewSale, refusedIDs []string) ([]Assigned, error) {
	load, err := a.Store.CaseLoad(ctx)
	if err != nil {
		return nil, err
	}
	named := map[Role]string{EstateAgent: sale.EstateAgent, Conveyancer: sale.Conveyancer, MortgageBroker: sale.MortgageBroker, Auctioneer: sale.Auctioneer}
	var team []Assigned
	for _, role := range Roles() {
		if email := named[role]; email != "" {
			team = append(team, Assigned{Role: role, Email: email, Reason: "named by the caller"})
			continue
		}
		if role == MortgageBroker || (role == Auctioneer && sale.Method == StandardSale) {
			continue
		}
		need := professionals.Need{Role: string(role), Postcode: sale.Postcode, Method: string(sale.Method), Refused: refusedIDs}
		if choice, ok := professionals.Choose(rules, need, load); ok {
			team = append(team, Assigned{Role: role, Email: choice.Professional.Email, ID: choice.Professional.ID, Reason: choice.Reason})
		} else if role == Auctioneer {
			return nil, &partner.Error{Op: CreateSale.Name, Kind: partner.Invalid,
				Message: "no auctioneer is left for this sale: name one as auctioneer_email, or add one to the policy's directory",
				Fields:  []partner.FieldProblem{{Field: "auctioneer_email", Messages: []string{"no auctioneer of the directory is free and accepted; name one"}}}}
		}
	}
	return team, nil
}

// post is the one call that creates.
func (a *Activities) post(ctx context.Context, rules policy.Sales, sale NewSale, team []Assigned, urgent bool) (string, error) {
	wire := openmoove.NewClient{
		FirstName: sale.FirstName, LastName: sale.LastName, Email: sale.Email, PhoneNumber: sale.Phone,
		PropertyAddress: sale.Address, PropertyPostcode: sale.Postcode, SaleMethod: openmoove.SaleMethod(sale.Method), Products: sale.Products,
	}
	if len(wire.Products) == 0 {
		wire.Products = rules.Products
	}
	for _, m := range team {
		switch m.Role {
		case EstateAgent:
			wire.EstateAgentEmail = m.Email
		case Conveyancer:
			wire.ConveyancerEmail = m.Email
		case MortgageBroker:
			wire.MortgageBrokerEmail = m.Email
		case Auctioneer:
			wire.AuctioneerEmail = m.Email
		}
	}
	created, err := callOpenMoove(ctx, a, urgent, func(c *openmoove.Client) (openmoove.Created, error) {
		return c.CreateClient(ctx, wire)
	})
	return joinIDs(created.PropertyID, created.Property.TransactionID), err
}

// remember keeps the map of ids and the professionals' cases.
func (a *Activities) remember(ctx context.Context, in CreateSaleInput, created CreatedSale) error {
	ctx = context.WithoutCancel(ctx)
	err := a.Store.PutProperties(ctx, store.PropertyRef{
		ID: created.PropertyID, TransactionID: created.TransactionID,
		AddressKey: a.Keys.SaleAddress(in.Sale.Address, in.Sale.Postcode), SellerKey: a.Keys.Address(in.Sale.Email),
	})
	for _, m := range created.Team {
		if err == nil && m.ID != "" {
			err = a.Store.AssignCase(ctx, in.RequestID, string(m.Role), m.ID)
		}
	}
	return err
}

// refused adds the fields that OpenMoove refuses to the error that ends a creation.
func refused(err, cause error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || !app.NonRetryable() {
		return err
	}
	return temporal.NewNonRetryableApplicationError(app.Message(), app.Type(), nil, fieldProblems(cause))
}

func fieldProblems(err error) []FieldProblem {
	problems := []FieldProblem{}
	var e *partner.Error
	if !errors.As(err, &e) {
		return problems
	}
	for _, f := range e.Fields {
		for _, m := range f.Messages {
			problems = append(problems, FieldProblem{Path: f.Field, Message: m})
		}
	}
	if len(problems) == 0 {
		problems = append(problems, FieldProblem{Message: fmt.Sprintf("OpenMoove refused the sale: %s", e.Message)})
	}
	return problems
}

// readSale reads team and milestones.
func (a *Activities) readSale(ctx context.Context, in ReadSaleInput) (SaleView, error) {
	view, err := a.saleView(ctx, in)
	return view, toTemporal(ctx, err)
}

func (a *Activities) saleView(ctx context.Context, in ReadSaleInput) (SaleView, error) {
	view := SaleView{TransactionID: in.TransactionID, Method: in.Method}
	detail, err := callOpenMoove(ctx, a, in.Urgent, func(c *openmoove.Client) (openmoove.Detail, error) {
		return c.PropertyDetail(ctx, in.PropertyID)
	})
	switch {
	case partner.KindOf(err) == partner.NotFound && in.TransactionID != "":
		// The older form is gone: the PDTF object shows participants, but no team.
		if err := a.participants(ctx, in, &view); err != nil {
			return view, err
		}
	case err != nil:
		return view, err
	default:
		view.Address, view.Postcode = detail.Address, detail.Postcode
		if detail.SaleMethod != "" {
			view.Method = SaleMethod(detail.SaleMethod)
		}
		view.TeamKnown = detail.Team != nil
		view.Team = team(detail.Team)
		if !view.TeamKnown && in.TransactionID != "" {
			if err := a.participants(ctx, in, &view); err != nil {
				return view, err
			}
		}
	}
	if !in.Milestones {
		return view, nil
	}
	milestones, err := callOpenMoove(ctx, a, in.Urgent, func(c *openmoove.Client) ([]openmoove.Milestone, error) {
		return c.Milestones(ctx, in.PropertyID)
	})
	if err != nil {
		return view, err
	}
	view.MilestonesKnown, view.Milestones = true, len(milestones)
	view.Missing = missing(milestones, a.Policy.Sales().Milestones[string(view.Method)])
	return view, nil
}

func (a *Activities) participants(ctx context.Context, in ReadSaleInput, view *SaleView) error {
	property, err := callOpenMoove(ctx, a, in.Urgent, func(c *openmoove.Client) (openmoove.Property, error) {
		return c.Property(ctx, in.TransactionID)
	})
	if err != nil {
		return err
	}
	if property.Team != nil {
		view.TeamKnown, view.Team = true, team(property.Team)
	}
	for _, p := range property.Participants {
		if p.Email != "" {
			view.Joined = append(view.Joined, p.Email)
		}
	}
	return nil
}

func team(t *openmoove.Team) []TeamMember {
	if t == nil {
		return nil
	}
	var out []TeamMember
	for role, m := range map[Role]*openmoove.Member{
		EstateAgent: t.EstateAgent, Conveyancer: t.Conveyancer, MortgageBroker: t.MortgageBroker, Auctioneer: t.Auctioneer,
	} {
		if m != nil && m.Email != "" {
			out = append(out, TeamMember{Role: role, Email: m.Email, Name: m.Name, Firm: m.Firm, Active: m.Status == openmoove.MemberActive, InvitedAt: m.InvitedAt})
		}
	}
	slices.SortFunc(out, func(a, b TeamMember) int { return strings.Compare(string(a.Role), string(b.Role)) })
	return out
}

// missing lists the expected milestones that are not there, by name whatever its
// case.
func missing(have []openmoove.Milestone, want []string) []string {
	var out []string
	for _, name := range want {
		if !slices.ContainsFunc(have, func(m openmoove.Milestone) bool { return strings.EqualFold(strings.TrimSpace(m.Name), name) }) {
			out = append(out, name)
		}
	}
	return out
}
