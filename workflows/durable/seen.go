package durable

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

const (
	// seenFor is how long an event key is remembered at least, unless seenMax
	// newer ones push it out: longer than any partner goes on retrying.
	seenFor = 72 * time.Hour
	// seenMax bounds the set, so that the state stays far below the payload limit.
	seenMax = 1000
)

// Seen remembers which events a workflow has taken, bounded by age and count.
// The zero value is empty and ready. It travels through continue-as-new.
type Seen struct {
	Events []SeenEvent `json:"events,omitempty"`
}

// SeenEvent is one remembered key and when it was first taken (UTC, real time).
type SeenEvent struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// Has tells whether the key is remembered.
func (s Seen) Has(key string) bool {
	for _, e := range s.Events {
		if e.Key == key {
			return true
		}
	}
	return false
}

// Whole tells whether no key that was taken since a time has been forgotten.
func (s Seen) Whole(since, now time.Time) bool {
	return now.Sub(since) < seenFor && len(s.Events) < seenMax
}

// Add remembers the key and tells whether it is new. It forgets keys older than
// 72 hours, and the oldest ones beyond 1,000.
func (s *Seen) Add(key string, now time.Time) bool {
	if s.Has(key) {
		return false
	}
	drop := 0
	for drop < len(s.Events) && (now.Sub(s.Events[drop].At) > seenFor || len(s.Events)-drop >= seenMax) {
		drop++
	}
	s.Events = append(s.Events[drop:], SeenEvent{Key: key, At: now})
	return true
}

// TakeOnce tells whether a workflow takes the fact with a key now for the first time.
// Keys age in real time, as partners' retries do. The audit is told.
func TakeOnce(ctx workflow.Context, s *Seen, key string) bool {
	if !s.Add(key, workflow.Now(ctx)) {
		return false
	}
	Tell(ctx, Note{Kind: NoteTook, Ref: key})
	return true
}
