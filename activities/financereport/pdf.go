package financereport

import (
	"github.com/aictive/keyholder/activities/chart"
	"github.com/aictive/keyholder/activities/sheet"
)

// maxPrinted is how many rows each list of a PDF has; the CSV file has all.
const maxPrinted = 2000

// PDF is the report as a document, without links: a file is passed on. The same Report
// gives the same bytes. The error is ErrOtherPortfolio, that of an unknown Kind, or one of
// the PDF library: no Report is known to cause one.
func (r Report) PDF() ([]byte, error) {
	v, err := r.view()
	if err != nil {
		return nil, err
	}
	picture, _, err := r.Picture()
	if err != nil {
		return nil, err
	}
	if picture == nil {
		return v.PDF(maxPrinted, nil)
	}
	return v.PDF(maxPrinted, func(s *sheet.Sheet) { chart.Place(s, picture) })
}
