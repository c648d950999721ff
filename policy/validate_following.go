package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds that keep Reported and SalesReport small enough for workflow histories.
const (
	maxEvents = 50
	// maxEventNames bounds the names of milestones that events report, in bytes
	// together.
	maxEventNames = 5000
	maxReportTo   = 20
	maxShards     = 16
)

var eventPattern = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)

// polling checks how often sales are read.
func (c *checker) polling(p Polling) {
	const path = "polling"
	c.between(p.Overdue, path+".overdue", time.Minute, day)
	c.between(p.DueSoon, path+".due_soon", time.Minute, day)
	c.between(p.Rest, path+".rest", time.Minute, day)
	c.must(p.Overdue <= p.DueSoon, path+".due_soon", "must not be shorter than overdue")
	c.must(p.DueSoon <= p.Rest, path+".rest", "must not be shorter than due_soon")
	c.between(p.SoonWithin, path+".soon_within", 0, 14*day)
	c.between(p.List, path+".list", time.Minute, day)
	c.count(p.Shards, path+".shards", 1, maxShards)
}

func (c *checker) between(d time.Duration, path string, least, most time.Duration) {
	c.must(d >= least && d <= most, path, "must be from %s to %s", least, most)
}

// reported checks what other systems may report.
func (c *checker) reported(r Reported) {
	const path = "reported.events"
	c.size(len(r.Events), path, 0, maxEvents)
	names := 0
	for _, event := range slices.Sorted(maps.Keys(r.Events)) {
		at, name := join(path, event), r.Events[event]
		c.must(eventPattern.MatchString(event), at, "must have a key of at most 64 small letters, digits and _")
		c.must(name != "" && utf8.RuneCountInString(name) <= maxName && !hasBreaks(name), at,
			"must be the name of a milestone: one line of at most %d characters", maxName)
		names += len(name)
	}
	c.must(names <= maxEventNames, path, "must have at most %d bytes of names in all", maxEventNames)
	c.between(r.ConfirmWithin, "reported.confirm_within", time.Hour, 60*day)
}

// report checks a report that has anything but the time it began with.
func (c *checker) report(r SalesReport) {
	const path = "report"
	if !r.Given() && r.At == notGiven && len(r.To) == 0 {
		return
	}
	c.days(r.Days, path+".days")
	c.must(r.At != notGiven, path+".at", `must be given: a time of day such as "07:30"`)
	c.size(len(r.To), path+".to", 0, maxReportTo)
	seen := make(map[string]bool, len(r.To))
	for i, to := range r.To {
		at := fmt.Sprintf("%s.to[%d]", path, i)
		mailbox := strings.ToLower(to.Email)
		c.must(isLine(to.Name), at+".name", "must be one line of at most 100 bytes")
		c.must(isEmail(to.Email), at+".email", "must be an e-mail address")
		c.must(mailbox == "" || !seen[mailbox], at+".email", "is there twice")
		seen[mailbox] = true
	}
}
