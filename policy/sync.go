package policy

import (
	"maps"
	"time"
)

// Sync is "sync" of the company's section: how what the partners hold is compared with
// what the workflows know. Durations are business time where nothing else is said.
type Sync struct {
	// TimeZone is where FullAt is meant.
	TimeZone string `json:"time_zone"`
	// Every is the time between two looks at RentVine.
	Every time.Duration `json:"every"`
	// FullAt is from when on, once a day, a look goes through everything; others go through
	// what may have changed lately.
	FullAt TimeOfDay `json:"full_at"`
	// LookBack is how far back charges and payments are looked through by the day on which
	// they were posted, FullLookBack how far once a day.
	LookBack     time.Duration `json:"look_back"`
	FullLookBack time.Duration `json:"full_look_back"`
	// Pause is the time between two calls of RentVine (real time).
	Pause time.Duration `json:"pause"`
	// Most is how many records a look tells workflows of; the rest waits for the next.
	Most int `json:"most"`
	// Conflicts are the rules of fields that both sides write, by ConflictField; see
	// ConflictRule for those that are not named.
	Conflicts map[string]ConflictRule `json:"conflicts"`
}

// On tells whether anything is compared by itself.
func (s Sync) On() bool { return s.Every > 0 }

// Sync is how the partners are compared with; see Sync.On.
func (p *Policy) Sync() Sync {
	s := p.company.Sync
	s.Conflicts = maps.Clone(s.Conflicts)
	return s
}

// Sync is how the partners are compared with now; see Policy.Sync.
func (f *File) Sync() Sync { return f.Current().Sync() }
