package partner_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
)

func TestReadFields(t *testing.T) {
	t.Parallel()
	type fields = []partner.FieldProblem
	for body, want := range map[string]fields{
		`{"email":["bad","worse"],"address":["long"]}`:           {{Field: "address", Messages: []string{"long"}}, {Field: "email", Messages: []string{"bad", "worse"}}},
		`{"a":"one","non_field_errors":["whole"]}`:               {{Field: "a", Messages: []string{"one"}}, {Messages: []string{"whole"}}},
		`["first","second"]`:                                     {{Messages: []string{"first", "second"}}},
		`"said"`:                                                 {{Messages: []string{"said"}}},
		`{"charges[0].ledgerID":["bad"]}`:                        {{Field: "charges[0].ledgerID", Messages: []string{"bad"}}},
		`{"team":{"agent":["gone"],"non_field_errors":["one"]}}`: {{Field: "team", Messages: []string{"one"}}, {Field: "team.agent", Messages: []string{"gone"}}},
		`{"rows":[{},{"email":["bad"]},"all"]}`:                  {{Field: "rows", Messages: []string{"all"}}, {Field: "rows[1].email", Messages: []string{"bad"}}},
		`{"n":7,"flag":true}`:                                    {{Field: "flag"}, {Field: "n"}},
		`{"n":null,"list":[],"object":{}}`:                       {},
		`7`:                                                      {},
		`{}`:                                                     {},
		`{"a":`:                                                  nil,
		``:                                                       nil,
		`{"a":{"b":{"c":{"d":{"e":{"f":["too deep"]}}}}}}`: {},
	} {
		require.Equal(t, want, partner.ReadFields([]byte(body)), body)
	}
}

// refusal is how a refusal with this body comes out, for a request of Jane's.
func refusal(t *testing.T, body string) *partner.Error {
	t.Helper()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, body)
	})
	h := caller(t, partner.HTTPConfig{Explain: func(_ int, b []byte) partner.Refusal {
		return partner.Refusal{Fields: partner.ReadFields(b)}
	}})
	_, err := h.Send(t.Context(), partner.Request{
		Op: "x.do", Method: http.MethodPost, URL: url, Personal: []string{"Jane", "Roe", "J", " ", "1 High (St)", "High"},
	})
	return failure(t, err)
}

func TestRefusalIsOneLineWithoutPersonalData(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"b":["x","y"],"a":["z"],"non_field_errors":["all"]}`: "a: z; b: x; y; all",
		`{"email":["jane@example.com is taken"]}`:              "email: [e-mail] is taken",
		`{"phone":["+44 7700 900123 is bad"]}`:                 "phone: [number] is bad",
		`{"name":["JANE ROE, Roe Jane Jane and Janet"]}`:       "name: [hidden] [hidden], [hidden] [hidden] [hidden] and Janet",
		`{"address":["\"1 high (st)\" is not on High"]}`:       `address: "[hidden]" is not on [hidden]`,
		`{"J":["J is short"]}`:                                 "J: J is short",
		`{"jane@example.com":["odd"]}`:                         "[e-mail]: odd",
		`{"Roe":7}`:                                            "Roe",
	} {
		e := refusal(t, body)
		require.Equal(t, want, e.Message, body)
		require.Equal(t, "x.do: invalid (HTTP 400): "+want, e.Error())
	}
}

func TestRefusalIsBounded(t *testing.T) {
	t.Parallel()
	var many []string
	for n := range 500 {
		many = append(many, fmt.Sprintf(`"f%03d":["%s"]`, n, strings.Repeat("é", 5000)))
	}
	e := refusal(t, "{"+strings.Join(many, ",")+"}")
	require.Len(t, e.Fields, 50)
	require.Less(t, len([]rune(e.Message)), 2500)
	require.True(t, strings.HasSuffix(e.Message, "; …"))
	e = refusal(t, `{"f":[`+strings.Repeat(`"x",`, 5000)+`"x"]}`)
	require.Len(t, e.Fields[0].Messages, 50)
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"auctioneer_email":["gone"]}`:                       false,
		`{"email":["bad"]}`:                                   true,
		`{"email":[{"x":["bad"]}]}`:                           true,
		`{"email":{"x":["bad"]}}`:                             true,
		`{"emails":["bad"]}`:                                  false,
		`{"non_field_errors":["email is required for that"]}`: true,
		`{"non_field_errors":["auctioneer_email is required for auction sale methods"]}`: false,
		`{"name":["not the email"]}`: false,
		``:                           false,
	} {
		require.Equal(t, want, refusal(t, body).Refuses("email"), body)
	}
}
