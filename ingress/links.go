package ingress

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// linkMaxBody bounds the posted form: a choice and a note of 500 characters.
const linkMaxBody = 16 << 10

// originOf is the scheme and host of a URL, "" where it has none.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// keepPrivate lets nothing of a page be kept, framed, indexed or passed on as a
// referrer: its address may be its key.
func keepPrivate(h http.Header, csp string) {
	h.Set("Content-Security-Policy", csp)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// show answers with a page.
func (p *People) show(c echo.Context, status int, v pages.View) error {
	var body bytes.Buffer
	if err := pages.Render(&body, v); err != nil {
		return err
	}
	h := c.Response().Header()
	keepPrivate(h, p.csp)
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		h.Set("Retry-After", "15")
	}
	return c.HTMLBlob(status, body.Bytes())
}

// stopPage is a page instead of the question, and why it was shown.
type stopPage struct {
	status  int
	outcome string
	view    pages.View
}

func (p *People) showStop(c echo.Context, kind string, s *stopPage) error {
	p.count(kind, s.outcome)
	return p.show(c, s.status, s.view)
}

// question finds what a link asks, or the page that says why it asks nothing.
// Wrong links are limited by client and right ones by question: behind one proxy
// a guesser must not lock out those who were asked.
func (p *People) question(c echo.Context) (store.Question, *stopPage) {
	unknown := unknownLink()
	id, ok := p.cfg.Keys.QuestionOf(c.Param("token"))
	who := "question " + id
	if !ok {
		who = "client " + visitorOf(c)
	}
	if !p.visits.allow(who) {
		return store.Question{}, tooManyVisits()
	}
	if !ok {
		return store.Question{}, unknown
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), recordWait)
	defer cancel()
	q, err := p.cfg.Store.Question(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Question{}, unknown
	case err != nil:
		p.cfg.Log.Warn("a question could not be read", zap.Error(err))
		return store.Question{}, awayStop()
	case !q.ExpiresAt.IsZero() && !p.cfg.Clock.Now().Before(q.ExpiresAt):
		// The title stays untold: an old link may have passed through many hands.
		return store.Question{}, &stopPage{http.StatusGone, "expired", pages.View{
			Heading: "This link has expired", Text: "No answer can be given here any more.", Tone: pages.Plain, Answer: labelOf(q, q.Answer)}}
	default:
		return q, nil
	}
}

func unknownLink() *stopPage {
	return &stopPage{http.StatusNotFound, "unknown", pages.View{
		Heading: "This link does not work", Text: "Please check that it is complete, or open it again from the message.", Tone: pages.Bad}}
}

func tooManyVisits() *stopPage {
	return &stopPage{http.StatusTooManyRequests, "rate_limited", pages.View{
		Heading: "One moment, please", Text: "Too many visits. Try again in a few seconds.", Tone: pages.Bad}}
}

func awayStop() *stopPage {
	return &stopPage{http.StatusServiceUnavailable, "away", pages.View{
		Heading: "Not recorded yet", Text: "We could not take that just now. Please try again in a moment, or reply to the text.", Tone: pages.Bad}}
}

// showLink shows the question and never acts: previews and scanners open links.
func (p *People) showLink(c echo.Context) error {
	q, stopped := p.question(c)
	if stopped != nil {
		return p.showStop(c, "link_open", stopped)
	}
	switch {
	case q.Answer != "":
		p.count("link_open", "answered")
		return p.show(c, http.StatusOK, recordedPage(q, q.Answer, ""))
	case !q.ClosedAt.IsZero():
		p.count("link_open", "settled")
		return p.show(c, http.StatusOK, settledPage(q))
	}
	p.count("link_open", "asked")
	return p.show(c, http.StatusOK, askPage(q))
}

// answerLink takes an answer. A second one is shown the first: the store keeps
// it, and Temporal gives a repeated Update its first outcome.
func (p *People) answerLink(c echo.Context) error {
	const kind = "link_answer"
	q, stopped := p.question(c)
	if stopped != nil {
		return p.showStop(c, kind, stopped)
	}
	if !p.sameSite(c.Request()) {
		return p.showStop(c, kind, &stopPage{http.StatusForbidden, "cross_site", pages.View{
			Heading: "Not taken", Text: "That came from another site. Please open the link from the message.", Tone: pages.Bad}})
	}
	if q.Answer != "" {
		p.count(kind, "repeated")
		return p.show(c, http.StatusOK, recordedPage(q, q.Answer, ""))
	}
	option, note, stopped := linkForm(c, q)
	if stopped != nil {
		return p.showStop(c, kind, stopped)
	}
	d := p.deliver(c.Request().Context(), q, durable.Answer{
		ID: "link-" + q.ID, QuestionID: q.ID, Step: q.Step, Person: q.Person,
		Choice: option.Choice, Note: note, Via: "link", At: time.Now().UTC(),
	}, q.ID, linkWait)
	if d.fate == fateAway {
		return p.showStop(c, kind, awayStop())
	}
	p.count(kind, string(d.fate))
	return p.showFate(c, q, option.Choice, d)
}

