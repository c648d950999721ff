package openmoove

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Stamp is the business time as webhooks write it.
func (s *Server) Stamp() string { return stamp(s.cfg.Now()).(string) }

// Happen makes true what a webhook sent by hand says, tells nobody, and returns what
// OpenMoove would write into its data. wanted may have property_id, and milestone
// with id, name and completed. Without property_id a property.created makes a new
// sale, and other events are about property 1; without an id a milestone is the
// current one. A property that is not there is left to the sender: no data.
func (s *Server) Happen(event string, wanted map[string]any) (data map[string]any, err error) {
	id, given := whole(wanted["property_id"])
	if !given {
		id = 1
		if event == PropertyCreated {
			p, err := s.register()
			if err != nil {
				return nil, err
			}
			return p.created(), nil
		}
	}
	milestone, _ := wanted["milestone"].(map[string]any)
	var about Milestone
	isMilestone := event == MilestoneCreated || event == MilestoneUpdated || event == MilestoneCompleted
	p, err := s.change(fmt.Sprint(id), func(p *Property) error {
		if isMilestone {
			was := slices.Clone(p.Milestones)
			about = s.happenTo(p, event, milestone)
			before := Milestone{}
			if i := slices.IndexFunc(was, func(m Milestone) bool { return m.ID == about.ID }); i >= 0 {
				before = was[i]
			}
			s.noteMilestone(p, before, about)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, nil //nolint:nilerr // a webhook about something that OpenMoove does not have is for tests to send
	case isMilestone:
		return p.milestoned(about), nil
	}
	return p.created(), nil
}

// happenTo changes the milestone that a webhook is about.
func (s *Server) happenTo(p *Property, event string, wanted map[string]any) Milestone {
	now := s.cfg.Now().UTC().Truncate(time.Microsecond)
	id, named := whole(wanted["id"])
	at := slices.IndexFunc(p.Milestones, func(m Milestone) bool {
		return (named && m.ID == id) || (!named && !m.Completed())
	})
	if event == MilestoneCreated || len(p.Milestones) == 0 {
		name, _ := wanted["name"].(string)
		if name == "" {
			name = "Survey"
		}
		p.Milestones = append(p.Milestones, Milestone{
			ID: s.lastMilestone + 1, Name: name, Order: len(p.Milestones) + 1, AssignedTo: "Estate Agent", DueDate: endOfDay(now.AddDate(0, 0, 14)),
		})
		at = len(p.Milestones) - 1
	}
	if at < 0 {
		at = len(p.Milestones) - 1
	}
	m := &p.Milestones[at]
	completed, said := wanted["completed"].(bool)
	switch {
	case event == MilestoneCompleted || (said && completed):
		if !m.Completed() {
			m.CompletedAt = now
		}
	case said:
		m.CompletedAt = time.Time{}
	}
	return *m
}

// register makes a sale that differs from all others by its house number.
func (s *Server) register() (*Property, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.create(order{
		firstName: "Robin", lastName: "Vale", email: "robin.vale@example.com", phone: "+447700900002",
		address: fmt.Sprintf("%d Station Road, Reading", s.lastProperty%1000+1), postcode: fmt.Sprintf("RG%d 1LA", s.lastProperty/1000%30+1),
		method: Standard, team: map[string]string{"estate_agent": "agent@oakfield.example.com"},
	})
}

// whole is a whole number of JSON.
func whole(v any) (int, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		return int(n), err == nil
	case float64:
		return int(v), v == float64(int(v))
	case int:
		return v, true
	}
	return 0, false
}
