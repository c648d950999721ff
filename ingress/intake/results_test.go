package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResults(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, WriteResults(&out, []ResultRow{
		{Number: 2, Status: "created", PropertyID: "31", TransactionID: "5c3b6f1e-0000-4000-8000-000000000031"},
		{Number: 3, Status: "invalid", Problems: []Problem{{Path: "email", Message: "Write it, \"please\"."}, {Message: "Row."}}},
	}))
	require.Equal(t, "row,status,property_id,transaction_id,problems\n"+
		"2,created,31,5c3b6f1e-0000-4000-8000-000000000031,\n"+
		"3,invalid,,,\"email: Write it, \"\"please\"\". Row.\"\n", out.String())
}

func TestResultsWithoutRows(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, WriteResults(&out, nil))
	require.Equal(t, "row,status,property_id,transaction_id,problems\n", out.String())
}

func TestResultsAreNoFormulas(t *testing.T) {
	t.Parallel()
	for _, cell := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"} {
		var out bytes.Buffer
		require.NoError(t, WriteResults(&out, []ResultRow{{Number: 2, Status: cell, PropertyID: cell, TransactionID: cell,
			Problems: []Problem{{Message: cell}}}}))
		records, err := csv.NewReader(&out).ReadAll()
		require.NoError(t, err)
		for _, got := range records[1][1:] {
			require.Equal(t, byte('\''), got[0], "%q", got)
		}
	}
	require.Equal(t, "1-1", harmless("1-1"))
	require.Empty(t, harmless(""))
}

func TestResultsStream(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := NewResults(&out)
	for n := range 3 {
		require.NoError(t, r.Write(ResultRow{Number: n + 2, Status: "created"}))
		require.NoError(t, r.Flush())
		records, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
		require.NoError(t, err)
		require.Len(t, records, n+2)
	}
	gone := NewResults(broken{})
	require.NoError(t, gone.Write(ResultRow{}))
	require.ErrorIs(t, gone.Flush(), errGone)
}

var errGone = errors.New("gone")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errGone }

// WriteResults writes all rows with their header.
func WriteResults(w io.Writer, rows []ResultRow) error {
	r := NewResults(w)
	for _, row := range rows {
		if err := r.Write(row); err != nil {
			return err
		}
	}
	return r.Flush()
}
