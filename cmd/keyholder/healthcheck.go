package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthLimit is how long a part may take to say how it is.
const healthLimit = 4 * time.Second

func healthcheckCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "healthcheck [address]",
		Short: "Ask a part on this machine whether it is ready",
		Long: `Asks /readyz of the part that listens on an address, for containers without curl:
":9090" (a worker, the default), ":8080" (an ingress), ":8234" (a codec server).
Exit codes: 0 ready, 1 not ready or not there, 2 wrong usage.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			address := ":9090"
			if len(given) > 0 {
				address = given[0]
			}
			return healthcheck(cmd.Context(), address, path)
		},
	}
	cmd.Flags().StringVar(&path, "path", "/readyz", "path to ask, such as /healthz")
	return cmd
}

// healthcheck fails where a part does not say that all is well.
func healthcheck(ctx context.Context, address, path string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return usageError{fmt.Errorf("%q is not an address such as :9090", address)}
	}
	if host == "" {
		host = loopbackHost
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, http.NoBody)
	if err != nil {
		return usageError{err}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 == 2 {
		return nil
	}
	why, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(why)))
}
