package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
)

const (
	eventPath = "/v1/milestone-events"
	someUUID  = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
)

// usualEvents are those of the built-in policy, which is the guide's mapping.
func usualEvents() map[string]string {
	return map[string]string{
		"legal_pack_completed": "Legal Pack Preparation",
		"property_listed":      "Property Marketing",
		"offer_accepted":       "Offer Acceptance",
		"contracts_exchanged":  "Exchange of Contracts",
		"completion_date_set":  "Completion",
	}
}

// followed are the sales that a door knows.
type followed []FoundSale

func (f followed) find(_ context.Context, propertyID, transactionID string) (FoundSale, error) {
	if (propertyID == "") == (transactionID == "") {
		return FoundSale{}, errors.New("one id, please")
	}
	for _, s := range f {
		if propertyID != "" && s.PropertyID == propertyID || transactionID != "" && s.TransactionID == transactionID {
			return s, nil
		}
	}
	return FoundSale{}, store.ErrNotFound
}

// propertyOf is an integer id that no other test uses.
func propertyOf(t *testing.T) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(t.Name()))
	return fmt.Sprint(1_000_000 + uint64(sum.Sum32()))
}

func (d *apiDoor) report(body string) httpReply {
	d.t.Helper()
	return d.call(http.MethodPost, eventPath, bearing("Content-Type", "application/json"), strings.NewReader(body))
}

// reported reads the answer to an event that was taken, which the document allows.
func (d *apiDoor) reported(body string) reportedMilestone {
	d.t.Helper()
	d.contract.requireRequest(d.t, http.MethodPost, eventPath, bearing("Content-Type", "application/json"), body)
	return answerOf[reportedMilestone](d.t, d.report(body), http.StatusAccepted)
}

// following is a door on a real Temporal, on which no worker is needed: what is
// confirmed is in the history.
func following(t *testing.T, change apiChange, known ...FoundSale) *apiDoor {
	t.Helper()
	return openAPIDoor(t, NewRouter(RouterConfig{Client: testTemporal(t), Limit: 30 * time.Second}), func(a *APIConfig, c *Config) {
		a.FindSale = followed(known).find
		if change != nil {
			change(a, c)
		}
	})
}

// signals are the reports that a sale's workflow has got.
func (d *apiDoor) signals(workflowID string) []sales.MilestoneReport {
	d.t.Helper()
	var got []sales.MilestoneReport
	events := d.temporal.GetWorkflowHistory(d.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(d.t, err)
		signal := event.GetWorkflowExecutionSignaledEventAttributes()
		if signal == nil {
			continue
		}
		require.Equal(d.t, sales.MilestoneReported.Name, signal.GetSignalName())
		var r sales.MilestoneReport
		require.NoError(d.t, converter.GetDefaultDataConverter().FromPayloads(signal.GetInput(), &r))
		got = append(got, r)
	}
	return got
}

