package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/workflows/finance"
)

// Charge makes a charge, payment or bill in the sandbox's RentVine, with changes to a
// sample such as "lease_charge.created", and lets RentVine tell of it. It returns the id
// of its workflow: "charge/12". A leaseChargeID, paymentID or invoiceID changes that one.
func (s *Stack) Charge(ctx context.Context, sample string, fields map[string]any) (string, error) {
	var sent struct {
		Status        int    `json:"status"`
		TransactionID string `json:"transaction_id"`
		BillID        string `json:"bill_id"`
	}
	if err := s.Post(ctx, "/_send/rentvine/"+sample, fields, &sent); err != nil {
		return "", err
	}
	if sent.Status != http.StatusAccepted && sent.Status != http.StatusOK {
		return "", fmt.Errorf("the ingress answered %d", sent.Status)
	}
	switch {
	case sent.BillID != "":
		return finance.InvoicePrefix + sent.BillID, nil
	case strings.HasPrefix(sample, "payment."):
		return finance.PaymentPrefix + sent.TransactionID, nil
	}
	return finance.ChargePrefix + sent.TransactionID, nil
}

// DescribeCharge asks the workflow of a charge, payment or bill where it stands.
func (s *Stack) DescribeCharge(ctx context.Context, workflowID string) (finance.TransactionDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return finance.DescribeTransaction.Ask(ctx, s.Client, workflowID, "")
}

// Ended waits until the newest run of a workflow has completed.
func (s *Stack) Ended(ctx context.Context, workflowID string, limit time.Duration) error {
	status := enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED
	err := poll(ctx, limit, func() (bool, error) {
		d, err := s.Client.DescribeWorkflowExecution(ctx, workflowID, "")
		if err == nil {
			status = d.GetWorkflowExecutionInfo().GetStatus()
		}
		return status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, nil
	})
	if err != nil {
		return fmt.Errorf("%s is %s: %w", workflowID, status, err)
	}
	return nil
}

// Trigger lets a Schedule run now, as an operator does.
func (s *Stack) Trigger(ctx context.Context, schedule string) error {
	return s.Client.ScheduleClient().GetHandle(ctx, schedule).Trigger(ctx, client.ScheduleTriggerOptions{
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
	})
}

// Books are what the sandbox's QuickBooks has booked, in cents.
type Books struct {
	Balanced bool  `json:"balanced"`
	Debits   int64 `json:"debits"`
	Credits  int64 `json:"credits"`
	Entries  int   `json:"entries"`
	// Duplicates counts documents with a number that another one had.
	Duplicates int `json:"duplicates"`
	Accounts   []struct {
		Name string `json:"name"`
		// Balance is debits less credits.
		Balance int64 `json:"balance"`
		Lines   int   `json:"lines"`
	} `json:"accounts"`
}

// Balance is that of an account, 0 where there is none.
func (b Books) Balance(account string) int64 {
	for _, a := range b.Accounts {
		if a.Name == account {
			return a.Balance
		}
	}
	return 0
}

// QuickBooks reads the books of the sandbox's QuickBooks.
func (s *Stack) QuickBooks(ctx context.Context) (Books, error) {
	var books Books
	err := s.Get(ctx, "/_books?partner="+url.QueryEscape("quickbooks"), &books)
	return books, err
}

// Planted is something that was put into made-up books, such as a "duplicate_charge".
type Planted struct {
	Kind    string `json:"kind"`
	LeaseID string `json:"lease_id"`
	// Transactions are RentVine's ids.
	Transactions []string `json:"transactions"`
	Amount       int64    `json:"amount"` // cents
}

// MadeBooks are books that the sandbox has made up, and how far their events are.
type MadeBooks struct {
	Counts  map[string]int `json:"counts"`
	Planted []Planted      `json:"planted"`
	// Totals are sums in cents when all events have happened.
	Totals struct {
		Charges  int64 `json:"charges"`
		Payments int64 `json:"payments"`
		Bills    int64 `json:"bills"`
	} `json:"totals"`
	From    string `json:"from"`
	To      string `json:"to"`
	Sending bool   `json:"sending"`
	Sent    int    `json:"sent"`
	Failed  int    `json:"failed"`
}

// MakeBooks lets the sandbox make up books, and RentVine tell of them.
func (s *Stack) MakeBooks(ctx context.Context, of map[string]any) (made MadeBooks, err error) {
	return made, s.Post(ctx, "/_generate/books", of, &made)
}

// UntilTold waits until RentVine has told of so many events of the made-up books.
func (s *Stack) UntilTold(ctx context.Context, events int, limit time.Duration) (made MadeBooks, err error) {
	err = poll(ctx, limit, func() (bool, error) {
		err := s.Get(ctx, "/_generate/books", &made)
		return made.Sent >= events, err
	})
	if err != nil {
		return made, fmt.Errorf("%d of %d events were taken, %d failed: %w", made.Sent, made.Counts["events"], made.Failed, err)
	}
	return made, nil
}

// Statement is the bank's of the made-up books, as CSV.
func (s *Stack) Statement(ctx context.Context) ([]byte, error) {
	reply, err := exchange(ctx, http.MethodGet, s.Sandbox+"/_generate/books/statement.csv", nil, nil)
	if err == nil && reply.Status != http.StatusOK {
		err = fmt.Errorf("the sandbox answered %d: %s", reply.Status, reply.Body)
	}
	return []byte(reply.Body), err
}
