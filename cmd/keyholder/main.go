// Command keyholder turns property-management events into durable work. Its
// subcommands are the parts of the system; "keyholder dev" runs all of them on
// one machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "dev"

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError marks what the caller can mend by calling differently.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "keyholder:", err)
	// cobra has no type for this one.
	if errors.As(err, new(usageError)) || strings.HasPrefix(err.Error(), "unknown command") {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keyholder",
		Short: "Durable workflows for property management",
		Long: `Keyholder turns property-management events into durable work: a signed webhook
becomes a Temporal workflow that texts, escalates, dispatches and reports, and
that survives crashes, deploys and partner outages.

Start with "keyholder dev". Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`,
		Version:       fmt.Sprintf("%s (%s)", version, runtime.Version()),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.AddCommand(devCommand(), setupCommand(), ingressCommand(), workerCommand(), sandboxCommand(),
		sendCommand(), saleCommand(), importCommand(), verifyCommand(), codecCommand(), outboundCommand(), schedulesCommand(), vendorsCommand(), engagementCommand(), financeCommand(), bankCommand(), complianceCommand(), marketCommand(), ownerCommand(), auditCommand(), proveCommand(), eventsCommand(), syncCommand(), statusCommand(), healthcheckCommand())
	return cmd
}

// args checks the arguments as cobra does and marks what is wrong as usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}
