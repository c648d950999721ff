package openmoove_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "999")
		var sale openmoove.NewClient
		switch err := json.NewDecoder(r.Body).Decode(&sale); {
		case err != nil || sale.AuctioneerEmail == "nobody@example.com":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"auctioneer_email":["This auctioneer takes no sales"]}`)
		default:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"property_id":100,"property":{"transactionId":"4fa18bac-3c62-4d92-a271-7364b0f0e479","status":"For sale"}}`)
		}
	}))
	defer server.Close()
	client := openmoove.New(openmoove.Config{BaseURL: server.URL + "/api/v1/partners/", APIKey: "om_dev"})
	defer client.Close()

	sale := openmoove.NewClient{
		FirstName: "Jane", LastName: "Roe", Email: "jane.roe@example.com", PhoneNumber: "+447700900001",
		PropertyAddress: "456 Auction Avenue, Manchester", PropertyPostcode: "M1 2AB",
		SaleMethod: openmoove.ModernAuction,
	}
	for _, auctioneer := range []string{"nobody@example.com", "bids@example.com"} {
		sale.AuctioneerEmail = auctioneer
		created, err := client.CreateClient(context.Background(), sale)
		var refused *partner.Error
		if errors.As(err, &refused) && refused.Refuses("auctioneer_email") {
			fmt.Println(err)
			continue
		}
		fmt.Println(created.PropertyID, created.Property.TransactionID, client.Limits().Remaining, err)
	}
	// Output:
	// openmoove.create_client: invalid (HTTP 400): auctioneer_email: This auctioneer takes no sales
	// 100 4fa18bac-3c62-4d92-a271-7364b0f0e479 999 <nil>
}
