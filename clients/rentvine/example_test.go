package rentvine_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/aictive/keyholder/clients/rentvine"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
)

func Example() {
	server := httptest.NewServer(sandbox.New(sandbox.Config{}))
	defer server.Close()
	client := rentvine.New(rentvine.Config{BaseURL: server.URL, AccessKey: sandbox.DevAccessKey, Secret: sandbox.DevSecret})
	defer client.Close()
	ctx := context.Background()

	// Status ids are the account's own: find the one to set by its group.
	statuses, err := client.WorkOrderStatuses(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range statuses {
		if s.Primary != rentvine.StatusClosed {
			continue
		}
		order, err := client.UpdateWorkOrder(ctx, "1", rentvine.WorkOrderUpdate{StatusID: &s.ID})
		fmt.Println(order.Number, order.PrimaryStatus, err)
	}
	// Output: 1001 Closed <nil>
}

func ExamplePlainText() {
	fmt.Println(rentvine.PlainText("<p>Water&nbsp;is <b>spraying</b></p>"))
	// Output: Water is spraying
}
