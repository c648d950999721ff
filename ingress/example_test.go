package ingress_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aictive/keyholder/ingress"
)

// While a key is rotated, the new and the old one are both live; the old one has
// an end.
func ExampleVerifier() {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	partner, err := ingress.NewVerifier("rentvine", ingress.Signature{
		Scheme:  ingress.SchemeTimestampBody,
		Secrets: []ingress.Secret{{Value: "old key"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ours, err := ingress.NewVerifier("rentvine", ingress.Signature{
		Scheme:  ingress.SchemeTimestampBody,
		Secrets: []ingress.Secret{{Value: "new key"}, {Value: "old key", NotAfter: now.Add(24 * time.Hour)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	body := []byte(`{"event_type":"work_order.created","data":{"work_order_id":4711}}`)
	headers := http.Header{}
	if err := partner.Sign(headers, body, "", now); err != nil {
		fmt.Println(err)
		return
	}
	for _, try := range []struct {
		what string
		body []byte
		at   time.Time
	}{
		{"as sent", body, now.Add(time.Second)},
		{"changed", append(body, ' '), now.Add(time.Second)},
		{"replayed", body, now.Add(6 * time.Minute)},
	} {
		_, err := ours.Verify(headers, try.body, try.at)
		fmt.Println(try.what, err)
	}
	// Output:
	// as sent <nil>
	// changed signature_wrong
	// replayed signature_stale
}
