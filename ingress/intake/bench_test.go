package intake_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/ingress/intake"
	"github.com/aictive/keyholder/ingress/intake/intaketest"
)

func BenchmarkFile(b *testing.B) {
	list := []any{}
	for _, s := range intaketest.Good(intake.MaxRows, 0, 0, 1) {
		list = append(list, s.NewSale)
	}
	inJSON, err := json.Marshal(list)
	require.NoError(b, err)
	for media, body := range map[string][]byte{"text/csv": intaketest.CSV(intake.MaxRows, 200, 300, 1), "application/json": inJSON} {
		b.Run(media, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				rows, err := intake.File(media, body)
				require.NoError(b, err)
				require.Len(b, rows, intake.MaxRows)
			}
		})
	}
}

func ExampleSale() {
	_, problems := intake.Sale([]byte(`{"first_name": "Ada", "last_name": "Quill", "email": "ada at home",
		"phone_number": "07700 900123", "property_address": "1 Tanner Street, London", "postcode": "SE1 3LE"}`))
	for _, p := range problems {
		fmt.Printf("%s: %s\n", p.Path, p.Message)
	}
	// Output:
	// postcode: There is no such field; did you mean property_postcode?
	// email: Write one plain e-mail address, such as name@example.com.
	// property_postcode: Give a value: a sale needs this field.
}
