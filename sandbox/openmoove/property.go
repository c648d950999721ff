package openmoove

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Sale methods.
const (
	Standard      = "standard"
	ModernAuction = "modern_auction"
	SecureSale    = "secure_sale"
)

// Roles lists the roles of professionals in the order in which they are shown.
func Roles() []string {
	return []string{"estate_agent", "conveyancer", "mortgage_broker", "auctioneer"}
}

// Property is one property and its sale. Whoever changes one puts a changed copy in
// its place, so a *Property may be read without a lock and must never be written.
// Its JSON is what a snapshot and the control endpoints have; the API's is made in
// wire.go. All times are business time.
type Property struct {
	ID            int         `json:"id"`
	TransactionID string      `json:"transaction_id"`
	ExternalID    string      `json:"external_id"`
	CreatedAt     time.Time   `json:"created_at"`
	MoverID       int         `json:"mover_id"`
	FirstName     string      `json:"first_name"`
	LastName      string      `json:"last_name"`
	Email         string      `json:"email"`
	Phone         string      `json:"phone_number"`
	Address       string      `json:"address"`
	Postcode      string      `json:"postcode"`
	UPRN          int         `json:"uprn"`
	TitleNumber   string      `json:"title_number,omitempty"`
	Method        string      `json:"sale_method"`
	Status        string      `json:"status"`
	Team          []Member    `json:"team"`
	Milestones    []Milestone `json:"milestones"`
	Purchases     []Purchase  `json:"purchases,omitempty"`

	// raw is its JSON in snapshots.
	raw []byte
}

// Member is a professional of a sale.
type Member struct {
	// PersonID is the same wherever the e-mail is.
	PersonID int    `json:"person_id"`
	Role     string `json:"role"`
	Email    string `json:"email"`
	Name     string `json:"name,omitempty"`
	Firm     string `json:"firm,omitempty"`
	Active   bool   `json:"active"`
	// Code came with the invitation, "" where there was none.
	Code      string    `json:"code,omitempty"`
	InvitedAt time.Time `json:"invited_at,omitzero"`
}

// Milestone is one step of a sale.
type Milestone struct {
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Order       int    `json:"order"`
	// AssignedTo is who sees to it, in words.
	AssignedTo  string    `json:"assigned_to,omitempty"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	// DueDate is zero where there is none.
	DueDate time.Time `json:"due_date,omitzero"`
}

// Completed tells whether the milestone is reached.
func (m Milestone) Completed() bool { return !m.CompletedAt.IsZero() }

// Overdue tells whether it should have been reached by then.
func (m Milestone) Overdue(now time.Time) bool {
	return !m.Completed() && !m.DueDate.IsZero() && now.After(m.DueDate)
}

// Purchase is a product bought with a property.
type Purchase struct {
	ID          int       `json:"id"`
	Product     string    `json:"product"`
	PurchasedAt time.Time `json:"purchased_at"`
}

// Current is the first milestone that is not reached, nil where all are.
func (p *Property) Current() *Milestone {
	for i := range p.Milestones {
		if !p.Milestones[i].Completed() {
			return &p.Milestones[i]
		}
	}
	return nil
}

// CompletedMilestones counts those that are reached.
func (p *Property) CompletedMilestones() int {
	n := 0
	for _, m := range p.Milestones {
		if m.Completed() {
			n++
		}
	}
	return n
}

// copy can be changed until it is put in the property's place.
func (p *Property) copy() *Property {
	c := *p
	c.Team, c.Milestones = slices.Clone(p.Team), slices.Clone(p.Milestones)
	return &c
}

// alike is what makes two properties the same sale.
func (p *Property) alike() string {
	fold := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	return fold(p.Address) + "\x00" + strings.ReplaceAll(fold(p.Postcode), " ", "") + "\x00" + fold(p.Email)
}

var houseNumber = regexp.MustCompile(`^(\d+[A-Za-z]?)\s+(.+)$`)

// street splits "12 Elm Street, Leeds" into "12" and "Elm Street".
func (p *Property) street() (number, street string) {
	street, _, _ = strings.Cut(p.Address, ",")
	if parts := houseNumber.FindStringSubmatch(street); parts != nil {
		return parts[1], parts[2]
	}
	return "", street
}
