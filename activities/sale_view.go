package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
)

// readSale reads for the workflow of the sale.
func (a *Activities) readSale(ctx context.Context, in ReadSaleInput) (SaleView, error) {
	keep := forBulk
	if in.Urgent {
		keep = forPerson
	}
	view, err := a.saleView(ctx, in, keep)
	if err != nil {
		return view, toTemporal(ctx, err)
	}
	if view.CreatedAt, err = a.createdAt(ctx, in.PropertyID); err != nil {
		return view, err
	}
	return view, a.wasLookedAt(ctx, in, view)
}

// saleView reads the milestones, then team and status.
func (a *Activities) saleView(ctx context.Context, in ReadSaleInput, keep float64) (SaleView, error) {
	view := SaleView{ReadAt: time.Now().UTC(), TransactionID: in.TransactionID, Method: in.Method, TeamUnread: in.MilestonesOnly}
	milestones, err := callOpenMoove(ctx, a, keep, func(c *openmoove.Client) ([]openmoove.Milestone, error) {
		return c.Milestones(ctx, in.PropertyID)
	})
	if err != nil {
		return view, err
	}
	if !in.MilestonesOnly {
		err := a.team(ctx, in, keep, &view)
		switch {
		case partner.KindOf(err) == partner.RateLimited && in.Spare:
			view.TeamUnread, view.TeamKnown, view.Team, view.Joined, view.Status = true, false, nil, nil, ""
		case err != nil:
			return view, err
		}
	}
	view.MilestonesKnown, view.Milestones = true, steps(milestones)
	view.Missing = missing(milestones, a.Policy.Sales().Milestones[string(view.Method)])
	return view, nil
}

// team reads who works on the sale and, where the UUID is known, its status.
func (a *Activities) team(ctx context.Context, in ReadSaleInput, keep float64, view *SaleView) error {
	detail, err := callOpenMoove(ctx, a, keep, func(c *openmoove.Client) (openmoove.Detail, error) {
		return c.PropertyDetail(ctx, in.PropertyID)
	})
	switch {
	case partner.KindOf(err) == partner.NotFound && in.TransactionID == "":
		// The older form is gone, and the PDTF object needs the UUID.
		view.TeamUnread, view.TeamGone = true, true
		return nil
	case partner.KindOf(err) == partner.NotFound:
		// The older form is gone: the PDTF object shows participants, but no team.
	case err != nil:
		return err
	default:
		view.Address, view.Postcode = detail.Address, detail.Postcode
		if detail.SaleMethod != "" {
			view.Method = SaleMethod(detail.SaleMethod)
		}
		view.TeamKnown, view.Team = detail.Team != nil, members(detail.Team)
	}
	if in.TransactionID == "" {
		return nil
	}
	property, err := callOpenMoove(ctx, a, keep, func(c *openmoove.Client) (openmoove.Property, error) {
		return c.Property(ctx, in.TransactionID)
	})
	if err != nil {
		return err
	}
	view.Status = property.Status
	if view.Address == "" {
		view.Address, view.Postcode = property.Address, property.Postcode
	}
	if !view.TeamKnown && property.Team != nil {
		view.TeamKnown, view.Team = true, members(property.Team)
	}
	for _, p := range property.Participants {
		if p.Email != "" && !view.TeamKnown {
			view.Joined = append(view.Joined, p.Email)
		}
	}
	return nil
}

func members(t *openmoove.Team) []TeamMember {
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

func steps(milestones []openmoove.Milestone) []Milestone {
	out := make([]Milestone, 0, len(milestones))
	for _, m := range milestones {
		out = append(out, Milestone{ID: m.ID, Name: m.Name, Order: m.Order, Completed: m.Completed, CompletedAt: m.CompletedAt, DueAt: m.DueDate})
	}
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
