package twilio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/aictive/keyholder/clients/partner"
)

// call is the SDK's way to the network for one call: it carries the context,
// which the SDK has no place for, and goes through the guarded exchange that all
// partners share, so that failures are classified while headers are still known.
type call struct {
	ctx    context.Context // lives for one call
	op     string
	client *Client
}

// AccountSid is the account in the paths of the SDK.
func (c *call) AccountSid() string { return url.PathEscape(c.client.cfg.AccountSID) }

// SetTimeout does nothing: the time limit is the guarded exchange's.
func (c *call) SetTimeout(time.Duration) {}

// SetOauth does nothing: the account's token is used.
func (c *call) SetOauth(client.OAuth) {}

// OAuth is nil: the account's token is used.
func (c *call) OAuth() client.OAuth { return nil }

// SendRequest does one attempt. Its errors are *partner.Error.
func (c *call) SendRequest(method, rawURL string, data url.Values, _ map[string]any, _ ...byte) (*http.Response, error) {
	cfg := c.client.cfg
	request := partner.Request{
		Op: c.op, Method: method, Header: http.Header{},
		URL: cfg.BaseURL + strings.TrimPrefix(rawURL, defaultBaseURL),
	}
	if method == http.MethodGet {
		request.URL += "?" + data.Encode()
	} else {
		request.Body = partner.RawBody{ContentType: "application/x-www-form-urlencoded", Bytes: []byte(data.Encode())}
	}
	credentials := http.Request{Header: request.Header}
	credentials.SetBasicAuth(cfg.AccountSID, cfg.AuthToken)
	reply, err := c.client.http.Send(c.ctx, request)
	if err != nil {
		return nil, meaning(err)
	}
	return &http.Response{
		StatusCode: reply.Status, Header: reply.Header,
		Body: io.NopCloser(bytes.NewReader(reply.Body)),
	}, nil
}

// explain reads the error code. Twilio's own message is left out, as it repeats
// the number.
func explain(_ int, body []byte) partner.Refusal {
	var detail struct {
		Code int `json:"code"`
	}
	if err := json.Unmarshal(body, &detail); err != nil || detail.Code == 0 {
		return partner.Refusal{}
	}
	return partner.Refusal{Code: strconv.Itoa(detail.Code)}
}

// meaning lets Twilio's code decide over the HTTP status
// (contracts/sms-and-accounting.md section 1).
func meaning(err error) error {
	var e *partner.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case "21610":
		e.Kind, e.Message = partner.OptedOut, "the recipient has opted out"
	case "21211":
		e.Kind, e.Message = partner.Invalid, "the recipient's number is not valid"
	case "21612":
		e.Kind, e.Message = partner.Invalid, "no route to the recipient's number"
	case "21614":
		e.Kind, e.Message = partner.Invalid, "the recipient's number is not a mobile"
	case "20003":
		e.Kind, e.Message = partner.Unauthorised, "check the account SID and the auth token"
	case "20429":
		e.Kind, e.Message = partner.RateLimited, "too many requests"
	}
	return e
}

// classify passes on what SendRequest said; anything else is the SDK failing to
// read a reply. The SDK's error is dropped, as it may quote the reply.
func classify(op string, err error, unreadable partner.Kind) error {
	var e *partner.Error
	if errors.As(err, &e) {
		return e
	}
	return &partner.Error{Op: op, Kind: unreadable, Message: "the reply cannot be read"}
}
