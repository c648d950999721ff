package e2e_test

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What happened to sales, and what was told of it: a reading of its own of the
// sandbox's log, of letters and of webhooks. It uses no code of the workflows.

// happened is a line of the sandbox's log of changes.
type happened struct {
	N           int       `json:"n"`
	At          time.Time `json:"at"` // business time
	PropertyID  int       `json:"property_id"`
	Kind        string    `json:"kind"`
	MilestoneID int       `json:"milestone_id"`
	Milestone   string    `json:"milestone"`
	DueDate     time.Time `json:"due_date"`
	Role        string    `json:"role"`
	Status      string    `json:"status"`
}

func (h happened) String() string {
	return fmt.Sprintf("#%d %s %s%s%s at %s", h.N, h.Kind, h.Milestone+h.Role+h.Status, " ", day(h.DueDate), h.At.Format(time.RFC3339))
}

// listing is a property of the sandbox.
type listing struct {
	ID            int    `json:"id"`
	TransactionID string `json:"transaction_id"`
	Address       string `json:"address"`
	Status        string `json:"status"`
	Team          []struct {
		Role  string `json:"role"`
		Email string `json:"email"`
	} `json:"team"`
	Milestones []struct {
		Name        string    `json:"name"`
		CompletedAt time.Time `json:"completed_at"`
		DueDate     time.Time `json:"due_date"`
	} `json:"milestones"`
}

// agent is who is told: the estate agent, else the policy's manager.
func (l listing) agent() string {
	for _, m := range l.Team {
		if m.Role == "estate_agent" {
			return m.Email
		}
	}
	return "priya@example.com"
}

func (l listing) open() bool {
	for _, m := range l.Milestones {
		if m.CompletedAt.IsZero() {
			return true
		}
	}
	return false
}

// day is a due date in the words of letters, "" for none. All those of the sandbox
// are the last second of a day of UTC.
func day(due time.Time) string {
	if due.IsZero() {
		return ""
	}
	return due.UTC().Format("2 January 2006")
}

// letter is a mail of the sandbox's mailbox.
type letter struct {
	ID        int       `json:"id"`
	Time      time.Time `json:"time"`
	To        []string  `json:"to"`
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id"`
	Text      string    `json:"text"`
}

// outgoing is a webhook that the sandbox's subscriber got.
type outgoing struct {
	ID          string    `json:"id"`
	Type        string    `json:"type"`
	Timestamp   string    `json:"timestamp"`
	ReceivedAt  time.Time `json:"received_at"`
	Deliveries  int       `json:"deliveries"`
	BodyChanged bool      `json:"body_changed"`
	Body        struct {
		Data struct {
			PropertyID    string    `json:"property_id"`
			MilestoneName string    `json:"milestone_name"`
			CompletedAt   time.Time `json:"completed_at"`
			DueDate       time.Time `json:"due_date"`
			Role          string    `json:"role"`
			Status        string    `json:"status"`
			What          string    `json:"what"`
		} `json:"data"`
	} `json:"body"`
}

// number is the place of a webhook among those of its sale.
func (o outgoing) number() int {
	n, _ := strconv.Atoi(o.ID[strings.LastIndex(o.ID, "-")+1:])
	return n
}

// told is one thing that somebody was told of a sale, in the log's words for kinds.
type told struct {
	kind  string
	about string // the milestone or the role
	// from and to are days or statuses; only letters say from.
	from, to string
	at       time.Time // real time
	text     string
}

var phrases = []struct {
	kind    string
	pattern *regexp.Regexp
}{
	{"milestone_completed", regexp.MustCompile(`^The milestone “(?P<about>.+)” is completed\.$`)},
	{"milestone_added", regexp.MustCompile(`^The milestone “(?P<about>.+)” has been added(?:, due on (?P<to>.+))?\.$`)},
	{"due_date_moved", regexp.MustCompile(`^The milestone “(?P<about>.+)” is now due on (?P<to>.+?)(?: rather than (?P<from>.+))?\.$`)},
	{"accepted", regexp.MustCompile(`^The (?P<about>.+) has accepted the invitation\.$`)},
	{"status", regexp.MustCompile(`^The status has changed from “(?P<from>.+)” to “(?P<to>.+)”\.$`)},
}

