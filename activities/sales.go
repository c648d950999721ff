package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// QueueOpenMoove is the task queue of single calls to OpenMoove. What keeps them
// within the key's limits is the ledger of calls (openmoove.go), not the queue.
const QueueOpenMoove = "keyholder-openmoove"

// CreateSale chooses the professionals, looks whether the property is there
// already, and creates it. It is safe to repeat, and safe beside another workflow
// that creates the same sale: the effect journal has one key a sale, and a try
// that may be a repeat looks for the property by address, postcode and seller
// (contracts/openmoove.md 1). It waits for OpenMoove as long as it takes. Errors
// that end it have the type "invalid" and []FieldProblem as detail.
var CreateSale = durable.Activity[CreateSaleInput, CreatedSale]{
	Name: "openmoove.create_sale", Queue: QueueOpenMoove, Attempt: 2 * time.Minute, Priority: 2, WaitCancelled: true,
}

// ReadSale reads a sale's milestones, team and status, and lets the polling count
// from there. Reading is safe to repeat.
var ReadSale = durable.Activity[ReadSaleInput, SaleView]{
	Name: "openmoove.read_sale", Queue: QueueOpenMoove, Attempt: time.Minute,
}

// HandOverSale tells the workflow of the sale what is known of it, and starts it
// where it does not run. It is safe to repeat: the workflow takes the same facts
// twice without harm.
var HandOverSale = durable.Activity[SaleFacts, None]{
	Name: "sales.hand_over", Attempt: 10 * time.Second,
}

// ReleaseSale ends the polling of a sale and the cases of its professionals.
// Repeating it is harmless.
var ReleaseSale = durable.Activity[ReleaseSaleInput, None]{
	Name: "sales.release", Attempt: 5 * time.Second,
}

// ReleaseSaleInput names the sale; RequestID is "" where it was not created here.
type ReleaseSaleInput struct {
	PropertyID string `json:"property_id"`
	RequestID  string `json:"request_id,omitempty"`
}

// NewSale is a sale to create at OpenMoove, checked and normalised by whoever
// accepted it. Names and rules are those of POST clients/ (contracts/openmoove.md
// 2).
type NewSale struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
	// Phone is E.164.
	Phone    string     `json:"phone_number"`
	Address  string     `json:"property_address"`
	Postcode string     `json:"property_postcode"` // upper case, one space
	Method   SaleMethod `json:"sale_method"`
	// Products are slugs; none means those of the policy.
	Products []string `json:"products,omitempty"`
	// The e-mails of professionals whom the caller has chosen; "" leaves the choice to
	// the directory.
	EstateAgent    string `json:"estate_agent_email,omitempty"`
	Conveyancer    string `json:"conveyancer_email,omitempty"`
	MortgageBroker string `json:"mortgage_broker_email,omitempty"`
	Auctioneer     string `json:"auctioneer_email,omitempty"`
}

// SaleMethod is how a property is sold.
type SaleMethod string

// The sale methods; both auction kinds need an auctioneer.
const (
	StandardSale  SaleMethod = policy.MethodStandard
	ModernAuction SaleMethod = policy.MethodModernAuction
	SecureSale    SaleMethod = policy.MethodSecureSale
)

// Role is what somebody does in a sale, as OpenMoove names it.
type Role string

// The roles of professionals.
const (
	EstateAgent    Role = policy.RoleEstateAgent
	Conveyancer    Role = policy.RoleConveyancer
	MortgageBroker Role = policy.RoleMortgageBroker
	Auctioneer     Role = policy.RoleAuctioneer
)

// Roles lists them in the order in which they are shown.
func Roles() []Role { return []Role{EstateAgent, Conveyancer, MortgageBroker, Auctioneer} }

// Assigned is who works on a sale in a role, and why.
type Assigned struct {
	Role  Role   `json:"role"`
	Email string `json:"email"`
	// ID is the directory's, "" for somebody whom the caller named.
	ID string `json:"id,omitempty"`
	// Reason says in a few words why this one, without personal data.
	Reason string `json:"reason"`
}

// CreateSaleInput says what to create.
type CreateSaleInput struct {
	// RequestID is store.Keys.SaleRequest of the sale.
	RequestID string  `json:"request_id"`
	Sale      NewSale `json:"sale"`
	// owner is who asks, as the journal keeps it.
	owner string
}

// CreatedSale is a property that exists.
type CreatedSale struct {
	PropertyID    string `json:"property_id"`
	TransactionID string `json:"transaction_id,omitempty"`
	// Existing is true where it was there before this sale was asked for.
	Existing bool       `json:"existing,omitempty"`
	Team     []Assigned `json:"team,omitempty"`
}

