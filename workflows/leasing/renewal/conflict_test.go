package renewal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// conflicting is a renewal that all have signed and that meets another end at RentVine.
func conflicting(t *testing.T, outcome activities.ConflictOutcome) *play {
	t.Helper()
	p := newPlay(t, lease("CA", "1"))
	p.priced(210000, 80, 20, "owner")
	p.says(AskOwner, "owner", Approve)
	p.says(AskOffer, "1", Accept)
	p.says(AskSign, "1", Sign, FieldName, "Ann Lee")
	p.do(WriteRenewal)
	p.sent()
	p.Met([]activities.Conflict{
		{Field: policy.FieldLeaseEnd, Theirs: "2027-12-31", Ours: "2028-05-31", Rule: policy.ConflictPerson, Outcome: outcome},
	}, nil, p.now)
	p.Written(false, nil, p.now)
	return p
}

func TestTheManagerSaysWhatHolds(t *testing.T) {
	t.Parallel()
	p := conflicting(t, activities.ConflictAsks)
	w := p.asked(AskConflict)
	require.Equal(t, campaign.Manager, w.Tell.To)
	require.Equal(t, policy.TextManagerConflict, w.Tell.Text)
	require.Equal(t, []string{"lease end: 2027-12-31 at RentVine, 2028-05-31 signed"}, w.Tell.Data.Lines)
	require.Equal(t, campaign.Nothing, p.Todo(p.now), "nothing is written meanwhile")
	p.change(func(l *activities.LeaseView) { l.End = "2027-12-31" })
	p.at(Writing)

	p.says(AskConflict, "grace", Ours)
	require.True(t, p.Force)
	require.Equal(t, campaign.Task{Do: WriteRenewal, Key: "1/force"}, p.Todo(p.now))
	p.Met([]activities.Conflict{{Field: policy.FieldLeaseEnd, Outcome: activities.ConflictOurs}}, nil, p.now)
	p.Written(true, nil, p.now)
	p.ended(OutcomeRenewed)
	require.Equal(t, 1, p.told(policy.TextRenewalDone))
}

func TestASignedRenewalThatIsNotWritten(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func() *play{
		"the manager keeps theirs": func() *play {
			p := conflicting(t, activities.ConflictAsks)
			p.says(AskConflict, "grace", Theirs)
			return p
		},
		"nobody says": func() *play {
			p := conflicting(t, activities.ConflictAsks)
			for p.Outcome == "" {
				next, _ := p.Next(p.now)
				require.True(t, next.After(p.now))
				p.pass(next.Sub(p.now))
			}
			return p
		},
		"the rule": func() *play { return conflicting(t, activities.ConflictTheirs) },
	} {
		p := play()
		p.ended(OutcomeRenewedUnwritten)
		require.Zero(t, p.told(policy.TextRenewalDone), "%s: the tenants are not told of what is not", name)
		require.Nil(t, p.Waiting(AskConflict))
		require.Equal(t, campaign.Nothing, p.Todo(p.now))
	}
}
