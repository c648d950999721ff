package store_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

const (
	// callsChildURL makes the test binary take calls from the store that it names.
	callsChildURL = "KEYHOLDER_TEST_CALLS_CHILD"
	// callsChildRuns is how long it does.
	callsChildRuns = 7 * time.Second
)

// childLimits are small enough that processes fight for them: in 7 s there may be
// 3 windows of the longer one.
var childLimits = []store.Limit{{Calls: 40, Window: time.Second}, {Calls: 90, Window: 3 * time.Second}}

// takeCalls takes from three goroutines with a pool of connections each, and tells
// for each grant when it was asked for, when it was there (microseconds), and how
// many calls it has.
func takeCalls(at string, until time.Time) error {
	var mu sync.Mutex
	var failed error
	together(3, func(i int) {
		err := takeCallsAlone(at, until, i, &mu)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failed = err
		}
	})
	return failed
}

func takeCallsAlone(at string, until time.Time, i int, out *sync.Mutex) error {
	ctx := context.Background()
	s, err := store.Open(ctx, at)
	if err != nil {
		return err
	}
	r := store.CallRequest{Partner: "p", Limits: childLimits}
	for n := 0; time.Now().Before(until); n++ {
		r.Want = 1 + (n+i)%20
		asked := time.Now()
		g, err := s.TakeCalls(ctx, r)
		if err != nil {
			return err
		}
		if g.Granted > 0 {
			out.Lock()
			fmt.Println(asked.UnixMicro(), time.Now().UnixMicro(), g.Granted)
			out.Unlock()
		}
		// SQLite's lock is not fair; see writeForEver.
		time.Sleep(min(max(g.RetryAfter, 2*time.Millisecond), 20*time.Millisecond))
	}
	return s.Close()
}

// Three processes of three pools each ask for more than there is. No window of a
// limit's length, wherever it begins, has more grants than the limit: a grant that
// was asked for in it and was there in it was made in it.
func TestManyProcessesShareTheLimits(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		open(t, at) // the tables
		outputs := make([]bytes.Buffer, 3)
		errs := make([]error, len(outputs))
		together(len(outputs), func(i int) {
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), callsChildURL+"="+at)
			child.Stdout, child.Stderr = &outputs[i], os.Stderr
			errs[i] = child.Run()
		})
		type grant struct{ asked, there, calls int64 }
		var grants []grant
		total, served := int64(0), 0
		for i := range outputs {
			require.NoError(t, errs[i])
			before := len(grants)
			lines := bufio.NewScanner(&outputs[i])
			for lines.Scan() {
				var g grant
				_, err := fmt.Sscan(lines.Text(), &g.asked, &g.there, &g.calls)
				require.NoError(t, err)
				grants = append(grants, g)
				total += g.calls
			}
			if len(grants) > before {
				served++
			}
		}
		require.Greater(t, served, 1, "processes got some")
		for _, limit := range childLimits {
			most := int64(0)
			for _, first := range grants {
				in := int64(0)
				for _, g := range grants {
					if g.asked >= first.asked && g.there <= first.asked+limit.Window.Microseconds() {
						in += g.calls
					}
				}
				most = max(most, in)
			}
			require.LessOrEqual(t, most, int64(limit.Calls), "%v", limit)
			require.Greater(t, most, int64(limit.Calls)*3/4, "the test is about a limit that is reached: %v", limit)
		}
		require.GreaterOrEqual(t, total, int64(180), "two windows' worth at least")
		t.Logf("%d grants of %d calls", len(grants), total)
	})
}
