package openmoove

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// SaleMethod is how a property is sold. Methods that are not known are kept as
// they are.
type SaleMethod string

// The known sale methods (2); both auction kinds need an auctioneer.
const (
	StandardSale  SaleMethod = "standard"
	ModernAuction SaleMethod = "modern_auction"
	SecureSale    SaleMethod = "secure_sale"
)

// NewClient is a seller and a property to create (2). Everything up to
// PropertyPostcode is required, and at least one professional.
type NewClient struct {
	FirstName string `json:"first_name"` // 150 characters at most
	LastName  string `json:"last_name"`  // 150
	Email     string `json:"email"`
	// PhoneNumber may have any valid form; OpenMoove keeps it as E.164.
	PhoneNumber      string `json:"phone_number"`
	PropertyAddress  string `json:"property_address"`  // 255
	PropertyPostcode string `json:"property_postcode"` // 10

	EstateAgentEmail    string `json:"estate_agent_email,omitempty"`
	ConveyancerEmail    string `json:"conveyancer_email,omitempty"`
	MortgageBrokerEmail string `json:"mortgage_broker_email,omitempty"`
	AuctioneerEmail     string `json:"auctioneer_email,omitempty"`

	// SaleMethod "" is OpenMoove's default, StandardSale.
	SaleMethod SaleMethod `json:"sale_method,omitempty"`
	// Products are slugs.
	Products []string `json:"products,omitempty"`
}

// Created is what a create answered. Only PropertyID is sure to be there: the
// older base answers without a property (2).
type Created struct {
	PropertyID, MoverID string
	Message             string
	Property            Property
	// The ids of professionals, "" for those who were not given.
	EstateAgentID, ConveyancerID, MortgageBrokerID, AuctioneerID string

	Purchases []Purchase
	// TotalAmount is a decimal as the wire wrote it.
	TotalAmount string
}

// Purchase is a product bought with a property (2).
type Purchase struct {
	ID, ProductName string
	// Amount is a decimal as the wire wrote it.
	Amount string
	// PaymentTerms is like "net_30", PaymentStatus like "pending".
	PaymentTerms, PaymentStatus string
	PurchasedAt                 time.Time
}

// CreateClient creates a seller and a property. OpenMoove has no idempotency key:
// where an earlier try may have got through, look for its property first. Errors
// are *partner.Error: UnknownOutcome means just that; Invalid has the refused
// fields in Fields, and never the seller's data.
func (c *Client) CreateClient(ctx context.Context, n NewClient) (Created, error) {
	var out Created
	err := c.http.Exchange(ctx, partner.Request{
		Op: "openmoove.create_client", Method: http.MethodPost, URL: c.base + "/clients/", Header: c.header, Body: n,
		Personal: []string{
			n.FirstName, n.LastName, n.Email, n.PhoneNumber, n.PropertyAddress, n.PropertyPostcode,
			n.EstateAgentEmail, n.ConveyancerEmail, n.MortgageBrokerEmail, n.AuctioneerEmail,
		},
	}, one(&out, createdFrom))
	return out, err
}

// createdFrom insists on the id alone: whatever else is odd, the property exists.
func createdFrom(b json.RawMessage) (Created, error) {
	var w struct {
		PropertyID       wire.ID                  `json:"property_id"`
		MoverID          loose[wire.ID]           `json:"mover_id"`
		Message          loose[wire.Text]         `json:"message"`
		Property         json.RawMessage          `json:"property"`
		EstateAgentID    loose[wire.ID]           `json:"estate_agent_id"`
		ConveyancerID    loose[wire.ID]           `json:"conveyancer_id"`
		MortgageBrokerID loose[wire.ID]           `json:"mortgage_broker_id"`
		AuctioneerID     loose[wire.ID]           `json:"auctioneer_id"`
		Purchases        loose[[]loose[purchase]] `json:"purchases"`
		TotalAmount      loose[wire.Text]         `json:"total_amount"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return Created{}, err
	}
	if w.PropertyID == "" {
		return Created{}, partner.ShapeError("a new property without an id")
	}
	out := Created{
		PropertyID: string(w.PropertyID), MoverID: string(w.MoverID.is), Message: string(w.Message.is),
		EstateAgentID: string(w.EstateAgentID.is), ConveyancerID: string(w.ConveyancerID.is),
		MortgageBrokerID: string(w.MortgageBrokerID.is), AuctioneerID: string(w.AuctioneerID.is),
		TotalAmount: string(w.TotalAmount.is),
	}
	if property, err := propertyFrom(w.Property); err == nil {
		out.Property = property
	}
	for _, p := range w.Purchases.is {
		out.Purchases = append(out.Purchases, Purchase{
			ID: string(p.is.ID.is), ProductName: string(p.is.ProductName.is), Amount: string(p.is.Amount.is),
			PaymentTerms: string(p.is.PaymentTerms.is), PaymentStatus: string(p.is.PaymentStatus.is),
			PurchasedAt: time.Time(p.is.PurchasedAt.is),
		})
	}
	return out, nil
}

type purchase struct {
	ID            loose[wire.ID]   `json:"id"`
	ProductName   loose[wire.Text] `json:"product_name"`
	Amount        loose[wire.Text] `json:"amount"`
	PaymentTerms  loose[wire.Text] `json:"payment_terms"`
	PaymentStatus loose[wire.Text] `json:"payment_status"`
	PurchasedAt   loose[instant]   `json:"purchased_at"`
}
