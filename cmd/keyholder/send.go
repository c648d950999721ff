package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/ingress"
	"github.com/aictive/keyholder/sandbox/samples"
)

func sendCommand() *cobra.Command {
	var sets []string
	var target, dataDir string
	var generated *booksRequest
	cmd := &cobra.Command{
		Use:   "send rentvine|openmoove FILE|EVENT|books",
		Short: "Sign and post a webhook: a sample event or a file",
		Long: `Signs a webhook as the partner would and posts it to the ingress. EVENT is one of
  rentvine: ` + strings.Join(samples.Names(), ", ") + `
  openmoove: ` + strings.Join(samples.OpenMooveNames(), ", ") + `
A sample of RentVine gets an event id and, for a new work order, an id of its own;
one of OpenMoove is about property 1 until --set data.property_id says otherwise. A
file is sent as it is, but for --set. Beside a running "keyholder dev" nothing needs to be
configured, and its RentVine holds the leases that samples tell of: lease.created makes
one, with dates from the business day, and lease.updated changes that of data.leaseID,
1 where none is given. In the same way lease_charge.created, payment.received and
invoice.generated make a record of the business day, and lease_charge.updated changes
that of data.leaseChargeID; property.created and unit.created make a place, and
property.updated and unit.updated change that of data.propertyID or data.unitID, 1 where
none is given. "rentvine books" makes up the books of a year, with what is
wrong in them planted and listed, and sends all their events.`,
		Example: `  keyholder send rentvine work_order.created --set data.priority=emergency
  keyholder send rentvine delivery.json --set data.workOrderID=4711
  keyholder send rentvine lease.updated --set data.leaseID=5 --set data.endDate=2027-03-06
  keyholder send rentvine lease_charge.created --set data.leaseID=3 --set data.amount=42.00
  keyholder send rentvine unit.updated --set data.unitID=1 --set data.rent=2595.00
  keyholder send rentvine books --count 10000 --seed 7 --rate 100 --statement bank.csv
  keyholder send mail --unit 1 --from "Ana Perez <ana@example.org>"
  keyholder send openmoove property.milestone.updated --set data.property_id=2`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, given []string) error {
			cfg, err := parse[sendConfig](environ(envFile(dataDir)))
			if err != nil {
				return err
			}
			if target != "" {
				cfg.PublicURL = target
			}
			if given[0] == ingress.SourceRentVine && given[1] == sendBooks {
				return generateBooks(cmd.Context(), cmd.OutOrStdout(), cfg, generated)
			}
			return send(cmd.Context(), cfg, given[0], given[1], sets)
		},
	}
	generated = booksFlags(cmd)
	cmd.AddCommand(sendMailCommand())
	cmd.Flags().StringArrayVar(&sets, "set", nil, "change a field, such as data.priority=emergency")
	cmd.Flags().StringVar(&target, "url", "", "the ingress (default KEYHOLDER_PUBLIC_URL)")
	cmd.Flags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	return cmd
}

const (
	// sendLimit bounds each request.
	sendLimit = 10 * time.Second
	// maxReply bounds what is read of an answer.
	maxReply = 64 << 10
)

func send(ctx context.Context, cfg sendConfig, source, what string, sets []string) error {
	var signature ingress.Signature
	switch source {
	case ingress.SourceRentVine:
		signature = ingress.Signature{Scheme: cfg.RentVineScheme, Secrets: secrets(cfg.RentVineSecrets)}
	case ingress.SourceOpenMoove:
		signature = ingress.Signature{Secrets: secrets(cfg.OpenMooveSecrets)}
	default:
		return usageError{fmt.Errorf("no samples of %q; there are those of rentvine and openmoove", source)}
	}
	verifier, err := ingress.NewVerifier(source, signature)
	if err != nil {
		return usageError{err}
	}
	if base, ok := sandboxOf(cfg.RentVineURL); ok && source == ingress.SourceRentVine && madeBySandbox(what) {
		return sandboxSends(ctx, cfg, base, what, sets)
	}
	body, err := webhookBody(ctx, cfg, source, what, sets)
	if err != nil {
		return err
	}
	signed := http.Header{}
	if err := verifier.Sign(signed, body, uuid.NewString(), time.Now()); err != nil {
		return usageError{err}
	}
	got, err := post(ctx, "ingress", strings.TrimRight(cfg.PublicURL, "/")+"/webhooks/"+source, body, signed)
	if err != nil {
		return err
	}
	out("%s %s", got.status, got.body)
	if got.code >= http.StatusBadRequest {
		return fmt.Errorf("the ingress answered %s", got.status)
	}
	printLink(cfg, got.body)
	return nil
}

// posted is what a request was answered: body is without the space around it.
type posted struct {
	code   int
	status string
	body   []byte
}

// post sends JSON with the headers that it needs to whoever is at an address, and reads
// what is answered up to a bound.
func post(ctx context.Context, whom, address string, body []byte, headers http.Header) (posted, error) {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return posted{}, usageError{err}
	}
	req.Header.Set("Content-Type", "application/json")
	maps.Copy(req.Header, headers)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return posted{}, fmt.Errorf("%w; is the %s running?", err, whom)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	return posted{resp.StatusCode, resp.Status, bytes.TrimSpace(reply)}, err
}

// printLink shows where the workflow can be watched.
func printLink(cfg sendConfig, reply []byte) {
	var accepted struct {
		WorkflowID string `json:"workflow_id"`
	}
	if cfg.UIURL == "" || json.Unmarshal(reply, &accepted) != nil || accepted.WorkflowID == "" {
		return
	}
	out("%s/namespaces/default/workflows/%s", cfg.UIURL, url.PathEscape(accepted.WorkflowID))
}

