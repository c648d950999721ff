package incidentreport_test

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/incidentreport"
)

// Whatever a tenant writes, there is a report.
func FuzzRenderings(f *testing.F) {
	f.Add("Burst pipe", int64(600), "America/Chicago")
	f.Add("\ufe0f 火🔥\u202e\x00\xff\r\n", int64(-1), "Local")
	f.Add("{{.}} (\\) <b> {nb}", int64(1)<<62, "")
	f.Fuzz(func(t *testing.T, s string, n int64, zone string) {
		at := time.Unix(n%(1<<36), 0)
		r := incidentreport.Report{
			Company: s, WorkOrderID: s, Problem: s, Category: s, Reason: s, Description: s, Address: s, Unit: s, Zone: zone, Result: s,
			OpenedAt: at, EndedAt: at.Add(time.Duration(n)),
			SLAs:     []incidentreport.SLA{{Name: s, Limit: time.Duration(n), Took: time.Duration(n), Verdict: s}},
			People:   []incidentreport.Role{{Role: s, Name: s}},
			Timeline: []incidentreport.Step{{At: at, What: s}, {What: s}},
		}
		_, err := incidentreport.PDF(r)
		require.NoError(t, err)
		page, err := incidentreport.HTML(r)
		require.NoError(t, err)
		require.True(t, utf8.ValidString(page))
		require.True(t, utf8.ValidString(incidentreport.Text(r)))
	})
}
