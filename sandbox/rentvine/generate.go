package rentvine

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// What a generated portfolio is like.
const (
	mostUnits      = 4 // a property
	propertiesEach = 5 // a portfolio
	letPercent     = 93
	// maxProperties fit beside the seed and one another into what is kept.
	maxProperties = 7_000
)

// PortfolioConfig says what GeneratePortfolio makes.
type PortfolioConfig struct {
	// Properties are 1 to 7,000.
	Properties int `json:"properties"`
	// Seed makes the same portfolio again.
	Seed uint64 `json:"seed"`
}

// Generated is how much was made, and the ids of the first and last property.
type Generated struct {
	Portfolios int    `json:"portfolios"`
	Properties int    `json:"properties"`
	Units      int    `json:"units"`
	Let        int    `json:"let"`
	First      string `json:"first_property_id"`
	Last       string `json:"last_property_id"`
}

// town is where generated properties are.
type town struct {
	city, state, code string
	lat, lon          float64
	// rent is that of a home without a bedroom, in dollars a month.
	rent int
}

func towns() []town {
	return []town{
		{"Portland", "OR", "97209", 45.5263, -122.6826, 1250}, {"Salem", "OR", "97301", 44.9429, -123.0351, 1000},
		{"Eugene", "OR", "97401", 44.0521, -123.0868, 1050}, {"Los Angeles", "CA", "90026", 34.0772, -118.2603, 1750},
		{"San Diego", "CA", "92103", 32.7459, -117.1667, 1800}, {"Sacramento", "CA", "95814", 38.5805, -121.4930, 1350},
	}
}

// portfolioMaker makes properties while the lock is held.
type portfolioMaker struct {
	*Server
	rng   *rand.Rand
	today time.Time
	made  Generated
}

// GeneratePortfolio makes up properties of one to four units with their portfolios, an
// owner each, and leases with a rent for 93 of 100 units. Of the other units, every
// second one had a tenant who has moved out. The same seed makes the same, but for the
// ids and for days, which are counted from today. It tells nobody. Errors say what
// cannot be; nothing has changed then.
func (s *Server) GeneratePortfolio(cfg PortfolioConfig) (Generated, error) {
	if cfg.Properties < 1 || cfg.Properties > maxProperties {
		return Generated{}, fmt.Errorf("properties must be 1 to %d", maxProperties)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{"properties", "units", "leases"} {
		if free := s.tables[name].max - len(s.tables[name].rows); cfg.Properties*mostUnits*2/3 > free {
			return Generated{}, fmt.Errorf("there is room for %d more %s only; make fewer, or POST /_reset first", free, name)
		}
	}
	today, err := time.Parse(time.DateOnly, s.today())
	if err != nil {
		return Generated{}, err // cannot be: it was written so
	}
	m := &portfolioMaker{Server: s, rng: rand.New(rand.NewPCG(cfg.Seed, 0)), today: today} //nolint:gosec // not a secret
	portfolio := ""
	for n := range cfg.Properties {
		if n%propertiesEach == 0 {
			portfolio = m.portfolio()
		}
		m.property(portfolio)
	}
	return m.made, nil
}

// portfolio adds one with an owner.
func (m *portfolioMaker) portfolio() string {
	m.made.Portfolios++
	tenants := m.tables["tenants"] // ids of contacts are in one row
	tenants.last++
	owner := contact(tenants.last, 1, "Owner "+strconv.Itoa(tenants.last), "(213) 555-0120")
	m.tables["owners"].add(owner)
	rec := record{
		"isActive": "1", "reserveAmount": "500.00", "owners": []record{{"contactID": owner["contactID"], "percent": "100.00"}},
	}
	id := strconv.Itoa(m.tables["portfolios"].last + 1)
	rec["portfolioID"], rec["name"] = id, "Portfolio "+id
	m.tables["portfolios"].add(rec)
	return id
}

// property adds one with its units.
func (m *portfolioMaker) property(portfolio string) {
	m.made.Properties++
	in := towns()[m.rng.IntN(len(towns()))]
	streets := []string{"Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Grove", "Hazel"}
	street := fmt.Sprintf("%d %s Street", 100+m.rng.IntN(9800), streets[m.rng.IntN(len(streets))])
	units := 1 + m.rng.IntN(mostUnits)
	near := func(at float64) string { return strconv.FormatFloat(at+(m.rng.Float64()-0.5)/10, 'f', 6, 64) }
	id := strconv.Itoa(m.tables["properties"].last + 1)
	m.tables["properties"].add(property(id, portfolio, street, street, in.city, in.state, in.code,
		fmt.Sprint(wire(units > 1)), near(in.lat), near(in.lon)))
	if m.made.First == "" {
		m.made.First = id
	}
	m.made.Last = id
	for n := range units {
		label := ""
		if units > 1 {
			label = "Apt " + strconv.Itoa(n+1)
		}
		m.unit(id, street, label, in)
	}
}

// unit adds one, with a lease where it is let or was.
func (m *portfolioMaker) unit(propertyID, street, label string, in town) {
	m.made.Units++
	beds := m.rng.IntN(5)
	size := 420 + 230*beds + m.rng.IntN(120)
	asked := int64(in.rent+350*beds+5*m.rng.IntN(40)) * 100
	id := strconv.Itoa(m.tables["units"].last + 1)
	rec := unit(id, propertyID, street, label, in.city, in.state, in.code, strconv.Itoa(beds), strconv.Itoa(1+beds/3), strconv.Itoa(size))
	rec["rent"] = amountOf(asked)
	m.tables["units"].add(rec)
	paid := asked * int64(92+m.rng.IntN(14)) / 100
	started := m.today.AddDate(0, 0, -m.rng.IntN(360))
	switch draw := m.rng.IntN(100); {
	case draw < letPercent:
		m.made.Let++
		m.lease(id, propertyID, paid, started, "")
	case draw%2 == 0:
		m.lease(id, propertyID, paid, started.AddDate(-1, 0, 0), m.today.AddDate(0, 0, -m.rng.IntN(60)).Format(time.DateOnly))
	}
}

// lease adds one of a year with its tenant and rent; out is the day of moving out, ""
// where the tenant lives there.
func (m *portfolioMaker) lease(unitID, propertyID string, rent int64, started time.Time, out string) {
	first, last := started.Format(time.DateOnly), started.AddDate(1, 0, -1).Format(time.DateOnly)
	lease := blankLease()
	id := strconv.Itoa(m.tables["leases"].last + 1)
	for f, v := range (record{
		"leaseID": id, "code": "L-" + id, "propertyID": propertyID, "unitID": unitID, "primaryLeaseStatusID": "2", "leaseStatusID": "2",
		"moveInDate": first, "startDate": first, "endDate": last,
		"dateTimeCreated": first + "T09:00:00Z", "dateTimeModified": first + "T09:00:00Z",
	}) {
		lease[f] = v
	}
	lease["tenants"] = []string{m.newTenant(lease, nil)}
	if out != "" {
		m.moveOut(lease, out)
	}
	m.tables["leases"].add(lease)
	m.tables["charges"].add(record{
		"leaseID": id, "accountID": rentAccount, "description": "Rent", "amount": amountOf(rent), "dayDue": "1", "frequency": "1",
		"startDate": inUSOrder(first), "endDate": inUSOrder(last),
	})
}
