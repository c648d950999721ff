package main

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// serveFloor is the floor: HMAC, one JSON field, SignalWithStart.
func serveFloor(ctx context.Context, addr, temporal string) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: temporal, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return err
	}
	defer c.Close()
	server := &http.Server{Addr: addr, ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !hmac.Equal([]byte(e2e.Sign(body)), []byte(r.Header.Get("X-RentVine-Signature"))) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var event struct {
			ID   string `json:"event_id"`
			Type string `json:"event_type"`
			Data struct {
				ID string `json:"workOrderID"`
			} `json:"data"`
		}
		if json.Unmarshal(body, &event) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, err = c.SignalWithStartWorkflow(r.Context(), maintenance.WorkOrderID(event.Data.ID), durable.EventReceived.Name,
			durable.Event{Source: "rentvine", Type: event.Type, EntityID: event.Data.ID, Key: event.ID, Data: body},
			client.StartWorkflowOptions{TaskQueue: workflows.TaskQueue, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE},
			maintenance.WorkOrder.Name, maintenance.Input{ID: event.Data.ID})
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
