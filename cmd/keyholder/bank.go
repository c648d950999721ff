package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/bankmatch"
	"github.com/aictive/keyholder/clients/bankfile"
	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// matchingWithin is how long Temporal may take to be reached.
	matchingWithin = 10 * time.Second
	// statementsListed is how many statements the store lists at most, openListed how
	// many open lines and how many open bookings.
	statementsListed = 100
	openListed       = 5000
	// statementsShown is how many statements, openShown how many of the oldest open
	// lines and bookings each "bank status" shows.
	statementsShown = 10
	openShown       = 10
)

func bankCommand() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "bank",
		Short: "Read in bank statements and see how they agree with the books",
		Args:  args(cobra.NoArgs),
		RunE:  named,
	}
	cmd.PersistentFlags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.AddCommand(bankImportCommand(&dataDir), bankStatusCommand(&dataDir))
	return cmd
}

func bankImportCommand(dataDir *string) *cobra.Command {
	var account string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Read in a bank statement, CSV or OFX",
		Long: `Reads in a statement that the bank let one download: OFX (also QFX and QBO), or CSV with
the headings that the policy names (finance.bank.columns). A file is read whole or not at
all; what is wrong is listed with its line. Lines that were read in before are left out,
so that statements may overlap, and the same file again is harmless.

Then the lines are matched with bookings: the Schedule finance-reconcile-bank is
triggered, on the Temporal that TEMPORAL_ADDRESS or TEMPORAL_PROFILE names or that of a
running "keyholder dev". Where it cannot be, a warning says so.`,
		Example: `  keyholder bank import october.ofx --dry-run
  keyholder bank import october.ofx`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			env := environ(envFile(*dataDir))
			cfg, err := parse[booksConfig](env)
			if err != nil {
				return err
			}
			rules, err := cfg.finance()
			if err != nil {
				return err
			}
			statement, err := readStatement(given[0], cmp.Or(account, rules.Accounts.Bank), rules)
			if err != nil {
				return err
			}
			done, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, clock durable.Clock) (imported, error) {
				return importStatement(cmd.Context(), s, statement, clock.Now(), dryRun)
			})
			if err != nil {
				return err
			}
			done.print(cmd.OutOrStdout())
			switch {
			case dryRun:
				fmt.Fprintln(cmd.OutOrStdout(), "nothing was stored (--dry-run)")
			case statement.Account != rules.Accounts.Bank:
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: bookings are matched with the lines of %s alone (finance.accounts.bank in the policy), so these stay open\n", rules.Accounts.Bank)
			default:
				beginMatching(cmd, temporalBeside(env))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "the account that the statement is of (default: finance.accounts.bank of the policy)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "read and prove only; store nothing")
	return cmd
}

// readStatement reads a file as the policy says.
func readStatement(name, account string, rules policy.Finance) (bankfile.Statement, error) {
	file, err := os.Open(name)
	if err != nil {
		return bankfile.Statement{}, usageError{err}
	}
	defer func() { _ = file.Close() }() // only read
	statement, err := bankfile.Read(file, name, bankfile.Options{
		Account: account, Currency: rules.Currency, Columns: bankfile.Columns(rules.Bank.Columns), DateLayout: rules.Bank.DateLayout,
	})
	if err != nil {
		return statement, fmt.Errorf("%w; nothing was stored", err)
	}
	return statement, nil
}

// imported is what became of a statement.
type imported struct {
	statement store.BankStatement
	dryRun    bool
	// known tells that it was read in before; added counts the lines that were not.
	known bool
	added int
	// others counts the account's other statements, flaws are what does not fit with
	// them, or within it.
	others int
	flaws  []bankmatch.Flaw
}

