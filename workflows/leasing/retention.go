package leasing

import (
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
	"github.com/aictive/keyholder/workflows/leasing/retention"
)

// Retention tries to keep tenants who may leave; its id is "retention/<lease>/<number>".
var Retention = durable.Definition[Campaign[retention.State], CampaignResult]{
	Name: RetentionName, Run: retain, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// RetentionName is the durable name.
const RetentionName = "leasing.retention"

// retentionRun is one run of it.
type retentionRun struct {
	in    Campaign[retention.State]
	state *retention.State
}

func retain(ctx workflow.Context, in Campaign[retention.State]) (CampaignResult, error) {
	w := &retentionRun{in, in.State}
	return play(ctx, KindRetention, RetentionName, in, w.state, w)
}

// do carries out one piece of work.
func (w *retentionRun) do(ctx workflow.Context, task campaign.Task) error {
	s := w.state
	switch task.Do {
	case retention.ReadRecord:
		records, err := activities.ReadIncentiveRecord.Run(ctx, activities.None{}, "how incentives have done")
		if temporal.IsCanceledError(err) {
			return err
		}
		var known []retention.Record
		for _, r := range records {
			known = append(known, retention.Record{Incentive: r.Incentive, Offered: r.Offered, Kept: r.Kept})
		}
		s.RecordRead(known, durable.Now(ctx))
	case retention.Assess:
		after, err := assess(ctx, s.Lease, w.learned())
		if temporal.IsCanceledError(err) {
			return err
		}
		s.Measured(after, problem(err), durable.Now(ctx))
	case retention.RecordResult:
		r := s.Result()
		if r.Outcome == retention.OutcomeCancelled { // says nothing of what was offered
			s.Recorded(durable.Now(ctx))
			return nil
		}
		_, err := activities.RecordRetention.Run(ctx, activities.RetentionResult{
			Key: workflow.GetInfo(ctx).WorkflowExecution.ID + "@" + s.BeganAt.UTC().Format("20060102"), Incentive: r.Incentive, Outcome: r.Outcome,
			Kept: r.Kept, RiskBefore: r.RiskBefore, RiskAfter: r.RiskAfter, EndedAt: durable.Now(ctx),
		}, "record how it ended")
		if temporal.IsCanceledError(err) {
			return err
		}
		s.Recorded(durable.Now(ctx))
	default:
		return unknownTask(task)
	}
	return nil
}

// learned is what later assessments use: the survey, and what the tenants made of the
// offer.
func (w *retentionRun) learned() Learned {
	s := w.state
	l := Learned{Rating: s.Lowest(), Note: strings.Join(s.Notes(), "\n"), At: s.BeganAt}
	switch {
	case s.Accepted, !s.Offered && s.Lowest() == 5:
		l.Retention = leasescore.OutcomeAccepted
	case len(s.Ratings) == 0 && s.Stage != retention.Surveying:
		l.Retention = leasescore.OutcomeSilent
	case s.Offered && s.Stage == retention.Measuring:
		l.Retention = leasescore.OutcomeDeclined
	}
	return l
}

// detail is what describe shows of a retention: no names and no notes.
func (w *retentionRun) detail() any {
	s := w.state
	return struct {
		Before leasescore.Assessment  `json:"before"`
		After  *leasescore.Assessment `json:"after,omitempty"`
		Rating int                    `json:"rating,omitempty"`
		Result retention.Result       `json:"result"`
	}{s.Before, s.After, s.Lowest(), s.Result()}
}
