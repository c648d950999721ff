package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/quickbooks"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// checkBooksWithin and compareBooksWithin are how long QuickBooks may take.
	checkBooksWithin   = time.Minute
	compareBooksWithin = 10 * time.Minute
	// comparedDays is how many days are compared where none are given.
	comparedDays = 31
	// findingsMost is how many findings the store lists at most.
	findingsMost = 1000
	// aboutMost is how many transactions of a finding are named in the table.
	aboutMost = 3
)

// The configurations of the commands about the books.
type (
	booksConfig struct {
		StoreConfig
		PolicyConfig
	}
	quickBooksConfig struct {
		StoreConfig
		PolicyConfig
		SpendConfig
	}
)

func financeCommand() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "finance",
		Short: "Check the books: accounts, entries in QuickBooks, findings",
		Args:  args(cobra.NoArgs),
		RunE:  named,
	}
	cmd.PersistentFlags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.AddCommand(financeCheckCommand(&dataDir), financeCompareCommand(&dataDir), financeFindingsCommand(&dataDir))
	return cmd
}

// finance is the policy's section, which must be there.
func (c PolicyConfig) finance() (policy.Finance, error) {
	rules, err := policy.Load(c.Policy)
	if err != nil {
		return policy.Finance{}, usageError{err}
	}
	if !rules.Finance().On() {
		return policy.Finance{}, usageError{errors.New(`the policy has no section "finance": add one, or set KEYHOLDER_POLICY to the file that has`)}
	}
	return rules.Finance(), nil
}

// asked is what the commands that ask QuickBooks need.
type asked struct {
	rules policy.Finance
	store store.Store
	clock durable.Clock
	qb    *quickbooks.Client
}

