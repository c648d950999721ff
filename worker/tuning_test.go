package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker"
)

func TestTheStickyCacheFollowsTheMemory(t *testing.T) {
	t.Parallel()
	const gigabyte = 1 << 30
	for memory, wanted := range map[uint64]int{
		0:             500, // what a worker needs at least
		gigabyte / 8:  500,
		gigabyte / 2:  1638,
		2 * gigabyte:  6553,
		1 << 60:       100_000,
		32 * gigabyte: 100_000,
	} {
		require.Equal(t, wanted, worker.StickyCache(memory), "%d bytes", memory)
	}
}

func TestAWorkerRefusesSlotsThatThereAreNot(t *testing.T) {
	t.Parallel()
	_, err := worker.New(worker.Config{Slots: "elastic"})
	require.ErrorContains(t, err, `slots of a worker are fixed or resource, not "elastic"`)
}
