package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// vendorNamesWithin is how long RentVine may take to name its vendors.
const vendorNamesWithin = 30 * time.Second

func vendorsCommand() *cobra.Command {
	var dataDir, format string
	cmd := &cobra.Command{
		Use:   "vendors",
		Short: "Show the records of technicians and vendors",
		Long: `Shows what the work of the last 12 months says of every technician of the policy,
every vendor of RentVine and everybody else who was asked, the best first: the score
from 0 to 1000 (600 is somebody new), how often they were asked and how soon they
answered, finished jobs and how many did not come back, by how much prices were above
estimates, and the tenants' ratings. Without KEYHOLDER_RENTVINE_URL and its keys, only
vendors with a record are shown, by their id at RentVine.`,
		Example: `  keyholder vendors
  keyholder vendors --format csv > records.csv`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := map[string]func(io.Writer, []workerRow) error{"table": writeTable, "csv": writeCSV, "json": writeJSON}[format]
			if !ok {
				return usageError{errors.New("--format must be table, csv or json")}
			}
			cfg, err := parse[vendorsConfig](environ(envFile(dataDir)))
			if err != nil {
				return err
			}
			rules, err := policy.Load(cfg.Policy)
			if err != nil {
				return usageError{err}
			}
			cards, err := cfg.cards(cmd.Context())
			if err != nil {
				return err
			}
			vendors, err := cfg.vendors(cmd.Context())
			if err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "RentVine does not name its vendors: %v\n", err)
			}
			return write(cmd.OutOrStdout(), workerRows(cards, rules, vendors))
		},
	}
	cmd.Flags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.Flags().StringVar(&format, "format", "table", "table, csv or json")
	return cmd
}

// cards are the records that the store has.
func (c vendorsConfig) cards(ctx context.Context) (map[string]sourcing.Card, error) {
	return fromStore(ctx, c.StoreURL, func(s store.Store, clock durable.Clock) (map[string]sourcing.Card, error) {
		return activities.Cards(ctx, s, clock)
	})
}

// vendors are those of RentVine, none where it is not configured.
func (c vendorsConfig) vendors(ctx context.Context) ([]rentvine.Vendor, error) {
	if c.RentVineURL == "" || c.RentVineAccessKey == "" || c.RentVineAPISecret == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, vendorNamesWithin)
	defer cancel()
	client := rentvine.New(rentvine.Config{BaseURL: c.RentVineURL, AccessKey: c.RentVineAccessKey, Secret: c.RentVineAPISecret})
	defer client.Close()
	return client.Vendors(ctx)
}

// workerRow is a line of the report.
type workerRow struct {
	ID    string        `json:"id"`
	Kind  sourcing.Kind `json:"kind"`
	Name  string        `json:"name,omitempty"`
	Score int           `json:"score"`
	sourcing.Card
}

// workerRows are everybody who is known, best first.
func workerRows(cards map[string]sourcing.Card, rules *policy.Policy, vendors []rentvine.Vendor) []workerRow {
	known := map[string]workerRow{}
	for id := range cards {
		known[id] = workerRow{ID: id, Kind: sourcing.Technician}
		if strings.HasPrefix(id, sourcing.VendorID("")) {
			known[id] = workerRow{ID: id, Kind: sourcing.Vendor}
		}
	}
	for _, t := range rules.Technicians() {
		known[t.Person.ID] = workerRow{ID: t.Person.ID, Kind: sourcing.Technician, Name: t.Person.Name}
	}
	for _, v := range vendors {
		id := sourcing.VendorID(v.ID)
		known[id] = workerRow{ID: id, Kind: sourcing.Vendor, Name: oneLine(v.Name)}
	}
	rows := make([]workerRow, 0, len(known))
	for id, row := range known {
		row.Card, row.Score = cards[id], cards[id].Score()
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b workerRow) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Jobs, a.Jobs), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return rows
}

// oneLine is a partner's text without what would disturb a terminal or a table.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}

func writeTable(to io.Writer, rows []workerRow) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "name\tid\tscore\tasked\tanswered\tafter\tjobs\tfixed at once\tover estimate\trating")
	percent := func(part, whole int) string {
		return fmt.Sprintf("%d%%", (100*part+whole/2)/max(whole, 1))
	}
	for _, r := range rows {
		cells := []string{cmp.Or(r.Name, "-"), r.ID, strconv.Itoa(r.Score), strconv.Itoa(r.Asked), "-", "-", strconv.Itoa(r.Jobs), "-", "-", "-"}
		if r.Asked > 0 {
			cells[4] = percent(r.Answered, r.Asked)
		}
		if r.Answered > 0 {
			cells[5] = (time.Duration(r.ResponseMinutes) * time.Minute).String()
			cells[5] = cmp.Or(strings.TrimSuffix(cells[5], "0s"), "0m")
		}
		if r.Jobs > 0 {
			cells[7] = percent(r.FirstTimeFixed, r.Jobs)
		}
		if r.Priced > 0 {
			cells[8] = fmt.Sprintf("%+d%%", r.OverPercent)
		}
		if r.Rated > 0 {
			cells[9] = fmt.Sprintf("%d.%d (%d)", r.RatingTenths/10, r.RatingTenths%10, r.Rated)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

func writeCSV(to io.Writer, rows []workerRow) error {
	w := csv.NewWriter(to)
	// What fails is reported by Error.
	_ = w.Write([]string{
		"id", "kind", "name", "score", "asked", "answered", "response_minutes", "jobs", "first_time_fixed",
		"priced", "over_percent", "rated", "rating",
	})
	for _, r := range rows {
		cells := []string{r.ID, string(r.Kind), harmless(r.Name)}
		for _, n := range []int{r.Score, r.Asked, r.Answered, r.ResponseMinutes, r.Jobs, r.FirstTimeFixed, r.Priced, r.OverPercent, r.Rated} {
			cells = append(cells, strconv.Itoa(n))
		}
		_ = w.Write(append(cells, fmt.Sprintf("%d.%d", r.RatingTenths/10, r.RatingTenths%10)))
	}
	w.Flush()
	return w.Error()
}

// harmless is a name that no spreadsheet takes for a formula.
func harmless(name string) string {
	if strings.IndexAny(name, "=+-@") == 0 {
		return "'" + name
	}
	return name
}

func writeJSON(to io.Writer, rows []workerRow) error {
	e := json.NewEncoder(to)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}