// webhookBody is the file's content, or the sample made fresh, with the changes.
func webhookBody(ctx context.Context, cfg sendConfig, source, what string, sets []string) ([]byte, error) {
	text, err := os.ReadFile(what)
	isFile := err == nil
	if !isFile {
		sample := samples.Get
		if source == ingress.SourceOpenMoove {
			sample = samples.OpenMoove
		}
		if text, err = sample(strings.TrimSuffix(what, ".json")); err != nil {
			return nil, usageError{fmt.Errorf("%s is neither a file nor an event: %w", what, err)}
		}
	}
	if isFile && len(sets) == 0 {
		return text, nil
	}
	var body map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		return nil, usageError{fmt.Errorf("%s is not a JSON object: %w", what, err)}
	}
	isNewOrder := !isFile && source == ingress.SourceRentVine && strings.HasPrefix(what, "work_order.created")
	switch {
	case isFile:
	case source == ingress.SourceOpenMoove:
		freshenSale(body, sets)
	default:
		freshen(body, isNewOrder)
	}
	for _, s := range sets {
		if err := set(body, s); err != nil {
			return nil, usageError{err}
		}
	}
	if data, ok := body["data"].(map[string]any); ok && isNewOrder {
		registerRecord(ctx, cfg.RentVineURL, data)
	}
	return json.Marshal(body)
}

// freshen makes a sample a new event, and a new work order one of its own.
func freshen(body map[string]any, isNewOrder bool) {
	number := strconv.FormatInt(time.Now().UnixMilli()%1e9, 10)
	event, live := body["event"].(map[string]any)
	if !live {
		body["event_id"] = uuid.NewString()
		body["timestamp"] = time.Now().UTC().Format(time.RFC3339)
	}
	data, ok := body["data"].(map[string]any)
	if !ok || !isNewOrder {
		return
	}
	data["workOrderID"], data["workOrderNumber"] = number, "WO-"+number
	if live {
		event["objectID"] = number
	}
}

// freshenSale makes a sample of OpenMoove a new event: it has no id, so that its
// time tells it from others (contracts/openmoove.md 3). The description of property 1
// is left out where the event is about another one, of which OpenMoove knows better.
func freshenSale(body map[string]any, sets []string) {
	body["timestamp"] = time.Now().UTC().Format(time.RFC3339Nano)
	data, ok := body["data"].(map[string]any)
	if !ok {
		return
	}
	for _, s := range sets {
		if strings.HasPrefix(s, "data.property_id=") {
			delete(data, "property")
		}
	}
}

// set changes one field: "data.priority=emergency". A value that is JSON is taken
// as such, anything else as text.
func set(body map[string]any, assignment string) error {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok || path == "" {
		return fmt.Errorf("--set %q must be path=value, such as data.priority=emergency", assignment)
	}
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		next, ok := body[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			body[name] = next
		}
		body = next
	}
	var parsed any
	decoder := json.NewDecoder(strings.NewReader(value))
	decoder.UseNumber()
	if decoder.Decode(&parsed) != nil || decoder.More() {
		parsed = value
	}
	body[names[len(names)-1]] = parsed
	return nil
}

// sandboxOf is the sandbox behind a RentVine, if it is one.
func sandboxOf(rentVineURL string) (base string, ok bool) {
	return strings.CutSuffix(rentVineURL, "/rentvine/api/manager")
}

// madeBySandbox tells whether a sample is about a lease, money or a place: its workflow goes
// by what RentVine holds, on days of its clock.
func madeBySandbox(what string) bool {
	if _, err := os.Stat(what); err == nil {
		return false
	}
	return slices.ContainsFunc([]string{"lease.", "lease_charge.", "payment.", "invoice.", "property.", "unit."}, func(of string) bool { return strings.HasPrefix(what, of) })
}

// sandboxSends lets the sandbox's RentVine make or change the record, and tell of it.
func sandboxSends(ctx context.Context, cfg sendConfig, base, what string, sets []string) error {
	body := map[string]any{"data": map[string]any{}}
	for _, s := range sets {
		if !strings.HasPrefix(s, "data.") {
			return usageError{fmt.Errorf("--set %q must be a field of the record, such as data.moveInDate=2026-12-24", s)}
		}
		if err := set(body, s); err != nil {
			return usageError{err}
		}
	}
	data, err := json.Marshal(body["data"])
	if err != nil {
		return err
	}
	got, err := post(ctx, "sandbox", base+"/_send/rentvine/"+strings.TrimSuffix(what, ".json"), data, nil)
	if err != nil {
		return err
	}
	var sent struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	}
	if got.code != http.StatusOK || json.Unmarshal(got.body, &sent) != nil || sent.Status >= http.StatusBadRequest {
		return fmt.Errorf("the sandbox answered %s: %s", got.status, got.body)
	}
	out("%d %s", sent.Status, sent.Body)
	printLink(cfg, sent.Body)
	return nil
}

// registerRecord makes the sandbox's RentVine know the work order, as a real one
// would. Where RentVine is no sandbox, nothing is to be done.
func registerRecord(ctx context.Context, rentVineURL string, record map[string]any) {
	base, isSandbox := sandboxOf(rentVineURL)
	if !isSandbox {
		return
	}
	body, err := json.Marshal(record)
	if err != nil {
		return
	}
	// Where it fails, the webhook says so.
	_, _ = post(ctx, "sandbox", base+"/_records/rentvine/work-orders", body, nil)
}
