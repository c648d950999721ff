package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/portfolio"
)

const (
	// renewWithin is how long a workflow may take to answer: a worker must be up.
	renewWithin = 15 * time.Second
	// renewalsMost is how many rows a file of renewals has at most, renewalsBytes how long
	// it may be.
	renewalsMost  = 20_000
	renewalsBytes = 8 << 20
	// problemsShown is how many wrong rows are listed.
	problemsShown = 50
	// dueWithinMost bounds how many days ahead are looked for.
	dueWithinMost = 36_500
	// calendarYears is how long the link of the calendar is good.
	calendarYears = 5
)

// The configurations of the commands about compliance.
type (
	complianceConfig struct {
		StoreConfig
	}
	renewalsConfig struct {
		PayloadConfig
	}
	calendarConfig struct {
		LinkConfig
	}
)

func complianceCommand() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "compliance",
		Short: "What properties must have: certificates, inspections, licences, insurance",
		Args:  args(cobra.NoArgs),
		RunE:  named,
	}
	cmd.PersistentFlags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.AddCommand(complianceListCommand(&dataDir), complianceImportCommand(&dataDir), complianceRenewCommand(&dataDir), complianceCalendarCommand(&dataDir))
	return cmd
}

func complianceListCommand(dataDir *string) *cobra.Command {
	var property, state, within string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show how the requirements stand, what is due first on top",
		Example: `  keyholder compliance list --state overdue
  keyholder compliance list --due-within 60d --json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"", "unknown", "valid", "due", "overdue"}, state) {
				return usageError{errors.New("--state must be unknown, valid, due or overdue")}
			}
			days, err := strconv.Atoi(strings.TrimSuffix(cmp.Or(within, "0d"), "d"))
			if err != nil || days < 0 || days > dueWithinMost {
				return usageError{errors.New("--due-within must be a number of days such as 60d")}
			}
			cfg, err := parse[complianceConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			rows, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, clock durable.Clock) ([]complianceRow, error) {
				until := ""
				if within != "" {
					until = clock.Now().AddDate(0, 0, days).Format(time.DateOnly)
				}
				return complianceRows(cmd.Context(), s, property, state, until)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), rows)
			}
			return writeCompliance(cmd.OutOrStdout(), rows)
		},
	}
	cmd.Flags().StringVar(&property, "property", "", "only this property's, by its id at RentVine")
	cmd.Flags().StringVar(&state, "state", "", "only those that are unknown, valid, due or overdue")
	cmd.Flags().StringVar(&within, "due-within", "", "only those that are due within so many days, such as 60d, and those that are overdue")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// complianceRow is a requirement as it is shown. Days are the property's.
type complianceRow struct {
	Property    string `json:"property"`
	Unit        string `json:"unit,omitempty"`
	Address     string `json:"address,omitempty"`
	Requirement string `json:"requirement"`
	Name        string `json:"name"`
	State       string `json:"state"`
	Due         string `json:"due,omitempty"`
	Renewed     string `json:"renewed,omitempty"`
}

// complianceRows are what the store has, by due day; what nobody knows is last. until is
// the last due day that is wanted, "" for all.
func complianceRows(ctx context.Context, s store.Portfolio, property, state, until string) ([]complianceRow, error) {
	const page = 1000
	addresses, rows := map[string]string{}, []complianceRow{}
	for f := (store.PortfolioFilter{PropertyID: property, Most: page}); ; {
		places, err := s.Places(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, p := range places {
			addresses[p.PropertyID] = cmp.Or(p.Address, p.Name)
		}
		if len(places) < page {
			break
		}
		f.After = places[page-1].PropertyID
	}
	for f := (store.PortfolioFilter{PropertyID: property, Most: page}); ; {
		items, err := s.ComplianceItems(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			if state != "" && i.State != state || until != "" && (i.Due == "" || i.Due > until) {
				continue
			}
			rows = append(rows, complianceRow{
				Property: i.PropertyID, Unit: i.UnitID, Address: addresses[i.PropertyID], Requirement: i.RequirementID, Name: i.Name,
				State: i.State, Due: i.Due, Renewed: i.Renewed,
			})
		}
		if len(items) < page {
			break
		}
		f.After = items[page-1].Key
	}
	slices.SortStableFunc(rows, func(a, b complianceRow) int {
		return cmp.Or(cmp.Compare(cmp.Or(a.Due, "9999"), cmp.Or(b.Due, "9999")), cmp.Compare(a.Property, b.Property))
	})
	return rows, nil
}

func writeCompliance(to io.Writer, rows []complianceRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(to, "There are no such requirements.")
		return err
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "due\tstate\trequirement\tproperty\tunit\taddress\trenewed")
	for _, r := range rows {
		fmt.Fprintln(table, strings.Join([]string{
			cmp.Or(r.Due, "-"), r.State, r.Requirement, r.Property, cmp.Or(r.Unit, "-"), cmp.Or(oneLine(r.Address), "-"), cmp.Or(r.Renewed, "-"),
		}, "\t"))
	}
	return table.Flush()
}

// renewal is a row of a file, or what the command was told.
type renewal struct {
	line                        int
	property, unit, requirement string
	portfolio.RequirementRenewed
}

func (r renewal) String() string {
	if r.unit != "" {
		return fmt.Sprintf("%s of unit %s, property %s", r.requirement, r.unit, r.property)
	}
	return fmt.Sprintf("%s of property %s", r.requirement, r.property)
}

// wrong says what is wrong with it, "" for nothing.
func (r renewal) wrong() string {
	if r.property == "" || r.requirement == "" {
		return "property and requirement must be filled in"
	}
	if strings.ContainsAny(r.property+r.unit+r.requirement, "/ ") {
		return "property, unit and requirement are ids"
	}
	if _, err := time.Parse(time.DateOnly, r.RenewedOn); err != nil {
		return "renewed_on must be a day such as 2026-01-31"
	}
	if _, err := time.Parse(time.DateOnly, r.GoodUntil); r.GoodUntil != "" && err != nil {
		return "good_until must be a day such as 2027-01-31, or left out"
	}
	return ""
}

var renewalColumns = []string{"property", "unit", "requirement", "renewed_on", "good_until"}

// readRenewals reads a file whole, and says of each line what is wrong with it.
func readRenewals(from io.Reader) (rows []renewal, problems []string, err error) {
	r := csv.NewReader(from)
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("the file has no headings; want %s", strings.Join(renewalColumns, ","))}
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range renewalColumns {
		if _, ok := at[name]; !ok && name != "unit" && name != "good_until" {
			return nil, nil, usageError{fmt.Errorf("the file has no column %s; want %s", name, strings.Join(renewalColumns, ","))}
		}
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, problems, nil
		}
		if err != nil {
			return nil, nil, usageError{err}
		}
		if len(rows) == renewalsMost {
			return nil, nil, usageError{fmt.Errorf("the file has more than %d rows; split it", renewalsMost)}
		}
		cell := func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(cells[i])
			}
			return ""
		}
		line, _ := r.FieldPos(0)
		row := renewal{line: line, property: cell("property"), unit: cell("unit"), requirement: cell("requirement")}
		row.RenewedOn, row.GoodUntil = cell("renewed_on"), cell("good_until")
		if why := row.wrong(); why != "" {
			problems = append(problems, fmt.Sprintf("line %d: %s", line, why))
		}
		rows = append(rows, row)
	}
}

func complianceImportCommand(dataDir *string) *cobra.Command {
	var by string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Record the renewals of a file, CSV",
		Long: `Records a renewal for each row of a file with the headings ` + strings.Join(renewalColumns, ",") + `.
Properties and units are given by their ids at RentVine, requirements by those of the
policy; days are YYYY-MM-DD, and good_until may be left out. Where a row is wrong, nothing
is recorded. The same file again is harmless: what is known already, or was renewed later,
is left as it is.
Exits 1 where a row was not recorded. Needs Temporal and a worker.`,
		Example: `  keyholder compliance import certificates.csv --dry-run
  keyholder compliance import certificates.csv --by ann`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			file, err := os.Open(given[0])
			if err != nil {
				return usageError{err}
			}
			defer func() { _ = file.Close() }() // it was only read
			rows, problems, err := readRenewals(io.LimitReader(file, renewalsBytes))
			if err != nil {
				return err
			}
			for _, p := range problems[:min(len(problems), problemsShown)] {
				fmt.Fprintln(cmd.ErrOrStderr(), p)
			}
			if len(problems) > 0 {
				return usageError{fmt.Errorf("%d of %d rows are wrong; nothing was recorded", len(problems), len(rows))}
			}
			if dryRun {
				fmt.Fprintf(cmd.OutOrStdout(), "%d rows are fit; nothing was recorded (--dry-run)\n", len(rows))
				return nil
			}
			if by == "" {
				return usageError{errors.New("say with --by who vouches for the file")}
			}
			return recordRenewals(cmd, *dataDir, rows, durable.Command{By: by, Why: "the file " + filepath.Base(given[0])})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who vouches for it, as an id of yours")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "check the file and record nothing")
	return cmd
}

func complianceRenewCommand(dataDir *string) *cobra.Command {
	var r renewal
	var c durable.Command
	cmd := &cobra.Command{
		Use:   "renew REQUIREMENT",
		Short: "Record one renewal",
		Example: `  keyholder compliance renew insurance --property 12 --on 2026-11-20 --by ann --why "the broker's letter"
  keyholder compliance renew smoke_alarms --property 12 --unit 31 --on 2026-11-20 --until 2027-06-30 --by ann --why tested`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			r.requirement = given[0]
			if why := r.wrong(); why != "" {
				return usageError{errors.New(strings.NewReplacer("renewed_on", "--on", "good_until", "--until").Replace(why))}
			}
			if c.Validate() != nil {
				return usageError{errors.New("say with --by and --why who decided, and the reason")}
			}
			return recordRenewals(cmd, *dataDir, []renewal{r}, c)
		},
	}
	cmd.Flags().StringVar(&r.property, "property", "", "the property's id at RentVine")
	cmd.Flags().StringVar(&r.unit, "unit", "", "the unit's, where each unit needs its own")
	cmd.Flags().StringVar(&r.RenewedOn, "on", "", "the day of the renewal, YYYY-MM-DD")
	cmd.Flags().StringVar(&r.GoodUntil, "until", "", "until when it is good (default: as long as the policy says)")
	cmd.Flags().StringVar(&c.By, "by", "", "who says so, as an id of yours")
	cmd.Flags().StringVar(&c.Why, "why", "", "what shows it")
	return cmd
}

// recordRenewals gives each row to its workflow, and counts what became of them.
func recordRenewals(cmd *cobra.Command, dataDir string, rows []renewal, by durable.Command) error {
	env := environ(envFile(dataDir))
	cfg, err := parse[renewalsConfig](env)
	if err != nil {
		return err
	}
	c, err := dial(cmd.Context(), zap.NewNop(), cfg.PayloadConfig, temporalBeside(env), newRegistry())
	if err != nil {
		return err
	}
	defer c.Close()
	recorded, known, failed := 0, 0, 0
	for _, r := range rows {
		out, err := recordRenewal(cmd.Context(), c, r, by)
		var refused *temporal.ApplicationError
		switch {
		case err == nil && out.Late:
			known++
		case err == nil:
			recorded++
		case errors.As(err, new(*serviceerror.NotFound)):
			failed++
			fmt.Fprintf(cmd.ErrOrStderr(), "%s%s: nobody watches over it: check the ids, and that the policy asks for it there\n", r.where(), r)
		case errors.As(err, &refused):
			failed++
			fmt.Fprintf(cmd.ErrOrStderr(), "%s%s: %s\n", r.where(), r, refused.Message())
		default:
			return fmt.Errorf("%s%s: no answer (%w); %d rows were recorded before, and the same file again is harmless", r.where(), r, err, recorded)
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d recorded, %d known already, %d not recorded\n", recorded, known, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d renewals were not recorded", failed, len(rows))
	}
	return nil
}

// where is the row's line in a file.
func (r renewal) where() string {
	if r.line == 0 {
		return ""
	}
	return fmt.Sprintf("line %d: ", r.line)
}

func recordRenewal(ctx context.Context, c client.Client, r renewal, by durable.Command) (durable.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	return portfolio.RenewRequirement.Send(ctx, c, portfolio.ComplianceID(r.property, r.unit, r.requirement), uuid.NewString(),
		portfolio.RenewCommand{Command: by, RequirementRenewed: r.RequirementRenewed})
}

func complianceCalendarCommand(dataDir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "calendar",
		Short: "Print the address of the calendar of due dates",
		Long: fmt.Sprintf(`Prints an address to which calendar programs subscribe (iCalendar). Whoever has it sees
what is due where, and can change nothing. It is good for %d years, or until
KEYHOLDER_LINK_SIGNING_KEYS no longer has the key that signed it.`, calendarYears),
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[calendarConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			keys, err := linkKeys(cfg.LinkKey, cfg.LinkSigningKeys)
			if err != nil {
				return err
			}
			token := keys.CalendarToken("compliance", time.Now().AddDate(calendarYears, 0, 0))
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s/calendar/%s.ics\n", strings.TrimRight(cfg.PublicURL, "/"), token)
			return err
		},
	}
}
