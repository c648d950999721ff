package webhook

import (
	"errors"
	"net/http"

	"code.dny.dev/ssrf"

	"github.com/aictive/keyholder/clients/partner"
)

// Final tells whether posting the same delivery again is useless: a refused address, a
// redirect, a body that the receiver cannot take, or a receiver that wants no more.
// What somebody may put right within days, such as a wrong secret or path (401, 403,
// 404), is not final.
func Final(err error) bool {
	var e *partner.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict:
		return false
	}
	switch e.Kind {
	case partner.Invalid, partner.Unauthorised, partner.Forbidden, partner.NotFound, partner.Conflict, partner.OptedOut:
		return true
	case partner.Malformed:
		return e.Status >= 300
	case partner.RateLimited, partner.Unavailable, partner.UnknownOutcome:
		return false
	}
	return false
}

// failure classifies an exchange without a reply. The resolved address of what
// was refused is left out: it would tell how the networks here are laid out.
func failure(err error) error {
	forbidden := func(message string) error {
		return &partner.Error{Op: op, Kind: partner.Forbidden, Message: message}
	}
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP):
		return forbidden("the address leads to a private or reserved network; KEYHOLDER_SUBSCRIBERS_ALLOW names the networks that are allowed nevertheless")
	case errors.Is(err, errPlain):
		return forbidden("http is for the networks of KEYHOLDER_SUBSCRIBERS_ALLOW only; give an https address")
	case errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrInvalidHostPort):
		return forbidden("the address leads to no IP address")
	}
	return partner.Failure(op, http.MethodPost, err)
}

// refusal classifies a reply that is not 2xx by its status.
func refusal(resp *http.Response) error {
	var said partner.Refusal
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		said.Message = "redirects are not followed; give the address that it leads to"
	case resp.StatusCode == http.StatusGone:
		said.Message = "the receiver wants no more deliveries; take it out of the subscribers"
	}
	return partner.StatusError(op, http.MethodPost, resp.StatusCode, resp.Header, said)
}
