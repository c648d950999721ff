package sales

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// SaleState is what a sale keeps. Times are business time.
type SaleState struct {
	PropertyID    string     `json:"property_id"`
	TransactionID string     `json:"transaction_id,omitempty"`
	RequestID     string     `json:"request_id,omitempty"`
	Origin        string     `json:"origin,omitempty"`
	Address       string     `json:"address,omitempty"`
	Postcode      string     `json:"postcode,omitempty"`
	Method        SaleMethod `json:"method,omitempty"`
	// BeganAt is when this workflow first heard of the sale.
	BeganAt time.Time `json:"began_at"`
	// BornHere is true where we have seen the sale come into being. Any other is
	// adopted silently: reminders that would have been due earlier are not sent.
	BornHere bool `json:"born_here,omitempty"`
	// Assigned are those whom the creation named; it stands in for Team where
	// OpenMoove shows none.
	Assigned []activities.Assigned   `json:"assigned,omitempty"`
	Team     []activities.TeamMember `json:"team,omitempty"`
	Chases   []Chase                 `json:"chases,omitempty"`
	// LookFrom is from when OpenMoove is to be asked who has joined, zero for not.
	LookFrom time.Time `json:"look_from,omitzero"`
	// Failures counts looks in a row that failed for good.
	Failures int  `json:"failures,omitempty"`
	Verified bool `json:"verified,omitempty"`
	// MissingTold is true once the manager knows what is missing.
	MissingTold bool     `json:"missing_told,omitempty"`
	Missing     []string `json:"missing,omitempty"`
	// LookTeam asks the next look for team and status too.
	LookTeam bool   `json:"look_team,omitempty"`
	Course   Course `json:"course"`
	// CreatedAt is when OpenMoove says the property was created, zero for unknown;
	// Status is OpenMoove's, such as "For sale".
	CreatedAt time.Time `json:"created_at,omitzero"`
	Status    string    `json:"status,omitempty"`
	// SeenAt and TeamSeenAt are when milestones and team were read that are shown here
	// (real time).
	SeenAt     time.Time `json:"seen_at,omitzero"`
	TeamSeenAt time.Time `json:"team_seen_at,omitzero"`
	// News are changes that nobody has been told of yet; Letters counts the letters
	// about changes.
	News    []News `json:"news,omitempty"`
	Letters int    `json:"letters,omitempty"`
	// Reports are milestones that other systems have reported.
	Reports []Reported `json:"reports,omitempty"`
	// Outgoing are webhooks to send; Published counts all of them.
	Outgoing  []Outgoing `json:"outgoing,omitempty"`
	Published int        `json:"published,omitempty"`
	// Outbox are letters to send from OutboxFrom on.
	Outbox     []activities.Message `json:"outbox,omitempty"`
	OutboxFrom time.Time            `json:"outbox_from,omitzero"`
	// Holds counts how often in a row letters were held back.
	Holds    int            `json:"holds,omitempty"`
	Events   map[string]int `json:"events,omitempty"`
	Unusable int            `json:"unusable,omitempty"`
	Unknown  int            `json:"unknown,omitempty"`
}

// Chase is the follow-up of one professional's invitation.
type Chase struct {
	Role  activities.Role `json:"role"`
	Email string          `json:"email"`
	// Told is true once its workflow was told to end; it says when it has.
	Told bool `json:"told,omitempty"`
	// How it ended, "" while it runs.
	How InvitationEnd `json:"how,omitempty"`
}

func (c Chase) running() bool { return c.How == "" }

func (c Chase) of(role activities.Role, email string) bool {
	return c.Role == role && strings.EqualFold(c.Email, email)
}

