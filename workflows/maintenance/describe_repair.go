package maintenance

import (
	"strings"
	"time"

	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// RepairDescription is where an ordinary repair stands, without personal data: people
// are named by their ids.
type RepairDescription struct {
	Stage    repair.Stage `json:"stage"`
	Priority string       `json:"priority,omitempty"`
	Trade    string       `json:"trade,omitempty"`
	// Minutes is the estimate; By says who made it.
	Minutes int    `json:"minutes,omitempty"`
	By      string `json:"by,omitempty"`
	// Preferred says why technicians or vendors were asked.
	Preferred string `json:"preferred,omitempty"`
	// Worker has the job, at Price; Offered is who is asked to take it.
	Worker     string `json:"worker,omitempty"`
	Offered    string `json:"offered,omitempty"`
	Price      string `json:"price,omitempty"`
	ApprovedBy string `json:"approved_by,omitempty"`
	// Orders are the numbers of what was ordered.
	Orders []string `json:"orders,omitempty"`
	// VisitStart and VisitEnd are those of the booked visit.
	VisitStart time.Time `json:"visit_start,omitzero"`
	VisitEnd   time.Time `json:"visit_end,omitzero"`
	Late       bool      `json:"late,omitempty"`
	Visits     int       `json:"visits,omitempty"`
	Returns    int       `json:"returns,omitempty"`
	Rating     int       `json:"rating,omitempty"`
	Confirmed  string    `json:"confirmed,omitempty"`
	// Asking are the purposes of the questions that wait for an answer; DueBy is when
	// silence decides the first of them, or when the visit should have begun.
	Asking []string  `json:"asking,omitempty"`
	DueBy  time.Time `json:"due_by,omitzero"`
	Why    string    `json:"why,omitempty"`
}

func describeRepair(r *repair.State) *RepairDescription {
	a := r.Analysis
	d := &RepairDescription{
		Stage: r.Stage, Priority: string(a.Priority), Trade: string(a.Trade), Minutes: a.Minutes, By: a.By, Preferred: r.Preferred,
		ApprovedBy: r.ApprovedBy, Visits: r.Visits, Returns: r.Returns, Rating: r.Rating, Confirmed: r.Confirmed, Why: r.Why,
	}
	if cost := r.Cost(); cost > 0 {
		d.Price = cost.String()
	}
	if r.Worker != nil {
		d.Worker = r.Worker.ID
	}
	if r.Current != nil {
		d.Offered = r.Current.ID
	}
	for _, o := range r.Orders {
		d.Orders = append(d.Orders, o.Number)
	}
	if v := r.Visit; v != nil {
		d.VisitStart, d.VisitEnd, d.Late = v.Window.Start, v.Window.End, v.Late || v.Overrun
		if v.Arrived.IsZero() {
			d.DueBy = v.Window.End
		}
	}
	for _, w := range r.Waits {
		d.Asking = append(d.Asking, string(w.Purpose))
		if !w.GiveUpAt.IsZero() && (d.DueBy.IsZero() || w.GiveUpAt.Before(d.DueBy)) {
			d.DueBy = w.GiveUpAt
		}
	}
	return d
}

// visitMissed is where a visit did not begin or end in its time.
const visitMissed = "visit_missed"

// sla is one word for the search attribute.
func (d *RepairDescription) sla() string {
	if d.Late {
		return visitMissed
	}
	return "on_track"
}

// details adds the repair to the status that a coordinator reads.
func (d *RepairDescription) details(line func(string, ...any)) {
	if d.Trade != "" {
		line("%s, **%s**, about %d min (%s)", d.Priority, d.Trade, d.Minutes, d.By)
	}
	if d.Worker != "" {
		line("Done by **%s** for %s", d.Worker, d.Price)
	} else if d.Offered != "" {
		line("Offered to **%s** for %s", d.Offered, d.Price)
	}
	if !d.VisitStart.IsZero() {
		line("Visit: %s to %s", d.VisitStart.Format(time.RFC3339), d.VisitEnd.Format("15:04Z"))
	}
	if len(d.Orders) > 0 {
		line("Ordered: %s", strings.Join(d.Orders, ", "))
	}
	if d.Why != "" {
		line("%s", d.Why)
	}
}
