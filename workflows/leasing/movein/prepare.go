package movein

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

const (
	// dateTimes is how often the manager is asked again for a missing date.
	dateTimes = 3
	// dateAhead is how many years ahead a move-in may be.
	dateAhead = 2
	// contactFor is how long tenants' wishes are waited for; half way they are asked again.
	contactFor = 14 * 24 * time.Hour
	// mailFor is how late a mail of the series may be.
	mailFor = 48 * time.Hour
)

// missing asks the manager for the day.
func (s *State) missing(now time.Time) {
	if s.AskedDate {
		return
	}
	s.AskedDate = true
	s.set(PartDate, Asked, "")
	var again []time.Time
	every := max(s.Rules.MoveIn.DateWithin, time.Hour)
	for i := range dateTimes {
		again = append(again, now.Add(time.Duration(i+1)*every))
	}
	from, to := s.dateBounds(now)
	s.ask(campaign.Question{
		Tell:    campaign.Tell{To: campaign.Manager, Text: policy.TextManagerMoveInDate},
		Purpose: askDate, Choices: []string{"date", "none"},
		Fields:   []activities.Field{{Name: "date", Label: "Day of the move-in", Kind: activities.FieldDate, For: []string{"date"}, From: from, To: to}},
		RemindAt: again, GiveUpAt: now.Add((dateTimes + 1) * every),
	}, now)
}

// dateBounds are the days between which a move-in makes sense.
func (s *State) dateBounds(now time.Time) (from, to string) {
	return s.dayOf(now.Add(-s.Rules.MoveIn.Late)), s.dayOf(now.AddDate(dateAhead, 0, 0))
}

func (s *State) heardDate(a durable.Answer, now time.Time) durable.Outcome {
	switch a.Choice {
	case "date":
		day := strings.TrimSpace(a.Fields["date"])
		if from, to := s.dateBounds(now); !isDay(day) || day < from || day > to {
			s.Anew(askDate, managerOf(s.Rules))
			return durable.Outcome{Message: fmt.Sprintf("Please give the day of the move-in as YYYY-MM-DD, between %s and %s. You are being asked again.", from, to)}
		}
		s.Said = day
		s.Note(now, "the manager has said when the move-in is")
		s.redate(now)
		return durable.Outcome{Message: "Thank you. The move-in is prepared for that day, until RentVine has one."}
	case "none":
		s.Settle(askDate)
		s.set(PartDate, Planned, "the manager does not know it: waits for RentVine")
		return durable.Outcome{Message: "Thank you. The move-in waits until RentVine has its date."}
	}
	return durable.Outcome{Message: sorry}
}

func managerOf(r policy.Leasing) activities.Person { return activities.PersonOf(r.Manager) }

// contacts asks every tenant once how they wish to be written to.
func (s *State) contacts(now time.Time) {
	for _, p := range s.Lease.Tenants {
		name := partOf(PartContact, p.ID)
		if state := s.Part(name).State; state != "" && state != CalledOff {
			continue
		}
		s.set(name, Asked, "")
		s.due(name, s.dayOf(now.Add(contactFor)))
		s.ask(campaign.Question{
			Tell:    campaign.Tell{To: campaign.One, Person: p, Text: policy.TextMoveInContact},
			Purpose: askContact + "_" + p.ID, Choices: []string{"text", "mail"},
			Fields:   []activities.Field{{Name: "language", Label: "Language", Kind: activities.FieldText}},
			RemindAt: []time.Time{now.Add(contactFor / 2)}, GiveUpAt: now.Add(contactFor),
		}, now)
	}
}

func (s *State) heardContact(person string, a durable.Answer, now time.Time) durable.Outcome {
	c := Contact{Person: person, Language: languageOf(a.Fields["language"]), At: now}
	switch a.Choice {
	case "text":
		c.Consent, c.Channel = activities.ConsentGiven, activities.SMS
	case "mail":
		c.Consent, c.Channel = activities.ConsentRefused, activities.Mail
	default:
		return durable.Outcome{Message: sorry}
	}
	s.Contacts = slices.DeleteFunc(s.Contacts, func(o Contact) bool { return o.Person == person })
	s.Contacts = append(s.Contacts, c)
	s.Settle(askContact + "_" + person)
	s.set(partOf(PartContact, person), Done, "by "+string(c.Channel))
	return durable.Outcome{Message: "Thank you. That is how we will write to you."}
}