// lines are what a letter about changes tells.
func (l letter) lines() []told {
	var out []told
	for line := range strings.SplitSeq(l.Text, "\n") {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if !ok {
			continue
		}
		said := told{kind: "unknown", at: l.Time, text: text}
		for _, p := range phrases {
			found := p.pattern.FindStringSubmatch(text)
			if found == nil {
				continue
			}
			said.kind = p.kind
			for name, field := range map[string]*string{"about": &said.about, "from": &said.from, "to": &said.to} {
				if i := p.pattern.SubexpIndex(name); i > 0 {
					*field = found[i]
				}
			}
			break
		}
		if said.kind == "accepted" {
			said.about = strings.ReplaceAll(said.about, " ", "_")
		}
		out = append(out, said)
	}
	return out
}

// said is what a webhook tells, by its type and fields; false where it is about no
// change.
func (o outgoing) said() (told, bool) {
	d := o.Body.Data
	s := told{about: d.MilestoneName, to: day(d.DueDate), at: o.ReceivedAt, text: d.What}
	switch o.Type {
	case "milestone.completed":
		s.kind, s.to = "milestone_completed", ""
	case "milestone.added":
		s.kind = "milestone_added"
	case "milestone.updated":
		s.kind = "due_date_moved"
	case "sale.team_changed":
		s.kind, s.about, s.to = "accepted", d.Role, ""
	case "sale.status_changed":
		s.kind, s.about, s.to = "status", "", d.Status
	case "sale.alert":
		return told{}, false
	default:
		s.kind = "unknown"
	}
	return s, true
}

// saleCheck compares what happened to one sale with what was told of it.
type saleCheck struct {
	before   listing
	happened []happened
	told     []told
	// real is the real time of a business time.
	real func(time.Time) time.Time
	// statusKnown is from when changes of the status must be told (business time), zero
	// for never: OpenMoove shows it to who knows the UUID alone, which webhooks tell.
	statusKnown time.Time

	problems []string
	// merged are changes that were never shown: another of the same thing came before
	// anybody looked. silent are those of a status that nobody could see.
	merged, silent int
	// matches are the changes that were told each by itself, and when.
	matches []match
}

type match struct {
	happened happened
	at       time.Time // real time
	text     string
}

func (c *saleCheck) wrong(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("property %d: ", c.before.ID)+fmt.Sprintf(format, args...))
}

func (c *saleCheck) matched(h happened, t told) {
	if c.real(h.At).After(t.at.Add(50 * time.Millisecond)) {
		c.wrong("%q was told at %s, before it happened: %s", t.text, t.at, h)
	}
	c.matches = append(c.matches, match{h, t.at, t.text})
}

// run does it all.
func (c *saleCheck) run() {
	names := map[string]bool{}
	for _, h := range c.happened {
		names[h.Milestone] = true
	}
	for _, t := range c.told {
		switch t.kind {
		case "unknown":
			c.wrong("was told %q, which nobody did", t.text)
		case "milestone_added", "milestone_completed", "due_date_moved":
			names[t.about] = true
		}
	}
	delete(names, "")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.milestone(name)
	}
	c.accepted()
	c.status()
}

func (c *saleCheck) of(kind, about string) ([]happened, []told) {
	var did []happened
	for _, h := range c.happened {
		if h.Kind == kind && cmp.Or(h.Milestone, h.Role) == about {
			did = append(did, h)
		}
	}
	var said []told
	for _, t := range c.told {
		if t.kind == kind && t.about == about {
			said = append(said, t)
		}
	}
	return did, said
}

