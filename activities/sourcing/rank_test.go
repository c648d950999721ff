package sourcing

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

const day = "2026-11-24"

// monday is in the week of day.
var monday = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// tech works around the clock at a place north of the job by km.
func tech(id string, km float64, trades ...string) policy.Technician {
	return policy.Technician{
		ID: "user-" + id, Person: policy.Person{ID: id, Name: "Somebody", Phone: "+12135550100"}, Trades: trades,
		Latitude: 34 + km/111.3195, Longitude: -118, MaxJobs: 2,
		Shifts: []policy.Shift{{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}}},
	}
}

// firm is insured for a year, at a place north of the job by km.
func firm(id string, km float64, trades ...string) Firm {
	return Firm{
		ContactID: id, Name: "Firm " + id, Phone: "(213) 555-0100", Active: true, Trades: trades, InsuranceExpires: "2027-11-24",
		HasPosition: true, Latitude: 34 + km/111.3195, Longitude: -118,
	}
}

func job(trade string) Job {
	return Job{Trade: trade, Minutes: 90, HasPosition: true, Latitude: 34, Longitude: -118, MaxDistanceKm: 50}
}

func ids(list []Candidate) []string {
	out := []string{}
	for _, c := range list {
		out = append(out, c.ID)
	}
	return out
}

func reasons(list []Passed) map[string]string {
	out := map[string]string{}
	for _, p := range list {
		out[p.ID] = p.Why
	}
	return out
}

// good and bad are records of many jobs.
func good() Card {
	return Card{Asked: 50, Answered: 50, ResponseMinutes: 5, Jobs: 40, FirstTimeFixed: 40, Priced: 40, Rated: 30, RatingTenths: 50}
}

func bad() Card {
	return Card{Asked: 50, Answered: 5, ResponseMinutes: 3000, Jobs: 40, FirstTimeFixed: 4, Priced: 40, OverPercent: 80, Rated: 30, RatingTenths: 12}
}

func TestTechnicians(t *testing.T) {
	t.Parallel()
	near, far, busy := tech("near", 3, "plumbing"), tech("far", 20, "plumbing"), tech("busy", 3, "plumbing")
	general, gas, away := tech("general", 3, "general"), tech("gas", 10, "gas"), tech("away", 50.1, "plumbing")
	retired := tech("retired", 1, "plumbing")
	retired.Shifts = nil
	roster := []policy.Technician{far, general, near, gas, away, busy, retired}
	unplaced := job("plumbing")
	unplaced.HasPosition = false
	for _, c := range []struct {
		name   string
		job    Job
		load   map[string]int
		cards  map[string]Card
		asked  map[string]bool
		want   []string
		passed map[string]string
	}{
		{
			"near, idle specialists first", job("plumbing"), map[string]int{"busy": 1}, nil, nil,
			[]string{"near", "general", "busy", "far"},
			map[string]string{"gas": "does not do plumbing", "away": "is 50.1 km away, more than 50", "retired": "has no shift soon"},
		},
		{
			"who is full or was asked is passed over", job("plumbing"), map[string]int{"busy": 2}, nil, map[string]bool{"near": true},
			[]string{"general", "far"},
			map[string]string{
				"gas": "does not do plumbing", "away": "is 50.1 km away, more than 50", "retired": "has no shift soon",
				"busy": "has 2 of 2 jobs", "near": "asked before",
			},
		},
		{
			"a record outweighs some kilometres", job("plumbing"), nil, map[string]Card{"far": good(), "near": bad(), "busy": bad(), "general": bad()}, nil,
			[]string{"far", "busy", "near", "general"},
			map[string]string{"gas": "does not do plumbing", "away": "is 50.1 km away, more than 50", "retired": "has no shift soon"},
		},
		{
			"gas is for gas fitters", job("gas"), nil, nil, nil, []string{"gas"},
			map[string]string{
				"far": "does not do gas", "general": "does not do gas", "near": "does not do gas", "away": "does not do gas",
				"busy": "does not do gas", "retired": "does not do gas",
			},
		},
		{
			"anybody takes a job of no trade", job(""), nil, nil, nil, []string{"busy", "near", "general", "gas", "far"},
			map[string]string{"away": "is 50.1 km away, more than 50", "retired": "has no shift soon"},
		},
		{
			"no position: by load and record", unplaced, map[string]int{"far": 1}, map[string]Card{"near": good()}, nil,
			[]string{"near", "away", "busy", "general", "far"},
			map[string]string{"gas": "does not do plumbing", "retired": "has no shift soon"},
		},
	} {
		ranked, passed := Technicians(c.job, roster, 6500, c.load, c.cards, c.asked, monday)
		require.Equal(t, c.want, ids(ranked), c.name)
		require.Equal(t, c.passed, reasons(passed), c.name)
	}

	ranked, _ := Technicians(job("plumbing"), []policy.Technician{general}, 6500, map[string]int{"general": 1}, map[string]Card{"general": good()}, nil, monday)
	require.Equal(t, []Candidate{{
		Kind: Technician, ID: "general", UserID: "user-general", Name: "Somebody", Phone: "+12135550100", Estimate: 9750, Score: 815,
		DistanceKm: 3, Reason: "3.0 km away, 1 of 2 jobs, a generalist, record 970 of 1000", Card: good(),
	}}, ranked)
}

