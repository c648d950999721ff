package openmoove

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// MaxPortfolio bounds the sales of one CreatePortfolio.
const MaxPortfolio = 5_000

// inward are the letters with which a postcode may end, one for each street.
const inward = "ABDEFGHJLNPQRSTUWXYZ"

// portfolioDays is how far back the sales of a portfolio were created, in business
// time.
const portfolioDays = 200

// CreatePortfolio makes so many sales as an agency has them in the middle of its work:
// of all methods, created over the past 200 days of business time, with milestones
// completed and due from a few days ago to months ahead, some without a due date. The
// seed decides all but ids; no two are of the same seller or address. Each is told by
// property.created unless it is to be quiet, as of sales that have been there for long.
// Either all are made or none; the error says why.
func (s *Server) CreatePortfolio(count int, seed uint64, quiet bool) ([]*Property, error) {
	if count < 1 || count > MaxPortfolio {
		return nil, fmt.Errorf("count is 1 to %d, not %d", MaxPortfolio, count)
	}
	d := newDrafter(seed, s.cfg.Now().UTC())
	ages := make([]time.Duration, count)
	for i := range ages {
		ages[i] = time.Duration(d.random.Int64N(int64(portfolioDays * 24 * time.Hour)))
	}
	slices.SortFunc(ages, func(a, b time.Duration) int { return cmp.Compare(b, a) }) // ids rise with time
	s.mu.Lock()
	if len(s.properties)+count > maxProperties {
		s.mu.Unlock()
		return nil, errFull
	}
	made := make([]*Property, 0, count)
	for _, age := range ages {
		p := s.begin(d.order(s.lastProperty+1), d.now.Add(-age))
		d.progress(p)
		s.note(p, Change{Kind: Created, Status: p.Status})
		s.commit(p)
		made = append(made, p)
	}
	s.mu.Unlock()
	if !quiet {
		for _, p := range made {
			s.hooks.send(s.event(PropertyCreated, p.created))
		}
	}
	return made, nil
}

// drafter makes up sales.
type drafter struct {
	random *rand.Rand
	now    time.Time
	// towns are names and postcode areas, newcomers conveyancers who have no account.
	streets, firstNames, lastNames, newcomers []string
	towns                                     [][2]string
}

func newDrafter(seed uint64, now time.Time) drafter {
	return drafter{
		random: rand.New(rand.NewPCG(seed, 1)), now: now,
		streets: []string{
			"Park Row", "Station Road", "Orchard Lane", "Mill Road", "Church Street", "Victoria Avenue", "Elm Grove", "Kings Road", "Chapel Hill",
			"Queen Street", "The Green", "Albert Terrace", "Manor Way", "Bridge Street", "Meadow Close", "School Lane", "Priory Gardens", "West Street",
			"Beech Drive", "Quay Street",
		},
		firstNames: []string{
			"Amara", "Ben", "Chloe", "Daniel", "Elena", "Farah", "George", "Hannah", "Imran", "Julia", "Kofi", "Laura", "Marek", "Nina", "Oscar", "Priya", "Quentin",
			"Rosa", "Samuel", "Tara",
		},
		lastNames: []string{
			"Abbott", "Bailey", "Chandra", "Dixon", "Evans", "Farrow", "Grant", "Hughes", "Iqbal", "Jarvis", "Khan", "Lowe", "Marsh", "Nolan", "Osei", "Price", "Reid",
			"Shaw", "Turner", "Walsh",
		},
		newcomers: []string{
			"newdesk@fielding.example.com", "completions@harlow.example.com", "sales.team@brook.example.com", "moves@quill.example.com", "desk@marlowe.example.com",
		},
		towns: [][2]string{
			{"Leeds", "LS"}, {"Reading", "RG"}, {"Guildford", "GU"}, {"Bristol", "BS"}, {"Cambridge", "CB"}, {"York", "YO"}, {"Norwich", "NR"}, {"Exeter", "EX"},
			{"Oxford", "OX"}, {"Durham", "DH"}, {"Bath", "BA"}, {"Lincoln", "LN"}, {"Derby", "DE"}, {"Ipswich", "IP"}, {"Chester", "CH"}, {"Brighton", "BN"},
		},
	}
}

