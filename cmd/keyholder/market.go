package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/marketrents"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

func marketCommand() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "market",
		Short: "Read in market data, by which rents are suggested",
		Args:  args(cobra.NoArgs),
		RunE:  named,
	}
	cmd.PersistentFlags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.AddCommand(marketImportCommand(&dataDir))
	return cmd
}

func marketImportCommand(dataDir *string) *cobra.Command {
	var source string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Read in rents that others ask, CSV",
		Long: `Reads in a CSV file of rents that others ask, in UTF-8, with commas, semicolons or tabs.
Its headings, in any order: ref (the listing's id), date (YYYY-MM-DD, when it was seen),
zip, city, state (two letters), beds, baths, size (square feet), built (year) and rent (a
month). beds, baths, size and built may be empty, and so may one of zip and city.

A file is read whole or not at all; what is wrong is listed with its line. A row of the
same source and ref takes the place of the one before, so that the same file again is
harmless. Rows older than portfolio.pricing.market_fresh of the policy are not looked at.`,
		Example: `  keyholder market import rents.csv --dry-run
  keyholder market import rents.csv --source zillow`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			cfg, err := parse[booksConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			rules, err := policy.Load(cfg.Policy)
			if err != nil {
				return usageError{err}
			}
			done, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, clock durable.Clock) (importedRents, error) {
				rows, err := readMarketRents(given[0], source, activities.DayIn(clock.Now(), rules.Portfolio("", "").TimeZone))
				if err != nil || dryRun {
					return importedRents{rows: len(rows)}, err
				}
				added, err := s.AddMarketRents(cmd.Context(), rows)
				if err != nil {
					return importedRents{}, fmt.Errorf("not all of %s is stored; import it again: %w", given[0], err)
				}
				return importedRents{rows: len(rows), added: added}, nil
			})
			if err != nil {
				return err
			}
			if dryRun {
				fmt.Fprintf(cmd.OutOrStdout(), "%d rows of %s; nothing was stored (--dry-run)\n", done.rows, source)
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d rows of %s: %d added, %d replaced\n", done.rows, source, done.added, done.rows-done.added)
			return nil
		},
	}
	cmd.Flags().StringVar(&source, "source", "market", "where the data comes from, such as zillow")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "read only; store nothing")
	return cmd
}

// importedRents counts the rows of a file, and those that were new.
type importedRents struct{ rows, added int }

func readMarketRents(name, source, today string) ([]store.MarketRent, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, usageError{err}
	}
	defer func() { _ = file.Close() }() // only read
	rows, err := marketrents.Read(file, source, today)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; nothing was stored", name, err)
	}
	return rows, nil
}
