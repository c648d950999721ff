package activities

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// MailSalesReport mails the report on all sales to those whom the policy names. It
// is safe to repeat: each mail has a key of its own in the effect journal.
var MailSalesReport = durable.Activity[MailSalesReportInput, SalesReportMailed]{
	Name: "sales.mail_report", Attempt: time.Minute, Within: 12 * time.Hour, Priority: 4,
}

// MailSalesReportInput names the report.
type MailSalesReportInput struct {
	// Ref is the workflow's id and its first run: with it a mail is told from that of another day.
	Ref string `json:"ref"`
}

// SalesReportMailed says what was reported and to how many.
type SalesReportMailed struct {
	Sent     int `json:"sent"`
	Recorded int `json:"recorded,omitempty"`
	Followed int `json:"followed"`
	Overdue  int `json:"overdue"`
	AtRisk   int `json:"at_risk"`
	OnTrack  int `json:"on_track"`
}

// reportPageFor is how long the link to the page works (real time): the next report
// comes within a week.
const reportPageFor = 35 * 24 * time.Hour

// SalesReport is the report on all sales as of now: what was last read of each at
// OpenMoove, judged by the clock.
func SalesReport(ctx context.Context, watches store.Watches, rules policy.Sales, clock durable.Clock) (salesreport.Report, error) {
	var sales []salesreport.Sale
	since := time.Now().Add(-clock.Real(salesreport.CompletedWithin))
	err := watches.AllWatches(ctx, since, func(w store.Watch) error {
		sales = append(sales, reported(w, clock))
		return ctx.Err()
	})
	if err != nil {
		return salesreport.Report{}, err
	}
	return salesreport.Build(sales, rules, clock.Now()), nil
}

func reported(w store.Watch, clock durable.Clock) salesreport.Sale {
	v, known := viewOf(w)
	sale := salesreport.Sale{
		PropertyID: w.PropertyID, TransactionID: w.TransactionID, Address: v.Address, Postcode: v.Postcode,
		Method: string(v.Method), Status: v.Status, Milestones: v.Milestones, Known: known, BeganAt: v.CreatedAt,
	}
	if sale.BeganAt.IsZero() {
		sale.BeganAt = clock.At(w.AddedAt)
	}
	if !w.EndedAt.IsZero() {
		sale.EndedAt = clock.At(w.EndedAt)
	}
	if !w.ReadAt.IsZero() {
		sale.ReadAt = clock.At(w.ReadAt)
	}
	return sale
}

func (a *Activities) mailSalesReport(ctx context.Context, in MailSalesReportInput) (SalesReportMailed, error) {
	rules := a.Policy.Sales()
	report, err := SalesReport(ctx, a.Store, rules, a.Clock)
	if err != nil {
		return SalesReportMailed{}, err
	}
	report.PageURL = a.PublicURL + "/r/" + a.Keys.ReportToken("sales", time.Now().Add(reportPageFor))
	subject, text, html, err := report.Mail()
	if err != nil {
		return SalesReportMailed{}, err
	}
	out := SalesReportMailed{Followed: report.Followed, Overdue: report.Overdue, AtRisk: report.AtRisk, OnTrack: report.OnTrack}
	to := rules.Report.To
	if len(to) == 0 {
		to = []policy.Contact{rules.Manager}
	}
	var failed error
	for _, person := range to {
		if !a.Outbound.Allows(person.Email) {
			out.Recorded++
			notSent(ctx, in.Ref+"/sales-report/"+a.Keys.Address(person.Email), "mail: report on all sales", Sent{
				Outcome: MessageRecorded, Why: "KEYHOLDER_OUTBOUND is " + string(a.Outbound.Mode),
			})
			continue
		}
		_, err := a.sendMail(ctx, in.Ref+"/sales-report/"+a.Keys.Address(person.Email), mail.Message{
			To: []mail.Address{{Name: person.Name, Email: strings.TrimSpace(person.Email)}}, Subject: subject, Text: text, HTML: html,
		}, about{kind: store.AuditMessage, partner: atMail, what: "mail: report on all sales"})
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		out.Sent++
	}
	return out, toTemporal(ctx, failed)
}