// milestone checks one milestone, by its name.
func (c *saleCheck) milestone(name string) {
	added, saidAdded := c.of("milestone_added", name)
	completed, saidCompleted := c.of("milestone_completed", name)
	moved, saidMoved := c.of("due_date_moved", name)
	due := ""
	for _, m := range c.before.Milestones {
		if m.Name == name {
			due = day(m.DueDate)
		}
	}
	if !c.once(added, saidAdded, "milestone_added "+name) {
		return
	}
	if len(added) == 1 {
		// Who looks late sees it as it is then.
		due = saidAdded[0].to
		c.merged += len(moved)
		moved = after(day(added[0].DueDate), due, moved)
		c.merged -= len(moved)
		if len(completed) == 1 && len(saidCompleted) == 0 && c.real(completed[0].At).Before(saidAdded[0].at) {
			c.merged++
			completed = nil
		}
	}
	c.once(completed, saidCompleted, "milestone_completed "+name)
	c.moves(name, due, moved, saidMoved)
}

// after leaves out the moves that a milestone had behind it when it was first seen.
func after(first, seen string, moved []happened) []happened {
	if first == seen {
		return moved
	}
	for i, m := range moved {
		if day(m.DueDate) == seen {
			return moved[i+1:]
		}
	}
	return moved
}

// once checks what happens once at most, and tells whether it was told so.
func (c *saleCheck) once(did []happened, said []told, what string) bool {
	if len(did) != len(said) || len(did) > 1 {
		c.wrong("%s happened %d times and was told %d times: %v %v", what, len(did), len(said), did, said)
		return false
	}
	if len(did) == 1 {
		c.matched(did[0], said[0])
	}
	return true
}

// moves checks that what was told leads from the first due day to the last, by days
// that were due in between and in their order.
func (c *saleCheck) moves(name, due string, moved []happened, said []told) {
	next := 0
	for _, t := range said {
		if t.from != "" && t.from != due {
			c.wrong("%q, but before it was due on %q", t.text, due)
		}
		at := slices.IndexFunc(moved[next:], func(h happened) bool { return day(h.DueDate) == t.to })
		if at < 0 || t.to == due {
			c.wrong("was told %q, which nobody did: %v", t.text, moved)
			return
		}
		c.merged += at
		c.matched(moved[next+at], t)
		next, due = next+at+1, t.to
	}
	c.merged += len(moved) - next
	if n := len(moved); n > 0 && day(moved[n-1].DueDate) != due {
		c.wrong("nobody was told that %q is now due on %s, not on %q: %v", name, day(moved[n-1].DueDate), due, moved[next:])
	}
}

// accepted checks the invitations.
func (c *saleCheck) accepted() {
	for _, role := range []string{"estate_agent", "conveyancer", "mortgage_broker", "auctioneer", ""} {
		did, said := c.of("accepted", role)
		c.once(did, said, "accepted "+role)
	}
}

// status checks that what was told leads to the last status, from where it is known.
func (c *saleCheck) status() {
	var did []happened
	for _, h := range c.happened {
		if h.Kind == "status" {
			did = append(did, h)
		}
	}
	next, status := 0, ""
	for _, t := range c.told {
		if t.kind != "status" {
			continue
		}
		if t.from != "" && status != "" && t.from != status {
			c.wrong("%q, but before the status was %q", t.text, status)
		}
		at := slices.IndexFunc(did[next:], func(h happened) bool { return h.Status == t.to })
		if at < 0 {
			c.wrong("was told %q, which nobody did: %v", t.text, did)
			return
		}
		if status == "" {
			c.silent += at
		} else {
			c.merged += at
		}
		c.matched(did[next+at], t)
		next, status = next+at+1, t.to
	}
	for _, h := range did[next:] {
		if !c.statusKnown.IsZero() && h.At.After(c.statusKnown) {
			c.wrong("nobody was told of %s", h)
		}
		c.silent++
	}
}

// webhooksOf are the webhooks of each property in the order in which they were made.
func webhooksOf(all []outgoing) map[int][]outgoing {
	out := map[int][]outgoing{}
	for _, o := range all {
		id, _ := strconv.Atoi(o.Body.Data.PropertyID)
		out[id] = append(out[id], o)
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b outgoing) int { return a.number() - b.number() })
	}
	return out
}

// changesLetter is the subject of the letters about changes of a sale.
func changesLetter(address string) string { return "Sale of " + address + ": something has changed" }

// texts are what was told of the changes, in the words of letters.
func texts(matches []match) []string {
	var out []string
	for _, m := range matches {
		out = append(out, m.text)
	}
	slices.Sort(out)
	return out
}