// An urgent job needs somebody within a day, and weighs distance more.
func TestUrgentJobs(t *testing.T) {
	t.Parallel()
	weekend := tech("weekend", 1, "plumbing")
	weekend.Shifts = []policy.Shift{{Days: []string{"sat", "sun"}}}
	wanted := job("plumbing")
	ranked, passed := Technicians(wanted, []policy.Technician{weekend}, 0, nil, nil, nil, monday)
	require.Equal(t, []string{"weekend"}, ids(ranked))
	require.Empty(t, passed)
	wanted.Urgent = true
	_, passed = Technicians(wanted, []policy.Technician{weekend}, 0, nil, nil, nil, monday.AddDate(0, 0, 1))
	require.Equal(t, []Passed{{"weekend", "has no shift soon"}}, passed)
	ranked, _ = Technicians(wanted, []policy.Technician{weekend}, 0, nil, nil, nil, monday.AddDate(0, 0, 4))
	require.Equal(t, []string{"weekend"}, ids(ranked), "Friday")

	firms, cards := []Firm{firm("1", 2, "plumbing"), firm("2", 30, "plumbing")}, map[string]Card{VendorID("2"): good(), VendorID("1"): bad()}
	ranked, _ = Vendors(wanted, firms, 0, day, cards, nil)
	require.Equal(t, []string{"contact:1", "contact:2"}, ids(ranked))
	wanted.Urgent = false
	ranked, _ = Vendors(wanted, firms, 0, day, cards, nil)
	require.Equal(t, []string{"contact:2", "contact:1"}, ids(ranked))
}

func TestVendors(t *testing.T) {
	t.Parallel()
	with := func(f Firm, change func(*Firm)) Firm {
		change(&f)
		return f
	}
	firms := []Firm{
		firm("10", 5, "plumbing"), firm("9", 5, "plumbing"), firm("20", 5, "general"), firm("11", 5, "plumbing", "gas"),
		with(firm("1", 1, "plumbing"), func(f *Firm) { f.Active = false }),
		firm("2", 1, "electrical"),
		with(firm("3", 1, "plumbing"), func(f *Firm) { f.InsuranceExpires = "" }),
		with(firm("4", 1, "plumbing"), func(f *Firm) { f.InsuranceExpires = "2026-11-23" }),
		with(firm("5", 1, "plumbing"), func(f *Firm) { f.InsuranceExpires = "24/12/2026" }),
		with(firm("6", 1, "plumbing"), func(f *Firm) { f.Phone = " " }),
		firm("7", 50.06, "plumbing"),
		with(firm("8", 1, "plumbing"), func(f *Firm) { f.InsuranceExpires = day }),
		with(firm("12", 1, "plumbing"), func(f *Firm) { f.HasPosition, f.Phone, f.Email = false, "", "a@example.com" }),
	}
	ranked, passed := Vendors(job("plumbing"), firms, 11_000, day, map[string]Card{"contact:11": good()}, map[string]bool{"contact:8": true})
	require.Equal(t, []string{"contact:11", "contact:9", "contact:10", "contact:20", "contact:12"}, ids(ranked))
	require.Equal(t, map[string]string{
		"contact:1": "is not active", "contact:2": "does not do plumbing", "contact:3": "insurance unknown", "contact:4": "not insured on the day",
		"contact:5": "not insured on the day", "contact:6": "has neither phone nor e-mail", "contact:7": "is 50.1 km away, more than 50",
		"contact:8": "asked before",
	}, reasons(passed))
	require.Equal(t, Candidate{
		Kind: Vendor, ID: "contact:11", ContactID: "11", Name: "Firm 11", Phone: "(213) 555-0100", Estimate: 16_500, Score: 951,
		DistanceKm: 5, Reason: "5.0 km away, record 970 of 1000, insured 12 months more", InsuranceExpires: "2027-11-24", Card: good(),
	}, ranked[0])

	ranked, _ = Vendors(job("plumbing"), firms[11:12], 0, day, nil, nil)
	require.Equal(t, []string{"contact:8"}, ids(ranked), "the last day is covered")
	ranked, passed = Vendors(job("plumbing"), firms[:1], 0, "tomorrow", nil, nil)
	require.Equal(t, []Candidate{}, ranked)
	require.Equal(t, []Passed{{"contact:10", "not insured on the day"}}, passed)
	kind, _ := Prefer(Job{Minutes: 600}, []Candidate{{ID: "x"}}, ranked, policy.Repairs{})
	require.Equal(t, Technician, kind, "nobody else suits")
	for trade, want := range map[string][]string{"gas": {"contact:11"}, "general": {"contact:20"}, "": {"contact:20"}, "hvac": {"contact:20"}} {
		ranked, _ = Vendors(job(trade), firms[:4], 0, day, nil, nil)
		require.Equal(t, want, ids(ranked), trade)
	}
}

