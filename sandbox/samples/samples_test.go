package samples_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/samples"
)

// guide lists the events of the guide and the field that names each one's record.
func guide() map[string]string {
	return map[string]string{
		"property.created": "propertyID", "property.updated": "propertyID",
		"unit.created": "unitID", "unit.updated": "unitID",
		"lease.created": "leaseID", "lease.updated": "leaseID",
		"lease_charge.created": "leaseChargeID", "lease_charge.updated": "leaseChargeID",
		"work_order.created": "workOrderID", "work_order.updated": "workOrderID",
		"payment.received": "paymentID", "invoice.generated": "invoiceID",
	}
}

func TestEveryEventOfTheGuideHasASample(t *testing.T) {
	t.Parallel()
	require.Len(t, samples.Names(), len(guide())+3)
	for event, id := range guide() {
		body, err := samples.Get(event)
		require.NoError(t, err)
		var e struct {
			EventType string                       `json:"event_type"`
			Data      map[string]string            `json:"data"`
			Changes   map[string]map[string]string `json:"changes"`
		}
		require.NoError(t, json.Unmarshal(body, &e), event)
		require.Equal(t, event, e.EventType)
		require.NotEmpty(t, e.Data[id], event)
		require.Equal(t, strings.HasSuffix(event, ".updated"), len(e.Changes) > 0, event)
		for field, c := range e.Changes {
			require.Equal(t, e.Data[field], c["new"], "%s: %s", event, field)
		}
	}
}

func TestTheLiveSampleIsTheSameWorkOrder(t *testing.T) {
	t.Parallel()
	var live, plain struct {
		Auth  map[string]string `json:"auth"`
		Event map[string]any    `json:"event"`
		Data  map[string]string `json:"data"`
	}
	for name, into := range map[string]any{"work_order.created.live": &live, "work_order.created": &plain} {
		body, err := samples.Get(name)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(body, into))
	}
	require.Equal(t, plain.Data, live.Data)
	require.Equal(t, plain.Data["workOrderID"], live.Event["objectID"])
	require.Len(t, live.Auth, 3)
}

func TestTheTapIsAnotherWorkOrderOfTheSameTenant(t *testing.T) {
	t.Parallel()
	var tap, plain struct {
		EventID   string            `json:"event_id"`
		EventType string            `json:"event_type"`
		Timestamp string            `json:"timestamp"`
		Data      map[string]string `json:"data"`
	}
	for name, into := range map[string]any{"work_order.created.tap": &tap, "work_order.created": &plain} {
		body, err := samples.Get(name)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(body, into))
	}
	require.Equal(t, plain.EventType, tap.EventType)
	require.NotEqual(t, plain.EventID, tap.EventID)
	require.Contains(t, tap.Data["description"], "tap is leaking")
	require.Equal(t, "2", tap.Data["priorityID"])
	for _, field := range []string{"workOrderID", "workOrderNumber", "description", "priorityID"} {
		require.NotEqual(t, plain.Data[field], tap.Data[field], field)
		delete(plain.Data, field)
		delete(tap.Data, field)
	}
	require.Equal(t, plain.Data, tap.Data)
}

func TestNewLeasesAreCountedFromTheirDay(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{"lease.created": "1", "lease.created.oregon": "2"} {
		body, err := samples.Get(name)
		require.NoError(t, err)
		var e struct {
			EventType string `json:"event_type"`
			Timestamp time.Time
			Data      map[string]string
		}
		require.NoError(t, json.Unmarshal(body, &e))
		require.Equal(t, "lease.created", e.EventType)
		require.Equal(t, unit, e.Data["unitID"])
		require.Equal(t, e.Timestamp.AddDate(0, 0, 10).Format(time.DateOnly), e.Data["moveInDate"])
		require.Equal(t, e.Timestamp.AddDate(0, 0, 400).Format(time.DateOnly), e.Data["endDate"])
	}
}

func TestAnUnknownNameListsThoseThereAre(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "nope", "../samples"} {
		_, err := samples.Get(name)
		require.ErrorContains(t, err, "work_order.created")
	}
}

func ExampleNames() {
	fmt.Println(strings.Join(samples.Names()[:3], " "))
	// Output: invoice.generated lease.created lease.created.oregon
}

func TestEveryEventOfOpenMooveHasASample(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"property.created", "property.milestone.completed", "property.milestone.created", "property.milestone.updated", "property.updated",
	}, samples.OpenMooveNames())
	for _, event := range samples.OpenMooveNames() {
		body, err := samples.OpenMoove(event)
		require.NoError(t, err)
		var e struct {
			Event, Timestamp string
			Data             struct {
				PropertyID int `json:"property_id"`
				Property   map[string]any
				Milestone  map[string]any
			}
		}
		require.NoError(t, json.Unmarshal(body, &e), event)
		require.Equal(t, event, e.Event)
		require.NotEmpty(t, e.Timestamp)
		require.Equal(t, 1, e.Data.PropertyID)
		isMilestone := strings.Contains(event, ".milestone.")
		require.Equal(t, isMilestone, e.Data.Property == nil, event)
		if isMilestone {
			require.Contains(t, e.Data.Milestone, "completed_date", event)
			require.NotContains(t, e.Data.Milestone, "completed_at", event)
			require.Equal(t, event == "property.milestone.completed", e.Data.Milestone["completed"], event)
		}
	}
	for _, name := range []string{"", "work_order.created", "../bodies/property.created"} {
		_, err := samples.OpenMoove(name)
		require.ErrorContains(t, err, "property.milestone.updated")
	}
}
