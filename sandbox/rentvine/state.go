package rentvine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// savedTables are those that a call can change; the others are always the seed.
func savedTables() []string {
	return append([]string{"properties", "owners", "vendors", "charges", "workOrders", "files", "chat"}, laterTables()...)
}

// laterTables are missing in older snapshots; then they have their seed.
func laterTables() []string {
	return []string{"leases", "tenants", "transactions", "inspections", "portfolios", "units", "bills", "prospects"}
}

// saved is the form of a snapshot.
type saved struct {
	Tables        map[string]savedTable `json:"tables"`
	Files         map[int]savedFile     `json:"files"`
	Notifications []VendorNotification  `json:"notifications"`
	Created       map[string]int        `json:"created"`
	Duplicates    int                   `json:"duplicates"`
	// Moves are the days of moving out by lease, in older snapshots without leases.
	Moves map[string]string `json:"moves,omitempty"`
}

type savedTable struct {
	Last int            `json:"last"`
	Rows map[int]record `json:"rows"`
}

type savedFile struct {
	ContentType  string `json:"content_type"`
	Data         []byte `json:"data"`
	ObjectTypeID string `json:"object_type_id"`
	ObjectID     string `json:"object_id"`
}

// Snapshot is everything that differs from the seed, as JSON for Restore.
func (s *Server) Snapshot() (json.RawMessage, error) { return json.Marshal(s.copy()) }

// copy holds the lock only as long as copying takes, not as long as encoding.
func (s *Server) copy() saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := saved{
		Tables: map[string]savedTable{}, Files: map[int]savedFile{},
		Notifications: slices.Clone(s.notifications), Created: maps.Clone(s.created), Duplicates: s.duplicates,
	}
	for _, name := range savedTables() {
		t := s.tables[name]
		rows := make(map[int]record, len(t.rows))
		for id, r := range t.rows {
			rows[id] = maps.Clone(r)
		}
		out.Tables[name] = savedTable{Last: t.last, Rows: rows}
	}
	for id, c := range s.content {
		out.Files[id] = savedFile{ContentType: c.contentType, Data: c.data, ObjectTypeID: c.objectTypeID, ObjectID: c.objectID}
	}
	return out
}

// Restore replaces all records by those of a snapshot. Ids go on after the
// highest that was given out. On an error nothing has changed.
func (s *Server) Restore(snapshot json.RawMessage) error {
	d := json.NewDecoder(bytes.NewReader(snapshot))
	d.UseNumber()
	var in saved
	if err := d.Decode(&in); err != nil {
		return fmt.Errorf("rentvine's records: %w", err)
	}
	fresh := s.fresh()
	for _, name := range savedTables() {
		from, ok := in.Tables[name]
		if !ok && slices.Contains(laterTables(), name) {
			continue
		}
		if !ok {
			return fmt.Errorf("rentvine's records: no table %s", name)
		}
		t := fresh.tables[name]
		t.clear()
		for id, r := range from.Rows {
			if id < 1 || number(r[t.key]) != id {
				return fmt.Errorf("rentvine's records: table %s: a record under a wrong id", name)
			}
			t.add(r)
		}
		t.last = max(t.last, from.Last)
	}
	for id, f := range in.Files {
		if fresh.tables["files"].rows[id] != nil {
			fresh.content[id] = content{f.ContentType, f.Data, f.ObjectTypeID, f.ObjectID}
		}
	}
	fresh.notifications, fresh.duplicates = in.Notifications, in.Duplicates
	maps.Copy(fresh.created, in.Created)
	for id, day := range in.Moves {
		if lease := fresh.tables["leases"].get(id); lease != nil {
			fresh.moveOut(lease, day)
		}
	}
	for _, lease := range fresh.tables["leases"].rows {
		lease["tenants"] = texts(lease["tenants"])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db = fresh
	return nil
}

// texts are the texts of a list, which has lost its type in JSON.
func texts(v any) []string {
	if list, ok := v.([]string); ok {
		return list
	}
	out := []string{}
	list, _ := v.([]any)
	for _, e := range list {
		out = append(out, str(e))
	}
	return out
}
