package main

import (
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

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// engagementMostDays bounds how far back the totals go.
const engagementMostDays = 3660

func engagementCommand() *cobra.Command {
	var dataDir, format, campaign string
	var days int
	cmd := &cobra.Command{
		Use:   "engagement",
		Short: "Show what became of the messages of campaigns",
		Long: `Shows for each campaign (move_in, renewal, retention) how many messages left in the
last days of business time, how many were only recorded (KEYHOLDER_OUTBOUND), how many
texts were delivered or failed, how many questions they asked, and how many of those were
opened by their link and answered. Mail has no report of its delivery, and scanners open
links too: opened is a hint.`,
		Example: `  keyholder engagement --days 90
  keyholder engagement --campaign renewal --format csv > renewal.csv`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := map[string]func(io.Writer, []store.Total) error{"text": writeTotals, "csv": writeTotalsCSV, "json": writeTotalsJSON}[format]
			if !ok {
				return usageError{errors.New("--format must be text, csv or json")}
			}
			if days < 1 || days > engagementMostDays {
				return usageError{fmt.Errorf("--days must be from 1 to %d", engagementMostDays)}
			}
			cfg, err := parse[engagementConfig](environ(envFile(dataDir)))
			if err != nil {
				return err
			}
			totals, err := cfg.totals(cmd.Context(), days)
			if err != nil {
				return err
			}
			if campaign != "" {
				totals = slices.DeleteFunc(totals, func(t store.Total) bool { return t.Campaign != campaign })
			}
			return write(cmd.OutOrStdout(), totals)
		},
	}
	cmd.Flags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.Flags().IntVar(&days, "days", 30, "how many days of business time to look back")
	cmd.Flags().StringVar(&campaign, "campaign", "", "only this campaign")
	cmd.Flags().StringVar(&format, "format", "text", "text, csv or json")
	return cmd
}

// totals are those of the store's last days.
func (c engagementConfig) totals(ctx context.Context, days int) ([]store.Total, error) {
	return fromStore(ctx, c.StoreURL, func(s store.Store, clock durable.Clock) ([]store.Total, error) {
		return s.CampaignTotals(ctx, time.Now().Add(-clock.Real(time.Duration(days)*24*time.Hour)))
	})
}

func writeTotals(to io.Writer, totals []store.Total) error {
	if len(totals) == 0 {
		_, err := fmt.Fprintln(to, "No campaign has sent a message in these days.")
		return err
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "campaign\tsent\trecorded\tdelivered\tfailed\tasked\topened\tanswered")
	share := func(part, whole int) string {
		if whole == 0 {
			return strconv.Itoa(part)
		}
		return fmt.Sprintf("%d (%d%%)", part, (100*part+whole/2)/whole)
	}
	for _, t := range totals {
		fmt.Fprintln(table, strings.Join([]string{
			t.Campaign, strconv.Itoa(t.Sent), strconv.Itoa(t.Recorded), share(t.Delivered, t.Sent), share(t.Failed, t.Sent),
			strconv.Itoa(t.Asked), share(t.Opened, t.Asked), share(t.Answered, t.Asked),
		}, "\t"))
	}
	return table.Flush()
}

func writeTotalsCSV(to io.Writer, totals []store.Total) error {
	w := csv.NewWriter(to)
	// What fails is reported by Error.
	_ = w.Write([]string{"campaign", "sent", "recorded", "delivered", "failed", "asked", "opened", "answered"})
	for _, t := range totals {
		cells := []string{t.Campaign}
		for _, n := range []int{t.Sent, t.Recorded, t.Delivered, t.Failed, t.Asked, t.Opened, t.Answered} {
			cells = append(cells, strconv.Itoa(n))
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return w.Error()
}

func writeTotalsJSON(to io.Writer, totals []store.Total) error {
	if totals == nil {
		totals = []store.Total{}
	}
	e := json.NewEncoder(to)
	e.SetIndent("", "  ")
	return e.Encode(totals)
}
