package ingress

import (
	"context"
	"net/http"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/clients/phone"
	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/portfolio"
)

const (
	// maxLeadMessage bounds what a prospect writes, maxLeadName his name, in characters.
	maxLeadMessage = 2000
	maxLeadName    = 100
	// maxLeadForm bounds the posted form: a character may be posted as twelve bytes.
	maxLeadForm = 32 << 10
	// otherSource stands for a source where the policy names none.
	otherSource = "other"
)

// sourceWord is what ?src= may say.
var sourceWord = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// takeLead takes the form of somebody who is interested in a home.
func (p *People) takeLead(c echo.Context) error {
	const kind = "lead_form"
	l, stopped := p.listing(c)
	if stopped != nil {
		return p.showStop(c, kind, stopped)
	}
	if !p.sameSite(c.Request()) {
		return p.showStop(c, kind, &stopPage{http.StatusForbidden, "cross_site", pages.View{
			Heading: "Not taken", Text: "That came from another site. Please open the home's page and send it from there.", Tone: pages.Bad}})
	}
	_, body, refused := readBody(c, maxLeadForm, echo.MIMEApplicationForm)
	if refused != nil {
		return p.showStop(c, kind, malformed(refused.status, "That did not arrive whole, or is too long. Please go back and try again."))
	}
	typed, err := url.ParseQuery(string(body))
	if err != nil {
		return p.showStop(c, kind, malformed(http.StatusBadRequest, "That did not arrive whole. Please go back and try again."))
	}
	if typed.Get("leave_empty") != "" { // only a machine fills in what nobody sees
		p.count(kind, "machine")
		return p.show(c, http.StatusOK, thanksPage(l))
	}
	lead, form := p.readLead(typed, l)
	if len(form.Wrong) > 0 {
		p.count(kind, "incomplete")
		return p.showHome(c, http.StatusUnprocessableEntity, l, form)
	}
	if !p.leads.allow("client "+visitorOf(c)) || !p.leads.allow("contact "+p.contactHash(lead)) {
		return p.showStop(c, kind, &stopPage{http.StatusTooManyRequests, "rate_limited", pages.View{
			Heading: "One moment, please", Text: "We have your earlier messages. Please try again in a few minutes.", Tone: pages.Bad}})
	}
	fate := p.giveLead(c.Request().Context(), l, lead)
	p.count(kind, string(fate))
	switch fate {
	case fateGone:
		return p.show(c, http.StatusGone, notOffered(http.StatusGone).view)
	case fateAway:
		form.Wrong = map[string]string{"form": "We could not take that just now. Nothing is lost: please send it again in a moment."}
		return p.showHome(c, http.StatusServiceUnavailable, l, form)
	case fateTaken, fateLate, fateReceived, fateRefused:
	}
	return p.show(c, http.StatusOK, thanksPage(l))
}

func thanksPage(l store.Listing) pages.View {
	return pages.View{Heading: "Thank you", Text: "We have your message and answer you in a moment, with times to see the home.", Title: placeOf(l), Tone: pages.Good}
}

// readLead is what was typed, as a lead and as a form that is shown again where it is wrong.
func (p *People) readLead(typed url.Values, l store.Listing) (portfolio.Lead, pages.LeadForm) {
	form := pages.LeadForm{
		Name: oneLine(typed.Get("name")), Email: oneLine(typed.Get("email")), Phone: oneLine(typed.Get("phone")),
		Texts: typed.Get("texts") != "", Message: cleanNote(typed.Get("message")), Wrong: map[string]string{},
	}
	if src := typed.Get("src"); sourceWord.MatchString(src) {
		form.Source = src
	}
	lead := portfolio.Lead{
		Name: form.Name, Texts: form.Texts, Message: form.Message, Via: "form", At: time.Now().UTC(),
		Source: sourceOf(p.rulesOf(l).Vacancy.Sources, form.Source),
	}
	if form.Name == "" {
		form.Wrong["name"] = "Please write your name."
	} else if utf8.RuneCountInString(form.Name) > maxLeadName {
		form.Wrong["name"] = "That is too long: 100 characters at most."
	}
	if form.Email != "" {
		if lead.Email = plainAddress(form.Email); lead.Email == "" {
			form.Wrong["email"] = "Please check the address: it should look like ana@example.com."
		}
	}
	if form.Phone != "" {
		var err error
		if lead.Phone, err = phone.E164(form.Phone, p.regionOf(l)); err != nil {
			form.Wrong["phone"] = "Please check the number, with its area code."
		}
	}
	switch {
	case form.Email == "" && form.Phone == "":
		form.Wrong["email"] = "Please write an e-mail address or a phone number, so that we can answer."
	case form.Texts && form.Phone == "":
		form.Wrong["phone"] = "Please write the number that we may text."
	}
	if utf8.RuneCountInString(form.Message) > maxLeadMessage {
		form.Wrong["message"] = "That is too long: 2,000 characters at most."
	}
	lead.ID = p.leadID(l, lead, lead.Message+lead.At.Format(time.DateOnly))
	return lead, form
}

