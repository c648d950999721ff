package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPartIsAskedWhetherItIsReady(t *testing.T) {
	t.Parallel()
	var ready atomic.Bool
	ready.Store(true)
	part := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/healthz":
			w.WriteHeader(http.StatusNoContent)
		case !ready.Load():
			http.Error(w, "not ready: the store does not answer", http.StatusServiceUnavailable)
		}
	}))
	defer part.Close()
	address := strings.TrimPrefix(part.URL, "http://")
	require.NoError(t, healthcheck(t.Context(), address, "/readyz"))
	_, port, _ := strings.Cut(address, ":")
	require.NoError(t, healthcheck(t.Context(), ":"+port, "/readyz"), "no host is this machine")
	ready.Store(false)
	require.ErrorContains(t, healthcheck(t.Context(), address, "/readyz"), "the store does not answer")
	require.NoError(t, healthcheck(t.Context(), address, "/healthz"))
	part.Close()
	require.Error(t, healthcheck(t.Context(), address, "/readyz"))
	require.ErrorAs(t, healthcheck(t.Context(), "9090", "/readyz"), new(usageError))
}
