package analysis

import (
	"strings"
	"testing"
)

// A workflow task has about a second, and falls back on the rules: the longest text
// must stay far below it.
func BenchmarkRules(b *testing.B) {
	for name, text := range map[string]string{
		"usual":   "The kitchen tap is leaking, a drop every second, please come soon.",
		"longest": strings.Repeat("The gas boiler of the flat has no water and the door is not ", 200),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Rules(Report{Text: text})
			}
		})
	}
}
