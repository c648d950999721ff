package sandbox

import (
	"time"

	"github.com/aictive/keyholder/sandbox/openmoove"
	"github.com/aictive/keyholder/sandbox/page"
	"github.com/aictive/keyholder/sandbox/samples"
)

// shownSales bounds the properties on the page.
const shownSales = 50

// salesView is OpenMoove's part of the page.
func (s *Sandbox) salesView() page.OpenMoove {
	o := s.openmoove.Options()
	v := page.OpenMoove{Count: s.openmoove.Count(), ChangesADay: o.ChangesADay, MaxChangesADay: openmoove.MaxChangesADay, MaxPortfolio: openmoove.MaxPortfolio, Options: []page.Option{
		{Name: "without_team", Label: "Leaves the team out of details", On: o.WithoutTeam},
		{Name: "without_detail", Label: "No details by integer id: 404", On: o.WithoutDetail},
		{Name: "webhook_first", Label: "The webhook overtakes the create’s reply", On: o.WebhookFirst},
		{Name: "without_webhooks", Label: "Posts no webhooks", On: o.WithoutWebhooks},
	}}
	if s.openmoove.WebhooksStopped() == nil {
		v.Samples = samples.OpenMooveNames()
	}
	now := time.Now()
	if s.cfg.BusinessNow != nil {
		now = s.cfg.BusinessNow()
	}
	for _, p := range s.openmoove.Newest(shownSales) {
		v.Sales = append(v.Sales, saleView(p, now))
	}
	return v
}

func saleView(p *openmoove.Property, now time.Time) page.Sale {
	v := page.Sale{
		ID: p.ID, Address: p.Address, Postcode: p.Postcode, Method: methodName(p.Method), Status: p.Status,
		Seller: p.FirstName + " " + p.LastName, Created: shownTime(p.CreatedAt), UUID: p.TransactionID,
		Completed: p.CompletedMilestones(),
	}
	for _, m := range p.Team {
		v.Team = append(v.Team, page.Professional{
			Role: m.Role, RoleName: openmoove.RoleName(m.Role), Name: m.Name, Firm: m.Firm, Email: m.Email, Active: m.Active,
			Invited: shownTime(m.InvitedAt), Code: m.Code,
		})
	}
	current := p.Current()
	for _, m := range p.Milestones {
		shown := page.Milestone{
			ID: m.ID, Name: m.Name, Completed: m.Completed(), CompletedAt: shownTime(m.CompletedAt), Overdue: m.Overdue(now),
			Current: current != nil && m.ID == current.ID,
		}
		if !m.DueDate.IsZero() {
			shown.Due = m.DueDate.UTC().Format(time.DateOnly)
		}
		v.Milestones = append(v.Milestones, shown)
	}
	return v
}

// shownTime is business time, which a browser's clock knows nothing of.
func shownTime(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04") }

func methodName(method string) string {
	switch method {
	case openmoove.ModernAuction:
		return "Modern auction"
	case openmoove.SecureSale:
		return "Secure sale"
	}
	return "Standard"
}
