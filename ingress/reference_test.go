package ingress

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows/durable"
)

var write = flag.Bool("write", false, "write docs/reference anew")

// requireReference compares a page of docs/reference with what the code says.
func requireReference(t *testing.T, file, want string) {
	t.Helper()
	file = "../docs/reference/" + file
	if *write {
		require.NoError(t, os.MkdirAll("../docs/reference", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	have, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(have), "write it anew: go test ./ingress -run Reference -write")
}

// whatEventsDo is in words what the routes say in code.
func whatEventsDo() map[string]string {
	return map[string]string{
		"rentvine property.created": "the property is read and followed; a new one gets its checklist and its requirements",
		"rentvine property.updated": "the property is read again; what has changed begins what follows from it",
		"rentvine unit.created":     "goes to the unit's property, which reads its units again",
		"rentvine unit.updated":     "goes to the unit's property: a home that is empty now is let",
		"rentvine lease.created":    "the lease is read and accompanied; its move-in begins",
		"rentvine lease.updated":    "the lease is read again; what has not happened is planned anew",

		"rentvine lease_charge.created": "the charge is booked once, checked, and told",
		"rentvine lease_charge.updated": "the charge is read again; a correction reverses an entry and posts another",
		"rentvine work_order.created":   "the report is triaged: an emergency is answered, an ordinary repair organised",
		"rentvine work_order.updated":   "the work order is read again; one that somebody has closed ends the response",
		"rentvine payment.received":     "the payment is booked once, checked, and told",
		"rentvine invoice.generated":    "the bill is booked once, checked, and told",

		"openmoove property.created":             "the sale is read and followed; its people are invited",
		"openmoove property.updated":             "the sale is read again; what has changed is told",
		"openmoove property.milestone.created":   "the sale is read again",
		"openmoove property.milestone.updated":   "the sale is read again: its due dates have moved",
		"openmoove property.milestone.completed": "the sale is read again; who waits for the milestone is told",
	}
}

func TestTheReferenceOfEventsIsComplete(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Events\n\nGenerated from `ingress/routes.go`: `go test ./ingress -run Reference -write`. An authentic event of another type is parked\n" +
		"([replay and discard parked events](../how-to/replay-parked-events.md)); one that is not signed is refused with 401. The spelling of a type does not count: `workOrderCreated` is `work_order.created`.\n\n" +
		"| source | event | workflow | id | after its end | what it does |\n|---|---|---|---|---|---|\n")
	words, rows := whatEventsDo(), 0
	for _, source := range []string{SourceRentVine, SourceOpenMoove} {
		for _, r := range Routes(source) {
			does := words[source+" "+r.Type]
			require.NotEmpty(t, does, "say in whatEventsDo what %s of %s does", r.Type, source)
			after := "is parked"
			if r.Reopens != nil {
				after = "begins a new run"
				if !r.Reopens(durable.Event{Type: r.Type, Changes: map[string]durable.Change{"description": {}}}) {
					after = "begins a new run where the status has moved, else is parked"
				}
			}
			fmt.Fprintf(&b, "| %s | `%s` | `%s` | `%s<%s>` | %s | %s |\n", source, r.Type, r.Target.Workflow, r.Target.Prefix, r.IDField, after, does)
			rows++
		}
	}
	require.Len(t, words, rows, "whatEventsDo has what no route has")
	requireReference(t, "events.md", b.String())
}

// doors are the routes beside /v1, which the OpenAPI document describes.
func doors() map[string]string {
	return map[string]string{
		"POST /webhooks/rentvine": "signed webhooks of RentVine ([events](events.md))", "POST /webhooks/openmoove": "signed webhooks of OpenMoove",
		"POST /webhooks/mail": "signed mail, `message/rfc822`: prospects and others", "POST /webhooks/twilio/message": "texts that people send, signed by Twilio",
		"POST /webhooks/twilio/status": "what became of texts, signed by Twilio", "GET /healthz": "the process lives",
		"GET /readyz":   "Temporal and the store answer; 503 says what does not",
		"GET /a/:token": "a question to one person, by signed link", "POST /a/:token": "the answer", "GET /a/:token/photo/:id": "a photo of that question",
		"GET /p/:token": "all that waits for one person", "POST /p/:token/swap": "somebody stands in for somebody else on call",
		"GET /calendar/:token": "due dates to subscribe to, iCalendar", "GET /r/:token": "the report on all sales", "GET /o/:token": "an owner's page",
		"GET /listings": "homes to let", "GET /listings/:unit": "one home, with a form", "POST /listings/:unit": "a prospect asks", "GET /listings.xml": "the feed for portals",
	}
}

func TestTheReferenceOfHTTPIsComplete(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(openAPIDocument)
	require.NoError(t, err)
	var b strings.Builder
	b.WriteString("# HTTP\n\nGenerated from `ingress/openapi.json`: `go test ./ingress -run Reference -write`. A running ingress serves the document at `/v1/openapi.json`.\n\n" +
		"## /v1\n\nFor your own programs, with `Authorization: Bearer <KEYHOLDER_API_KEY>`. Errors are `application/problem+json` (RFC 9457).\n")
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		operations := doc.Paths.Value(path).Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			describe(&b, method+" "+path, operations[method], doc.Paths.Value(path).Parameters)
		}
	}
	b.WriteString("\n## All others\n\n| route | what |\n|---|---|\n")
	for _, route := range slices.Sorted(maps.Keys(doors())) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", route, doors()[route])
	}
	requireReference(t, "http-api.md", b.String())
}

