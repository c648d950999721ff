package policy

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Sales is the sales business, a line of its own beside lettings: it has one zone
// and one set of rules, whatever the property. WithoutDirectory is recorded in
// workflow histories: plain data, bounded by the checks of Load to well under
// 100 kB. All durations are business time. The zero value but for Version is a
// policy that has no sales; see Given.
type Sales struct {
	// Version is the policy's; it changes with the directory too.
	Version string `json:"version"`
	// Name is what professionals know the sender by.
	Name string `json:"name"`
	// TimeZone is where working hours and dates in letters are meant.
	TimeZone string `json:"time_zone"`
	// Region is the ISO 3166 country that phones without a country code are in.
	Region string `json:"region"`
	// Manager is told where no estate agent can be asked.
	Manager Contact `json:"manager"`
	// WorkingHours are those of professionals who have none of their own.
	WorkingHours WorkingHours `json:"working_hours"`
	Invitations  Invitations  `json:"invitations"`
	// Progress is how the course of a sale is judged.
	Progress Progress `json:"progress"`
	// Polling is how often sales are read at OpenMoove.
	Polling Polling `json:"polling"`
	// Reported is what other systems may report as done.
	Reported Reported `json:"reported"`
	// Report is when the report on all sales is mailed.
	Report SalesReport `json:"report,omitzero"`
	// Products are the slugs that a sale is created with (contracts/openmoove.md 2).
	Products []string `json:"products,omitempty"`
	// Milestones are the names that OpenMoove should make, by sale method, in order.
	Milestones map[string][]string `json:"milestones,omitempty"`
	// Defaults are the ids of those who are taken where nobody fits, by role.
	Defaults map[string]string `json:"defaults,omitempty"`
	// Professionals is the directory: those of the policy file, then those of the
	// CSV file, in their order.
	Professionals []Professional `json:"professionals,omitempty"`
	// Texts are the letters, by id.
	Texts map[string]Letter `json:"texts"`
}

// Contact is somebody whom we mail.
type Contact struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Invitations are how a professional is followed up who has not accepted.
type Invitations struct {
	// RemindAfter are the times of the reminders, counted from the invitation,
	// ascending.
	RemindAfter []time.Duration `json:"remind_after"`
	// AskAgentAfter is how long after the last reminder the estate agent is asked to
	// choose somebody else.
	AskAgentAfter time.Duration `json:"ask_agent_after"`
	// AnswerWithin is how long that question is open.
	AnswerWithin time.Duration `json:"answer_within"`
}

// Letter is the template of a mail.
type Letter struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// The roles of professionals.
const (
	RoleEstateAgent    = "estate_agent"
	RoleConveyancer    = "conveyancer"
	RoleMortgageBroker = "mortgage_broker"
	RoleAuctioneer     = "auctioneer"
)

// Roles lists them all.
func Roles() []string {
	return []string{RoleEstateAgent, RoleConveyancer, RoleMortgageBroker, RoleAuctioneer}
}

// chosenRoles are those that are filled without anybody naming a person.
func chosenRoles() []string { return []string{RoleEstateAgent, RoleConveyancer, RoleAuctioneer} }

// The sale methods (contracts/openmoove.md 2).
const (
	MethodStandard      = "standard"
	MethodModernAuction = "modern_auction"
	MethodSecureSale    = "secure_sale"
)

// Methods lists them all.
func Methods() []string { return []string{MethodStandard, MethodModernAuction, MethodSecureSale} }

// Words is a role or sale method as people write it: "estate agent".
func Words(id string) string { return strings.ReplaceAll(id, "_", " ") }

// Professional is one of the directory.
type Professional struct {
	ID   string `json:"id"`
	Role string `json:"role"`
	// Name is the person's, Firm the firm's; one of them may be "".
	Name  string `json:"name,omitempty"`
	Firm  string `json:"firm,omitempty"`
	Email string `json:"email"`
	// Phone is E.164, or "".
	Phone string `json:"phone,omitempty"`
	// Areas are postcode areas ("SW"), districts ("SW1A"), sectors ("SW1A 1") or
	// EveryArea, in upper case with one space.
	Areas []string `json:"areas"`
	// Methods are the sale methods that the professional does.
	Methods []string `json:"methods"`
	// Capacity is how many open cases the professional takes at once.
	Capacity int `json:"capacity"`
	// Hours are zero where they are the policy's.
	Hours WorkingHours `json:"hours,omitzero"`
}

// Title names the professional in a letter: "Olivia Grant, Oakfield Estates".
func (p Professional) Title() string {
	return strings.Trim(p.Name+", "+p.Firm, ", ")
}

// Sales is the sales section. The result shares nothing with the policy.
func (p *Policy) Sales() Sales { return p.sales.clone() }

// Sales is the sales section as the files say it now; see Policy.Sales.
func (f *File) Sales() Sales { return f.Current().Sales() }

// Given tells whether the policy has sales at all.
func (s Sales) Given() bool { return s.Name != "" }

// WithoutDirectory is what workflow histories carry.
func (s Sales) WithoutDirectory() Sales {
	s.Professionals = nil
	return s
}

// Professional finds one of the directory by id.
func (s Sales) Professional(id string) (Professional, bool) {
	return s.find(func(p Professional) bool { return p.ID == id })
}

// ProfessionalAt finds one of the directory by role and e-mail (any case).
func (s Sales) ProfessionalAt(role, email string) (Professional, bool) {
	email = strings.ToLower(strings.TrimSpace(email))
	return s.find(func(p Professional) bool { return p.Role == role && strings.ToLower(p.Email) == email })
}

func (s Sales) find(is func(Professional) bool) (Professional, bool) {
	i := slices.IndexFunc(s.Professionals, is)
	if i < 0 {
		return Professional{}, false
	}
	return s.Professionals[i], true
}

// HoursOf are a professional's working hours with their zone: the professional's
// own, else the policy's.
func (s Sales) HoursOf(p Professional) WorkingHours {
	h := p.Hours
	if len(h.Days) == 0 {
		h = s.WorkingHours
	}
	if h.Zone == "" {
		h.Zone = s.TimeZone
	}
	return h
}

// Date writes a time as letters do, in the zone of sales: "Monday 2 January 2006".
func (s Sales) Date(t time.Time) string {
	return t.In(location(s.TimeZone)).Format("Monday 2 January 2006")
}

func (s Sales) clone() Sales {
	s.WorkingHours = s.WorkingHours.clone()
	s.Invitations.RemindAfter = slices.Clone(s.Invitations.RemindAfter)
	s.Progress = s.Progress.clone()
	s.Reported = s.Reported.clone()
	s.Report = s.Report.clone()
	s.Products = slices.Clone(s.Products)
	s.Milestones = maps.Clone(s.Milestones)
	for method, names := range s.Milestones {
		s.Milestones[method] = slices.Clone(names)
	}
	s.Defaults = maps.Clone(s.Defaults)
	s.Texts = maps.Clone(s.Texts)
	s.Professionals = slices.Clone(s.Professionals)
	for i := range s.Professionals {
		p := &s.Professionals[i]
		p.Areas, p.Methods, p.Hours = slices.Clone(p.Areas), slices.Clone(p.Methods), p.Hours.clone()
	}
	return s
}
