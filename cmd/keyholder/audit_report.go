package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities/auditreport"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

func auditReportCommand(dataDir *string) *cobra.Command {
	var month, portfolio, format, out, zone string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Report from the audit how a month went",
		Long: `Reports a month from the audit: events that came, how fast they were acted on, questions
and how fast people answered, who or what decided, messages, writes, conflicts and
commands, and entities whose chain does not hold. With --portfolio, entities count that
are known to be a portfolio's: its properties, units, leases, work orders and money.
Months are real time, in --zone.`,
		Example: `  keyholder audit report --month 2026-11
  keyholder audit report --month 2026-11 --portfolio 1 --format csv --out november.csv`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := map[string]func(auditreport.Report, io.Writer) error{
				"text": auditreport.Report.Text, "csv": auditreport.Report.CSV, "json": auditreport.Report.JSON,
			}[format]
			if !ok {
				return usageError{errors.New("--format must be text, csv or json")}
			}
			if portfolio != "" {
				if err := checkPortfolio(portfolio); err != nil {
					return err
				}
			}
			cfg, err := parse[auditCaseConfig](environ(envFile(*dataDir)))
			if err != nil {
				return err
			}
			rules, err := policy.Load(cfg.Policy)
			if err != nil {
				return usageError{err}
			}
			where, err := auditZone(zone, rules.For(portfolio, "").TimeZone)
			if err != nil {
				return err
			}
			from, err := time.ParseInLocation("2006-01", month, where)
			if err != nil {
				return usageError{errors.New("--month must be a month such as 2026-11")}
			}
			report, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, _ durable.Clock) (auditreport.Report, error) {
				return auditMonth(cmd.Context(), s, from, portfolio)
			})
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := write(report, &b); err != nil {
				return err
			}
			return auditWrite(cmd, out, b.Bytes())
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month, YYYY-MM")
	cmd.Flags().StringVar(&portfolio, "portfolio", "", "only this portfolio's, by its id at RentVine")
	cmd.Flags().StringVar(&format, "format", "text", "text, csv or json")
	cmd.Flags().StringVar(&out, "out", "", "the file to write (default: print)")
	cmd.Flags().StringVar(&zone, "zone", "", "time zone, such as America/Chicago (default: the policy's)")
	return cmd
}

// auditMonth reads a month of the audit, and verifies the chains that it touches.
func auditMonth(ctx context.Context, s store.Store, from time.Time, portfolio string) (auditreport.Report, error) {
	to := from.AddDate(0, 1, 0)
	report := auditreport.New(from, to, portfolio)
	var of auditPortfolio
	if portfolio != "" {
		var err error
		if of, err = readAuditPortfolio(ctx, s, portfolio); err != nil {
			return auditreport.Report{}, err
		}
	}
	entity, verified, counts := "", "", false
	var failed error
	err := auditEach(ctx, s, store.AuditFilter{From: from.Add(-auditreport.Lookback), To: to}, func(e store.AuditEntry) bool {
		if e.Entity != entity {
			entity, counts = e.Entity, portfolio == "" || of.has(e.Entity)
		}
		if !counts {
			return true
		}
		report.Add(e)
		if e.At.Before(from) || verified == entity {
			return true
		}
		verified = entity
		var faults []store.AuditFault
		if faults, failed = s.VerifyAudit(ctx, entity); len(faults) > 0 {
			report.Broken(entity)
		}
		return failed == nil
	})
	return report.Report(), errors.Join(err, failed)
}
