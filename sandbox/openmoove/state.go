package openmoove

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// saved is the form of a snapshot. Accounts, ids of people and duplicates follow from
// the properties.
type saved struct {
	// Changes counts all changes up to the snapshot; later ones are in the journal.
	Changes       int64             `json:"changes"`
	LastProperty  int               `json:"last_property"`
	LastMilestone int               `json:"last_milestone"`
	Properties    []json.RawMessage `json:"properties"`
}

// journaled is one line of the journal: a property as it stands after the change with
// that number.
type journaled struct {
	Change   int64           `json:"change"`
	Property json.RawMessage `json:"property"`
}

// encode is a property's JSON in snapshots and the journal, without the milestones'
// words where they are the template's.
func (p *Property) encode() json.RawMessage {
	short := p.copy()
	for i := range short.Milestones {
		m := &short.Milestones[i]
		if s, ok := stepNamed(p.Method, m.Name); ok && m.Description == s.description && m.AssignedTo == s.assignedTo {
			m.Description, m.AssignedTo = "", ""
		}
	}
	raw, err := json.Marshal(short)
	if err != nil {
		return nil // cannot be: there is nothing in it that JSON has no form for
	}
	return raw
}

// decode reads what encode has written.
func decode(raw json.RawMessage) (*Property, error) {
	p := &Property{}
	if err := json.Unmarshal(raw, p); err != nil {
		return nil, err
	}
	if p.ID < 1 || p.TransactionID == "" {
		return nil, errors.New("a property without its ids")
	}
	for i := range p.Milestones {
		m := &p.Milestones[i]
		if s, ok := stepNamed(p.Method, m.Name); ok && m.Description == "" && m.AssignedTo == "" {
			m.Name, m.Description, m.AssignedTo = s.name, s.description, s.assignedTo
		}
	}
	p.raw = raw
	return p, nil
}

func stepNamed(method, name string) (step, bool) {
	for _, s := range steps(method) {
		if s.name == name {
			return s, true
		}
	}
	return step{}, false
}

// commit puts a property in its place and into the journal. It runs under the lock,
// so the journal has the changes in their order.
func (s *Server) commit(p *Property) {
	p.raw = p.encode()
	s.put(p)
	s.changes++
	if s.cfg.Journal == nil {
		return
	}
	line := make([]byte, 0, len(p.raw)+64)
	line = append(line, `{"change":`...)
	line = strconv.AppendInt(line, s.changes, 10)
	line = append(line, `,"property":`...)
	line = append(line, p.raw...)
	s.cfg.Journal(s.changes, append(line, "}\n"...))
}

// Snapshot is all properties and which ids were given out, as JSON for Restore, and
// how many changes it holds. Properties are encoded when they change, not here.
func (s *Server) Snapshot() (snapshot json.RawMessage, changes int64) {
	s.mu.Lock()
	properties := append([]*Property(nil), s.properties...)
	head := fmt.Sprintf(`{"changes":%d,"last_property":%d,"last_milestone":%d,"properties":[`, s.changes, s.lastProperty, s.lastMilestone)
	changes = s.changes
	s.mu.Unlock()
	size := len(head) + 2
	for _, p := range properties {
		size += len(p.raw) + 1
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	out.WriteString(head)
	for i, p := range properties {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(p.raw)
	}
	out.WriteString("]}")
	return out.Bytes(), changes
}

// Restore replaces all properties by those of a snapshot. Ids go on after the highest
// that was given out. On an error nothing has changed.
func (s *Server) Restore(snapshot json.RawMessage) error {
	var in saved
	if err := json.Unmarshal(snapshot, &in); err != nil {
		return fmt.Errorf("openmoove's properties: %w", err)
	}
	fresh := s.fresh(max(s.cfg.IDsAfter, in.LastProperty), max(s.cfg.IDsAfter, in.LastMilestone))
	clear(fresh.uuids)
	clear(fresh.alikes)
	fresh.properties, fresh.duplicates = nil, 0
	for _, raw := range in.Properties {
		p, err := decode(raw)
		if err != nil {
			return fmt.Errorf("openmoove's properties: %w", err)
		}
		if _, twice := fresh.at(p.ID); twice {
			return fmt.Errorf("openmoove's properties: %d is there twice", p.ID)
		}
		fresh.put(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db, s.changes = fresh, in.Changes
	return nil
}

// Replay makes a change again that the journal holds; one that the snapshot held
// already is left out.
func (s *Server) Replay(line []byte) error {
	var c journaled
	if err := json.Unmarshal(line, &c); err != nil {
		return fmt.Errorf("openmoove's journal: %w", err)
	}
	p, err := decode(c.Property)
	if err != nil {
		return fmt.Errorf("openmoove's journal: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Change > s.changes {
		s.put(p)
		s.changes = c.Change
	}
	return nil
}
