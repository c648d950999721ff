package twilio

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // Twilio's algorithm
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"go.uber.org/zap"
)

// unreachable is Twilio's code for a handset that cannot be reached.
const unreachable = 30003

// deliver moves a text through its statuses in the background and reports each
// but the first. Above maxInFlight a text is delivered at once and unreported.
func (s *Server) deliver(m Message) {
	how := s.cfg.Delivery()
	select {
	case s.busy <- struct{}{}:
	default:
		s.cfg.Log.Warn("twilio stand-in: too many texts on their way, one goes unreported")
		s.set(m, "delivered", 0)
		return
	}
	s.wg.Go(func() {
		defer func() { <-s.busy }()
		last, code := "delivered", 0
		if how == Undelivered {
			last, code = "undelivered", unreachable
		}
		if how == Unordered {
			if !s.wait() {
				return
			}
			s.set(m, "sent", 0)
			if !s.wait() {
				return
			}
			s.set(m, last, code)
			s.report(m, last, code)
			s.report(m, "sent", 0)
			return
		}
		if !s.wait() {
			return
		}
		s.set(m, "sent", 0)
		s.report(m, "sent", 0)
		if !s.wait() {
			return
		}
		s.set(m, last, code)
		s.report(m, last, code)
	})
}

// wait lets one step of the pace pass; false where the server ends, and the text
// stays on its way.
func (s *Server) wait() bool {
	timer := time.NewTimer(s.cfg.Pace)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *Server) set(m Message, status string, code int) {
	if _, ok := s.box.advance(m.SID, status, code); ok {
		s.cfg.OnChange()
	}
}

// report posts a status callback, once.
func (s *Server) report(m Message, status string, code int) {
	if m.callback == "" || s.ctx.Err() != nil {
		return
	}
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "AccountSid": {s.cfg.AccountSID}, "ApiVersion": {"2010-04-01"},
		"MessageStatus": {status}, "SmsStatus": {status}, "From": {m.From}, "To": {m.To},
	}
	if code != 0 {
		form.Set("ErrorCode", itoa(code))
	}
	answered, _, err := s.post(s.ctx, m.callback, form)
	if err != nil || answered > 299 {
		s.cfg.Log.Debug("twilio stand-in: a status callback was not taken", zap.Int("status", answered), zap.Error(err))
	}
}

// post signs a form and posts it. The signature is over the public URL; the post
// goes to the ingress itself.
func (s *Server) post(ctx context.Context, target string, form url.Values) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, ingressLimit)
	defer cancel()
	address := target
	if rest, ok := strings.CutPrefix(target, s.cfg.PublicURL+"/"); ok {
		address = s.cfg.IngressURL + "/" + rest
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("X-Twilio-Signature", sign(s.cfg.AuthToken, target, form))
	res, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxIngressRep))
	return res.StatusCode, body, err
}

// sign is base64(HMAC-SHA1(token, URL + every key and value, sorted by key)).
func sign(token, target string, form url.Values) string {
	keys := make([]string, 0, len(form))
	for k := range form {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, target)
	for _, k := range keys {
		values := slices.Clone(form[k])
		sort.Strings(values)
		for _, v := range slices.Compact(values) {
			_, _ = io.WriteString(mac, k+v)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
