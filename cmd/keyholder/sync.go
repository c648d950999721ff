package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// syncConfig is what the commands about the comparison need, nothing beside a running
// "keyholder dev".
type syncConfig struct {
	LogConfig
	PayloadConfig
}

// startWithin is how long the start of a comparison may take.
const startWithin = 30 * time.Second

func syncCommand() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Compare RentVine with what is known: now, or how far it has come",
		Long: `A Schedule compares what RentVine holds with what is known here and tells workflows
what no webhook has told (section sync of the policy). These commands do it now, or show
how far it has come.`,
		Args: args(cobra.NoArgs),
		RunE: named,
	}
	cmd.PersistentFlags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.AddCommand(syncNowCommand(&dataDir), syncStatusCommand(&dataDir), syncConflictsCommand(&dataDir))
	return cmd
}

func syncNowCommand(dataDir *string) *cobra.Command {
	var full, asJSON bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "now",
		Short: "Compare RentVine with what is known, now",
		Long: `Starts a comparison on the Temporal that TEMPORAL_ADDRESS or TEMPORAL_PROFILE names or
that of a running "keyholder dev". One that was asked for before and is under way is
taken in its place; with --full only one that goes through everything. With --wait it
says what it has found, and fails where that was not all that was asked for.`,
		Example: `  keyholder sync now --wait 10m
  keyholder sync now --full --wait 2h --json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if wait < 0 {
				return usageError{errors.New("--wait must not be below 0")}
			}
			env := environ(envFile(*dataDir))
			cfg, err := parse[syncConfig](env)
			if err != nil {
				return err
			}
			log, err := cfg.logger()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), startWithin+wait)
			defer cancel()
			c, err := dial(ctx, log, cfg.PayloadConfig, temporalBeside(env), newRegistry())
			if err != nil {
				return err
			}
			defer c.Close()
			run, err := partnersync.CompareRentVine(ctx, c, workflows.TaskQueue, activities.ReconcileInput{Full: full})
			if err != nil {
				return err
			}
			if wait == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "started %s, run %s\n", run.GetID(), run.GetRunID())
				return nil
			}
			var done activities.Reconciled
			if err := run.Get(ctx, &done); err != nil {
				if ctx.Err() != nil {
					return fmt.Errorf("%s has not ended within %s; it goes on", run.GetID(), wait)
				}
				return err
			}
			return errors.Join(printReconciled(cmd.OutOrStdout(), done, asJSON), short(done, full))
		},
	}
	cmd.Flags().BoolVar(&full, "full", false, "go through everything, not through what may have changed lately")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait so long for what it finds, such as 10m")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON (with --wait)")
	return cmd
}

// short tells where a comparison was not through everything, and should have been.
func short(done activities.Reconciled, full bool) error {
	switch {
	case !full:
		return nil
	case !done.Full:
		return errors.New("what ran did not go through everything: try again")
	case done.Left:
		return errors.New("not everything was told: try again")
	case len(done.Failed) > 0:
		return errors.New("not everything could be read or told: see what is said above, then try again")
	}
	return nil
}

func syncStatusCommand(dataDir *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "How far the comparison with RentVine has come",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[StoreConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			state, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, _ durable.Clock) (activities.ReconcileState, error) {
				return activities.ReadReconcileState(cmd.Context(), s)
			})
			if err != nil {
				return err
			}
			return printSyncState(cmd.OutOrStdout(), state, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printSyncState(to io.Writer, state activities.ReconcileState, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(to).Encode(state)
	}
	if state.Last.Began.IsZero() {
		_, err := fmt.Fprintln(to, `no comparison has come to its end yet; the Schedule sync-rentvine makes them ("keyholder schedules list")`)
		return err
	}
	full := "never"
	if !state.FullAt.IsZero() {
		full = state.FullAt.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(to, "last comparison began  %s\nlast through everything %s\n", state.Last.Began.UTC().Format(time.RFC3339), full)
	if len(state.Unlearned) > 0 {
		fmt.Fprintf(to, "not gone through yet   %s\n", strings.Join(state.Unlearned, ", "))
	}
	return printReconciled(to, state.Last, false)
}

func printReconciled(to io.Writer, r activities.Reconciled, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(to).Encode(r)
	}
	fmt.Fprintf(to, "%d records compared, %d learned, %d told of\n", r.Seen, r.Adopted, r.Events)
	for _, event := range slices.Sorted(maps.Keys(r.Told)) {
		fmt.Fprintf(to, "  %5d %s\n", r.Told[event], event)
	}
	if r.Parked > 0 {
		fmt.Fprintf(to, "%d of them are parked (\"keyholder events list\")\n", r.Parked)
	}
	if r.Left {
		fmt.Fprintln(to, "there is more to tell than one run may: the next goes on")
	}
	if r.Untold > 0 {
		fmt.Fprintf(to, "%d records could not be told of; the next run tries again\n", r.Untold)
	}
	for _, f := range r.Failed {
		if f.Record != "" {
			fmt.Fprintf(to, "  %s (%s)\n", f.Record, f.Why)
			continue
		}
		fmt.Fprintf(to, "RentVine does not show all %s (%s)\n", f.Kind, f.Why)
	}
	return nil
}
