package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/clients/twilio"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// saturday is when scenarios begin: 10:00 in Los Angeles, alma and ben on call.
var saturday = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)

const burstPipe = "A pipe burst under the kitchen sink. Water is flooding the floor."

// scenario runs one workflow on a skipping clock. Everything behind it is real:
// the activities, a SQLite store, the clients, and the sandbox over HTTP and SMTP.
// Activities keep their own, real clock.
type scenario struct {
	t     *testing.T
	env   *testsuite.TestWorkflowEnvironment
	acts  *activities.Activities
	store store.Store
	keys  store.Keys
	rules *policy.File
	box   *sandbox.Sandbox
	base  string
	// id is the work order's.
	id    string
	start time.Time
	// redeliver is what activities.Config.Redeliver does.
	redeliver func(context.Context, durable.Event) (activities.Redelivery, error)
	events    int
	// handedOver is what activities.Config.HandOver was told; handOverErr fails it.
	handed      []activities.SaleFacts
	handOverErr error
	// found is what activities.Config.FindProperty was told.
	found []durable.Event
	mu    sync.Mutex
	// behind is how late the worker's clock is.
	behind time.Duration
	// running is env for activities, which outlast it.
	running atomic.Pointer[testsuite.TestWorkflowEnvironment]
}

func (s *scenario) handOver(facts activities.SaleFacts) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handOverErr != nil {
		return s.handOverErr
	}
	s.handed = append(s.handed, facts)
	return nil
}

// now is the story's time, which skips what is waited for.
func (s *scenario) now() time.Time {
	if env := s.running.Load(); env != nil {
		return env.Now().Add(-s.behind)
	}
	return s.start
}

func newScenario(t *testing.T) *scenario { return newScenarioWith(t, nil) }

// newScenarioWith lets the sandbox have another clock than the real one, which is nil.
func newScenarioWith(t *testing.T, clock func(*scenario) time.Time) *scenario {
	t.Helper()
	s := &scenario{t: t, keys: store.NewKeys("link key of the tests"), start: saturday}
	var boxNow func() time.Time
	if clock != nil {
		boxNow = func() time.Time { return clock(s) }
	}
	s.startSandbox(boxNow)
	var err error
	s.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.store.Close()) })
	s.rules, err = policy.Open("", nil)
	require.NoError(t, err)
	s.wire()
	s.freshEnvironment("work-order/" + s.id)
	return s
}

// startSandbox runs the stand-ins; what they post back is taken and forgotten.
func (s *scenario) startSandbox(now func() time.Time) {
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	s.t.Cleanup(ingress.Close)
	var err error
	s.box, err = sandbox.New(sandbox.Config{
		HTTPAddr: "127.0.0.1:0", SMTPAddr: "127.0.0.1:0", IngressURL: ingress.URL, RentVineWebhookSecret: "secret",
		TwilioAuthToken: "token", TwilioAccountSID: "AC00000000000000000000000000000001", TwilioNumber: "+12135550100",
		RentVineKey: "key", RentVineSecret: "secret", TextPace: time.Millisecond, OpenMooveKey: "om_key", OpenMooveLimits: "6000/1m",
		BusinessNow: now,
	})
	require.NoError(s.t, err)
	require.NoError(s.t, s.box.Start(s.t.Context()))
	s.t.Cleanup(func() {
		// Connections that a client opened in vain are cut off rather than waited for.
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = s.box.Close(ctx)
	})
	s.base = "http://" + s.box.HTTPAddr()
}

