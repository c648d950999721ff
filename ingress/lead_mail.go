package ingress

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/aictive/keyholder/clients/phone"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// SourceMail names the door for mail.
const SourceMail = "mail"

// maxMail bounds a message, mailsAtOnce how many are read at once.
const (
	maxMail     = 1 << 20
	mailsAtOnce = 8
	mediaMail   = "message/rfc822"
)

// mailDoor bounds the mail that is taken.
type mailDoor struct {
	slots  chan struct{}
	tokens *rate.Limiter
	// unit finds the unit in an address such as "leads+12@example.com".
	unit *regexp.Regexp
}

func newMailDoor(leadsAddress string) *mailDoor {
	local, _, _ := strings.Cut(leadsAddress, "@")
	return &mailDoor{
		slots: make(chan struct{}, mailsAtOnce), tokens: rate.NewLimiter(20, 100),
		unit: regexp.MustCompile(`(?i)\b(?:leads|` + regexp.QuoteMeta(cmp.Or(local, "leads")) + `)\+([A-Za-z0-9_-]{1,64})@`),
	}
}

// mailTaken is the body of a 202. Reason says why a mail is no lead.
type mailTaken struct {
	Status     string `json:"status"`
	WorkflowID string `json:"workflow_id,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

// takeMail takes a raw message from a mail server or a service for inbound mail, and brings
// what a prospect asks to the marketing of the home. Once it answers 202, Temporal has it.
func (p *People) takeMail(c echo.Context) error {
	taken, status, reason, detail, retry := p.receiveMail(c)
	p.count("lead_mail", reason)
	if status != http.StatusAccepted {
		return problem(c, status, detail, retry)
	}
	return c.JSON(status, taken)
}

func (p *People) receiveMail(c echo.Context) (taken mailTaken, status int, reason, detail string, retry time.Duration) {
	refuse := func(status int, reason, detail string, retry time.Duration) (mailTaken, int, string, string, time.Duration) {
		return mailTaken{}, status, reason, detail, retry
	}
	select {
	case p.mails.slots <- struct{}{}:
		defer func() { <-p.mails.slots }()
	default:
		return refuse(http.StatusTooManyRequests, "too_many_in_flight", "Too many mails at once. Send this one again later.", busyRetry)
	}
	_, body, unread := readBody(c, maxMail, mediaMail)
	if unread != nil {
		return refuse(unread.status, unread.reason, unread.detail, 0)
	}
	now := time.Now()
	if _, err := p.cfg.Mail.Verify(c.Request().Header, body, now); err != nil {
		scheme, _ := p.cfg.Mail.Scheme()
		return refuse(http.StatusUnauthorized, err.Error(),
			"The signature is missing, wrong or outside its time window. Sign the raw message by scheme "+scheme+" with the current key.", 0)
	}
	if !p.mails.tokens.Allow() {
		return refuse(http.StatusTooManyRequests, "rate_limited", "Too many mails a second. Send this one again later.", busyRetry)
	}
	m, err := readMail(body)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "unreadable", "Send one whole message as RFC 5322 has it, from its first header on.", 0)
	}
	taken, err = p.handMail(c.Request().Context(), m, body, now)
	if err != nil {
		p.cfg.Log.Warn("a mail could not be handed on", zap.Error(err))
		return refuse(http.StatusServiceUnavailable, "not_confirmed", "The mail could not be recorded now. Send it again later.", downRetry)
	}
	reason = taken.Status
	if taken.Reason != "" {
		reason = taken.Reason
	}
	return taken, http.StatusAccepted, reason, "", 0
}

// Why a mail is no lead.
const (
	mailAutomatic = "automatic"
	mailNoUnit    = "no_unit"
	mailNotLet    = "not_offered"
	mailNoContact = "no_contact"
)

// errMailNotTaken is returned where nothing has confirmed a mail.
var errMailNotTaken = errors.New("ingress: no workflow has confirmed the mail")

// handMail brings a mail to the home that it is about. What a person wrote and no home takes
// is parked, for somebody to read; what a machine wrote is passed over.
func (p *People) handMail(ctx context.Context, m mailMessage, raw []byte, now time.Time) (mailTaken, error) {
	company := p.rulesOf(store.Listing{}).Vacancy.Sources
	if m.automatic(namedSource(company, domainOf(m.from)) != "") {
		p.cfg.Log.Info("a mail is no lead", zap.String("reason", mailAutomatic))
		return mailTaken{Status: "ignored", Reason: mailAutomatic}, nil
	}
	unitID := m.unit(p.mails.unit)
	if unitID == "" {
		return p.parkMail(ctx, m, raw, now, mailNoUnit, "")
	}
	readCtx, cancel := context.WithTimeout(ctx, recordWait)
	defer cancel()
	l, err := p.cfg.Store.Listing(readCtx, unitID)
	if errors.Is(err, store.ErrNotFound) {
		return p.parkMail(ctx, m, raw, now, mailNotLet, unitID)
	}
	if err != nil {
		return mailTaken{}, err
	}
	lead, ok := p.leadOf(l, m, raw, now)
	if !ok {
		return p.parkMail(ctx, m, raw, now, mailNoContact, unitID)
	}
	switch p.giveLead(ctx, l, lead) {
	case fateReceived:
		return mailTaken{Status: "accepted", WorkflowID: l.WorkflowID}, nil
	case fateGone:
		return p.parkMail(ctx, m, raw, now, mailNotLet, unitID)
	case fateAway, fateTaken, fateLate, fateRefused:
	}
	return mailTaken{}, errMailNotTaken
}

// leadOf is what a mail says as a lead; not ok where it does not say how to answer. Nobody who
// mails has agreed to be texted.
func (p *People) leadOf(l store.Listing, m mailMessage, raw []byte, now time.Time) (portfolio.Lead, bool) {
	rules := p.rulesOf(l)
	portal := func(address string) bool { return namedSource(rules.Vacancy.Sources, domainOf(address)) != "" }
	lead := portfolio.Lead{
		Message: clip(m.text, maxLeadMessage), Via: "mail", At: now.UTC(), Source: sourceOf(rules.Vacancy.Sources, domainOf(m.from)),
	}
	contact := m.contact(portal)
	if contact.address != "" {
		lead.Email, lead.Name = contact.address, contact.name
	} else {
		lead.Email = m.addressInText(func(address string) bool { return portal(address) || p.ours(address, rules) })
		lead.Name = m.nameInText()
		for _, written := range m.phonesInText() {
			if number, err := phone.E164(written, p.regionOf(l)); err == nil && number != rules.Agent.Phone && number != rules.Manager.Phone {
				lead.Phone = number
				break
			}
		}
	}
	lead.Name = clip(lead.Name, maxLeadName)
	words := m.id
	if words == "" {
		sum := sha256.Sum256(raw)
		words = hex.EncodeToString(sum[:])
	}
	lead.ID = p.leadID(l, portfolio.Lead{}, words)
	return lead, lead.Email != "" || lead.Phone != ""
}

// ours tells whether an address belongs to the company: a portal's mail repeats it.
func (p *People) ours(address string, rules policy.Portfolio) bool {
	for _, own := range []string{p.cfg.LeadsAddress, rules.Agent.Email, rules.Manager.Email, rules.Escalation.Email} {
		if plainAddress(own) == address || own != "" && domainOf(own) == domainOf(address) {
			return true
		}
	}
	return p.mails.unit.MatchString(address)
}

// parkMail holds a mail that no home takes, so that a person reads it.
func (p *People) parkMail(ctx context.Context, m mailMessage, raw []byte, now time.Time, reason, unitID string) (mailTaken, error) {
	if p.cfg.Park == nil {
		return mailTaken{}, errMailNotTaken
	}
	data, err := json.Marshal(map[string]string{
		"from": m.from, "reply_to": m.replyTo, "subject": m.subject, "text": clip(m.text, maxLeadMessage),
	})
	if err != nil {
		return mailTaken{}, err
	}
	sum := sha256.Sum256(raw)
	result, err := p.cfg.Park(context.WithoutCancel(ctx), durable.Event{
		Source: SourceMail, Type: "lead_mail." + reason, EntityID: unitID, Key: SourceMail + ":sha256:" + hex.EncodeToString(sum[:]),
		ReceivedAt: now.UTC(), Data: data,
	})
	if err != nil {
		return mailTaken{}, err
	}
	p.cfg.Log.Info("a mail is parked: no home takes it", zap.String("reason", reason), zap.String("workflow", result.WorkflowID))
	return mailTaken{Status: "parked", WorkflowID: result.WorkflowID, Reason: reason}, nil
}
