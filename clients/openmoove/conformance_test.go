package openmoove_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/partnertest"
)

const (
	apiKey        = "om_test_secret"
	transactionID = "4fa18bac-3c62-4d92-a271-7364b0f0e479"
)

func jane() openmoove.NewClient {
	return openmoove.NewClient{
		FirstName: "Jane", LastName: "Roe", Email: partnertest.Mail, PhoneNumber: partnertest.Phone,
		PropertyAddress: "456 Auction Avenue, Manchester", PropertyPostcode: "M1 2AB",
		EstateAgentEmail: "agent@example.com", AuctioneerEmail: "bids@example.com",
		SaleMethod: openmoove.ModernAuction, Products: []string{openmoove.MooveReadyPack},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	type client = *openmoove.Client
	read := func(name, body string, do func(context.Context, client) error) partnertest.Call[client] {
		return partnertest.Call[client]{Name: name, Body: body, Do: do}
	}
	partnertest.Run(t, partnertest.Suite[client]{
		New: func(base string, limits partner.HTTPConfig) client {
			return openmoove.New(openmoove.Config{BaseURL: base + "/api/v1/partners/", APIKey: apiKey, HTTP: limits})
		},
		Refusal: func(status int, text string) string {
			if status == 400 {
				return fmt.Sprintf(`{"detail":%q,"field_errors":{"email":[%q]}}`, text, text)
			}
			return fmt.Sprintf(`{"detail":%q}`, text)
		},
		Secrets: []string{apiKey, "456 Auction Avenue", "M1 2AB"},
		Calls: []partnertest.Call[client]{
			{
				Name: "create client", Write: true, Status: 201, Body: `{"property_id":100,"mover_id":68}`,
				Do: func(ctx context.Context, c client) error { _, err := c.CreateClient(ctx, jane()); return err },
			},
			read("products", `{"count":0,"results":[]}`, func(ctx context.Context, c client) error { _, err := c.Products(ctx); return err }),
			read("properties", `{"count":0,"results":[]}`, func(ctx context.Context, c client) error {
				_, err := c.Properties(ctx, openmoove.Page{})
				return err
			}),
			read("property", `{"transactionId":"`+transactionID+`"}`, func(ctx context.Context, c client) error {
				_, err := c.Property(ctx, transactionID)
				return err
			}),
			read("detail", `{"id":1,"address":""}`, func(ctx context.Context, c client) error { _, err := c.PropertyDetail(ctx, "1"); return err }),
			read("milestones", `[{"id":1}]`, func(ctx context.Context, c client) error { _, err := c.Milestones(ctx, "1"); return err }),
			read("current milestone", `{"id":1,"name":""}`, func(ctx context.Context, c client) error {
				_, _, err := c.CurrentMilestone(ctx, transactionID)
				return err
			}),
			read("chat", `{"count":0,"results":[]}`, func(ctx context.Context, c client) error {
				_, err := c.Chat(ctx, "1", openmoove.Page{})
				return err
			}),
			read("chat summary", `{"summaries":[],"message":""}`, func(ctx context.Context, c client) error {
				_, err := c.ChatSummary(ctx, "1")
				return err
			}),
		},
	})
}
