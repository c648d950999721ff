package portfolio

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/activities/listingtext"
	"github.com/aictive/keyholder/workflows/asking"
)

// What questions are for, and what the form of the manager's asks.
const (
	purposeApprove = "approve_listing"
	purposeShowing = "showing"
	purposeBooked  = "showing_booked"
	purposeApply   = "apply_for_home"

	stepApprove   = "approve"
	fieldRent     = "rent"
	fieldHeadline = "headline"
	fieldText     = "text"
)

// applyFor is how long a prospect may say that he applies.
const applyFor = 60 * 24 * time.Hour

// approval is the question whether to publish the home.
func (s *VacancyState) approval(u UnitNow, why string, now time.Time) asking.Question {
	title := "Publish " + homeOf(u) + "?"
	rent := "not known: please give it"
	if s.Rent > 0 {
		rent = s.money(s.Rent) + " a month, " + s.RentWhy
	}
	details := []activities.Detail{
		{Label: "Why", Text: why}, {Label: "Rent", Text: rent}, {Label: "Available", Text: listingtext.Day(s.available(u, now))},
		{Label: "Headline", Text: s.Words.Headline}, {Label: "Text", Text: s.Words.Text},
	}
	text := fmt.Sprintf("%s is empty (%s).\n\nRent: %s\n\n%s\n%s\n\n", homeOf(u), why, rent, s.Words.Headline, s.Words.Text)
	switch after := s.Rules.Vacancy.PublishAfter; {
	case s.Known && after > 0:
		at := now.Add(after)
		if !s.PublishAt.IsZero() {
			at = s.PublishAt
		}
		text += "Without an answer it is published on " + listingtext.Day(activities.DayIn(at, s.zone(u))) + ".\n"
	default:
		text += "It is published when you say so.\n"
	}
	return asking.Question{
		Step: fmt.Sprintf("%s/%d", stepApprove, s.Asked+1), Zone: s.zone(u), Title: title, To: s.askee(),
		Text: text + "Approve it, change the rent or the words, or withdraw it: {link}",
		Ask: activities.Ask{
			Purpose: purposeApprove, Title: title, Details: details, ExpiresAt: now.Add(questionLife),
			Options: []activities.Option{
				{Key: "1", Choice: choicePublish, Label: "Publish it"},
				{Key: "2", Choice: choiceWithdraw, Label: "Do not offer it", WantsNote: true},
			},
			Fields: []activities.Field{
				{Name: fieldRent, Label: "Rent a month (proposed: " + rent + ")", Kind: activities.FieldMoney, Currency: s.Rules.Currency, For: []string{choicePublish}},
				{Name: fieldHeadline, Label: "Another headline, or nothing", Kind: activities.FieldText},
				{Name: fieldText, Label: "Another text, or nothing", Kind: activities.FieldText},
			},
		},
	}
}

// letter is what a prospect is told now. It names nobody, and says nothing that a stranger
// wrote: a form may hold another's address.
func (s *VacancyState) letter(p *Prospect, u UnitNow, now time.Time) activities.Message {
	home := homeOf(u)
	m := activities.Message{
		Step: p.step(), Class: activities.Work, Channels: p.channels(), Subject: "Your request about " + home,
		To:    activities.Person{ID: fmt.Sprintf("prospect-%d", p.N), Name: p.Lead.Name, Email: p.Lead.Email, Phone: p.Lead.Phone},
		State: u.Property.State,
	}
	say := func(asks bool, words string) {
		code := ""
		if asks {
			code = " {code}"
		}
		m.Text = s.Rules.Company + code + ": " + words
		m.MailText = "Hello,\n\n" + words + "\n\n" + s.Rules.Company
	}
	switch p.Letter {
	case letterWindows:
		s.windowsLetter(p, home, s.zone(u), &m, say)
	case letterNoTimes:
		say(false, "thank you for asking about "+home+". We will get in touch with you about a time to see it.")
	case letterBooked:
		when := windowText(p.Window, s.zone(u))
		m.Ask = &activities.Ask{
			Purpose: purposeBooked, Title: "Showing of " + home, ExpiresAt: p.Window.Start,
			Details: []activities.Detail{{Label: "When", Text: when}, {Label: "Where", Text: home}},
			Options: []activities.Option{
				{Key: "1", Choice: choiceOther, Label: "I need another time", WantsNote: true},
				{Key: "2", Choice: choiceNo, Label: "I do not want to see it any more", WantsNote: true},
			},
		}
		say(true, "we show you "+home+" on "+when+". To change or cancel: {link}")
	case letterApply:
		m.Ask = &activities.Ask{
			Purpose: purposeApply, Title: "Apply for " + home, ExpiresAt: now.Add(applyFor),
			Details: []activities.Detail{{Label: "Home", Text: home}, {Label: "Rent", Text: s.money(s.Rent) + " a month"}},
			Options: []activities.Option{
				{Key: "1", Choice: choiceApply, Label: "I would like to apply"},
				{Key: "2", Choice: choiceNo, Label: "It is not for me", WantsNote: true},
			},
		}
		say(true, "thank you for seeing "+home+". Would you like to apply for it? Please tell us here: {link}")
	case letterApplied:
		say(false, "we have your wish to apply for "+home+", and will write to you about your application.")
	case letterMany:
		say(false, "thank you for asking about "+home+". So many have asked that we cannot show it to you now. Please ask again in a few days.")
	case letterGone:
		say(false, home+" is not available any more. Thank you for your interest.")
	}
	return m
}

