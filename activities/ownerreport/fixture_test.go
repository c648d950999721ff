package ownerreport_test

import (
	"fmt"
	"time"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/policy"
)

const zone = "America/Los_Angeles"

func written() time.Time { return time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC) }

// ago is a time before the report is written.
func ago(d time.Duration) time.Time { return written().Add(-d) }

const day = 24 * time.Hour

// report is one of a portfolio of two properties in which something happened.
func report(kind ownerreport.Kind) ownerreport.Report {
	r := ownerreport.Report{
		Kind: kind, Company: "Harbor Homes", Currency: "USD", At: written(), TimeZone: zone, From: "2026-10-01", To: "2026-10-31",
		PortfolioID: "1", Portfolio: "Sunset Portfolio",
		Money: ownerreport.Money{
			Known: true, Opening: 12_300_00, Charged: 9_400_00, Received: 9_250_00, Costs: 1_837_50,
			Charges: []ownerreport.Amount{{Label: "Rent", Amount: 9_325_00}, {Label: "Late fee", Amount: 75_00}},
			Bills:   []ownerreport.Amount{{Label: "Repairs and maintenance", Amount: 1_425_00}, {Label: "Landscaping", Amount: 412_50}},
		},
		Months: months(12), Properties: properties(), Compliance: compliance(), KPIs: kpis(),
		Repairs: []ownerreport.Repair{
			{
				PortfolioID: "1", What: "plumbing", Where: "88 Bay Street, Unit 2B", OpenedAt: ago(20 * day), AnsweredAt: ago(20*day - 12*time.Minute),
				OnSiteAt: ago(19 * day), DoneAt: ago(17*day + 14*time.Hour), Cost: 412_50, Rating: 5,
			},
			{PortfolioID: "1", What: "hvac", Where: "12 Oak Court", Emergency: true, OpenedAt: ago(9 * day), DoneAt: ago(8*day + 6*time.Hour), Cost: 1_012_50},
		},
		Requests: []ownerreport.Request{
			{PortfolioID: "1", Number: "1044", Where: "88 Bay Street, Unit 1A", Status: "Scheduled", OpenedAt: ago(20 * time.Hour)},
			{PortfolioID: "1", Number: "1031", Where: "88 Bay Street, Unit 2B", Status: "Waiting for parts", OpenedAt: ago(6*day + 5*time.Hour)},
		},
		Lettings: []ownerreport.Letting{{
			PortfolioID: "1", Where: "88 Bay Street, Unit 1A", ListedDays: 18, EmptyDays: 23, Leads: 14, Showings: 5, Applications: 2,
			Cost: 86_00, Lost: 1_418_33, Source: "Zillow",
		}},
		Notes: []string{"3 entries wait for a category: sums by category may still change."},
	}
	return r
}

func months(n int) []ownerreport.Month {
	var out []ownerreport.Month
	for i := range n {
		at := time.Date(2026, time.Month(11-n+i), 1, 0, 0, 0, 0, time.UTC)
		share := policy.Permille(1000 - 250*(i%3))
		m := ownerreport.Month{Month: at.Format("2006-01"), Income: policy.Cents(9_250_00 - 310_00*(i%4)), Costs: policy.Cents(800_00 + 450_50*(i%5))}
		if i > 3 {
			m.Occupancy = &share
		}
		out = append(out, m)
	}
	return out
}

func properties() []ownerreport.Property {
	return []ownerreport.Property{
		{PortfolioID: "1", ID: "10", Name: "88 Bay Street", Address: "88 Bay Street, Portland, OR 97201", Units: []ownerreport.Unit{
			{Label: "Unit 1A", State: ownerreport.Let, Rent: 1_850_00, LeaseEnds: "2027-10-31"},
			{Label: "Unit 2B", State: ownerreport.Leaving, Rent: 1_795_00, LeaseEnds: "2026-12-31"},
			{Label: "Unit 3C", State: ownerreport.Listed, Rent: 1_925_00, EmptyDays: 12},
		}},
		{PortfolioID: "1", ID: "11", Address: "12 Oak Court, Portland, OR 97202", Units: []ownerreport.Unit{
			{Label: "House", State: ownerreport.Let, Rent: 3_750_00, LeaseEnds: "2027-01-15"},
		}},
	}
}

func compliance() []ownerreport.Requirement {
	return []ownerreport.Requirement{
		{PortfolioID: "1", Name: "Landlord insurance", Where: "88 Bay Street", State: "valid", Due: "2027-06-01"},
		{PortfolioID: "1", Name: "Smoke alarms", Where: "88 Bay Street, Unit 2B", State: "due", Due: "2026-12-10"},
		{PortfolioID: "1", Name: "Boiler service", Where: "12 Oak Court", State: "overdue", Due: "2026-10-20"},
		{PortfolioID: "1", Name: "Lead paint disclosure", Where: "12 Oak Court", State: "unknown"},
	}
}

func kpis() []ownerreport.KPI {
	d := func(name string, value, target time.Duration, count int) ownerreport.KPI {
		return ownerreport.KPI{Name: name, Measure: ownerreport.Duration, Value: int64(value), Target: int64(target), Count: count}
	}
	return []ownerreport.KPI{
		d("Repair, from request to done", 57*time.Hour, 3*day, 2),
		d("Vendor's bill after the work", 9*day, 7*day, 2),
		d("Ready after move-out", 0, 10*day, 0),
		d("First answer to a prospect", 40*time.Second, 5*time.Minute, 14),
		{Name: "Rating by tenants", Measure: ownerreport.Stars, Value: 50, Target: 40, Count: 1},
		{Name: "Repaired at the first visit", Measure: ownerreport.Share, Value: 500, Target: 800, Count: 2},
		{Name: "Homes let", Measure: ownerreport.Share, Value: 750, Target: 950, Count: 4},
	}
}

// many is one of so many units, with much to tell.
func many(kind ownerreport.Kind, units int) ownerreport.Report {
	r := report(kind)
	var home []ownerreport.Unit
	for i := range units {
		u := ownerreport.Unit{Label: fmt.Sprintf("Unit %d", 101+i), State: ownerreport.Let, Rent: policy.Cents(1_500_00 + 10_00*i), LeaseEnds: fmt.Sprintf("2027-%02d-28", 1+i%12)}
		if i%11 == 0 {
			u.State, u.EmptyDays, u.LeaseEnds = ownerreport.Empty, i, ""
		}
		home = append(home, u)
	}
	r.Properties = append(r.Properties, ownerreport.Property{PortfolioID: "1", ID: "12", Name: "Harbor Tower", Address: "1 Harbor Way, Portland, OR 97209", Units: home})
	for i := range units / 4 {
		one := r.Repairs[i%2]
		one.Where = fmt.Sprintf("Harbor Tower, Unit %d", 101+i)
		r.Repairs = append(r.Repairs, one)
		c := compliance()[i%4]
		c.Where = one.Where
		r.Compliance = append(r.Compliance, c)
	}
	return r
}

// nothing is one of a portfolio of which next to nothing is known.
func nothing(kind ownerreport.Kind) ownerreport.Report {
	return ownerreport.Report{Kind: kind, Company: "Harbor Homes", Currency: "EUR", From: "2026-10-01", To: "2026-10-31", PortfolioID: "1", Portfolio: "Sunset Portfolio"}
}
