package finance

import (
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// What the clock starts. Each works out by itself which day it is about, so that a run
// that comes late, or twice, does no harm.
var (
	// ReconcileBank matches the lines of bank statements with the journal.
	ReconcileBank = durable.Definition[BooksInput, activities.ReconciledBank]{
		Name: ReconcileBankName, Run: reconcileBank, Versioning: workflow.VersioningBehaviorPinned,
	}
	// CloseDay looks for payments that are missing and for what others have left undone, and
	// mails the daily report.
	CloseDay = durable.Definition[BooksInput, ClosedBooks]{
		Name: CloseDayName, Run: closeDay, Versioning: workflow.VersioningBehaviorPinned,
	}
	// CloseMonth mails the monthly report, and files each owner's ledger at RentVine.
	CloseMonth = durable.Definition[BooksInput, ClosedBooks]{
		Name: CloseMonthName, Run: closeMonth, Versioning: workflow.VersioningBehaviorPinned,
	}
)

// The durable names.
const (
	ReconcileBankName = "finance.reconcile_bank"
	CloseDayName      = "finance.close_day"
	CloseMonthName    = "finance.close_month"
)

type (
	// BooksInput starts one of them.
	BooksInput struct {
		Clock durable.Clock `json:"clock,omitzero"`
	}
	// ClosedBooks tells what was done.
	ClosedBooks struct {
		// Period is the day or month: "2026-11-21", "2026-10".
		Period string `json:"period"`
		// Findings counts what was found anew, Mails the people told, Files those at
		// RentVine.
		Findings int `json:"findings"`
		Mails    int `json:"mails"`
		Files    int `json:"files,omitempty"`
	}
)

// AllBooks are the search attributes of what is about no transaction of its own.
func AllBooks() temporal.SearchAttributes {
	return temporal.NewSearchAttributes(durable.EventSource.ValueSet("rentvine"))
}

func reconcileBank(ctx workflow.Context, in BooksInput) (activities.ReconciledBank, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	done, err := activities.MatchBank.Run(ctx, activities.None{}, "match statements with bookings")
	if err != nil {
		return done, err
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d matched; open: %d lines, %d bookings; %d new findings",
		done.Matched, done.OpenLines, done.OpenBookings, len(done.Anomalies.Raised)))
	return done, review(ctx, in.Clock, done.Anomalies)
}

func closeDay(ctx workflow.Context, in BooksInput) (ClosedBooks, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	found, err := activities.FindMissing.Run(ctx, activities.None{}, "look for payments that are missing")
	if err != nil {
		return ClosedBooks{}, err
	}
	if err := review(ctx, in.Clock, found.Anomalies); err != nil {
		return ClosedBooks{}, err
	}
	if err := bookAgain(ctx, in.Clock, found.Unposted); err != nil {
		return ClosedBooks{}, err
	}
	rules, err := activities.ReadFinance.RunLocal(ctx, activities.None{}, "policy of the books")
	if err != nil {
		return ClosedBooks{}, err
	}
	today := activities.DayIn(durable.Now(ctx), rules.TimeZone)
	sent, err := activities.MailFinanceReport.Run(ctx, activities.MailFinanceReportInput{Today: today}, "mail the daily report")
	done := ClosedBooks{Period: sent.Period, Findings: len(found.Raised), Mails: sent.Mails}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s: %d new findings, %d mails", done.Period, done.Findings, done.Mails))
	return done, err
}

// bookAgain has the transactions looked at whose entries were planned and not posted,
// because whoever did so was ended.
func bookAgain(ctx workflow.Context, clock durable.Clock, transactions []string) error {
	for _, id := range transactions {
		_, number, _ := strings.Cut(id, "/")
		_, err := durable.StartAbandoned(ctx, TransactionName, TransactionInput{ID: number, Clock: clock}, workflow.ChildWorkflowOptions{
			WorkflowID: id, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			StaticSummary: id, TypedSearchAttributes: AllBooks(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func closeMonth(ctx workflow.Context, in BooksInput) (ClosedBooks, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	rules, err := activities.ReadFinance.RunLocal(ctx, activities.None{}, "policy of the books")
	if err != nil {
		return ClosedBooks{}, err
	}
	today := activities.DayIn(durable.Now(ctx), rules.TimeZone)
	sent, err := activities.MailFinanceReport.Run(ctx, activities.MailFinanceReportInput{Month: true, Today: today}, "mail the monthly report")
	if err != nil {
		return ClosedBooks{}, err
	}
	filed, err := activities.FileOwnerLedgers.Run(ctx, sent.Period, "file the owners' ledgers at RentVine")
	done := ClosedBooks{Period: sent.Period, Mails: sent.Mails, Files: filed}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s: %d mails, %d owners' ledgers filed", done.Period, done.Mails, done.Files))
	return done, err
}
