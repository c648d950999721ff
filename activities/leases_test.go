package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDayIn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 5, 30, 0, 0, time.UTC)
	for zone, want := range map[string]string{
		"America/Los_Angeles": "2026-11-22", "America/New_York": "2026-11-23", "Pacific/Auckland": "2026-11-23", "": "2026-11-23", "Nowhere": "2026-11-23",
	} {
		require.Equal(t, want, DayIn(at, zone), zone)
	}
}
