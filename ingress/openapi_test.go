package ingress

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"
)

// contract is the OpenAPI document as a judge of requests and answers.
type contract struct {
	doc    *openapi3.T
	router routers.Router
}

func newContract(t *testing.T) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPIDocument)
	require.NoError(t, err)
	router, err := gorillamux.NewRouter(doc)
	require.NoError(t, err)
	return &contract{doc: doc, router: router}
}

func (c *contract) input(t *testing.T, method, path string, h http.Header, body string) *openapi3filter.RequestValidationInput {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	maps.Copy(req.Header, h)
	route, params, err := c.router.FindRoute(req)
	require.NoError(t, err, "%s %s is not in the document", method, path)
	return &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
}

func (c *contract) requireRequest(t *testing.T, method, path string, h http.Header, body string) {
	t.Helper()
	require.NoError(t, openapi3filter.ValidateRequest(t.Context(), c.input(t, method, path, h, body)))
}

func (c *contract) requireAnswer(t *testing.T, method, path string, a httpReply) {
	t.Helper()
	err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: c.input(t, method, path, nil, ""),
		Status:                 a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	require.NoError(t, err, "%s %s answered %d %s", method, path, a.status, a.body)
}

func TestOpenAPIDocumentIsValid(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	require.NoError(t, c.doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()))
}

func TestOpenAPIDocumentIsComplete(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	var served, written []string
	for _, r := range d.echo.Routes() {
		if strings.HasPrefix(r.Path, "/v1/") {
			served = append(served, r.Method+" "+strings.NewReplacer(":request_id", "{request_id}", ":id", "{id}").Replace(r.Path))
		}
	}
	for path, item := range d.contract.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			written = append(written, method+" "+path)
			require.NotEmpty(t, operation.OperationID)
			require.NotEmpty(t, operation.Summary)
			if path == "/v1/openapi.json" {
				continue
			}
			for _, code := range []int{401, 429, 503} {
				require.NotNil(t, operation.Responses.Status(code), "%s %s lacks %d", method, path, code)
			}
		}
	}
	slices.Sort(served)
	slices.Sort(written)
	require.Equal(t, served, written)
}

func TestOpenAPIDocumentIsServedToAnybody(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	a := d.call(http.MethodGet, "/v1/openapi.json", nil, nil)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, string(openAPIDocument), a.body)
}

// A check that passes everything would prove nothing.
func TestTheContractSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	wrong := func(status int, media, body string) error {
		return openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: c.input(t, http.MethodPost, "/v1/sales", nil, ""),
			Status:                 status, Header: headers("Content-Type", media), Body: io.NopCloser(strings.NewReader(body)),
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		})
	}
	require.Error(t, wrong(201, "application/json", `{"status":"created"}`), "fields are missing")
	require.Error(t, wrong(201, "application/json", `{"status":"lost","request_id":"`+strings.Repeat("a", 24)+`","workflow_id":"x"}`))
	require.Error(t, wrong(418, "application/json", `{}`), "no such status")
	require.Error(t, wrong(422, "application/problem+json", `{"type":"about:blank","title":"x","status":422,"detail":"y","secret":1}`))
	require.Error(t, openapi3filter.ValidateRequest(t.Context(), c.input(t, http.MethodPost, "/v1/sales",
		headers("Content-Type", "application/json"), `{"first_name":"John"}`)))
}