// showFate tells what became of an answer that was delivered just now.
func (p *People) showFate(c echo.Context, q store.Question, choice string, d handover) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), recordWait)
	defer cancel()
	if kept, err := p.cfg.Store.Question(ctx, q.ID); err == nil && kept.Answer != "" {
		choice = kept.Answer // somebody was faster
	}
	switch d.fate {
	case fateGone:
		return p.show(c, http.StatusOK, settledPage(q))
	case fateRefused:
		return p.show(c, http.StatusUnprocessableEntity, pages.View{
			Heading: "Not taken", Text: saidOf(d), Title: q.Title, Code: shownCode(q), Tone: pages.Bad})
	case fateTaken, fateLate, fateReceived, fateAway:
	}
	return p.show(c, http.StatusOK, recordedPage(q, choice, saidOf(d)))
}

// sameSite refuses forms that another site made a browser post. The link is the
// capability, so a client that says nothing is taken; our own pages send no
// referrer, which makes old browsers say "null".
func (p *People) sameSite(req *http.Request) bool {
	if req.Header.Get("Sec-Fetch-Site") == "" && req.Header.Get("Origin") == "null" {
		return true
	}
	return p.origins.Check(req) == nil
}

// linkForm reads the posted choice and note.
func linkForm(c echo.Context, q store.Question) (store.Option, string, *stopPage) {
	bad := func(status int, text string) (store.Option, string, *stopPage) {
		return store.Option{}, "", &stopPage{status, "malformed", pages.View{Heading: "Not taken", Text: text, Tone: pages.Bad}}
	}
	req := c.Request()
	if kind, _, err := mime.ParseMediaType(req.Header.Get(echo.HeaderContentType)); err != nil || kind != echo.MIMEApplicationForm {
		return bad(http.StatusUnsupportedMediaType, "Please use the buttons of the page.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), req.Body, linkMaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return bad(http.StatusRequestEntityTooLarge, "That note is too long.")
	}
	if err != nil {
		return bad(http.StatusBadRequest, "That did not arrive whole. Please try again.")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return bad(http.StatusBadRequest, "That did not arrive whole. Please try again.")
	}
	note := strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(form.Get("note"), "\r\n", "\n"), ""))
	if utf8.RuneCountInString(note) > maxNote {
		return bad(http.StatusBadRequest, "That note is too long: 500 characters at most.")
	}
	i := slices.IndexFunc(q.Options, func(o store.Option) bool { return o.Choice == form.Get("choice") })
	option, ok := optionAt(q.Options, i)
	if !ok {
		return bad(http.StatusBadRequest, "That is not one of the answers. Please use the buttons of the page.")
	}
	return option, note, nil
}

// chooseProfessional is the purpose of a question that goes by mail alone.
const chooseProfessional store.Purpose = "choose_professional"

// shownCode is the short code by which a text answers the question, "" where it was
// never texted: there the code means nothing to its reader.
func shownCode(q store.Question) string {
	if q.Purpose == chooseProfessional {
		return ""
	}
	return q.Code
}

func askPage(q store.Question) pages.View {
	v := pages.View{Title: q.Title, Code: shownCode(q), MaxNote: maxNote}
	var wanted []string
	for _, o := range q.Options {
		v.Options = append(v.Options, pages.Option{Choice: o.Choice, Label: o.Label})
		if o.WantsNote {
			wanted = append(wanted, "“"+o.Label+"”")
		}
	}
	v.NoteFor = strings.Join(wanted, " or ")
	return v
}

// recordedPage shows the answer that is kept; said is the workflow's word on it,
// "" where it was given earlier.
func recordedPage(q store.Question, choice, said string) pages.View {
	if said == "" {
		said = "Your answer is recorded. There is nothing more to do."
	}
	return pages.View{Heading: "Thank you", Text: said, Title: q.Title, Code: shownCode(q), Answer: labelOf(q, choice), Tone: pages.Good}
}

func settledPage(q store.Question) pages.View {
	return pages.View{Heading: "Already settled", Text: "This matter is closed. No answer is needed any more.",
		Title: q.Title, Code: shownCode(q), Tone: pages.Plain}
}

// labelOf is what a person reads for a choice.
func labelOf(q store.Question, choice string) string {
	for _, o := range q.Options {
		if o.Choice == choice {
			return o.Label
		}
	}
	return choice
}
