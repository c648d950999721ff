package incidentreport_test

import (
	"time"

	"github.com/aictive/keyholder/activities/incidentreport"
)

// burstPipe is a night as it happens: the on-call person is paged twice, the
// first technician declines, the second comes too late for one promise.
func burstPipe() incidentreport.Report {
	opened := time.Date(2026, 11, 21, 5, 52, 7, 0, time.UTC)
	at := func(d time.Duration, what string) incidentreport.Step {
		return incidentreport.Step{At: opened.Add(d), What: what}
	}
	const minute = time.Minute
	return incidentreport.Report{
		Company:     "Cedar & Oak Property Management",
		WorkOrderID: "4711",
		Number:      "1042",
		Problem:     "Burst pipe under the kitchen sink",
		Category:    "water_leak",
		Reason:      "the text says “burst pipe” and “flooding”, and the priority is emergency",
		Rules:       "2026-11.1",
		Description: "Pipe under the kitchen sink burst, water is flooding the floor and dripping into the flat below. " +
			"I put towels down but it doesn't stop.\nI cannot find the shut-off valve. Please hurry, the kids are asleep.",
		Address:  "1420 Juniper Street, Austin, TX 78702",
		Unit:     "2B",
		Zone:     "America/Chicago",
		OpenedAt: opened,
		EndedAt:  opened.Add(118*minute + 40*time.Second),
		Result:   "repaired: split supply line replaced, water back on at 1:46 AM, floor to be checked for moisture on Monday",
		SLAs: []incidentreport.SLA{
			{Name: "acknowledge", Limit: 10 * minute, Took: 6*minute + 48*time.Second, Verdict: incidentreport.Met},
			{Name: "technician accepts", Limit: 15 * minute, Took: 14*minute + 2*time.Second, Verdict: incidentreport.Met},
			{Name: "on site", Limit: 60 * minute, Took: 84*minute + 30*time.Second, Verdict: incidentreport.Missed},
			{Name: "tenant call-back", Limit: 4 * time.Hour, Verdict: incidentreport.NotReached},
		},
		People: []incidentreport.Role{
			{Role: "tenant", Name: "Dana Whitfield"},
			{Role: "on-call", Name: "Luis Ortega"},
			{Role: "property manager", Name: "Priya Raman"},
			{Role: "technician (declined)", Name: "Mark Sørensen"},
			{Role: "technician", Name: "Ana Nowak"},
		},
		Timeline: []incidentreport.Step{
			at(0, "Report received from RentVine: emergency, plumbing."),
			at(2*time.Second, "Judged an emergency: water leak. Dana Whitfield was told that somebody is being called, and where the shut-off valve is."),
			at(3*time.Second, "Luis Ortega paged by text (try 1 of 3)."),
			at(5*minute, "No answer in 5 min. Luis Ortega paged again by text (try 2 of 3)."),
			at(6*minute+48*time.Second, "Luis Ortega acknowledged by reply to the text. The ladder stopped."),
			at(6*minute+50*time.Second, "Priya Raman was told that Luis Ortega is on it."),
			at(6*minute+55*time.Second, "Mark Sørensen asked to come: plumber, 3.1 km away, no other job."),
			at(11*minute+20*time.Second, "Mark Sørensen declined by link: “At my daughter's birthday, 60 miles out of town.”"),
			at(11*minute+24*time.Second, "Ana Nowak asked to come: plumber, 8.4 km away, no other job."),
			at(20*minute+50*time.Second, "Ana Nowak accepted by text, expected at 12:50 AM. Dana Whitfield and Priya Raman were told."),
			at(60*minute, "The promise “on site within 1 h” was missed. Priya Raman and the regional manager were told."),
			at(66*minute, "Ana Nowak wrote that Highway 183 is closed after an accident and that she is taking the frontage road; new expected time 1:15 AM. Dana Whitfield was told, and was walked through closing the main valve by phone by Luis Ortega."),
			at(84*minute+30*time.Second, "Ana Nowak is on site."),
			at(113*minute+50*time.Second, "Ana Nowak reported the repair done, with two photos."),
			at(114*minute, "Work order set to Completed in RentVine. Dana Whitfield and Priya Raman were told."),
			at(118*minute+40*time.Second, "Work order closed in RentVine by Priya Raman. Incident ended."),
		},
	}
}

func minimal() incidentreport.Report {
	opened := time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)
	return incidentreport.Report{
		Company: "Northgate Lettings", WorkOrderID: "12", Problem: "No heat", Zone: "Europe/London",
		OpenedAt: opened, EndedAt: opened.Add(45 * time.Minute), Result: "cancelled",
		Timeline: []incidentreport.Step{{At: opened, What: "Report received."}, {At: opened.Add(45 * time.Minute), What: "Cancelled in RentVine."}},
	}
}
