package e2e

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Reply is an answer of the ingress.
type Reply struct {
	Status     int
	RetryAfter string
	Body       string
}

// Acknowledged is the body of a delivery that was taken.
type Acknowledged struct {
	Status     string `json:"status"`
	WorkflowID string `json:"workflow_id"`
	Parked     bool   `json:"parked"`
}

// Acknowledged reads the body of a delivery that was taken.
func (r Reply) Acknowledged() (a Acknowledged, err error) {
	err = json.Unmarshal([]byte(r.Body), &a)
	return a, err
}

// webhookSecret is the one of "keyholder dev".
const webhookSecret = "dev-rentvine-webhook-secret"

// Sign is the header X-RentVine-Signature of a body, made without the ingress's
// own code.
func Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Deliver signs a webhook as RentVine does and posts it to an ingress.
func (s *Stack) Deliver(ctx context.Context, ingress string, event any) (Reply, error) {
	body, err := json.Marshal(event)
	if err != nil {
		return Reply{}, err
	}
	return exchange(ctx, http.MethodPost, ingress+"/webhooks/rentvine", bytes.NewReader(body), map[string]string{
		"Content-Type": "application/json", "X-RentVine-Signature": Sign(body),
	})
}

// OpenLink visits an action link, and AnswerLink presses one of its buttons.
func (s *Stack) OpenLink(ctx context.Context, link string) (Reply, error) {
	return exchange(ctx, http.MethodGet, link, nil, nil)
}

// AnswerLink presses the button of a choice, such as "acknowledge", with a note.
func (s *Stack) AnswerLink(ctx context.Context, link, choice string, note ...string) (Reply, error) {
	form := url.Values{"choice": {choice}, "note": note}
	return exchange(ctx, http.MethodPost, link, strings.NewReader(form.Encode()),
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
}

func exchange(ctx context.Context, method, address string, body io.Reader, header map[string]string) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return Reply{}, err
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return Reply{resp.StatusCode, resp.Header.Get("Retry-After"), string(text)}, err
}

// AnswerText sends a text from a phone and returns what is replied at once.
func (s *Stack) AnswerText(ctx context.Context, from, body string) (string, error) {
	var said struct {
		Reply string `json:"reply"`
	}
	err := s.Post(ctx, "/_reply", map[string]string{"from": from, "body": body}, &said)
	return said.Reply, err
}

// Duplicates counts, by partner, the writes that should have happened once.
func (s *Stack) Duplicates(ctx context.Context) (map[string]int, error) {
	var counts map[string]int
	err := s.Get(ctx, "/_duplicates", &counts)
	return counts, err
}

// Mail is one mail of the sandbox's mailbox.
type Mail struct {
	To          []string `json:"to"`
	Subject     string   `json:"subject"`
	MessageID   string   `json:"message_id"`
	Text        string   `json:"text"`
	Attachments []struct {
		Name        string `json:"name"`
		ContentType string `json:"content_type"`
		Size        int    `json:"size"`
	} `json:"attachments"`
}

// Mails lists the mails to an address, oldest first.
func (s *Stack) Mails(ctx context.Context, to string) ([]Mail, error) {
	var all, some []Mail
	if err := s.Get(ctx, "/_mails", &all); err != nil {
		return nil, err
	}
	for _, m := range all {
		if strings.Join(m.To, ",") == to {
			some = append(some, m)
		}
	}
	return some, nil
}

// Calls lists what a partner was asked: "POST /path?query".
func (s *Stack) Calls(ctx context.Context, partner string) ([]string, error) {
	var calls []struct{ Method, Path string }
	if err := s.Get(ctx, "/_calls?partner="+url.QueryEscape(partner), &calls); err != nil {
		return nil, err
	}
	var lines []string
	for _, c := range calls {
		lines = append(lines, c.Method+" "+c.Path)
	}
	return lines, nil
}

// Fault makes something go wrong at a partner until Mend.
func (s *Stack) Fault(ctx context.Context, partner string, fault map[string]any) error {
	return s.Put(ctx, "/_faults/"+partner, fault, nil)
}

// Mend lets a partner work again.
func (s *Stack) Mend(ctx context.Context, partner string) error {
	return s.call(ctx, http.MethodDelete, "/_faults/"+partner, nil, nil)
}

// RentVine reads a path of the sandbox's RentVine, such as
// "/maintenance/work-orders/7", as another program of the account would.
func (s *Stack) RentVine(ctx context.Context, path string, into any) error {
	credentials, _ := url.Parse(s.Sandbox)
	credentials.User = url.UserPassword("rv_dev", "rv_dev_secret")
	reply, err := exchange(ctx, http.MethodGet, credentials.String()+"/rentvine/api/manager"+path, nil, nil)
	if err != nil {
		return err
	}
	if reply.Status != http.StatusOK {
		return fmt.Errorf("RentVine answered %d to %s", reply.Status, path)
	}
	return json.Unmarshal([]byte(reply.Body), into)
}

// WorkOrder reads the fields of a work order in RentVine.
func (s *Stack) WorkOrder(ctx context.Context, id string) (map[string]any, error) {
	var wrapped struct {
		WorkOrder map[string]any `json:"workOrder"`
	}
	err := s.RentVine(ctx, "/maintenance/work-orders/"+id, &wrapped)
	return wrapped.WorkOrder, err
}