// windowsLetter asks a prospect to choose a time.
func (s *VacancyState) windowsLetter(p *Prospect, home, zone string, m *activities.Message, say func(bool, string)) {
	m.Ask = &activities.Ask{
		Purpose: purposeShowing, Title: "See " + home, Options: windowOptions(p.Windows, zone),
		Details: []activities.Detail{{Label: "Home", Text: home}, {Label: "Rent", Text: s.money(s.Rent) + " a month"}},
	}
	var short []string
	for i, w := range p.Windows {
		short = append(short, fmt.Sprintf("%d for %s", i+1, windowText(w, zone)))
		m.Ask.ExpiresAt = w.Start
	}
	words := "thank you for asking about " + home + ". When would you like to see it?"
	switch {
	case p.Taken:
		words = "somebody was faster with that time. When else would you like to see " + home + "?"
	case p.Others > 0:
		words = "here are other times to see " + home + "."
	case p.Asked > 0:
		words = "would you still like to see " + home + "? Please choose a time."
	}
	say(true, words+" Reply "+strings.Join(short, ", ")+", or open {link}")
	m.MailText = "Hello,\n\n" + strings.ToUpper(words[:1]) + words[1:] + "\n\nChoose a time here: {link}\n\n" + s.Rules.Company
}

// windowOptions are the times to choose from, and the ways out. A choice names its time,
// so that the answer to an older letter means what it said.
func windowOptions(windows []appointments.Window, zone string) []activities.Option {
	var options []activities.Option
	for _, w := range windows {
		options = append(options, activities.Option{
			Key: strconv.Itoa(len(options) + 1), Choice: choiceAt + strconv.FormatInt(w.Start.Unix(), 10), Label: windowText(w, zone),
		})
	}
	return append(options,
		activities.Option{Key: strconv.Itoa(len(options) + 1), Choice: choiceOther, Label: "Other times", WantsNote: true},
		activities.Option{Key: strconv.Itoa(len(options) + 2), Choice: choiceNo, Label: "I do not want to see it", WantsNote: true})
}

// invitation is a showing as the calendar of the agent or of the prospect has it, or its
// cancellation.
func (s *VacancyState) invitation(p *Prospect, u UnitNow, ref string, show Showing, toAgent, cancel bool) activities.SendInvitationsInput {
	home := homeOf(u)
	in := activities.SendInvitationsInput{
		Ref: ref, UID: fmt.Sprintf("showing-%d-%d-%s", p.N, show.Visit, ref), Cancel: cancel, Window: show.Window,
		PortfolioID: u.Property.PortfolioID, PropertyID: u.Property.ID, Zone: s.zone(u),
		Summary: "Showing of " + home, Location: home, Description: "Showing of " + home,
		Text:   s.Rules.Company + ": the showing of " + home + " is on {window}. The calendar entry is attached.",
		People: []activities.Person{{ID: fmt.Sprintf("prospect-%d", p.N), Name: p.Lead.Name, Email: p.Lead.Email}},
	}
	if cancel {
		in.Sequence = 1
		in.Text = s.Rules.Company + ": the showing of " + home + " on {window} is cancelled."
	}
	if toAgent {
		in.People = []activities.Person{activities.PersonOf(s.Rules.Agent)}
		in.Description = fmt.Sprintf("Prospect %d\n%s", p.N, p.card())
		in.Text += "\n\n" + in.Description
	}
	return in
}
