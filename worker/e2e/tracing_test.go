package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// One trace leads from a webhook through the workflow to each call of a partner, on
// through the end of a worker; the next webhook about the same order has its own, and no
// span says anything personal.
func TestOneTraceFromTheWebhookToThePartners(t *testing.T) {
	t.Parallel()
	c := e2e.NewCollector()
	t.Cleanup(c.Close)
	s := start(t, e2e.Options{Args: []string{"--without", "worker,ingress", "--policy", steady(t)}, Env: c.Env()})
	door, err := s.IngressBeside(t.Context(), strings.TrimPrefix(s.Ingress, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = door.Kill() }) // where the test did not come to its end
	first := worker(t, s)

	id := emergency(t, s, nil)
	begins := of("SignalWithStartWorkflow:maintenance.work_order", id)
	page(t, s, alma, 1)
	requireSpans(t, c, begins, "POST /webhooks/rentvine", "RunActivity:", "rentvine.get_work_order", "twilio.send")
	// Nothing is under way: what a killed worker was doing would wait for its time-out.
	_, err = s.Until(t.Context(), id, func(d maintenance.Description) bool {
		return d.Stage == maintenance.StagePaging && len(d.Pages) == 1 && d.UnderWay == 0
	}, 3*soon)
	require.NoError(t, err)
	require.NoError(t, first.Kill())

	second := worker(t, s)
	reply(t, s, alma, "1")
	_, err = s.WaitForText(t.Context(), "EMERGENCY JOB", maria, 3*soon)
	require.NoError(t, err)
	requireSpans(t, c, begins, "rentvine.update_work_order") // the end would overtake it
	require.NoError(t, s.SetStatus(t.Context(), id, "Cancelled"))
	require.NoError(t, s.UntilClosed(t.Context(), id, 3*soon))
	require.NoError(t, second.Stop(20*time.Second))
	require.NoError(t, door.Stop(20*time.Second))
	said := door.Output()

	trace := requireSpans(t, c, begins, "POST /webhooks/rentvine", "SignalWithStartWorkflow:", "HandleSignal:", "RunWorkflow:maintenance.work_order",
		"StartActivity:", "RunActivity:", "rentvine.get_work_order", "rentvine.update_work_order", "twilio.send")
	requireJoined(t, trace)
	webhook := trace[indexOf(trace, "POST /webhooks/rentvine")]
	require.Equal(t, "keyholder-ingress", webhook.Service)
	require.Equal(t, "accepted", webhook.Attributes["keyholder.reason"])
	require.Empty(t, webhook.Parent)
	sent := trace[indexOf(trace, "twilio.send")]
	require.Equal(t, "keyholder-worker", sent.Service)
	require.Equal(t, "twilio", sent.Attributes["keyholder.partner"])
	require.Contains(t, sent.Attributes["http.response.status_code"], "201")
	require.Contains(t, said, `"trace_id"`)

	// The end of the order came by a webhook of its own; answers of people have others.
	told := func(s e2e.Span) bool {
		return strings.HasPrefix(s.Name, "HandleSignal:") && s.Trace != webhook.Trace && about(s, id) &&
			indexOf(c.TraceOf(func(o e2e.Span) bool { return o.Trace == s.Trace }), webhook.Name) >= 0
	}
	require.True(t, slices.ContainsFunc(c.Spans(), told), "%v", names(c.Spans()))
	requireNothingPersonal(t, c.Spans())
}

// of fits the span of that name for a work order.
func of(name, id string) func(e2e.Span) bool {
	return func(s e2e.Span) bool { return s.Name == name && about(s, id) }
}

func about(s e2e.Span, id string) bool {
	return s.Attributes["temporalWorkflowID"] == maintenance.WorkOrderID(id)
}

// requireSpans waits until the trace has spans whose names begin so.
func requireSpans(t *testing.T, c *e2e.Collector, fits func(e2e.Span) bool, beginnings ...string) (trace []e2e.Span) {
	t.Helper()
	for end := time.Now().Add(3 * soon); ; time.Sleep(50 * time.Millisecond) {
		trace = c.TraceOf(fits)
		missing := slices.IndexFunc(beginnings, func(name string) bool { return indexOf(trace, name) < 0 })
		if missing < 0 {
			return trace
		}
		require.True(t, time.Now().Before(end), "no span %s among %v", beginnings[missing], names(trace))
	}
}

// requireJoined asserts that each span hangs below another one, but for the root and for
// what the killed worker had begun and could not send.
func requireJoined(t *testing.T, trace []e2e.Span) {
	t.Helper()
	known := map[string]bool{}
	for _, s := range trace {
		known[s.ID] = true
	}
	roots := 0
	lost := map[string]bool{}
	for _, s := range trace {
		if s.Parent == "" {
			roots++
		} else if !known[s.Parent] {
			lost[s.Parent] = true
		}
	}
	require.Equal(t, 1, roots)
	// The first worker's run of the workflow, and at most what it was sending then.
	require.LessOrEqual(t, len(lost), 3)
}

func requireNothingPersonal(t *testing.T, spans []e2e.Span) {
	t.Helper()
	require.Greater(t, len(spans), 20)
	for _, s := range spans {
		text := s.Name + "\n" + s.Said
		for name, value := range s.Attributes {
			if name != "temporalRunID" { // hexadecimal by chance, where any digits may meet
				text += "\n" + value
			}
		}
		for _, word := range personal() {
			require.NotContains(t, text, word, "span %s", s.Name)
		}
		require.NotContains(t, text, "://", "span %s holds an address", s.Name)
	}
}

func indexOf(spans []e2e.Span, beginning string) int {
	for i, s := range spans {
		if strings.HasPrefix(s.Name, beginning) {
			return i
		}
	}
	return -1
}

func names(spans []e2e.Span) (list []string) {
	for _, s := range spans {
		list = append(list, s.Name)
	}
	return list
}
