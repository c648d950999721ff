package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

// defaultData is where "keyholder dev" keeps its data.
const defaultData = ".data"

// devAPIKey opens the /v1 API in development: known to everybody, worth nothing.
const devAPIKey = "dev-api-key-for-this-machine"

// envFile is where a running "keyholder dev" writes its settings for the commands
// beside it.
func envFile(dataDir string) string { return filepath.Join(dataDir, "dev.env") }

type devFlags struct {
	temporalPort, uiPort, ingressPort, sandboxPort, smtpPort, metricsPort int
	dataDir, policy                                                       string
	ephemeral                                                             bool
	day                                                                   time.Duration
	without                                                               []string
}

func devCommand() *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, without any account",
		Long: `Starts Temporal, the sandbox of the partners, a worker and the ingress, and
prints where to look and what to paste. Data is kept in .data between runs.
Ctrl-C stops everything in order.`,
		Example: `  keyholder dev
  keyholder dev --day 10m          a day lasts ten minutes
  keyholder dev --without worker   and run "keyholder worker" from your debugger`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDev(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.temporalPort, "temporal-port", devTemporalPort, "Temporal's gRPC port")
	flags.IntVar(&f.uiPort, "ui-port", devUIPort, "port of Temporal's Web UI")
	flags.IntVar(&f.ingressPort, "ingress-port", devIngressPort, "port of the ingress")
	flags.IntVar(&f.sandboxPort, "sandbox-port", devSandboxPort, "port of the sandbox and its page")
	flags.IntVar(&f.smtpPort, "smtp-port", devSMTPPort, "port of the sandbox's mail server")
	flags.IntVar(&f.metricsPort, "metrics-port", devMetricsPort, "port of the metrics")
	flags.StringVar(&f.dataDir, "data", defaultData, "folder of the data")
	flags.StringVar(&f.policy, "policy", "", "policy file (default the built-in one)")
	flags.BoolVar(&f.ephemeral, "ephemeral", false, "keep nothing after the end; what the data folder holds stays as it is")
	flags.DurationVar(&f.day, "day", 24*time.Hour, "how long a business day lasts")
	flags.StringSliceVar(&f.without, "without", nil, "parts to leave out: worker, ingress")
	return cmd
}

// dev is the running system.
type dev struct {
	flags devFlags
	env   map[string]string
	log   *zap.Logger
	// storeDir holds the store: the data folder, or one that goes with the end.
	storeDir string
	// stops end the parts that run, last started first.
	stops  []func() error
	failed chan error
}

func runDev(ctx context.Context, f devFlags) (err error) {
	d := &dev{flags: f, failed: make(chan error, 8)}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	if err := d.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	d.summary()
	select {
	case <-ctx.Done():
		out("\nstopping")
		return nil
	case err := <-d.failed:
		return err
	}
}

// prepare checks what can be checked before anything runs.
func (d *dev) prepare(ctx context.Context) error {
	f := d.flags
	if f.day <= 0 || f.day > 24*time.Hour {
		return usageError{errors.New("--day must be above 0 and at most 24h")}
	}
	for _, part := range f.without {
		if part != "worker" && part != "ingress" {
			return usageError{fmt.Errorf("--without %s: only worker and ingress can be left out", part)}
		}
	}
	for _, p := range []struct {
		port      int
		use, flag string
	}{
		{f.temporalPort, "Temporal", "--temporal-port"}, {f.uiPort, "Temporal's Web UI", "--ui-port"},
		{f.sandboxPort, "the sandbox", "--sandbox-port"}, {f.smtpPort, "the sandbox's mail server", "--smtp-port"},
		{f.ingressPort, "the ingress", "--ingress-port"}, {f.metricsPort, "metrics", "--metrics-port"},
	} {
		if err := cluster.ProbePort(ctx, p.use, p.port); err != nil {
			return usageError{fmt.Errorf("%w; choose another with %s", err, p.flag)}
		}
	}
	if err := os.MkdirAll(f.dataDir, 0o700); err != nil {
		return usageError{fmt.Errorf("--data: %w", err)}
	}
	d.storeDir = f.dataDir
	if f.ephemeral {
		dir, err := os.MkdirTemp("", "keyholder-dev-")
		if err != nil {
			return err
		}
		d.storeDir = dir
		d.onStop(func() error { return os.RemoveAll(dir) })
	}
	var err error
	if d.env, err = withFiles[devConfig](environ("")); err != nil {
		return err
	}
	for name, value := range d.defaults() {
		if d.env[name] == "" {
			d.env[name] = value
		}
	}
	// What the flags say, and where the parts find each other, is not for the
	// environment to change: it may be about another cluster.
	maps.Copy(d.env, d.fixed())
	cfg, err := parse[LogConfig](d.env)
	if err != nil {
		return err
	}
	d.log, err = cfg.logger()
	return err
}

