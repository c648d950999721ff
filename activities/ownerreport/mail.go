package ownerreport

import "github.com/aictive/keyholder/activities/paper"

// Mail is the report as a mail, HTML below 100 kB and plain text with the same facts: the
// figures, what is next and what is open. The files of a Pack have the rest. The error is
// ErrOtherPortfolio, or that of an unknown Kind.
func (r Report) Mail() (subject, text, html string, err error) {
	v, err := r.view()
	if err != nil {
		return "", "", "", err
	}
	if r.Kind != Digest {
		v.Tables = []paper.Table{r.next(), r.requests(r.open()), r.notes()}
	}
	v.PageURL = r.PageURL
	text, html, err = v.Mail()
	return v.Subject, text, html, err
}
