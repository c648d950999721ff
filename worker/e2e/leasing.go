package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing"
)

// Lease makes a lease in the sandbox's RentVine, with changes to a sample such as
// "lease.created", whose dates are as far from the business day as the sample says, and
// lets RentVine tell of it. It returns the lease's id.
func (s *Stack) Lease(ctx context.Context, sample string, fields map[string]any) (string, error) {
	var sent struct {
		Status  int    `json:"status"`
		LeaseID string `json:"lease_id"`
	}
	if err := s.Post(ctx, "/_send/rentvine/"+sample, fields, &sent); err != nil {
		return "", err
	}
	if sent.Status != http.StatusAccepted && sent.Status != http.StatusOK {
		return "", fmt.Errorf("the ingress answered %d", sent.Status)
	}
	return sent.LeaseID, nil
}

// ChangeLease changes a lease in RentVine as the office would, and lets RentVine tell of
// it.
func (s *Stack) ChangeLease(ctx context.Context, leaseID string, fields map[string]any) error {
	all := map[string]any{"leaseID": leaseID}
	for k, v := range fields {
		all[k] = v
	}
	_, err := s.Lease(ctx, "lease.updated", all)
	return err
}

// DescribeLease asks the workflow of a lease where it stands.
func (s *Stack) DescribeLease(ctx context.Context, leaseID string) (leasing.LeaseDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return leasing.DescribeLease.Ask(ctx, s.Client, leasing.LeaseID(leaseID), "")
}

// DescribeCampaign asks the workflow of a campaign where it stands.
func (s *Stack) DescribeCampaign(ctx context.Context, workflowID string) (leasing.CampaignDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return leasing.DescribeCampaign.Ask(ctx, s.Client, workflowID, "")
}

// UntilLease waits until the description of a lease fits.
func (s *Stack) UntilLease(ctx context.Context, leaseID string, fits func(leasing.LeaseDescription) bool, limit time.Duration) (leasing.LeaseDescription, error) {
	var last leasing.LeaseDescription
	err := poll(ctx, limit, func() (bool, error) {
		var err error
		last, err = s.DescribeLease(ctx, leaseID)
		return err == nil && fits(last), nil
	})
	if err != nil {
		return last, fmt.Errorf("lease %s stays %s: %w", leaseID, last.Stage, err)
	}
	return last, nil
}

// ClockOf is the business clock of the stack, as a workflow has recorded it.
func (s *Stack) ClockOf(ctx context.Context, workflowID string) (durable.Clock, error) {
	events := s.Client.GetWorkflowHistory(ctx, workflowID, "", false, 0)
	first, err := events.Next()
	if err != nil {
		return durable.Clock{}, err
	}
	var in struct {
		Clock durable.Clock `json:"clock"`
	}
	payloads := first.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()
	if len(payloads) == 0 {
		return durable.Clock{}, fmt.Errorf("%s has no input", workflowID)
	}
	return in.Clock, json.Unmarshal(payloads[0].GetData(), &in)
}

// RentVineLease is a lease as the sandbox's RentVine has it.
func (s *Stack) RentVineLease(ctx context.Context, leaseID string) (map[string]any, error) {
	var wrapped struct {
		Lease map[string]any `json:"lease"`
	}
	err := s.RentVine(ctx, "/leases/"+leaseID, &wrapped)
	return wrapped.Lease, err
}
