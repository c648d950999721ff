package ingress

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	testAuthToken = "12345"
	testPhone     = "+14155550101"
	testPublicURL = "https://keyholder.example.com/door"
)

// asked is what the test workflow has been told.
type asked struct {
	Answers  []durable.Answer         `json:"answers"`
	Failures []durable.MessageFailure `json:"failures"`
	Copies   int                      `json:"copies"`
}

var (
	describeAsked = durable.Query[asked]{Name: "describe"}
	finish        = durable.Signal[string]{Name: "finish"}
)

func (a *asked) take(given durable.Answer) durable.Outcome {
	known := func(x durable.Answer) bool { return x.ID == given.ID }
	if slices.ContainsFunc(a.Answers, known) {
		a.Copies++
		return durable.Outcome{Message: "You said that before."}
	}
	a.Answers = append(a.Answers, given)
	if len(a.Answers) > 1 {
		return durable.Outcome{Late: true, Message: "Somebody was faster, thank you."}
	}
	return durable.Outcome{Message: "You are on it, thank you."}
}

// askingWorkflow takes answers by command and by signal, like a real one.
func askingWorkflow(ctx workflow.Context, _ string) (asked, error) {
	var state asked
	if err := describeAsked.Handle(ctx, func() (asked, error) { return state, nil }); err != nil {
		return state, err
	}
	validate := func(_ workflow.Context, a durable.Answer) error {
		if a.Choice == "refused" {
			return errors.New("this job is taken")
		}
		return nil
	}
	err := durable.GiveAnswer.Handle(ctx, validate, func(_ workflow.Context, a durable.Answer) (durable.Outcome, error) {
		return state.take(a), nil
	})
	if err != nil {
		return state, err
	}
	return listen(ctx, &state)
}

// deafWorkflow takes answers as facts only.
func deafWorkflow(ctx workflow.Context, _ string) (asked, error) {
	var state asked
	if err := describeAsked.Handle(ctx, func() (asked, error) { return state, nil }); err != nil {
		return state, err
	}
	return listen(ctx, &state)
}

// slowWorkflow accepts a command and ends without having answered it.
func slowWorkflow(ctx workflow.Context, _ string) (asked, error) {
	var state asked
	accepted := false
	err := durable.GiveAnswer.Handle(ctx, nil, func(ctx workflow.Context, _ durable.Answer) (durable.Outcome, error) {
		accepted = true
		return durable.Outcome{}, workflow.Await(ctx, func() bool { return false })
	})
	if err != nil {
		return state, err
	}
	return state, workflow.Await(ctx, func() bool { return accepted })
}

func listen(ctx workflow.Context, state *asked) (asked, error) {
	for {
		if err := workflow.Await(ctx, func() bool {
			return durable.AnswerReceived.Pending(ctx) || durable.MessageFailed.Pending(ctx) || finish.Pending(ctx)
		}); err != nil {
			return *state, err
		}
		facts, _ := durable.AnswerReceived.Drain(ctx)
		for _, a := range facts {
			state.take(a)
		}
		failures, _ := durable.MessageFailed.Drain(ctx)
		state.Failures = append(state.Failures, failures...)
		if ends, _ := finish.Drain(ctx); len(ends) > 0 {
			return *state, nil
		}
	}
}

// rig is the doors for people with a real store and a real Temporal.
type rig struct {
	t        *testing.T
	temporal client.Client
	store    store.Store
	keys     store.Keys
	photos   *blobs.Bucket
	people   *People
	registry *prometheus.Registry
	logs     *observer.ObservedLogs
	url      string
	queue    string
	// report makes what a link to the report shows.
	report func(context.Context) (salesreport.Report, error)
}

