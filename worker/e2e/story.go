package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/aictive/keyholder/workflows/maintenance"
)

// Text is one message of the sandbox's phones.
type Text struct {
	SID       string    `json:"sid"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Body      string    `json:"body"`
	Direction string    `json:"direction"`
	Status    string    `json:"status"`
	Created   time.Time `json:"created"`
}

// Emergency lets the sandbox's RentVine report a burst pipe, with changes to the
// sample's data, and returns the work order's id.
func (s *Stack) Emergency(ctx context.Context, data ...map[string]any) (string, error) {
	var body any
	if len(data) > 0 {
		body = data[0]
	}
	var sent struct {
		Status      int    `json:"status"`
		WorkOrderID string `json:"work_order_id"`
	}
	if err := s.Post(ctx, "/_send/rentvine/work_order.created", body, &sent); err != nil {
		return "", err
	}
	if sent.Status != http.StatusAccepted {
		return "", fmt.Errorf("the ingress answered %d", sent.Status)
	}
	return sent.WorkOrderID, nil
}

// Texts lists the texts to a number, oldest first; "" means all.
func (s *Stack) Texts(ctx context.Context, to string) ([]Text, error) {
	var all, some []Text
	if err := s.Get(ctx, "/_messages", &all); err != nil {
		return nil, err
	}
	for _, t := range all {
		if to == "" || t.To == to {
			some = append(some, t)
		}
	}
	return some, nil
}

// WaitForText waits for a text that contains something, to a number or to anybody.
func (s *Stack) WaitForText(ctx context.Context, contains, to string, limit time.Duration) (Text, error) {
	var found Text
	err := poll(ctx, limit, func() (bool, error) {
		texts, err := s.Texts(ctx, to)
		for _, t := range texts {
			if strings.Contains(t.Body, contains) {
				found = t
				return true, nil
			}
		}
		return false, err
	})
	if err != nil {
		return found, fmt.Errorf("no text %q to %q: %w", contains, to, err)
	}
	return found, nil
}

// Reply answers from a phone.
func (s *Stack) Reply(ctx context.Context, from, body string) error {
	return s.Post(ctx, "/_reply", map[string]string{"from": from, "body": body}, nil)
}

// CloseInRentVine completes the work order as the office would.
func (s *Stack) CloseInRentVine(ctx context.Context, workOrderID string) error {
	return s.Put(ctx, "/_records/rentvine/work-orders/"+workOrderID+"/status", map[string]string{"status": "Completed"}, nil)
}

// Describe asks the workflow of a work order where it stands.
func (s *Stack) Describe(ctx context.Context, workOrderID string) (maintenance.Description, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return maintenance.Describe.Ask(ctx, s.Client, maintenance.WorkOrderID(workOrderID), "")
}

// Until waits until the workflow's description fits.
func (s *Stack) Until(ctx context.Context, workOrderID string, fits func(maintenance.Description) bool, limit time.Duration) (maintenance.Description, error) {
	var last maintenance.Description
	err := poll(ctx, limit, func() (bool, error) {
		var err error
		last, err = s.Describe(ctx, workOrderID)
		return err == nil && fits(last), nil
	})
	if err != nil {
		return last, fmt.Errorf("work order %s stays %s, waiting for %s: %w", workOrderID, last.Stage, last.WaitingFor, err)
	}
	return last, nil
}

// UntilClosed waits until the workflow has completed.
func (s *Stack) UntilClosed(ctx context.Context, workOrderID string, limit time.Duration) error {
	return poll(ctx, limit, func() (bool, error) {
		d, err := s.Client.DescribeWorkflowExecution(ctx, maintenance.WorkOrderID(workOrderID), "")
		if err != nil {
			return false, err
		}
		switch status := d.GetWorkflowExecutionInfo().GetStatus(); status {
		case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
			return false, nil
		case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
			return true, nil
		default:
			return false, fmt.Errorf("work order %s is %s", workOrderID, status)
		}
	})
}

// poll asks until the answer is yes, an error or the limit.
func poll(ctx context.Context, limit time.Duration, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := ask()
		if yes || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
