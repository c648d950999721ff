package ingress

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

const (
	// personLife is how long the link to a person's page is good (real time).
	personLife = 7 * 24 * time.Hour
	// answeredLately is how far back answers are shown (real time).
	answeredLately = 7 * 24 * time.Hour
)

// listWords are the texts that ask for the link to one's own page.
var listWords = []string{"LIST", "LINK", "LINKS", "TASKS"}

// sendList replies with the link to the page of whoever sent the text, where we know
// the phone: we asked it something, or the policy names it.
func (p *People) sendList(ctx context.Context, address string) (said, outcome string, err error) {
	if !p.chats.allow(address) {
		return "", "list_limited", nil
	}
	if _, named := p.known.now().addresses[address]; !named {
		asked, err := p.cfg.Store.WasAsked(ctx, address)
		if err != nil {
			return "", "away", err
		}
		if !asked {
			return saidNothing, "list_unknown", nil
		}
	}
	link := p.cfg.PublicURL + "/p/" + p.cfg.Keys.PersonToken(address, time.Now().Add(personLife))
	return "All that waits for you: " + link + " (for you alone, for 7 days)", "list", nil
}

// policyPeople knows the people of the policy by the hashes of their addresses.
type policyPeople struct {
	rules *policy.File
	keys  store.Keys

	mu   sync.Mutex
	last *knownPeople
}

// knownPeople are those of one version of the policy.
type knownPeople struct {
	policy *policy.Policy
	// addresses are all hashes of whoever has a phone, by that of the phone.
	addresses map[string][]string
	// managers are the property managers and escalation contacts, by their phone's.
	managers map[string]policy.Person
	// everybody is each person once, by name.
	everybody []policy.Person
	duties    []policy.Duty
}

// now is as the policy says it; nobody where there is none.
func (p *policyPeople) now() *knownPeople {
	if p.rules == nil {
		return &knownPeople{}
	}
	current := p.rules.Current()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil || p.last.policy != current {
		p.last = knowPeople(current, p.keys)
	}
	return p.last
}

func knowPeople(rules *policy.Policy, keys store.Keys) *knownPeople {
	k := &knownPeople{policy: rules, addresses: map[string][]string{}, managers: map[string]policy.Person{}, duties: rules.Duties()}
	ids := map[string]bool{}
	for _, person := range rules.People() {
		phone := keys.Address(person.Phone)
		for _, hash := range []string{phone, keys.Address(person.Email)} {
			if !slices.Contains(k.addresses[phone], hash) {
				k.addresses[phone] = append(k.addresses[phone], hash)
			}
		}
		if !ids[person.ID] {
			ids[person.ID] = true
			k.everybody = append(k.everybody, person)
		}
	}
	slices.SortStableFunc(k.everybody, func(a, b policy.Person) int { return cmp.Compare(a.Name, b.Name) })
	for _, d := range k.duties {
		for _, person := range append([]policy.Person{d.Settings.Manager}, d.Settings.Escalation...) {
			k.managers[keys.Address(person.Phone)] = person
		}
	}
	return k
}

// company is what applies to all, the zero value without a policy.
func (k *knownPeople) company() policy.Settings {
	if len(k.duties) == 0 {
		return policy.Settings{}
	}
	return k.duties[0].Settings
}

// name is what a person is called, the id of somebody who is not named any more.
func (k *knownPeople) name(id string) string {
	i := slices.IndexFunc(k.everybody, func(p policy.Person) bool { return p.ID == id })
	if i < 0 {
		return id
	}
	return k.everybody[i].Name
}

// localTime writes times as the company's people read them.
type localTime struct {
	zone *time.Location
	us   bool
}

func localTimeOf(s policy.Settings) localTime {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	return localTime{zone, s.Region == "US"}
}

// at is such as "Tue, Nov 24, 3:04 PM PST" or "Tue 24 Nov, 15:04 GMT"; a line does
// not end within the time of day.
func (l localTime) at(t time.Time) string {
	layout := "Mon 2 Jan, 15:04\u00a0"
	if l.us {
		layout = "Mon, Jan 2, 3:04\u00a0PM\u00a0"
	}
	t = t.In(l.zone)
	zone, _ := t.Zone()
	if strings.HasPrefix(zone, "+") || strings.HasPrefix(zone, "-") {
		zone = "UTC" + zone
	}
	return t.Format(layout) + zone
}

// person finds whose page a link opens, or the page that says why it opens none.
func (p *People) person(c echo.Context) (address string, stopped *stopPage) {
	address, ok := p.cfg.Keys.PersonOf(c.Param("token"), time.Now())
	who := "person " + address
	if address == "" {
		who = "client " + visitorOf(c)
	}
	switch {
	case !p.visits.allow(who):
		return "", tooManyVisits()
	case address == "":
		return "", unknownLink()
	case !ok:
		return "", &stopPage{http.StatusGone, "expired", pages.View{
			Heading: "This link has expired", Tone: pages.Plain,
			Text: "Text LIST to the number that our messages come from: a new link comes back at once."}}
	default:
		return address, nil
	}
}

