package openmoove_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/aictive/keyholder/sandbox/openmoove"
)

// ingress notes webhooks and answers them as it is told.
type ingress struct {
	url string

	mu     sync.Mutex
	got    []hook
	status func(nth int) int
}

type hook struct {
	at        time.Time
	raw       []byte
	signature string
	event     string
	data      object
}

func newIngress(t *testing.T, status func(nth int) int) *ingress {
	t.Helper()
	in := &ingress{status: status}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var body struct {
			Event     string
			Timestamp time.Time
			Data      object
		}
		h := hook{at: time.Now(), raw: raw, signature: r.Header.Get("X-OpenMoove-Signature")}
		if json.Unmarshal(raw, &body) == nil && r.URL.Path == "/webhooks/openmoove" && !body.Timestamp.IsZero() {
			h.event, h.data = body.Event, body.Data
		}
		in.mu.Lock()
		in.got = append(in.got, h)
		nth := len(in.got)
		in.mu.Unlock()
		if in.status != nil {
			w.WriteHeader(in.status(nth))
		}
	}))
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

func (in *ingress) all() []hook {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]hook(nil), in.got...)
}

// wait returns the webhooks once there are so many, and no more.
func (in *ingress) wait(t *testing.T, n int) []hook {
	t.Helper()
	require.Eventually(t, func() bool { return len(in.all()) >= n }, 5*time.Second, 2*time.Millisecond)
	require.Len(t, in.all(), n)
	return in.all()
}

func events(hooks []hook) (out []string) {
	for _, h := range hooks {
		out = append(out, h.event)
	}
	return out
}

func TestEveryChangeIsToldSigned(t *testing.T) {
	t.Parallel()
	in := newIngress(t, nil)
	a := open(t, openmoove.Config{IngressURL: in.url + "/", WebhookSecret: "s3cret"})
	made := a.create(object{"conveyancer_email": "sam@fielding.example.com"})
	first := in.wait(t, 1)[0]
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write(first.raw)
	require.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), first.signature)
	require.Equal(t, openmoove.PropertyCreated, first.event)
	require.Equal(t, made["property_id"], first.data["property_id"])
	require.Equal(t, made["property"], first.data["property"])

	_, err := a.server.Accept(id(made), "conveyancer")
	require.NoError(t, err)
	_, err = a.server.Accept(id(made), "conveyancer") // nothing changes, nothing is told
	require.NoError(t, err)
	require.Equal(t, openmoove.PropertyUpdated, in.wait(t, 2)[1].event)
	for range 2 {
		_, err = a.server.SetStatus(id(made), "Under offer")
		require.NoError(t, err)
	}
	told := in.wait(t, 3)[2]
	require.Equal(t, openmoove.PropertyUpdated, told.event)
	require.Equal(t, "Under offer", told.data["property"].(object)["status"])
	_, err = a.server.Create(object{"property_address": "1 Elm Row", "property_postcode": "LS1 1AA", "email": "x@example.com"})
	require.NoError(t, err)
	require.Equal(t, openmoove.PropertyCreated, in.wait(t, 4)[3].event)
}

func TestMilestonesAreTold(t *testing.T) {
	t.Parallel()
	in := newIngress(t, nil)
	a := open(t, openmoove.Config{IngressURL: in.url, WebhookSecret: "s"})
	yes, no, due := true, false, time.Date(2031, 1, 2, 0, 0, 0, 0, time.UTC)
	set := func(c openmoove.MilestoneChange) {
		t.Helper()
		_, err := a.server.SetMilestone("1", "13", c)
		require.NoError(t, err)
	}
	set(openmoove.MilestoneChange{Completed: &yes})
	told := in.wait(t, 2)
	require.ElementsMatch(t, []string{openmoove.MilestoneUpdated, openmoove.MilestoneCompleted}, events(told))
	milestone := told[0].data["milestone"].(object)
	require.EqualValues(t, 13, milestone["id"])
	require.Equal(t, true, milestone["completed"])
	require.NotContains(t, milestone, "completed_at", "webhooks call it completed_date")
	require.Equal(t, a.list("/properties/1/milestones/")[2]["completed_at"], milestone["completed_date"])

	set(openmoove.MilestoneChange{Completed: &yes}) // as it is
	set(openmoove.MilestoneChange{Completed: &no})
	reopened := in.wait(t, 3)[2]
	require.Equal(t, openmoove.MilestoneUpdated, reopened.event)
	require.Nil(t, reopened.data["milestone"].(object)["completed_date"])
	set(openmoove.MilestoneChange{DueDate: &due})
	require.Equal(t, openmoove.MilestoneUpdated, in.wait(t, 4)[3].event)
	require.Equal(t, "2031-01-02T00:00:00Z", a.list("/properties/1/milestones/")[2]["due_date"])

	_, err := a.server.AddMilestone("1", "Survey", "", time.Time{})
	require.NoError(t, err)
	require.Equal(t, openmoove.MilestoneCreated, in.wait(t, 5)[4].event)
	require.EqualValues(t, 7, a.list("/properties/1/milestones/")[6]["order"])
	_, err = a.server.AddMilestone("1", " ", "", time.Time{})
	require.Error(t, err)
	_, err = a.server.SetMilestone("1", "99", openmoove.MilestoneChange{Completed: &yes})
	require.ErrorIs(t, err, openmoove.ErrNotFound)
}

