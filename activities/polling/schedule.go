package polling

import (
	"hash/fnv"
	"time"

	"github.com/aictive/keyholder/store"
)

const (
	// jitter is by how much of its target a sale is read early at most: sales that
	// were once read together drift apart.
	jitter = 0.1
	// patience is how often a failed read doubles the time until the next.
	patience = 4
)

// Class is the class of a sale whose earliest open due date is nextDue (zero for
// none), and when that class ends by itself (zero for never). All business time.
func (r Rules) Class(nextDue, now time.Time) (class store.WatchClass, turnsAt time.Time) {
	soon := nextDue.Add(-r.SoonWithin)
	switch {
	case nextDue.IsZero():
		return store.WatchRest, time.Time{}
	case !now.Before(nextDue):
		return store.WatchOverdue, time.Time{}
	case !now.Before(soon):
		return store.WatchDueSoon, nextDue
	}
	return store.WatchRest, soon
}

// Schedule sets a watch's Class, TurnsAt and DueAt by what else it holds, at a
// business time. Call it after each read and failure, and when the class
// turns.
func (r Rules) Schedule(w store.Watch, business time.Time) store.Watch {
	w.Class, w.TurnsAt = r.Class(w.NextDue, business)
	w.DueAt = r.dueAt(w)
	return w
}

func (r Rules) dueAt(w store.Watch) time.Time {
	target := r.Target(w.Class)
	share := fraction(w.PropertyID)
	if w.Failures > 0 {
		return w.FailedAt.Add(early(target, share) << min(w.Failures-1, patience))
	}
	if w.ReadAt.IsZero() {
		// Sales that are added at once are read one after the other.
		return w.AddedAt.Add(time.Duration(share * float64(target)))
	}
	return w.ReadAt.Add(early(target, share))
}

// early is the target less a sale's own part of the jitter.
func early(target time.Duration, share float64) time.Duration {
	return target - time.Duration(share*jitter*float64(target))
}

// fraction is from 0 to below 1, even over ids and always the same for one.
func fraction(id string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // a hash takes everything
	// FNV of short texts is even in its low bits alone: mix them upwards.
	sum := h.Sum64() * 0x9E3779B97F4A7C15
	sum ^= sum >> 32
	sum *= 0xD6E8FEB86659FD93
	return float64(sum>>11) / (1 << 53)
}

// WasRead is the watch after a read that began at a real time: of milestones, and
// of status and team where detail is true. Set NextDue and the digests beside it.
func WasRead(w store.Watch, began time.Time, detail bool) store.Watch {
	w.ReadAt, w.FailedAt, w.Failures = began, time.Time{}, 0
	w.Reads++
	if detail {
		w.Reads = 0
	}
	return w
}

// HasFailed is the watch after a read that began at a real time and failed. Each
// failure in a row doubles the time until the next read, up to 16 times.
func HasFailed(w store.Watch, began time.Time) store.Watch {
	w.FailedAt = began
	w.Failures++
	return w
}
