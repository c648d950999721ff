package openmoove

import (
	"math"
	"time"
)

// stamp is a time as the API writes it, null for none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.999999Z")
}

// row is a property in the list, which has no transactionId: trap 1 of section 4.
func (p *Property) row() map[string]any {
	return map[string]any{
		"id": p.ID, "address": p.Address, "postcode": p.Postcode, "uprn": p.UPRN,
		"sale_method": p.Method, "created_at": stamp(p.CreatedAt),
	}
}

// pdtf is a property in the form of the Property Data Trust Framework. Participants
// are the seller and professionals who have accepted.
func (p *Property) pdtf() map[string]any {
	participants := []any{map[string]any{
		"name": personName(p.FirstName, p.LastName), "email": p.Email, "phone": p.Phone, "role": "Seller",
	}}
	for _, m := range p.Team {
		if m.Active {
			first, last := splitName(m.Name)
			participants = append(participants, map[string]any{
				"name": personName(first, last), "email": m.Email, "organisation": m.Firm, "role": RoleName(m.Role),
			})
		}
	}
	number, street := p.street()
	disposal := "Standard Sale"
	switch p.Method {
	case ModernAuction:
		disposal = "Modern Method of Auction"
	case SecureSale:
		disposal = "Secure Sale"
	}
	return map[string]any{
		"transactionId": p.TransactionID, "status": p.Status, "participants": participants,
		"propertyPack": map[string]any{
			"priceInformation": map[string]any{"disposal": disposal},
			"address": map[string]any{
				"buildingNumber": number, "street": street, "line1": p.Address, "postcode": p.Postcode, "countryCode": "GBR",
			},
			"ownership": map[string]any{"ownershipsToBeTransferred": []any{map[string]any{
				"titlePropertyDescription": p.Address, "ownershipType": "Freehold",
				"wholeFreeholdForSale": map[string]any{"yesNo": "Yes"},
			}}},
		},
		"externalIds": map[string]any{"openmoove": p.ExternalID},
	}
}

// detail is a property in the older form by its integer id.
func (p *Property) detail(withTeam bool) map[string]any {
	out := map[string]any{
		"id": p.ID, "address": p.Address, "postcode": p.Postcode, "uprn": p.UPRN, "title_number": nil, "sale_method": p.Method,
		"seller": map[string]any{
			"id": p.MoverID, "first_name": p.FirstName, "last_name": p.LastName, "email": p.Email, "phone_number": p.Phone,
		},
		"milestones_count": len(p.Milestones), "completed_milestones": p.CompletedMilestones(),
	}
	if p.TitleNumber != "" {
		out["title_number"] = p.TitleNumber
	}
	if withTeam {
		team := map[string]any{}
		for _, m := range p.Team {
			status := "invited"
			if m.Active {
				status = "active"
			}
			team[m.Role] = map[string]any{
				"id": m.PersonID, "status": status, "email": m.Email, "name": m.Name, "firm": m.Firm, "invited_at": stamp(m.InvitedAt),
			}
		}
		out["team"] = team
	}
	return out
}

// rest is a milestone as the API has it; is_overdue is true at the moment of
// reading only.
func (m Milestone) rest(now time.Time) map[string]any {
	return map[string]any{
		"id": m.ID, "name": m.Name, "description": m.Description, "order": m.Order, "completed": m.Completed(),
		"completed_at": stamp(m.CompletedAt), "due_date": stamp(m.DueDate), "is_overdue": m.Overdue(now),
	}
}

// current adds what only the current milestone has.
func (m Milestone) current(now time.Time) map[string]any {
	out := m.rest(now)
	out["assigned_to"], out["days_until_due"], out["priority"] = m.AssignedTo, nil, "low"
	if !m.DueDate.IsZero() {
		days := int(math.Floor(m.DueDate.Sub(now).Hours() / 24))
		out["days_until_due"] = days
		switch {
		case days < 7:
			out["priority"] = "high"
		case days < 21:
			out["priority"] = "medium"
		}
	}
	return out
}

// webhook is a milestone as webhooks have it: completed_date, not completed_at.
func (m Milestone) webhook() map[string]any {
	return map[string]any{
		"id": m.ID, "name": m.Name, "completed": m.Completed(), "completed_date": stamp(m.CompletedAt),
	}
}

func personName(first, last string) map[string]any {
	return map[string]any{"firstName": first, "lastName": last}
}

// RoleName is a role in words.
func RoleName(role string) string {
	switch role {
	case "estate_agent":
		return "Estate Agent"
	case "conveyancer":
		return "Conveyancer"
	case "mortgage_broker":
		return "Mortgage Broker"
	case "auctioneer":
		return "Auctioneer"
	}
	return role
}
