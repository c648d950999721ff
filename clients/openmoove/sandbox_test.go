package openmoove_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	sandbox "github.com/aictive/keyholder/sandbox/openmoove"
)

// open is a client of the sandbox, which stands under base.
func open(t *testing.T, base string, cfg sandbox.Config) (*openmoove.Client, *sandbox.Server) {
	t.Helper()
	server, err := sandbox.New(cfg)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	h := httptest.NewServer(http.StripPrefix(base+"/partners", server))
	t.Cleanup(h.Close)
	client := openmoove.New(openmoove.Config{BaseURL: h.URL + base + "/partners/", APIKey: sandbox.DevKey})
	t.Cleanup(client.Close)
	return client, server
}

func TestASaleInTheSandbox(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"/openmoove/api/v1", "/openmoove/api"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			c, ctx := first(open(t, base, sandbox.Config{})), t.Context()
			products, err := c.Products(ctx)
			require.NoError(t, err)
			require.Equal(t, openmoove.MooveReadyPack, products[0].Slug)

			sale := jane()
			sale.PhoneNumber = "07700 900001"
			made, err := c.CreateClient(ctx, sale)
			require.NoError(t, err)
			require.NotEmpty(t, made.MoverID)
			require.NotEmpty(t, made.EstateAgentID)
			require.NotEmpty(t, made.AuctioneerID)
			require.Empty(t, made.ConveyancerID)
			require.Len(t, made.Purchases, 1)
			require.WithinDuration(t, time.Now(), made.Purchases[0].PurchasedAt, time.Minute)
			require.Equal(t, "Modern Method of Auction", made.Property.Disposal)

			read, err := c.Property(ctx, made.Property.TransactionID)
			require.NoError(t, err)
			require.Equal(t, made.Property.TransactionID, read.TransactionID)
			require.NotEqual(t, read.TransactionID, read.OpenMooveID)
			require.Equal(t, "For sale", read.Status)
			require.Equal(t, sale.PropertyPostcode, read.Postcode)
			require.Nil(t, read.Team, "the PDTF form has no team")
			require.Contains(t, read.Participants, openmoove.Participant{
				Role: "Seller", FirstName: "Jane", LastName: "Roe", Email: sale.Email, Phone: "+447700900001",
			})
			detail, err := c.PropertyDetail(ctx, made.PropertyID)
			require.NoError(t, err)
			require.Equal(t, openmoove.ModernAuction, detail.SaleMethod)
			require.Equal(t, sale.Email, detail.Seller.Email)
			require.Equal(t, openmoove.MemberInvited, detail.Team.Auctioneer.Status)
			require.WithinDuration(t, time.Now(), detail.Team.Auctioneer.InvitedAt, time.Minute)
			require.Nil(t, detail.Team.Conveyancer)

			byID, err := c.Milestones(ctx, made.PropertyID)
			require.NoError(t, err)
			require.Len(t, byID, 4)
			byUUID, err := c.Milestones(ctx, made.Property.TransactionID)
			require.NoError(t, err)
			require.Equal(t, byID, byUUID)
			current, found, err := c.CurrentMilestone(ctx, made.PropertyID)
			require.NoError(t, err)
			require.True(t, found)
			require.Equal(t, "Legal Pack Preparation", current.Name)

			chat, err := c.Chat(ctx, made.PropertyID, openmoove.Page{})
			require.NoError(t, err)
			require.NotEmpty(t, chat.Notice)
			summaries, err := c.ChatSummary(ctx, made.Property.TransactionID)
			require.NoError(t, err)
			require.NotEmpty(t, summaries.Notice)
		})
	}
}

func first(c *openmoove.Client, _ *sandbox.Server) *openmoove.Client { return c }

func TestPagesOfTheSandbox(t *testing.T) {
	t.Parallel()
	c, ctx := first(open(t, "", sandbox.Config{})), t.Context()
	all, err := c.Properties(ctx, openmoove.Page{})
	require.NoError(t, err)
	require.Len(t, all.Rows, all.Count)
	require.False(t, all.More)
	var walked []openmoove.PropertyRow
	for n := 1; ; n++ {
		page, err := c.Properties(ctx, openmoove.Page{Number: n, Size: 2})
		require.NoError(t, err)
		require.Equal(t, all.Count, page.Count)
		walked = append(walked, page.Rows...)
		if !page.More {
			break
		}
	}
	require.Equal(t, all.Rows, walked)
	_, err = c.Properties(ctx, openmoove.Page{Number: 99})
	require.Equal(t, partner.NotFound, partner.KindOf(err))
}

func TestRefusalsOfTheSandbox(t *testing.T) {
	t.Parallel()
	c, server := open(t, "", sandbox.Config{})
	ctx := t.Context()
	for name, refuse := range map[string]struct {
		change func(*openmoove.NewClient)
		field  string
	}{
		"missing":         {func(n *openmoove.NewClient) { n.FirstName = "" }, "first_name"},
		"a wrong form":    {func(n *openmoove.NewClient) { n.PhoneNumber = "12" }, "phone_number"},
		"the whole":       {func(n *openmoove.NewClient) { n.AuctioneerEmail = "" }, "auctioneer_email"},
		"an odd method":   {func(n *openmoove.NewClient) { n.SaleMethod = "raffle" }, "sale_method"},
		"unknown product": {func(n *openmoove.NewClient) { n.Products = []string{"none-such"} }, "products"},
	} {
		sale := jane()
		refuse.change(&sale)
		_, err := c.CreateClient(ctx, sale)
		e := failure(t, err)
		require.Equal(t, partner.Invalid, e.Kind, name)
		require.True(t, e.Refuses(refuse.field), "%s: %v", name, e)
		require.False(t, e.Refuses("last_name"), "%s: %v", name, e)
	}
	_, err := c.PropertyDetail(ctx, "987654")
	require.Equal(t, partner.NotFound, partner.KindOf(err))

	server.SetOptions(sandbox.Options{WithoutTeam: true})
	detail, err := c.PropertyDetail(ctx, "1")
	require.NoError(t, err)
	require.Nil(t, detail.Team)
	server.SetOptions(sandbox.Options{WithoutDetail: true})
	_, err = c.PropertyDetail(ctx, "1")
	require.Equal(t, partner.NotFound, partner.KindOf(err))
}

func TestLimitsOfTheSandbox(t *testing.T) {
	t.Parallel()
	c, ctx := first(open(t, "", sandbox.Config{Limits: "3/1m"})), t.Context()
	for left := 2; left >= 0; left-- {
		_, err := c.Products(ctx)
		require.NoError(t, err)
		require.Equal(t, left, c.Limits().Remaining)
		require.Equal(t, 3, c.Limits().Limit)
	}
	_, err := c.Products(ctx)
	e := failure(t, err)
	require.Equal(t, partner.RateLimited, e.Kind)
	require.Positive(t, e.RetryAfter)
	require.LessOrEqual(t, e.RetryAfter, 62*time.Second)
	require.Contains(t, e.Message, "throttled")
	require.Zero(t, c.Limits().Remaining)
	require.WithinRange(t, c.Limits().Reset, time.Now().Add(-time.Second), time.Now().Add(62*time.Second))
}
