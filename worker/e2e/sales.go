package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"go.temporal.io/api/workflowservice/v1"
)

// apiKey is the one of "keyholder dev".
const apiKey = "dev-api-key-for-this-machine"

// API calls the /v1 API as a program of the company does.
func (s *Stack) API(ctx context.Context, method, path, mediaType string, body []byte, header ...string) (Reply, error) {
	headers := map[string]string{"Authorization": "Bearer " + apiKey}
	if mediaType != "" {
		headers["Content-Type"] = mediaType
	}
	for i := 0; i+1 < len(header); i += 2 {
		headers[header[i]] = header[i+1]
	}
	return exchange(ctx, method, s.Ingress+path, bytes.NewReader(body), headers)
}

// Submitted is the answer to a sale.
type Submitted struct {
	Status        string `json:"status"`
	RequestID     string `json:"request_id"`
	PropertyID    string `json:"property_id"`
	TransactionID string `json:"transaction_id"`
	WorkflowID    string `json:"workflow_id"`
}

// Sell submits a sale and returns the status and what was answered.
func (s *Stack) Sell(ctx context.Context, sale any) (int, Submitted, error) {
	body, err := json.Marshal(sale)
	if err != nil {
		return 0, Submitted{}, err
	}
	reply, err := s.API(ctx, http.MethodPost, "/v1/sales", "application/json", body)
	if err != nil {
		return 0, Submitted{}, err
	}
	var out Submitted
	return reply.Status, out, json.Unmarshal([]byte(reply.Body), &out)
}

// ImportState is how far an import is.
type ImportState struct {
	ID     string         `json:"import_id"`
	Status string         `json:"status"`
	Counts map[string]int `json:"counts"`
}

// Import submits a CSV file.
func (s *Stack) Import(ctx context.Context, csv []byte) (ImportState, error) {
	reply, err := s.API(ctx, http.MethodPost, "/v1/sales/import", "text/csv", csv)
	if err != nil {
		return ImportState{}, err
	}
	if reply.Status != http.StatusAccepted {
		return ImportState{}, fmt.Errorf("the import was answered %d: %s", reply.Status, reply.Body)
	}
	var out ImportState
	return out, json.Unmarshal([]byte(reply.Body), &out)
}

// ImportState reads how far an import is.
func (s *Stack) ImportState(ctx context.Context, id string) (ImportState, error) {
	reply, err := s.API(ctx, http.MethodGet, "/v1/sales/import/"+id, "", nil)
	if err != nil {
		return ImportState{}, err
	}
	if reply.Status != http.StatusOK {
		return ImportState{}, fmt.Errorf("the import's state was answered %d: %s", reply.Status, reply.Body)
	}
	var out ImportState
	return out, json.Unmarshal([]byte(reply.Body), &out)
}

// UntilImported waits until the condition holds for an import.
func (s *Stack) UntilImported(ctx context.Context, id string, is func(ImportState) bool, limit time.Duration) (ImportState, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		state, err := s.ImportState(ctx, id)
		if err == nil && is(state) {
			return state, nil
		}
		select {
		case <-ctx.Done():
			return state, errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Property is one of the sandbox's OpenMoove, read without using its limits.
type Property struct {
	ID       json.Number `json:"id"`
	Address  string      `json:"address"`
	Postcode string      `json:"postcode"`
	// Email is the seller's.
	Email string `json:"email"`
}

// Properties lists the properties of the sandbox's OpenMoove that were not there
// from the beginning.
func (s *Stack) Properties(ctx context.Context) ([]Property, error) {
	var all, some []Property
	if err := s.Get(ctx, "/_records/openmoove/properties", &all); err != nil {
		return nil, err
	}
	for _, p := range all {
		if id, err := strconv.Atoi(p.ID.String()); err == nil && id > 1000 {
			some = append(some, p)
		}
	}
	return some, nil
}

// Statuses counts a partner's answers by HTTP status since the beginning.
func (s *Stack) Statuses(ctx context.Context, partner string) (map[string]int, error) {
	var all map[string]map[string]int
	err := s.Get(ctx, "/_calls/statuses", &all)
	return all[partner], err
}

// Accept is a professional accepting the invitation of a role.
func (s *Stack) Accept(ctx context.Context, propertyID, role string) error {
	return s.Post(ctx, "/_records/openmoove/properties/"+propertyID+"/accept", map[string]string{"role": role}, nil)
}

// Newest is the id of the workflow of a type that was started last.
func (s *Stack) Newest(ctx context.Context, workflowType string) (string, error) {
	list, err := s.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowType = '%s'", workflowType), PageSize: 1,
	})
	if err != nil {
		return "", err
	}
	if len(list.GetExecutions()) == 0 {
		return "", fmt.Errorf("no workflow of type %s", workflowType)
	}
	return list.GetExecutions()[0].GetExecution().GetWorkflowId(), nil
}