// defaults are harmless settings for everything that a part asks for.
func (d *dev) defaults() map[string]string {
	f := d.flags
	sandboxURL := fmt.Sprintf("http://%s:%d", loopbackHost, f.sandboxPort)
	storeURL := "sqlite:" + filepath.Join(d.storeDir, "keyholder.db")
	return map[string]string{
		"KEYHOLDER_LOG_LEVEL": "warn", "KEYHOLDER_LOG_FORMAT": "console",
		"KEYHOLDER_BLOB_URL":  "file:" + (&url.URL{Path: filepath.ToSlash(filepath.Join(d.storeDir, "blobs"))}).EscapedPath(),
		"KEYHOLDER_STORE_URL": storeURL, "KEYHOLDER_LINK_KEY": devLinkKey,
		"KEYHOLDER_PUBLIC_URL":          fmt.Sprintf("http://%s:%d", loopbackHost, f.ingressPort),
		"KEYHOLDER_MAIL_WEBHOOK_SECRET": devMailWebhook, "KEYHOLDER_LEADS_ADDRESS": leadsAddressInDev,
		"KEYHOLDER_RENTVINE_WEBHOOK_SECRET": devRentVineWebhook, "KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET": devOpenMooveWebhook,
		"KEYHOLDER_API_KEY":             devAPIKey,
		"KEYHOLDER_RENTVINE_URL":        sandboxURL + sandboxRentVinePath,
		"KEYHOLDER_RENTVINE_ACCESS_KEY": devRentVineKey, "KEYHOLDER_RENTVINE_API_SECRET": devRentVineSecret,
		"KEYHOLDER_OPENMOOVE_URL": sandboxURL + sandboxOpenMoovePath, "KEYHOLDER_OPENMOOVE_API_KEY": devOpenMooveKey,
		"KEYHOLDER_TWILIO_URL": sandboxURL + sandboxTwilioPath, "KEYHOLDER_TWILIO_ACCOUNT_SID": devTwilioAccount,
		"KEYHOLDER_TWILIO_AUTH_TOKEN": devTwilioToken, "KEYHOLDER_TWILIO_FROM": devTwilioNumber,
		"KEYHOLDER_QUICKBOOKS_URL": sandboxURL + sandboxQuickBooksPath, "KEYHOLDER_QUICKBOOKS_TOKEN_URL": sandboxURL + sandboxQuickBooksToken,
		"KEYHOLDER_QUICKBOOKS_CLIENT_ID": devQuickBooksID, "KEYHOLDER_QUICKBOOKS_CLIENT_SECRET": devQuickBooksSecret,
		"KEYHOLDER_QUICKBOOKS_REALM": devQuickBooksRealm, "KEYHOLDER_QUICKBOOKS_REFRESH_TOKEN": devQuickBooksRefresh,
		"KEYHOLDER_TOKEN_KEY": devTokenKey, "KEYHOLDER_INVENTORY": sandboxURL + sandboxInventoryPath,
		"KEYHOLDER_SMTP_HOST": loopbackHost, "KEYHOLDER_SMTP_PORT": strconv.Itoa(f.smtpPort), "KEYHOLDER_SMTP_TLS": "none",
		"KEYHOLDER_MAIL_FROM": mailFromInDev, "KEYHOLDER_OUTBOUND": outboundInDev, "KEYHOLDER_POLICY": policy.BuiltIn,
		"KEYHOLDER_SUBSCRIBERS":       "sandbox " + sandboxURL + "/subscriber/sandbox " + devSubscriberSecret,
		"KEYHOLDER_SUBSCRIBERS_ALLOW": "127.0.0.0/8,::1/128",
	}
}

// fixed are the settings that the flags decide.
func (d *dev) fixed() map[string]string {
	f := d.flags
	settings := map[string]string{
		"KEYHOLDER_INGRESS_ADDR":    fmt.Sprintf("%s:%d", loopbackHost, f.ingressPort),
		"KEYHOLDER_METRICS_ADDR":    fmt.Sprintf("%s:%d", loopbackHost, f.metricsPort),
		"KEYHOLDER_TEMPORAL_UI_URL": fmt.Sprintf("http://localhost:%d", f.uiPort),
		"TEMPORAL_ADDRESS":          fmt.Sprintf("%s:%d", loopbackHost, f.temporalPort),
		"TEMPORAL_NAMESPACE":        "default", "TEMPORAL_PROFILE": "", "TEMPORAL_API_KEY": "",
	}
	if f.policy != "" {
		settings["KEYHOLDER_POLICY"] = f.policy
	}
	return settings
}

