package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"time"
)

const maxRequest = 32 << 20

// door stands before a partner that is mounted at a path: it notes each call and
// lets faults strike.
func (s *Sandbox) door(partner, mount string, inside http.Handler) http.Handler {
	inside = http.StripPrefix(mount, inside)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
			}
			return // the caller broke off
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		fault := s.faults.wire(partner, r.Method)
		call := Call{
			Time: time.Now().UTC(), Partner: partner, Method: r.Method,
			Path: r.URL.RequestURI(), Body: loggable(body), Fault: fault.name(),
		}
		defer func() {
			s.calls.add(call)
			// A read at most marks chat messages as read, which waits for the next change.
			if r.Method == http.MethodGet {
				s.seen()
				return
			}
			s.changed()
		}()
		if !pause(r, fault.latency()) {
			return
		}
		if fault.Status != 0 {
			call.Status = fault.Status
			refuse(w, partner, fault)
			return
		}
		answer := &answer{header: http.Header{}, status: http.StatusOK}
		inside.ServeHTTP(answer, r)
		call.Status = answer.status
		switch {
		case fault.ResetAfterCommit:
			reset(w)
		case fault.MalformedBody:
			answer.header.Del("Content-Length")
			answer.send(w, answer.body.Bytes()[:answer.body.Len()/2])
		default:
			answer.send(w, answer.body.Bytes())
		}
	})
}

// pause waits and tells whether the caller is still there.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func refuse(w http.ResponseWriter, partner string, f Fault) {
	if d, err := time.ParseDuration(f.RetryAfter); err == nil {
		w.Header().Set("Retry-After", fmt.Sprint(int(math.Ceil(d.Seconds()))))
	}
	body := map[string]any{"error": "a fault of the sandbox"}
	switch partner {
	case OpenMoove:
		body = map[string]any{"detail": openMooveDetail(f)}
	case QuickBooks:
		problem := map[string]string{"Message": "A fault of the sandbox", "Detail": "", "code": "10000"}
		body = map[string]any{"Fault": map[string]any{"Error": []any{problem}, "type": "SystemFault"}}
	case LLM:
		body = map[string]any{"error": map[string]any{"message": "a fault of the sandbox", "type": "server_error", "param": nil, "code": nil}}
	case Twilio:
		code := map[int]int{401: 20003, 403: 20403, 404: 20404, 429: 20429, 503: 20503}[f.Status]
		if code == 0 {
			code = 20500
		}
		body = map[string]any{"code": code, "message": "a fault of the sandbox", "status": f.Status, "more_info": ""}
	}
	respond(w, f.Status, body)
}

// reset breaks the connection without an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset rather than an orderly end
	}
	_ = conn.Close()
}

// answer holds what a partner answers until it is known whether it may be sent.
type answer struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

// Header is the answer's header.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the first status.
func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

// Write keeps a part of the body.
func (a *answer) Write(p []byte) (int, error) {
	a.wrote = true
	return a.body.Write(p)
}

func (a *answer) send(w http.ResponseWriter, body []byte) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // fails where the caller has gone
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails where the caller has gone
}
