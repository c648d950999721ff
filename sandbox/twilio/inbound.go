package twilio

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// MessagePath is where the ingress takes inbound texts.
const MessagePath = "/webhooks/twilio/message"

// The keywords that Twilio acts on by itself: the whole text, in any case. YES
// is one only for a person who has opted out.
func keyword(body string, optedOut bool) (optOutType, answer string) {
	word := strings.ToUpper(strings.TrimSpace(body))
	switch {
	case slices.Contains([]string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}, word):
		return "STOP", "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe."
	case slices.Contains([]string{"START", "UNSTOP"}, word), word == "YES" && optedOut:
		return "START", "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
	case word == "HELP", word == "INFO":
		return "HELP", "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
	}
	return "", ""
}

// Inbound is a person's phone sending a text: it is posted, signed, to the
// ingress, and what the ingress answers appears on the phone. to "" is the
// account's number. STOP and START take effect, and are answered by Twilio,
// whatever the ingress does. The reply is what the phone shows next, "" for
// silence. The error says that the ingress did not take the text.
func (s *Server) Inbound(ctx context.Context, from, to, body string) (reply string, err error) {
	if to == "" {
		to = s.cfg.Number
	}
	if !e164(from) || body == "" || utf8.RuneCountInString(body) > maxBody {
		return "", errors.New("a text needs a number such as +12025550123 and 1 to 1600 characters")
	}
	optOut, answer := keyword(body, s.box.isOptedOut(from))
	now := time.Now().UTC()
	m := Message{
		SID: newSID(), From: from, To: to, Body: body, Direction: Inbound, Status: "received",
		Created: now, Updated: now, Sent: now,
	}
	s.box.add(m)
	if optOut == "STOP" || optOut == "START" {
		s.box.setOptedOut(from, optOut == "STOP")
	}
	s.answer(to, from, answer)
	s.cfg.OnChange() // the ingress may take its time
	defer s.cfg.OnChange()
	replies, err := s.deliverInbound(ctx, m, optOut)
	for _, text := range replies {
		if s.box.isOptedOut(from) {
			break
		}
		s.answer(to, from, text)
		answer = text
	}
	return answer, err
}

func (s *Server) deliverInbound(ctx context.Context, m Message, optOut string) ([]string, error) {
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "SmsMessageSid": {m.SID}, "AccountSid": {s.cfg.AccountSID},
		"ApiVersion": {"2010-04-01"}, "From": {m.From}, "To": {m.To}, "Body": {m.Body},
		"NumMedia": {"0"}, "NumSegments": {itoa(segments(m.Body))}, "SmsStatus": {"received"},
	}
	if optOut != "" {
		form.Set("OptOutType", optOut)
	}
	status, body, err := s.post(ctx, s.cfg.PublicURL+MessagePath, form)
	if err != nil {
		return nil, fmt.Errorf("the ingress did not answer: %w", err)
	}
	if status > 299 {
		return nil, fmt.Errorf("the ingress answered %d %s", status, http.StatusText(status))
	}
	return twiml(body)
}

// twiml reads the texts of <Response><Message>..</Message></Response>, with or
// without <Body> inside. Nothing at all is silence too.
func twiml(body []byte) ([]string, error) {
	if strings.TrimSpace(string(body)) == "" {
		return nil, nil
	}
	var response struct {
		XMLName  xml.Name `xml:"Response"`
		Messages []struct {
			Text string `xml:",chardata"`
			Body string `xml:"Body"`
		} `xml:"Message"`
	}
	if err := xml.Unmarshal(body, &response); err != nil {
		return nil, errors.New("the ingress did not answer with TwiML")
	}
	var texts []string
	for _, m := range response.Messages {
		if text := strings.TrimSpace(m.Text + m.Body); text != "" {
			texts = append(texts, text)
		}
	}
	return texts, nil
}

// answer puts a text on a phone that nobody sent through the API.
func (s *Server) answer(from, to, body string) {
	if body == "" {
		return
	}
	now := time.Now().UTC()
	s.box.add(Message{
		SID: newSID(), From: from, To: to, Body: body, Direction: OutboundReply, Status: "delivered",
		Created: now, Updated: now, Sent: now,
	})
}
