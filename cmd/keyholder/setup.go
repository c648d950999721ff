package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/cluster"
)

func setupCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Prepare a Temporal cluster: retention and search attributes",
		Long: `Makes the cluster that TEMPORAL_ADDRESS or TEMPORAL_PROFILE names as Keyholder
needs it: the namespace, 90 days of retention, the search attributes. It can run
as often as you like; with --check it changes nothing and fails on differences.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[setupConfig](environ(""))
			if err != nil {
				return err
			}
			c, err := cfg.dial(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			do := cluster.Setup
			if check {
				do = cluster.Check
			}
			namespace, err := cluster.Namespace(cluster.Options{})
			if err != nil {
				return usageError{err}
			}
			report, err := do(cmd.Context(), c, cluster.SetupOptions{Namespace: namespace})
			for _, f := range report.Findings {
				out("%s", f)
			}
			if err != nil {
				return err
			}
			if !report.OK() {
				return errors.New("the cluster is not as Keyholder needs it")
			}
			out("namespace %s is ready", report.Namespace)
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing; exit 1 where something differs")
	return cmd
}
