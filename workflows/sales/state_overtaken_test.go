package sales

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
)

// OpenMoove's list shows a sale of ours before whoever has created it hands it over: it is
// ours all the same, and nothing of it is told twice.
func TestPollingThatOvertakesTheCreationIsNoSaleMadeElsewhere(t *testing.T) {
	t.Parallel()
	s := begun()
	v := view(member(activities.Conveyancer, "lawyer@example.com", false))
	s.saw(v, wednesday)
	s.handedOver(facts(OriginCreated, &v), wednesday.Add(time.Minute))
	require.Equal(t, OriginCreated, s.Origin)
	require.True(t, s.BornHere)
	begin, _ := heard(s)
	require.Equal(t, []string{"lawyer@example.com"}, begin)
	lines := len(s.describe().Timeline)
	s.saw(v, wednesday.Add(time.Hour))
	begin, settle := heard(s)
	require.Equal(t, []string{"lawyer@example.com"}, begin, "the same chase, which is not begun yet")
	require.Empty(t, settle)
	require.Len(t, s.describe().Timeline, lines, "what was seen before is no news")
}
