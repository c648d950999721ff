package policy

import (
	"os"
	"sync"
	"time"
)

// lookEvery is how often a policy file is looked at for changes (real time).
const lookEvery = 2 * time.Second

// File is a policy that follows its file: an edit applies to the next decision,
// without a restart. An edit with mistakes is told and leaves the last good policy
// in force.
type File struct {
	path  string
	wrong func(error)

	mu      sync.Mutex
	policy  *Policy
	seen    stamp
	lookAt  time.Time
	refused stamp
}

// stamp is what a changed file cannot share with its former self.
type stamp struct {
	modified time.Time
	size     int64
}

// Open loads the policy and follows it from then on; wrong is told of every edit
// that cannot be used. The errors are those of Load.
func Open(path string, wrong func(error)) (*File, error) {
	p, err := Load(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, wrong: wrong, policy: p}
	if info, err := os.Stat(path); err == nil {
		f.seen = stamp{info.ModTime(), info.Size()}
	}
	return f, nil
}

// For is what applies to a property now; see Policy.For.
func (f *File) For(portfolioID, propertyID string) Settings {
	return f.Current().For(portfolioID, propertyID)
}

// Current is the policy as the file says it now, else the last good one.
func (f *File) Current() *Policy {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); f.path != "" && f.path != BuiltIn && now.After(f.lookAt) {
		f.lookAt = now.Add(lookEvery)
		f.look()
	}
	return f.policy
}

func (f *File) look() {
	info, err := os.Stat(f.path)
	if err != nil {
		return // an editor may be replacing it
	}
	now := stamp{info.ModTime(), info.Size()}
	if now == f.seen || now == f.refused {
		return
	}
	p, err := Load(f.path)
	if err != nil {
		f.refused = now
		f.wrong(err)
		return
	}
	f.policy, f.seen, f.refused = p, now, stamp{}
}
