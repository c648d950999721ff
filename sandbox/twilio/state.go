package twilio

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// saved is the form of a snapshot. What makes a text a duplicate follows from
// the messages.
type saved struct {
	Messages   []savedMessage `json:"messages"`
	OptedOut   []string       `json:"opted_out"`
	Duplicates int            `json:"duplicates"`
}

type savedMessage struct {
	Message
	Service  string `json:"service,omitempty"`
	Callback string `json:"callback,omitempty"`
}

// Snapshot is all messages, opt-outs and the count of duplicates, as JSON for
// Restore.
func (s *Server) Snapshot() (json.RawMessage, error) { return json.Marshal(s.box.copy()) }

// copy holds the lock only as long as copying takes, not as long as encoding.
func (b *box) copy() saved {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := saved{Duplicates: b.duplicates, OptedOut: slices.Sorted(maps.Keys(b.optedOut))}
	for _, m := range b.messages {
		out.Messages = append(out.Messages, savedMessage{Message: *m, Service: m.service, Callback: m.callback})
	}
	return out
}

// Restore replaces all messages by those of a snapshot. Texts that were on their
// way travel on, and are reported as any other. On an error nothing has changed.
func (s *Server) Restore(snapshot json.RawMessage) error {
	var in saved
	if err := json.Unmarshal(snapshot, &in); err != nil {
		return fmt.Errorf("twilio's messages: %w", err)
	}
	s.box.reset()
	var underway []Message
	for _, from := range in.Messages {
		m := from.Message
		m.service, m.callback = from.Service, from.Callback
		s.box.add(m)
		if m.Direction == Outbound && (m.Status == "queued" || m.Status == "sent") {
			underway = append(underway, m)
		}
	}
	for _, phone := range in.OptedOut {
		s.box.setOptedOut(phone, true)
	}
	s.box.mu.Lock()
	s.box.duplicates = in.Duplicates // some may have been of texts that are gone
	s.box.mu.Unlock()
	for _, m := range underway {
		s.deliver(m)
	}
	return nil
}
