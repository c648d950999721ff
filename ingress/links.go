package ingress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	p.opened(c, q)
	return p.show(c, http.StatusOK, formPage(q, c.Param("token"), form{}, nil))
}

// opened notes that the link was opened, the first time. That is a hint, no act:
// previews of texts and scanners of mail open links too, so nothing depends on it.
func (p *People) opened(c echo.Context, q store.Question) {
	if !q.OpenedAt.IsZero() || c.Request().Method != http.MethodGet {
		return
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), recordWait)
	defer cancel()
	if err := p.cfg.Store.Opened(ctx, q.ID, time.Now().UTC()); err != nil {
		p.cfg.Log.Warn("the opening of a link could not be noted", zap.Error(err))
	}
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
	if takesFiles(q) {
		allowUpload(c)
	}
	if q.Answer != "" {
		p.count(kind, "repeated")
		drain(c)
		return p.show(c, http.StatusOK, recordedPage(q, q.Answer, ""))
	}
	f, problems, stopped := p.linkForm(c, q)
	if stopped != nil {
		return p.showStop(c, kind, stopped)
	}
	var fields map[string]string
	if len(problems) == 0 {
		fields, problems = f.check(q)
	}
	if len(problems) > 0 {
		return p.showAgain(c, q, f, http.StatusUnprocessableEntity, "incomplete", problems)
	}
	kept, err := p.keep(c.Request().Context(), q, f.uploads)
	if err != nil {
		p.cfg.Log.Warn("the photos of an answer could not be kept", zap.Error(err))
		return p.showAgain(c, q, f, http.StatusServiceUnavailable, "away", sayAway(q, f))
	}
	d := p.deliver(c.Request().Context(), q, durable.Answer{
		ID: "link-" + q.ID, QuestionID: q.ID, Step: q.Step, Person: q.Person,
		Choice: f.option.Choice, Note: f.note, Fields: fields, Photos: photosOf(kept), Via: "link", At: time.Now().UTC(),
	}, q.ID, linkWait)
	switch {
	case d.fate == fateAway && len(q.Fields) > 0:
		return p.showAgain(c, q, f, http.StatusServiceUnavailable, "away", sayAway(q, f))
	case d.fate == fateAway:
		return p.showStop(c, kind, awayStop())
	case d.fate == fateRefused && len(q.Fields) > 0:
		problems := append([]formProblem{{"", saidOf(d)}}, f.lostFiles(q, nil)...)
		return p.showAgain(c, q, f, http.StatusUnprocessableEntity, string(fateRefused), problems)
	}
	p.count(kind, string(d.fate))
	return p.showFate(c, q, f.option.Choice, d)
}

// showAgain shows the form as it was filled in, with what to mend.
func (p *People) showAgain(c echo.Context, q store.Question, f form, status int, outcome string, problems []formProblem) error {
	p.count("link_answer", outcome)
	return p.show(c, status, formPage(q, c.Param("token"), f, problems))
}

// sayAway is what a form says that could not be taken just now.
func sayAway(q store.Question, f form) []formProblem {
	return append([]formProblem{{"", "We could not take that just now. Please send it again in a moment."}}, f.lostFiles(q, nil)...)
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

// linkForm reads what was posted. problems tell that the form is to be shown again.
func (p *People) linkForm(c echo.Context, q store.Question) (f form, problems []formProblem, stopped *stopPage) {
	req := c.Request()
	kind, params, err := mime.ParseMediaType(req.Header.Get(echo.HeaderContentType))
	switch {
	case err == nil && kind == echo.MIMEApplicationForm:
		f, stopped = typedForm(c, q)
	case err == nil && kind == echo.MIMEMultipartForm && takesFiles(q):
		f, problems, stopped = p.photoForm(c, q, params["boundary"])
	default:
		stopped = malformed(http.StatusUnsupportedMediaType, "Please use the buttons of the page.")
	}
	if stopped != nil || len(problems) > 0 {
		return f, problems, stopped
	}
	if !hidesNote(q) && len(f.typed["note"]) > 0 {
		f.note = cleanNote(f.typed["note"][0])
	}
	if utf8.RuneCountInString(f.note) > maxNote {
		return f, nil, malformed(http.StatusBadRequest, "That note is too long: 500 characters at most.")
	}
	choice := ""
	if len(f.typed["choice"]) > 0 {
		choice = f.typed["choice"][0]
	}
	i := slices.IndexFunc(q.Options, func(o store.Option) bool { return o.Choice == choice })
	option, ok := optionAt(q.Options, i)
	if !ok {
		return f, nil, malformed(http.StatusBadRequest, "That is not one of the answers. Please use the buttons of the page.")
	}
	f.option = option
	return f, nil, nil
}

func malformed(status int, text string) *stopPage {
	return &stopPage{status, "malformed", pages.View{Heading: "Not taken", Text: text, Tone: pages.Bad}}
}

// typedForm reads a form without files.
func typedForm(c echo.Context, q store.Question) (form, *stopPage) {
	most := int64(linkMaxBody)
	if len(q.Fields) > 0 {
		most = 3 * maxTypedBytes // a byte may be posted as three
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, most))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return form{}, malformed(http.StatusRequestEntityTooLarge, "That note is too long.")
	}
	if err != nil {
		return form{}, malformed(http.StatusBadRequest, "That did not arrive whole. Please try again.")
	}
	typed, err := url.ParseQuery(string(body))
	if err != nil {
		return form{}, malformed(http.StatusBadRequest, "That did not arrive whole. Please try again.")
	}
	return form{typed: typed}, nil
}

// photoForm reads a form with photos, when there is room for another.
func (p *People) photoForm(c echo.Context, q store.Question, boundary string) (form, []formProblem, *stopPage) {
	end, ok := p.uploads.begin(q.ID)
	if !ok {
		drain(c)
		return form{}, nil, &stopPage{http.StatusServiceUnavailable, "busy", pages.View{
			Heading: "One moment, please", Text: "Other photos are still on their way. Go back and send yours again in a minute.", Tone: pages.Bad}}
	}
	defer end()
	f, err := p.uploads.readForm(c.Request().Context(), c.Request().Body, boundary, q)
	switch {
	case errors.Is(err, errFormTooLarge):
		drain(c)
		field := q.Fields[slices.IndexFunc(q.Fields, uploaded)]
		text := fmt.Sprintf("Together the %ss have more than %d MB: please send fewer, or smaller ones.", wordFor(field), maxFormBytes>>20)
		return f, append([]formProblem{{field.Name, text}}, f.lostFiles(q, []formProblem{{field.Name, ""}})...), nil
	case err != nil:
		return f, nil, malformed(http.StatusBadRequest, "That did not arrive whole. Please go back and try again.")
	}
	return f, nil, nil
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
