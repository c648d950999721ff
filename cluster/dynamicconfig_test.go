package cluster_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/cluster"
)

var write = flag.Bool("write", false, "write dynamicconfig.yaml from the table")

const configFile = "dynamicconfig.yaml"

func TestDynamicConfigFileIsTheTable(t *testing.T) {
	t.Parallel()
	if *write {
		require.NoError(t, os.WriteFile(configFile, cluster.DynamicConfigYAML(), 0o644))
	}
	text, err := os.ReadFile(configFile)
	require.NoError(t, err)
	require.Equal(t, string(cluster.DynamicConfigYAML()), string(text), "write it anew: go test ./cluster -run DynamicConfig -write")

	var parsed map[string][]struct{ Value any }
	require.NoError(t, yaml.Unmarshal(text, &parsed))
	require.Len(t, parsed, len(cluster.DynamicConfig()))
	for _, s := range cluster.DynamicConfig() {
		require.Len(t, parsed[s.Key], 1)
		value, err := json.Marshal(parsed[s.Key][0].Value)
		require.NoError(t, err)
		require.JSONEq(t, s.Value, string(value))
		require.NotEmpty(t, s.Why)
	}
}