// order is a sale that no other has the address or the seller of: among 64,000 ids in a
// row each has its own house, and the seller's e-mail has the id.
func (d drafter) order(id int) order {
	street, town := id%len(d.streets), id/len(d.streets)%len(d.towns)
	number := 1 + (id/(len(d.streets)*len(d.towns))+7*street+31*town)%200
	first, last := d.one(d.firstNames...), d.one(d.lastNames...)
	o := order{
		firstName: first, lastName: last, email: strings.ToLower(fmt.Sprintf("%s.%s.%d@example.com", first, last, id)),
		// The contract's numbers for tests (contracts/openmoove.md 1).
		phone:    fmt.Sprintf("+4477009000%02d", 1+d.random.IntN(10)),
		address:  fmt.Sprintf("%d %s, %s", number, d.streets[street], d.towns[town][0]),
		postcode: fmt.Sprintf("%s%d %dA%c", d.towns[town][1], 1+number%9, 1+street%9, inward[street]),
		method:   Standard, team: map[string]string{"estate_agent": d.one("agent@oakfield.example.com", "agent@northgate.example.com")},
	}
	switch n := d.random.IntN(100); {
	case n < 18:
		o.method = ModernAuction
	case n < 30:
		o.method = SecureSale
	}
	switch n := d.random.IntN(100); {
	case n < 60:
		o.team["conveyancer"] = "conveyancing@lawson.example.com"
	case n < 90:
		o.team["conveyancer"] = d.one(d.newcomers...)
	}
	switch {
	case o.method != Standard:
		o.team["auctioneer"] = d.one("lots@hammond.example.com", "lots@hammond.example.com", "hammer@gavel.example.com")
	case d.random.IntN(4) == 0:
		o.team["mortgage_broker"] = "advice@finley.example.com"
	}
	return o
}

func (d drafter) one(of ...string) string { return of[d.random.IntN(len(of))] }

// progress brings a new sale to where one of its age is. One in twelve of the older ones
// is completed.
func (d drafter) progress(p *Property) {
	age, plan := d.now.Sub(p.CreatedAt), steps(p.Method)
	n := len(plan)
	last := time.Duration(plan[n-1].days) * 24 * time.Hour
	pace := 0.6 + 0.6*d.random.Float64()
	completed := min(n-1, int(float64(n)*pace*float64(age)/float64(last)))
	if age > last/2 && d.random.IntN(12) == 0 {
		completed = n
	}
	for i := range completed {
		at := p.CreatedAt.Add(age / time.Duration(completed+1) * time.Duration(i+1)).Truncate(time.Second)
		p.Milestones[i].CompletedAt = at
		p.Milestones[i].DueDate = endOfDay(at.AddDate(0, 0, d.random.IntN(14)-3))
	}
	p.Status = statusAt(n - completed)
	if completed < n {
		d.replan(p.Milestones[completed:], plan[completed:])
	}
}

// statusAt is the status of a sale with so many milestones open.
func statusAt(open int) string {
	switch open {
	case 0, 1:
		return sold
	case 2:
		return underOffer
	}
	return forSale
}

// replan gives open milestones new due dates: the current one from four days ago to some
// weeks ahead, the others at about the distances of the plan, one in six none.
func (d drafter) replan(open []Milestone, plan []step) {
	var days int
	switch n := d.random.IntN(100); {
	case n < 12:
		days = -1 - d.random.IntN(4)
	case n < 24:
		days = d.random.IntN(3)
	default:
		days = 3 + d.random.IntN(33)
	}
	for i := range open {
		if i > 0 {
			days += 1 + int(float64(plan[i].days-plan[i-1].days)*(0.6+0.6*d.random.Float64()))
		}
		open[i].DueDate = endOfDay(d.now.AddDate(0, 0, days))
		if d.random.IntN(6) == 0 {
			open[i].DueDate = time.Time{}
		}
	}
}
