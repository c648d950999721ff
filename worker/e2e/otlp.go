package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span as a collector gets it.
type Span struct {
	// Service is the process that made it, such as "keyholder-ingress".
	Service, Name string
	// Trace, ID and Parent are its ids as bytes; Parent is "" at the root.
	Trace, ID, Parent string
	// Attributes are its own and those of its events, as text.
	Attributes map[string]string
	// Said is all free text of it beside that.
	Said string
}

// Collector takes traces by OTLP over HTTP, as Jaeger and Tempo do, and keeps them. Close
// it.
type Collector struct {
	server *httptest.Server

	mu    sync.Mutex
	spans []Span
}

// maxExport bounds one request of an exporter.
const maxExport = 16 << 20

// NewCollector listens on a free port of this machine.
func NewCollector() *Collector {
	c := &Collector{}
	c.server = httptest.NewServer(http.HandlerFunc(c.take))
	return c
}

// Env lets a process send its traces here, soon.
func (c *Collector) Env() []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.server.URL, "OTEL_BSP_SCHEDULE_DELAY=200", "OTEL_TRACES_SAMPLER=always_on"}
}

// Close stops listening.
func (c *Collector) Close() { c.server.Close() }

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxExport))
	var export collectorpb.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
		http.Error(w, "not an export of traces", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range export.ResourceSpans {
		service := texts(of.Resource.GetAttributes())["service.name"]
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, spanOf(service, s))
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func spanOf(service string, s *tracepb.Span) Span {
	said := []string{s.GetStatus().GetMessage(), s.TraceState}
	all := s.Attributes
	for _, e := range s.Events {
		said, all = append(said, e.Name), append(all, e.Attributes...)
	}
	for _, l := range s.Links {
		said, all = append(said, l.TraceState), append(all, l.Attributes...)
	}
	return Span{
		Service: service, Name: s.Name, Trace: string(s.TraceId), ID: string(s.SpanId), Parent: string(s.ParentSpanId),
		Attributes: texts(all), Said: strings.Join(said, "\n"),
	}
}

func texts(attributes []*commonpb.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range attributes {
		m[a.Key] = a.Value.GetStringValue()
		if _, text := a.Value.GetValue().(*commonpb.AnyValue_StringValue); !text {
			m[a.Key] = a.Value.String()
		}
	}
	return m
}

// Spans are all spans so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// TraceOf are the spans of the first trace with a span that fits, in the order in which
// they came.
func (c *Collector) TraceOf(fits func(Span) bool) []Span {
	all := c.Spans()
	i := slices.IndexFunc(all, fits)
	if i < 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(s Span) bool { return s.Trace != all[i].Trace })
}