// wire makes the clients and activities as the command does.
func (s *scenario) wire() {
	host, port, err := net.SplitHostPort(s.box.SMTPAddr())
	require.NoError(s.t, err)
	smtp, err := strconv.Atoi(port)
	require.NoError(s.t, err)
	outbound, err := activities.NewOutbound("live", nil)
	require.NoError(s.t, err)
	rv := rentvine.New(rentvine.Config{BaseURL: s.base + "/rentvine/api/manager", AccessKey: "key", Secret: "secret"})
	s.t.Cleanup(rv.Close)
	s.acts = activities.New(activities.Config{
		RentVine: rv,
		OpenMoove: activities.OpenMoove{
			Client: openmoove.New(openmoove.Config{BaseURL: s.base + "/openmoove/api/v1/partners", APIKey: "om_key", Timeout: partner.DefaultTimeout,
				// The environment gives up after 10 tries, and the breaker keeps real time.
				HTTP: partner.HTTPConfig{BreakAfter: 1000}}),
			Limits: []store.Limit{{Calls: 6000, Window: time.Minute}},
		},
		HandOver: func(_ context.Context, facts activities.SaleFacts) (bool, error) {
			err := s.handOver(facts)
			return err == nil, err
		},
		Twilio: twilio.New(twilio.Config{
			AccountSID: "AC00000000000000000000000000000001", AuthToken: "token", BaseURL: s.base + "/twilio", From: "+12135550100",
		}),
		Mail: mail.New(mail.Config{
			Host: host, Port: smtp, TLS: mail.TLSNone, From: mail.Address{Name: "Keyholder", Email: "office@example.com"},
		}),
		Policy: s.rules, Store: s.store, Keys: s.keys, Outbound: outbound,
		PublicURL: "http://keyholder.test", StatusCallbackURL: s.base + "/nowhere", MailDomain: "example.com",
		Redeliver: func(ctx context.Context, ev durable.Event) (activities.Redelivery, error) {
			return s.redeliver(ctx, ev)
		},
		FindProperty: func(_ context.Context, ev durable.Event) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.found = append(s.found, ev)
			return nil
		},
		Now: s.now, Log: zap.NewNop(),
	})
	s.id = s.record(nil)
}

// freshEnvironment is for the next run of the workflow.
func (s *scenario) freshEnvironment(workflowID string) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetStartTime(s.start)
	s.running.Store(s.env)
	s.env.SetTestTimeout(time.Minute)
	s.env.SetWorkerOptions(s.workerOptions())
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflowID})
	s.boundActivities()
	for _, wf := range workflows.Registry() {
		wf.Register(s.env)
	}
	s.acts.Register(s.env)
	s.acts.RegisterRentVine(s.env)
	s.acts.RegisterOpenMoove(s.env)
	s.acts.RegisterBulk(s.env)
}

// workerOptions are the product's, with what a test intercepts beside that.
func (s *scenario) workerOptions(more ...interceptor.WorkerInterceptor) sdkworker.Options {
	return sdkworker.Options{
		// Slow machines and the race detector take more than the second that a task has.
		DeadlockDetectionTimeout: 10 * time.Second,
		Interceptors:             append([]interceptor.WorkerInterceptor{durable.NewTrail(converter.GetDefaultDataConverter()), s.acts.Auditing()}, more...),
	}
}

// boundActivities stops a story that goes round in circles: time skips in these
// environments, so that nothing else would.
func (s *scenario) boundActivities() {
	const most = 10_000
	count := map[string]int{}
	total := 0
	s.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		count[info.ActivityType.Name]++
		if total++; total == most {
			panic(fmt.Sprintf("%s: %d activities and no end in sight: %v", s.t.Name(), most, count))
		}
	})
}

