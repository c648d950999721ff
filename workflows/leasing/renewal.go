package leasing

import (
	"cmp"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
	"github.com/aictive/keyholder/workflows/leasing/renewal"
)

// Renewal renews a lease before it ends; its id is "renewal/<lease>/<end>".
var Renewal = durable.Definition[Campaign[renewal.State], CampaignResult]{
	Name: RenewalName, Run: renew, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// RenewalName is the durable name.
const RenewalName = "leasing.renewal"

// renewalRun is one run of it.
type renewalRun struct {
	in    Campaign[renewal.State]
	state *renewal.State
}

func renew(ctx workflow.Context, in Campaign[renewal.State]) (CampaignResult, error) {
	w := &renewalRun{in, in.State}
	return play(ctx, KindRenewal, RenewalName, in, w.state, w)
}

// do carries out one piece of work.
func (w *renewalRun) do(ctx workflow.Context, task campaign.Task) error {
	s := w.state
	switch task.Do {
	case renewal.CountWorkOrders:
		open, err := activities.CountOpenWorkOrders.Run(ctx, refOf(s.Lease), "open work orders")
		if temporal.IsCanceledError(err) {
			return err
		}
		if err != nil {
			open = -1 // not known
		}
		s.Counted(open, durable.Now(ctx))
	case renewal.Assess:
		found, err := assess(ctx, s.Lease, w.in.Learned)
		if temporal.IsCanceledError(err) {
			return err
		}
		s.Assessed(found, problem(err), durable.Now(ctx))
	case renewal.SuggestRent:
		found, err := activities.SuggestRent.Run(ctx, activities.SuggestRentInput(refOf(s.Lease)), "suggest a rent")
		if temporal.IsCanceledError(err) {
			return err
		}
		s.Suggested(found, problem(err), durable.Now(ctx))
	case renewal.ReadOwners:
		owners, err := activities.ReadOwners.Run(ctx, activities.ReadOwnersInput{
			PortfolioID: s.Lease.PortfolioID, PropertyID: s.Lease.PropertyID,
		}, "whom to ask for approval")
		if temporal.IsCanceledError(err) {
			return err
		}
		if err != nil {
			s.Note(durable.Now(ctx), "the owners could not be read: %s", durable.KindOf(err))
		}
		s.OwnersRead(owners, durable.Now(ctx))
	case renewal.WriteRenewal:
		written, err := activities.WriteRenewal.Run(ctx, renewalInput(s), "write the renewal to RentVine")
		if temporal.IsCanceledError(err) {
			return err
		}
		if err != nil {
			written.Differences = append(written.Differences, "RentVine did not take it: "+durable.KindOf(err))
		}
		if len(written.Conflicts) > 0 {
			s.Met(written.Conflicts, written.Differences, durable.Now(ctx))
		}
		s.Written(err == nil && written.OK, written.Differences, durable.Now(ctx))
	default:
		return unknownTask(task)
	}
	return nil
}

// about is the end of the lease that the renewal was for: what was agreed begins after
// it.
func (w *renewalRun) about() string {
	if t := w.state.Terms; t != nil {
		return campaign.DayAfter(t.Start, -1)
	}
	return w.state.Lease.End
}

// learned is what later assessments use: the market, as comparable homes show it.
func (w *renewalRun) learned() (l Learned) {
	if g := w.state.Suggestion; g != nil && g.Median > 0 && g.Current > 0 {
		l.Rent = leasescore.RentKnown{Known: true, Asked: g.Current, Median: g.Median}
	}
	return l
}

// renewalInput is what was agreed, as RentVine is to hold it.
func renewalInput(s *renewal.State) activities.WriteRenewalInput {
	in := activities.WriteRenewalInput{LeaseID: s.Lease.ID, OldEnd: s.Lease.End, Force: s.Force}
	if t := s.Terms; t != nil {
		in.End, in.Rent, in.RentFrom = t.End, t.Rent, cmp.Or(t.From, t.Start)
		in.OldEnd = campaign.DayAfter(t.Start, -1)
	}
	return in
}

// detail is what describe shows of a renewal: no names.
func (w *renewalRun) detail() any {
	s := w.state
	return struct {
		Attempt    int                     `json:"attempt"`
		Ends       string                  `json:"ends"`
		Rent       string                  `json:"rent"`
		Price      string                  `json:"price,omitempty"`
		PriceWhy   string                  `json:"price_why,omitempty"`
		Suggestion *comparables.Suggestion `json:"suggestion,omitempty"`
		Assessment *leasescore.Assessment  `json:"assessment,omitempty"`
		Terms      *renewal.Terms          `json:"terms,omitempty"`
		Signatures int                     `json:"signatures"`
		OpenOrders int                     `json:"open_work_orders"`
	}{s.Attempt, s.Lease.End, s.Lease.Rent.String(), s.Price.String(), s.PriceWhy, s.Suggestion, s.Assessment, s.Terms, len(s.Signatures), s.OpenOrders}
}

// assess judges a tenancy with what campaigns have learned of it.
func assess(ctx workflow.Context, l activities.LeaseView, known Learned) (leasescore.Assessment, error) {
	in := activities.AssessLeaseInput{
		LeaseID: l.ID, PropertyID: l.PropertyID, PortfolioID: l.PortfolioID, UnitID: l.UnitID, Rent: known.Rent,
		Survey:    leasescore.SurveyKnown{Known: known.Rating > 0, Rating: known.Rating},
		Retention: leasescore.RetentionKnown{Known: known.Retention != "", Outcome: known.Retention},
	}
	if known.Note != "" {
		in.Texts = []string{known.Note}
	}
	return activities.AssessLease.Run(ctx, in, "assess the lease")
}

func refOf(l activities.LeaseView) activities.LeaseRef {
	return activities.LeaseRef{LeaseID: l.ID, PropertyID: l.PropertyID, UnitID: l.UnitID, PortfolioID: l.PortfolioID}
}

func unknownTask(t campaign.Task) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf("no such work: %q", t.Do), "invalid", nil)
}

// problem is an error in a word, "" for none.
func problem(err error) string {
	if err == nil {
		return ""
	}
	return durable.KindOf(err)
}
