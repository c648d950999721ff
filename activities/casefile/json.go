package casefile

import (
	"encoding/json"
	"io"
	"time"
)

// The case file as JSON. Times are UTC.
type (
	jsonCase struct {
		Entity  string      `json:"entity"`
		Company string      `json:"company,omitempty"`
		Written time.Time   `json:"written,omitzero"`
		Chains  []jsonChain `json:"chains"`
		// Cut tells that there are more entries than these.
		Cut     bool        `json:"cut,omitempty"`
		Entries []jsonEntry `json:"entries"`
	}
	jsonChain struct {
		Entity   string      `json:"entity"`
		Length   int64       `json:"length"`
		Head     string      `json:"head"`
		Verified bool        `json:"verified"`
		Faults   []jsonFault `json:"faults,omitempty"`
	}
	jsonFault struct {
		Seq int64  `json:"seq"`
		Why string `json:"why"`
	}
	jsonEntry struct {
		At      time.Time `json:"at"`
		Entity  string    `json:"entity"`
		Seq     int64     `json:"seq"`
		Kind    string    `json:"kind"`
		Actor   string    `json:"actor,omitempty"`
		What    string    `json:"what"`
		Partner string    `json:"partner,omitempty"`
		Ref     string    `json:"ref,omitempty"`
		Links   []string  `json:"links,omitempty"`
		Step    string    `json:"step,omitempty"`
		RunID   string    `json:"run_id,omitempty"`
		ID      string    `json:"id"`
		Subject string    `json:"subject,omitempty"`
		Details string    `json:"details,omitempty"`
		Erased  bool      `json:"erased,omitempty"`
		Prev    string    `json:"prev"`
		Hash    string    `json:"hash"`
	}
)

// JSON writes the case file as one indented object. The error is w's.
func (c Case) JSON(w io.Writer) error {
	out := jsonCase{Entity: c.Entity, Company: c.Company, Written: c.Written.UTC(), Cut: c.Cut, Chains: []jsonChain{}, Entries: []jsonEntry{}}
	for _, chain := range c.Chains {
		j := jsonChain{Entity: chain.Head.Entity, Length: chain.Head.Seq, Head: chain.Head.Hash, Verified: chain.Holds()}
		for _, f := range chain.Faults {
			j.Faults = append(j.Faults, jsonFault{f.Seq, f.Why})
		}
		out.Chains = append(out.Chains, j)
	}
	for _, e := range c.timeline() {
		j := jsonEntry{
			At: e.At.UTC(), Entity: e.Entity, Seq: e.Seq, Kind: string(e.Kind), Actor: e.Actor, What: e.What, Partner: e.Partner, Ref: e.Ref,
			Links: e.Links, Step: e.Step, RunID: e.RunID, ID: e.ID, Subject: e.Subject, Erased: e.Erased, Prev: e.Prev, Hash: e.Hash,
		}
		if c.Details {
			j.Details = e.Details
		}
		out.Entries = append(out.Entries, j)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}