func describe(b *strings.Builder, name string, o *openapi3.Operation, shared openapi3.Parameters) {
	fmt.Fprintf(b, "\n### %s\n\n%s.\n", name, strings.TrimSuffix(o.Summary, "."))
	if o.Description != "" {
		fmt.Fprintf(b, "\n%s\n", o.Description)
	}
	head := "\n| parameter | in | meaning |\n|---|---|---|\n"
	for _, p := range append(slices.Clone(shared), o.Parameters...) {
		fmt.Fprintf(b, "%s| `%s` | %s | %s |\n", head, p.Value.Name, p.Value.In, inCell(p.Value.Description))
		head = ""
	}
	if o.RequestBody != nil {
		b.WriteString("\nTakes " + strings.Join(slices.Sorted(maps.Keys(o.RequestBody.Value.Content)), ", ") + ".\n")
		if media := o.RequestBody.Value.Content["application/json"]; media != nil && media.Schema != nil {
			fields(b, media.Schema.Value)
		}
	}
	b.WriteString("\n| answer | meaning |\n|---|---|\n")
	for _, code := range slices.Sorted(maps.Keys(o.Responses.Map())) {
		text := o.Responses.Value(code).Value.Description
		if text == nil {
			text = new(string)
		}
		fmt.Fprintf(b, "| %s | %s |\n", code, inCell(*text))
	}
}

// fields are those of a body, in order of name.
func fields(b *strings.Builder, s *openapi3.Schema) {
	head := "\n| field | type | needed | meaning |\n|---|---|---|---|\n"
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p, needed, kind := s.Properties[name].Value, "", ""
		if slices.Contains(s.Required, name) {
			needed = "yes"
		}
		if p.Type != nil {
			kind = strings.Join(p.Type.Slice(), ", ")
		}
		if p.MaxLength != nil {
			kind += ", at most " + strconv.FormatUint(*p.MaxLength, 10)
		}
		fmt.Fprintf(b, "%s| `%s` | %s | %s | %s |\n", head, name, kind, needed, inCell(p.Description))
		head = ""
	}
}

func inCell(text string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`, "<", "&lt;").Replace(strings.TrimSpace(text))
}

// TestTheReferenceKnowsAllRoutes reads the code, as which routes a server has depends on what it
// was given.
func TestTheReferenceKnowsAllRoutes(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	seen := 0
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(entry.Name())
		require.NoError(t, err)
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			for _, rest := range strings.Split(string(text), "e."+method+"(\"")[1:] {
				path, _, _ := strings.Cut(rest, "\"")
				if strings.HasPrefix(path, "/v1/") || path == "/webhooks/" {
					continue
				}
				seen++
				require.Contains(t, doors(), method+" "+path, "say in doors what it is for")
			}
		}
	}
	require.Greater(t, seen, 10)
}
