package maintenance

import (
	"encoding/json"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// Stage is how far the response to a work order has come.
type Stage string

// The stages. An ordinary work order knows received, waiting, repairing and the ends.
const (
	// StageReceived: not assessed yet.
	StageReceived Stage = "received"
	// StageWaiting: no emergency; left to people, waiting for what RentVine says next.
	StageWaiting Stage = "waiting"
	// StageRepairing: no emergency; the repair is coordinated, and its own stage says
	// more.
	StageRepairing Stage = "repairing"
	// StageJoined: another work order leads the response in the same building.
	StageJoined Stage = "joined"
	// StagePaging: the on-call ladder runs.
	StagePaging Stage = "paging"
	// StageDispatching: somebody is on it; a technician is being sought.
	StageDispatching Stage = "dispatching"
	// StageAccepted: a technician is on the way.
	StageAccepted Stage = "accepted"
	// StageOnSite: the technician is there.
	StageOnSite Stage = "on_site"
	// StageRepaired: done on site; waiting for the work order to be closed.
	StageRepaired Stage = "repaired"
	// StageClosed and StageCancelled are the ends.
	StageClosed    Stage = "closed"
	StageCancelled Stage = "cancelled"
)

// SLA is one of the promises that a clock watches, counted from the report.
type SLA string

// The promises of an emergency.
const (
	SLAAcknowledge SLA = "acknowledge"
	SLAAccept      SLA = "accept"
	SLAOnSite      SLA = "on_site"
)

// State is all that a work order's workflow knows; continue-as-new carries it.
// Times are business time in UTC.
type State struct {
	// Incarnation counts the responses within one chain of runs, so that the
	// effects of a reopened work order are not taken for earlier ones.
	Incarnation int `json:"incarnation,omitempty"`

	OpenedAt time.Time `json:"opened_at,omitzero"`
	// EmergencyAt is when it became an emergency: at the report, or later. The
	// promises count from then.
	EmergencyAt time.Time `json:"emergency_at,omitzero"`
	FirstEvent  string    `json:"first_event,omitempty"`
	// ReceivedAt is when the first event reached us (real time).
	ReceivedAt time.Time           `json:"received_at,omitzero"`
	Data       json.RawMessage     `json:"data,omitempty"`
	Report     activities.Report   `json:"report"`
	Settings   activities.Settings `json:"settings,omitzero"`
	Assessment triage.Assessment   `json:"assessment"`
	Stage      Stage               `json:"stage"`

	// LeadID is the work order that leads, where this one has joined; Joined are
	// those that this one leads.
	LeadID string   `json:"lead_id,omitempty"`
	Joined []Joined `json:"joined,omitempty"`

	Pages        []Page    `json:"pages,omitempty"`
	NextPageAt   time.Time `json:"next_page_at,omitzero"`
	NobodyTold   bool      `json:"nobody_told,omitempty"`
	Acknowledged *Mark     `json:"acknowledged,omitempty"`

	// DispatchingAt is when the search for a technician began, or began again.
	DispatchingAt time.Time `json:"dispatching_at,omitzero"`
	// GivenBack are those who had the job and have it no longer.
	GivenBack []GivenBack `json:"given_back,omitempty"`
	// TenantsJoined is how many tenants the lead has been told of.
	TenantsJoined int        `json:"tenants_joined,omitempty"`
	Offers        []Offer    `json:"offers,omitempty"`
	OfferRound    int        `json:"offer_round,omitempty"`
	NextOfferAt   time.Time  `json:"next_offer_at,omitzero"`
	NoTechnician  bool       `json:"no_technician,omitempty"`
	Job           *Job       `json:"job,omitempty"`
	Missed        []SLA      `json:"missed,omitempty"`
	Paused        *Mark      `json:"paused,omitempty"`
	TenantsTold   bool       `json:"tenants_told,omitempty"`
	ManagerTold   bool       `json:"manager_told,omitempty"`
	Jobs          int        `json:"jobs,omitempty"`
	Cleared       *time.Time `json:"cleared,omitempty"`
	ReportIssued  bool       `json:"report_issued,omitempty"`
	Ended         *End       `json:"ended,omitempty"`
	Reopened      bool       `json:"reopened,omitempty"`
	NeedsTriage   bool       `json:"needs_triage,omitempty"`
	NeedsRefresh  bool       `json:"needs_refresh,omitempty"`
	// RefreshAt is when RentVine is asked again after it could not be read.
	RefreshAt      time.Time `json:"refresh_at,omitzero"`
	WriteRefused   string    `json:"write_refused,omitempty"`
	Held           []Held    `json:"held,omitempty"`
	Notices        []Notice  `json:"notices,omitempty"`
	Answered       []Taken   `json:"answered,omitempty"`
	Late           int       `json:"late,omitempty"`
	Unusable       int       `json:"unusable,omitempty"`
	MessagesFailed int       `json:"messages_failed,omitempty"`

	// Repair is the course of an ordinary repair, nil where there is none.
	Repair *repair.State `json:"repair,omitempty"`

	// Written is the last wish that RentVine confirmed or refused.
	Written activities.UpdateWorkOrderInput `json:"written"`
	// Kept are the parts that others have set at RentVine and that we leave alone.
	Kept []KeptPart `json:"kept,omitempty"`

	Timeline []Entry `json:"timeline,omitempty"`
	// Counted are the metrics that this work order has been counted in.
	Counted []string `json:"counted,omitempty"`
}

type (
	// Mark says who did something, how and when. By is an id, never a name.
	Mark struct {
		By  string    `json:"by"`
		Via string    `json:"via"`
		At  time.Time `json:"at"`
		Why string    `json:"why,omitempty"`
		// Told is set once everybody concerned has been told.
		Told bool `json:"told,omitempty"`
	}
	// Page is one try to reach one on-call person.
	Page struct {
		Step   string    `json:"step"`
		Person string    `json:"person"`
		Round  int       `json:"round"`
		Try    int       `json:"try"`
		At     time.Time `json:"at"`
		// Declined: the person said that they cannot. Failed: it did not arrive.
		Declined bool `json:"declined,omitempty"`
		Failed   bool `json:"failed,omitempty"`
	}
	// Offer is one job offered to one technician.
	Offer struct {
		Step       string    `json:"step"`
		Technician string    `json:"technician"`
		Round      int       `json:"round"`
		At         time.Time `json:"at"`
		Why        string    `json:"why"`
		Declined   bool      `json:"declined,omitempty"`
	}
	// Job is what a technician has accepted.
	Job struct {
		Technician string            `json:"technician"`
		Person     activities.Person `json:"person"`
		UserID     string            `json:"user_id,omitempty"`
		Accepted   Mark              `json:"accepted"`
		OnSite     *Mark             `json:"on_site,omitempty"`
		Repaired   *Mark             `json:"repaired,omitempty"`
		// Asked counts how often the technician was asked for the next word, and
		// AskAgainAt is when the next time is due.
		Asked      int       `json:"asked,omitempty"`
		AskAgainAt time.Time `json:"ask_again_at,omitzero"`
	}
	// GivenBack is a technician who had the job. Taken: somebody else took it away.
	GivenBack struct {
		Person activities.Person `json:"person"`
		Taken  bool              `json:"taken,omitempty"`
		Told   bool              `json:"told,omitempty"`
	}
	// Joined is another work order of the same emergency.
	Joined struct {
		WorkOrderID string              `json:"work_order_id"`
		Number      string              `json:"number,omitempty"`
		Unit        string              `json:"unit,omitempty"`
		Tenants     []activities.Person `json:"tenants,omitempty"`
		Told        bool                `json:"told,omitempty"`
		Left        bool                `json:"left,omitempty"`
		EndSent     bool                `json:"end_sent,omitempty"`
		Refused     bool                `json:"refused,omitempty"`
	}
	// End says how it ended and how much of the clearing up is done.
	End struct {
		Mark
		Outcome  Stage `json:"outcome"`
		Silently bool  `json:"silently,omitempty"`
	}
	// Held is a batch of messages that may not leave before a time.
	Held struct {
		Until    time.Time            `json:"until"`
		Messages []activities.Message `json:"messages"`
	}
	// Notice is a message that may have to be sent again by another channel.
	Notice = activities.Message
	// Taken is an answer that was taken and what its sender was told.
	Taken struct {
		ID      string          `json:"id"`
		Outcome durable.Outcome `json:"outcome"`
	}
	// Entry is one line of the timeline. What holds no personal data: people are
	// named by Person, which is an id.
	Entry struct {
		At     time.Time `json:"at"`
		What   string    `json:"what"`
		Person string    `json:"person,omitempty"`
	}
)

// The bounds of what a long-lived workflow remembers.
const (
	maxTimeline = 300
	maxNotices  = 40
	maxAnswered = 200
	maxJoined   = 200
)

func (s *State) note(at time.Time, what, person string) {
	s.Timeline = append(s.Timeline, Entry{At: at, What: what, Person: person})
	if over := len(s.Timeline) - maxTimeline; over > 0 {
		s.Timeline = append(s.Timeline[:1:1], s.Timeline[1+over:]...)
	}
}

// Line is the entry as the audit is told of it.
func (e Entry) Line() durable.Line { return durable.Line{At: e.At, What: e.What, Person: e.Person} }

// rememberNotices keeps the latest messages, for sending them by another channel.
func (s *State) rememberNotices(batch []activities.Message) {
	known := map[string]bool{}
	for _, n := range s.Notices {
		known[n.Step] = true
	}
	for _, m := range batch {
		if !known[m.Step] {
			s.Notices = append(s.Notices, m)
		}
	}
	s.Notices = s.Notices[max(0, len(s.Notices)-maxNotices):]
}

// taken is the outcome of an answer that was taken before.
func (s *State) taken(id string) (durable.Outcome, bool) {
	for _, t := range s.Answered {
		if t.ID == id {
			return t.Outcome, true
		}
	}
	return durable.Outcome{}, false
}

func (s *State) remember(id string, o durable.Outcome) {
	s.Answered = append(s.Answered, Taken{ID: id, Outcome: o})
	s.Answered = s.Answered[max(0, len(s.Answered)-maxAnswered):]
}

// emergency tells whether this work order runs a response of its own.
func (s *State) emergency() bool {
	switch s.Stage {
	case StagePaging, StageDispatching, StageAccepted, StageOnSite, StageRepaired:
		return s.LeadID == ""
	case StageReceived, StageWaiting, StageRepairing, StageJoined, StageClosed, StageCancelled:
		return false
	}
	return false
}

// class is how urgent the messages of this emergency are.
func (s *State) class() activities.Class {
	if s.Assessment.LifeSafety {
		return activities.LifeSafety
	}
	return activities.Emergency
}

// since is when the promises began to count.
func (s *State) since() time.Time {
	if s.EmergencyAt.IsZero() {
		return s.OpenedAt
	}
	return s.EmergencyAt
}

// tenants are those of this work order and of all that joined it.
func (s *State) tenants() []activities.Person {
	seen := map[string]bool{}
	var all []activities.Person
	add := func(people []activities.Person) {
		for _, p := range people {
			if !seen[p.ID] {
				seen[p.ID] = true
				all = append(all, p)
			}
		}
	}
	add(s.Report.Tenants)
	for _, j := range s.Joined {
		if !j.Left {
			add(j.Tenants)
		}
	}
	return all
}
