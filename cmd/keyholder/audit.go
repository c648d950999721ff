package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/activities/casefile"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// auditPage is how many entries or heads are read at once, and auditMost how many entries
	// a case file has at most.
	auditPage = 1000
	auditMost = 50_000
	// auditLinked is how many linked entities a case file has at most, auditLooked how many
	// links are looked at for them, and auditNear how many entities are proposed in place of
	// an unknown one.
	auditLinked = 50
	auditLooked = 500
	auditNear   = 10
	// auditNameMost is how much of an unknown name is compared.
	auditNameMost = 200
)

type (
	auditStoreConfig struct {
		StoreConfig
	}
	auditCaseConfig struct {
		StoreConfig
		PolicyConfig
	}
)

func auditCommand() *cobra.Command {
	var dataDir string
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit ENTITY",
		Short: "Show the record of what happened, prove that it is whole, report from it",
		Long: `Shows what happened to an entity, such as a work order: events that came, who or what
decided, messages that left, answers, and what was written at partners. An entity is the
id of its workflow; "keyholder audit list" has all. Times are real time. Personal details
are shown with --details alone.`,
		Example: `  keyholder audit work-order/4711
  keyholder audit lease/21 --linked --since 30d --format csv --out lease-21.csv
  keyholder audit work-order/4711 --format pdf --out case.pdf
  keyholder audit verify --all`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return o.run(cmd, dataDir, given[0])
		},
	}
	cmd.PersistentFlags().StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	cmd.Flags().BoolVar(&o.linked, "linked", false, fmt.Sprintf("also what happened to the entities that it links to, at most %d", auditLinked))
	cmd.Flags().BoolVar(&o.details, "details", false, "show personal details")
	cmd.Flags().StringVar(&o.since, "since", "", "only what happened since: a day, a time (RFC 3339), or how long ago, such as 36h or 30d")
	cmd.Flags().StringVar(&o.until, "until", "", "only what happened until then: a day is included")
	cmd.Flags().StringVar(&o.format, "format", "text", "text, csv, json or pdf")
	cmd.Flags().StringVar(&o.out, "out", "", "the file to write (default: print)")
	cmd.Flags().StringVar(&o.zone, "zone", "", "time zone, such as America/Chicago (default: the policy's)")
	cmd.AddCommand(auditListCommand(&dataDir), auditVerifyCommand(&dataDir), auditEraseCommand(&dataDir), auditReportCommand(&dataDir))
	return cmd
}

// auditOptions are the flags of a case file.
type auditOptions struct {
	linked, details                 bool
	since, until, format, out, zone string
}

func (o auditOptions) run(cmd *cobra.Command, dataDir, entity string) error {
	if !slices.Contains([]string{"text", "csv", "json", "pdf"}, o.format) {
		return usageError{errors.New("--format must be text, csv, json or pdf")}
	}
	if o.format == "pdf" && o.out == "" {
		return usageError{errors.New("--out must name the file to write, such as case.pdf")}
	}
	cfg, err := parse[auditCaseConfig](environ(envFile(dataDir)))
	if err != nil {
		return err
	}
	rules, err := policy.Load(cfg.Policy)
	if err != nil {
		return usageError{err}
	}
	settings := rules.For("", "")
	zone, err := auditZone(o.zone, settings.TimeZone)
	if err != nil {
		return err
	}
	now := time.Now()
	filter, err := auditSpan(o.since, o.until, zone, now)
	if err != nil {
		return err
	}
	found, err := fromStore(cmd.Context(), cfg.StoreURL, func(s store.Store, _ durable.Clock) (casefile.Case, error) {
		return auditCase(cmd.Context(), s, entity, filter, o.linked)
	})
	if err != nil {
		return err
	}
	found.Company, found.Details, found.Zone, found.Written = settings.Company, o.details, zone, now
	if found.Cut {
		fmt.Fprintf(cmd.ErrOrStderr(), "there are more than %d entries; narrow them with --since and --until\n", auditMost)
	}
	return o.write(cmd, found)
}

func (o auditOptions) write(cmd *cobra.Command, found casefile.Case) error {
	var b bytes.Buffer
	var err error
	switch o.format {
	case "csv":
		err = found.CSV(&b)
	case "json":
		err = found.JSON(&b)
	case "pdf":
		var file []byte
		file, err = found.PDF()
		b.Write(file)
	default:
		err = found.Text(&b)
	}
	if err != nil {
		return err
	}
	return auditWrite(cmd, o.out, b.Bytes())
}

