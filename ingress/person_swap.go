package ingress

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

const (
	// swapMaxBody bounds the posted form: four short fields.
	swapMaxBody = 8 << 10
	// swapLongest is how long somebody may stand in, swapAhead how far ahead that may
	// begin, and swapBack how far back, all in business time.
	swapLongest = 62 * 24 * time.Hour
	swapAhead   = 366 * 24 * time.Hour
	swapBack    = 24 * time.Hour
	// fieldTime is how browsers send a datetime-local field.
	fieldTime = "2006-01-02T15:04"
)

var noncePattern = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// swapForm is the form as it was posted, and what is wrong with it by field.
type swapForm struct {
	nonce, out, in, from, to string
	wrong                    map[string]string
}

// postSwap makes a swap or cancels one, for a manager, and leads back to the page: its
// reload posts nothing. The form's nonce is the swap's id, so that the same form again
// is the same swap.
func (p *People) postSwap(c echo.Context) error {
	const kind = "person_swap"
	address, stopped := p.person(c)
	if stopped != nil {
		return p.showStop(c, kind, stopped)
	}
	known := p.known.now()
	manager, ok := known.managers[address]
	form, stopped := swapFields(c)
	switch {
	case !p.sameSite(c.Request()):
		return p.showStop(c, kind, &stopPage{http.StatusForbidden, "cross_site", pages.View{
			Heading: "Not taken", Text: "That came from another site. Please open your own page from the message.", Tone: pages.Bad}})
	case !ok:
		return p.showStop(c, kind, &stopPage{http.StatusForbidden, "not_manager", pages.View{
			Heading: "Not taken", Text: "Only property managers and escalation contacts arrange who is on call.", Tone: pages.Bad}})
	case stopped != nil:
		return p.showStop(c, kind, stopped)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), recordWait)
	defer cancel()
	done, filled, err := p.swap(ctx, known, manager, form)
	switch {
	case err != nil:
		p.cfg.Log.Warn("a swap could not be recorded", zap.Error(err))
		return p.showStop(c, kind, &stopPage{http.StatusServiceUnavailable, "away", pages.View{
			Heading: "Not recorded", Text: "That could not be recorded just now. Please go back and try again in a moment.", Tone: pages.Bad}})
	case filled != nil:
		return p.showPage(c, kind, address, personPage{up: "../../", form: filled})
	}
	p.count(kind, done)
	// Relative, as all links are: the ingress may be below a path.
	keepPrivate(c.Response().Header(), p.personCSP)
	return c.Redirect(http.StatusSeeOther, "../"+c.Param("token")+"?done="+done)
}

// swap does what the form asks for. filled is the form where something is wrong
// with it.
func (p *People) swap(ctx context.Context, known *knownPeople, manager policy.Person, form url.Values) (done string, filled *swapForm, err error) {
	if id := form.Get("cancel"); id != "" {
		if err := p.cfg.Store.CancelSwap(ctx, id); err != nil {
			return "", nil, err
		}
		p.cfg.Log.Info("on-call swap cancelled")
		return "cancelled", nil, nil
	}
	now := p.cfg.Clock.Now()
	f := &swapForm{nonce: form.Get("nonce"), out: form.Get("out"), in: form.Get("in"), from: form.Get("from"), to: form.Get("to"), wrong: map[string]string{}}
	s := f.read(known, localTimeOf(known.company()), now)
	if len(f.wrong) > 0 {
		return "", f, nil
	}
	s.By, s.At = manager.ID, time.Now().UTC()
	switch err := p.cfg.Store.PutSwap(ctx, s, now); {
	case errors.Is(err, store.ErrSwapOverlaps):
		f.wrong["out"] = "Somebody stands in for them at that time already: cancel that swap first."
		return "", f, nil
	case errors.Is(err, store.ErrTooManySwaps):
		f.wrong["form"] = "there are too many swaps: cancel one first."
		return "", f, nil
	case err != nil:
		return "", nil, err
	}
	p.cfg.Log.Info("on-call swap made", zap.Duration("for", s.To.Sub(s.From)))
	return "swapped", nil, nil
}