func importStatement(ctx context.Context, s store.Store, in bankfile.Statement, now time.Time, dryRun bool) (imported, error) {
	done := imported{dryRun: dryRun, statement: store.BankStatement{
		ID: in.ID, Account: in.Account, Currency: in.Currency, From: in.From, To: in.To,
		Opening: in.Opening, Closing: in.Closing, Balances: in.Balances, Lines: len(in.Lines), At: now,
	}}
	lines := make([]store.BankLine, 0, len(in.Lines))
	for _, l := range in.Lines {
		done.statement.Sum += l.Amount
		lines = append(lines, store.BankLine{ID: l.ID, StatementID: in.ID, Account: in.Account, Day: l.Day, Amount: l.Amount, Text: l.Text, Reference: l.Reference})
	}
	others, err := s.BankStatements(ctx, in.Account)
	if err != nil {
		return done, err
	}
	listed := len(others)
	others = slices.DeleteFunc(others, func(o store.BankStatement) bool { return o.ID == in.ID })
	done.known, done.others = len(others) < listed, len(others)
	before := bankmatch.Prove(proofs(others))
	for _, flaw := range bankmatch.Prove(proofs(append(others, done.statement))) {
		if !slices.Contains(before, flaw) {
			done.flaws = append(done.flaws, flaw)
		}
	}
	if dryRun {
		return done, nil
	}
	listedBefore := done.known
	if done.added, done.known, err = s.AddBankStatement(ctx, done.statement, lines); err != nil {
		return done, err
	}
	if done.known && !listedBefore && listed < statementsListed {
		return done, fmt.Errorf("this file was read in before for another account than %s; nothing was stored", in.Account)
	}
	return done, nil
}

// proofs are statements as bankmatch wants them.
func proofs(statements []store.BankStatement) []bankmatch.Statement {
	out := make([]bankmatch.Statement, 0, len(statements))
	for _, s := range statements {
		out = append(out, bankmatch.Statement{
			ID: s.ID, From: s.From, To: s.To, Balances: s.Balances,
			Opening: policy.Cents(s.Opening), Closing: policy.Cents(s.Closing), Sum: policy.Cents(s.Sum),
		})
	}
	return out
}

func (i imported) print(to io.Writer) {
	s := i.statement
	fmt.Fprintf(to, "%s, %s to %s: %d lines", s.Account, s.From, s.To, s.Lines)
	switch {
	case i.known:
		fmt.Fprint(to, ", read in before")
	case !i.dryRun:
		fmt.Fprintf(to, ", %d added, %d known", i.added, s.Lines-i.added)
	}
	fmt.Fprintln(to)
	if s.Balances {
		sign := "="
		if s.Opening+s.Sum != s.Closing {
			sign = "is not"
		}
		fmt.Fprintf(to, "opening %s + lines %s %s closing %s %s\n", policy.Cents(s.Opening), policy.Cents(s.Sum), sign, policy.Cents(s.Closing), s.Currency)
	} else {
		fmt.Fprintf(to, "lines %s %s; not proven, for the file has no balances\n", policy.Cents(s.Sum), s.Currency)
	}
	for _, f := range i.flaws {
		fmt.Fprintln(to, flawLine(f))
	}
	if len(i.flaws) == 0 && i.others > 0 {
		fmt.Fprintln(to, "no gap to the statements before and after")
	}
}

// flawLine is why statements do not prove each other, with the difference.
func flawLine(f bankmatch.Flaw) string {
	if f.Difference == 0 {
		return f.Why
	}
	return fmt.Sprintf("%s The difference is %s.", f.Why, f.Difference)
}

// temporalBeside is the address of a running "keyholder dev", "" where Temporal's own
// settings say where it is.
func temporalBeside(env map[string]string) string {
	if os.Getenv("TEMPORAL_ADDRESS") != "" || os.Getenv("TEMPORAL_PROFILE") != "" {
		return ""
	}
	return env["TEMPORAL_ADDRESS"]
}

// beginMatching starts the matching of statements with bookings, or warns.
func beginMatching(cmd *cobra.Command, address string) {
	err := triggerMatching(cmd.Context(), address)
	switch {
	case errors.As(err, new(*serviceerror.NotFound)):
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: the lines are stored and not matched yet: there is no Schedule %s; create it with \"keyholder schedules apply\", and trigger it\n", workflows.ScheduleBank)
	case err != nil:
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: the lines are stored and not matched yet; the next daily run matches them: %v\n", err)
	default:
		fmt.Fprintf(cmd.OutOrStdout(), "matching with bookings has begun (Schedule %s)\n", workflows.ScheduleBank)
	}
}

