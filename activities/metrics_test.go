package activities

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/clients/quickbooks"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

func TestTheBudgetsOfPartnersAreShown(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	a := o.acts
	a.OpenMoove.Limits = []store.Limit{{Calls: 100, Window: time.Minute}, {Calls: 1000, Window: 24 * time.Hour}, {Calls: 500, Window: 90 * time.Second}}
	a.QuickBooks.Client = quickbooks.New(quickbooks.Config{PerMinute: 450})
	_, err := a.permit(t.Context(), forPerson)
	require.NoError(t, err)
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(a.newBudgets()))
	want := map[string]float64{
		"keyholder_partner_budget_limit openmoove 1m": 100, "keyholder_partner_budget_remaining openmoove 1m": 99,
		"keyholder_partner_budget_limit openmoove 24h": 1000, "keyholder_partner_budget_remaining openmoove 24h": 999,
		"keyholder_partner_budget_limit openmoove 1m30s": 500, "keyholder_partner_budget_remaining openmoove 1m30s": 499,
		"keyholder_partner_budget_limit quickbooks 1m": 450, "keyholder_partner_budget_remaining quickbooks 1m": 450,
	}
	require.Equal(t, want, gathered(t, registry))

	// The partner's word counts for every window: it does not say which it means.
	require.NoError(t, a.Store.NoteCalls(t.Context(), openMoove, 5, time.Now().Add(time.Minute)))
	require.InDelta(t, 5, gathered(t, registry)["keyholder_partner_budget_remaining openmoove 24h"], 0)
}

func TestHowTheComparisonGoesIsShown(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	w.acts.Log = zap.NewNop()
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(w.acts.newSynced()))
	const quick, full = "keyholder_sync_last_success_timestamp_seconds quick", "keyholder_sync_last_success_timestamp_seconds full"
	require.Equal(t, map[string]float64{quick: 0, full: 0}, gathered(t, registry), "there was none yet")

	w.look(ReconcileInput{Full: true})
	first := gathered(t, registry)
	require.InDelta(t, w.now().Unix(), first[quick], 120)
	require.InDelta(t, first[full], first[quick], 0)
	require.Contains(t, first, "keyholder_sync_untold")

	w.wait(time.Hour)
	w.look(ReconcileInput{})
	second := gathered(t, registry)
	require.Greater(t, second[quick], first[quick])
	require.InDelta(t, first[full], second[full], 0)

	// What cannot be told of counts, and is no success.
	w.lease(map[string]any{"leaseStatusID": 1})
	w.away = errors.New("cannot be told")
	w.wait(time.Hour)
	done := w.look(ReconcileInput{})
	require.Positive(t, done.Untold)
	third := gathered(t, registry)
	require.InDelta(t, done.Untold, third["keyholder_sync_untold"], 0)
	require.InDelta(t, second[quick], third[quick], 0)

	// Business time is shown as the real time that it was.
	began := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	fast := &synced{Activities: &Activities{Config: Config{Clock: durable.DayClock(began, time.Minute)}}}
	require.InDelta(t, began.Add(time.Minute).Unix(), fast.unix(began.Add(24*time.Hour)), 0)
}