// swapFields reads the posted form.
func swapFields(c echo.Context) (url.Values, *stopPage) {
	bad := func(status int, text string) *stopPage {
		return &stopPage{status, "malformed", pages.View{Heading: "Not taken", Text: text, Tone: pages.Bad}}
	}
	req := c.Request()
	if kind, _, err := mime.ParseMediaType(req.Header.Get(echo.HeaderContentType)); err != nil || kind != echo.MIMEApplicationForm {
		return nil, bad(http.StatusUnsupportedMediaType, "Please use the form of the page.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), req.Body, swapMaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, bad(http.StatusRequestEntityTooLarge, "Please use the form of the page.")
	}
	form, parseErr := url.ParseQuery(string(body))
	if err != nil || parseErr != nil {
		return nil, bad(http.StatusBadRequest, "That did not arrive whole. Please try again.")
	}
	return form, nil
}

// read checks the form; what is wrong is noted by field.
func (f *swapForm) read(known *knownPeople, local localTime, now time.Time) store.Swap {
	has := func(list []policy.Person, id string) bool {
		return slices.ContainsFunc(list, func(p policy.Person) bool { return p.ID == id })
	}
	if !noncePattern.MatchString(f.nonce) {
		f.nonce = ""
		f.wrong["form"] = "the page was out of date. Please send the form again."
	}
	if !has(known.onTeams(), f.out) {
		f.out, f.wrong["out"] = "", "Choose somebody of the on-call teams."
	}
	switch {
	case !has(known.everybody, f.in):
		f.in, f.wrong["in"] = "", "Choose who stands in."
	case f.in == f.out:
		f.wrong["in"] = "Choose somebody else: nobody stands in for themselves."
	}
	s := store.Swap{ID: f.nonce, Out: f.out, In: f.in, From: f.time("from", f.from, local), To: f.time("to", f.to, local)}
	switch {
	case s.From.IsZero():
	case s.From.Before(now.Add(-swapBack)):
		f.wrong["from"] = "This is in the past."
	case s.From.After(now.Add(swapAhead)):
		f.wrong["from"] = "This is more than a year ahead."
	}
	switch {
	case s.To.IsZero():
	case !s.To.After(now):
		f.wrong["to"] = "This is in the past."
	case s.From.IsZero():
	case !s.To.After(s.From):
		f.wrong["to"] = "The end must be after the beginning."
	case s.To.Sub(s.From) > swapLongest:
		f.wrong["to"] = "Two months at most: for longer, change the rotation in the policy."
	}
	return s
}

// time reads a field; the zero time where it is wrong.
func (f *swapForm) time(field, text string, local localTime) time.Time {
	if len(text) > len(fieldTime) {
		text = text[:len(fieldTime)] // some browsers send seconds
	}
	t, err := time.ParseInLocation(fieldTime, text, local.zone)
	switch {
	case err != nil:
		f.wrong[field] = "Enter a day and a time."
		return time.Time{}
	case t.Format(fieldTime) != text:
		f.wrong[field] = "The clocks change then, and this time does not exist. Choose another."
		return time.Time{}
	}
	return t.UTC()
}

// onTeams is everybody who is on call at some time, by name.
func (k *knownPeople) onTeams() []policy.Person {
	on := map[string]bool{}
	for _, d := range k.duties {
		for _, team := range d.Settings.OnCall.Teams {
			for _, p := range team {
				on[p.ID] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(k.everybody), func(p policy.Person) bool { return !on[p.ID] })
}

// form is the form to show: a fresh one, or the one that was wrong.
func (k *knownPeople) form(wrong *swapForm, local localTime, now time.Time) pages.SwapForm {
	f := swapForm{nonce: rand.Text(), from: now.In(local.zone).Format(fieldTime)}
	if wrong != nil {
		nonce := f.nonce
		f = *wrong
		if f.nonce == "" {
			f.nonce = nonce
		}
	}
	choices := func(people []policy.Person, selected string) []pages.Choice {
		var list []pages.Choice
		for _, p := range people {
			list = append(list, pages.Choice{ID: p.ID, Name: p.Name, Selected: p.ID == selected})
		}
		return list
	}
	return pages.SwapForm{
		Nonce: f.nonce, Outs: choices(k.onTeams(), f.out), Ins: choices(k.everybody, f.in),
		From: clip(f.from, len(fieldTime)), To: clip(f.to, len(fieldTime)), Zone: zoneName(local.zone), Wrong: f.wrong,
	}
}
