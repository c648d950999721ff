package e2e_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/prove"
	"github.com/aictive/keyholder/worker/e2e"
)

// outageVariable is how long the ingress is away in TestProveAfterAnOutage, such as 2m.
const outageVariable = "KEYHOLDER_E2E_OUTAGE"

// proved is what "keyholder prove" says.
type proved struct {
	Agrees      bool
	Tallies     []prove.Tally
	Differences []prove.Finding
	Pending     []prove.Finding
}

// found are differences as check and entity.
func (p proved) found() []string {
	var list []string
	for _, d := range p.Differences {
		list = append(list, d.Check+" "+d.Entity)
	}
	return list
}

// compared counts what a check has compared.
func (p proved) compared(check string) (n int) {
	for _, t := range p.Tallies {
		if t.Check == check {
			n += t.Compared
		}
	}
	return n
}

// beside runs a command beside a stack and returns what it prints and its exit code.
func beside(t *testing.T, data string, args ...string) (out string, code int) {
	t.Helper()
	var said, why bytes.Buffer
	cmd := exec.CommandContext(t.Context(), keyholder(), append(args, "--data", data)...)
	cmd.Stdout, cmd.Stderr = &said, &why
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	t.Logf("keyholder %s: exit %d %s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), why.String())
	return said.String(), cmd.ProcessState.ExitCode()
}

// proves compares everything.
func proves(t *testing.T, data string) (p proved) {
	t.Helper()
	out, code := beside(t, data, "prove", "--json", "--grace", "1s")
	require.NoError(t, json.Unmarshal([]byte(out), &p), out)
	want := 0
	if !p.Agrees {
		want = 1
	}
	require.Equal(t, want, code)
	require.Equal(t, p.Agrees, len(p.Differences) == 0)
	return p
}

// agrees compares everything until nothing differs or is under way.
func agrees(t *testing.T, data string) (p proved) {
	t.Helper()
	for deadline := time.Now().Add(3 * soon); ; time.Sleep(time.Second) {
		p = proves(t, data)
		if p.Agrees && len(p.Pending) == 0 {
			return p
		}
		if time.Now().After(deadline) {
			text, err := json.MarshalIndent(p, "", "  ")
			require.NoError(t, err)
			require.FailNow(t, "it differs", "%s", text)
		}
	}
}

// reconciles compares all of RentVine now and returns what it has told.
func reconciles(t *testing.T, data string) (done activities.Reconciled) {
	t.Helper()
	out, code := beside(t, data, "sync", "now", "--full", "--wait", "2m", "--json")
	require.Zero(t, code, out)
	require.NoError(t, json.Unmarshal([]byte(out), &done), out)
	return done
}

// ingressAt runs an ingress at the address of a stack without one.
func ingressAt(t *testing.T, s *e2e.Stack) *e2e.Process {
	t.Helper()
	p, err := s.IngressBeside(t.Context(), strings.TrimPrefix(s.Ingress, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() {
		select {
		case <-p.Done():
		default:
			if err := p.Stop(10 * time.Second); err != nil {
				t.Errorf("the ingress did not stop cleanly: %v", err)
			}
		}
	})
	return p
}

// quietly makes a record in RentVine of which no webhook tells, and returns its id.
func quietly(t *testing.T, s *e2e.Stack, path, id string, fields map[string]any) string {
	t.Helper()
	var made map[string]string
	require.NoError(t, s.Post(t.Context(), "/_records/rentvine/"+path, fields, &made))
	require.NotEmpty(t, made[id], made)
	return made[id]
}

// exists asserts that Temporal knows a workflow.
func exists(t *testing.T, s *e2e.Stack, id string) {
	t.Helper()
	_, err := s.Client.DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err, id)
}

// The ingress is away for a while, and RentVine goes on. One comparison on demand later
// nothing is missing, and nothing was done twice.
func TestProveAfterAnOutage(t *testing.T) {
	t.Parallel()
	outage := 3 * time.Second
	if text := os.Getenv(outageVariable); text != "" {
		var err error
		outage, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	data := t.TempDir()
	s := start(t, e2e.Options{Data: data, Args: []string{"--without", "ingress", "--policy", steady(t)}})
	ctx, first := t.Context(), ingressAt(t, s)
	reconciles(t, data) // learns what there is

	_, err := s.Tap(ctx, nil)
	require.NoError(t, err)
	emergency(t, s, nil)
	page(t, s, alma, 1)
	lease, err := s.Lease(ctx, "lease.created", nil)
	require.NoError(t, err)
	_, err = s.Charge(ctx, "lease_charge.created", nil)
	require.NoError(t, err)
	before := agrees(t, data)
	require.Positive(t, before.compared(prove.CheckEffects))

	require.NoError(t, first.Kill())
	missed := []string{}
	_, err = s.Tap(ctx, nil)
	require.Error(t, err, "its webhook is dropped")
	for end := time.Now().Add(outage); time.Now().Before(end); time.Sleep(outage / 5) {
		missed = append(missed,
			"work-order/"+quietly(t, s, "work-orders", "work_order_id", map[string]any{"description": "Dripping tap", "propertyID": "1"}),
			"lease/"+quietly(t, s, "leases", "lease_id", map[string]any{"primaryLeaseStatusID": "3"}),
			"charge/"+quietly(t, s, "leases/"+lease+"/transactions", "transaction_id", map[string]any{"type": "charge", "amount": "25.00"}))
	}
	require.NotEmpty(t, proves(t, data).Differences, "what nobody was told of is seen")

	ingressAt(t, s)
	_, err = s.Tap(ctx, nil)
	require.NoError(t, err)
	told := reconciles(t, data)
	require.GreaterOrEqual(t, told.Events, len(missed))
	after := agrees(t, data)
	for _, id := range missed {
		exists(t, s, id)
	}
	for _, check := range []string{prove.CheckReceipts, prove.CheckPartners, prove.CheckEffects, prove.CheckChains} {
		require.Positive(t, after.compared(check), check)
	}
	require.GreaterOrEqual(t, after.compared(prove.CheckReceipts), before.compared(prove.CheckReceipts)+len(missed))
	require.Zero(t, reconciles(t, data).Events, "what was told is known")
	noDuplicates(t, s)
}

// What somebody has done by hand is listed, and nothing else.
func TestProveListsWhatDiffers(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, e2e.Options{Data: data, Args: []string{"--policy", steady(t)}})
	ctx := t.Context()
	reconciles(t, data)
	var orders []string
	for range 3 {
		id, err := s.Tap(ctx, nil)
		require.NoError(t, err)
		orders = append(orders, "work-order/"+id)
	}
	lease, err := s.Lease(ctx, "lease.created", nil)
	require.NoError(t, err)
	agrees(t, data)

	settings, err := s.Settings()
	require.NoError(t, err)
	i := slices.IndexFunc(settings, func(line string) bool { return strings.HasPrefix(line, "KEYHOLDER_STORE_URL=") })
	db, err := sql.Open("sqlite", strings.TrimPrefix(strings.TrimPrefix(settings[i], "KEYHOLDER_STORE_URL="), "sqlite:"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(ctx, `PRAGMA busy_timeout = 5000; DROP TRIGGER receipts_stay; DROP TRIGGER audit_entries_last;
		DELETE FROM receipts WHERE workflow_id = '`+orders[0]+`';
		UPDATE audit_entries SET actor = 'somebody' WHERE entity = '`+orders[1]+`' AND seq = 1`)
	require.NoError(t, err)
	require.NoError(t, s.Client.TerminateWorkflow(ctx, orders[2], "", "a test"))
	require.NoError(t, s.Put(ctx, "/_records/rentvine/leases/"+lease, map[string]any{"endDate": "2031-01-31"}, nil))

	want := []string{"receipts " + orders[0], "runs " + orders[2], "partners lease/" + lease, "chains " + orders[1]}
	var p proved
	require.Eventually(t, func() bool {
		p = proves(t, data)
		return slices.Contains(p.found(), want[1]) // Temporal's list follows a little later
	}, soon, time.Second)
	require.Equal(t, want, p.found(), "%+v", p.Differences)
	for _, d := range p.Differences {
		require.NotEmpty(t, d.Advice)
	}
}
