package sales

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// Report mails the report on all sales. A Schedule starts it on the policy's days;
// started by hand, it mails one more.
var Report = durable.Definition[ReportInput, activities.SalesReportMailed]{
	Name: ReportName, Run: report, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// ReportName is the durable name.
const ReportName = "sales.report"

// ReportInput starts the workflow.
type ReportInput struct{}

func report(ctx workflow.Context, _ ReportInput) (activities.SalesReportMailed, error) {
	info := workflow.GetInfo(ctx)
	// A run that was reset is the same report.
	ref := info.WorkflowExecution.ID + "/" + info.OriginalRunID
	mailed, err := activities.MailSalesReport.Run(ctx, activities.MailSalesReportInput{Ref: ref}, "the report on all sales")
	if err != nil {
		return mailed, err
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d sales: %d overdue, %d at risk, %d on track; mailed to %d.",
		mailed.Followed, mailed.Overdue, mailed.AtRisk, mailed.OnTrack, mailed.Sent))
	return mailed, nil
}
