package financereport

import "github.com/aictive/keyholder/activities/paper"

// PictureID is the Content-ID under which the HTML of Mail shows Picture. Where Picture
// is nothing the HTML does not refer to it.
const PictureID = paper.PictureID

// Mail is the report as a mail, HTML below 100 kB and plain text with the same facts. Each
// list has at most 60 rows, fewer where they would not fit; the PDF and the CSV file have
// the others. The error is ErrOtherPortfolio, or that of an unknown Kind.
func (r Report) Mail() (subject, text, html string, err error) {
	v, err := r.view()
	if err != nil {
		return "", "", "", err
	}
	if r.Kind == OwnerLedger {
		v.Tables = []paper.Table{r.lines()} // the ledger is too wide for a phone; the PDF has it
	}
	text, html, err = v.Mail()
	return v.Subject, text, html, err
}
