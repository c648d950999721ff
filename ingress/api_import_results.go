package ingress

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/intake"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/sales"
)

const (
	// resultsPage is how many rows are read and sent at once.
	resultsPage = 500
	// pageTime is how long a reader may take for a page.
	pageTime = 30 * time.Second
)

// importResults streams what became of each row. An answer that breaks off has no
// proper end, so that nobody takes a part for the whole.
func (a *API) importResults(c echo.Context) apiReply {
	i, refused, ok := a.findImport(c)
	if !ok {
		return refused
	}
	// The first page is read before anything is sent, to be able to refuse.
	rows, err := a.cfg.Imports.Rows(c.Request().Context(), i.ID, 0, resultsPage)
	if err != nil {
		return a.storeAway(i.ID, err)
	}
	h := c.Response().Header()
	h.Set("Content-Type", mediaCSV+"; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="import-`+i.ID+`.csv"`)
	c.Response().WriteHeader(http.StatusOK)
	r := apiReply{status: http.StatusOK, reason: "shown", workflowID: sales.ImportWorkflowID(i.ID), written: true}
	if err := a.streamRows(c, i.ID, rows); err != nil {
		a.cfg.Log.Warn("results were not sent to their end", zap.String("import", i.ID), zap.Error(err))
		r.reason, r.broken = "broken_off", true
	}
	return r
}

func (a *API) streamRows(c echo.Context, id string, rows []store.ImportRow) error {
	out := intake.NewResults(c.Response())
	for len(rows) > 0 {
		allowTime(c, 0, pageTime)
		for _, row := range rows {
			if err := out.Write(resultOf(row)); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if len(rows) < resultsPage {
			return nil
		}
		var err error
		if rows, err = a.cfg.Imports.Rows(c.Request().Context(), id, rows[len(rows)-1].Number, resultsPage); err != nil {
			return err
		}
	}
	return out.Flush()
}

func resultOf(row store.ImportRow) intake.ResultRow {
	result := intake.ResultRow{Number: row.Number, Status: string(row.State), PropertyID: row.PropertyID, TransactionID: row.TransactionID}
	for _, p := range row.Problems {
		result.Problems = append(result.Problems, intake.Problem{Path: p.Field, Message: p.Message})
	}
	return result
}
