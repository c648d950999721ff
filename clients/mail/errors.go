package mail

import (
	"context"
	"errors"
	"net"
	"net/textproto"
	"strconv"

	gomail "github.com/wneessen/go-mail"

	"github.com/aictive/keyholder/clients/partner"
)

// classifyConnect reads a failure before the message was begun: nothing was
// sent, so a repeat is safe. A server's own words are left out, as they may
// repeat the user name.
func classifyConnect(err error) error {
	e := &partner.Error{Op: op, Kind: partner.Unavailable, Message: "no connection to the mail server"}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		e.Code, e.Message = strconv.Itoa(reply.Code), "the mail server refused the session"
		switch {
		case reply.Code == 530 || reply.Code == 534 || reply.Code == 535 || reply.Code == 538:
			e.Kind, e.Message = partner.Unauthorised, "check the mail user name and password"
		case reply.Code >= 500:
			e.Kind = partner.Forbidden
		}
		return e
	}
	e.Cause = network(err)
	return e
}

// classifySend reads a failure of the message itself.
func classifySend(err error) error {
	var failed *gomail.SendError
	if !errors.As(err, &failed) {
		return &partner.Error{Op: op, Kind: partner.Unavailable, Message: "the message was not sent"}
	}
	code := failed.ErrorCode()
	e := &partner.Error{Op: op, Kind: partner.Unavailable, Message: failed.Reason.String()}
	if code != 0 {
		e.Code = strconv.Itoa(code)
		if enhanced := failed.EnhancedStatusCode(); enhanced != "" {
			e.Code += " " + enhanced
		}
	}
	switch {
	case code == 530 || code == 535:
		e.Kind, e.Message = partner.Unauthorised, "check the mail user name and password"
	case code >= 500:
		e.Kind = partner.Invalid
	case code == 0 && failed.Reason == gomail.ErrSMTPDataClose:
		// The closing dot went out or may have: the server may hold the message.
		e.Kind = partner.UnknownOutcome
	}
	return e
}

// network keeps only errors that name no more than hosts and ports.
func network(err error) error {
	var opErr *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &opErr):
		return opErr
	case errors.As(err, &dns):
		return dns
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return context.Canceled
	}
	return nil
}
