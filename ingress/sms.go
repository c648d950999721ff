package ingress

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/sethvargo/go-retry"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/clients/phone"
	"github.com/aictive/keyholder/clients/twilio"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// twilioMaxBody and twilioMaxParams bound a callback; real ones have about 25
	// parameters and 2 kB.
	twilioMaxBody   = 64 << 10
	twilioMaxParams = 200
	// maxRef bounds a MessageSid; real ones have 34 characters.
	maxRef = 64
	// rowWait is how long a status waits for the send to have recorded its message.
	rowWait = 2 * time.Second
)

// refusedForm says why a callback was not taken.
type refusedForm struct {
	status int
	detail string
}

// twilioForm reads a callback and verifies who sent it; nothing of it is used
// before. The signature covers the public URL and all parameters
// (contracts/sms-and-accounting.md 1).
func (p *People) twilioForm(c echo.Context) (url.Values, *refusedForm) {
	req := c.Request()
	if kind, _, err := mime.ParseMediaType(req.Header.Get(echo.HeaderContentType)); err != nil || kind != echo.MIMEApplicationForm {
		return nil, &refusedForm{http.StatusUnsupportedMediaType, "Send application/x-www-form-urlencoded, as Twilio does."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), req.Body, twilioMaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &refusedForm{http.StatusRequestEntityTooLarge, "The body is longer than 64 KiB."}
	}
	if err != nil || bytes.Count(body, []byte("&")) >= twilioMaxParams {
		return nil, &refusedForm{http.StatusBadRequest, "Send the whole form, with at most 200 parameters."}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &refusedForm{http.StatusBadRequest, "The form cannot be decoded."}
	}
	address := p.cfg.PublicURL + req.URL.RequestURI()
	if !twilio.ValidSignature(p.cfg.TwilioAuthTokens, address, form, req.Header.Get(twilio.SignatureHeader)) {
		return nil, &refusedForm{http.StatusUnauthorized, "Sign with the account's auth token over the public URL; check KEYHOLDER_PUBLIC_URL and the token."}
	}
	if ref := form.Get("MessageSid"); ref == "" || len(ref) > maxRef {
		return nil, &refusedForm{http.StatusBadRequest, "MessageSid is missing or too long."}
	}
	return form, nil
}

// status takes a delivery status. A message that will not arrive is told to its
// workflow before the store learns it: where Temporal is away, the same callback
// again starts from the beginning.
func (p *People) status(c echo.Context) error {
	form, no := p.twilioForm(c)
	if no != nil {
		p.count("status", "refused")
		return problem(c, no.status, no.detail, 0)
	}
	ctx := context.WithoutCancel(c.Request().Context())
	ref, status := form.Get("MessageSid"), store.MessageStatus(strings.ToLower(form.Get("MessageStatus")))
	if !slices.Contains(statuses, status) { // new ones may appear
		p.count("status", "unknown_status")
		return c.NoContent(http.StatusNoContent)
	}
	m, err := p.messageOf(ctx, ref)
	if errors.Is(err, store.ErrNotFound) {
		p.count("status", "unknown_message")
		return c.NoContent(http.StatusNoContent)
	}
	if err == nil {
		err = p.advance(ctx, m, status, clip(form.Get("ErrorCode"), 16))
	}
	if err != nil {
		p.count("status", "away")
		p.cfg.Log.Warn("a delivery status could not be taken", zap.Error(err))
		return problem(c, http.StatusServiceUnavailable, "Send it again later.", awayRetry)
	}
	p.count("status", string(status))
	return c.NoContent(http.StatusNoContent)
}

// messageOf finds the message's row. A callback can be faster than the send,
// which records the row just after Twilio's reply.
func (p *People) messageOf(ctx context.Context, ref string) (store.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*rowWait)
	defer cancel()
	pauses := retry.WithMaxDuration(rowWait, retry.WithCappedDuration(400*time.Millisecond, retry.NewExponential(50*time.Millisecond)))
	return retry.DoValue(ctx, pauses, func(ctx context.Context) (store.Message, error) {
		m, err := p.cfg.Store.MessageByRef(ctx, ref)
		if errors.Is(err, store.ErrNotFound) {
			return m, retry.RetryableError(err)
		}
		return m, err
	})
}

func (p *People) advance(ctx context.Context, m store.Message, status store.MessageStatus, code string) error {
	ctx, cancel := context.WithTimeout(ctx, signalWait+recordWait)
	defer cancel()
	if isFailure(status) && !isEnd(m.Status) {
		failure := durable.MessageFailure{Step: m.Step, Ref: m.Ref, Status: string(status), ErrorCode: code}
		if err := durable.MessageFailed.Send(ctx, p.cfg.Temporal, m.WorkflowID, failure); err != nil && !workflowGone(err) {
			return err
		}
	}
	_, _, err := p.cfg.Store.AdvanceMessage(ctx, m.Ref, status, code)
	return err
}

// statuses are those that a callback may bring.
var statuses = []store.MessageStatus{
	store.StatusQueued, store.StatusAccepted, store.StatusScheduled, store.StatusSending, store.StatusSent,
	store.StatusDelivered, store.StatusUndelivered, store.StatusFailed, store.StatusCanceled, store.StatusRead,
}

// isFailure tells that the message will not arrive.
func isFailure(s store.MessageStatus) bool {
	return s == store.StatusUndelivered || s == store.StatusFailed || s == store.StatusCanceled
}

// isEnd tells that the message's fate is known: a failure that comes after it is
// old news.
func isEnd(s store.MessageStatus) bool {
	return isFailure(s) || s == store.StatusDelivered || s == store.StatusRead
}

