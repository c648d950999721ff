package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities/ownerfigures"
	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// The configurations of the commands about owners.
type (
	ownerPageConfig struct {
		LinkConfig
		PolicyConfig
	}
	ownerPackConfig struct {
		StoreConfig
		PolicyConfig
	}
)

func ownerCommand() *cobra.Command {
	var dataDir, portfolio string
	cmd := &cobra.Command{
		Use:   "owner",
		Short: "What owners get: the link to their page, the pack of a month",
		Args:  args(cobra.NoArgs),
		RunE:  named,
	}
	cmd.PersistentFlags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.PersistentFlags().StringVar(&portfolio, "portfolio", "", "RentVine's id of the portfolio, such as 1")
	cmd.AddCommand(ownerPageCommand(&dataDir, &portfolio), ownerPackCommand(&dataDir, &portfolio))
	return cmd
}

// checkPortfolio refuses what is no id of RentVine's.
func checkPortfolio(id string) error {
	if n, err := strconv.ParseUint(id, 10, 63); err != nil || n == 0 {
		return usageError{errors.New("--portfolio must be RentVine's id of a portfolio, such as 1")}
	}
	return nil
}

func ownerPageCommand(dataDir, portfolio *string) *cobra.Command {
	return &cobra.Command{
		Use:   "page",
		Short: "Print the link to the page of a portfolio's owners",
		Long: `Prints the link to the page of a portfolio's owners, with the figures of the present
month. Whoever has the link can read the page, and nothing else, until it expires (the
policy's portfolio.owners.page_life).`,
		Example: `  keyholder owner page --portfolio 1`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkPortfolio(*portfolio); err != nil {
				return err
			}
			cfg, err := parse[ownerPageConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			rules, err := cfg.portfolio(*portfolio)
			if err != nil {
				return err
			}
			keys, err := linkKeys(cfg.LinkKey, cfg.LinkSigningKeys)
			if err != nil {
				return err
			}
			token := keys.OwnerToken(*portfolio, time.Now().Add(rules.Homes.Owners.PageLife))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(cfg.PublicURL, "/")+"/o/"+token)
			return err
		},
	}
}

// portfolio is what the policy says of one, which must be there.
func (c PolicyConfig) portfolio(portfolioID string) (ownerfigures.Rules, error) {
	file, err := policy.Open(c.Policy, nil)
	if err != nil {
		return ownerfigures.Rules{}, usageError{err}
	}
	rules := ownerfigures.RulesOf(file, portfolioID)
	if !rules.Homes.On() {
		return rules, usageError{errors.New(`the policy has no section "portfolio": add one, or set KEYHOLDER_POLICY to the file that has`)}
	}
	return rules, nil
}

func ownerPackCommand(dataDir, portfolio *string) *cobra.Command {
	var month, file string
	cmd := &cobra.Command{
		Use:   "pack",
		Short: "Write the pack of a month as PDF, without sending it",
		Long: `Writes the statement pack of a portfolio and month as a PDF file, from what the store
has now. Nothing is sent, and nothing is filed at RentVine.`,
		Example: `  keyholder owner pack --portfolio 1 --month 2026-10 --out pack.pdf`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkPortfolio(*portfolio); err != nil {
				return err
			}
			first, err := time.Parse("2006-01", month)
			if err != nil {
				return usageError{errors.New("--month must be a month such as 2026-10")}
			}
			if file == "" {
				return usageError{errors.New("--out must name the file to write, such as pack.pdf")}
			}
			pdf, err := drawPack(cmd.Context(), *dataDir, *portfolio, first)
			if err != nil {
				return err
			}
			if err := os.WriteFile(file, pdf, 0o600); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", file, len(pdf))
			return err
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month, YYYY-MM")
	cmd.Flags().StringVar(&file, "out", "", "the PDF file to write")
	return cmd
}

func drawPack(ctx context.Context, dataDir, portfolio string, first time.Time) ([]byte, error) {
	cfg, err := parse[ownerPackConfig](environ(envFile(dataDir)))
	if err != nil {
		return nil, err
	}
	rules, err := cfg.portfolio(portfolio)
	if err != nil {
		return nil, err
	}
	report, err := fromStore(ctx, cfg.StoreURL, func(s store.Store, clock durable.Clock) (ownerreport.Report, error) {
		from, to := first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly)
		return ownerfigures.Gather(ctx, s, rules, portfolio, from, to, clock.Now())
	})
	if err != nil {
		return nil, err
	}
	return report.PDF()
}