func TestPrefer(t *testing.T) {
	t.Parallel()
	rules := policy.Repairs{
		Currency: "USD", TechniciansUpTo: 4 * time.Hour,
		Rates: map[string]policy.Rate{"general": {Technician: 5500, Vendor: 8000}, "gas": {Technician: 9000, Vendor: 8000}},
	}
	one := []Candidate{{ID: "x", Name: "Maria"}}
	urgent := Job{Trade: "gas", Minutes: 120, Urgent: true}
	for _, c := range []struct {
		name         string
		job          Job
		ours, theirs []Candidate
		kind         Kind
		reason       string
	}{
		{"cheaper", Job{Trade: "plumbing", Minutes: 90}, one, nil, Technician, "1:30 h of work costs about $82.50 by a technician, $120.00 by a vendor"},
		{"just short enough", Job{Minutes: 240}, one, one, Technician, "4:00 h of work costs about $220.00 by a technician, $320.00 by a vendor"},
		{"too long", Job{Minutes: 241}, one, nil, Vendor, "4:01 h of work is more than the 4:00 h that technicians take"},
		{"too long, and nobody else", Job{Minutes: 241}, one, []Candidate{}, Technician, "no vendor suits"},
		{"dearer", Job{Trade: "gas", Minutes: 120}, one, nil, Vendor, "a vendor costs about $160.00, a technician $180.00"},
		{"dearer and urgent", urgent, one, one, Technician, "it is urgent, 2:00 h of work, and 1 technician suit"},
		{"nobody of ours", Job{Minutes: 60}, nil, nil, Vendor, "no technician suits"},
		{"nobody at all", Job{Minutes: 60}, nil, []Candidate{}, Vendor, "no technician suits"},
	} {
		kind, reason := Prefer(c.job, c.ours, c.theirs, rules)
		require.Equal(t, c.kind, kind, c.name)
		require.Equal(t, c.reason, reason, c.name)
	}
}

func TestCardScore(t *testing.T) {
	t.Parallel()
	require.Equal(t, newcomer, Card{}.Score())
	require.Greater(t, Card{Jobs: 1, FirstTimeFixed: 1}.Score(), newcomer)
	require.Less(t, Card{Jobs: 1}.Score(), newcomer)
	require.Less(t, Card{Asked: 1}.Score(), newcomer)
	require.Equal(t, 970, good().Score())
	require.Less(t, bad().Score(), 250)
	for _, odd := range []Card{
		{Asked: math.MinInt, Answered: math.MaxInt, ResponseMinutes: math.MaxInt, Jobs: math.MaxInt, FirstTimeFixed: math.MaxInt},
		{Priced: math.MaxInt, OverPercent: math.MinInt, Rated: math.MaxInt, RatingTenths: math.MaxInt},
		{Jobs: 1, FirstTimeFixed: 100, Asked: 1, Answered: 100},
	} {
		require.GreaterOrEqual(t, odd.Score(), 0)
		require.LessOrEqual(t, odd.Score(), full)
	}
}

func drawCard(t *rapid.T, label string) Card {
	count := rapid.IntRange(0, 60)
	c := Card{
		Asked: count.Draw(t, label+" asked"), Jobs: count.Draw(t, label+" jobs"), Priced: count.Draw(t, label+" priced"), Rated: count.Draw(t, label+" rated"),
		ResponseMinutes: rapid.IntRange(0, 5000).Draw(t, label+" minutes"), OverPercent: rapid.IntRange(-60, 120).Draw(t, label+" over"),
	}
	c.Answered = rapid.IntRange(0, c.Asked).Draw(t, label+" answered")
	c.FirstTimeFixed = rapid.IntRange(0, c.Jobs).Draw(t, label+" fixed")
	if c.Rated > 0 {
		c.RatingTenths = rapid.IntRange(10, 50).Draw(t, label+" rating")
	}
	return c
}

