package leasing

import (
	"strings"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// lettersOf is what everybody of an audience is sent.
func lettersOf(b campaign.Base, t campaign.Tell) []activities.Letter {
	var people []activities.Person
	class, tenant := activities.Work, false
	switch t.To {
	case campaign.Tenants:
		people, class, tenant = b.Lease.Tenants, activities.Routine, true
	case campaign.Owners:
		people, class = b.Owners, activities.Routine
	case campaign.Manager:
		people = []activities.Person{activities.PersonOf(b.Rules.Manager)}
	case campaign.One:
		people = []activities.Person{t.Person}
		for _, p := range b.Lease.Tenants {
			tenant = tenant || p.ID == t.Person.ID
		}
		if tenant {
			class = activities.Routine
		}
	}
	answered := func(string) bool { return false }
	if w, open := b.Asking(t.Step); open {
		answered = w.HasAnswered
	}
	var letters []activities.Letter
	for _, person := range people {
		if t.Ask != nil && answered(person.ID) {
			continue // only the others are asked again
		}
		l := activities.Letter{
			Step: t.Step + "/" + person.ID, To: person, Text: t.Text, Data: t.Data, Class: class,
			Marketing: t.Marketing, MailOnly: t.MailOnly, Service: !tenant || takesBack(t.Text) || awaited(t.Text),
		}
		l.Data.Recipient = person.Name
		if tenant {
			l.ContactID = contactOf(person)
		}
		if t.Ask != nil {
			l.Ask = &activities.LetterAsk{
				Purpose: t.Ask.Purpose, Choices: t.Ask.Choices, Fields: t.Ask.Fields, Details: t.Ask.Details, Until: t.Ask.Until,
			}
		}
		letters = append(letters, l)
	}
	return letters
}

// takesBack tells whether a text takes back what was said before: it is sent even when
// the campaign has ended.
func takesBack(text string) bool {
	switch text {
	case policy.TextMoveInInspectionOff, policy.TextMoveInCancelled, policy.TextRenewalWithdrawn, policy.TextPackageOff, policy.TextUtilityOff,
		policy.TextOwnerDone, policy.TextManagerNotice:
		return true
	}
	return false
}

// awaited tells whether its receivers wait for a text: caps across campaigns do not hold
// it back.
func awaited(text string) bool {
	return text == policy.TextRenewalSign || text == policy.TextRenewalDone
}

// hasPerson tells whether a step is that of a letter to a person.
func hasPerson(step, person string) bool {
	return strings.HasSuffix(step, "/"+person) || strings.HasSuffix(step, "/"+person+"/mail")
}

// contactOf is RentVine's contact id of a tenant.
func contactOf(p activities.Person) string { return strings.TrimPrefix(p.ID, "contact:") }