// handedOver takes what a creation knows. The same facts twice change nothing.
func (s *SaleState) handedOver(f activities.SaleFacts, now time.Time) {
	if s.Origin == "" || s.Origin == OriginFound {
		s.Origin, s.BornHere = f.Origin, f.Origin != OriginFound || s.BornHere
		if f.LookAfter > 0 && f.View == nil {
			s.LookFrom = now.Add(f.LookAfter)
		}
	}
	fill(&s.TransactionID, f.TransactionID)
	fill(&s.RequestID, f.RequestID)
	fill(&s.Address, f.Address)
	fill(&s.Postcode, f.Postcode)
	if s.Method == "" {
		s.Method = f.Method
	}
	if len(s.Assigned) == 0 {
		s.Assigned = f.Team
	}
	if f.View == nil {
		return
	}
	if f.View.ReadAt.IsZero() {
		s.LookFrom, s.Failures = time.Time{}, 0 // as it was before views had a time
	}
	s.saw(*f.View, now)
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// event takes a webhook. It says only that something has changed: what it is now,
// OpenMoove is asked.
func (s *SaleState) event(ev durable.Event, now time.Time) {
	if s.Events == nil {
		s.Events = map[string]int{}
	}
	s.Events[ev.Type]++
	// The one place that names the UUID of a property whose creation got no reply.
	var data struct {
		Property struct {
			TransactionID string `json:"transactionId"`
		} `json:"property"`
	}
	if json.Unmarshal(ev.Data, &data) == nil && s.TransactionID == "" && data.Property.TransactionID != "" {
		s.TransactionID = data.Property.TransactionID
		// The status is read by the UUID alone.
		if !s.TeamSeenAt.IsZero() && s.Status == "" {
			s.LookTeam, s.LookFrom = true, now
		}
	}
	switch ev.Type {
	case "property.created":
		s.BornHere = s.BornHere || s.Origin == ""
	case "property.milestone.created", "property.milestone.updated", "property.milestone.completed":
		if !shows(s.SeenAt, ev) {
			s.LookFrom = now
		}
	case "property.updated":
		switch {
		case s.Origin == "":
		case s.TeamSeenAt.IsZero() && len(s.Team) > 0 && !s.open():
			// As it was before views had a time, for runs that are older.
		case !shows(s.TeamSeenAt, ev):
			s.LookTeam, s.LookFrom = true, now
		}
	}
}

// clocksApart is by how much the clocks of two machines may differ.
const clocksApart = 10 * time.Second

// shows tells whether what was read at a time shows what an event is about.
func shows(readAt time.Time, ev durable.Event) bool {
	return !ev.ReceivedAt.IsZero() && ev.ReceivedAt.Add(clocksApart).Before(readAt)
}

// open tells whether an invitation is open.
func (s *SaleState) open() bool {
	return slices.ContainsFunc(s.Team, func(m activities.TeamMember) bool { return !m.Active })
}

// looked takes what a look of our own has shown: nothing is to be asked any more.
func (s *SaleState) looked(v activities.SaleView, now time.Time) {
	s.LookFrom, s.Failures = time.Time{}, 0
	s.LookTeam = s.LookTeam && v.TeamUnread
	s.saw(v, now)
}

// milestonesOnly tells whether the next look may leave out the team.
func (s *SaleState) milestonesOnly() bool { return !s.LookTeam && len(s.Team) > 0 }

// lookAt is when OpenMoove is asked next, zero for not.
func (s *SaleState) lookAt(grace time.Duration) time.Time {
	if s.Origin == "" {
		return later(s.BeganAt.Add(grace), s.LookFrom)
	}
	return s.LookFrom
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// saw takes what OpenMoove showed, whoever looked. What an earlier look showed says
// nothing new: looks may arrive out of order.
func (s *SaleState) saw(v activities.SaleView, now time.Time) {
	if s.Origin == "" {
		s.Origin = OriginFound
	}
	fill(&s.TransactionID, v.TransactionID)
	fill(&s.Address, v.Address)
	fill(&s.Postcode, v.Postcode)
	if v.Method != "" {
		s.Method = v.Method
	}
	if !v.CreatedAt.IsZero() {
		s.CreatedAt = v.CreatedAt
	}
	if v.MilestonesKnown && !v.ReadAt.Before(s.SeenAt) {
		// What is missing at first may only be late.
		s.Verified = len(v.Missing) == 0 || len(s.Missing) > 0
		s.Missing, s.SeenAt = v.Missing, v.ReadAt
		s.Course.Milestones, s.Course.Known, s.Course.Fresh = v.Milestones, true, true
	}
	if !v.TeamUnread && !v.ReadAt.Before(s.TeamSeenAt) {
		s.sawTeam(v, now)
		if !v.ReadAt.IsZero() && v.TransactionID == "" && s.TransactionID != "" && s.Status == "" {
			s.LookTeam, s.LookFrom = true, now // it was read without the UUID
		}
	}
	if again := now.Add(lookAgain); len(s.Missing) > 0 && !s.Verified && (s.LookFrom.IsZero() || s.LookFrom.After(again)) {
		s.LookFrom = again
	}
}

// sawTeam takes status and team.
func (s *SaleState) sawTeam(v activities.SaleView, now time.Time) {
	s.TeamSeenAt = v.ReadAt
	if v.Status != "" {
		s.Status = v.Status
	}
	team := v.Team
	if !v.TeamKnown {
		team = s.joined(v.Joined)
	}
	for i := range team {
		if team[i].InvitedAt.IsZero() {
			team[i].InvitedAt = s.invitedAt(team[i], now)
		}
	}
	s.Team = team
}

// lookAgain is how long OpenMoove has to make milestones that were missing right
// after the creation, before anybody is told.
const lookAgain = time.Hour

// joined is the team where OpenMoove shows participants alone: whoever is known and
// among them has joined. Where it shows none, the team is as before.
func (s *SaleState) joined(emails []string) []activities.TeamMember {
	team := slices.Clone(s.Team)
	for _, a := range s.Assigned {
		if !slices.ContainsFunc(team, func(m activities.TeamMember) bool { return m.Role == a.Role && strings.EqualFold(m.Email, a.Email) }) {
			team = append(team, activities.TeamMember{Role: a.Role, Email: a.Email})
		}
	}
	for i, m := range team {
		if len(emails) > 0 {
			team[i].Active = slices.ContainsFunc(emails, func(e string) bool { return strings.EqualFold(e, m.Email) })
		}
	}
	return team
}

// invitedAt is when a member was invited as far as we know: as before, else when
// the sale was first heard of, else now for whoever came later. Of a sale that was
// there before us it is not known.
func (s *SaleState) invitedAt(m activities.TeamMember, now time.Time) time.Time {
	for _, before := range s.Team {
		if before.Role == m.Role && strings.EqualFold(before.Email, m.Email) {
			return before.InvitedAt
		}
	}
	switch {
	case len(s.Team) > 0:
		return now
	case s.BornHere:
		return s.BeganAt
	}
	return time.Time{}
}

// maxLookPause is the longest pause after a look that failed for good.
const maxLookPause = 24 * time.Hour

// lookFailed lets the next look wait: an hour at first, then longer.
func (s *SaleState) lookFailed(now time.Time) {
	s.Failures++
	s.LookFrom = now.Add(min(time.Hour<<min(s.Failures-1, 10), maxLookPause))
	if s.Origin == "" {
		s.Origin = OriginFound
	}
}

// chase is something to do about an invitation: begin to follow it, or tell its
// workflow that it is settled.
type chase struct {
	member  activities.TeamMember
	begin   bool
	settled Settled
}

// chases lists what is to do now. A role's next invitation is followed once the
// chase of the one before has said that it ended.
func (s *SaleState) chases() []chase {
	var todo []chase
	busy := map[activities.Role]bool{}
	for _, c := range s.Chases {
		if !c.running() {
			continue
		}
		busy[c.Role] = true
		if c.Told {
			continue
		}
		how := InvitationReplaced
		for _, m := range s.Team {
			if c.of(m.Role, m.Email) {
				how = ""
				if m.Active {
					how = InvitationAccepted
				}
			}
		}
		if how != "" {
			todo = append(todo, chase{member: activities.TeamMember{Role: c.Role, Email: c.Email}, settled: Settled{Email: c.Email, How: how}})
		}
	}
	for _, m := range s.Team {
		known := slices.ContainsFunc(s.Chases, func(c Chase) bool { return c.of(m.Role, m.Email) })
		if !m.Active && m.Email != "" && !m.InvitedAt.IsZero() && !known && !busy[m.Role] {
			busy[m.Role] = true
			todo = append(todo, chase{member: m, begin: true})
		}
	}
	return todo
}

// begun notes that an invitation is followed; told that its workflow knows it is
// settled.
func (s *SaleState) begun(m activities.TeamMember) {
	s.Chases = append(s.Chases, Chase{Role: m.Role, Email: m.Email})
}

func (s *SaleState) told(role activities.Role, email string) {
	for i, c := range s.Chases {
		if c.of(role, email) && c.running() {
			s.Chases[i].Told = true
		}
	}
}

// invitationEnded takes how a chase ended.
func (s *SaleState) invitationEnded(o InvitationOutcome, now time.Time) {
	for i, c := range s.Chases {
		if c.of(o.Role, o.Email) && c.running() {
			s.Chases[i].How = o.How
		}
	}
	if o.How == InvitationChosen {
		// The agent is to invite somebody else: see whether that has happened.
		s.LookTeam = true
		if at := now.Add(3 * day); s.LookFrom.IsZero() || s.LookFrom.After(at) {
			s.LookFrom = at
		}
	}
	if o.How != InvitationAccepted {
		return
	}
	for i, m := range s.Team {
		if m.Role == o.Role && strings.EqualFold(m.Email, o.Email) {
			s.Team[i].Active = true
		}
	}
}

// invitation is the input of the workflow that follows a member's invitation.
func (s *SaleState) invitation(m activities.TeamMember, clock durable.Clock, now time.Time) InvitationInput {
	in := InvitationInput{
		PropertyID: s.PropertyID, TransactionID: s.TransactionID, RequestID: s.RequestID, Clock: clock,
		Address: s.Address, Postcode: s.Postcode, Method: s.Method, Member: m,
	}
	// Who was invited long before we heard of the sale was not ours to remind.
	if !s.BornHere || m.InvitedAt.Before(s.BeganAt.Add(-day)) {
		in.QuietUntil = now
	}
	for _, other := range s.Team {
		if other.Role == activities.EstateAgent && m.Role != activities.EstateAgent {
			in.Agent = &other
		}
	}
	return in
}

// describe is the state without names and addresses.
func (s *SaleState) describe() SaleDescription {
	d := SaleDescription{
		PropertyID: s.PropertyID, TransactionID: s.TransactionID, Origin: s.Origin, Method: s.Method,
		Status: s.Status, MissingMilestones: s.Missing, Progress: s.Course.Progress, Reported: s.reportsSeen(), Timeline: slices.Clone(s.Course.Timeline), LookAt: s.LookFrom, Events: maps.Clone(s.Events), Unusable: s.Unusable, Unknown: s.Unknown,
	}
	for _, m := range s.Team {
		seen := MemberSeen{Role: m.Role, Active: m.Active}
		for _, c := range s.Chases {
			if c.of(m.Role, m.Email) {
				seen.Chase = "running"
				if !c.running() {
					seen.Chase = string(c.How)
				}
			}
		}
		d.Team = append(d.Team, seen)
	}
	return d
}
