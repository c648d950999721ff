package salesreport_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/policy"
)

const day = 24 * time.Hour

// monday is when most reports of these tests are made: 08:30 in London.
var monday = time.Date(2026, time.June, 15, 7, 30, 0, 0, time.UTC)

// load reads the policy once.
var load = sync.OnceValues(func() (*policy.Policy, error) { return policy.Load(policy.BuiltIn) })

func builtIn(tb testing.TB) policy.Sales {
	tb.Helper()
	p, err := load()
	require.NoError(tb, err)
	return p.Sales()
}

// sale is one that began 30 days ago and was read a minute ago.
func sale(id string, milestones ...progress.Milestone) salesreport.Sale {
	return salesreport.Sale{
		PropertyID: id, TransactionID: "uuid-" + id, Address: id + " High Street", Postcode: "SW1A 1AA", Method: policy.MethodStandard, Status: "For sale",
		Milestones: milestones, Known: true, BeganAt: monday.Add(-30 * day), ReadAt: monday.Add(-time.Minute),
	}
}

// open is a milestone that is due so many days after monday, done one that ended then.
func open(order int, name string, due int) progress.Milestone {
	return progress.Milestone{
		ID: strconv.Itoa(order), Name: name, Order: order,
		DueAt: monday.Truncate(day).Add(time.Duration(due) * day),
	}
}

func done(order int, name string, at int) progress.Milestone {
	m := open(order, name, at)
	m.Completed, m.CompletedAt = true, m.DueAt
	return m
}

// portfolio is n sales as an agency has them, always the same.
func portfolio(rules policy.Sales, n int) []salesreport.Sale {
	r := rand.New(rand.NewPCG(4, 2026))
	streets := []string{"Juniper Road", "Acacia Avenue", "Mill Lane", "Station Road", "Chapel Street", "Kingfisher Close", "The Old Brewery, Wharf Street", "Victoria Terrace"}
	areas := []string{"SW4 7AB", "SE15 3QN", "M20 2LR", "LS6 1AA", "W5 5TH", "EC1V 9NR"}
	out := make([]salesreport.Sale, 0, n)
	for i := range n {
		method := policy.MethodStandard
		if k := r.IntN(10); k >= 7 {
			method = []string{policy.MethodModernAuction, policy.MethodModernAuction, policy.MethodSecureSale}[k-7]
		}
		names := rules.Milestones[method]
		age := min(r.IntN(280), r.IntN(300))
		if method != policy.MethodStandard {
			age /= 2
		}
		s := salesreport.Sale{
			PropertyID: strconv.Itoa(4100 + i), TransactionID: fmt.Sprintf("8f0c2d1e-0000-4000-8000-%012d", i),
			Address: fmt.Sprintf("%d %s", 1+r.IntN(180), streets[r.IntN(len(streets))]), Postcode: areas[r.IntN(len(areas))],
			Method: method, Status: "For sale", Known: i%29 != 7,
			BeganAt: monday.Add(-time.Duration(age) * day), ReadAt: monday.Add(-time.Duration(1+r.IntN(40)) * time.Minute),
		}
		if !s.Known {
			s.ReadAt = time.Time{}
		}
		s.Milestones = course(r, names, s.BeganAt)
		if s.Milestones[len(names)-1].Completed || i%20 == 3 {
			s.EndedAt = monday.Add(-time.Duration(i%50) * day)
			for k := range s.Milestones {
				s.Milestones[k].Completed = true
			}
		}
		out = append(out, s)
	}
	return out
}

// course is how far a sale has come by monday: each milestone is planned after the
// one before it and takes about as long as planned.
func course(r *rand.Rand, names []string, began time.Time) (out []progress.Milestone) {
	planned := 28 * day
	at, going := began, true
	for k, name := range names {
		m := progress.Milestone{ID: strconv.Itoa(k + 1), Name: name, Order: k + 1, DueAt: at.Add(planned).Truncate(day)}
		took := 45 + r.IntN(70)
		if r.IntN(6) == 0 {
			took *= 3
		}
		at = at.Add(planned * time.Duration(took) / 100)
		if going = going && at.Before(monday); going {
			m.Completed, m.CompletedAt = true, at
		}
		out = append(out, m)
	}
	return out
}
