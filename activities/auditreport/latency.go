package auditreport

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Latency is how long something took: the median, and what 95 of 100 stayed within. Both are
// 0 where Count is. They are rounded as people would: hours to minutes, days to hours.
type Latency struct {
	Count       int
	Median, P95 time.Duration
}

// MarshalJSON writes seconds.
func (l Latency) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Count  int     `json:"count"`
		Median float64 `json:"median_seconds"`
		P95    float64 `json:"p95_seconds"`
	}{l.Count, l.Median.Seconds(), l.P95.Seconds()})
}

// latencies counts durations, rounded so that any number of them takes little room.
type latencies map[time.Duration]int

func (l latencies) add(d time.Duration) {
	unit := time.Hour
	switch {
	case d < time.Second:
		unit = time.Millisecond
	case d < time.Minute:
		unit = 10 * time.Millisecond
	case d < time.Hour:
		unit = time.Second
	case d < 48*time.Hour:
		unit = time.Minute
	}
	l[max(d, 0).Round(unit)]++
}

func (l latencies) latency() Latency {
	out := Latency{}
	for _, n := range l {
		out.Count += n
	}
	out.Median, out.P95 = l.rank((out.Count+1)/2), l.rank((out.Count*95+99)/100)
	return out
}

// rank is the n-th shortest, from 1.
func (l latencies) rank(n int) time.Duration {
	for _, d := range slices.Sorted(maps.Keys(l)) {
		if n -= l[d]; n <= 0 {
			return d
		}
	}
	return 0
}
