package activities

import (
	"context"
	"slices"
	"strings"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
)

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
	view.MilestonesKnown, view.Milestones = true, steps(milestones)
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
