package sales

import (
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales/change"
)

// Course is how far a sale is on its way, as its looks at OpenMoove have shown it.
// Times are business time.
type Course struct {
	Milestones []activities.Milestone `json:"milestones,omitempty"`
	// Known is true once the milestones were read; Fresh until they are judged.
	Known    bool              `json:"known,omitempty"`
	Fresh    bool              `json:"fresh,omitempty"`
	Progress progress.Progress `json:"progress"`
	// Judged is true once Progress is that of a first look.
	Judged bool `json:"judged,omitempty"`
	// Zone is where days are meant, as the policy said when it was last judged.
	Zone string `json:"zone,omitempty"`
	// Told are the keys of alerts that nobody is told again.
	Told []string `json:"told,omitempty"`
	// Timeline is what has changed, newest last.
	Timeline []Happening `json:"timeline,omitempty"`
	// DoneAt is when the last milestone was seen completed.
	DoneAt time.Time `json:"done_at,omitzero"`
}

// Happening is a change of the sale in words, without names.
type Happening struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Line is the entry as the audit is told of it.
func (h Happening) Line() durable.Line { return durable.Line{At: h.At, What: h.What} }

const (
	maxTimeline = 100
	maxTold     = 500
	// restsFor is how long a completed sale is still followed: a milestone may be
	// reopened.
	restsFor = 24 * time.Hour
)

// snapshot is what the sale shows, for comparing.
func (s *SaleState) snapshot() change.Snapshot {
	out := change.Snapshot{
		Status: s.Status, Milestones: s.Course.Milestones, NoMilestones: !s.Course.Known, NoTeam: len(s.Team) == 0 && s.TeamSeenAt.IsZero(),
	}
	for _, m := range s.Team {
		out.Team = append(out.Team, change.Member{Role: m.Role, Email: m.Email, Active: m.Active})
	}
	return out
}

// changed notes what a look has shown that is different from an earlier one. What no
// look has shown before is no change. Looks that are older than their time of reading
// are told to nobody, as it was then.
func (s *SaleState) changed(before change.Snapshot, v activities.SaleView, now time.Time) {
	after := s.snapshot()
	after.NoMilestones = after.NoMilestones || before.NoMilestones
	after.NoTeam = after.NoTeam || before.NoTeam
	if before.Status == "" {
		after.Status = ""
	}
	for _, c := range change.Diff(before, after) {
		if c.Quiet() {
			continue
		}
		s.happened(now, c.Sentence(s.Course.Zone))
		if len(s.News) < maxTimeline && !v.ReadAt.IsZero() {
			s.News = append(s.News, News{At: now, Change: c})
		}
	}
}

// compare takes something into the state and notes what that has changed of what the
// sale shows; v is the look that shows it.
func (s *SaleState) compare(v activities.SaleView, now time.Time, take func()) {
	before := s.snapshot()
	take()
	s.changed(before, v, now)
}

// happened adds to the timeline.
func (s *SaleState) happened(at time.Time, what string) {
	c := &s.Course
	c.Timeline = append(c.Timeline, Happening{At: at, What: what})
	c.Timeline = c.Timeline[max(0, len(c.Timeline)-maxTimeline):]
}

// judge brings the progress up to date and returns what is to be told now, once
// for each state. A sale that was there before us is adopted silently, and so is
// one of an import: it comes from another system, with all that is late there.
func (s *SaleState) judge(rules progress.Rules, now time.Time) []progress.Alert {
	c := &s.Course
	if !c.Known {
		return nil
	}
	before := c.Progress
	c.Progress = progress.Of(c.Milestones, now, s.instructedAt(), rules)
	old := !s.CreatedAt.IsZero() && s.CreatedAt.Before(s.BeganAt.Add(-day))
	silent := !c.Judged && (!s.BornHere || old || s.Origin == OriginImported)
	c.Judged, c.Fresh = true, false
	var tell []progress.Alert
	for _, a := range progress.Alerts(before, c.Progress, rules) {
		if slices.Contains(c.Told, a.Key) {
			continue
		}
		c.Told = append(c.Told, a.Key)
		if !silent && len(a.To) > 0 {
			tell = append(tell, a)
		}
	}
	c.Told = c.Told[max(0, len(c.Told)-maxTold):]
	switch {
	case !c.Progress.Done():
		c.DoneAt = time.Time{}
	case c.DoneAt.IsZero():
		c.DoneAt = now
	}
	return tell
}

// instructedAt is when the sale began: at OpenMoove, else when we first heard of it.
func (s *SaleState) instructedAt() time.Time {
	if s.CreatedAt.IsZero() {
		return s.BeganAt
	}
	return s.CreatedAt
}

// over tells whether the sale has been completed for long enough.
func (s *SaleState) over(now time.Time) bool {
	return !s.Course.DoneAt.IsZero() && !now.Before(s.Course.DoneAt.Add(restsFor))
}

// judgeAt is when the progress is to be judged again, zero for never.
func (s *SaleState) judgeAt() time.Time {
	if s.Course.Fresh || len(s.News) > 0 || s.reportsNew() {
		return s.BeganAt
	}
	at := s.Course.Progress.NextDue
	if !s.Course.DoneAt.IsZero() {
		at = s.Course.DoneAt.Add(restsFor)
	}
	if confirm := s.confirmBy(); !confirm.IsZero() && (at.IsZero() || confirm.Before(at)) {
		at = confirm
	}
	return at
}

// due is the next time at which there is something to do, zero for none.
func (s *SaleState) due(grace time.Duration) (at time.Time, why string) {
	for _, next := range []struct {
		at  time.Time
		why string
	}{{s.lookAt(grace), "ask OpenMoove"}, {s.judgeAt(), "a date of the sale"}, {s.sendAt(), "send what is held"}} {
		if !next.at.IsZero() && (at.IsZero() || next.at.Before(at)) {
			at, why = next.at, next.why
		}
	}
	return at, why
}

// sendAt is when the outbox is sent, zero where it is empty.
func (s *SaleState) sendAt() time.Time {
	if len(s.Outbox) == 0 {
		return time.Time{}
	}
	return later(s.OutboxFrom, s.BeganAt)
}

// posted takes what became of the outbox: what is held stays, and waits longer each
// time. An outbox that is empty holds up no later letter, but in runs that began when
// it did (atOnce is false).
func (s *SaleState) posted(results []activities.Sent, atOnce bool, now time.Time) {
	s.Outbox = slices.DeleteFunc(s.Outbox, func(m activities.Message) bool {
		return !slices.ContainsFunc(results, func(r activities.Sent) bool {
			return r.Step == m.Step && r.Outcome == activities.MessageHeld
		})
	})
	switch {
	case !atOnce:
		s.OutboxFrom = now.Add(heldAtLeast)
	case len(s.Outbox) == 0:
		s.OutboxFrom, s.Holds = time.Time{}, 0
	default:
		s.OutboxFrom = now.Add(min(heldAtLeast<<min(s.Holds, 5), day))
		s.Holds++
	}
}

// alertWords is what an alert says at the head of a letter.
func alertWords(k progress.Kind) string {
	switch k {
	case progress.Overdue:
		return "Overdue"
	case progress.HasStalled:
		return "No progress"
	case progress.AtRisk:
		return "Due soon"
	case progress.BackOnTrack:
		return "Back on track"
	case progress.Completed:
		return "Completed"
	}
	return strings.ReplaceAll(string(k), "_", " ")
}
