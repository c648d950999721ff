package intake

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ raw, text, advice string }{
		{"  CRM  of \tnobody ", "", adviceControl}, // a tab is no space
		{"  CRM  of nobody ", "CRM of nobody", ""},
		{"", "", ""},
		{"Jose\u0301", "José", ""},
		{"two\nlines", "", adviceOneLine},
		{"lost \ufffd", "", adviceLost},
		{strings.Repeat("é", 20), strings.Repeat("é", 20), ""},
		{strings.Repeat("é", 21), "", "Use at most 20 characters."},
		{strings.Repeat("x", 21) + "\n", "", "Use at most 20 characters."}, // the end is trimmed
	} {
		text, advice := Line(tc.raw, 20)
		require.Equal(t, []string{tc.text, tc.advice}, []string{text, advice}, "%q", tc.raw)
	}
}
