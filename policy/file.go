package policy

import (
	"errors"
	"os"
	"sync"
	"time"
)

// lookEvery is how often a policy file is looked at for changes (real time).
const lookEvery = 2 * time.Second

// File is a policy that follows its file and the directory named there: an edit of
// either applies to the next decision, without a restart. An edit with mistakes is
// told and leaves the last good policy in force.
type File struct {
	path  string
	wrong func(error)

	mu     sync.Mutex
	policy *Policy
	lookAt time.Time
	// seen is what was read last, whether it could be used or not.
	seen sight
}

// stamp is what a changed file cannot share with its former self; zero where there
// is no file.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(info os.FileInfo) stamp { return stamp{info.ModTime(), info.Size()} }

// sight is what the files of a policy looked like just before they were read.
type sight struct {
	policy stamp
	// path is the directory's, "" where the policy has none.
	path      string
	directory stamp
}

// Open loads the policy and follows it from then on; wrong is told of every edit
// that cannot be used. The errors are those of Load.
func Open(path string, wrong func(error)) (*File, error) {
	p, seen, err := read(path)
	if err != nil {
		return nil, err
	}
	return &File{path: path, wrong: wrong, policy: p, seen: seen}, nil
}

// For is what applies to a property now; see Policy.For.
func (f *File) For(portfolioID, propertyID string) Settings {
	return f.Current().For(portfolioID, propertyID)
}

// Current is the policy as its files say it now, else the last good one.
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
	if !f.changed() {
		return
	}
	p, seen, err := read(f.path)
	if err != nil {
		var invalid *InvalidError
		if !errors.As(err, &invalid) && errors.Is(err, os.ErrNotExist) {
			return // it went away just now
		}
		f.seen = seen
		f.wrong(err)
		return
	}
	f.policy, f.seen = p, seen
}

// changed tells whether a file is another than was read. A file that is gone is
// none: an editor may be replacing it.
func (f *File) changed() bool {
	info, err := os.Stat(f.path)
	if err != nil {
		return false
	}
	if stampOf(info) != f.seen.policy {
		return true
	}
	if f.seen.path == "" {
		return false
	}
	info, err = os.Stat(f.seen.path)
	return err == nil && stampOf(info) != f.seen.directory
}
