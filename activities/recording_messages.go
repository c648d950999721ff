package activities

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aictive/keyholder/store"
)

// mostKept bounds the words of a message that the audit keeps, in bytes.
const mostKept = 4000

// whyNoAddress is why somebody is not mailed.
const whyNoAddress = "no address"

// messageAbout describes a message by one channel. The audit keeps its words without links
// and codes, and never the address.
func (a *Activities) messageAbout(m Message, ch Channel, question string) about {
	w := about{kind: store.AuditMessage, partner: atTwilio, what: "text " + toWhom(m), subject: store.SubjectOf(m.To.ID)}
	if m.ContactID != "" {
		w.subject = "contact/" + m.ContactID
	}
	words := m.Text
	if ch == Mail {
		w.partner, w.what = atMail, "mail "+toWhom(m)
		if m.MailText != "" {
			words = m.MailText
		}
		words = strings.TrimSpace(m.Subject + "\n" + words)
	}
	w.details = a.withoutLinks(strings.NewReplacer("{code}", "[code]", "{link}", "[link]").Replace(words))
	if question != "" {
		w.links = []string{"question/" + question}
	}
	return w
}

// toWhom names a message for the audit.
func toWhom(m Message) string {
	text := "to " + m.To.ID + ": " + m.Step + ", " + strings.ReplaceAll(string(m.Class), "_", " ")
	if m.Campaign != "" {
		text += ", campaign " + m.Campaign
	}
	return text
}

// withoutLinks hides our own links, which let in whoever has them, and cuts what is long.
func (a *Activities) withoutLinks(text string) string {
	if a.PublicURL != "" {
		parts := strings.Split(text, a.PublicURL+"/")
		for i, part := range parts[1:] {
			end := strings.IndexFunc(part, func(r rune) bool { return strings.ContainsRune(" \t\r\n<>\"')", r) })
			if end < 0 {
				end = len(part)
			}
			parts[i+1] = "[link]" + part[end:]
		}
		text = strings.Join(parts, "")
	}
	if len(text) <= mostKept {
		return text
	}
	cut := mostKept
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// mailAbout describes a mail that carries more than words, of which the audit keeps the
// subject line.
func mailAbout(person, what, subject string, links ...string) about {
	return about{kind: store.AuditMessage, partner: atMail, what: mailTo(person, what), subject: store.SubjectOf(person), details: subject, links: links}
}

func mailTo(person, what string) string { return "mail to " + person + ": " + what }

// notSent records why a message did not leave, once for each reason and time until which it
// is held back: whoever reads a case must see why nobody was told.
func notSent(ctx context.Context, key, what string, sent Sent, links ...string) {
	id, text := "held/"+key+"/"+strings.ReplaceAll(sent.Why, " ", "-"), what+": not sent"
	switch sent.Outcome {
	case MessageHeld:
		text = what + ": held back"
		// A pause has no end that is known: it is looked at again and again.
		if !sent.HeldUntil.IsZero() && sent.Why != errPaused.Error() {
			until := sent.HeldUntil.UTC().Format(time.RFC3339)
			id, text = id+"/"+until, text+" until "+until
		}
	case MessageRecorded:
		text = what + ": recorded only"
	case MessageImpossible, MessageSent:
	}
	record(ctx, store.AuditEntry{
		ID: id, Kind: store.AuditDecision, Actor: byPolicy, What: text + ", " + sent.Why, Links: links,
	})
}

// portfolioLinks links to a portfolio, "" is none.
func portfolioLinks(id string) []string {
	if id == "" {
		return nil
	}
	return []string{"portfolio/" + id}
}
