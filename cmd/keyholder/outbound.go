package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/store"
)

const pausedSetting = "outbound_paused"

func outboundCommand() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "outbound pause|resume|status",
		Short: "Hold back all messages but those of life safety",
		Long: `Pauses, resumes or shows the sending of texts and mails by all workers on the
store of KEYHOLDER_STORE_URL. While paused, messages wait in their workflows; only
those of life safety leave.`,
		Args:      args(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		ValidArgs: []string{"pause", "resume", "status"},
		RunE: func(cmd *cobra.Command, given []string) (err error) {
			cfg, err := parse[outboundCommandConfig](environ(envFile(dataDir)))
			if err != nil {
				return err
			}
			s, err := store.Open(cmd.Context(), cfg.StoreURL)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if given[0] != "status" {
				value := map[string]string{"pause": "1", "resume": ""}[given[0]]
				if err := s.SetSetting(cmd.Context(), pausedSetting, value); err != nil {
					return err
				}
			}
			paused, err := s.Setting(cmd.Context(), pausedSetting)
			if err != nil {
				return err
			}
			out("outbound messages are %s", map[bool]string{true: "paused", false: "flowing"}[paused == "1"])
			return nil
		},
	}
	cmd.Flags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	return cmd
}