// auditWrite writes a file, or prints where it has no name.
func auditWrite(cmd *cobra.Command, file string, content []byte) error {
	if file == "" {
		_, err := cmd.OutOrStdout().Write(content)
		return err
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", file, len(content))
	return err
}

// auditZone is the zone that was asked for, else the policy's, else UTC.
func auditZone(asked, usual string) (*time.Location, error) {
	if asked == "" {
		if zone, err := time.LoadLocation(usual); err == nil {
			return zone, nil
		}
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(asked)
	if err != nil {
		return nil, usageError{fmt.Errorf("--zone %q is no time zone; write it like America/Chicago", asked)}
	}
	return zone, nil
}

// auditSpan is the time between two flags; "" does not bound.
func auditSpan(since, until string, zone *time.Location, now time.Time) (f store.AuditFilter, err error) {
	if since != "" {
		if f.From, err = auditMoment("--since", since, zone, now, 0); err != nil {
			return f, err
		}
	}
	if until != "" {
		if f.To, err = auditMoment("--until", until, zone, now, 1); err != nil {
			return f, err
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return f, usageError{errors.New("--since must be before --until")}
	}
	return f, nil
}

// auditMoment reads a moment: a day, to which days are added, a time, or how long ago.
func auditMoment(flag, text string, zone *time.Location, now time.Time, days int) (time.Time, error) {
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t.AddDate(0, 0, days), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	const daysMost = 36_500
	if count, isDays := strings.CutSuffix(text, "d"); isDays {
		if n, err := strconv.Atoi(count); err == nil && n > 0 && n <= daysMost {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, usageError{fmt.Errorf("%s must be a day such as 2026-11-20, a time such as 2026-11-20T15:04:05Z, or how long ago, such as 36h or 30d", flag)}
}

// auditCase is what the store has of an entity, and of those that it links to.
func auditCase(ctx context.Context, s store.Audit, entity string, f store.AuditFilter, linked bool) (casefile.Case, error) {
	out := casefile.Case{Entity: entity}
	head, err := auditHead(ctx, s, entity)
	if err != nil {
		return out, err
	}
	if head.Seq == 0 {
		return out, auditUnknown(ctx, s, entity)
	}
	for heads := []store.AuditHead{head}; len(heads) > 0; heads = heads[1:] {
		head := heads[0]
		faults, err := s.VerifyAudit(ctx, head.Entity)
		if err != nil {
			return out, err
		}
		out.Chains = append(out.Chains, casefile.Chain{Head: head, Faults: faults})
		f.Entity, f.AfterEntity, f.AfterSeq = head.Entity, "", 0
		err = auditEach(ctx, s, f, func(e store.AuditEntry) bool {
			if len(out.Entries) == auditMost {
				out.Cut = true
				return false
			}
			out.Entries = append(out.Entries, e)
			return true
		})
		if err != nil {
			return out, err
		}
		if linked && len(out.Chains) == 1 {
			more, err := auditLinks(ctx, s, entity, out.Entries)
			if err != nil {
				return out, err
			}
			heads = append(heads, more...)
		}
	}
	return out, nil
}

// auditEach gives entries one after another until use is false.
func auditEach(ctx context.Context, s store.Audit, f store.AuditFilter, use func(store.AuditEntry) bool) error {
	f.Most = auditPage
	for {
		page, err := s.AuditEntries(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range page {
			if !use(e) {
				return nil
			}
		}
		if len(page) < auditPage {
			return nil
		}
		last := page[len(page)-1]
		f.AfterEntity, f.AfterSeq = last.Entity, last.Seq
	}
}

// auditHead is the end of an entity's chain, of length 0 where there is none.
func auditHead(ctx context.Context, s store.Audit, entity string) (store.AuditHead, error) {
	// What begins with the name sorts after it.
	heads, err := s.AuditEntities(ctx, entity, "", 1)
	if err == nil && len(heads) == 1 && heads[0].Entity == entity {
		return heads[0], nil
	}
	if err != nil {
		return store.AuditHead{}, err
	}
	// Its head may have been removed.
	entries, err := s.AuditEntries(ctx, store.AuditFilter{Entity: entity, Most: 1})
	if err != nil || len(entries) == 0 {
		return store.AuditHead{}, err
	}
	return store.AuditHead{Entity: entity, Seq: entries[0].Seq, Hash: entries[0].Hash}, nil
}

// auditLinks are the entities that entries link to, in the order of the links.
func auditLinks(ctx context.Context, s store.Audit, entity string, entries []store.AuditEntry) ([]store.AuditHead, error) {
	var heads []store.AuditHead
	seen := map[string]bool{entity: true, "": true}
	for _, e := range entries {
		for _, link := range e.Links {
			kind, _, _ := strings.Cut(link, "/")
			if seen[link] || slices.Contains(auditNoEntities(), kind) {
				continue
			}
			seen[link] = true
			head, err := auditHead(ctx, s, link)
			if err != nil {
				return nil, err
			}
			if head.Seq > 0 {
				heads = append(heads, head)
			}
			if len(heads) == auditLinked || len(seen) > auditLooked {
				return heads, nil
			}
		}
	}
	return heads, nil
}

// auditNoEntities are what links begin with that name something else than an entity.
func auditNoEntities() []string {
	return []string{"event", "took", "note", "answer", "effect", "write", "ended", "erased", "held", "question", "rule"}
}

// auditUnknown says that there is no such entity, and names some that are called alike.
func auditUnknown(ctx context.Context, s store.Audit, entity string) error {
	for n := min(len(entity), auditNameMost); n > 0; n-- {
		if !utf8.ValidString(entity[:n]) {
			continue
		}
		heads, err := s.AuditEntities(ctx, entity[:n], "", auditNear)
		if err != nil {
			return err
		}
		if len(heads) == 0 {
			continue
		}
		near := make([]string, 0, len(heads))
		for _, h := range heads {
			near = append(near, h.Entity)
		}
		return fmt.Errorf("the audit has nothing of %s; it has %s", entity, strings.Join(near, ", "))
	}
	return fmt.Errorf("the audit has nothing of %s; \"keyholder audit list\" shows what it has", entity)
}
