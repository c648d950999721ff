package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// eventsConfig is what the commands about events need. Beside a running "keyholder dev"
// nothing; with the store, what is done to failed workflows is in the audit too.
type eventsConfig struct {
	LogConfig
	PayloadConfig
	StoreURL string `env:"KEYHOLDER_STORE_URL"`
}

func eventsCommand() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Parked events and failed work: list, show, replay, discard",
		Long: `An authentic event that no workflow takes is parked: held by a workflow of its own until
somebody replays or discards it. Work that has failed is a workflow that has ended without
its end. These commands list both, on the Temporal that TEMPORAL_ADDRESS or
TEMPORAL_PROFILE names or that of a running "keyholder dev".`,
		Args: args(cobra.NoArgs),
		RunE: named,
	}
	cmd.PersistentFlags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.AddCommand(eventsListCommand(&dataDir), eventsShowCommand(&dataDir), eventsReplayCommand(&dataDir), eventsDiscardCommand(&dataDir))
	return cmd
}

// events is the cluster that the commands ask.
type events struct {
	client    client.Client
	namespace string
	// audit writes down what was done to failed workflows; nil where there is no store.
	audit func(context.Context, store.AuditEntry) error
	close func() error
}

// openEvents reaches the cluster, and the store where there is one.
func openEvents(ctx context.Context, dataDir string) (*events, error) {
	env := environ(envFile(dataDir))
	cfg, err := parse[eventsConfig](env)
	if err != nil {
		return nil, err
	}
	log, err := cfg.logger()
	if err != nil {
		return nil, err
	}
	address := temporalBeside(env)
	e := &events{close: func() error { return nil }}
	if e.namespace, err = cluster.Namespace(cluster.Options{Address: address, Plain: address != ""}); err != nil {
		return nil, err
	}
	if e.client, err = dial(ctx, log, cfg.PayloadConfig, address, newRegistry()); err != nil {
		return nil, err
	}
	if cfg.StoreURL == "" {
		return e, nil
	}
	s, err := store.Open(ctx, cfg.StoreURL)
	if err != nil {
		e.client.Close()
		return nil, fmt.Errorf("KEYHOLDER_STORE_URL: %w", err)
	}
	e.audit = func(ctx context.Context, entry store.AuditEntry) error { return s.Append(ctx, entry) }
	e.close = s.Close
	return e, nil
}

// withEvents does something with the cluster.
func withEvents(ctx context.Context, dataDir string, do func(*events) error) error {
	e, err := openEvents(ctx, dataDir)
	if err != nil {
		return err
	}
	err = do(e)
	e.client.Close()
	return errors.Join(err, e.close())
}

