package twilio

import (
	"net/http"
	"net/url"
	"regexp"
	"time"
	"unicode/utf8"
)

const maxBody = 1600 // characters

// magic are the numbers that Twilio's test credentials treat specially.
func magic(to string) (code int, message string) {
	switch to {
	case "+15005550001":
		return 21211, "The 'To' number " + to + " is not a valid phone number."
	case "+15005550002":
		return 21612, "The 'To' phone number " + to + " is not currently reachable via SMS."
	case "+15005550004":
		return 21610, "Attempt to send to unsubscribed recipient"
	case "+15005550009":
		return 21614, "'To' number is not a valid mobile number"
	}
	return 0, ""
}

var phonePattern = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func e164(s string) bool { return phonePattern.MatchString(s) }

// create accepts a text or refuses it as Twilio would.
func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, 20001, "Unknown parameters")
		return
	}
	form := r.PostForm
	if code, message := s.refuses(form); code != 0 {
		fail(w, http.StatusBadRequest, code, message)
		return
	}
	now := time.Now().UTC()
	m := Message{
		SID: newSID(), From: form.Get("From"), To: form.Get("To"), Body: form.Get("Body"),
		Direction: Outbound, Status: "queued", Created: now, Updated: now,
		service: form.Get("MessagingServiceSid"), callback: form.Get("StatusCallback"),
	}
	answer := m
	if m.service != "" {
		// A service has yet to choose a sender.
		answer.Status, answer.From = "accepted", ""
		m.From = s.cfg.Number
	}
	s.box.add(m)
	s.cfg.OnChange()
	s.deliver(m)
	reply(w, http.StatusCreated, s.wire(answer))
}

func (s *Server) refuses(form url.Values) (code int, message string) {
	to := form.Get("To")
	switch {
	case to == "":
		return 21604, "A 'To' phone number is required."
	case form.Get("From") == "" && form.Get("MessagingServiceSid") == "":
		return 21603, "A 'From' phone number is required."
	case form.Get("From") != "" && form.Get("From") != s.cfg.Number:
		return 21606, "The 'From' phone number provided is not a valid message-capable Twilio phone number for this account."
	case form.Get("Body") == "":
		return 21602, "Message body is required."
	case utf8.RuneCountInString(form.Get("Body")) > maxBody:
		return 21617, "The concatenated message body exceeds the 1600 character limit."
	case !e164(to):
		return 21211, "The 'To' number " + to + " is not a valid phone number."
	case s.box.isOptedOut(to):
		return 21610, "Attempt to send to unsubscribed recipient"
	}
	return magic(to)
}