// leadID is the same for the same person with the same words about the same home. Nobody can
// tell from it who he is.
func (p *People) leadID(l store.Listing, lead portfolio.Lead, words string) string {
	return "lead-" + p.cfg.Keys.Address(strings.Join([]string{l.UnitID, lead.Email, lead.Phone, words}, "\n"))
}

func (p *People) contactHash(lead portfolio.Lead) string {
	return p.cfg.Keys.Address(lead.Email + "\n" + lead.Phone)
}

// regionOf is the country whose numbers are written without a prefix.
func (p *People) regionOf(l store.Listing) string {
	if p.cfg.Rules == nil {
		return "US"
	}
	return p.cfg.Rules.For(l.PortfolioID, l.PropertyID).Region
}

// giveLead brings a lead to the marketing of its home. It does not end when the sender hangs
// up. A lead that arrives twice is one, by its ID.
func (p *People) giveLead(ctx context.Context, l store.Listing, lead portfolio.Lead) fate {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signalWait)
	defer cancel()
	err := portfolio.LeadReceived.Send(ctx, p.cfg.Temporal, l.WorkflowID, lead)
	switch {
	case err == nil:
		p.cfg.Log.Info("lead delivered", zap.String("workflow", l.WorkflowID), zap.String("via", lead.Via), zap.String("source", lead.Source))
		_ = tell(ctx, p.cfg.Store, p.cfg.Log, leadEntry(l, lead)) // the workflow has it
		return fateReceived
	case workflowGone(err):
		return fateGone
	default:
		p.cfg.Log.Warn("Temporal did not confirm a lead", zap.String("workflow", l.WorkflowID), zap.Error(err))
		return fateAway
	}
}

// sourceOf is the policy's source for what a form's ?src= or the domain of a mail says: one
// that has it among its matches, else the first without any.
func sourceOf(sources []policy.ListingSource, said string) string {
	if found := namedSource(sources, said); found != "" {
		return found
	}
	for _, s := range sources {
		if len(s.Match) == 0 {
			return s.ID
		}
	}
	return otherSource
}

// namedSource is the source that is named, "" for none.
func namedSource(sources []policy.ListingSource, said string) string {
	said = strings.ToLower(said)
	for _, s := range sources {
		if said != "" && said == strings.ToLower(s.ID) {
			return s.ID
		}
		for _, match := range s.Match {
			match = strings.ToLower(match)
			if said == match || strings.Contains(match, ".") && strings.HasSuffix(said, "."+match) {
				return s.ID
			}
		}
	}
	return ""
}

// oneLine is text without line ends and what cannot be seen.
func oneLine(text string) string { return strings.Join(strings.Fields(cleanNote(text)), " ") }

// plainAddress is an e-mail address in lower case, "" where it is none.
func plainAddress(text string) string {
	a, err := netmail.ParseAddress(text)
	if err != nil || len(text) > 254 || a.Name != "" || !strings.EqualFold(a.Address, text) || strings.ContainsAny(text, " \"<>") {
		return ""
	}
	_, domain, _ := strings.Cut(a.Address, "@")
	if !strings.Contains(strings.Trim(domain, "."), ".") {
		return ""
	}
	return strings.ToLower(a.Address)
}