func eventsListCommand(dataDir *string) *cobra.Command {
	var f eventFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List parked events, or failed and stuck work",
		Long: `Lists events, the newest first. The state is one of
  parked     waits for somebody to replay or discard it
  replayed   was sent through the routes again
  discarded  was given up
  failed     a workflow that failed, was terminated or timed out, and that no newer run has
             replaced; --type is that of its event or its workflow
  stuck      a workflow that runs, and whose task or activity fails again and again; an
             activity is tried again by itself`,
		Example: `  keyholder events list
  keyholder events list --source rentvine --type lease.updated --since 24h
  keyholder events list --state failed --type sync.outgoing_webhook --json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := f.filter(time.Now())
			if err != nil {
				return err
			}
			return withEvents(cmd.Context(), *dataDir, func(e *events) error {
				rows, more, err := e.find(cmd.Context(), filter)
				if err != nil {
					return err
				}
				if asJSON {
					return writeIndented(cmd.OutOrStdout(), rows)
				}
				if err := writeEvents(cmd.OutOrStdout(), filter.state, rows); err != nil {
					return err
				}
				return e.footer(cmd.Context(), cmd.OutOrStdout(), filter, len(rows), more)
			})
		},
	}
	f.register(cmd, 100)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func eventsShowCommand(dataDir *string) *cobra.Command {
	var withData, asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one parked event or failed workflow, and what can be done",
		Long: `Shows where an event came from, why it is parked, what became of it and what can be done.
Its data are shown with --with-data alone: they may be personal. Where payloads are
encrypted, that needs KEYHOLDER_PAYLOAD_KEYS, and a worker that answers.`,
		Example: `  keyholder events show parked/rentvine/0123456789abcdef0123456789abcdef`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return withEvents(cmd.Context(), *dataDir, func(e *events) error {
				shown, err := e.show(cmd.Context(), given[0], withData)
				if err != nil {
					return err
				}
				if asJSON {
					return writeIndented(cmd.OutOrStdout(), shown)
				}
				return shown.print(cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().BoolVar(&withData, "with-data", false, "show the event's data, which may be personal")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func eventsReplayCommand(dataDir *string) *cobra.Command {
	o := actOptions{verb: "replay", done: "replayed"}
	cmd := &cobra.Command{
		Use:   "replay [ID...] --why TEXT",
		Short: "Send parked events through the routes again; run failed work again",
		Long: `Replays events by id, or all that the filters find, the oldest first and at a rate. What
fails is reported and holds up nothing; what was replayed is not parked any more, so the
same command again does the rest.

A workflow that has failed, or whose task fails again and again, is reset to its first
task: it takes its events again, and what it did before is not done twice. One that was
terminated or timed out goes on from its last task. Found by filters, those that somebody
has terminated are passed over: name them. Where an activity fails again and again, nothing
is reset: it goes on by itself once what it needs is mended.

A parked event whose holder was terminated or cancelled is held again, and not replayed yet:
replay or discard it then.`,
		Example: `  keyholder events replay parked/rentvine/0123456789abcdef0123456789abcdef --why "the route is there"
  keyholder events replay --type lease.updated --since 2026-03-01 --rate 5/s --why "after the deploy" --dry-run
  keyholder events replay --state failed --type sync.outgoing_webhook --why "the subscriber is back"`,
	}
	o.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error { return runAct(cmd, *dataDir, given, o) }
	return cmd
}

func eventsDiscardCommand(dataDir *string) *cobra.Command {
	o := actOptions{verb: "discard", done: "discarded"}
	cmd := &cobra.Command{
		Use:   "discard [ID...] --why TEXT",
		Short: "Give parked events up for good",
		Long: `Discards parked events by id, or with --all those that the filters find. Who and why are
kept with the event.`,
		Example: `  keyholder events discard parked/mail/0123456789abcdef0123456789abcdef --why "answered by phone"
  keyholder events discard --all --type tenant.sneezed --why "nobody needs these"`,
	}
	o.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error { return runAct(cmd, *dataDir, given, o) }
	return cmd
}

// eventFlags are the filters as they are given.
type eventFlags struct {
	source, kind, reason, since, until, state string
	limit                                     int
}

func (f *eventFlags) register(cmd *cobra.Command, limit int) {
	cmd.Flags().StringVar(&f.source, "source", "", "only those of rentvine, openmoove or mail")
	cmd.Flags().StringVar(&f.kind, "type", "", "only those of a type, such as lease.updated")
	cmd.Flags().StringVar(&f.reason, "reason", "", "only those parked for a reason, such as \"entity closed\", or failed with one, such as not_delivered")
	cmd.Flags().StringVar(&f.since, "since", "", "only those since then: a time, a day (UTC), or how long ago, such as 24h or 7d")
	cmd.Flags().StringVar(&f.until, "until", "", "only those before then")
	cmd.Flags().StringVar(&f.state, "state", stateParked, strings.Join(eventStates, ", "))
	cmd.Flags().IntVar(&f.limit, "limit", limit, fmt.Sprintf("at most so many, up to %d", eventsMost))
}

// filter checks the flags; all that is wrong is said at once.
func (f *eventFlags) filter(now time.Time) (eventFilter, error) {
	filter := eventFilter{source: f.source, kind: f.kind, reason: f.reason, state: f.state, limit: f.limit}
	var errs []error
	for flag, value := range map[string]string{"--source": f.source, "--type": f.kind, "--reason": f.reason} {
		if strings.ContainsAny(value, `'"\`) || len(value) > 200 {
			errs = append(errs, fmt.Errorf("%s must be at most 200 characters without quotes", flag))
		}
	}
	if !knownState(f.state) {
		errs = append(errs, fmt.Errorf("--state must be one of %s", strings.Join(eventStates, ", ")))
	}
	if f.limit < 1 || f.limit > eventsMost {
		errs = append(errs, fmt.Errorf("--limit must be from 1 to %d", eventsMost))
	}
	var err error
	if filter.since, err = momentOf("--since", f.since, now); err != nil {
		errs = append(errs, err)
	}
	if filter.until, err = momentOf("--until", f.until, now); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return filter, usageError{errors.Join(errs...)}
	}
	return filter, nil
}

