package sandbox_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/samples"
)

func TestTheStockListCanBeReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	read := func(etag string) (int, string, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/inventory.csv", nil)
		require.NoError(t, err)
		if etag != "" {
			req.Header.Set("If-None-Match", etag)
		}
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(text), res.Header.Get("ETag")
	}
	status, text, etag := read("")
	require.Equal(t, 200, status)
	require.Equal(t, samples.Inventory(), text)
	status, _, _ = read(etag)
	require.Equal(t, 304, status)
	require.Equal(t, 400, r.call(http.MethodPut, "/_records/inventory", "", nil))
	require.Equal(t, 204, r.call(http.MethodPut, "/_records/inventory", "sku,name,quantity\nTAP,Tap,1\n", nil))
	status, text, _ = read(etag)
	require.Equal(t, 200, status)
	require.Contains(t, text, "TAP,Tap,1")
	require.Equal(t, 204, r.call(http.MethodPost, "/_reset", "", nil))
	_, text, _ = read("")
	require.Equal(t, samples.Inventory(), text)
}
