package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/policy"
)

func TestTechniciansOfAllRosters(t *testing.T) {
	t.Parallel()
	p, err := policy.Load("")
	require.NoError(t, err)
	got := map[string]string{}
	for _, technician := range p.Technicians() {
		got[technician.Person.ID] = technician.Person.Name
	}
	require.Equal(t, map[string]string{"maria": "Maria Fixit", "ana": "Ana Volt", "lee": "Lee Pipe", "sam": "Sam Wrench"}, got)
	require.Equal(t, "ana", p.Technicians()[0].Person.ID)
}
