package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
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
	info := activity.GetInfo(ctx).WorkflowExecution
	in.owner = info.ID + "/" + info.RunID
	created, err := a.create(ctx, a.Policy.Sales(), in, a.findSale, forPerson)
	if err != nil {
		return CreatedSale{}, refused(toTemporal(ctx, err), err)
	}
	return created, nil
}

// finder looks for the property of a sale.
type finder func(ctx context.Context, sale NewSale, since time.Time, keep float64) (store.PropertyRef, bool, error)

// createKey names the creation in the effect journal: one a sale, whichever
// workflow or import asks for it.
func createKey(request string) string { return "sale/" + request + "/create" }

// createSettles is how long a creation may be on its way: the client gives up
// after partner.DefaultTimeout, but OpenMoove's own server may go on for a while.
const createSettles = 30 * time.Second

// creation is what a try keeps in the journal before it asks OpenMoove.
type creation struct {
	// Owner is who asked: a run of a workflow, or an import.
	Owner string `json:"owner"`
	// Chosen are the directory's ids by role; whom the caller named is in the sale.
	Chosen []chosen `json:"chosen,omitempty"`
}

type chosen struct {
	Role   Role   `json:"role"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// create makes sure that the property exists, and creates it once. look finds one
// that was there before anybody asked us. Where OpenMoove refuses the auctioneer
// that the directory chose, the next one is tried.
func (a *Activities) create(ctx context.Context, rules policy.Sales, in CreateSaleInput, look finder, keep float64) (CreatedSale, error) {
	var refusedIDs []string
	for {
		created, team, err := a.createWith(ctx, rules, in, look, refusedIDs, keep)
		if id, ok := refusedAuctioneer(err, team); ok && len(refusedIDs) < maxAuctioneers {
			a.Log.Info("OpenMoove refused an auctioneer, the next one is tried", zap.String("professional", id))
			refusedIDs = append(refusedIDs, id)
			continue
		}
		if partner.KindOf(err) == partner.Invalid {
			err = errors.Join(err, a.Store.ReleaseCases(context.WithoutCancel(ctx), in.RequestID))
		}
		return created, err
	}
}

// createWith is one try, with a team that has none of those refused.
func (a *Activities) createWith(ctx context.Context, rules policy.Sales, in CreateSaleInput, look finder, refusedIDs []string, keep float64) (CreatedSale, []Assigned, error) {
	begun, err := a.Store.Effect(ctx, createKey(in.RequestID))
	if err == nil {
		return a.resume(ctx, rules, in, begun, keep)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return CreatedSale{}, nil, err
	}
	if err := a.checkProducts(ctx, in.Sale, keep); err != nil {
		return CreatedSale{}, nil, err
	}
	// Before the journal: once a creation has begun, what is found is ours.
	ref, found, err := look(ctx, in.Sale, time.Time{}, keep)
	if err != nil || found {
		return CreatedSale{PropertyID: ref.ID, TransactionID: ref.TransactionID, Existing: true}, nil, err
	}
	team, err := a.assign(ctx, rules, in, refusedIDs)
	if err != nil {
		return CreatedSale{}, nil, err
	}
	created, err := a.createOnce(ctx, rules, in, team, keep)
	return created, team, err
}

// resume goes on with a creation that has begun before, with the team of that try.
// A creation that somebody else has finished is there already for us.
func (a *Activities) resume(ctx context.Context, rules policy.Sales, in CreateSaleInput, begun store.Effect, keep float64) (CreatedSale, []Assigned, error) {
	var note creation
	if begun.Note != "" {
		if err := json.Unmarshal([]byte(begun.Note), &note); err != nil {
			a.Log.Warn("the note of a creation cannot be read", zap.Error(err))
		}
	}
	others := note.Owner != in.owner
	if !begun.Done {
		in.owner = note.Owner
	}
	team := named(in.Sale)
	for _, c := range note.Chosen {
		p, _ := rules.Professional(c.ID)
		team = append(team, Assigned{Role: c.Role, Email: p.Email, ID: c.ID, Reason: c.Reason})
	}
	created, err := a.createOnce(ctx, rules, in, team, keep)
	created.Existing = begun.Done && others
	return created, team, err
}

// createOnce is the creation as one effect. Its permit comes first, so that
// nothing waits between the journal and the call.
func (a *Activities) createOnce(ctx context.Context, rules policy.Sales, in CreateSaleInput, team []Assigned, keep float64) (CreatedSale, error) {
	note := creation{Owner: in.owner}
	for _, m := range team {
		if m.ID != "" {
			note.Chosen = append(note.Chosen, chosen{m.Role, m.ID, m.Reason})
		}
	}
	text, err := json.Marshal(note)
	if err != nil {
		return CreatedSale{}, err
	}
	left, err := a.permit(ctx, keep)
	if err != nil {
		return CreatedSale{}, err
	}
	ids, err := a.once(ctx, effect{
		key: createKey(in.RequestID), note: string(text), settles: createSettles, about: creationAbout(in, team),
		find: func(ctx context.Context, since time.Time) (string, bool, error) {
			ref, found, err := a.findSale(ctx, in.Sale, since, keep)
			return joinIDs(ref.ID, ref.TransactionID), found, err
		},
		act: func(ctx context.Context) (string, error) {
			began := time.Now()
			created, err := a.OpenMoove.Client.CreateClient(ctx, wire(rules, in.Sale, team))
			a.noteLimits(ctx, began, left, err)
			return joinIDs(created.PropertyID, created.Property.TransactionID), err
		},
	})
	if err != nil {
		return CreatedSale{}, err
	}
	out := CreatedSale{Team: team}
	out.PropertyID, out.TransactionID, _ = strings.Cut(ids, " ")
	return out, a.Store.PutProperties(context.WithoutCancel(ctx), store.PropertyRef{
		ID: out.PropertyID, TransactionID: out.TransactionID,
		AddressKey: a.Keys.SaleAddress(in.Sale.Address, in.Sale.Postcode), SellerKey: a.Keys.Address(in.Sale.Email),
	})
}

// creationAbout tells the audit of a creation and of who was chosen for it.
func creationAbout(in CreateSaleInput, team []Assigned) about {
	w := writing(atOpenMoove, "sale of request "+in.RequestID)
	w.makes = "sale/"
	for _, m := range team {
		if m.ID != "" {
			w.what += fmt.Sprintf(", %s %s", policy.Words(string(m.Role)), m.ID)
		}
	}
	return w
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

// named are those whom the caller named.
func named(sale NewSale) []Assigned {
	var team []Assigned
	for _, m := range []Assigned{
		{Role: EstateAgent, Email: sale.EstateAgent}, {Role: Conveyancer, Email: sale.Conveyancer},
		{Role: MortgageBroker, Email: sale.MortgageBroker}, {Role: Auctioneer, Email: sale.Auctioneer},
	} {
		if m.Email != "" {
			m.Reason = "named by the caller"
			team = append(team, m)
		}
	}
	return team
}

// assign is who works on the sale: whom the caller named, else the directory's
// best, whose case is counted at once so that the next choice sees it. Mortgage
// brokers are only ever named.
func (a *Activities) assign(ctx context.Context, rules policy.Sales, in CreateSaleInput, refusedIDs []string) ([]Assigned, error) {
	a.assigning.Lock()
	defer a.assigning.Unlock()
	load, err := a.Store.CaseLoad(ctx)
	if err != nil {
		return nil, err
	}
	team := named(in.Sale)
	for _, role := range []Role{EstateAgent, Conveyancer, Auctioneer} {
		if slices.ContainsFunc(team, func(m Assigned) bool { return m.Role == role }) || (role == Auctioneer && in.Sale.Method == StandardSale) {
			continue
		}
		need := professionals.Need{Role: string(role), Postcode: in.Sale.Postcode, Method: string(in.Sale.Method), Refused: refusedIDs}
		choice, ok := professionals.Choose(rules, need, load)
		if !ok && role == Auctioneer {
			return nil, &partner.Error{Op: CreateSale.Name, Kind: partner.Invalid, Message: noAuctioneer,
				Fields: []partner.FieldProblem{{Field: "auctioneer_email", Messages: []string{noAuctioneer}}}}
		}
		if !ok {
			continue
		}
		if err := a.Store.AssignCase(ctx, in.RequestID, string(role), choice.Professional.ID); err != nil {
			return nil, err
		}
		team = append(team, Assigned{Role: role, Email: choice.Professional.Email, ID: choice.Professional.ID, Reason: choice.Reason})
	}
	return team, nil
}

const noAuctioneer = "no auctioneer of the directory is free and accepted: name one, or add one to the policy's directory"

// wire is the one call that creates.
func wire(rules policy.Sales, sale NewSale, team []Assigned) openmoove.NewClient {
	out := openmoove.NewClient{
		FirstName: sale.FirstName, LastName: sale.LastName, Email: sale.Email, PhoneNumber: sale.Phone,
		PropertyAddress: sale.Address, PropertyPostcode: sale.Postcode, SaleMethod: openmoove.SaleMethod(sale.Method), Products: sale.Products,
	}
	if len(out.Products) == 0 {
		out.Products = rules.Products
	}
	for _, m := range team {
		switch m.Role {
		case EstateAgent:
			out.EstateAgentEmail = m.Email
		case Conveyancer:
			out.ConveyancerEmail = m.Email
		case MortgageBroker:
			out.MortgageBrokerEmail = m.Email
		case Auctioneer:
			out.AuctioneerEmail = m.Email
		}
	}
	return out
}

// refused adds the fields that OpenMoove refuses to the error that ends a creation.
func refused(err, cause error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || !app.NonRetryable() {
		return err
	}
	message := app.Message()
	var e *partner.Error
	if errors.As(cause, &e) && e.Message != "" {
		message = e.Message
	}
	return temporal.NewNonRetryableApplicationError(message, app.Type(), nil, fieldProblems(cause))
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
		message := "OpenMoove refuses the sale as " + string(e.Kind)
		if e.Message != "" {
			message = e.Message
		}
		problems = append(problems, FieldProblem{Message: message})
	}
	return problems
}