// momentOf reads a time, a day (UTC), or how long ago something was; "" is zero.
func momentOf(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 3650 {
			return now.UTC().Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.UTC().Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("%s must be a time such as 2026-01-31T10:00:00Z, a day, or how long ago, such as 24h or 7d", flag)
}

// rateOf reads how many may be done in a time, such as 5/s or 300/m, per second.
func rateOf(text string) (float64, error) {
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(number, 64)
	per := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[unit]
	if err != nil || per == 0 || !(n/per > 0 && n/per <= 1000) { // not a number is neither
		return 0, errors.New("--rate must be such as 5/s or 300/m, at most 1000/s")
	}
	return n / per, nil
}

// actOptions say what is done to which events.
type actOptions struct {
	eventFlags
	verb, done      string
	by, why, rate   string
	all, dry, plain bool
}

func (o *actOptions) register(cmd *cobra.Command) {
	o.eventFlags.register(cmd, 1000)
	cmd.Flags().StringVar(&o.by, "by", os.Getenv("USER"), "who commands")
	cmd.Flags().StringVar(&o.why, "why", "", "the reason, for whoever looks later; it is kept, so no personal data")
	cmd.Flags().StringVar(&o.rate, "rate", "5/s", "at most so many in a time")
	cmd.Flags().BoolVar(&o.all, "all", false, "all that the filters find")
	cmd.Flags().BoolVar(&o.dry, "dry-run", false, "list what would be done alone")
	cmd.Flags().BoolVar(&o.plain, "json", false, "print JSON")
}

// check finds what is wrong with the options before anything is done.
func (o *actOptions) check(cmd *cobra.Command, given []string) error {
	filtered := false
	for _, name := range []string{"source", "type", "reason", "since", "until"} {
		filtered = filtered || cmd.Flags().Changed(name)
	}
	var errs []error
	refuse := func(wrong bool, why string) {
		if wrong {
			errs = append(errs, errors.New(why))
		}
	}
	refuse(len(given) > 0 && (o.all || filtered || cmd.Flags().Changed("state")), "give ids or filters, not both")
	refuse(len(given) == 0 && !o.all && !filtered, "name events, or narrow them by --source, --type, --reason, --since or --until, or give --all")
	refuse(len(given) == 0 && !o.all && filtered && o.verb == "discard", "give --all to discard whatever the filters find")
	refuse(!o.dry && (o.by == "" || o.why == ""), "say who commands and why, with --by and --why")
	refuse(len(given) > eventsMost, "too many ids")
	refuse(len(given) == 0 && o.verb == "discard" && o.state != stateParked, "only parked events can be discarded")
	refuse(len(given) == 0 && (o.state == stateReplayed || o.state == stateDiscarded), "what is replayed or discarded is over")
	if len(errs) > 0 {
		return usageError{errors.Join(errs...)}
	}
	return nil
}

func (o *actOptions) command() durable.Command { return durable.Command{By: o.by, Why: o.why} }

// runAct replays or discards.
func runAct(cmd *cobra.Command, dataDir string, given []string, o actOptions) error {
	if err := o.check(cmd, given); err != nil {
		return err
	}
	perSecond, err := rateOf(o.rate)
	if err != nil {
		return usageError{err}
	}
	filter, err := o.filter(time.Now())
	if err != nil {
		return err
	}
	return withEvents(cmd.Context(), dataDir, func(e *events) error {
		var rows []eventRow
		var left int
		if len(given) > 0 {
			rows = e.named(cmd.Context(), given)
		} else if rows, left, err = e.findOldest(cmd.Context(), filter); err != nil {
			return err
		}
		run := actRun{actOptions: o, perSecond: perSecond, byName: len(given) > 0, do: e.replay}
		if o.verb == "discard" {
			run.do = e.discard
		}
		results := run.all(cmd.Context(), rows, func(r actResult) {
			if !o.plain {
				r.print(cmd)
			}
		})
		return o.summary(cmd.OutOrStdout(), results, left)
	})
}

// summary tells how it went; the error says that something failed.
func (o *actOptions) summary(to io.Writer, results []actResult, left int) error {
	count := map[string]int{}
	for _, r := range results {
		count[r.Outcome]++
	}
	if o.plain {
		e := json.NewEncoder(to)
		e.SetIndent("", "  ")
		if err := e.Encode(results); err != nil {
			return err
		}
	} else {
		line := fmt.Sprintf("%d %s, %d failed, %d passed over", count[o.done], o.done, count[outcomeFailed], count[outcomePassed])
		held := count[outcomeHeld]
		if o.dry {
			line = fmt.Sprintf("%d would be %s, %d passed over (--dry-run)", count[outcomeWould], o.done, count[outcomePassed])
			held = count[outcomeWouldHold]
		}
		if held > 0 {
			line += fmt.Sprintf("; parked events held again, to be replayed or discarded then: %d", held)
		}
		if left > 0 {
			line += fmt.Sprintf("; %d more are beyond --limit %d: the same again does these", left, o.limit)
		}
		fmt.Fprintln(to, line)
	}
	if n := count[outcomeFailed] + count[outcomeStopped]; n > 0 {
		return fmt.Errorf("%d could not be %s; they are where they were", n, o.done)
	}
	return nil
}
