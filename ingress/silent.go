package ingress

import (
	"net"
	"net/http"
	"sync"
)

// silent are the connections that have not said anything yet. Browsers open such
// ahead of need, and net/http would wait five seconds for each at shutdown.
type silent struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func newSilent() *silent { return &silent{conns: map[net.Conn]struct{}{}} }

// watch is an http.Server's ConnState.
func (s *silent) watch(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.conns[c] = struct{}{}
		return
	}
	delete(s.conns, c)
}

// close ends them: nothing was accepted there.
func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}
