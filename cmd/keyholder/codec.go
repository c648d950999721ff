package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/cluster"
)

func codecCommand() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:   "codec",
		Short: "Let Temporal's Web UI read encrypted payloads",
		Long: `Serves Temporal's codec endpoint for the keys of KEYHOLDER_PAYLOAD_KEYS. Whoever may
call it can read everything: it serves pages of KEYHOLDER_CODEC_ORIGINS only, and
asks for KEYHOLDER_CODEC_TOKEN where that is set. In the Web UI, open the glasses
icon and enter this server's address.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[codecConfig](environ(""))
			if err != nil {
				return err
			}
			log, err := cfg.logger()
			if err != nil {
				return err
			}
			keys, err := cluster.ParseKeys(cfg.PayloadKeys)
			if err != nil {
				return usageError{fmt.Errorf("KEYHOLDER_PAYLOAD_KEYS: %w", err)}
			}
			listener, err := new(net.ListenConfig).Listen(cmd.Context(), "tcp", addr)
			if err != nil {
				return fmt.Errorf("%w; choose another --addr", err)
			}
			mux := http.NewServeMux()
			mux.Handle("/", cluster.CodecHandler(keys, cfg.CodecOrigins, cfg.CodecToken))
			mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			server := &http.Server{
				Handler:           mux,
				ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
			}
			failed := make(chan error, 1)
			go func() { failed <- server.Serve(listener) }()
			log.Info("codec server ready", zap.String("address", listener.Addr().String()), zap.Strings("origins", cfg.CodecOrigins))
			select {
			case <-cmd.Context().Done():
				return shutdown(server)
			case err := <-failed:
				return errors.Join(errors.New("the codec server failed"), err)
			}
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8234", "address to listen on")
	return cmd
}
