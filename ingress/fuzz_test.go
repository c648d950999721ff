package ingress

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzVerify: nothing but the right MAC in its right form is authentic, and
// nothing panics.
func FuzzVerify(f *testing.F) {
	f.Add("sha256="+hexMAC(secretA, "{}"), "1795000000", "msg_1", []byte("{}"))
	f.Add("v1,"+base64MAC("k", "{}")+" v1a,x", "-1", "a.b", []byte(`{"auth":{"signature":"","token":1,"timestamp":[]}}`))
	f.Add("", "99999999999999999999", "", []byte("\ufeff"))
	verifiers := map[string]*Verifier{}
	for _, scheme := range Schemes() {
		verifiers[scheme] = verifier(f, SourceRentVine, Signature{Scheme: scheme, Secrets: []Secret{{Value: "c2VjcmV0IGtleQ=="}},
			Header: "Sig", TimestampHeader: "Ts", IDHeader: "Id"})
	}
	f.Fuzz(func(t *testing.T, signature, stamp, id string, body []byte) {
		h := http.Header{"Sig": {signature}, "Ts": {stamp}, "Id": {id}}
		for scheme, v := range verifiers {
			_, err := v.Verify(h, body, signedAt)
			if err != nil {
				require.Regexp(t, `^signature_[a-z]+$`, err.Error())
				continue
			}
			// The fuzzer does not know the key, so only a hash broken by luck gets here.
			t.Fatalf("%s accepted %q", scheme, signature)
		}
	})
}

// FuzzDecode: whatever the body, the answer is an event that is fit for
// Temporal, or a refusal with a status; and it is the same the second time.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"event_type":"work_order.created","event_id":"e","timestamp":"2026-11-21T10:00:00Z","data":{"id":4711,"property_id":1},"changes":{"a_b":{"old":1,"new":[2]}}}`,
		`{"auth":{"signature":"s","token":"t","timestamp":"1"},"event":{"eventType":"leaseUpdated","objectID":"7","userID":5,"changes":{}},"data":{"leaseID":"7"}}`,
		`{"event":"property.milestone.updated","timestamp":"x","data":{"property_id":31,"milestone":{"completed_date":null}}}`,
		`{"event_type":"?","data":[[[{"a":1e999}]]]}`, "\ufeff{}", `{"a":1,"a":2}`, `[`, "\xff",
	} {
		f.Add([]byte(body), "msg_1")
	}
	decoders := []*Decoder{decoder(f, SourceRentVine), decoder(f, SourceOpenMoove)}
	fine := regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)
	key := regexp.MustCompile(`^(rentvine|openmoove):([A-Za-z0-9._-]{1,128}|(id-)?sha256:[0-9a-f]{64})$`)
	f.Fuzz(func(t *testing.T, body []byte, deliveryID string) {
		for _, d := range decoders {
			e, err := d.Decode(body, deliveryID, receivedAt)
			var bad *DecodeError
			if errors.As(err, &bad) {
				require.Contains(t, []int{400, 422}, bad.Status)
				_, err := json.Marshal(bad.Sample)
				require.NoError(t, err)
				continue
			}
			require.NoError(t, err)
			require.Regexp(t, fine, e.EntityID)
			require.Regexp(t, fine, e.Actor)
			require.Regexp(t, key, e.Key)
			require.NotEmpty(t, e.Type)
			require.LessOrEqual(t, len(e.Type), 100)
			wire, err := json.Marshal(e)
			require.NoError(t, err)
			require.True(t, utf8.Valid(wire))
			s := start{target: Target{Prefix: "x/"}, id: e.EntityID, event: e, idField: d.routes[e.Type].IDField}
			require.LessOrEqual(t, strings.Count(s.summary(), "\n"), 0)
			_, _ = s.searchAttributes(), s.details()
			again, err := d.Decode(append([]byte(" \n"), body...), deliveryID, receivedAt)
			if err == nil {
				require.Equal(t, e, again)
			}
		}
	})
}

// FuzzMilestoneEvent: whatever the body, the answer is an event of a known type about
// one sale, or a refusal with a status; and it is the same the second time.
func FuzzMilestoneEvent(f *testing.F) {
	for _, body := range []string{
		`{"type":"contracts_exchanged","property_id":12,"user":"CRM","occurred_at":"2026-11-21T10:00:00+01:00","id":"e-1"}`,
		`{"type":"offer_accepted","transaction_id":"3FA85F64-5717-4562-b3fc-2c963f66afa6","property_id":"12"}`,
		`{"type":null,"property_id":1e3,"a":[{}]}`, "\ufeff{}", `{"id":"\ud800"}`, `[`, "\xff",
	} {
		f.Add([]byte(body))
	}
	key := regexp.MustCompile(`^reported:[a-z_]+:([A-Za-z0-9._-]{1,128}|(id-)?sha256:[0-9a-f]{64})$`)
	f.Fuzz(func(t *testing.T, body []byte) {
		e, refused, ok := readMilestoneEvent(body, usualEvents(), signedAt)
		if !ok {
			require.Contains(t, []int{400, 422}, refused.status)
			require.NotEmpty(t, refused.detail)
			require.Equal(t, refused.status == 422, len(refused.fields) > 0)
			require.LessOrEqual(t, len(refused.fields), maxAPIFields)
			return
		}
		require.Equal(t, usualEvents()[e.kind], e.milestone)
		require.NotEmpty(t, e.milestone)
		require.NotEmpty(t, e.propertyID+e.transactionID)
		require.Regexp(t, `^([1-9][0-9]{0,17})?$`, e.propertyID)
		require.Regexp(t, `^([0-9a-f-]{36})?$`, e.transactionID)
		require.LessOrEqual(t, utf8.RuneCountInString(e.by), maxEventUser)
		require.NotContains(t, e.by+e.id, "\n")
		if !e.occurredAt.IsZero() {
			require.WithinRange(t, e.occurredAt, signedAt.AddDate(-5, 0, 0), signedAt.Add(24*time.Hour))
		}
		require.Regexp(t, key, e.key("12"))
		again, _, ok := readMilestoneEvent(append([]byte(" \n"), body...), usualEvents(), signedAt)
		if ok {
			require.Equal(t, e, again)
		}
	})
}
