package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func appointment(workflow, worker string, start time.Time) store.Appointment {
	return store.Appointment{WorkflowID: workflow, Worker: worker, Start: start, End: start.Add(4 * time.Hour)}
}

func TestAppointments(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		tuesday := time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
		wednesday := tuesday.AddDate(0, 0, 1)
		book := func(a store.Appointment, most int) bool {
			t.Helper()
			ok, err := s.Book(ctx, a, most)
			require.NoError(t, err)
			return ok
		}
		booked := func(worker string) map[int64]int {
			t.Helper()
			list, err := s.Booked(ctx, worker, tuesday, wednesday.Add(time.Second))
			require.NoError(t, err)
			return list
		}
		require.True(t, book(appointment("work-order/1", "tech-1", tuesday), 2))
		require.True(t, book(appointment("work-order/2", "tech-1", tuesday), 2))
		require.True(t, book(appointment("work-order/2", "tech-1", tuesday), 2), "its own is not counted")
		require.False(t, book(appointment("work-order/3", "tech-1", tuesday), 2), "the window is full")
		require.True(t, book(appointment("work-order/3", "tech-2", tuesday), 2), "another worker")
		require.True(t, book(appointment("work-order/4", "tech-1", wednesday), 2), "another start")
		require.Equal(t, map[int64]int{tuesday.UnixMicro(): 2, wednesday.UnixMicro(): 1}, booked("tech-1"))
		require.Equal(t, map[int64]int{tuesday.UnixMicro(): 1}, booked("tech-2"))

		// What cannot be moved stays where it was.
		require.False(t, book(appointment("work-order/3", "tech-1", tuesday), 2))
		require.Equal(t, map[int64]int{tuesday.UnixMicro(): 1}, booked("tech-2"))
		// Moving one makes room for another.
		require.True(t, book(appointment("work-order/1", "tech-1", wednesday), 2))
		require.True(t, book(appointment("work-order/3", "tech-1", tuesday), 2))
		require.Equal(t, map[int64]int{tuesday.UnixMicro(): 2, wednesday.UnixMicro(): 2}, booked("tech-1"))
		require.Empty(t, booked("tech-2"))

		require.NoError(t, s.Unbook(ctx, "work-order/2"))
		require.NoError(t, s.Unbook(ctx, "work-order/2"))
		require.Equal(t, 1, booked("tech-1")[tuesday.UnixMicro()])
		// From counts, to does not.
		list, err := s.Booked(ctx, "tech-1", tuesday.Add(time.Microsecond), wednesday)
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

func TestAppointmentsWithoutALimit(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		start := time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
		for i := range 5 {
			for _, worker := range []string{"", "vendor-1"} {
				for _, most := range []int{0, 1} {
					ok, err := s.Book(ctx, appointment(fmt.Sprint("work-order/", i, worker, most), worker, start), most)
					require.NoError(t, err)
					require.Equal(t, worker == "" || most == 0, ok)
				}
			}
		}
		list, err := s.Booked(ctx, "vendor-1", start, start.Add(1))
		require.NoError(t, err)
		require.Empty(t, list, "a range of less than a microsecond")
		list, err = s.Booked(ctx, "vendor-1", start, start.Add(time.Second))
		require.NoError(t, err)
		require.Equal(t, map[int64]int{start.UnixMicro(): 5}, list)
		list, err = s.Booked(ctx, "", start, start.Add(time.Second))
		require.NoError(t, err)
		require.Empty(t, list, "nobody's are not counted")
		for _, bad := range []store.Appointment{
			{}, appointment("", "tech-1", start), {WorkflowID: "work-order/1", Start: start, End: start},
			{WorkflowID: "work-order/1", End: start},
		} {
			_, err := s.Book(ctx, bad, 1)
			require.Error(t, err)
		}
		_, err = s.Book(ctx, appointment("work-order/1", "tech-1", start), -1)
		require.Error(t, err)
	})
}

// Of many that book the last places at once, through two stores on one database, as
// many succeed as there are places.
func TestAppointmentsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		ctx, start := t.Context(), time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
		const callers, most = 12, 3
		for round := range 3 {
			worker := fmt.Sprint("tech-", round)
			var won atomic.Int32
			together(callers, func(i int) {
				ok, err := stores[i%2].Book(ctx, appointment(fmt.Sprint("work-order/", round, "/", i), worker, start), most)
				if err != nil {
					t.Error(err)
				}
				if ok {
					won.Add(1)
				}
			})
			require.EqualValues(t, most, won.Load())
			list, err := stores[0].Booked(ctx, worker, start, start.Add(time.Second))
			require.NoError(t, err)
			require.Equal(t, map[int64]int{start.UnixMicro(): most}, list)
		}
		// Workflows that swap their workers at once neither wait for each other for ever
		// nor lose a visit.
		together(callers, func(i int) {
			for n := range 4 {
				if _, err := stores[i%2].Book(ctx, appointment(fmt.Sprint("work-order/swap/", i%2), fmt.Sprint("swap-", (i+n)%2), start), callers); err != nil {
					t.Error(err)
				}
			}
		})
		total := 0
		for _, worker := range []string{"swap-0", "swap-1"} {
			list, err := stores[1].Booked(ctx, worker, start, start.Add(time.Second))
			require.NoError(t, err)
			total += list[start.UnixMicro()]
		}
		require.Equal(t, 2, total, "one a workflow")
	})
}