func newRig(t *testing.T, temporal client.Client) *rig {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "people.db")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	core, logs := observer.New(zap.DebugLevel)
	r := &rig{t: t, temporal: temporal, store: st, keys: store.NewKeys("a secret of the test"),
		registry: prometheus.NewRegistry(), logs: logs, queue: "people-" + t.Name(), report: someReport(t)}
	r.photos = blobs.InMemory()
	t.Cleanup(func() { require.NoError(t, r.photos.Close()) })
	r.people = NewPeople(PeopleConfig{
		Temporal: temporal, Store: st, Photos: r.photos, Keys: r.keys, TwilioAuthTokens: []string{"newer", testAuthToken},
		PublicURL: testPublicURL + "/", Log: zap.New(core), Registerer: r.registry,
		Report: func(ctx context.Context) (salesreport.Report, error) { return r.report(ctx) },
	})
	r.serve(r.people)
	return r
}

// serve opens the doors to a server of their own.
func (r *rig) serve(people *People) {
	r.t.Helper()
	r.people = people
	e := echo.New()
	people.Register(e)
	server := httptest.NewServer(e)
	r.t.Cleanup(server.Close)
	r.url = server.URL
}

// work hosts the test's workflows until the test ends.
func (r *rig) work() {
	r.t.Helper()
	w := worker.New(r.temporal, r.queue, worker.Options{WorkerStopTimeout: time.Second})
	w.RegisterWorkflowWithOptions(askingWorkflow, workflow.RegisterOptions{Name: "asking"})
	w.RegisterWorkflowWithOptions(slowWorkflow, workflow.RegisterOptions{Name: "slow"})
	w.RegisterWorkflowWithOptions(deafWorkflow, workflow.RegisterOptions{Name: "deaf"})
	require.NoError(r.t, w.Start())
	r.t.Cleanup(w.Stop)
}

// begin starts a workflow that asks.
func (r *rig) begin(kind, id string) string {
	r.t.Helper()
	id = r.t.Name() + "/" + id
	run, err := r.temporal.ExecuteWorkflow(r.t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: r.queue}, kind, "")
	require.NoError(r.t, err)
	r.t.Cleanup(func() { // it may have ended
		_ = r.temporal.TerminateWorkflow(context.Background(), run.GetID(), run.GetRunID(), "the test is over")
	})
	return id
}

// end lets a workflow complete, and waits for it.
func (r *rig) end(workflowID string) {
	r.t.Helper()
	require.NoError(r.t, finish.Send(r.t.Context(), r.temporal, workflowID, "now"))
	require.NoError(r.t, r.temporal.GetWorkflow(r.t.Context(), workflowID, "").Get(r.t.Context(), nil))
}

func (r *rig) told(workflowID string) asked {
	r.t.Helper()
	state, err := describeAsked.Ask(r.t.Context(), r.temporal, workflowID, "")
	require.NoError(r.t, err)
	return state
}

// ask records a question of a workflow to the test's phone.
func (r *rig) ask(workflowID, step, title string) store.Question {
	r.t.Helper()
	q, err := r.store.Ask(r.t.Context(), store.Question{
		ID: r.keys.QuestionID(workflowID, step, "oncall-1"), Address: r.keys.Address(testPhone),
		WorkflowID: workflowID, Step: step, Person: "oncall-1", Purpose: "acknowledge", Title: title,
		Options: []store.Option{{Key: "1", Choice: "acknowledge", Label: "I'm on it"}, {Key: "2", Choice: "decline", Label: "Can't, next please"}},
		AskedAt: time.Now().UTC(), ExpiresAt: time.Now().UTC().Add(time.Hour),
	})
	require.NoError(r.t, err)
	return q
}

func (r *rig) question(id string) store.Question {
	r.t.Helper()
	q, err := r.store.Question(r.t.Context(), id)
	require.NoError(r.t, err)
	return q
}

