package triage

import (
	"strings"
	"testing"
)

// A workflow task has about a second: the longest text must stay far below it.
func BenchmarkAssess(b *testing.B) {
	for name, text := range map[string]string{
		"usual":   "The pipe under the kitchen sink burst and there is water everywhere, please hurry.",
		"longest": strings.Repeat("The gas boiler of the flat has no water and the door is not ", 200),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Assess(Report{Text: text})
			}
		})
	}
}
