package worker_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/webhook"
	"github.com/aictive/keyholder/sandbox/subscriber"
	"github.com/aictive/keyholder/workflows/sync"
)

const (
	crmSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	crmBefore = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

// outgoing runs the workflow of one outgoing webhook on a skipping clock; the
// activity, the client and the receiver are real.
type outgoing struct {
	t        *testing.T
	env      *testsuite.TestWorkflowEnvironment
	crm      *subscriber.Server
	attempts atomic.Int32
	// before answers in the receiver's place where it returns true.
	before func(w http.ResponseWriter, attempt int32) bool
	// lost is the attempt whose answer is lost after the receiver took it.
	lost  int32
	allow []netip.Prefix
	event activities.OutgoingEvent
}

func newOutgoing(t *testing.T) *outgoing {
	t.Helper()
	o := &outgoing{
		t: t, allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		event: activities.OutgoingEvent{
			ID: "sale/7/completed", Type: "sale.completed", Timestamp: saturday, Data: json.RawMessage(`{"property_id":"7"}`),
		},
	}
	var err error
	o.crm, err = subscriber.New(subscriber.Config{Secret: crmSecret})
	require.NoError(t, err)
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	o.env = suite.NewTestWorkflowEnvironment()
	o.env.SetStartTime(saturday)
	o.env.SetWorkerOptions(sdkworker.Options{DeadlockDetectionTimeout: 10 * time.Second})
	o.env.SetTestTimeout(20 * time.Second)
	o.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: sync.OutgoingWebhookID("crm", o.event.ID)})
	sync.OutgoingWebhook.Register(o.env)
	return o
}

// play tells the subscriber and returns how that ended.
func (o *outgoing) play(to string) (sync.OutgoingWebhookResult, error) {
	o.t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		attempt := o.attempts.Add(1)
		if o.before != nil && o.before(w, attempt) {
			_, _ = io.Copy(io.Discard, r.Body)
			return
		}
		if attempt == o.lost {
			o.crm.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		o.crm.ServeHTTP(w, r)
	}))
	o.t.Cleanup(receiver.Close)
	// The environment tries again at once, and the breaker keeps real time.
	poster := webhook.New(webhook.Config{Allow: o.allow, HTTP: partner.HTTPConfig{BreakAfter: 1000}})
	o.t.Cleanup(poster.Close)
	subscribers, err := activities.ParseSubscribers("crm " + receiver.URL + "/crm " + crmSecret + "," + crmBefore)
	require.NoError(o.t, err)
	activities.New(activities.Config{OutgoingWebhooks: activities.OutgoingWebhooks{Client: poster, Subscribers: subscribers}}).RegisterWebhooks(o.env)
	o.env.ExecuteWorkflow(sync.OutgoingWebhookName, sync.OutgoingWebhookInput{Subscriber: to, Event: o.event})
	require.True(o.t, o.env.IsWorkflowCompleted())
	var result sync.OutgoingWebhookResult
	if err := o.env.GetWorkflowError(); err != nil {
		return result, err
	}
	return result, o.env.GetWorkflowResult(&result)
}

// fails plays to a failure and asserts its type and final state.
func (o *outgoing) fails(to, state string) *temporal.ApplicationError {
	o.t.Helper()
	_, err := o.play(to)
	var app *temporal.ApplicationError
	require.ErrorAs(o.t, err, &app)
	require.Equal(o.t, sync.NotDelivered, app.Type())
	require.Equal(o.t, state, o.describe().State)
	require.Contains(o.t, app.Message(), "could not tell "+to+" of sale.completed: ")
	require.Contains(o.t, app.Message(), "reset this workflow to try again")
	require.NotContains(o.t, err.Error(), "whsec_")
	return app
}

func (o *outgoing) describe() sync.OutgoingWebhookDescription {
	o.t.Helper()
	value, err := o.env.QueryWorkflow(sync.DescribeOutgoingWebhook.Name)
	require.NoError(o.t, err)
	var d sync.OutgoingWebhookDescription
	require.NoError(o.t, value.Get(&d))
	return d
}

