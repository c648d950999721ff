package activities

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/aictive/keyholder/policy"
)

// orderView is what a mail about an order shows.
type orderView struct {
	Title, Intro, Outro string
	Facts               []orderFact
	Lines               []orderRow
	Total               string
}

type orderFact struct{ Label, Text string }

type orderRow struct {
	Quantity           int
	Text, Each, Amount string
}

// orderPage is such a mail in HTML: inline styles only, nothing fetched, every text
// escaped.
const orderPage = `<!doctype html><html lang="en"><body style="font:16px/1.5 Arial,sans-serif;color:#1b1f24">
<h1 style="font-size:20px">{{.Title}}</h1>
<p>{{.Intro}}</p>
{{with .Facts}}<table style="border-collapse:collapse">{{range .}}<tr><th style="text-align:left;padding:2px 12px 2px 0">{{.Label}}</th><td>{{.Text}}</td></tr>{{end}}</table>{{end}}
{{if .Lines}}<table style="border-collapse:collapse;margin-top:16px"><thead><tr>
<th style="text-align:right;padding:4px 12px 4px 0">Quantity</th><th style="text-align:left;padding:4px 12px 4px 0">What</th><th style="text-align:right;padding:4px 12px 4px 0">Each</th><th style="text-align:right;padding:4px 0">Amount</th></tr></thead><tbody>
{{range .Lines}}<tr style="border-top:1px solid #d0d7de"><td style="text-align:right;padding:4px 12px 4px 0">{{.Quantity}}</td><td style="padding:4px 12px 4px 0">{{.Text}}</td><td style="text-align:right;padding:4px 12px 4px 0">{{.Each}}</td><td style="text-align:right;padding:4px 0">{{.Amount}}</td></tr>{{end}}
<tr style="border-top:2px solid #1b1f24"><td></td><td style="padding:4px 12px 4px 0"><b>Total</b></td><td></td><td style="text-align:right;padding:4px 0"><b>{{.Total}}</b></td></tr>
</tbody></table>{{end}}
<p>{{.Outro}}</p>
</body></html>
`

// orderMail is an order as plain text and as HTML. The error is one of the template.
func orderMail(in PurchaseOrderInput, total policy.Cents) (text, html string, err error) {
	money := func(amount policy.Cents) string { return policy.Money{Amount: amount, Currency: in.Currency}.String() }
	v := orderView{
		Title: "Purchase order " + in.Number,
		Intro: fmt.Sprintf("%s orders from %s:", in.Company, in.Vendor.Name),
		Facts: []orderFact{{"Order", in.Number}, {"For", in.Address}},
		Total: money(total),
		Outro: fmt.Sprintf("Please put the number %s on your invoice. If you cannot deliver, reply to this mail.", in.Number),
	}
	if in.WorkOrderNumber != "" {
		v.Facts = slices.Insert(v.Facts, 1, orderFact{"Work order", in.WorkOrderNumber})
	}
	for _, l := range in.Lines {
		v.Lines = append(v.Lines, orderRow{
			Quantity: l.Quantity, Text: l.Text, Each: money(l.UnitCost), Amount: money(policy.Cents(l.Quantity) * l.UnitCost),
		})
	}
	return v.render()
}

// cancellationMail takes an order back.
func cancellationMail(in CancelPurchaseOrderInput) (text, html string, err error) {
	return orderView{
		Title: "Purchase order " + in.Number + " is cancelled",
		Intro: fmt.Sprintf("%s no longer needs what was ordered from %s with order %s.", in.Company, in.Vendor.Name, in.Number),
		Outro: "Please do not deliver it. If it is on its way already, reply to this mail.",
	}.render()
}

func (v orderView) render() (text, html string, err error) {
	t, err := template.New("order").Parse(orderPage)
	if err != nil {
		return "", "", fmt.Errorf("parse the template of an order: %w", err)
	}
	var page strings.Builder
	if err := t.Execute(&page, v); err != nil {
		return "", "", fmt.Errorf("draw an order: %w", err)
	}
	return v.plain(), page.String(), nil
}

func (v orderView) plain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n", oneLine(v.Title), oneLine(v.Intro))
	for _, f := range v.Facts {
		fmt.Fprintf(&b, "%-12s%s\n", f.Label+":", oneLine(f.Text))
	}
	if len(v.Lines) > 0 {
		b.WriteString("\n")
		for _, l := range v.Lines {
			fmt.Fprintf(&b, "%d x %s, %s each: %s\n", l.Quantity, oneLine(l.Text), l.Each, l.Amount)
		}
		fmt.Fprintf(&b, "Total: %s\n\n", v.Total)
	}
	fmt.Fprintf(&b, "%s\n", v.Outro)
	return b.String()
}
