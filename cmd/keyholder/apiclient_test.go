package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/ingress"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
)

// goOn ends the waiting of the workflows below.
var goOn = durable.Signal[string]{Name: "go_on"}

// createAsTold stands behind the door in place of the real sales.create.
func createAsTold(ctx workflow.Context, in sales.CreateInput) (sales.CreateResult, error) {
	now := sales.CreateDescription{State: sales.CreateQueued}
	if err := sales.DescribeCreate.Handle(ctx, func() (sales.CreateDescription, error) { return now, nil }); err != nil {
		return sales.CreateResult{}, err
	}
	switch in.Sale.FirstName {
	case "Slow":
		if err := workflow.Await(ctx, func() bool { return goOn.Pending(ctx) }); err != nil {
			return sales.CreateResult{}, err
		}
		goOn.Drain(ctx)
	case "Invalid":
		now.State, now.Problem = sales.CreateRefused, "OpenMoove refuses the phone number"
		return sales.CreateResult{}, temporal.NewNonRetryableApplicationError(now.Problem, "invalid", nil,
			[]activities.FieldProblem{{Path: "phone_number", Message: "Invalid phone number format"}})
	}
	now.State = sales.CreateDone
	now.CreateResult = sales.CreateResult{
		PropertyID: "123", TransactionID: "u-123", MissingMilestones: []string{"Completion"},
		Team: []activities.Assigned{{Role: "estate_agent", Email: "agent@agency.example", Reason: "area SW1A"}},
	}
	return now.CreateResult, nil
}

// importing stands in place of sales.import: it waits to be told, then finishes the
// rows in the real store.
type importing struct{ store store.Store }

func (i importing) run(ctx workflow.Context, in sales.ImportInput) (sales.ImportProgress, error) {
	now := sales.ImportDescription{State: sales.ImportRunning, DoneBy: workflow.Now(ctx).Add(time.Hour)}
	if err := sales.DescribeImport.Handle(ctx, func() (sales.ImportDescription, error) { return now, nil }); err != nil {
		return sales.ImportProgress{}, err
	}
	for _, c := range []struct {
		command durable.Update[sales.ImportCommand, sales.ImportDescription]
		to      sales.ImportStage
	}{{sales.PauseImport, sales.ImportPaused}, {sales.ResumeImport, sales.ImportRunning}, {sales.CancelImport, sales.ImportCancelled}} {
		err := c.command.Handle(ctx, func(workflow.Context, sales.ImportCommand) error {
			if now.State == c.to {
				return fmt.Errorf("the import is %s already", now.State)
			}
			return nil
		}, func(_ workflow.Context, in sales.ImportCommand) (sales.ImportDescription, error) {
			now.State, now.Note = c.to, in.By+": "+in.Why
			return now, nil
		})
		if err != nil {
			return sales.ImportProgress{}, err
		}
	}
	err := workflow.Await(ctx, func() bool {
		return now.State == sales.ImportCancelled || now.State == sales.ImportRunning && goOn.Pending(ctx)
	})
	if err != nil {
		return sales.ImportProgress{}, err
	}
	goOn.Drain(ctx)
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	return sales.ImportProgress{}, workflow.ExecuteActivity(ctx, "finish", in.ImportID, now.State == sales.ImportCancelled).Get(ctx, nil)
}

// finish creates what waits; "Refused" is refused.
func (i importing) finish(ctx context.Context, id string, cancelled bool) error {
	rows, err := i.store.WaitingRows(ctx, id, 0, 10_000)
	if err != nil {
		return err
	}
	for _, row := range rows {
		row.State, row.PropertyID = store.RowCreated, fmt.Sprint(1000+row.Number)
		if strings.Contains(string(row.Payload), "Refused") {
			row.State, row.PropertyID = store.RowRefused, ""
			row.Problems = []store.RowProblem{{Message: "OpenMoove refuses this sale"}}
		}
		if cancelled {
			break
		}
		if err := i.store.FinishRow(ctx, id, row); err != nil {
			return err
		}
	}
	return i.store.FinishImport(ctx, id)
}

// behind is what the commands speak to: the ingress as the binary wires it, a real
// store and a real Temporal.
type behind struct {
	base *base
	addr string
	stop func()
}