// start brings the parts up in order; each prints a line when it is ready.
func (d *dev) start(ctx context.Context) error {
	began := time.Now()
	if err := d.startTemporal(ctx); err != nil {
		return err
	}
	clock, err := settleClock(ctx, d.env["KEYHOLDER_STORE_URL"], d.flags.day)
	if err != nil {
		return err
	}
	if err := d.startSandbox(ctx, clock); err != nil {
		return err
	}
	b, err := d.openShared(ctx)
	if err != nil {
		return err
	}
	if err := d.writeEnv(); err != nil {
		return err
	}
	if err := d.startWorker(b); err != nil {
		return err
	}
	if err := d.startIngress(ctx, b); err != nil {
		return err
	}
	if err := d.applySchedules(ctx, b); err != nil {
		return err
	}
	out("up in %s", time.Since(began).Round(100*time.Millisecond))
	return nil
}

func (d *dev) startTemporal(ctx context.Context) error {
	opts := cluster.DevServerOptions{
		Port: d.flags.temporalPort, UIPort: d.flags.uiPort, LogFile: filepath.Join(d.flags.dataDir, "temporal.log"),
	}
	if !d.flags.ephemeral {
		opts.DBFile = filepath.Join(d.flags.dataDir, "temporal.db")
	}
	server, err := cluster.StartDevServer(ctx, opts)
	if err != nil {
		return err
	}
	d.onStop(func() error {
		stopping, cancel := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancel()
		return server.Stop(stopping)
	})
	go func() {
		<-server.Done()
		d.fail(errors.New("the Temporal server has ended; its log is " + opts.LogFile))
	}()
	c, err := dial(ctx, d.log, PayloadConfig{PayloadKeys: d.env["KEYHOLDER_PAYLOAD_KEYS"]}, server.Address(), newRegistry())
	if err != nil {
		return err
	}
	defer c.Close()
	report, err := cluster.Setup(ctx, c, cluster.SetupOptions{Namespace: server.Namespace()})
	if err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("setting Temporal up failed: %v", report.Findings)
	}
	out("ready  temporal  %s", server.Address())
	return nil
}

func (d *dev) applySchedules(ctx context.Context, b *base) error {
	rules, err := policy.Load(d.env["KEYHOLDER_POLICY"])
	if err != nil {
		return usageError{err}
	}
	wanted, unwanted := workflows.Schedules(rules.Sales(), rules.Leasing("", ""), rules.Finance(), rules.Portfolio("", ""), rules.Sync(), b.clock)
	_, err = cluster.ApplySchedules(ctx, b.temporal, wanted, unwanted)
	return err
}

func (d *dev) startSandbox(ctx context.Context, clock durable.Clock) error {
	cfg, err := parse[sandboxEnv](d.env)
	if err != nil {
		return err
	}
	stateFile := ""
	if !d.flags.ephemeral {
		stateFile = filepath.Join(d.flags.dataDir, "sandbox.json")
	}
	s, err := newSandbox(cfg, sandboxAddress{loopbackHost, d.flags.sandboxPort, d.flags.smtpPort}, fmt.Sprintf("http://%s:%d", loopbackHost, d.flags.ingressPort), stateFile, clock, d.log)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	d.onStop(func() error { return closeSandbox(s) })
	out("ready  sandbox   http://%s", s.HTTPAddr())
	return nil
}

// openShared connects worker and ingress to Temporal and the store.
func (d *dev) openShared(ctx context.Context) (*base, error) {
	cfg, err := parse[workerConfig](d.env)
	if err != nil {
		return nil, err
	}
	traces, err := startTracing(ctx, d.log, "keyholder-dev", cfg.BuildID)
	if err != nil {
		return nil, err
	}
	d.onStop(func() error { traces.stop(); return nil })
	b, err := openBase(ctx, d.log, traces.tracer, cfg.PayloadConfig, cfg.StoreURL, cfg.BlobURL, cfg.LinkKey, d.env["TEMPORAL_ADDRESS"], cfg.LinkSigningKeys...)
	if err != nil {
		return nil, err
	}
	d.onStop(func() error { b.close(); return nil })
	return b, nil
}