// continued runs the workflow on from where it continued as new: its state goes
// through JSON, as it does in production.
func (s *scenario) continued() maintenance.Input {
	s.t.Helper()
	var next *workflow.ContinueAsNewError
	require.ErrorAs(s.t, s.env.GetWorkflowError(), &next)
	require.Equal(s.t, maintenance.WorkOrderName, next.WorkflowType.Name)
	var in maintenance.Input
	require.NoError(s.t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	now := s.env.Now()
	s.freshEnvironment("work-order/" + s.id)
	s.env.SetStartTime(now)
	return in
}

// record makes a work order in RentVine, or changes the one of the scenario;
// nobody is told. It returns the id.
func (s *scenario) record(fields map[string]any) string {
	s.t.Helper()
	all := map[string]any{}
	if s.id == "" {
		all = map[string]any{
			"propertyID": "1", "unitID": "1", "leaseID": "1", "portfolioID": "1", "workOrderStatusID": "11",
			"priorityID": "2", "vendorTradeID": "1", "requestedByContactID": "1", "description": burstPipe,
		}
	} else {
		all["workOrderID"] = s.id
	}
	for k, v := range fields {
		all[k] = v
	}
	var made struct {
		ID string `json:"work_order_id"`
	}
	s.call(http.MethodPost, "/_records/rentvine/work-orders", all, &made)
	return made.ID
}

// inRentVine is the work order as RentVine has it.
func (s *scenario) inRentVine() rentvine.WorkOrder {
	s.t.Helper()
	wo, err := s.acts.RentVine.WorkOrder(context.Background(), s.id)
	require.NoError(s.t, err)
	return wo
}

// event is a webhook about the work order with a key of its own and, where data
// is nil, what RentVine has now.
func (s *scenario) event(kind string, data map[string]any) durable.Event {
	s.t.Helper()
	s.events++
	if data == nil {
		wo := s.inRentVine()
		data = map[string]any{
			"workOrderID": wo.ID, "propertyID": wo.PropertyID, "unitID": wo.UnitID, "leaseID": wo.LeaseID,
			"portfolioID": wo.PortfolioID, "requestedByContactID": wo.RequestedByContactID, "vendorTradeID": wo.VendorTradeID,
			"workOrderStatusID": wo.StatusID, "primaryWorkOrderStatusID": strconv.Itoa(int(wo.PrimaryStatus)), "description": wo.Description,
		}
	}
	raw, err := json.Marshal(data)
	require.NoError(s.t, err)
	return durable.Event{
		Source: "rentvine", Type: kind, EntityID: s.id, Key: fmt.Sprintf("rentvine/evt_%d", s.events), ReceivedAt: time.Now().UTC(), Data: raw,
	}
}

// tell sends an event to the workflow.
func (s *scenario) tell(ev durable.Event) { s.env.SignalWorkflow(durable.EventReceived.Name, ev) }

// status changes the work order's status in RentVine by its name and tells of it.
func (s *scenario) status(name string) {
	s.t.Helper()
	s.call(http.MethodPut, "/_records/rentvine/work-orders/"+s.id+"/status", map[string]string{"status": name}, nil)
	s.tell(s.event("work_order.updated", nil))
}

// at runs f after a time on the workflow's clock.
func (s *scenario) at(d time.Duration, f func()) { s.env.RegisterDelayedCallback(f, d) }

// answer is a person's answer by text at a step such as "page/1".
func (s *scenario) answer(step, person, choice string) {
	step += "/" + person
	s.fact(durable.Answer{
		ID: "SM-" + step + "-" + choice, QuestionID: s.keys.QuestionID(s.ref(), step, person), Step: step, Person: person,
		Choice: choice, Via: "sms",
	})
}

func (s *scenario) fact(a durable.Answer) { s.env.SignalWorkflow(durable.AnswerReceived.Name, a) }

// ref names the response in the effect journal; the test environment has no
// first run id.
func (s *scenario) ref() string { return "work-order/" + s.id + "@.0" }

// command sends an update and keeps what became of it.
func command[I, O any](s *scenario, u durable.Update[I, O], in I) *updated {
	got := &updated{}
	s.env.UpdateWorkflow(u.Name, "", &testsuite.TestUpdateCallback{
		OnAccept: func() {}, OnReject: func(err error) { got.err = err },
		OnComplete: func(out any, err error) { got.done, got.out, got.err = true, out, err },
	}, in)
	return got
}

type updated struct {
	done bool
	out  any
	err  error
}

// run runs the workflow from its first event, or from what an earlier run left.
func (s *scenario) run(in maintenance.Input) {
	s.t.Helper()
	in.ID = s.id
	s.env.ExecuteWorkflow(maintenance.WorkOrderName, in)
	require.True(s.t, s.env.IsWorkflowCompleted())
}

// play runs the workflow from an event to its completion.
func (s *scenario) play(first durable.Event) maintenance.Result {
	s.t.Helper()
	s.at(0, func() { s.tell(first) })
	s.run(maintenance.Input{})
	require.NoError(s.t, s.env.GetWorkflowError())
	var result maintenance.Result
	require.NoError(s.t, s.env.GetWorkflowResult(&result))
	return result
}