const testAPIKey = "the-key-of-these-tests"

// startBehind needs Temporal's binary; without it the test is skipped.
func startBehind(t *testing.T) *base {
	t.Helper()
	if _, err := cluster.FindTemporal(); err != nil {
		t.Skip("needs a Temporal server: ", err)
	}
	server, err := cluster.StartDevServer(t.Context(), cluster.DevServerOptions{})
	require.NoError(t, err)
	// It may have to be killed where the machine is busy.
	t.Cleanup(func() { _ = server.Close() })
	url := "sqlite:" + filepath.Join(t.TempDir(), "keyholder.db")
	b, err := openBase(t.Context(), zap.NewNop(), nil, PayloadConfig{}, url, "mem://", "a link key", server.Address())
	require.NoError(t, err)
	t.Cleanup(b.close)
	w := sdkworker.New(b.temporal, workflows.TaskQueue, sdkworker.Options{})
	stand := importing{b.store}
	w.RegisterWorkflowWithOptions(createAsTold, workflow.RegisterOptions{Name: sales.CreateName})
	w.RegisterWorkflowWithOptions(stand.run, workflow.RegisterOptions{Name: sales.ImportName})
	w.RegisterActivityWithOptions(stand.finish, activity.RegisterOptions{Name: "finish"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return b
}

// openBehind opens an ingress of the test's own, with rates of its own.
func openBehind(t *testing.T, b *base) *behind {
	t.Helper()
	h := &behind{base: b, addr: "127.0.0.1:0"}
	h.open(t)
	t.Cleanup(func() { h.stop() })
	return h
}

// open starts the ingress, at the same address as before.
func (h *behind) open(t *testing.T) {
	t.Helper()
	b := *h.base
	b.registry = newRegistry()
	server, err := b.newIngress(ingressConfig{
		LinkConfig:    LinkConfig{PublicURL: "http://" + h.addr},
		WebhookConfig: WebhookConfig{RentVineSecrets: []string{"secret"}, OpenMooveSecrets: []string{"secret"}, PerSecond: 200},
		APIConfig:     APIConfig{APIKeys: []string{testAPIKey, "an-older-key-of-these-tests"}},
		AddressConfig: AddressConfig{Address: h.addr},
	})
	require.NoError(t, err)
	require.NoError(t, server.Start(context.Background()))
	h.addr = server.Addr()
	h.stop = sync.OnceFunc(func() { _ = shutdown(server) })
}

func TestCommandsOfTheAPI(t *testing.T) {
	t.Parallel()
	b := startBehind(t)
	t.Run("sale", func(t *testing.T) {
		t.Parallel()
		saleCommands(t, openBehind(t, b))
	})
	t.Run("many sales", func(t *testing.T) {
		t.Parallel()
		manySales(t, openBehind(t, b))
	})
	t.Run("import", func(t *testing.T) {
		t.Parallel()
		importCommands(t, openBehind(t, b))
	})
	t.Run("outage", func(t *testing.T) {
		t.Parallel()
		outage(t, openBehind(t, b))
	})
}

// command is one call of the binary in a folder of its own, with the settings of a
// running "keyholder dev" beside it.
type command struct {
	t        *testing.T
	dir      string
	settings map[string]string
	stdin    string
}

func (h *behind) command(t *testing.T) command {
	t.Helper()
	return command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_PUBLIC_URL": "http://" + h.addr, "KEYHOLDER_API_KEY": testAPIKey + ",older"}}
}

// file writes a file and returns its path.
func (c command) file(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	require.NoError(c.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// said is what a command printed.
type said struct {
	out, err safeText
	failed   error
}

// safeText can be read while it is written.
type safeText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (c command) run(args ...string) *said { return c.runUntil(c.t.Context(), nil, args...) }

// runUntil runs a command until it ends or ctx does; s may be nil.
func (c command) runUntil(ctx context.Context, s *said, args ...string) *said {
	if s == nil {
		s = &said{}
	}
	var env strings.Builder
	for name, value := range c.settings {
		env.WriteString(name + "=" + quoted(value) + "\n")
	}
	if err := os.WriteFile(envFile(c.dir), []byte(env.String()), 0o600); err != nil {
		s.failed = err
		return s
	}
	cmd := root()
	cmd.SetArgs(append(args, "--data", c.dir))
	cmd.SetIn(strings.NewReader(c.stdin))
	cmd.SetOut(&s.out)
	cmd.SetErr(&s.err)
	s.failed = cmd.ExecuteContext(ctx)
	return s
}

func (h *behind) letGo(t *testing.T, workflowID string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return goOn.Send(context.Background(), h.base.temporal, workflowID, "") == nil
	}, 30*time.Second, 50*time.Millisecond)
}

func saleFile(t *testing.T, firstName string) string {
	text, err := json.Marshal(map[string]string{
		"first_name": firstName, "last_name": "Smith", "email": "john.smith@example.com", "phone_number": "+447700900123",
		"property_address": t.Name() + " High Street", "property_postcode": "SW1A 1AA",
	})
	require.NoError(t, err)
	return string(text)
}

func csvFile(t *testing.T, firstNames ...string) string {
	var b strings.Builder
	b.WriteString("first_name,last_name,email,phone_number,property_address,property_postcode\n")
	for i, name := range firstNames {
		fmt.Fprintf(&b, "%s,Smith,john.smith@example.com,07700 900123,\"%d High Street, %s\",SW1A 1AA\n", name, i+1, t.Name())
	}
	return b.String()
}

func TestACommandOfTheAPINeedsItsSettings(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings map[string]string
		says     string
	}{
		"nothing":    {nil, "KEYHOLDER_API_KEY"},
		"no address": {map[string]string{"KEYHOLDER_API_KEY": testAPIKey}, "KEYHOLDER_API_URL or KEYHOLDER_PUBLIC_URL"},
		"no URL":     {map[string]string{"KEYHOLDER_API_KEY": testAPIKey, "KEYHOLDER_API_URL": "localhost:8080"}, "no http or https address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := command{t: t, dir: t.TempDir(), settings: tc.settings}
			for _, args := range [][]string{{"sale", "show", "x"}, {"import", "status", "x"}} {
				s := c.run(args...)
				require.ErrorAs(t, s.failed, new(usageError))
				require.ErrorContains(t, s.failed, tc.says)
			}
		})
	}
}