// The keywords that Twilio acts on and answers by itself.
var (
	stopWords  = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
	startWords = []string{"START", "UNSTOP"} // not YES: it may be an answer
)

// smsKeyword is the keyword that a text is, the carrier's or our own LIST, or "".
func smsKeyword(form url.Values) string {
	if t := strings.ToUpper(form.Get("OptOutType")); t == "STOP" || t == "START" || t == "HELP" {
		return t
	}
	word := strings.ToUpper(strings.Trim(strings.TrimSpace(form.Get("Body")), ".!"))
	switch {
	case slices.Contains(stopWords, word):
		return "STOP"
	case slices.Contains(startWords, word):
		return "START"
	case word == "HELP" || word == "INFO":
		return "HELP"
	case slices.Contains(listWords, word):
		return "LIST"
	default:
		return ""
	}
}

// message takes an inbound text and answers in TwiML. Temporal or the store away
// is 503: Twilio tries again only where the number's webhook URL asks for it.
func (p *People) message(c echo.Context) error {
	form, no := p.twilioForm(c)
	if no != nil {
		p.count("sms", "refused")
		return problem(c, no.status, no.detail, 0)
	}
	from, err := phone.E164(form.Get("From"), "")
	if err != nil { // a short code or a sender's name: nobody that we asked
		p.count("sms", "unknown_sender")
		return twiml(c, "")
	}
	ctx := context.WithoutCancel(c.Request().Context())
	text := inboundText{ref: form.Get("MessageSid"), address: p.cfg.Keys.Address(from), body: form.Get("Body")}
	said, outcome, err := p.handleText(ctx, text, smsKeyword(form))
	p.count("sms", outcome)
	if err != nil {
		p.cfg.Log.Warn("a text could not be taken", zap.Error(err))
		return problem(c, http.StatusServiceUnavailable, "Send it again later.", awayRetry)
	}
	return twiml(c, said)
}

// inboundText is a text as far as it matters; address is the keyed hash.
type inboundText struct {
	ref, address, body string
}

func (p *People) handleText(ctx context.Context, text inboundText, word string) (said, outcome string, err error) {
	storeCtx, cancel := context.WithTimeout(ctx, recordWait)
	defer cancel()
	switch word {
	case "STOP":
		return "", "stop", p.cfg.Store.SetOptedOut(storeCtx, text.address, true, time.Now().UTC())
	case "START":
		return "", "start", p.cfg.Store.SetOptedOut(storeCtx, text.address, false, time.Now().UTC())
	case "HELP":
		return saidHelp, "help", nil
	case "LIST":
		return p.sendList(storeCtx, text.address)
	}
	r := parseReply(text.body)
	d, err := p.decision(storeCtx, text, r)
	if err != nil {
		return "", "away", err
	}
	if d.verdict != answersOne {
		return p.talkBack(text.address, d)
	}
	done := p.deliver(ctx, d.question, durable.Answer{
		ID: "sms-" + text.ref, QuestionID: d.question.ID, Step: d.question.Step, Person: d.question.Person,
		Choice: d.option.Choice, Note: r.note, Via: "sms", At: time.Now().UTC(),
	}, "sms-"+text.ref, smsWait)
	if done.fate == fateAway {
		return "", "away", errors.New("ingress: Temporal did not confirm an answer")
	}
	return saidOf(done), string(done.fate), nil
}

// talkBack is the reply to a text that is no answer, within limits.
func (p *People) talkBack(address string, d decision) (said, outcome string, err error) {
	if d.verdict == chatter || !p.chats.allow(address) {
		return "", string(chatter), nil
	}
	if d.verdict == asksForForm {
		return askForForm(d, p.cfg.PublicURL+"/a/"+p.cfg.Keys.Token(d.question.ID)), string(d.verdict), nil
	}
	return askBack(d), string(d.verdict), nil
}

// decision says what the text answers. It is remembered by MessageSid before
// anything is done about it: the same webhook again must not count as an answer
// to another question that has opened or remained since.
func (p *People) decision(ctx context.Context, text inboundText, r textReply) (decision, error) {
	const unanswered = "-"
	key := "sms-in/" + text.ref
	earlier, _, err := p.cfg.Store.BeginEffect(ctx, key, "")
	if err != nil {
		return decision{}, err
	}
	if id, choice, ok := strings.Cut(earlier.Ref, "/"); earlier.Done && ok {
		q, err := p.cfg.Store.Question(ctx, id)
		return decision{verdict: answersOne, question: q, option: store.Option{Choice: choice}}, err
	}
	open, err := p.cfg.Store.OpenQuestions(ctx, text.address, p.cfg.Clock.Now())
	if err != nil {
		return decision{}, err
	}
	recent, err := p.cfg.Store.LastQuestions(ctx, text.address)
	if err != nil {
		return decision{}, err
	}
	d := decide(open, recent, r)
	ref := unanswered
	if d.verdict == answersOne {
		if earlier.Done { // it was not clear enough the first time
			return decision{verdict: asksWhich, list: []store.Question{d.question}}, nil
		}
		ref = d.question.ID + "/" + d.option.Choice
	}
	return d, p.cfg.Store.FinishEffect(ctx, key, ref)
}

type twimlResponse struct {
	XMLName xml.Name `xml:"Response"`
	Message string   `xml:"Message,omitempty"`
}

// twiml replies to a text; "" is silence.
func twiml(c echo.Context, said string) error {
	if said == "" {
		return c.Blob(http.StatusOK, "text/xml; charset=utf-8", []byte(xml.Header+"<Response/>"))
	}
	body, err := xml.Marshal(twimlResponse{Message: said})
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "text/xml; charset=utf-8", append([]byte(xml.Header), body...))
}
