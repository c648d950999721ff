package cluster

import (
	"bytes"
	"fmt"
)

// Setting is one dynamic configuration value of the Temporal server.
type Setting struct {
	Key string
	// Value is the JSON text of the value.
	Value string
	// Why is one line for whoever reads the configuration.
	Why string
}

// DynamicConfig is the one server configuration that `keyholder dev`, the tests
// and docker-compose share (contracts/temporal.md section 2). cluster/dynamicconfig.yaml
// is its text form; a test keeps them equal.
func DynamicConfig() []Setting {
	return []Setting{
		{"matching.useNewMatcher", "true", "Priority keys are honoured (emergency first, bulk last), rate limits are even."},
		{"matching.numTaskqueueReadPartitions", "1", "One partition, so that a limited queue keeps its rate; ample for one machine."},
		{"matching.numTaskqueueWritePartitions", "1", "The same, for writing."},
		{"history.transferProcessorMaxPollRPS", "1000", "An emergency's text leaves at once; the default of 20 adds tens of milliseconds a step."},
		{"system.enableActivityEagerExecution", "true", "The worker that asked for an activity gets it with the same reply."},
		{"history.timerProcessorMaxTimeShift", `"10ms"`, "Timers under a second fire in time, which a scaled clock needs."},
	}
}

// DynamicConfigYAML is the configuration as the server's file-based client reads
// it.
func DynamicConfigYAML() []byte {
	var b bytes.Buffer
	b.WriteString("# Written from cluster.DynamicConfig; a test keeps them equal. To write it anew:\n" +
		"#   go test ./cluster -run DynamicConfig -write\n")
	for _, s := range DynamicConfig() {
		fmt.Fprintf(&b, "\n# %s\n%s:\n  - value: %s\n", s.Why, s.Key, s.Value)
	}
	return b.Bytes()
}