func TestAPIReportsAMilestone(t *testing.T) {
	t.Parallel()
	// Business time is two years ahead.
	clock := durable.Clock{Epoch: time.Now().AddDate(0, 0, -1).UTC(), Scale: 731}
	id := propertyOf(t)
	d := following(t, func(a *APIConfig, _ *Config) { a.Clock = clock }, FoundSale{PropertyID: id, TransactionID: someUUID})
	happened := clock.Now().Add(-36 * time.Hour).Truncate(time.Second)
	body := fmt.Sprintf(`{"type":"contracts_exchanged","transaction_id":%q,"user":"  Jane Roe's  CRM ","occurred_at":%q,"id":"evt-1"}`,
		strings.ToUpper(someUUID), happened.In(time.FixedZone("", 5400)).Format(time.RFC3339))
	got := d.reported(body)
	require.Equal(t, reportedMilestone{
		Status: "reported", Message: saidReported, PropertyID: id, TransactionID: someUUID, Milestone: "Exchange of Contracts",
		WorkflowID: "sale/" + id, EventID: "reported:contracts_exchanged:evt-1",
	}, got)
	require.Equal(t, got, d.reported(body), "the same event again")

	signals := d.signals("sale/" + id)
	require.Len(t, signals, 2)
	require.Equal(t, signals[0].Key, signals[1].Key, "the workflow takes a key once")
	require.WithinDuration(t, time.Now(), signals[0].ReceivedAt, time.Minute)
	signals[0].ReceivedAt = time.Time{}
	require.Equal(t, sales.MilestoneReport{Key: "reported:contracts_exchanged:evt-1", Type: "contracts_exchanged",
		Milestone: "Exchange of Contracts", By: "Jane Roe's CRM", OccurredAt: happened}, signals[0])

	started := d.firstEvent("sale/" + id).GetWorkflowExecutionStartedEventAttributes()
	require.Equal(t, sales.SaleName, started.GetWorkflowType().GetName())
	require.Equal(t, d.queue, started.GetTaskQueue().GetName())
	var in sales.SaleInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(started.GetInput(), &in))
	require.Equal(t, id, in.ID)
	require.InEpsilon(t, clock.Scale, in.Clock.Scale, 1e-9)

	require.Equal(t, "2", d.apiMetric("POST "+eventPath, "reported", 202))
	require.Contains(t, d.log.String(), `"workflow_id":"sale/`+id+`"`)
	for _, secret := range []string{"Jane", someUUID, "evt-1", newKey} {
		require.NotContains(t, d.log.String(), secret)
	}
}

// The same event is known again by whichever id of the sale it comes with.
func TestAPIKnowsAMilestoneEventWithoutAnID(t *testing.T) {
	t.Parallel()
	id := propertyOf(t)
	d := following(t, nil, FoundSale{PropertyID: id, TransactionID: someUUID}, FoundSale{PropertyID: id + "1"})
	at := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	event := func(sale, more string) string {
		return answerOf[reportedMilestone](t, d.report(`{"type":"offer_accepted",`+sale+more+`}`), http.StatusAccepted).EventID
	}
	bare := event(`"property_id":`+id, "")
	require.Regexp(t, `^reported:offer_accepted:sha256:[0-9a-f]{64}$`, bare)
	require.Equal(t, bare, event(`"property_id":"`+id+`"`, ""))
	require.Equal(t, bare, event(`"transaction_id":"`+someUUID+`"`, `,"user":"another","occurred_at":null,"id":""`))
	require.Equal(t, bare, event(`"transaction_id":"`+someUUID+`","property_id":`+id, ""))
	timed := event(`"property_id":`+id, `,"occurred_at":"`+at.Format(time.RFC3339)+`"`)
	require.NotEqual(t, bare, timed)
	require.Equal(t, timed, event(`"property_id":`+id, `,"occurred_at":"`+at.In(time.FixedZone("", -3600)).Format(time.RFC3339Nano)+`"`))
	require.NotEqual(t, bare, event(`"property_id":`+id+`1`, ""), "another sale")
	require.Regexp(t, `^reported:offer_accepted:id-sha256:[0-9a-f]{64}$`, event(`"property_id":`+id, `,"id":"a: b/ü"`))
	require.Equal(t, "reported:offer_accepted:7", event(`"property_id":`+id, `,"id":"7"`))
	require.Equal(t, "reported:property_listed:7", d.reported(`{"type":"property_listed","id":"7","property_id":`+id+`}`).EventID,
		"two systems may number their events alike")
	require.NotContains(t, d.report(`{"type":"offer_accepted","property_id":`+id+`1}`).body, "transaction_id", "none is known")
}

func TestAPIReportsNothingOfASaleThatHasEnded(t *testing.T) {
	t.Parallel()
	id := propertyOf(t)
	d := following(t, nil, FoundSale{PropertyID: id}, FoundSale{PropertyID: id + "9", Ended: true})
	body := `{"type":"offer_accepted","property_id":` + id + `}`
	d.reported(body)
	require.NoError(t, d.temporal.TerminateWorkflow(t.Context(), "sale/"+id, "", "the sale is over"))
	d.requireProblem(d.report(body), 409) // Temporal knows it before the store does
	d.requireProblem(d.report(strings.Replace(body, id, id+"9", 1)), 409)
	require.Len(t, d.signals("sale/"+id), 1)
	require.Equal(t, "2", d.apiMetric("POST "+eventPath, "sale_ended", 409))
}