func (r *rig) counted(kind, outcome string) int {
	r.t.Helper()
	families, err := r.registry.Gather()
	require.NoError(r.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			l := m.GetLabel() // sorted by name: kind, outcome
			if len(l) == 2 && l[0].GetValue() == kind && l[1].GetValue() == outcome {
				return int(m.GetCounter().GetValue())
			}
		}
	}
	return 0
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (r *rig) do(req *http.Request) answer {
	r.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func (r *rig) request(method, path, body string) *http.Request {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	require.NoError(r.t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// twilioSign is Twilio's signature written down a second time
// (contracts/sms-and-accounting.md 1).
func twilioSign(token, address string, form url.Values) string {
	var signed bytes.Buffer
	signed.WriteString(address)
	var keys []string
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		signed.WriteString(k + form.Get(k))
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write(signed.Bytes())
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (r *rig) twilio(path string, form url.Values) answer {
	r.t.Helper()
	req := r.request(http.MethodPost, path, form.Encode())
	req.Header.Set("X-Twilio-Signature", twilioSign(testAuthToken, testPublicURL+path, form))
	return r.do(req)
}

func (r *rig) text(ref, body string) answer {
	r.t.Helper()
	return r.twilio("/webhooks/twilio/message", url.Values{
		"MessageSid": {ref}, "AccountSid": {"AC1"}, "From": {testPhone}, "To": {"+14155550100"}, "Body": {body}, "NumMedia": {"0"},
	})
}

func (r *rig) tap(token, choice, note string) answer {
	r.t.Helper()
	return r.do(r.request(http.MethodPost, "/a/"+token, url.Values{"choice": {choice}, "note": {note}}.Encode()))
}

// An answer given while no worker is up goes as a command that times out and as a
// signal; when a worker appears both arrive (contracts/temporal.md 2.8) and one
// counts.
func TestPeople_answersWithoutAWorkerCountOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	byLink, byText := r.begin("asking", "link"), r.begin("asking", "text")
	linked := r.ask(byLink, "page-1", "Water leak, 12 Elm St")
	tapped := r.tap(r.keys.Token(linked.ID), "acknowledge", "on my way")
	require.Equal(t, http.StatusOK, tapped.status)
	require.Contains(t, tapped.body, "Received, we will confirm.")
	require.Contains(t, tapped.body, "I&#39;m on it")

	texted := r.ask(byText, "page-1", "No heat, 4 Oak Ave")
	said := r.text("SM1", "1 "+texted.Code)
	require.Equal(t, http.StatusOK, said.status)
	require.Contains(t, said.body, "<Message>Received, we will confirm.</Message>")
	require.Equal(t, 1, r.counted("link_answer", "received"))
	require.Equal(t, 1, r.counted("sms", "received"))

	r.work()
	for _, id := range []string{byLink, byText} {
		require.Eventually(t, func() bool { return r.told(id).Copies == 1 }, 20*time.Second, 50*time.Millisecond,
			"command and signal should both have arrived")
		require.Len(t, r.told(id).Answers, 1)
	}
	link, text := r.told(byLink).Answers[0], r.told(byText).Answers[0]
	require.Equal(t, []string{"link-" + linked.ID, linked.ID, "page-1", "oncall-1", "acknowledge", "on my way", "link"},
		[]string{link.ID, link.QuestionID, link.Step, link.Person, link.Choice, link.Note, link.Via})
	require.Equal(t, []string{"sms-SM1", "acknowledge", "sms"}, []string{text.ID, text.Choice, text.Via})
	require.Equal(t, "acknowledge", r.question(linked.ID).Answer)
}

// A workflow that knows no such command still gets the answer as a fact.
func TestPeople_workflowWithoutTheCommand(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("deaf", "1")
	q := r.ask(id, "page-1", "Water leak, 12 Elm St")
	require.Contains(t, r.tap(r.keys.Token(q.ID), "decline", "").body, "Received, we will confirm.")
	require.Eventually(t, func() bool { return len(r.told(id).Answers) == 1 }, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, "decline", r.told(id).Answers[0].Choice)
}

// A workflow that ends over an answer has settled the matter.
func TestPeople_workflowEndsOverTheAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	q := r.ask(r.begin("slow", "1"), "page-1", "Water leak, 12 Elm St")
	require.Contains(t, r.tap(r.keys.Token(q.ID), "acknowledge", "").body, "Already settled")
	require.Equal(t, 1, r.counted("link_answer", "gone"))
}

// What was not confirmed is not acknowledged, and can be said again.
func TestPeople_temporalAway(t *testing.T) {
	t.Parallel()
	away, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(away.Close)
	r := newRig(t, away)
	q := r.ask("work-order/1", "page-1", "Water leak, 12 Elm St")

	t.Run("link", func(t *testing.T) {
		t.Parallel()
		got := r.tap(r.keys.Token(q.ID), "acknowledge", "")
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.Equal(t, "15", got.header.Get("Retry-After"))
		require.Contains(t, got.body, "Not recorded yet")
		require.Empty(t, r.question(q.ID).Answer)
		require.Equal(t, 1, r.counted("link_answer", "away"))
	})
	t.Run("text", func(t *testing.T) {
		t.Parallel()
		got := r.text("SM1", "1")
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.Equal(t, "15", got.header.Get("Retry-After"))
		require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
		require.Equal(t, 1, r.counted("sms", "away"))
	})
	t.Run("status", func(t *testing.T) {
		t.Parallel()
		r.sent("SM2", "work-order/1", "page-1")
		got := r.twilio("/webhooks/twilio/status", url.Values{"MessageSid": {"SM2"}, "MessageStatus": {"failed"}})
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		m, err := r.store.MessageByRef(t.Context(), "SM2")
		require.NoError(t, err)
		require.Equal(t, store.StatusQueued, m.Status, "the same callback must be able to start again")
	})
}

// Neither logs nor metrics tell who said what, or how to say it again.
func TestPeople_keepsSecrets(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.ask(id, "page-1", "Water leak, 12 Elm St")
	r.tap(r.keys.Token(q.ID), "acknowledge", "a private note")
	r.text("SM1", "1 "+q.Code+" a private text")
	r.tap("wrong"+r.keys.Token(q.ID), "acknowledge", "")
	require.NotZero(t, r.logs.Len())

	families, err := r.registry.Gather()
	require.NoError(t, err)
	var all strings.Builder
	for _, f := range families {
		all.WriteString(f.String())
	}
	for _, entry := range r.logs.All() {
		all.WriteString(entry.Message)
		fmt.Fprint(&all, entry.ContextMap())
	}
	for _, secret := range []string{r.keys.Token(q.ID), q.ID, testPhone, testPhone[2:], r.keys.Address(testPhone), "private", "Elm"} {
		require.NotContains(t, all.String(), secret)
	}
}

func TestVisitorOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, remote, forwarded string
		believe                 bool
		want                    string
	}{
		{"IPv4", "192.0.2.7:5000", "", false, "192.0.2.7"},
		{"IPv6 is a /64", "[2001:db8:1:2:3:4:5:6]:5000", "", false, "2001:db8:1:2::/64"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.7]:5000", "", false, "192.0.2.7"},
		{"forwarded, nobody is believed", "192.0.2.7:5000", "203.0.113.9", false, "192.0.2.7"},
		{"forwarded by a proxy that is believed", "127.0.0.1:5000", "203.0.113.9", true, "203.0.113.9"},
		{"no address", "pipe", "", false, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := echo.New()
			if c.believe {
				e.IPExtractor = echo.ExtractIPFromXFFHeader()
			}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			req.RemoteAddr = c.remote
			req.Header.Set("X-Forwarded-For", c.forwarded)
			require.Equal(t, c.want, visitorOf(e.NewContext(req, httptest.NewRecorder())))
		})
	}
}

func TestVisitLimits(t *testing.T) {
	t.Parallel()
	l := newVisitLimits(0, 2)
	require.Equal(t, []bool{true, true, false}, []bool{l.allow("a"), l.allow("a"), l.allow("a")})
	require.True(t, l.allow("b"), "one key does not use up another's")
	for i := range maxVisitLimits {
		l.allow(fmt.Sprint("stranger ", i))
	}
	require.Equal(t, maxVisitLimits, l.byKey.Len())
}
