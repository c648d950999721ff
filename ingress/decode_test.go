package ingress

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows/durable"
)

var receivedAt = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func decoder(t testing.TB, source string) *Decoder {
	t.Helper()
	d, err := NewDecoder(source)
	require.NoError(t, err)
	return d
}

func decoded(t testing.TB, source, body string) durable.Event {
	t.Helper()
	e, err := decoder(t, source).Decode([]byte(body), "", receivedAt)
	require.NoError(t, err)
	return e
}

func TestDecodeGuideEnvelope(t *testing.T) {
	t.Parallel()
	e := decoded(t, SourceRentVine, `{
		"event_type": "work_order.created", "event_id": "evt_1", "timestamp": "2026-11-21T09:59:58+01:00",
		"data": {"id": 4711, "property_id": 12, "unit_id": "13", "start_date": "2026-12-01", "priority": "emergency",
		         "tenant_id": null, "tenant_ids": [1, "2"], "lease": {"lease_id": 9007199254740993, "beds": 2.50}},
		"changes": {"work_order_status_id": {"old": 1, "new": "2"}, "isVacant": {"old": true, "new": null}, "tags": {"old": [], "new": {"b": 1, "a": 2}}}}`)
	require.Equal(t, "rentvine", e.Source)
	require.Equal(t, "work_order.created", e.Type)
	require.Equal(t, "4711", e.EntityID)
	require.Equal(t, "rentvine:evt_1", e.Key)
	require.Equal(t, time.Date(2026, 11, 21, 8, 59, 58, 0, time.UTC), e.OccurredAt)
	require.Equal(t, receivedAt, e.ReceivedAt)
	require.Contains(t, string(e.Data), `"beds":2.50`, "numbers keep their text")
	require.JSONEq(t, `{"id":"4711","lease":{"beds":2.50,"leaseID":"9007199254740993"},"priority":"emergency","propertyID":"12",`+
		`"startDate":"2026-12-01","tenantID":null,"tenantIDs":["1","2"],"unitID":"13"}`, string(e.Data))
	require.Equal(t, map[string]durable.Change{
		"workOrderStatusID": {Old: "1", New: "2"}, "isVacant": {Old: "true"}, "tags": {Old: "[]", New: `{"a":2,"b":1}`},
	}, e.Changes)
}

func TestDecodeLiveEnvelope(t *testing.T) {
	t.Parallel()
	body := func(auth string) string {
		return `{"auth":` + auth + `,"event":{"eventType":"workOrderUpdated","objectID":"77","userID":5,
			"changes":{"priorityID":{"previous":"2","current":"3"}},"options":{"sendVendorNotification":true}},
			"data":{"workOrderID":"77","workOrderNumber":"WO-9","propertyID":"12"}}`
	}
	e := decoded(t, SourceRentVine, body(`{"signature":"a","token":"b","timestamp":"1"}`))
	require.Equal(t, "work_order.updated", e.Type)
	require.Equal(t, "77", e.EntityID)
	require.Equal(t, "5", e.Actor)
	require.Equal(t, map[string]durable.Change{"priorityID": {Old: "2", New: "3"}}, e.Changes)
	require.True(t, e.OccurredAt.IsZero())
	require.Regexp(t, `^rentvine:sha256:[0-9a-f]{64}$`, e.Key)
	again := decoded(t, SourceRentVine, body(`{"signature":"c","token":"d","timestamp":"2"}`))
	require.Equal(t, e.Key, again.Key, "a repeat with a new triple is the same event")
}

func TestDecodeOpenMoove(t *testing.T) {
	t.Parallel()
	e := decoded(t, SourceOpenMoove, `{"event":"property.milestone.updated","timestamp":"2026-11-21T10:00:00Z",
		"data":{"property_id":31,"milestone":{"id":4,"name":"Completion","completed":true,"completed_date":"2026-11-20"}}}`)
	require.Equal(t, "openmoove", e.Source)
	require.Equal(t, "property.milestone.updated", e.Type)
	require.Equal(t, "31", e.EntityID)
	require.JSONEq(t, `{"milestone":{"completed":true,"completed_at":"2026-11-20","id":4,"name":"Completion"},"property_id":31}`, string(e.Data))
	require.Regexp(t, `^openmoove:sha256:`, e.Key)
}

