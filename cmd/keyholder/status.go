package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// statusConfig is what "keyholder status" needs, nothing beside a running "keyholder dev".
type statusConfig struct {
	LogConfig
	PayloadConfig
	StoreConfig
	PolicyConfig
	OpenMooveLimits string `env:"KEYHOLDER_OPENMOOVE_LIMITS" envDefault:"100/1m,1000/1h"`
	QuickBooksRealm string `env:"KEYHOLDER_QUICKBOOKS_REALM"`
	TokenKeys       string `env:"KEYHOLDER_TOKEN_KEY"`
	Deployment      string `env:"KEYHOLDER_DEPLOYMENT" envDefault:"keyholder"`
	UIURL           string `env:"KEYHOLDER_TEMPORAL_UI_URL"`
}

// level is how a check has come out.
type level string

// The levels: nothing to do, somebody has a decision or a look to make, something does not
// work.
const (
	levelOK   level = "ok"
	levelLook level = "look"
	levelBad  level = "bad"
)

// check is one line of the status.
type check struct {
	// Name is what was looked at, the same in all versions.
	Name  string `json:"name"`
	Level level  `json:"level"`
	// Says is what was found, Do what to do about it.
	Says string `json:"says"`
	Do   string `json:"do,omitempty"`
	// Filter is the list filter that shows it in the Web UI, Link the page with it.
	Filter string `json:"filter,omitempty"`
	Link   string `json:"link,omitempty"`
	// Counts are the numbers behind Says, where there are several.
	Counts map[string]int64 `json:"counts,omitempty"`
}

// fine is a check that needs nobody.
func fine(name, format string, a ...any) check {
	return check{Name: name, Level: levelOK, Says: fmt.Sprintf(format, a...)}
}

// question finds out about one thing. It makes one check or more.
type question struct {
	name string
	ask  func(context.Context) ([]check, error)
}

// systemStatus is everything that was asked, as --json prints it.
type systemStatus struct {
	At time.Time `json:"at"`
	// Level is the worst of the checks.
	Level  level   `json:"level"`
	Checks []check `json:"checks"`
}

// statusAtOnce is how many questions are asked at the same time.
const statusAtOnce = 8

func statusCommand() *cobra.Command {
	var dataDir string
	var asJSON, web bool
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "status",
		Short: "What works, what waits and what needs somebody, on one screen",
		Long: `Asks Temporal and the store how everything is: workers, deployments, open workflows,
missed promises, parked events, stuck and failed work, Schedules, the comparison with
RentVine, calls left, messages. It changes nothing. Each line is

  ok     nothing to do
  look   somebody has to look or decide
  bad    something does not work

and says what to do. What does not answer in time is a line of its own.

Exit codes: 0 all is well, 1 something needs somebody, 2 wrong usage or configuration.`,
		Example: `  keyholder status
  keyholder status --web              with links to the Web UI
  keyholder status --json | jq -r '.checks[] | select(.level != "ok") | .name'`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < time.Second {
				return usageError{errors.New("--timeout must be 1s or more")}
			}
			found, err := readStatus(cmd.Context(), dataDir, web, limit)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeIndented(cmd.OutOrStdout(), found)
			} else {
				err = found.write(cmd.OutOrStdout(), web)
			}
			if err == nil && found.Level != levelOK {
				err = errors.New("something needs somebody")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&web, "web", false, "print links to the Web UI, whose address KEYHOLDER_TEMPORAL_UI_URL has")
	cmd.Flags().DurationVar(&limit, "timeout", 10*time.Second, "how long each question may take")
	return cmd
}

