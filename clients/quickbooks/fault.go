package quickbooks

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// Codes of faults.
const (
	codeNotFound        = "610"
	codeStale           = "5010"
	codeDuplicateName   = "6240"
	codeDuplicateNumber = "6140"
	codeDuplicateDoc    = "6210"
	codeBusiness        = "6000"
	codeBadToken        = "3200"
)

// codeLike tells a code from a text that somebody put in its place.
var codeLike = regexp.MustCompile(`^[A-Za-z0-9_]{1,40}$`)

// fault is the body of a refusal. A 401 may spell its names with small letters, which
// the decoder takes for the same.
type fault struct {
	Fault struct {
		Error []struct {
			Message string    `json:"Message"`
			Code    wire.Text `json:"code"`
			Element string    `json:"element"`
		} `json:"Error"`
		Type string `json:"type"`
	} `json:"Fault"`
}

// explain reads the first error. Its Detail is left out: it repeats values.
func explain(status int, body []byte) partner.Refusal {
	var said partner.Refusal
	if status == http.StatusTooManyRequests {
		said.RetryAfter = throttledFor
	}
	var f fault
	if json.Unmarshal(body, &f) != nil {
		return said
	}
	for i, e := range f.Fault.Error {
		if i == 0 {
			said.Code, said.Message = string(e.Code), e.Message
		}
		if e.Element != "" {
			said.Fields = append(said.Fields, partner.FieldProblem{Field: e.Element, Messages: []string{e.Message}})
		}
	}
	if said.Code == "" {
		said.Code = f.Fault.Type
	}
	if !codeLike.MatchString(said.Code) {
		said.Code = ""
	}
	return said
}

func hasFault(reply map[string]json.RawMessage) bool {
	for name := range reply {
		if strings.EqualFold(name, "Fault") {
			return true
		}
	}
	return false
}

// meaning lets QuickBooks' code decide over the HTTP status.
func meaning(err error, method string) error {
	var e *partner.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case codeNotFound:
		e.Kind = partner.NotFound
	case codeStale, codeDuplicateName, codeDuplicateNumber, codeDuplicateDoc:
		e.Kind = partner.Conflict
	case codeBusiness:
		e.Kind = partner.Invalid
	case codeBadToken, "AuthenticationFault", "AUTHENTICATION":
		e.Kind = partner.Unauthorised
	case "AuthorizationFault":
		e.Kind = partner.Forbidden
	case "SystemFault", "SERVICE":
		e.Kind = partner.Unavailable
		if method != http.MethodGet {
			e.Kind = partner.UnknownOutcome
		}
	}
	return e
}
