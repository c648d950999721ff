package cluster_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/aictive/keyholder/cluster"
)

const webUI = "http://localhost:8233"

func ask(t *testing.T, h http.Handler, method, path, body string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	req.Header = header
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

func TestCodecHandlerGuards(t *testing.T) {
	t.Parallel()
	open := cluster.CodecHandler(keys(t, key("k", 1)), []string{webUI}, "")
	guarded := cluster.CodecHandler(keys(t, key("k", 1)), []string{webUI}, "s3cret")
	for name, tc := range map[string]struct {
		handler http.Handler
		method  string
		header  http.Header
		status  int
	}{
		"the Web UI":               {open, http.MethodPost, http.Header{"Origin": {webUI}}, http.StatusOK},
		"its preflight":            {open, http.MethodOptions, http.Header{"Origin": {webUI}}, http.StatusNoContent},
		"another page":             {open, http.MethodPost, http.Header{"Origin": {"http://evil.test"}}, http.StatusForbidden},
		"its preflight too":        {open, http.MethodOptions, http.Header{"Origin": {"http://evil.test"}}, http.StatusForbidden},
		"a sandboxed page":         {open, http.MethodPost, http.Header{"Origin": {"null"}}, http.StatusForbidden},
		"no page, no token":        {open, http.MethodPost, http.Header{}, http.StatusForbidden},
		"only POST":                {open, http.MethodGet, http.Header{"Origin": {webUI}}, http.StatusNotFound},
		"token, none sent":         {guarded, http.MethodPost, http.Header{"Origin": {webUI}}, http.StatusUnauthorized},
		"token, wrong":             {guarded, http.MethodPost, http.Header{"Authorization": {"Bearer no"}}, http.StatusUnauthorized},
		"token, right":             {guarded, http.MethodPost, http.Header{"Authorization": {"Bearer s3cret"}}, http.StatusOK},
		"token, preflight":         {guarded, http.MethodOptions, http.Header{"Origin": {webUI}}, http.StatusNoContent},
		"token from another page":  {guarded, http.MethodPost, http.Header{"Authorization": {"Bearer s3cret"}, "Origin": {"http://evil.test"}}, http.StatusForbidden},
		"token from the Web UI":    {guarded, http.MethodPost, http.Header{"Authorization": {"Bearer s3cret"}, "Origin": {webUI}}, http.StatusOK},
		"no origins and no token":  {cluster.CodecHandler(cluster.Keys{}, nil, ""), http.MethodPost, http.Header{"Origin": {webUI}}, http.StatusForbidden},
		"empty bearer, empty list": {cluster.CodecHandler(cluster.Keys{}, nil, ""), http.MethodPost, http.Header{"Authorization": {"Bearer "}}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := ask(t, tc.handler, tc.method, "/decode", `{"payloads":[]}`, tc.header)
			require.Equal(t, tc.status, resp.Code)
			if tc.status == http.StatusForbidden {
				require.Empty(t, resp.Header().Get("Access-Control-Allow-Origin"))
			}
		})
	}
}

func TestCodecHandlerDecodes(t *testing.T) {
	t.Parallel()
	k := keys(t, key("k", 1))
	h := cluster.CodecHandler(k, []string{webUI}, "")
	body, err := protojson.Marshal(&commonpb.Payloads{Payloads: []*commonpb.Payload{encode(t, k, "hello")}})
	require.NoError(t, err)
	resp := ask(t, h, http.MethodPost, "/decode", string(body), http.Header{"Origin": {webUI}})
	require.Equal(t, http.StatusOK, resp.Code)
	require.Equal(t, webUI, resp.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "no-store", resp.Header().Get("Cache-Control"))
	var opened commonpb.Payloads
	require.NoError(t, protojson.Unmarshal(resp.Body.Bytes(), &opened))
	var said string
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(opened.Payloads[0], &said))
	require.Equal(t, "hello", said)

	// A key that is gone is said, not hidden.
	resp = ask(t, cluster.CodecHandler(keys(t, key("other", 2)), []string{webUI}, ""), http.MethodPost, "/decode", string(body), http.Header{"Origin": {webUI}})
	require.Equal(t, http.StatusBadRequest, resp.Code)
	require.Contains(t, resp.Body.String(), `"k"`)

	// A body without end is refused.
	resp = ask(t, h, http.MethodPost, "/decode", strings.Repeat("x", 33<<20), http.Header{"Origin": {webUI}})
	require.Equal(t, http.StatusBadRequest, resp.Code)
	require.Contains(t, resp.Body.String(), "too large")
}
