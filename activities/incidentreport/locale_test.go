package incidentreport

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLocale(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 4, 18, 5, 0, 0, time.UTC)
	for zone, want := range map[string]struct{ paper, moment string }{
		"America/Chicago":              {"Letter", "Sat, Jul 4, 2026, 1:05 PM CDT"},
		"America/Indiana/Indianapolis": {"Letter", "Sat, Jul 4, 2026, 2:05 PM EDT"},
		"Pacific/Honolulu":             {"Letter", "Sat, Jul 4, 2026, 8:05 AM HST"},
		"US/Pacific":                   {"Letter", "Sat, Jul 4, 2026, 11:05 AM PDT"},
		"America/Sao_Paulo":            {"A4", "Sat 4 Jul 2026, 15:05 UTC-03"},
		"Europe/London":                {"A4", "Sat 4 Jul 2026, 19:05 BST"},
		"Asia/Kolkata":                 {"A4", "Sat 4 Jul 2026, 23:35 IST"},
		"":                             {"A4", "Sat 4 Jul 2026, 18:05 UTC"},
		"Local":                        {"A4", "Sat 4 Jul 2026, 18:05 UTC"},
		"../etc/passwd":                {"A4", "Sat 4 Jul 2026, 18:05 UTC"},
		"Nowhere/Atall":                {"A4", "Sat 4 Jul 2026, 18:05 UTC"},
	} {
		l := localeOf(zone)
		require.Equal(t, want.paper, l.paper(), zone)
		require.Equal(t, want.moment, l.moment(at), zone)
	}
	require.Equal(t, "not recorded", localeOf("").moment(time.Time{}))
}

func TestLocaleNote(t *testing.T) {
	t.Parallel()
	chicago := localeOf("America/Chicago")
	before := time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC)
	require.Equal(t, "Times are CDT (America/Chicago)", chicago.note(before, before))
	require.Equal(t, "Times are CDT and CST (America/Chicago)", chicago.note(before, before.Add(time.Hour)))
	require.Equal(t, "Times are UTC", localeOf("").note(before, before))
}