// FieldProblem is one thing that the partner refuses, by the field of NewSale.
type FieldProblem struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// ReadSaleInput names a sale by the ids that are known.
type ReadSaleInput struct {
	PropertyID    string `json:"property_id"`
	TransactionID string `json:"transaction_id,omitempty"`
	// MilestonesOnly leaves out team and status, and with them one or two calls.
	MilestonesOnly bool `json:"milestones_only,omitempty"`
	// Own is true where the workflow of the sale itself asks: nobody has to tell it what
	// is read.
	Own bool `json:"own,omitempty"`
	// Spare leaves out team and status where the key has no calls for them now.
	Spare bool `json:"spare,omitempty"`
	// Method is what the sale was created as, where OpenMoove does not say.
	Method SaleMethod `json:"method,omitempty"`
	// Urgent may use the reserve of the key's limits: a person waits.
	Urgent bool `json:"urgent,omitempty"`
}

// SaleView is a sale as OpenMoove showed it when it was read.
type SaleView struct {
	// ReadAt is when the read began (real time): an earlier one says nothing new.
	ReadAt time.Time `json:"read_at,omitzero"`
	// CreatedAt is when OpenMoove says the property was created (business time), zero
	// where its list has not shown it yet.
	CreatedAt time.Time `json:"created_at,omitzero"`
	// Status is OpenMoove's, such as "For sale"; "" where it was not read.
	Status string `json:"status,omitempty"`
	// TeamGone is true where OpenMoove has no detail of the property and the UUID, by
	// which it has another form, is not known.
	TeamGone bool `json:"team_gone,omitempty"`
	// TeamUnread is true where neither team nor status were read.
	TeamUnread    bool       `json:"team_unread,omitempty"`
	TransactionID string     `json:"transaction_id,omitempty"`
	Address       string     `json:"address,omitempty"`
	Postcode      string     `json:"postcode,omitempty"`
	Method        SaleMethod `json:"method,omitempty"`
	// TeamKnown is false where OpenMoove's reply has no team; then Joined lists the
	// e-mails of the participants that it shows.
	TeamKnown bool         `json:"team_known,omitempty"`
	Team      []TeamMember `json:"team,omitempty"`
	Joined    []string     `json:"joined,omitempty"`
	// MilestonesKnown is true where they were read; Missing are those that policy
	// expects for the method and OpenMoove has not made.
	MilestonesKnown bool        `json:"milestones_known,omitempty"`
	Milestones      []Milestone `json:"milestones,omitempty"`
	Missing         []string    `json:"missing,omitempty"`
}

// TeamMember is a professional of a sale.
type TeamMember struct {
	Role  Role   `json:"role"`
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
	Firm  string `json:"firm,omitempty"`
	// Active is false while the invitation is open.
	Active bool `json:"active"`
	// InvitedAt is business time, zero where OpenMoove does not say.
	InvitedAt time.Time `json:"invited_at,omitzero"`
}

// Milestone is one step of a sale (contracts/openmoove.md 2).
type Milestone = progress.Milestone

// SaleFacts is what is known of a sale when it is handed over to its workflow.
type SaleFacts struct {
	// Origin is "created", "imported" or "found".
	Origin        string     `json:"origin"`
	RequestID     string     `json:"request_id"`
	PropertyID    string     `json:"property_id"`
	TransactionID string     `json:"transaction_id,omitempty"`
	Address       string     `json:"address"`
	Postcode      string     `json:"postcode"`
	Method        SaleMethod `json:"method"`
	// Team is who was assigned.
	Team []Assigned `json:"team,omitempty"`
	// LookAfter is how soon the team is looked at where View is nil (business time). Only
	// histories have it that are older than the polling, which reads such a sale now.
	LookAfter time.Duration `json:"look_after,omitempty"`
	// View is what OpenMoove showed after the creation, nil where it was not read: the
	// polling reads it then.
	View *SaleView `json:"view,omitempty"`
}

func (a *Activities) releaseSale(ctx context.Context, in ReleaseSaleInput) (None, error) {
	if err := a.Store.EndWatch(ctx, in.PropertyID); err != nil || in.RequestID == "" {
		return None{}, err
	}
	return None{}, a.Store.ReleaseCases(ctx, in.RequestID)
}

// handOverSale lets the sale be polled too, once its workflow knows of it.
func (a *Activities) handOverSale(ctx context.Context, facts SaleFacts) (None, error) {
	follows, err := a.HandOver(ctx, facts)
	switch {
	case err != nil:
		return None{}, err
	case !follows:
		return None{}, a.Store.EndWatch(ctx, facts.PropertyID)
	}
	return None{}, a.addWatch(ctx, a.pollRules(1), facts.PropertyID, facts.TransactionID)
}
