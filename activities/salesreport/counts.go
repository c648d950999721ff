package salesreport

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
)

const (
	// otherMethod counts the sales whose method is none of policy.Methods.
	otherMethod = "other"
	// otherMilestones counts those at milestones beyond maxMilestones.
	otherMilestones = "Other milestones"
	// maxMilestones are those that are counted by name and in no list of the policy.
	maxMilestones = 12

	// weeksPerBucket and boundedBuckets are of the ages.
	weeksPerBucket = 4
	boundedBuckets = 12
)

// shares are whole percents that add up to 100: what rounding down leaves goes to
// the largest remainders, overdue before at risk before on track.
func shares(c Counts) Percent {
	var p Percent
	if c.Followed == 0 {
		return p
	}
	type part struct {
		n   int
		out *int
	}
	parts := []part{{c.Overdue, &p.Overdue}, {c.AtRisk, &p.AtRisk}, {c.OnTrack, &p.OnTrack}, {c.Unknown, &p.Unknown}}
	left := 100
	for _, part := range parts {
		*part.out = part.n * 100 / c.Followed
		left -= *part.out
	}
	slices.SortStableFunc(parts, func(x, y part) int { return cmp.Compare(y.n*100%c.Followed, x.n*100%c.Followed) })
	for i := range left {
		*parts[i].out++
	}
	return p
}

func freshness(followed []judged, now time.Time) Freshness {
	var f Freshness
	var sum int64
	seconds := func(at time.Time) int64 { return int64(max(now.Sub(at), 0) / time.Second) }
	for _, j := range followed {
		if j.ReadAt.IsZero() {
			f.NeverRead++
			continue
		}
		f.Read++
		sum += seconds(j.ReadAt)
		if f.OldestReadAt.IsZero() || j.ReadAt.Before(f.OldestReadAt) {
			f.OldestReadAt = j.ReadAt.UTC().Round(0)
		}
	}
	if f.Read > 0 {
		f.OldestSeconds, f.MeanSeconds = seconds(f.OldestReadAt), sum/int64(f.Read)
	}
	return f
}

// method is where the sales of a method are counted.
func (b *builder) method(name string) *Method {
	if !slices.Contains(policy.Methods(), name) {
		name = otherMethod
	}
	m, ok := b.methods[name]
	if !ok {
		m = &Method{Method: name}
		b.methods[name] = m
	}
	return m
}

func (b *builder) byMethod() []Method {
	out := []Method{}
	for _, name := range append(policy.Methods(), otherMethod) {
		if m, ok := b.methods[name]; ok {
			out = append(out, *m)
		}
	}
	return out
}

// byMilestone has the milestones of every list whose method has sales, also those
// where no sale is.
func (b *builder) byMilestone() []Milestone {
	rows := []Milestone{}
	index := map[string]int{}
	for _, name := range b.expected() {
		index[fold(name)] = len(rows)
		rows = append(rows, Milestone{Name: clean(name, maxMilestone)})
	}
	extra := map[string]*Milestone{}
	for _, j := range b.followed {
		if j.progress.Current == nil {
			continue
		}
		name := milestoneName(j.progress.Current)
		if i, ok := index[fold(name)]; ok {
			rows[i].add(j.progress.Status)
			continue
		}
		if extra[fold(name)] == nil {
			extra[fold(name)] = &Milestone{Name: name}
		}
		m := extra[fold(name)]
		m.Name = min(m.Name, name) // of two spellings always the same one
		m.add(j.progress.Status)
	}
	return append(rows, bounded(extra)...)
}

// expected are the names of the policy's lists in one order: each list keeps its
// own, and a name that only one list has stands before the one that follows there.
func (b *builder) expected() []string {
	var names []string
	for _, method := range policy.Methods() {
		if m, ok := b.methods[method]; !ok || m.Followed == 0 {
			continue
		}
		list := b.policy.Milestones[method]
		place := len(names)
		for _, name := range slices.Backward(list) {
			if i := slices.IndexFunc(names, func(n string) bool { return fold(n) == fold(name) }); i >= 0 {
				place = i
				continue
			}
			names = slices.Insert(names, place, name)
		}
	}
	return names
}

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func (m *Milestone) add(light progress.Status) {
	m.Sales++
	switch light {
	case progress.Red:
		m.Red++
	case progress.Amber:
		m.Amber++
	case progress.Green:
		m.Green++
	case progress.Unknown: // has no current milestone
	}
}

// bounded are the milestones that most sales are at; the rest is one row.
func bounded(extra map[string]*Milestone) []Milestone {
	var rows []Milestone
	for _, m := range extra {
		rows = append(rows, *m)
	}
	slices.SortFunc(rows, func(x, y Milestone) int {
		return cmp.Or(cmp.Compare(y.Sales, x.Sales), strings.Compare(x.Name, y.Name))
	})
	if len(rows) <= maxMilestones {
		return rows
	}
	rest := Milestone{Name: otherMilestones}
	for _, m := range rows[maxMilestones:] {
		rest.Sales, rest.Red, rest.Amber, rest.Green = rest.Sales+m.Sales, rest.Red+m.Red, rest.Amber+m.Amber, rest.Green+m.Green
	}
	return append(rows[:maxMilestones], rest)
}

func (b *builder) ages() Ages {
	out := Ages{Buckets: make([]AgeBucket, boundedBuckets+1)}
	for i := range out.Buckets {
		out.Buckets[i].FromWeek, out.Buckets[i].ToWeek = i*weeksPerBucket+1, (i+1)*weeksPerBucket
	}
	out.Buckets[boundedBuckets].ToWeek = 0
	for _, j := range b.followed {
		age := j.progress.Sale
		if age.Since.IsZero() {
			out.NotKnown++
			continue
		}
		out.Buckets[bucket(age)].add(age.Pace)
	}
	for _, name := range policy.Methods() {
		if m, ok := b.methods[name]; ok && m.Followed > 0 {
			if n := b.policy.Progress.Norms[name].Total; n.Given() {
				out.Norms = append(out.Norms, Norm{Method: name, Typical: n.Typical, Late: n.Late})
			}
		}
	}
	return out
}

// bucket is where an age is counted: the last day of a week is in that week, so that
// a norm of whole weeks is where two buckets meet.
func bucket(a progress.Age) int {
	week := (a.Days + 6) / 7
	if a.Norm.Typical.Working {
		week = (a.WorkingDays + 4) / 5
	}
	return min(max(week-1, 0)/weeksPerBucket, boundedBuckets)
}

func (b *AgeBucket) add(pace progress.Pace) {
	b.Sales++
	switch pace {
	case progress.Usual:
		b.Usual++
	case progress.Slow:
		b.Slow++
	case progress.Stalled:
		b.Stalled++
	case progress.NoPace:
		b.NoNorm++
	}
}
