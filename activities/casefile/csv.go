package casefile

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/paper"
)

// CSV writes the entries as RFC 4180, no cell of which a spreadsheet takes for a formula.
// Times are RFC 3339 in the case's zone; links are separated by spaces. The error is w's.
func (c Case) CSV(w io.Writer) error {
	rows := [][]string{{
		"time", "entity", "seq", "kind", "who", "what", "partner", "ref", "links", "step", "run_id", "id", "subject", "details", "hash",
	}}
	for _, e := range c.timeline() {
		rows = append(rows, []string{
			e.At.In(c.zone()).Format(time.RFC3339Nano), paper.Cell(e.Entity), strconv.FormatInt(e.Seq, 10), paper.Cell(string(e.Kind)),
			paper.Cell(who(e)), paper.Cell(e.What), paper.Cell(e.Partner), paper.Cell(e.Ref), paper.LongCell(strings.Join(e.Links, " "), maxDetails),
			paper.Cell(e.Step), paper.Cell(e.RunID), paper.Cell(e.ID), paper.Cell(e.Subject), paper.LongCell(c.details(e), maxDetails), e.Hash,
		})
	}
	return paper.CSV(w, rows)
}