func TestCommandsOfTheAPIRefuseWrongUsage(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_API_KEY": testAPIKey, "KEYHOLDER_API_URL": "http://127.0.0.1:1"}}
	for _, args := range [][]string{
		{"sale"}, {"sale", "destroy"}, {"sale", "create"}, {"sale", "create", "x.json", "--wait", "31s"}, {"sale", "create", "x.json", "--wait", "-1s"},
		{"sale", "show"}, {"import"}, {"import", "a.csv", "b.csv"}, {"import", "status"}, {"import", "pause", "x"}, {"import", "missing.csv"},
	} {
		require.ErrorAs(t, c.run(args...).failed, new(usageError), "%v", args)
	}
}

func TestCommandsOfTheAPISayWhatIsWrongWithTheIngress(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_API_KEY": testAPIKey, "KEYHOLDER_API_URL": "http://127.0.0.1:1"}}
	require.ErrorContains(t, c.run("import", "status", "x").failed, "is the ingress running?")
}

func TestDevHasAKeyOfTheAPI(t *testing.T) {
	t.Parallel()
	defaults := (&dev{flags: devFlags{dataDir: t.TempDir()}}).defaults()
	cfg, err := parse[apiClientConfig](defaults)
	require.NoError(t, err)
	_, err = ingress.NewAPI(ingress.APIConfig{Keys: cfg.APIKeys})
	require.NoError(t, err, "the ingress takes it")
}

func TestTheIngressRefusesAShortKey(t *testing.T) {
	t.Parallel()
	_, err := (&base{registry: newRegistry(), log: zap.NewNop()}).newAPI([]string{"dev-api-key"}, nil)
	require.ErrorContains(t, err, "KEYHOLDER_API_KEY: API key 1")
	cfg, err := parse[struct{ APIConfig }](map[string]string{"KEYHOLDER_API_KEY": ""})
	require.NoError(t, err)
	api, err := (&base{}).newAPI(cfg.APIKeys, nil)
	require.NoError(t, err)
	require.Nil(t, api, "no key, no API")
}