func TestDecodeEventNames(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"work_order.created": "work_order.created", "workOrderCreated": "work_order.created", "Work Order Updated": "work_order.updated",
		"lease_charge_created": "lease_charge.created", "LeaseChargeUpdated": "lease_charge.updated", "leaseUpdated": "lease.updated",
		"unit.created": "unit.created", "PROPERTY.UPDATED": "property.updated", "paymentReceived": "payment.received",
		"inspection.created": "inspection.created", "Wörk Order <b>": "W_rk_Order__b_", strings.Repeat("x", 300): strings.Repeat("x", 100),
	} {
		e := decoded(t, SourceRentVine, fmt.Sprintf(`{"event_type":%q,"data":{"id":"1","propertyID":"1"}}`, sent))
		require.Equal(t, want, e.Type)
		require.Equal(t, "1", e.EntityID)
	}
}

func TestDecodeEntityIDs(t *testing.T) {
	t.Parallel()
	const guide = `{"event_type":"work_order.updated","data":%s}`
	live := func(object, data string) string {
		return `{"event":{"eventType":"workOrderUpdated","objectID":` + object + `},"data":` + data + `}`
	}
	for name, tc := range map[string]struct{ body, want string }{
		"guide's id":              {fmt.Sprintf(guide, `{"id":7}`), "7"},
		"its own field first":     {fmt.Sprintf(guide, `{"id":7,"work_order_id":8}`), "8"},
		"RentVine's spelling":     {fmt.Sprintf(guide, `{"workOrderID":"8"}`), "8"},
		"both spellings":          {fmt.Sprintf(guide, `{"work_order_id":7,"workOrderID":"8"}`), "8"},
		"beyond a float":          {fmt.Sprintf(guide, `{"id":18446744073709551617}`), "18446744073709551617"},
		"text":                    {fmt.Sprintf(guide, `{"id":"WO_1-a"}`), "WO_1-a"},
		"object id":               {live(`"77"`, `{"id":5}`), "77"},
		"object id and no data":   {live(`77`, `null`), "77"},
		"object id and empty map": {live(`77`, `[]`), "77"},
		"null field, then id":     {fmt.Sprintf(guide, `{"workOrderID":null,"id":3}`), "3"},
		"none":                    {fmt.Sprintf(guide, `{"propertyID":"3"}`), ""},
		"no data":                 {`{"event_type":"work_order.updated"}`, ""},
		"data is a list":          {fmt.Sprintf(guide, `[1]`), ""},
		"data is a text":          {fmt.Sprintf(guide, `"7"`), ""},
		"empty":                   {fmt.Sprintf(guide, `{"id":""}`), ""},
		"float":                   {fmt.Sprintf(guide, `{"id":7.0}`), ""},
		"exponent":                {fmt.Sprintf(guide, `{"id":1e3}`), ""},
		"negative":                {fmt.Sprintf(guide, `{"id":-7}`), ""},
		"boolean":                 {fmt.Sprintf(guide, `{"id":true}`), ""},
		"object":                  {fmt.Sprintf(guide, `{"id":{"id":7}}`), ""},
		"path":                    {fmt.Sprintf(guide, `{"id":"../7"}`), ""},
		"e-mail":                  {fmt.Sprintf(guide, `{"id":"a@example.com"}`), ""},
		"65 characters":           {fmt.Sprintf(guide, `{"id":"`+strings.Repeat("7", 65)+`"}`), ""},
		"newline":                 {fmt.Sprintf(guide, `{"id":"7\n"}`), ""},
		"bad field, good id":      {fmt.Sprintf(guide, `{"workOrderID":"a b","id":7}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := decoder(t, SourceRentVine).Decode([]byte(tc.body), "", receivedAt)
			if tc.want == "" {
				var bad *DecodeError
				require.ErrorAs(t, err, &bad)
				require.Equal(t, http.StatusUnprocessableEntity, bad.Status)
				require.Equal(t, "no_entity_id", bad.Reason)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, e.EntityID)
		})
	}
}

func TestDecodeUnknownTypeNeedsNoID(t *testing.T) {
	t.Parallel()
	e := decoded(t, SourceRentVine, `{"event_type":"inspection.created","data":["x"]}`)
	require.Empty(t, e.EntityID)
	require.JSONEq(t, `["x"]`, string(e.Data))
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	deep := func(n int) string {
		return `{"event_type":"x","data":` + strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) + `}`
	}
	require.NotEmpty(t, decoded(t, SourceRentVine, deep(31)).Data, "32 levels in all are allowed")
	for name, tc := range map[string]struct {
		body   string
		status int
		reason string
	}{
		"empty":                   {"", 400, "not_json"},
		"BOM alone":               {"\ufeff", 400, "not_json"},
		"two BOMs":                {"\ufeff\ufeff{}", 400, "not_json"},
		"UTF-16":                  {"\xff\xfe{\x00}\x00", 400, "not_json"},
		"invalid UTF-8":           {"{\"event_type\":\"\xff\"}", 400, "not_json"},
		"truncated":               {`{"event_type":"work_order.created"`, 400, "not_json"},
		"trailing garbage":        {`{} x`, 400, "not_json"},
		"two values":              {`{}{}`, 400, "not_json"},
		"trailing comma":          {`{"event_type":"x",}`, 400, "not_json"},
		"comment":                 {`{/**/}`, 400, "not_json"},
		"NaN":                     {`{"event_type":"x","data":NaN}`, 400, "not_json"},
		"form":                    {`event_type=work_order.created`, 400, "not_json"},
		"duplicate key":           {`{"event_type":"a","event_type":"b"}`, 400, "json_duplicate_key"},
		"duplicate key, escaped":  {`{"event_type":"a","event\u005ftype":"b"}`, 400, "json_duplicate_key"},
		"duplicate key in data":   {`{"event_type":"a","data":[{"id":1,"id":2}]}`, 400, "json_duplicate_key"},
		"33 levels":               {deep(32), 400, "json_too_deep"},
		"very deep":               {strings.Repeat("[", 9000) + strings.Repeat("]", 9000), 400, "json_too_deep"},
		"deeper than any":         {strings.Repeat("[", 100_000), 400, "not_json"},
		"a list":                  {`[]`, 422, "not_an_object"},
		"a text":                  {`"work_order.created"`, 422, "not_an_object"},
		"no type":                 {`{"data":{}}`, 422, "unknown_envelope"},
		"empty type":              {`{"event_type":"","data":{}}`, 422, "unknown_envelope"},
		"type is a number":        {`{"event_type":1}`, 422, "unknown_envelope"},
		"type in another case":    {`{"Event_Type":"work_order.created"}`, 422, "unknown_envelope"},
		"both envelopes":          {`{"event_type":"a","event":{"eventType":"b"}}`, 422, "unknown_envelope"},
		"live without a type":     {`{"event":{"objectID":"1"}}`, 422, "unknown_envelope"},
		"OpenMoove's at RentVine": {`{"event":"property.created","data":{"property_id":1}}`, 422, "unknown_envelope"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decoder(t, SourceRentVine).Decode([]byte(tc.body), "", receivedAt)
			var bad *DecodeError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, tc.reason, bad.Reason)
			require.Equal(t, tc.status, bad.Status)
		})
	}
	_, err := NewDecoder("fax")
	require.ErrorContains(t, err, `unknown event source "fax"`)
}

func TestDecodeKeys(t *testing.T) {
	t.Parallel()
	key := func(body, deliveryID string) string {
		e, err := decoder(t, SourceRentVine).Decode([]byte(body), deliveryID, receivedAt)
		require.NoError(t, err)
		return e.Key
	}
	withID := func(id string) string { return key(`{"event_type":"x","event_id":`+id+`,"data":{}}`, "") }
	require.Equal(t, "rentvine:evt_1", withID(`"evt_1"`))
	require.Equal(t, "rentvine:17", withID(`17`))
	require.Regexp(t, `^rentvine:id-sha256:[0-9a-f]{64}$`, withID(`"sha256:abc"`), "an id cannot look like a digest")
	require.Regexp(t, `^rentvine:id-sha256:`, withID(`"`+strings.Repeat("a", 5000)+`"`))
	require.Regexp(t, `^rentvine:id-sha256:`, withID(`"a b"`))
	require.NotEqual(t, withID(`"a b"`), withID(`"a  b"`))
	require.Regexp(t, `^rentvine:sha256:`, withID(`""`))
	require.Regexp(t, `^rentvine:sha256:`, withID(`{}`))
	require.Equal(t, "rentvine:msg_9", key(`{"event_type":"x"}`, "msg_9"), "the signed id of the delivery")
	require.Equal(t, "rentvine:evt_1", key(`{"event_type":"x","event_id":"evt_1"}`, "msg_9"))

	plain := key(`{"event_type":"x","data":{"a":1,"b":"é<"}}`, "")
	require.Equal(t, plain, key("\ufeff{ \"data\": {\"b\":\"\\u00e9\\u003c\", \"a\" : 1},\n\"event_type\":\"x\"}", ""), "order, spaces, escapes and BOM do not count")
	require.Equal(t, plain, key(`{"auth":{"token":"t"},"event_type":"x","data":{"a":1,"b":"é<"}}`, ""))
	require.NotEqual(t, plain, key(`{"event_type":"x","data":{"a":2,"b":"é<"}}`, ""))
	require.NotEqual(t, key(`{"event_type":"x","data":9007199254740992}`, ""), key(`{"event_type":"x","data":9007199254740993}`, ""))
	require.NotEqual(t, plain, key(`{"event_type":"x","data":{"a":1,"b":"é<","auth":1}}`, ""), "only the envelope's auth is left out")
}

func TestDecodeTimes(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		return decoded(t, SourceRentVine, `{"event_type":"x","timestamp":`+s+`}`).OccurredAt
	}
	want := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for _, s := range []string{`"2026-11-21T10:00:00Z"`, `"2026-11-21T12:00:00+02:00"`, fmt.Sprint(want.Unix()), fmt.Sprintf("%q", fmt.Sprint(want.Unix())), fmt.Sprint(want.UnixMilli())} {
		require.Equal(t, want, at(s), s)
	}
	for _, s := range []string{`"2026-11-21 10:00:00"`, `"2026-11-21T10:00:00"`, `"yesterday"`, `null`, `{}`, `-5`, `0`, `1e9`, `1.5`,
		`99999999999999999999`, `"9999-12-31T23:59:59-12:00"`, `"0001-01-01T00:00:00Z"`} {
		require.True(t, at(s).IsZero(), s)
	}
}

func TestDecodeOddChangesDoNotCostTheEvent(t *testing.T) {
	t.Parallel()
	for _, changes := range []string{`[]`, `null`, `{}`, `"x"`, `[{"field":"a"}]`} {
		require.Empty(t, decoded(t, SourceRentVine, `{"event_type":"work_order.updated","data":{"id":1},"changes":`+changes+`}`).Changes)
	}
	e := decoded(t, SourceRentVine, `{"event_type":"work_order.updated","data":{"id":1},"changes":{"status":"closed"}}`)
	require.Equal(t, map[string]durable.Change{"status": {New: "closed"}}, e.Changes)
}

func TestShapeHoldsNoValues(t *testing.T) {
	t.Parallel()
	const body = `{"event_type":"work_order.updated","data":{"propertyID":"P-Secret","tenants":[{"name":"Jane Roe","phone":"+15550100"}],
		"jane@example.com":1,"note":"burst pipe","n":42,"ok":true,"none":null}}`
	_, err := decoder(t, SourceRentVine).Decode([]byte(body), "", receivedAt)
	var bad *DecodeError
	require.ErrorAs(t, err, &bad)
	sample, err := json.Marshal(bad.Sample)
	require.NoError(t, err)
	require.JSONEq(t, `{"event_type":"string(18)","data":{"propertyID":"string(8)","tenants":["array(1)",{"name":"string(8)","phone":"string(9)"}],
		"(other)":"...","note":"string(10)","n":"number","ok":"boolean","none":"null"}}`, string(sample))
}

func TestRouteTables(t *testing.T) {
	t.Parallel()
	rentvine := []string{"property.created", "property.updated", "unit.created", "unit.updated", "lease.created", "lease.updated",
		"lease_charge.created", "lease_charge.updated", "work_order.created", "work_order.updated", "payment.received", "invoice.generated"}
	var listed []string
	for _, r := range Routes(SourceRentVine) {
		listed = append(listed, r.Type)
	}
	require.ElementsMatch(t, rentvine, listed)
	require.Len(t, Routes(SourceOpenMoove), 5)
	for _, source := range []string{SourceRentVine, SourceOpenMoove} {
		words := map[string]string{}
		for _, r := range Routes(source) {
			require.Empty(t, words[squash(r.Type)], "two types are the same words")
			words[squash(r.Type)] = r.Type
			require.NotEmpty(t, r.IDField)
			require.True(t, strings.HasSuffix(r.Target.Prefix, "/"))
		}
	}
}

// A unit's own id never names its property, in whichever envelope and wherever it stands.
func TestDecodeUnitsGoToTheirProperty(t *testing.T) {
	t.Parallel()
	guide := func(data string) string { return `{"event_type":"unit.updated","data":` + data + `}` }
	live := func(object, data string) string {
		return `{"event":{"eventType":"unitUpdated","objectID":` + object + `},"data":` + data + `}`
	}
	for name, body := range map[string]string{
		"guide":                guide(`{"unitID":"9","propertyID":"31"}`),
		"guide's spelling":     guide(`{"unit_id":9,"property_id":31}`),
		"guide, plain id":      guide(`{"id":9,"propertyID":31}`),
		"live":                 live(`"9"`, `{"unitID":"9","propertyID":"31"}`),
		"live, plain id":       live(`9`, `{"id":"9","propertyID":31}`),
		"live, only the place": live(`"9"`, `{"propertyID":"31"}`),
	} {
		e := decoded(t, SourceRentVine, body)
		require.Equal(t, "31", e.EntityID, name)
		require.Contains(t, string(e.Data), "propertyID", name)
	}
	d, err := NewDecoder(SourceRentVine)
	require.NoError(t, err)
	for name, body := range map[string]string{
		"guide, no property":   guide(`{"unitID":"9"}`),
		"guide, plain id":      guide(`{"id":"9"}`),
		"guide, bad property":  guide(`{"id":"9","propertyID":"a b"}`),
		"guide, no data":       guide(`null`),
		"live, no property":    live(`"9"`, `{"unitID":"9"}`),
		"live, plain id":       live(`"9"`, `{"id":"9"}`),
		"live, empty property": live(`"9"`, `{"propertyID":""}`),
		"live, zero property":  live(`"9"`, `{"propertyID":"0"}`),
		"live, no data":        live(`"9"`, `null`),
	} {
		_, err := d.Decode([]byte(body), "", receivedAt)
		var bad *DecodeError
		require.ErrorAs(t, err, &bad, name)
		require.Equal(t, http.StatusUnprocessableEntity, bad.Status, name)
		require.Equal(t, "no_entity_id", bad.Reason, name)
		require.Contains(t, bad.Detail, "data.propertyID", name)
		require.NotContains(t, bad.Detail, "data.id", name)
	}
	// A property's own events take its id wherever it stands.
	for name, body := range map[string]string{
		"its field": `{"event_type":"property.updated","data":{"propertyID":"31"}}`,
		"plain id":  `{"event_type":"property.created","data":{"id":31}}`,
		"object id": `{"event":{"eventType":"propertyCreated","objectID":"31"},"data":null}`,
	} {
		require.Equal(t, "31", decoded(t, SourceRentVine, body).EntityID, name)
	}
	for _, r := range Routes(SourceRentVine) {
		require.Equal(t, !strings.HasPrefix(r.Type, "unit."), isRecordOf(r.Type, r.IDField), r.Type)
	}
}

func TestReopensWorkOrder(t *testing.T) {
	t.Parallel()
	changed := func(kind string, fields ...string) durable.Event {
		e := durable.Event{Type: kind, Changes: map[string]durable.Change{}}
		for _, f := range fields {
			e.Changes[f] = durable.Change{Old: "3", New: "2"}
		}
		return e
	}
	require.True(t, reopensWorkOrder(changed("work_order.created")))
	require.True(t, reopensWorkOrder(changed("work_order.updated", "workOrderStatusID")))
	require.True(t, reopensWorkOrder(changed("work_order.updated", "x", "primaryWorkOrderStatusID")))
	require.True(t, reopensWorkOrder(changed("work_order.updated", "status")))
	require.False(t, reopensWorkOrder(changed("work_order.updated", "priorityID")))
	require.True(t, reopensWorkOrder(changed("work_order.updated")), "changes are optional: RentVine is read")
}
