package policy

import (
	"reflect"
	"time"
)

// maxTold bounds how many records one look tells workflows of.
const maxTold = 100_000

// sync checks the section; rules of conflicts hold without the rest, too, of which nothing
// or all is given.
func (c *checker) sync(s section) {
	y := s.Sync
	c.conflicts(y.Conflicts, "sync.conflicts")
	y.Conflicts = nil
	if reflect.ValueOf(y).IsZero() {
		return
	}
	c.must(y.TimeZone != "", "sync.time_zone", `must be given: the zone of full_at, such as "America/Los_Angeles"`)
	c.zone(y.TimeZone, "sync.time_zone")
	c.between(y.Every, "sync.every", time.Minute, day)
	c.between(y.LookBack, "sync.look_back", day, 366*day)
	c.between(y.FullLookBack, "sync.full_look_back", day, 10*366*day)
	c.must(y.FullLookBack >= y.LookBack, "sync.full_look_back", "must be at least look_back")
	c.must(y.Pause >= 0 && y.Pause <= 10*time.Second, "sync.pause", "must be from 0 to 10s")
	c.count(y.Most, "sync.most", 1, maxTold)
}