// readStatus asks everything.
func readStatus(ctx context.Context, dataDir string, web bool, limit time.Duration) (systemStatus, error) {
	env := environ(envFile(dataDir))
	cfg, err := parse[statusConfig](env)
	if err != nil {
		return systemStatus{}, err
	}
	if web && cfg.UIURL == "" {
		return systemStatus{}, usageError{errors.New("--web needs the address of the Web UI: set KEYHOLDER_TEMPORAL_UI_URL, such as https://temporal.example.com")}
	}
	asked, err := openAsked(ctx, cfg, temporalBeside(env), limit)
	if err != nil {
		return systemStatus{}, err
	}
	defer asked.close()
	found := systemStatus{At: time.Now().UTC(), Checks: append(asked.before, askAll(ctx, asked.questions(), limit)...)}
	found.finish(cfg.UIURL, asked.namespace)
	return found, nil
}

// askAll asks all questions, a few at once, and keeps their order. One that fails or is late
// is a check of its own.
func askAll(ctx context.Context, questions []question, limit time.Duration) []check {
	answers := make([][]check, len(questions))
	var group errgroup.Group
	group.SetLimit(statusAtOnce)
	for i, q := range questions {
		group.Go(func() error {
			answers[i] = q.within(ctx, limit)
			return nil
		})
	}
	_ = group.Wait() // none of them fails
	var all []check
	for _, a := range answers {
		all = append(all, a...)
	}
	return all
}

// within asks and does not wait longer than the limit, whatever the answer does.
func (q question) within(ctx context.Context, limit time.Duration) []check {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type answer struct {
		checks []check
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		checks, err := q.ask(ctx)
		answered <- answer{checks, err}
	}()
	select {
	case a := <-answered:
		if a.err == nil {
			return a.checks
		}
		if ctx.Err() == nil {
			return []check{{Name: q.name, Level: levelBad, Says: "cannot be read: " + oneLine(a.err.Error()), Do: "ask again; where it stays, look whether Temporal and the store answer"}}
		}
	case <-ctx.Done():
	}
	return []check{{Name: q.name, Level: levelBad, Says: fmt.Sprintf("no answer within %s", limit), Do: "ask again, with a longer --timeout"}}
}

// finish finds the worst level and makes the links.
func (s *systemStatus) finish(ui, namespace string) {
	s.Level = levelOK
	for i, c := range s.Checks {
		if c.Level == levelBad || s.Level == levelOK {
			s.Level = c.Level
		}
		if ui != "" && c.Filter != "" {
			s.Checks[i].Link = webLink(ui, namespace, c.Filter)
		}
	}
}

// webLink is the page of the Web UI that lists what a filter finds.
func webLink(ui, namespace, filter string) string {
	return strings.TrimRight(ui, "/") + "/namespaces/" + url.PathEscape(namespace) + "/workflows?query=" + url.QueryEscape(filter)
}

// write prints a table, and below each line that needs somebody what to do.
func (s systemStatus) write(to io.Writer, web bool) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, c := range s.Checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Level, c.Name, c.Says)
		if c.Level != levelOK && c.Do != "" {
			fmt.Fprintf(table, "\t\t  -> %s\n", c.Do)
		}
		if web && c.Link != "" {
			fmt.Fprintf(table, "\t\t  %s\n", c.Link)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(to, "\n%s: %s\n", s.At.Format(time.RFC3339), s.sum())
	return err
}

// sum is the last line.
func (s systemStatus) sum() string {
	counts := map[level]int{}
	for _, c := range s.Checks {
		counts[c.Level]++
	}
	if counts[levelLook]+counts[levelBad] == 0 {
		return "all is well"
	}
	var parts []string
	if n := counts[levelBad]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d %s not work", n, plural(n, "does", "do")))
	}
	if n := counts[levelLook]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d %s somebody", n, plural(n, "needs", "need")))
	}
	return strings.Join(parts, ", ")
}

func plural[N int | int64](n N, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// howLong is a duration as people say it, in its one or two greatest units.
func howLong(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%dm", int(d/time.Hour), int(d%time.Hour/time.Minute))
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", int(d/time.Minute), int(d%time.Minute/time.Second))
	}
	return d.String()
}
