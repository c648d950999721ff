package rentvine_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
)

func TestInsuranceIsReadLeniently(t *testing.T) {
	t.Parallel()
	days := func(n int) *int { return &n }
	for body, want := range map[string]rentvine.Vendor{
		`"liabilityInsuranceExpiresDate":"2027-12-31","workersCompInsuranceExpiresDate":"12/30/2027","insuranceExpiresDate":"2027-12-29 00:00:00","daysUntilInsuranceExpires":"-5"`: {
			LiabilityInsuranceExpires: "2027-12-31", WorkersCompInsuranceExpires: "2027-12-30", InsuranceExpires: "2027-12-29", InsuranceDays: days(-5),
		},
		`"liabilityInsuranceExpiresDate":null,"insuranceExpiresDate":"","daysUntilInsuranceExpires":0`:                       {InsuranceDays: days(0)},
		`"liabilityInsuranceExpiresDate":"soon","insuranceExpiresDate":"0000-00-00","daysUntilInsuranceExpires":null`:        {},
		`"liabilityInsuranceExpiresDate":{"date":"2027-12-31"},"insuranceExpiresDate":[],"daysUntilInsuranceExpires":"many"`: {},
		`"workersCompInsuranceExpiresDate":"2027-12-31T08:00:00Z","daysUntilInsuranceExpires":""`:                            {WorkersCompInsuranceExpires: "2027-12-31"},
		`"liabilityInsurance":{"ExpiresDate":"2027-12-31"},"taxPayerName":"x","achAccountNumberTruncated":{"not":"read"}`:    {},
		`"insuranceExpiresDate":"2027-02-30"`: {},
		``:                                    {},
	} {
		body = strings.TrimSuffix(`[{"contact":{"contactID":"11","contactTypeID":"3","name":"A","isActive":"0",`+body, ",") + `}}]`
		got, err := answering(t, body).Vendors(t.Context())
		require.NoError(t, err, body)
		want.Contact = rentvine.Contact{ID: "11", Type: rentvine.ContactVendor, Name: "A"}
		require.Equal(t, []rentvine.Vendor{want}, got, body)
	}
	for _, body := range []string{`[{"vendor":{"contactID":"11"}}]`, `[{"contact":{"name":"nobody"}}]`, `{"data":[]}`} {
		_, err := answering(t, body).Vendors(t.Context())
		require.Equal(t, partner.Malformed, partner.KindOf(err), body)
	}
}

// How RentVine answers includes=vendors is not known.
func TestVendorsOfTradesInAnyForm(t *testing.T) {
	t.Parallel()
	for vendors, want := range map[string][]string{
		`["11",12]`: {"11", "12"},
		`[{"contactID":"11"},{"vendorContactID":12}]`:                                                                   {"11", "12"},
		`[{"contact":{"contactID":"11"},"trade":{}},{"vendor":{"contactID":"12"}},{"vendor":{"vendorContactID":"13"}}]`: {"11", "12", "13"},
		`[{"name":"no id"},null,"x",true,[],{"contactID":"y"},{"contactID":14,"vendor":null}]`:                          {"14"},
		`[]`: nil, `null`: nil, `{"11":{}}`: nil, `"11"`: nil,
	} {
		for _, form := range []string{
			`[{"vendorTrade":{"vendorTradeID":"3","name":"HVAC"},"vendors":%s}]`,
			`[{"vendorTrade":{"vendorTradeID":"3","name":"HVAC","vendors":%s}}]`,
			`[{"vendorTradeID":3,"name":"HVAC","vendors":%s}]`,
		} {
			body := fmt.Sprintf(form, vendors)
			got, err := answering(t, body).TradesWithVendors(t.Context())
			require.NoError(t, err, body)
			require.Equal(t, []rentvine.VendorTrade{{ID: "3", Name: "HVAC", VendorIDs: want}}, got, body)
		}
	}
}

func TestAllPagesOfVendorsAreRead(t *testing.T) {
	t.Parallel()
	vendors, err := open(t, sandbox.Config{MaxPageSize: 3}).client.Vendors(t.Context())
	require.NoError(t, err)
	require.Len(t, vendors, 8)

	endless := handled(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `[{"contact":{"contactID":"1%s","name":"x"}}]`, r.URL.Query().Get("page"))
	})
	_, err = endless.Vendors(t.Context())
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.ErrorContains(t, err, "more than 100 pages")
}
