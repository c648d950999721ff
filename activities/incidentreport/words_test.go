package incidentreport_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/incidentreport"
)

func TestWords(t *testing.T) {
	t.Parallel()
	const second, minute, hour = time.Second, time.Minute, time.Hour
	for d, want := range map[time.Duration]string{
		0:                                 "not reached",
		-minute:                           "not reached",
		300 * time.Millisecond:            "under 1 s",
		second:                            "1 s",
		59*second + 900*time.Millisecond:  "59 s",
		minute:                            "1 min",
		4 * minute:                        "4 min",
		4*minute + 12*second:              "4 min 12 s",
		9*minute + 59*second:              "9 min 59 s",
		10*minute + 29*second:             "10 min",
		59*minute + 29*second:             "59 min",
		59*minute + 40*second:             "1 h",
		hour + 20*minute:                  "1 h 20 min",
		23*hour + 59*minute:               "23 h 59 min",
		23*hour + 59*minute + 40*second:   "1 d",
		51 * hour:                         "2 d 3 h",
		47*hour + 50*minute:               "2 d",
		400*24*hour + 5*hour + 10*minute:  "400 d 5 h",
		1<<63 - 1:                         "106751 d 23 h",
		10*minute - time.Nanosecond:       "9 min 59 s",
		24*hour - 31*second:               "23 h 59 min",
		24*hour + 29*minute + 59*second:   "1 d",
		minute + 999*time.Millisecond:     "1 min",
		hour + minute/2 - time.Nanosecond: "1 h",
	} {
		require.Equal(t, want, incidentreport.Words(d), "%d ns", int64(d))
	}
}

func ExampleWords() {
	fmt.Println(incidentreport.Words(4 * time.Minute))
	fmt.Println(incidentreport.Words(80 * time.Minute))
	fmt.Println(incidentreport.Words(0))
	// Output:
	// 4 min
	// 1 h 20 min
	// not reached
}