// improve makes one thing of a record better.
func improve(t *rapid.T, c Card) Card {
	switch rapid.IntRange(0, 4).Draw(t, "what") {
	case 0:
		c.FirstTimeFixed = rapid.IntRange(c.FirstTimeFixed, c.Jobs).Draw(t, "more fixed")
	case 1:
		c.Answered = rapid.IntRange(c.Answered, c.Asked).Draw(t, "more answered")
	case 2:
		c.ResponseMinutes = rapid.IntRange(0, c.ResponseMinutes).Draw(t, "quicker")
	case 3:
		c.OverPercent = rapid.IntRange(-60, c.OverPercent).Draw(t, "cheaper")
	default:
		if c.Rated > 0 {
			c.RatingTenths = rapid.IntRange(c.RatingTenths, 50).Draw(t, "better liked")
		}
	}
	return c
}

func TestABetterRecordNeverScoresLess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCard(t, "card")
		d := improve(t, c)
		require.GreaterOrEqual(t, d.Score(), c.Score())
		require.GreaterOrEqual(t, c.Score(), 0)
		require.LessOrEqual(t, d.Score(), full)
	})
}

// Nobody uninsured, inactive or too far is ranked, everybody is somewhere exactly once,
// and the order of the firms and a second call change nothing.
func TestVendorsInAnyOrder(t *testing.T) {
	t.Parallel()
	days := []string{"", "2026-11-23", day, "2026-11-25", "2028-02-29", "soon"}
	rapid.Check(t, func(t *rapid.T) {
		var firms []Firm
		byID, cards, asked := map[string]Firm{}, map[string]Card{}, map[string]bool{}
		for i := range rapid.IntRange(0, 10).Draw(t, "n") {
			f := firm(fmt.Sprint(i+1), float64(rapid.IntRange(0, 600).Draw(t, "hm"))/10, rapid.SampledFrom(policy.Trades()).Draw(t, "trade"))
			f.InsuranceExpires = rapid.SampledFrom(days).Draw(t, "insured")
			f.Active, f.HasPosition = rapid.Bool().Draw(t, "active"), rapid.Bool().Draw(t, "placed")
			firms = append(firms, f)
			byID[VendorID(f.ContactID)] = f
			cards[VendorID(f.ContactID)] = drawCard(t, "card")
			asked[VendorID(f.ContactID)] = rapid.IntRange(0, 4).Draw(t, "asked") == 0
		}
		wanted := job(rapid.SampledFrom(policy.Trades()).Draw(t, "wanted"))
		wanted.Urgent, wanted.HasPosition = rapid.Bool().Draw(t, "urgent"), rapid.Bool().Draw(t, "known place")
		on := rapid.SampledFrom(days).Draw(t, "day")
		ranked, passed := Vendors(wanted, firms, 8000, on, cards, asked)
		require.Len(t, firms, len(ranked)+len(passed))
		for _, c := range ranked {
			f := byID[c.ID]
			require.True(t, f.Active && !asked[c.ID] && f.InsuranceExpires >= on && f.InsuranceExpires != "soon" && len(on) == 10, c.ID)
			require.True(t, c.Score >= 0 && c.Score <= full, c.Score)
			require.LessOrEqual(t, c.DistanceKm, 50.0)
		}
		require.True(t, slices.IsSortedFunc(ranked, func(a, b Candidate) int { return b.Score - a.Score }))
		again, _ := Vendors(wanted, rapid.Permutation(firms).Draw(t, "order"), 8000, on, cards, asked)
		require.Equal(t, ranked, again)
	})
}

func TestTechniciansInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var roster []policy.Technician
		load, cards, asked := map[string]int{}, map[string]Card{}, map[string]bool{}
		for i := range rapid.IntRange(0, 10).Draw(t, "n") {
			id := fmt.Sprint(i + 1)
			roster = append(roster, tech(id, float64(rapid.IntRange(0, 600).Draw(t, "hm"))/10, rapid.SampledFrom(policy.Trades()).Draw(t, "trade")))
			load[id], asked[id], cards[id] = rapid.IntRange(0, 2).Draw(t, "load"), rapid.IntRange(0, 4).Draw(t, "asked") == 0, drawCard(t, "card")
		}
		wanted := job(rapid.SampledFrom(policy.Trades()).Draw(t, "wanted"))
		wanted.Urgent = rapid.Bool().Draw(t, "urgent")
		ranked, passed := Technicians(wanted, roster, 6000, load, cards, asked, monday)
		require.Len(t, roster, len(ranked)+len(passed))
		for _, c := range ranked {
			require.True(t, load[c.ID] < 2 && !asked[c.ID], c.ID)
			require.True(t, c.Score >= 0 && c.Score <= full, c.Score)
		}
		again, _ := Technicians(wanted, rapid.Permutation(roster).Draw(t, "order"), 6000, load, cards, asked, monday)
		require.Equal(t, ranked, again)
	})
}
