package sales

import (
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/sales/change"
)

// News is a change that was seen and is to be told.
type News struct {
	At     time.Time     `json:"at"`
	Change change.Change `json:"change"`
}

// kind is what policy calls a change in its table of who is told.
func (n News) kind() string {
	switch n.Change.Kind {
	case change.StatusChanged:
		return policy.AlertStatus
	case change.Joined, change.Left, change.RoleChanged, change.Accepted, change.InvitedAgain:
		return policy.AlertTeam
	case change.MilestoneAdded, change.MilestoneRemoved, change.MilestoneCompleted, change.MilestoneReopened, change.DueMoved,
		change.MilestoneRenamed, change.MilestoneAmended:
	}
	return policy.AlertMilestones
}

// letters are all mails that are due now: about alerts, changes, reports of other
// systems, and milestones that OpenMoove did not make.
func (s *SaleState) letters(alerts []progress.Alert, reports []reportNews, rules policy.Sales) ([]activities.Message, error) {
	var out []activities.Message
	add := func(step string, tell []string, letter string, data policy.LetterData) error {
		for _, person := range s.recipients(tell, rules) {
			m := activities.Message{
				Step: step + " to " + person.ID, Class: activities.Routine, Channels: []activities.Channel{activities.Mail}, To: person,
			}
			data.Recipient, data.Method = person.Name, policy.Words(string(s.Method))
			data.Address, data.Postcode, data.Percent = s.Address, s.Postcode, s.Course.Progress.Percent
			if current := s.Course.Progress.Current; current != nil {
				data.Current = current.Name
			}
			var err error
			if m.Subject, m.Text, err = rules.Letter(letter, data); err != nil {
				return err
			}
			out = append(out, m)
		}
		return nil
	}
	for _, a := range alerts {
		if err := add("alert "+a.Key, a.To, policy.LetterProgress, alertData(a, rules)); err != nil {
			return nil, err
		}
	}
	if len(s.News) > 0 {
		s.Letters++
		step := fmt.Sprintf("changes %d", s.Letters)
		tell := rules.Progress.Tell
		everybody := slices.Concat(tell[policy.AlertMilestones], tell[policy.AlertTeam], tell[policy.AlertStatus])
		for _, to := range slices.Compact(slices.Sorted(slices.Values(everybody))) {
			lines := s.newsFor(to, rules)
			if len(lines) == 0 {
				continue
			}
			if err := add(step+" for "+to, []string{to}, policy.LetterChanges, policy.LetterData{Changes: lines, Status: s.Status}); err != nil {
				return nil, err
			}
		}
		s.News = nil
	}
	for _, r := range reports {
		if err := add(r.kind+" "+r.report.Key, rules.Progress.Tell[r.kind], r.letter(), r.data(rules)); err != nil {
			return nil, err
		}
	}
	if s.BornHere && s.Verified && len(s.Missing) > 0 && !s.MissingTold {
		s.MissingTold = true
		if err := add("milestones missing", []string{policy.ToManager}, policy.LetterMilestonesMissing, policy.LetterData{Milestones: s.Missing}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// newsFor is what one of the policy's roles is told of the news, a line each.
func (s *SaleState) newsFor(to string, rules policy.Sales) []string {
	var lines []string
	for _, n := range s.News {
		if slices.Contains(rules.Progress.Tell[n.kind()], to) {
			lines = append(lines, n.Change.Sentence(rules.TimeZone))
		}
	}
	return lines
}

// recipients are those whom something goes to: everybody of the team in the roles,
// and the manager where he is named or nobody else is there.
func (s *SaleState) recipients(roles []string, rules policy.Sales) []activities.Person {
	var people []activities.Person
	manager := false
	for _, to := range roles {
		if to == policy.ToManager {
			manager = true
			continue
		}
		found := false
		for _, m := range s.Team {
			if string(m.Role) == to && m.Email != "" {
				people, found = append(people, activities.Person{ID: to, Name: m.Name, Email: m.Email}), true
			}
		}
		manager = manager || !found
	}
	if manager {
		people = append(people, activities.Person{ID: policy.ToManager, Name: rules.Manager.Name, Email: rules.Manager.Email})
	}
	return people
}

// alertData is what the letter about an alert says.
func alertData(a progress.Alert, rules policy.Sales) policy.LetterData {
	data := policy.LetterData{Alert: alertWords(a.Kind)}
	if a.Step != nil {
		data.Step = a.Step.Name
		if !a.Step.DueAt.IsZero() {
			data.DueOn = rules.Date(a.Step.DueAt)
		}
	}
	return data
}
