package ownerreport

import "github.com/aictive/keyholder/activities/sheet"

// maxPrinted is how many rows each list of a PDF has; the CSV file has all.
const maxPrinted = 120

// PDF is the report as a document, without links: a file is passed on. Its first page says
// how things stand. The same Report gives the same bytes. The error is ErrOtherPortfolio,
// that of an unknown Kind, or one of the PDF library: no Report is known to cause one.
func (r Report) PDF() ([]byte, error) {
	v, err := r.view()
	if err != nil {
		return nil, err
	}
	if r.Kind == Digest {
		return v.PDF(maxPrinted, nil)
	}
	c, err := r.picture()
	if err != nil {
		return nil, err
	}
	return v.PDF(maxPrinted, func(s *sheet.Sheet) {
		if c != nil {
			c.Draw(s)
		}
	})
}
