package sales

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/sales/change"
)

// Outgoing is a webhook for one subscriber that is to be sent.
type Outgoing struct {
	Subscriber string                   `json:"subscriber"`
	Event      activities.OutgoingEvent `json:"event"`
}

// The types of outgoing events.
const (
	EventStatusChanged      = "sale.status_changed"
	EventTeamChanged        = "sale.team_changed"
	EventAlert              = "sale.alert"
	EventMilestoneAdded     = "milestone.added"
	EventMilestoneRemoved   = "milestone.removed"
	EventMilestoneCompleted = "milestone.completed"
	EventMilestoneReopened  = "milestone.reopened"
	EventMilestoneUpdated   = "milestone.updated"
	// EventMilestoneReported: another system reported it, OpenMoove does not show it.
	EventMilestoneReported    = "milestone.reported"
	EventMilestoneUnconfirmed = "milestone.unconfirmed"
)

// EventTypes lists them.
func EventTypes() []string {
	return []string{
		EventStatusChanged, EventTeamChanged, EventAlert, EventMilestoneAdded, EventMilestoneRemoved, EventMilestoneCompleted,
		EventMilestoneReopened, EventMilestoneUpdated, EventMilestoneReported, EventMilestoneUnconfirmed,
	}
}

// eventData is the data of an outgoing event. Times are business time.
type eventData struct {
	PropertyID    string     `json:"property_id"`
	TransactionID string     `json:"transaction_id,omitempty"`
	Address       string     `json:"property_address,omitempty"`
	Postcode      string     `json:"property_postcode,omitempty"`
	Method        SaleMethod `json:"sale_method,omitempty"`
	Status        string     `json:"status,omitempty"`
	// What says it in words.
	What string `json:"what"`
	// Alert is the kind of an alert.
	Alert         string `json:"alert,omitempty"`
	MilestoneID   string `json:"milestone_id,omitempty"`
	MilestoneName string `json:"milestone_name,omitempty"`
	// CompletedBy is who or which system says so, CompletedAt when it was.
	CompletedBy string    `json:"completed_by,omitempty"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	DueDate     time.Time `json:"due_date,omitzero"`
	// Role is whom a change of the team is about.
	Role activities.Role `json:"role,omitempty"`
}

// publish queues what has come about for every subscriber that wants it. Call it
// before the letters, which forget the news.
func (s *SaleState) publish(to []activities.Interest, alerts []progress.Alert, reports []reportNews, rules policy.Sales, now time.Time) error {
	if len(to) == 0 {
		return nil
	}
	for _, n := range s.News {
		if err := s.queue(to, eventType(n.Change.Kind), n.At, changeData(n.Change, rules.TimeZone)); err != nil {
			return err
		}
	}
	for _, a := range alerts {
		data := eventData{Alert: string(a.Kind), What: alertWords(a.Kind)}
		if a.Step != nil {
			data.MilestoneID, data.MilestoneName, data.DueDate = a.Step.ID, a.Step.Name, a.Step.DueAt
		}
		if err := s.queue(to, EventAlert, now, data); err != nil {
			return err
		}
	}
	for _, r := range reports {
		typ, data := EventMilestoneReported, eventData{
			MilestoneName: r.report.Milestone, CompletedBy: r.report.By, CompletedAt: r.report.OccurredAt,
			What: "Reported by another system; OpenMoove does not show it yet.",
		}
		if r.kind == policy.AlertUnconfirmed {
			typ, data.What = EventMilestoneUnconfirmed, "Reported by another system; OpenMoove still does not show it."
		}
		if err := s.queue(to, typ, now, data); err != nil {
			return err
		}
	}
	return nil
}

func (s *SaleState) queue(to []activities.Interest, typ string, at time.Time, data eventData) error {
	data.PropertyID, data.TransactionID = s.PropertyID, s.TransactionID
	data.Address, data.Postcode, data.Method, data.Status = s.Address, s.Postcode, s.Method, s.Status
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	s.Published++
	// The time tells the runs of a sale that was begun again apart.
	id := fmt.Sprintf("sale-%s-%d-%d", s.PropertyID, s.BeganAt.Unix(), s.Published)
	for _, subscriber := range to {
		if subscriber.Wants(typ) {
			s.Outgoing = append(s.Outgoing, Outgoing{Subscriber: subscriber.Name, Event: activities.OutgoingEvent{ID: id, Type: typ, Timestamp: at, Data: text}})
		}
	}
	return nil
}

func eventType(k change.Kind) string {
	switch k {
	case change.StatusChanged:
		return EventStatusChanged
	case change.Joined, change.Left, change.RoleChanged, change.Accepted, change.InvitedAgain:
		return EventTeamChanged
	case change.MilestoneAdded:
		return EventMilestoneAdded
	case change.MilestoneRemoved:
		return EventMilestoneRemoved
	case change.MilestoneCompleted:
		return EventMilestoneCompleted
	case change.MilestoneReopened:
		return EventMilestoneReopened
	case change.DueMoved, change.MilestoneRenamed, change.MilestoneAmended:
	}
	return EventMilestoneUpdated
}

func changeData(c change.Change, zone string) eventData {
	data := eventData{What: c.Sentence(zone)}
	if c.Milestone != nil {
		data.MilestoneID, data.MilestoneName = c.Milestone.ID, c.Milestone.Name
		data.CompletedAt, data.DueDate = c.Milestone.CompletedAt, c.Milestone.DueAt
		if c.Kind == change.MilestoneCompleted {
			data.CompletedBy = "OpenMoove"
		}
	}
	if slices.Contains([]change.Kind{change.Joined, change.Left, change.RoleChanged, change.Accepted, change.InvitedAgain}, c.Kind) && c.Member != nil {
		data.Role = c.Member.Role
	}
	return data
}
