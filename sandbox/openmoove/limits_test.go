package openmoove_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/openmoove"
)

func TestLimitsMustMakeSense(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"100", "100/", "/1m", "0/1m", "-1/1m", "100/0s", "100/1m,", "100/1m;1000/1h", "x/1m", "100/minute"} {
		_, err := openmoove.New(openmoove.Config{Limits: text})
		require.ErrorContains(t, err, openmoove.DefaultLimits, text)
	}
	for _, text := range []string{"", "100/1m,1000/1h", " 6000/1m , 60000/1h", "5/300ms"} {
		_, err := openmoove.New(openmoove.Config{Limits: text})
		require.NoError(t, err, text)
	}
}

func TestHeadersTellOfTheTighterWindow(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{Limits: "5/1m,7/1h"})
	begun := time.Now().Unix()
	for left := 4; left >= 0; left-- {
		got := a.call(http.MethodGet, "/products/", "")
		require.Equal(t, 200, got.status)
		require.Equal(t, "5", got.header.Get("X-RateLimit-Limit"))
		require.Equal(t, strconv.Itoa(left), got.header.Get("X-RateLimit-Remaining"))
		reset, err := strconv.ParseInt(got.header.Get("X-RateLimit-Reset"), 10, 64)
		require.NoError(t, err)
		require.InDelta(t, begun+61, reset, 8)
	}
	for range 3 { // more than the hour would take, if they counted
		got := a.call(http.MethodGet, "/products/", "")
		require.Equal(t, http.StatusTooManyRequests, got.status)
		require.Equal(t, "0", got.header.Get("X-RateLimit-Remaining"))
		require.Empty(t, got.header.Get("Retry-After"), "the contract has none")
		require.Regexp(t, `^{"detail":"Request was throttled. Expected available in (60|5\d) seconds."}\n$`, got.body)
	}
}

// The full hour is told, though the minute has room.
func TestTheLongerWindowCanBeTheTighterOne(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{Limits: "5/20ms,3/1h"})
	for want := 2; want >= 0; want-- {
		got := a.call(http.MethodGet, "/products/", "")
		require.Equal(t, strconv.Itoa(want), got.header.Get("X-RateLimit-Remaining"))
		require.Equal(t, "3", got.header.Get("X-RateLimit-Limit"))
	}
	got := a.call(http.MethodGet, "/products/", "")
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Regexp(t, `in 3[56]\d\d seconds`, got.body)
}

// A refused call does not push the window on: who keeps asking is let in as soon as
// the oldest call has left.
func TestTheWindowSlides(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{Limits: "2/400ms"})
	begun := time.Now()
	require.Equal(t, 200, a.call(http.MethodGet, "/products/", "").status)
	require.Equal(t, 200, a.call(http.MethodGet, "/products/", "").status)
	got := a.call(http.MethodGet, "/products/", "")
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Contains(t, got.body, "Expected available in 1 second.")
	require.Eventually(t, func() bool { return a.call(http.MethodGet, "/products/", "").status == 200 }, 5*time.Second, 5*time.Millisecond)
	require.GreaterOrEqual(t, time.Since(begun), 400*time.Millisecond)
}

func TestTheLimitIsExactForManyAtOnce(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{Limits: "50/1h"})
	var taken, refused atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+fmt.Sprintf("/products/?%d-%d", i, j), http.NoBody)
				if err != nil {
					continue
				}
				req.Header.Set("X-API-KEY", openmoove.DevKey)
				resp, err := a.client.Do(req)
				if err != nil {
					continue
				}
				_ = resp.Body.Close()
				switch resp.StatusCode {
				case http.StatusOK:
					taken.Add(1)
				case http.StatusTooManyRequests:
					refused.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 50, taken.Load())
	require.EqualValues(t, 110, refused.Load())
	a.server.Reset()
	require.Equal(t, 200, a.call(http.MethodGet, "/products/", "").status)
}
