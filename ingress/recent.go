package ingress

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

const (
	// recentKeys bounds the memory of confirmed events (some 30 MB when full).
	recentKeys = 100_000
	// recentFor is how long a confirmed key counts, as long as in workflows.
	recentFor = 72 * time.Hour
)

// confirmed is what is remembered of an event that Temporal has confirmed.
type confirmed struct {
	result Result
	body   [sha256.Size]byte
	at     time.Time
}

// recent spares Temporal the duplicates that this process recognises. It only
// ever knows what Temporal has confirmed, so forgetting and restarting cost a
// call, not an event: the guarantee lies in the workflow.
type recent struct {
	keys   *lru.Cache[string, confirmed]
	flying singleflight.Group
	now    func() time.Time
}

func newRecent(size int, now func() time.Time) (*recent, error) {
	keys, err := lru.New[string, confirmed](size)
	if err != nil {
		return nil, err
	}
	return &recent{keys: keys, now: now}, nil
}

// once runs deliver unless the key is known. Of concurrent callers with one key
// only the first delivers; the others share its result as a duplicate, or its
// error. otherBody tells that the key was confirmed with another body.
func (r *recent) once(key string, body []byte, deliver func() (Result, error)) (result Result, otherBody bool, err error) {
	digest := sha256.Sum256(body)
	if c, ok := r.find(key); ok {
		return c.duplicate(), c.body != digest, nil
	}
	first := false
	v, err, _ := r.flying.Do(key, func() (any, error) {
		// The flight before this one may just have landed.
		if c, ok := r.find(key); ok {
			return c, nil
		}
		first = true
		result, err := deliver()
		if err != nil {
			return nil, err
		}
		c := confirmed{result: result, body: digest, at: r.now()}
		r.keys.Add(key, c)
		return c, nil
	})
	if err != nil {
		return Result{}, false, err
	}
	c, _ := v.(confirmed)
	if first {
		return c.result, false, nil
	}
	return c.duplicate(), c.body != digest, nil
}

func (r *recent) find(key string) (confirmed, bool) {
	c, ok := r.keys.Get(key)
	return c, ok && r.now().Sub(c.at) <= recentFor
}

func (c confirmed) duplicate() Result {
	return Result{Outcome: Duplicate, WorkflowID: c.result.WorkflowID, RunID: c.result.RunID}
}