func TestASubscriberIsTold(t *testing.T) {
	t.Parallel()
	o := newOutgoing(t)
	result, err := o.play("crm")
	require.NoError(t, err)
	require.Equal(t, sync.OutgoingDelivered, result.Outcome)
	require.Equal(t, sync.OutgoingWebhookDescription{
		Subscriber: "crm", EventID: "sale/7/completed", Type: "sale.completed", Timestamp: saturday, State: sync.OutgoingDelivered,
	}, o.describe())
	got := o.crm.Webhooks(-1)
	require.Len(t, got, 1)
	require.Equal(t, "sale/7/completed", got[0].ID)
	require.Equal(t, 1, got[0].Deliveries)
	require.JSONEq(t, `{"type":"sale.completed","timestamp":"2026-11-21T18:00:00Z","data":{"property_id":"7"}}`, string(got[0].Body))
}

func TestASubscriberThatFailsIsToldLater(t *testing.T) {
	t.Parallel()
	o := newOutgoing(t)
	o.before = func(w http.ResponseWriter, attempt int32) bool {
		switch attempt {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			panic(http.ErrAbortHandler)
		default:
			return false
		}
		return true
	}
	o.env.RegisterDelayedCallback(func() {
		require.Equal(t, sync.OutgoingPosting, o.describe().State)
	}, time.Hour)
	o.lost = 4
	begun := o.env.Now()
	_, err := o.play("crm")
	require.NoError(t, err)
	require.EqualValues(t, 5, o.attempts.Load())
	require.GreaterOrEqual(t, o.env.Now().Sub(begun), 2*time.Hour, "it is left alone as long as it asks")
	got := o.crm.Webhooks(-1)
	require.Len(t, got, 1, "by the id it knows the repeat")
	require.Equal(t, 2, got[0].Deliveries)
	require.False(t, got[0].BodyChanged)
}

func TestASubscriberThatFailsForThreeDaysIsAFailedWorkflow(t *testing.T) {
	t.Parallel()
	o := newOutgoing(t)
	o.before = func(w http.ResponseWriter, _ int32) bool {
		w.Header().Set("Retry-After", "36000") // the environment gives up after 10 tries
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	begun := o.env.Now()
	app := o.fails("crm", sync.OutgoingGivenUp)
	require.Contains(t, app.Message(), "given up after 72h0m0s")
	require.Contains(t, app.Message(), "HTTP 503")
	require.Less(t, o.env.Now().Sub(begun), 72*time.Hour)
	require.Less(t, o.attempts.Load(), int32(9))
}

func TestARefusalForGoodIsAFailedWorkflowAtOnce(t *testing.T) {
	t.Parallel()
	answer := func(status int) func(http.ResponseWriter, int32) bool {
		return func(w http.ResponseWriter, _ int32) bool {
			w.Header().Set("Location", "http://169.254.169.254/latest")
			w.WriteHeader(status)
			return true
		}
	}
	for name, c := range map[string]struct {
		change   func(*outgoing)
		to, says string
		attempts int32
	}{
		"gone":            {func(o *outgoing) { o.before = answer(http.StatusGone) }, "crm", "wants no more", 1},
		"a redirect":      {func(o *outgoing) { o.before = answer(http.StatusFound) }, "crm", "redirects are not followed", 1},
		"private network": {func(o *outgoing) { o.allow = nil }, "crm", "KEYHOLDER_SUBSCRIBERS_ALLOW", 0},
		"taken out":       {nil, "bank", "KEYHOLDER_SUBSCRIBERS names no such subscriber", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOutgoing(t)
			if c.change != nil {
				c.change(o)
			}
			app := o.fails(c.to, sync.OutgoingRefused)
			require.Contains(t, app.Message(), c.says)
			require.Equal(t, c.attempts, o.attempts.Load())
			require.Zero(t, o.crm.Count())
		})
	}
}

func TestADeliveryThatIsCancelledIsNoFailure(t *testing.T) {
	t.Parallel()
	o := newOutgoing(t)
	o.before = func(w http.ResponseWriter, _ int32) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	o.env.RegisterDelayedCallback(o.env.CancelWorkflow, time.Minute)
	_, err := o.play("crm")
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, err, &cancelled)
}
