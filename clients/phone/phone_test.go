package phone_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/phone"
)

func ExampleE164() {
	us, _ := phone.E164("(202) 555-0123", "US")
	gb, _ := phone.E164("07700 900123", "GB")
	fmt.Println(us, gb)
	// Output: +12025550123 +447700900123
}

func TestE164(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ raw, region, want string }{
		"national":            {"202-555-0123", "US", "+12025550123"},
		"with country code":   {"1 202 555 0123", "US", "+12025550123"},
		"already normal":      {"+12025550123", "US", "+12025550123"},
		"normal, no region":   {"+12025550123", "", "+12025550123"},
		"foreign":             {"+44 7700 900123", "US", "+447700900123"},
		"trunk zero":          {"+44 (0)7700 900123", "US", "+447700900123"},
		"extension":           {"202-555-0123 ext. 7", "US", "+12025550123"},
		"fictional area code": {"+15550101000", "US", "+15550101000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := phone.E164(c.raw, c.region)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestE164Refuses(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"empty":           "",
		"words":           "call the office",
		"too short":       "12345",
		"too long":        "+1202555012345",
		"without area":    "555-0123",
		"unknown code":    "+999123456789",
		"a very long one": "+1" + strings.Repeat("2", 500),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := phone.E164(raw, "US")
			require.ErrorIs(t, err, phone.ErrInvalid)
		})
	}
}
