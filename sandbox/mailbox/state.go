package mailbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// saved is the form of a snapshot.
type saved struct {
	Mails      []savedMail `json:"mails"`
	LastID     int         `json:"last_id"`
	Known      []string    `json:"known"`
	Duplicates int         `json:"duplicates"`
}

// savedMail has the bytes of the attachments beside the mail, in their order.
type savedMail struct {
	Mail
	Data [][]byte `json:"data"`
}

// Snapshot is all mails and what tells duplicates, as JSON for Restore.
func (s *Server) Snapshot() (json.RawMessage, error) { return json.Marshal(s.copy()) }

// copy holds the lock only as long as copying takes, not as long as encoding.
func (s *Server) copy() saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := saved{LastID: s.nextID, Known: slices.Sorted(maps.Keys(s.known)), Duplicates: s.duplicates}
	for _, m := range s.mails {
		kept := savedMail{Mail: m}
		for _, a := range m.Attachments {
			kept.Data = append(kept.Data, a.Data)
		}
		out.Mails = append(out.Mails, kept)
	}
	return out
}

// Restore replaces all mails by those of a snapshot; ids go on after the last
// that was given out. On an error nothing has changed.
func (s *Server) Restore(snapshot json.RawMessage) error {
	var in saved
	if err := json.Unmarshal(snapshot, &in); err != nil {
		return fmt.Errorf("the mails: %w", err)
	}
	var mails []Mail
	stored, last := 0, in.LastID
	for _, from := range in.Mails {
		m := from.Mail
		if len(from.Data) != len(m.Attachments) {
			return errors.New("the mails: one lacks an attachment")
		}
		for i := range m.Attachments {
			m.Attachments[i].Data = from.Data[i]
		}
		mails, stored, last = append(mails, m), stored+m.size(), max(last, m.ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails, s.stored, s.nextID, s.duplicates = mails, stored, last, in.Duplicates
	s.known = map[string]struct{}{}
	for _, id := range in.Known {
		s.known[id] = struct{}{}
	}
	s.trim()
	return nil
}
