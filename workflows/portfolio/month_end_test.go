package portfolio

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
)

func TestMonthBefore(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{
		"2026-11-22": "2026-10", "2026-11-01": "2026-10", "2026-03-31": "2026-02", "2026-01-05": "2025-12", "soon": "",
	} {
		require.Equal(t, want, monthBefore(day), day)
	}
}

func TestTheMonthEndIsOfTheMonthBeforeWhereTheCompanyIs(t *testing.T) {
	t.Parallel()
	on := policy.Portfolio{TimeZone: "America/Los_Angeles", Questions: policy.PortfolioQuestions{Times: 1}}
	for _, c := range []struct {
		name  string
		rules policy.Portfolio
		month string
		want  []string
	}{
		// It is December in UTC already.
		{"by the clock", on, "", []string{"2026-10"}},
		{"by hand", on, "2026-07", []string{"2026-07"}},
		{"homes are not followed", policy.Portfolio{TimeZone: "UTC"}, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			env.SetStartTime(time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC))
			MonthEnd.Register(env)
			activities.ReadPortfolio.Bind(env, func(context.Context, activities.PlaceRef) (policy.Portfolio, error) { return c.rules, nil })
			var months []string
			activities.SendOwnerPacks.Bind(env, func(_ context.Context, month string) (activities.PacksSent, error) {
				months = append(months, month)
				return activities.PacksSent{Portfolios: 2, Mails: 3}, nil
			})
			env.ExecuteWorkflow(MonthEndName, MonthEndInput{Month: c.month})
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, c.want, months)
		})
	}
}

func TestTheDigestIsOfItsStart(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	began := time.Date(2026, 11, 22, 16, 30, 0, 0, time.UTC)
	env.SetStartTime(began)
	Digest.Register(env)
	activities.ReadPortfolio.Bind(env, func(context.Context, activities.PlaceRef) (policy.Portfolio, error) {
		return policy.Portfolio{TimeZone: "UTC", Questions: policy.PortfolioQuestions{Times: 1}}, nil
	})
	var at []time.Time
	activities.SendOwnerDigests.Bind(env, func(_ context.Context, in activities.OwnerDigestInput) (activities.DigestsSent, error) {
		at = append(at, in.At)
		if len(at) == 1 {
			return activities.DigestsSent{}, context.DeadlineExceeded
		}
		return activities.DigestsSent{Open: 1}, nil
	})
	env.ExecuteWorkflow(DigestName, DigestInput{})
	require.NoError(t, env.GetWorkflowError())
	require.Len(t, at, 2)
	require.WithinDuration(t, at[0], at[1], 0, "a repeat is of the same time")
	require.WithinDuration(t, began, at[0], time.Minute)
}
