package partnertest

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// standIn is a server in the partner's place that counts what arrives.
type standIn struct {
	*httptest.Server
	requests atomic.Int32
	handler  atomic.Pointer[http.HandlerFunc]
}

func serve(t *testing.T, h http.HandlerFunc) *standIn {
	t.Helper()
	s := &standIn{}
	s.use(h)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		(*s.handler.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// use changes the answer.
func (s *standIn) use(h http.HandlerFunc) { s.handler.Store(&h) }
