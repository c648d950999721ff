package rentvine_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/partnertest"
	"github.com/aictive/keyholder/clients/rentvine"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
)

func TestOwnersOfAPortfolio(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{MaxPageSize: 1}), t.Context()
	want := rentvine.Portfolio{ID: "2", Name: "Portland Buildings", IsActive: true, OwnerContactIDs: []string{"22"}}
	for _, ids := range [][2]string{{"2", "2"}, {"2", ""}, {"", "2"}} {
		got, err := a.client.PortfolioOf(ctx, ids[0], ids[1])
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	owner, err := a.client.Owner(ctx, "22")
	require.NoError(t, err)
	require.Equal(t, rentvine.Contact{
		ID: "22", Type: rentvine.ContactOwner, Name: "Otis Owner", Email: "contact22@example.com", Phone: "(503) 555-0122", IsActive: true,
	}, owner)
	_, err = a.client.PortfolioOf(ctx, "99", "99")
	require.Equal(t, partner.NotFound, partner.KindOf(err))
	_, err = a.client.PortfolioOf(ctx, "", "")
	require.Equal(t, partner.NotFound, partner.KindOf(err))
	_, err = a.client.Owner(ctx, "../vendors/11")
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	_, err = a.client.PortfolioOf(ctx, "1 or 1", "")
	require.Equal(t, partner.Invalid, partner.KindOf(err))
}

// TestAPortfolioWhoseListNamesNoOwners has the forms on record: owners only beside the
// properties of the export, ids as numbers, the search's own form ignored.
func TestAPortfolioWhoseListNamesNoOwners(t *testing.T) {
	t.Parallel()
	var hidden atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch status := int(hidden.Load()); {
		case status > 0 && r.URL.Path == "/portfolios":
			w.WriteHeader(status)
		case strings.HasPrefix(r.URL.Path, "/portfolios"):
			_, _ = io.WriteString(w, `[{"portfolio":{"portfolioID":7,"name":"Homes","contacts":"[{\"contactID\":1}]"},"statementSetting":{},"lastStatement":null}]`)
		case r.URL.Path == "/properties/export":
			_, _ = io.WriteString(w, `[{"property":{"propertyID":1,"portfolioID":"8"},"portfolio":{"portfolioID":"8","owners":[{"contactID":5}]}},
				{"property":{"propertyID":2,"portfolioID":"7"},"portfolio":{"owners":[{"contactID":21},{"contactID":"21"},{"contactID":null},{"contactID":22}]}}]`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(api.Close)
	c := rentvine.New(rentvine.Config{BaseURL: api.URL})
	t.Cleanup(c.Close)
	for _, status := range []int32{0, 403, 404} { // the role may not read portfolios, or there is no such path
		hidden.Store(status)
		for _, property := range []string{"2", ""} {
			got, err := c.PortfolioOf(t.Context(), "7", property)
			require.NoError(t, err)
			require.Equal(t, []string{"21", "22"}, got.OwnerContactIDs)
			require.Equal(t, "7", got.ID)
		}
	}
	hidden.Store(503)
	_, err := c.PortfolioOf(t.Context(), "7", "2")
	require.Equal(t, partner.Unavailable, partner.KindOf(err))
}

func TestConformanceOfOwners(t *testing.T) {
	t.Parallel()
	type client = *rentvine.Client
	partnertest.Run(t, partnertest.Suite[client]{
		New: func(base string, limits partner.HTTPConfig) client {
			return rentvine.New(rentvine.Config{BaseURL: base, AccessKey: "an-access-key", Secret: "topsecret", HTTP: limits})
		},
		Refusal: func(_ int, text string) string { return fmt.Sprintf(`{"contact":{"email":%q}}`, text) },
		Secrets: []string{"an-access-key", "topsecret"},
		Calls: []partnertest.Call[client]{
			{
				Name: "owner", Body: `{"contact":{"contactID":21,"name":"Jane Roe"}}`,
				Do: func(ctx context.Context, c client) error { _, err := c.Owner(ctx, "21"); return err },
			},
			{
				Name: "portfolio", Body: `[{"property":{"propertyID":1},"portfolio":{"portfolioID":1,"owners":[{"contactID":21}]}}]`,
				Do: func(ctx context.Context, c client) error { _, err := c.PortfolioOf(ctx, "", "1"); return err },
			},
		},
	})
}
