package salesreport

import (
	"fmt"
	"html/template"
	"strings"
)

const (
	// maxMailed is how many sales each list of a mail has, and maxMail the most bytes
	// of its HTML: Gmail cuts mails above 102 kB.
	maxMailed = 25
	maxMail   = 96_000
)

var mail = template.Must(template.New("mail.gohtml").ParseFS(files, "mail.gohtml"))

// mailView is what a mail shows.
type mailView struct {
	view
	Subject string
	Lists   []section
}

// Mail is the report as a mail: HTML of tables and inline styles, which is what mail
// clients keep, below 100 kB, and plain text with the same facts. Each list has at
// most 25 sales, fewer where they would not fit. The error is one of the template:
// no Report is known to cause one.
func (r Report) Mail() (subject, text, html string, err error) {
	v := mailView{view: r.view(), Subject: r.subject()}
	for most := maxMailed; ; most /= 2 {
		v.Lists = nil
		for _, s := range []section{v.Overdue, v.AtRisk} {
			if s.Total() > 0 {
				v.Lists = append(v.Lists, s.atMost(most))
			}
		}
		var b strings.Builder
		if err := mail.Execute(&b, v); err != nil {
			return "", "", "", fmt.Errorf("draw the mail of the sales report: %w", err)
		}
		if b.Len() <= maxMail || most == 0 {
			return v.Subject, v.text(), b.String(), nil
		}
	}
}

// atMost has fewer entries.
func (s section) atMost(n int) section {
	if len(s.Entries) > n {
		s.More += len(s.Entries) - n
		s.Entries = s.Entries[:n]
	}
	return s
}

func (r Report) subject() string {
	s := "Sales report " + r.At.In(location(r.TimeZone)).Format("Monday 2 January") + ": "
	if r.Followed == 0 {
		return s + "no sales are followed"
	}
	s += fmt.Sprintf("%d overdue, %d at risk, %d on track", r.Overdue, r.AtRisk, r.OnTrack)
	if r.Unknown > 0 {
		s += fmt.Sprintf(", %d not known", r.Unknown)
	}
	return s
}