// hostileEvents are bodies with the fields that are refused. Temporal is away: a body
// that passes is answered 503.
func hostileEvents() map[string]struct {
	body  string
	want  int
	paths string
} {
	const sale = `"property_id":12`
	const good = `{"type":"offer_accepted",` + sale
	with := func(field string) string { return good + "," + field + "}" }
	stamp := func(d time.Duration) string {
		return with(`"occurred_at":"` + time.Now().Add(d).Format(time.RFC3339) + `"`)
	}
	year := 365 * 24 * time.Hour
	return map[string]struct {
		body  string
		want  int
		paths string
	}{
		"fine":                       {good + "}", 503, ""},
		"all fields":                 {with(`"transaction_id":"` + someUUID + `","user":"Jane","id":"Jane","occurred_at":"` + time.Now().Format(time.RFC3339Nano) + `"`), 503, ""},
		"null is absent":             {with(`"transaction_id":null,"user":null,"id":null,"occurred_at":null`), 503, ""},
		"empty is absent":            {with(`"transaction_id":"","user":" ","id":"","occurred_at":""`), 503, ""},
		"byte order mark":            {"\ufeff" + good + "}", 503, ""},
		"id as text with spaces":     {`{"type":" offer_accepted ","property_id":" 12 "}`, 503, ""},
		"nothing":                    {"", 400, ""},
		"not JSON":                   {"type=offer_accepted", 400, ""},
		"cut":                        {good, 400, ""},
		"two values":                 {good + "}{}", 400, ""},
		"not UTF-8":                  {with(`"user":"Jane` + "\xff" + `"`), 400, ""},
		"a field twice":              {with(`"type":"Jane"`), 400, ""},
		"a field twice, escaped":     {with(`"typ\u0065":"Jane"`), 400, ""},
		"deep":                       {with(`"user":` + strings.Repeat("[", 40) + strings.Repeat("]", 40)), 400, ""},
		"an array":                   {"[" + good + "}]", 422, ""},
		"null":                       {"null", 422, ""},
		"a text":                     {`"Jane"`, 422, ""},
		"empty object":               {"{}", 422, "type property_id"},
		"another field":              {with(`"milestone":"Completion"`), 422, "milestone"},
		"fields in another case":     {`{"Type":"offer_accepted","PROPERTY_ID":12}`, 422, "PROPERTY_ID Type type property_id"},
		"data as a field":            {with(`"jane@example.com":1,"":2`), 422, ""},
		"unknown type":               {strings.Replace(good, "offer_accepted", "Jane", 1) + "}", 422, "type"},
		"type in another case":       {strings.Replace(good, "offer_accepted", "Offer_Accepted", 1) + "}", 422, "type"},
		"milestone as the type":      {strings.Replace(good, "offer_accepted", "Offer Acceptance", 1) + "}", 422, "type"},
		"empty type":                 {`{"type":"",` + sale + "}", 422, "type"},
		"type is a number":           {`{"type":1,` + sale + "}", 422, "type"},
		"type is a list":             {`{"type":["offer_accepted"],` + sale + "}", 422, "type"},
		"type is very long":          {`{"type":"` + strings.Repeat("a", 9000) + `",` + sale + "}", 422, "type"},
		"no sale":                    {`{"type":"offer_accepted"}`, 422, "property_id"},
		"no sale, null":              {`{"type":"offer_accepted","property_id":null,"transaction_id":""}`, 422, "property_id"},
		"property 0":                 {`{"type":"offer_accepted","property_id":0}`, 422, "property_id"},
		"property -1":                {`{"type":"offer_accepted","property_id":-1}`, 422, "property_id"},
		"property 1.5":               {`{"type":"offer_accepted","property_id":1.5}`, 422, "property_id"},
		"property 12.0":              {`{"type":"offer_accepted","property_id":12.0}`, 422, "property_id"},
		"property 1e3":               {`{"type":"offer_accepted","property_id":1e3}`, 422, "property_id"},
		"property 012":               {`{"type":"offer_accepted","property_id":"012"}`, 422, "property_id"},
		"property 0x1f":              {`{"type":"offer_accepted","property_id":"0x1f"}`, 422, "property_id"},
		"property beyond 64 bits":    {`{"type":"offer_accepted","property_id":99999999999999999999}`, 422, "property_id"},
		"property of 9,000 digits":   {`{"type":"offer_accepted","property_id":` + strings.Repeat("9", 9000) + `}`, 422, "property_id"},
		"property in wide digits":    {`{"type":"offer_accepted","property_id":"１２"}`, 422, "property_id"},
		"property with a path":       {`{"type":"offer_accepted","property_id":"12/../13"}`, 422, "property_id"},
		"property and a quote":       {`{"type":"offer_accepted","property_id":"12' OR 1=1"}`, 422, "property_id"},
		"property is true":           {`{"type":"offer_accepted","property_id":true}`, 422, "property_id"},
		"property is an object":      {`{"type":"offer_accepted","property_id":{"id":12}}`, 422, "property_id"},
		"UUID as property":           {`{"type":"offer_accepted","property_id":"` + someUUID + `"}`, 422, "property_id"},
		"UUID in braces":             {`{"type":"offer_accepted","transaction_id":"{` + someUUID + `}"}`, 422, "transaction_id"},
		"UUID as a URN":              {`{"type":"offer_accepted","transaction_id":"urn:uuid:` + someUUID + `"}`, 422, "transaction_id"},
		"UUID without dashes":        {`{"type":"offer_accepted","transaction_id":"` + strings.ReplaceAll(someUUID, "-", "") + `"}`, 422, "transaction_id"},
		"UUID cut":                   {`{"type":"offer_accepted","transaction_id":"` + someUUID[1:] + `"}`, 422, "transaction_id"},
		"UUID as number":             {`{"type":"offer_accepted","transaction_id":12}`, 422, "transaction_id"},
		"a good and a bad id":        {with(`"transaction_id":"Jane"`), 422, "transaction_id"},
		"user too long":              {with(`"user":"` + strings.Repeat("é", 101) + `"`), 422, "user"},
		"user at the limit":          {with(`"user":"` + strings.Repeat("é", 100) + `"`), 503, ""},
		"user in two lines":          {with(`"user":"Jane\nRoe"`), 422, "user"},
		"user with a control":        {with(`"user":"Jane\u0000"`), 422, "user"},
		"user turned around":         {with(`"user":"Jane\u202e"`), 422, "user"},
		"user lost in conversion":    {with(`"user":"\ud800"`), 422, "user"},
		"user is an object":          {with(`"user":{"name":"Jane"}`), 422, "user"},
		"id too long":                {with(`"id":"` + strings.Repeat("x", 201) + `"`), 422, "id"},
		"id at the limit":            {with(`"id":"` + strings.Repeat("x", 200) + `"`), 503, ""},
		"id is a number":             {with(`"id":12`), 422, "id"},
		"id in two lines":            {with(`"id":"1\r\n2"`), 422, "id"},
		"time without a zone":        {with(`"occurred_at":"2026-11-21T10:00:00"`), 422, "occurred_at"},
		"day alone":                  {with(`"occurred_at":"2026-11-21"`), 422, "occurred_at"},
		"no such day":                {with(`"occurred_at":"2026-02-30T10:00:00Z"`), 422, "occurred_at"},
		"unix time":                  {with(`"occurred_at":1795000000`), 422, "occurred_at"},
		"unix time as text":          {with(`"occurred_at":"1795000000"`), 422, "occurred_at"},
		"year 10000":                 {with(`"occurred_at":"10000-01-01T00:00:00Z"`), 422, "occurred_at"},
		"year 0":                     {with(`"occurred_at":"0000-01-01T00:00:00Z"`), 422, "occurred_at"},
		"zero time":                  {with(`"occurred_at":"0001-01-01T00:00:00Z"`), 422, "occurred_at"},
		"23 hours ahead":             {stamp(23 * time.Hour), 503, ""},
		"25 hours ahead":             {stamp(25 * time.Hour), 422, "occurred_at"},
		"nearly 5 years ago":         {stamp(-5*year + 48*time.Hour), 503, ""},
		"more than 5 years ago":      {stamp(-5*year - 72*time.Hour), 422, "occurred_at"},
		"everything wrong at once":   {`{"type":"Jane","property_id":"x","transaction_id":"y","user":1,"id":2,"occurred_at":3,"z":4}`, 422, "z type user occurred_at id property_id transaction_id"},
		"a great many other fields":  {good + manyFields(900) + "}", 422, "*"},
		"a name that is no property": {`{"__proto__":{"type":"offer_accepted"},` + sale + "}", 422, "__proto__ type"},
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"f%d":1`, i)
	}
	return b.String()
}

func TestAPIMilestoneEventFields(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.FindSale = followed{{PropertyID: "12", TransactionID: someUUID}}.find })
	for name, tc := range hostileEvents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &apiDoor{door: &door{Server: d.Server, t: t, url: d.url, log: d.log}, contract: d.contract}
			a := d.report(tc.body)
			d.requireProblem(a, tc.want)
			require.NotContains(t, a.body, "Jane")
			require.NotContains(t, a.body, "jane")
			var p Problem
			require.NoError(t, json.Unmarshal([]byte(a.body), &p))
			require.LessOrEqual(t, len(p.Errors), maxAPIFields)
			if tc.paths == "*" {
				return
			}
			var paths []string
			for _, e := range p.Errors {
				require.NotEmpty(t, e.Message)
				if e.Path != "" {
					paths = append(paths, e.Path)
				}
			}
			require.Equal(t, tc.paths, strings.Join(paths, " "))
		})
	}
	t.Cleanup(func() { require.NotContains(t, d.log.String(), "Jane") })
}

func TestAPIListsTheKnownTypesOfEvents(t *testing.T) {
	t.Parallel()
	table := usualEvents()
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) {
		a.FindSale = followed{{PropertyID: "12"}}.find
		a.MilestoneEvents = func() map[string]string { return table }
	})
	says := func(body string) (p Problem) {
		a := d.report(body)
		d.requireProblem(a, 422)
		require.NoError(t, json.Unmarshal([]byte(a.body), &p))
		return p
	}
	const list = "The types are completion_date_set, contracts_exchanged, legal_pack_completed, offer_accepted, property_listed."
	p := says(`{"type":"keys_handed_over","property_id":12}`)
	require.Equal(t, "There is no such type of event. "+list+" Nothing was stored.", p.Detail)
	require.Equal(t, []FieldError{{Path: "type", Message: "There is no such type of event. " + list}}, p.Errors)
	require.Equal(t, "Give the type of the event. "+list+" Nothing was stored.", says(`{"property_id":12}`).Detail)
	require.Contains(t, says(`{"type":7,"property_id":12}`).Detail, "errors names them")
	require.Equal(t, "2", d.apiMetric("POST "+eventPath, "unknown_type", 422))

	// The policy was edited.
	table = map[string]string{"keys_handed_over": "Completion"}
	d.requireProblem(d.report(`{"type":"keys_handed_over","property_id":12}`), 503)
	require.Contains(t, says(`{"type":"offer_accepted","property_id":12}`).Detail, "The types are keys_handed_over.")
	table = nil
	require.Contains(t, says(`{"type":"offer_accepted","property_id":12}`).Detail, "sales.reported.events")
}

func TestAPIFindsTheSaleOfAMilestoneEvent(t *testing.T) {
	t.Parallel()
	const other = "00000000-0000-0000-0000-000000000001"
	known := followed{{PropertyID: "12", TransactionID: strings.ToUpper(someUUID)}, {PropertyID: "12", TransactionID: someUUID},
		{PropertyID: "13", TransactionID: other}, {PropertyID: "14"}}
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.FindSale = known.find })
	for name, tc := range map[string]struct {
		ids  string
		want int
	}{
		"integer id":                        {`"property_id":12`, 503},
		"UUID":                              {`"transaction_id":"` + someUUID + `"`, 503},
		"UUID in capitals":                  {`"transaction_id":"` + strings.ToUpper(someUUID) + `"`, 503},
		"both":                              {`"property_id":12,"transaction_id":"` + someUUID + `"`, 503},
		"both, the UUID not known yet":      {`"property_id":14,"transaction_id":"` + strings.Replace(someUUID, "3", "4", 1) + `"`, 503},
		"both, of two sales":                {`"property_id":12,"transaction_id":"` + other + `"`, 422},
		"both, the UUID is another sale's":  {`"property_id":14,"transaction_id":"` + other + `"`, 422},
		"both, the UUID is nobody's":        {`"property_id":13,"transaction_id":"` + strings.Replace(other, "1", "2", 1) + `"`, 422},
		"unknown integer id":                {`"property_id":99`, 404},
		"unknown UUID":                      {`"transaction_id":"` + strings.Replace(other, "1", "2", 1) + `"`, 404},
		"unknown integer id, UUID of other": {`"property_id":99,"transaction_id":"` + other + `"`, 404},
	} {
		a := d.report(`{"type":"offer_accepted",` + tc.ids + `}`)
		d.requireProblem(a, tc.want)
		switch tc.want {
		case 404:
			require.Contains(t, a.body, "property_id", name)
		case 422:
			require.Contains(t, a.body, `"path":"transaction_id"`, name)
		}
	}
	require.Equal(t, "5", d.apiMetric("POST "+eventPath, "not_confirmed", 503))
	require.Contains(t, d.log.String(), "a milestone event was not confirmed")
}

func TestAPIMilestoneEventsWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	for name, find := range map[string]func(context.Context, string, string) (FoundSale, error){
		"broken": func(context.Context, string, string) (FoundSale, error) { return FoundSale{}, errors.New("disk full") },
		"hanging": func(ctx context.Context, _, _ string) (FoundSale, error) {
			<-ctx.Done()
			return FoundSale{}, ctx.Err()
		},
		"breaking at the second look": func(_ context.Context, id, _ string) (FoundSale, error) {
			if id == "" {
				return FoundSale{}, errors.New("disk full")
			}
			return FoundSale{PropertyID: id}, nil
		},
	} {
		d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.FindSale = find })
		d.requireProblem(d.report(`{"type":"offer_accepted","property_id":12,"transaction_id":"`+someUUID+`"}`), 503)
		require.Equal(t, "1", d.apiMetric("POST "+eventPath, "store_away", 503), name)
	}
}

func TestAPIMilestoneEventBodies(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) {
		a.FindSale, a.Limits.Events = followed{{PropertyID: "12"}}.find, 1
	})
	const good = `{"type":"offer_accepted","property_id":12}`
	exact := good + strings.Repeat(" ", 16<<10-len(good))
	for _, tc := range []struct {
		name    string
		headers []string
		body    io.Reader
		want    int
	}{
		{"at the limit", []string{"Content-Type", "application/json"}, strings.NewReader(exact), 503},
		{"one byte more", []string{"Content-Type", "application/json"}, strings.NewReader(exact + " "), 413},
		{"endless", []string{"Content-Type", "application/json"}, io.LimitReader(zeros{}, 1<<30), 413},
		{"a form", []string{"Content-Type", "application/x-www-form-urlencoded"}, strings.NewReader(good), 415},
		{"no type", nil, strings.NewReader(good), 415},
		{"compressed", []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, strings.NewReader(good), 415},
	} {
		d.requireProblem(d.call(http.MethodPost, eventPath, bearing(tc.headers...), tc.body), tc.want)
	}
	d.requireProblem(d.do(http.MethodGet, eventPath, bearing(), nil), 405)
	d.slowly(eventPath, "application/json")
	d.requireProblem(d.report(good), 429)
}

func TestNewAPIWantsBothFunctionsOfMilestoneEvents(t *testing.T) {
	t.Parallel()
	_, err := NewAPI(APIConfig{Keys: []string{newKey}, FindSale: followed{}.find})
	require.ErrorContains(t, err, "MilestoneEvents")
	_, err = NewAPI(APIConfig{Keys: []string{newKey}, MilestoneEvents: usualEvents})
	require.ErrorContains(t, err, "FindSale")
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.FindSale, a.MilestoneEvents = nil, nil })
	d.requireProblem(d.do(http.MethodPost, eventPath, bearing("Content-Type", "application/json"), strings.NewReader("{}")), 404)
}