// fromQuickBooks reads from QuickBooks beside the store, in which its tokens are.
func fromQuickBooks[T any](ctx context.Context, dataDir string, within time.Duration, read func(context.Context, asked) (T, error)) (found T, err error) {
	cfg, err := parse[quickBooksConfig](environ(envFile(dataDir)))
	if err != nil {
		return found, err
	}
	rules, err := cfg.finance()
	if err != nil {
		return found, err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return fromStore(ctx, cfg.StoreURL, func(s store.Store, clock durable.Clock) (T, error) {
		var none T
		books, err := cfg.newQuickBooks(s, nil)
		if err != nil {
			return none, usageError{err}
		}
		if books.Client == nil {
			return none, usageError{errors.New("QuickBooks is not configured: set KEYHOLDER_QUICKBOOKS_* and KEYHOLDER_TOKEN_KEY as for the worker (docs/reference/configuration.md)")}
		}
		defer books.Client.Close()
		return read(ctx, asked{rules, s, clock, books.Client})
	})
}

func financeCheckCommand(dataDir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check that QuickBooks has the accounts that the policy names",
		Long: `Compares the accounts that the policy's section finance names with the chart of
accounts in QuickBooks, and prints a line for each that cannot be booked on: it is not
there, inactive, of a type that wants a customer or vendor, or in another currency.
Exits 1 where there is any. Nothing is changed.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			accounts := 0
			problems, err := fromQuickBooks(cmd.Context(), *dataDir, checkBooksWithin, func(ctx context.Context, a asked) ([]string, error) {
				accounts = accountsNamed(a.rules)
				return activities.CheckBookAccounts(ctx, a.qb, a.rules)
			})
			if err != nil {
				return err
			}
			for _, p := range problems {
				fmt.Fprintln(cmd.OutOrStdout(), p)
			}
			if len(problems) > 0 {
				return fmt.Errorf("%d of %d accounts cannot be booked on", len(problems), accounts)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "all %d accounts are fit\n", accounts)
			return nil
		},
	}
}

// accountsNamed counts the accounts that the policy names.
func accountsNamed(rules policy.Finance) int {
	names := []string{rules.Accounts.Bank, rules.Accounts.Receivables, rules.Accounts.Payables, rules.Accounts.Unsure}
	for _, c := range rules.Categories {
		names = append(names, c.Account)
	}
	slices.Sort(names)
	return len(slices.Compact(names))
}

func financeCompareCommand(dataDir *string) *cobra.Command {
	var from, to string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Compare the journal with QuickBooks",
		Long: `Compares each entry of the journal with QuickBooks between two days: it is there once,
on its day, with its amounts, and nothing is there beside it that looks like ours. It
also tells whether debits equal credits over everything that was posted. Exits 1 where
anything differs. Nothing is changed. Days are the company's, both included.`,
		Example: `  keyholder finance compare
  keyholder finance compare --from 2026-01-01 --to 2026-03-31 --json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for flag, day := range map[string]string{"--from": from, "--to": to} {
				if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
					return usageError{fmt.Errorf("%s must be a day such as 2026-01-31", flag)}
				}
			}
			if from != "" && to != "" && from > to {
				return usageError{errors.New("--from must not be after --to")}
			}
			c, err := fromQuickBooks(cmd.Context(), *dataDir, compareBooksWithin, func(ctx context.Context, a asked) (comparison, error) {
				return compareBooks(ctx, a, from, to)
			})
			if err != nil {
				return err
			}
			if asJSON {
				err = writeIndented(cmd.OutOrStdout(), c)
			} else {
				err = c.print(cmd.OutOrStdout())
			}
			return errors.Join(err, c.err())
		},
	}
	cmd.Flags().StringVar(&from, "from", "", fmt.Sprintf("first day, YYYY-MM-DD (default: %d days until --to)", comparedDays))
	cmd.Flags().StringVar(&to, "to", "", "last day (default: today, or --from where that is later)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// comparison is how QuickBooks agrees with the journal.
type comparison struct {
	From        string                `json:"from"`
	To          string                `json:"to"`
	Compared    int                   `json:"compared"`
	Differences []activities.BookedAs `json:"differences"`
	// Balance is debits minus credits of everything that was posted.
	Balance  policy.Cents `json:"balance"`
	Currency string       `json:"currency"`
}

func compareBooks(ctx context.Context, a asked, from, to string) (comparison, error) {
	c := comparison{From: from, To: to, Currency: a.rules.Currency}
	if c.To == "" {
		c.To = max(activities.DayIn(a.clock.Now(), a.rules.TimeZone), from)
	}
	if c.From == "" {
		last, err := time.Parse(time.DateOnly, c.To)
		if err != nil {
			return c, err
		}
		c.From = last.AddDate(0, 0, 1-comparedDays).Format(time.DateOnly)
	}
	var err error
	if c.Compared, c.Differences, err = activities.CompareBooks(ctx, a.store, a.qb, c.From, c.To); err != nil {
		return c, err
	}
	if c.Differences == nil {
		c.Differences = []activities.BookedAs{} // not null in JSON
	}
	balances, err := a.store.Balances(ctx, "")
	for _, cents := range balances {
		c.Balance += policy.Cents(cents)
	}
	return c, err
}

func (c comparison) print(to io.Writer) error {
	fmt.Fprintf(to, "%s to %s: %d entries compared, %d differences\n", c.From, c.To, c.Compared, len(c.Differences))
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, d := range c.Differences {
		fmt.Fprintf(table, "  %s\t%s\n", oneLine(d.Number), d.Problem)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(to, c.balanced())
	return err
}

func (c comparison) balanced() string {
	if c.Balance == 0 {
		return "debits equal credits over all that was posted"
	}
	return fmt.Sprintf("debits are %s %s more than credits over all that was posted", c.Currency, c.Balance)
}

// err says that the books differ; nil where they agree.
func (c comparison) err() error {
	switch {
	case c.Balance != 0:
		return errors.New("the journal does not balance")
	case len(c.Differences) > 0:
		return errors.New("QuickBooks differs from the journal")
	}
	return nil
}

func financeFindingsCommand(dataDir *string) *cobra.Command {
	var state string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "findings",
		Short: "Show what is conspicuous in the books",
		Long: fmt.Sprintf(`Shows the findings in the books, the newest first, at most %d: those that wait for
a person (open), that a person says are right or wrong, that have resolved themselves
(gone), or all. People decide by the links that they were mailed.`, findingsMost),
		Example: `  keyholder finance findings
  keyholder finance findings --state wrong --json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			states := map[string]store.FindingState{"open": store.FindingOpen, "right": store.FindingRight, "wrong": store.FindingWrong, "gone": store.FindingGone, "all": ""}
			wanted, ok := states[state]
			if !ok {
				return usageError{errors.New("--state must be open, right, wrong, gone or all")}
			}
			cfg, err := parse[booksConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			rules, err := cfg.finance()
			if err != nil {
				return err
			}
			found, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, _ durable.Clock) ([]store.Finding, error) {
				return s.Findings(cmd.Context(), wanted)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), findingRows(found, rules))
			}
			return writeFindings(cmd.OutOrStdout(), findingRows(found, rules), rules.Currency)
		},
	}
	cmd.Flags().StringVar(&state, "state", "open", "open, right, wrong, gone or all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the evidence")
	return cmd
}

