package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

func schedulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schedules",
		Short: "What the clock starts: the polling of OpenMoove, the sweep of leases, and reports",
		Long: `Temporal Schedules start what no event starts. They are shown in the Web UI, where
they can be paused and triggered.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	apply := &cobra.Command{
		Use:   "apply",
		Short: "Create the Schedules or bring them up to date",
		Long: `Makes the Schedules of the cluster that TEMPORAL_ADDRESS or TEMPORAL_PROFILE names
as KEYHOLDER_POLICY wants them. Run it with each deploy and after editing the
policy's report or leasing; one that is paused stays paused. With KEYHOLDER_STORE_URL the
reports keep to the store's business clock, as those of "keyholder dev --day" do.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, c, err := dialForSchedules(cmd)
			if err != nil {
				return err
			}
			defer c.Close()
			rules, err := policy.Load(cfg.Policy)
			if err != nil {
				return usageError{err}
			}
			clock, err := cfg.clock(cmd.Context())
			if err != nil {
				return err
			}
			wanted, unwanted := workflows.Schedules(rules.Sales(), rules.Leasing("", ""), rules.Finance(), rules.Portfolio("", ""), rules.Sync(), clock)
			did, err := cluster.ApplySchedules(cmd.Context(), c, wanted, unwanted)
			for _, line := range did {
				out("%s", line)
			}
			return err
		},
	}
	list := &cobra.Command{
		Use: "list", Short: "Show the Schedules and when they run next", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, c, err := dialForSchedules(cmd)
			if err != nil {
				return err
			}
			defer c.Close()
			found, err := c.ScheduleClient().List(cmd.Context(), client.ScheduleListOptions{PageSize: 100})
			if err != nil {
				return err
			}
			for found.HasNext() {
				s, err := found.Next()
				if err != nil {
					return err
				}
				out("%s", scheduleLine(s))
			}
			return nil
		},
	}
	cmd.AddCommand(apply, list)
	return cmd
}

// clock is that of the store, real time without one.
func (c schedulesConfig) clock(ctx context.Context) (durable.Clock, error) {
	if c.StoreURL == "" {
		return durable.Clock{}, nil
	}
	return fromStore(ctx, c.StoreURL, func(_ store.Store, clock durable.Clock) (durable.Clock, error) { return clock, nil })
}

func scheduleLine(s *client.ScheduleListEntry) string {
	next := "never"
	if len(s.NextActionTimes) > 0 {
		next = s.NextActionTimes[0].UTC().Format(time.RFC3339)
	}
	if s.Paused {
		next = "paused"
	}
	return fmt.Sprintf("%-16s next %s  %s", s.ID, next, s.Note)
}

// dialForSchedules reaches the cluster; beside a running "keyholder dev", its.
func dialForSchedules(cmd *cobra.Command) (schedulesConfig, client.Client, error) {
	cfg, err := parse[schedulesConfig](environ(""))
	if err != nil {
		return cfg, nil, err
	}
	c, err := setupConfig{LogConfig: cfg.LogConfig, PayloadConfig: cfg.PayloadConfig}.dial(cmd.Context())
	return cfg, c, err
}
