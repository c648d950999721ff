package openmoove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNotFound is returned where there is no such property, role or milestone.
var ErrNotFound = errors.New("openmoove has no such record")

// ErrNoSecret is returned where webhooks are not sent because nothing signs them.
var ErrNoSecret = errors.New("openmoove's webhooks need a secret")

// ErrSwitchedOff is returned where webhooks are not sent because an option forbids it.
var ErrSwitchedOff = errors.New("openmoove's webhooks are switched off; set the option without_webhooks to false")

// Count is how many properties there are.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.properties)
}

// Newest lists up to n properties, newest first; below 0 all. They must not be
// changed.
func (s *Server) Newest(n int) []*Property {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := 0
	if n >= 0 {
		from = max(0, len(s.properties)-n)
	}
	out := slices.Clone(s.properties[from:])
	slices.Reverse(out)
	return out
}

// Property finds one by its integer id or its transaction id. It must not be changed.
func (s *Server) Property(id string) (*Property, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.withID(id); p != nil {
		return p, nil
	}
	if p := s.withUUID(id); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%w: property %s", ErrNotFound, id)
}

// Duplicates counts properties with the address, postcode and seller's e-mail of an
// earlier one.
func (s *Server) Duplicates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.duplicates
}

// WebhooksStopped tells why no webhooks are sent, ErrNoSecret or ErrSwitchedOff; nil
// where they are.
func (s *Server) WebhooksStopped() error {
	switch {
	case !s.hooks.enabled():
		return ErrNoSecret
	case s.Options().WithoutWebhooks:
		return ErrSwitchedOff
	}
	return nil
}

// change puts a changed copy in the place of a property and returns it. The change
// runs under the lock; where it returns an error nothing has changed.
func (s *Server) change(id string, how func(p *Property) error) (*Property, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.withID(id)
	if p == nil {
		return nil, fmt.Errorf("%w: property %s", ErrNotFound, id)
	}
	changed := p.copy()
	if err := how(changed); err != nil {
		return nil, err
	}
	s.commit(changed)
	return changed, nil
}

// Create is a person creating a sale in OpenMoove's own pages. Fields are those of
// POST clients/; the seller's names and phone, and an estate agent, are made up where
// they are not given. The error tells all that is wrong.
func (s *Server) Create(fields map[string]any) (*Property, error) {
	given := map[string]any{
		"first_name": "Robin", "last_name": "Vale", "phone_number": "+447700900002", "estate_agent_email": "agent@oakfield.example.com",
	}
	for k, v := range fields {
		given[k] = v
	}
	o, problems := check(given)
	if wrong := problems.body(); wrong != nil {
		raw, err := json.Marshal(wrong)
		if err != nil {
			return nil, err
		}
		return nil, errors.New(string(raw))
	}
	s.mu.Lock()
	p, err := s.create(o)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s.hooks.send(s.event(PropertyCreated, p.created))
	return p, nil
}

// Accept is a professional accepting the invitation; with an account from then on,
// for later sales too. Once more changes nothing.
func (s *Server) Accept(id, role string) (*Property, error) {
	accepted := false
	p, err := s.change(id, func(p *Property) error {
		i := slices.IndexFunc(p.Team, func(m Member) bool { return m.Role == role })
		if i < 0 {
			return fmt.Errorf("%w: nobody is %q of property %s", ErrNotFound, role, id)
		}
		m := &p.Team[i]
		accepted, m.Active = !m.Active, true
		if m.Name == "" {
			m.Name, m.Firm = namesOf(m.Email)
		}
		if accepted {
			s.note(p, Change{Kind: Accepted, Role: role})
		}
		return nil
	})
	if err == nil && accepted {
		s.hooks.send(s.event(PropertyUpdated, p.created))
	}
	return p, err
}

// namesOf makes up the names of a person and a firm from an e-mail.
func namesOf(email string) (name, firm string) {
	words := func(s string) string {
		parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("._-+", r) })
		for i, p := range parts {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
		return strings.Join(parts, " ")
	}
	local, domain, _ := strings.Cut(email, "@")
	firm, _, _ = strings.Cut(domain, ".")
	return words(local), words(firm)
}

// SetStatus changes a property's status, such as "Under offer".
func (s *Server) SetStatus(id, status string) (*Property, error) {
	status = strings.TrimSpace(status)
	if status == "" {
		return nil, errors.New("status is a text such as \"Under offer\"")
	}
	changed := false
	p, err := s.change(id, func(p *Property) error {
		if changed = p.Status != status; changed {
			s.note(p, Change{Kind: StatusChanged, Status: status})
		}
		p.Status = status
		return nil
	})
	if err == nil && changed {
		s.hooks.send(s.event(PropertyUpdated, p.created))
	}
	return p, err
}

// MilestoneChange is what a person changes of a milestone; nil leaves it.
type MilestoneChange struct {
	Completed *bool
	// DueDate is business time; zero takes the due date away.
	DueDate *time.Time
}

// SetMilestone changes a milestone. A change is told as updated, a completion as
// completed too.
func (s *Server) SetMilestone(id, milestone string, c MilestoneChange) (*Property, error) {
	now := s.cfg.Now().UTC().Truncate(time.Microsecond)
	var before, after Milestone
	p, err := s.change(id, func(p *Property) error {
		i := slices.IndexFunc(p.Milestones, func(m Milestone) bool { return strconv.Itoa(m.ID) == milestone })
		if i < 0 {
			return fmt.Errorf("%w: milestone %s of property %s", ErrNotFound, milestone, id)
		}
		m := &p.Milestones[i]
		before = *m
		if c.Completed != nil && *c.Completed != m.Completed() {
			m.CompletedAt = time.Time{}
			if *c.Completed {
				m.CompletedAt = now
			}
		}
		if c.DueDate != nil {
			m.DueDate = c.DueDate.UTC()
		}
		after = *m
		s.noteMilestone(p, before, after)
		return nil
	})
	if err != nil || before == after {
		return p, err
	}
	s.hooks.send(s.event(MilestoneUpdated, func() map[string]any { return p.milestoned(after) }))
	if after.Completed() && !before.Completed() {
		s.hooks.send(s.event(MilestoneCompleted, func() map[string]any { return p.milestoned(after) }))
	}
	return p, nil
}

// AddMilestone adds one at the end. A zero due date is none.
func (s *Server) AddMilestone(id, name, description string, due time.Time) (*Property, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return nil, errors.New("a milestone needs a name")
	}
	p, err := s.change(id, func(p *Property) error {
		m := Milestone{ID: s.lastMilestone + 1, Name: name, Description: description, Order: 1, AssignedTo: "Estate Agent"}
		if n := len(p.Milestones); n > 0 {
			m.Order = p.Milestones[n-1].Order + 1
		}
		if !due.IsZero() {
			m.DueDate = due.UTC()
		}
		p.Milestones = append(p.Milestones, m)
		s.noteMilestone(p, Milestone{}, m)
		return nil
	})
	if err == nil {
		s.hooks.send(s.event(MilestoneCreated, func() map[string]any { return p.milestoned(p.Milestones[len(p.Milestones)-1]) }))
	}
	return p, err
}

// Post signs a body as a webhook, posts it once and returns the answer, or what
// WebhooksStopped tells.
func (s *Server) Post(ctx context.Context, body []byte) (status int, answer []byte, err error) {
	if err := s.WebhooksStopped(); err != nil {
		return 0, nil, err
	}
	return s.hooks.Post(ctx, body)
}