func TestAWebhookIsRepeatedOnTheSchedule(t *testing.T) {
	t.Parallel()
	retries := []time.Duration{0, 10 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond}
	for name, c := range map[string]struct {
		status   func(nth int) int
		attempts int
		givenUp  int
	}{
		"taken at once":       {func(int) int { return 200 }, 1, 0},
		"any status below":    {func(int) int { return 302 }, 1, 0},
		"taken at last":       {func(n int) int { return map[bool]int{true: 202, false: 503}[n == 4] }, 4, 0},
		"refused for ever":    {func(int) int { return 400 }, 4, 1},
		"taken at the second": {func(n int) int { return map[bool]int{true: 202, false: 401}[n == 2] }, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			core, logs := observer.New(zap.WarnLevel)
			in := newIngress(t, c.status)
			a := open(t, openmoove.Config{
				IngressURL: in.url, WebhookSecret: "s", Log: zap.New(core),
				Retries: retries,
			})
			a.create(nil)
			got := in.wait(t, c.attempts)
			for i, wait := range retries[1:c.attempts] {
				require.GreaterOrEqual(t, got[i+1].at.Sub(got[i].at), wait)
				require.Equal(t, got[0].raw, got[i+1].raw, "the same bytes, or nobody could tell a repeat")
			}
			require.Eventually(t, func() bool { return logs.Len() == c.givenUp }, 5*time.Second, 2*time.Millisecond)
			require.Never(t, func() bool { return len(in.all()) > c.attempts }, 80*time.Millisecond, 10*time.Millisecond)
		})
	}
}

func TestOneThatWaitsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	in := newIngress(t, func(n int) int { return map[bool]int{true: 500, false: 202}[n == 1] })
	a := open(t, openmoove.Config{IngressURL: in.url, WebhookSecret: "s"}) // the vendor's ten seconds
	a.create(nil)
	in.wait(t, 1)
	a.create(nil)
	require.Equal(t, openmoove.PropertyCreated, in.wait(t, 2)[1].event)
}

func TestResetGivesUpWhatWaits(t *testing.T) {
	t.Parallel()
	in := newIngress(t, func(int) int { return 500 })
	a := open(t, openmoove.Config{IngressURL: in.url, WebhookSecret: "s", Retries: []time.Duration{0, 400 * time.Millisecond}})
	a.create(nil)
	in.wait(t, 1)
	a.server.Reset()
	require.Never(t, func() bool { return len(in.all()) > 1 }, 600*time.Millisecond, 10*time.Millisecond)
}

func TestAWebhookCanOvertakeTheReply(t *testing.T) {
	t.Parallel()
	told, answer := make(chan string, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Data object }
		_ = json.NewDecoder(r.Body).Decode(&body)
		told <- id(body.Data)
		<-answer
	}))
	t.Cleanup(server.Close)
	a := open(t, openmoove.Config{IngressURL: server.URL, WebhookSecret: "s"})
	a.server.SetOptions(openmoove.Options{WebhookFirst: true})
	made := make(chan object, 1)
	go func() {
		defer close(made)
		made <- a.create(nil)
	}()
	property := <-told
	require.Never(t, func() bool { return len(made) > 0 }, 50*time.Millisecond, 10*time.Millisecond, "the reply waits for the webhook's answer")
	close(answer)
	require.Equal(t, id(<-made), property)
}

func TestNoSecretNoWebhooks(t *testing.T) {
	t.Parallel()
	in := newIngress(t, nil)
	a := open(t, openmoove.Config{IngressURL: in.url})
	a.server.SetOptions(openmoove.Options{WebhookFirst: true})
	a.create(nil)
	_, _, err := a.server.Post(t.Context(), []byte(`{}`))
	require.ErrorIs(t, err, openmoove.ErrNoSecret)
	require.Never(t, func() bool { return len(in.all()) > 0 }, 50*time.Millisecond, 10*time.Millisecond)
}

func TestManyWebhooksAllArrive(t *testing.T) {
	t.Parallel()
	in := newIngress(t, nil)
	a := open(t, openmoove.Config{IngressURL: in.url, WebhookSecret: "s", Limits: "100000/1h"})
	for range 300 {
		a.create(nil)
	}
	got := in.wait(t, 300)
	seen := map[string]bool{}
	for _, h := range got {
		seen[id(h.data)] = true
	}
	require.Len(t, seen, 300)
}

func TestWebhooksSwitchedOffAreNeverTold(t *testing.T) {
	t.Parallel()
	in := newIngress(t, func(n int) int { return map[bool]int{true: 500, false: 202}[n == 1] })
	a := open(t, openmoove.Config{IngressURL: in.url, WebhookSecret: "s", Retries: []time.Duration{0, 500 * time.Millisecond}})
	a.create(nil)
	in.wait(t, 1) // its retry waits
	require.NoError(t, a.server.SetOptions(openmoove.Options{WithoutWebhooks: true, WebhookFirst: true}))
	a.create(nil)
	_, err := a.server.SetStatus("1", "Under offer")
	require.NoError(t, err)
	_, _, err = a.server.Post(t.Context(), []byte(`{}`))
	require.ErrorIs(t, err, openmoove.ErrSwitchedOff)
	require.ErrorIs(t, a.server.WebhooksStopped(), openmoove.ErrSwitchedOff)
	require.Never(t, func() bool { return len(in.all()) > 1 }, 700*time.Millisecond, 10*time.Millisecond)

	require.NoError(t, a.server.SetOptions(openmoove.Options{}))
	require.NoError(t, a.server.WebhooksStopped())
	_, err = a.server.SetStatus("1", "Sold")
	require.NoError(t, err)
	told := in.wait(t, 2)[1]
	require.Equal(t, "Sold", told.data["property"].(object)["status"], "only what happens from now on")
	require.Len(t, a.server.ChangesAfter(0), 4, "all of it is in the log")

	require.NoError(t, a.server.SetOptions(openmoove.Options{WithoutWebhooks: true}))
	a.server.Reset()
	a.create(nil)
	require.Equal(t, openmoove.PropertyCreated, in.wait(t, 3)[2].event)
}