func triggerMatching(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, matchingWithin)
	defer cancel()
	c, err := cluster.Dial(ctx, cluster.Options{Address: address, Plain: address != ""})
	if err != nil {
		return err
	}
	defer c.Close()
	// A run that is under way may have read the lines before.
	return c.ScheduleClient().GetHandle(ctx, workflows.ScheduleBank).Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE})
}

func bankStatusCommand(dataDir *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the bank's statements agree with the books",
		Long: `Shows for the policy's bank account what is matched on both sides, what is open and for
how long, the last statements, and whether the statements prove each other: lines lead
from the opening to the closing balance, and each begins where the one before ended.
Of bookings, those that QuickBooks has count.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[booksConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			rules, err := cfg.finance()
			if err != nil {
				return err
			}
			status, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, clock durable.Clock) (bankStatus, error) {
				return readBankStatus(cmd.Context(), s, activities.DayIn(clock.Now(), rules.TimeZone), rules)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), status)
			}
			return status.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// bankStatus is how an account's statements agree with the books.
type bankStatus struct {
	Account  string `json:"account"`
	Currency string `json:"currency"`
	// Today is the company's day, from which ages count.
	Today   string    `json:"today"`
	Matched bankSides `json:"matched"`
	Open    bankSides `json:"open"`
	All     bankSides `json:"all"`
	// OpenLines and OpenBookings are by age; Cut tells that there are more than are
	// counted in them.
	OpenLines    []aged `json:"open_lines"`
	OpenBookings []aged `json:"open_bookings"`
	Cut          bool   `json:"cut,omitempty"`
	// OldestLines and OldestBookings are the first of what is open.
	OldestLines    []openItem `json:"oldest_lines"`
	OldestBookings []openItem `json:"oldest_bookings"`
	// Statements are the last ones; Flaws are why they do not prove each other.
	Statements []statementRow `json:"statements"`
	Flaws      []string       `json:"flaws"`
}

// bankSides are sums of lines and bookings, and lines minus bookings.
type bankSides struct {
	Lines      policy.Cents `json:"lines"`
	Bookings   policy.Cents `json:"bookings"`
	Difference policy.Cents `json:"difference"`
}

func sides(lines, bookings int64) bankSides {
	return bankSides{policy.Cents(lines), policy.Cents(bookings), policy.Cents(lines - bookings)}
}

// aged is how much is open of an age in days.
type aged struct {
	Age    string       `json:"age"`
	Count  int          `json:"count"`
	Amount policy.Cents `json:"amount"`
}

// openItem is a line or a booking without the other.
type openItem struct {
	Day    string       `json:"day"`
	Amount policy.Cents `json:"amount"`
	// About is what the bank says of a line, or which entry a booking is.
	About string `json:"about"`
}

type statementRow struct {
	From    string       `json:"from"`
	To      string       `json:"to"`
	Lines   int          `json:"lines"`
	Sum     policy.Cents `json:"sum"`
	Opening string       `json:"opening,omitempty"`
	Closing string       `json:"closing,omitempty"`
}

func readBankStatus(ctx context.Context, s store.Finance, today string, rules policy.Finance) (bankStatus, error) {
	account := rules.Accounts.Bank
	totals, err := s.BankTotals(ctx, account)
	if err != nil {
		return bankStatus{}, err
	}
	lines, err := s.OpenBankLines(ctx, account, "")
	if err != nil {
		return bankStatus{}, err
	}
	bookings, err := s.OpenBankBookings(ctx, "")
	if err != nil {
		return bankStatus{}, err
	}
	statements, err := s.BankStatements(ctx, account)
	if err != nil {
		return bankStatus{}, err
	}
	status := bankStatus{
		Account: account, Currency: rules.Currency, Today: today, Cut: max(len(lines), len(bookings)) >= openListed,
		Matched: sides(totals.MatchedLines, totals.MatchedBookings), Open: sides(totals.OpenLines, totals.OpenBookings), All: sides(totals.Lines, totals.Bookings),
		Statements: []statementRow{}, Flaws: []string{},
	}
	open := make([]openItem, 0, len(lines))
	for _, l := range lines {
		open = append(open, openItem{l.Day, policy.Cents(l.Amount), oneLine(l.Text + " " + l.Reference)})
	}
	status.OpenLines, status.OldestLines = byAge(open, today), open[:min(len(open), openShown)]
	open = make([]openItem, 0, len(bookings))
	for _, b := range bookings {
		open = append(open, openItem{b.Day, policy.Cents(b.Amount), b.BookingID()})
	}
	status.OpenBookings, status.OldestBookings = byAge(open, today), open[:min(len(open), openShown)]
	for _, s := range statements[:min(len(statements), statementsShown)] {
		row := statementRow{From: s.From, To: s.To, Lines: s.Lines, Sum: policy.Cents(s.Sum)}
		if s.Balances {
			row.Opening, row.Closing = policy.Cents(s.Opening).String(), policy.Cents(s.Closing).String()
		}
		status.Statements = append(status.Statements, row)
	}
	for _, f := range bankmatch.Prove(proofs(statements)) {
		status.Flaws = append(status.Flaws, flawLine(f))
	}
	return status, nil
}

// byAge sums up what is open by its age, the youngest first, all ages.
func byAge(open []openItem, today string) []aged {
	ages := []aged{{Age: bankmatch.AgeWeek}, {Age: bankmatch.AgeMonth}, {Age: bankmatch.AgeTwo}, {Age: bankmatch.AgeOld}}
	for _, o := range open {
		i := slices.IndexFunc(ages, func(a aged) bool { return a.Age == bankmatch.Age(o.Day, today) })
		ages[i].Count++
		ages[i].Amount += o.Amount
	}
	return ages
}

func (s bankStatus) print(to io.Writer) error {
	if len(s.Statements) == 0 {
		fmt.Fprintf(to, "%s: no statement was read in; \"keyholder bank import FILE\" does it.\n\n", s.Account)
	} else {
		fmt.Fprintf(to, "%s, statements until %s, amounts in %s\n\n", s.Account, s.Statements[0].To, s.Currency)
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tlines of the bank\tbookings\tdifference")
	for _, row := range []struct {
		name string
		bankSides
	}{{"matched", s.Matched}, {"open", s.Open}, {"all", s.All}} {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row.name, row.Lines, row.Bookings, row.Difference)
	}
	fmt.Fprintln(table, "\nopen for days\tlines\tamount\tbookings\tamount")
	for i, l := range s.OpenLines {
		b := s.OpenBookings[i]
		fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%s\n", l.Age, l.Count, l.Amount, b.Count, b.Amount)
	}
	if s.Cut {
		fmt.Fprintf(table, "(of the oldest %d alone)\n", openListed)
	}
	for _, of := range []struct {
		name string
		list []openItem
	}{{"oldest open lines", s.OldestLines}, {"oldest open bookings", s.OldestBookings}} {
		if len(of.list) > 0 {
			fmt.Fprintf(table, "\n%s\tamount\tabout\n", of.name)
		}
		for _, o := range of.list {
			fmt.Fprintf(table, "%s\t%s\t%s\n", o.Day, o.Amount, o.About)
		}
	}
	if len(s.Statements) > 0 {
		fmt.Fprintln(table, "\nlast statements\tlines\tsum\topening\tclosing")
	}
	for _, row := range s.Statements {
		fmt.Fprintf(table, "%s to %s\t%s\t%s\t%s\t%s\n", row.From, row.To, strconv.Itoa(row.Lines), row.Sum, cmp.Or(row.Opening, "-"), cmp.Or(row.Closing, "-"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(to)
	for _, f := range s.Flaws {
		fmt.Fprintln(to, f)
	}
	_, err := fmt.Fprintln(to, s.proof())
	return err
}

// proof is a sentence on what is matched.
func (s bankStatus) proof() string {
	switch {
	case s.Matched == bankSides{}:
		return "Nothing is matched yet."
	case s.Matched.Difference == 0:
		return "What is matched is equal on both sides; what is open explains all that differs."
	}
	return fmt.Sprintf("What is matched differs by %s: small differences that matches within the tolerance, and people, have let pass. What is open explains the rest.", s.Matched.Difference)
}
