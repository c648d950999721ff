package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker"
)

func verifyCommand() *cobra.Command {
	var open bool
	var limit int
	cmd := &cobra.Command{
		Use:   "verify [FOLDER]",
		Short: "Replay workflow histories against this build, before a deploy",
		Long: `Replays the histories of a folder (*.json, at any depth), or with --open those of
the workflows that run now in the namespace that TEMPORAL_ADDRESS or
TEMPORAL_PROFILE names. A build that would break a running workflow exits 1 and
says at which event.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if open == (len(given) == 1) {
				return usageError{errors.New("name a folder of histories, or give --open")}
			}
			cfg, err := parse[setupConfig](environ(""))
			if err != nil {
				return err
			}
			keys, err := cluster.ParseKeys(cfg.PayloadKeys)
			if err != nil {
				return usageError{fmt.Errorf("KEYHOLDER_PAYLOAD_KEYS: %w", err)}
			}
			converters, _ := keys.Converters()
			r, err := worker.NewReplayer(converters)
			if err != nil {
				return err
			}
			if !open {
				n, err := r.Folder(given[0])
				out("replayed %d histories", n)
				return err
			}
			c, err := cfg.dial(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			n, err := r.Open(cmd.Context(), c, limit)
			out("replayed %d running workflows", n)
			return err
		},
	}
	cmd.Flags().BoolVar(&open, "open", false, "replay the workflows that run now")
	cmd.Flags().IntVar(&limit, "limit", 1000, "replay at most so many running workflows, newest first")
	return cmd
}