// showPerson shows a person all that waits for them. It needs no worker, and of
// Temporal only a manager's board.
func (p *People) showPerson(c echo.Context) error {
	const kind = "person_open"
	address, stopped := p.person(c)
	if stopped != nil {
		return p.showStop(c, kind, stopped)
	}
	return p.showPage(c, kind, address, personPage{up: "../", said: saidDone[c.QueryParam("done")]})
}

// saidDone confirms what a form did, by the parameter that it redirects with.
var saidDone = map[string]string{"swapped": "The swap is made.", "cancelled": "The swap is cancelled."}

// personPage is what a page says beside what is known.
type personPage struct {
	// up leads to the root of the ingress.
	up   string
	said string
	// form is kept where it was wrong.
	form *swapForm
}

func (p *People) showPage(c echo.Context, kind, address string, page personPage) error {
	view, err := p.personView(c.Request().Context(), address, page)
	if err != nil {
		p.cfg.Log.Warn("a person's page could not be made", zap.Error(err))
		return p.showStop(c, kind, &stopPage{http.StatusServiceUnavailable, "away", pages.View{
			Heading: "Nothing to show just now", Text: "The list could not be read. Please try again in a moment.", Tone: pages.Bad}})
	}
	view.Token = c.Param("token")
	var body bytes.Buffer
	if err := pages.RenderPerson(&body, view); err != nil {
		return err
	}
	status, outcome := http.StatusOK, "shown"
	if page.form != nil {
		status, outcome = http.StatusUnprocessableEntity, "malformed"
	}
	p.count(kind, outcome)
	keepPrivate(c.Response().Header(), p.personCSP)
	return c.HTMLBlob(status, body.Bytes())
}

func (p *People) personView(ctx context.Context, address string, page personPage) (pages.PersonView, error) {
	storeCtx, cancel := context.WithTimeout(ctx, recordWait)
	defer cancel()
	known, now := p.known.now(), p.cfg.Clock.Now()
	company := known.company()
	local := localTimeOf(company)
	v := pages.PersonView{Up: page.up, Company: company.Company, Now: local.at(now), Said: page.said}
	waiting, answered, err := p.questionsOf(storeCtx, known, address, now)
	if err != nil {
		return v, err
	}
	v.More = len(waiting) > maxWaiting
	for _, q := range waiting[:min(maxWaiting, len(waiting))] {
		w := pages.Waiting{Title: q.Title, Code: shownCode(q), Asked: local.at(p.cfg.Clock.At(q.AskedAt)), Token: p.cfg.Keys.Token(q.ID)}
		if !q.ExpiresAt.IsZero() {
			w.Until = local.at(q.ExpiresAt)
		}
		v.Waiting = append(v.Waiting, w)
	}
	for _, q := range answered[:min(maxAnswered, len(answered))] {
		v.Answered = append(v.Answered, pages.Answered{Title: q.Title, Code: shownCode(q), Answer: labelOf(q, q.Answer)})
	}
	if _, ok := known.managers[address]; !ok {
		return v, nil
	}
	swaps, err := p.cfg.Store.LiveSwaps(storeCtx, now)
	if err != nil {
		return v, err
	}
	v.Manager = &pages.Manager{Teams: teamsOf(known, swaps, now), Swaps: swapsShown(known, swaps, local, now), Form: known.form(page.form, local, now)}
	p.lateNow(ctx, v.Manager, local, now)
	return v, nil
}

const (
	// maxWaiting and maxAnswered bound the lists of the page.
	maxWaiting  = 50
	maxAnswered = 20
)

// questionsOf are those of an address, and of the other addresses of whoever the
// policy names by it: newest first. Of a question that was repeated the newest is
// shown.
func (p *People) questionsOf(ctx context.Context, known *knownPeople, address string, now time.Time) (waiting, answered []store.Question, err error) {
	addresses := known.addresses[address]
	if len(addresses) == 0 {
		addresses = []string{address}
	}
	for _, a := range addresses {
		open, err := p.cfg.Store.WaitingQuestions(ctx, a, now)
		if err != nil {
			return nil, nil, err
		}
		done, err := p.cfg.Store.AnsweredQuestions(ctx, a, time.Now().Add(-answeredLately))
		if err != nil {
			return nil, nil, err
		}
		waiting, answered = append(waiting, open...), append(answered, done...)
	}
	newest := func(a, b store.Question) int { return b.AskedAt.Compare(a.AskedAt) }
	slices.SortStableFunc(waiting, newest)
	slices.SortStableFunc(answered, newest)
	type subject struct {
		workflow, title string
		purpose         store.Purpose
	}
	seen := map[subject]bool{}
	waiting = slices.DeleteFunc(waiting, func(q store.Question) bool {
		s := subject{q.WorkflowID, q.Title, q.Purpose}
		defer func() { seen[s] = true }()
		return seen[s]
	})
	return waiting, answered, nil
}

// zoneName is such as "Los Angeles time" or "UTC".
func zoneName(zone *time.Location) string {
	_, place, found := strings.Cut(zone.String(), "/")
	if !found {
		return zone.String()
	}
	return inWords(place) + " time"
}