// findingRow is a finding as it is shown. Since and Decided are days of the company.
type findingRow struct {
	ID           string             `json:"id"`
	State        store.FindingState `json:"state"`
	Severity     string             `json:"severity"`
	Kind         string             `json:"kind"`
	Amount       policy.Cents       `json:"amount"`
	Since        string             `json:"since"`
	LeaseID      string             `json:"lease_id,omitempty"`
	Transactions []string           `json:"transactions,omitempty"`
	Reason       string             `json:"reason"`
	Evidence     []store.Detail     `json:"evidence,omitempty"`
	Decided      string             `json:"decided,omitempty"`
	DecidedBy    string             `json:"decided_by,omitempty"`
	Note         string             `json:"note,omitempty"`
}

func findingRows(found []store.Finding, rules policy.Finance) []findingRow {
	rows := make([]findingRow, 0, len(found))
	for _, f := range found {
		row := findingRow{
			ID: f.ID, State: f.State, Severity: f.Severity, Kind: f.Kind, Amount: policy.Cents(f.Amount),
			Since: activities.DayIn(f.FoundAt, rules.TimeZone), LeaseID: f.LeaseID, Transactions: f.Transactions,
			Reason: f.Reason, Evidence: f.Evidence, DecidedBy: f.DecidedBy, Note: f.Note,
		}
		if !f.DecidedAt.IsZero() {
			row.Decided = activities.DayIn(f.DecidedAt, rules.TimeZone)
		}
		rows = append(rows, row)
	}
	return rows
}

// about is what a finding is about, in short.
func (f findingRow) about() string {
	var parts []string
	if f.LeaseID != "" {
		parts = append(parts, "lease "+f.LeaseID)
	}
	parts = append(parts, f.Transactions[:min(len(f.Transactions), aboutMost)]...)
	if more := len(f.Transactions) - aboutMost; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

func writeFindings(to io.Writer, rows []findingRow, currency string) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(to, "There are no such findings.")
		return err
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "id\tstate\tseverity\tkind\t%s\tsince\tabout\treason\n", currency)
	for _, f := range rows {
		fmt.Fprintln(table, strings.Join([]string{
			f.ID, string(f.State), f.Severity, f.Kind, f.Amount.String(), f.Since, f.about(), oneLine(f.Reason),
		}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(rows) < findingsMost {
		return nil
	}
	_, err := fmt.Fprintf(to, "These are the newest %d; older ones are not shown.\n", findingsMost)
	return err
}

func writeIndented(to io.Writer, value any) error {
	e := json.NewEncoder(to)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