// languages are the tags of what people write for a language.
var languages = map[string]string{
	"english": "en", "inglés": "en", "ingles": "en", "spanish": "es", "español": "es", "espanol": "es", "castellano": "es",
	"french": "fr", "français": "fr", "francais": "fr", "german": "de", "deutsch": "de", "portuguese": "pt", "português": "pt",
	"chinese": "zh", "中文": "zh", "vietnamese": "vi", "tiếng việt": "vi", "korean": "ko", "한국어": "ko", "tagalog": "tl",
	"russian": "ru", "русский": "ru", "arabic": "ar", "العربية": "ar",
}

// languageOf is the tag of a language by its name or tag, "" where it is not known.
func languageOf(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if tag, ok := languages[text]; ok {
		return tag
	}
	base, _, _ := strings.Cut(text, "-")
	for _, tag := range languages {
		if tag == base {
			return tag
		}
	}
	return ""
}

// Contact is what a tenant has said; ok is false where that is nothing.
func (s *State) Contact(person string) (c Contact, ok bool) {
	for _, c := range s.Contacts {
		if c.Person == person {
			return c, true
		}
	}
	return Contact{}, false
}

// ContactSaved takes that it was noted; failure says why it could not be, "" otherwise.
func (s *State) ContactSaved(person, failure string, now time.Time) {
	for i := range s.Contacts {
		if c := &s.Contacts[i]; c.Person == person && !c.Saved {
			c.Saved = true
			if failure != "" {
				s.fail(partOf(PartContact, person), "how a tenant wishes to be written to could not be noted", now)
			}
		}
	}
	s.Tick(now)
}

// checks notes when the recurring checks begin; the lease sees to them.
func (s *State) checks() {
	all := s.Checks()
	if len(all) == 0 {
		s.set(PartChecks, Skipped, "the policy has none")
		return
	}
	first := all[0].On
	for _, c := range all {
		first = min(first, c.On)
	}
	s.set(PartChecks, Done, fmt.Sprintf("%d planned", len(all)))
	s.due(PartChecks, first)
}

// mailOf is the part of a mail of the series.
func mailOf(w policy.Welcome) string {
	return PartWelcome + "/" + strings.TrimPrefix(w.Text, "welcome_")
}

// welcome sends the mail that is due: of several the newest, and none that is too late.
func (s *State) welcome(now time.Time) {
	newest, newestAt := policy.Welcome{}, time.Time{}
	var known []string
	for _, w := range s.Rules.MoveIn.Welcome {
		name, at := mailOf(w), s.at(w.Day)
		known = append(known, name)
		if s.Part(name).State == "" {
			s.set(name, Planned, "")
		}
		if !s.is(name, Planned) {
			continue
		}
		s.due(name, s.dayOf(at))
		switch {
		case at.After(now):
			continue
		case now.Sub(at) > mailFor:
			s.set(name, Skipped, "its day had passed")
			continue
		case newest.Text == "":
		case at.Before(newestAt):
			s.set(name, Skipped, "a later one goes at once")
			continue
		default:
			s.set(mailOf(newest), Skipped, "a later one goes at once")
		}
		newest, newestAt = w, at
	}
	if newest.Text != "" {
		s.set(mailOf(newest), Done, "")
		s.tell(campaign.Tell{To: campaign.Tenants, Text: newest.Text, MailOnly: true})
	}
	s.forget(PartWelcome, known)
}

// forget skips the planned parts of a kind that the policy does not have any more.
func (s *State) forget(kind string, known []string) {
	for _, p := range slices.Clone(s.Parts) {
		if strings.HasPrefix(p.Name, kind+"/") && p.State == Planned && !slices.Contains(known, p.Name) {
			s.set(p.Name, Skipped, "the policy does not have it any more")
		}
	}
}
