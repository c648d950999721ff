package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/prove"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

type proveFlags struct {
	dataDir, until, chains string
	since, grace           time.Duration
	asJSON, ask            bool
}

// What --chains may say.
const (
	chainsPeriod = "period"
	chainsAll    = "all"
)

func proveCommand() *cobra.Command {
	var f proveFlags
	cmd := &cobra.Command{
		Use:   "prove",
		Short: "Compare what was accepted, run, written and recorded, and list every difference",
		Long: `Compares, over a period, the receipts of accepted events with what the workflows have
taken, lists runs that ended badly and work that does not get done, compares the
partners' records with what is known of them, the journal of effects with the audit, and
recomputes the chains of the audit that go on in the period (--chains=all: all). It changes nothing. docs/reliability.md says how to
read what it prints.

Exit codes: 0 nothing differs, 1 something differs or could not be read, 2 wrong usage.`,
		Example: `  keyholder prove
  keyholder prove --since 2h --json
  keyholder prove --chains=all       once a week
  keyholder prove --partners=false   without asking RentVine`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := f.prove(cmd.Context())
			if err != nil {
				return err
			}
			write := report.WriteText
			if f.asJSON {
				write = report.WriteJSON
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			switch {
			case report.Agrees():
				return nil
			case len(report.Differences) == 0:
				return errors.New("not everything was compared")
			}
			return errors.New("something differs")
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&f.since, "since", 24*time.Hour, "how long before --until the period begins, real time")
	flags.StringVar(&f.until, "until", "", "the end of the period, such as 2026-11-22T18:00:00Z (default now)")
	flags.DurationVar(&f.grace, "grace", 2*time.Minute, "how long something may take that is under way")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	flags.BoolVar(&f.ask, "partners", true, "compare the partners' records, which asks them for all that is open")
	flags.StringVar(&f.chains, "chains", chainsPeriod, "which chains of the audit are recomputed: \"period\" for those with entries in the period, or \"all\"")
	flags.StringVar(&f.dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	return cmd
}

// period is what the flags ask for.
func (f proveFlags) period() (since, until time.Time, err error) {
	until = time.Now()
	if f.until != "" {
		if until, err = time.Parse(time.RFC3339, f.until); err != nil {
			return since, until, usageError{fmt.Errorf("--until is %q; want a time such as 2026-11-22T18:00:00Z", f.until)}
		}
	}
	if f.since <= 0 || f.grace < time.Second {
		return since, until, usageError{errors.New("--since must be above 0, and --grace at least 1s")}
	}
	if f.chains != chainsPeriod && f.chains != chainsAll {
		return since, until, usageError{fmt.Errorf("--chains is %q; want %s or %s", f.chains, chainsPeriod, chainsAll)}
	}
	return until.Add(-f.since), until, nil
}

func (f proveFlags) prove(ctx context.Context) (*prove.Report, error) {
	since, until, err := f.period()
	if err != nil {
		return nil, err
	}
	env := environ(envFile(f.dataDir))
	cfg, err := parse[proveConfig](env)
	if err != nil {
		return nil, err
	}
	if f.ask {
		if err := cfg.canAsk(); err != nil {
			return nil, err
		}
	}
	address := temporalBeside(env)
	c, err := dial(ctx, zap.NewNop(), cfg.PayloadConfig, address, newRegistry())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	keys, err := cluster.ParseKeys(cfg.PayloadKeys)
	if err != nil {
		return nil, usageError{fmt.Errorf("KEYHOLDER_PAYLOAD_KEYS: %w", err)}
	}
	payloads, _ := keys.Converters()
	namespace, err := cluster.Namespace(cluster.Options{Address: address, Plain: address != ""})
	if err != nil {
		return nil, usageError{err}
	}
	return fromStore(ctx, cfg.StoreURL, func(s store.Store, clock durable.Clock) (*prove.Report, error) {
		what := prove.Config{
			Store: s, Temporal: prove.NewCluster(c, namespace, payloads), Since: since, Until: until, Grace: f.grace,
			AllChains: f.chains == chainsAll,
		}
		if f.ask {
			if what.Partners, err = cfg.partners(s, clock); err != nil {
				return nil, err
			}
		}
		return prove.Run(ctx, what)
	})
}

// canAsk tells whether the partners can be asked.
func (c proveConfig) canAsk() error {
	if c.RentVineURL == "" || c.RentVineAccessKey == "" || c.RentVineAPISecret == "" || c.LinkKey == "" {
		return usageError{errors.New("to compare the partners' records, set KEYHOLDER_RENTVINE_URL, KEYHOLDER_RENTVINE_ACCESS_KEY, KEYHOLDER_RENTVINE_API_SECRET and KEYHOLDER_LINK_KEY; or leave them out with --partners=false")}
	}
	return nil
}

// mostDiffering bounds how many differing records are listed.
const mostDiffering = 1000

// partners compares RentVine's records with what is known of them.
func (c proveConfig) partners(s store.Store, clock durable.Clock) (prove.Partners, error) {
	keys, err := linkKeys(c.LinkKey, c.LinkSigningKeys)
	if err != nil {
		return nil, err
	}
	rules, err := policy.Open(c.Policy, func(error) {}) // the last good one stays
	if err != nil {
		return nil, usageError{err}
	}
	acts := activities.New(activities.Config{
		RentVine: rentvine.New(rentvine.Config{BaseURL: c.RentVineURL, AccessKey: c.RentVineAccessKey, Secret: c.RentVineAPISecret}),
		Policy:   rules, Store: s, Keys: keys, Clock: clock, Log: zap.NewNop(),
	})
	return func(ctx context.Context) (int, []prove.Finding, error) {
		found, err := acts.Differences(ctx, true, mostDiffering)
		return found.Seen, differing(found), err
	}, nil
}

// differing says what a comparison with a partner has found.
func differing(c activities.Compared) []prove.Finding {
	var list []prove.Finding
	for _, d := range c.Differences {
		f := prove.Finding{
			Entity: d.Record, Key: strings.Join(d.Fields, " "), What: "RentVine holds another value: its workflow would be told " + d.Event,
			Advice: "tell it with keyholder sync now --full",
		}
		if len(d.Fields) == 0 {
			f.What = "nothing is known of it: its workflow would be told " + d.Event
		}
		list = append(list, f)
	}
	for _, k := range c.Failed {
		list = append(list, prove.Finding{
			Entity: k.Kind, What: "RentVine does not show these records (" + k.Why + ")",
			Advice: "see that the access key of KEYHOLDER_RENTVINE_ACCESS_KEY may read them",
		})
	}
	if c.Left {
		list = append(list, prove.Finding{
			Entity: "rentvine", What: fmt.Sprintf("more than %d records differ; the rest was not looked at", mostDiffering),
			Advice: "tell them with keyholder sync now --full, until nothing is left",
		})
	}
	return list
}