// settleClock stores the clock of new data, and refuses another one for data that
// has a clock, because running workflows have recorded theirs.
func settleClock(ctx context.Context, storeURL string, day time.Duration) (clock durable.Clock, err error) {
	s, err := store.Open(ctx, storeURL)
	if err != nil {
		return clock, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	text, err := s.Setting(ctx, clockSetting)
	if err != nil {
		return clock, err
	}
	wanted := durable.Clock{}
	if day != 24*time.Hour {
		wanted = durable.DayClock(time.Now(), day)
	}
	if text == "" {
		encoded, err := json.Marshal(wanted)
		if err != nil {
			return clock, err
		}
		return wanted, s.SetSetting(ctx, clockSetting, string(encoded))
	}
	have, err := storedClock(ctx, s)
	if err != nil {
		return clock, err
	}
	if have.IsReal() != wanted.IsReal() || (!have.IsReal() && have.Scale != wanted.Scale) {
		return clock, usageError{fmt.Errorf("this data runs at %s a day, not %s: give --day %s, or start afresh with --data FOLDER or --ephemeral",
			have.Real(24*time.Hour), day, have.Real(24*time.Hour))}
	}
	if now := have.Now(); !have.IsReal() && now.Sub(have.Epoch) > oldestClock {
		return clock, usageError{fmt.Errorf("this data has lived through %d years of its business time: start afresh with another --data FOLDER or --ephemeral", now.Year()-have.Epoch.Year())}
	}
	return have, nil
}

// oldestClock is how far a virtual clock may run; beyond some 290 years durations
// overflow.
const oldestClock = 200 * 365 * 24 * time.Hour

// writeEnv leaves the settings for "keyholder send", "keyholder worker" and others
// run beside this one.
func (d *dev) writeEnv() error {
	var b strings.Builder
	b.WriteString("# Written by \"keyholder dev\". To run a part by hand: set -a; . " + envFile(d.flags.dataDir) + "; set +a\n")
	names := make([]string, 0, len(d.env))
	for name := range d.env {
		if strings.HasPrefix(name, "KEYHOLDER_") || name == "TEMPORAL_ADDRESS" || name == "TEMPORAL_NAMESPACE" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if value := d.env[name]; value != "" {
			fmt.Fprintf(&b, "%s=%s\n", name, quoted(value))
		}
	}
	path := envFile(d.flags.dataDir)
	d.onStop(func() error { return os.Remove(path) })
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// quoted makes a value safe for a shell to read.
func quoted(value string) string {
	if strings.ContainsAny(value, " \t<>$&|;'\"\\`()*?#~") {
		return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return value
}

func (d *dev) startWorker(b *base) error {
	if slices.Contains(d.flags.without, "worker") {
		return nil
	}
	cfg, err := parse[workerConfig](d.env)
	if err != nil {
		return err
	}
	w, err := b.newWorker(cfg, nil, d.fail)
	if err != nil {
		return err
	}
	if err := w.Start(); err != nil {
		return err
	}
	d.onStop(func() error { w.Stop(); return nil })
	out("ready  worker    outbound %s", cfg.Outbound)
	return nil
}

func (d *dev) startIngress(ctx context.Context, b *base) error {
	if slices.Contains(d.flags.without, "ingress") {
		return nil
	}
	cfg, err := parse[ingressConfig](d.env)
	if err != nil {
		return err
	}
	server, err := b.newIngress(cfg)
	if err != nil {
		return usageError{err}
	}
	metrics, err := serveMetrics(ctx, cfg.MetricsAddress, server.MetricsHandler())
	if err != nil {
		return err
	}
	d.onStop(metrics.stop)
	if err := server.Start(ctx); err != nil {
		return err
	}
	d.onStop(func() error { return shutdown(server) })
	go func() { d.fail(<-server.Failed()) }()
	out("ready  ingress   http://%s", server.Addr())
	return nil
}

func (d *dev) fail(err error) {
	if err == nil {
		return
	}
	select {
	case d.failed <- err:
	default:
	}
}

func (d *dev) onStop(f func() error) { d.stops = append(d.stops, f) }

// stop ends the parts, last started first: the ingress finishes what it accepted
// before the worker stops, and Temporal goes last.
func (d *dev) stop() error {
	var errs []error
	for _, stop := range slices.Backward(d.stops) {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}

func (d *dev) summary() {
	f := d.flags
	command := "keyholder"
	if self := os.Args[0]; strings.Contains(self, "/") {
		command = self
	}
	paste := command + " send rentvine work_order.created --set data.priority=emergency"
	if f.dataDir != defaultData {
		paste += " --data " + f.dataDir
	}
	out(`
  Temporal Web UI   http://localhost:%d
  phones and mail   http://localhost:%d
  ingress           http://localhost:%d
  metrics           http://localhost:%d/metrics

Send an emergency, then answer it on the phones' page:

  %s
`, f.uiPort, f.sandboxPort, f.ingressPort, f.metricsPort, paste)
	if f.day != 24*time.Hour {
		out("A business day lasts %s.\n", f.day)
	}
}
