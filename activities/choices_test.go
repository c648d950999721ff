package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/rentvine"
)

func TestOutboundModes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode      string
		allowlist []string
		address   string
		allows    bool
	}{
		{"", nil, "+12135550142", false},
		{"record", []string{"+12135550142"}, "+12135550142", false},
		{"live", nil, "+12135550142", true},
		{"allowlist", []string{" +12135550142 "}, "+12135550142", true},
		{"allowlist", []string{"Ann@Example.com"}, "ann@example.COM", true},
		{"allowlist", []string{"+12135550142"}, "+12135550143", false},
		{"allowlist", []string{"+12135550142"}, "", false},
	} {
		o, err := NewOutbound(c.mode, c.allowlist)
		require.NoError(t, err)
		require.Equal(t, c.allows, o.Allows(c.address), "%q %v %q", c.mode, c.allowlist, c.address)
	}
	_, err := NewOutbound("allowlist", nil)
	require.ErrorContains(t, err, "KEYHOLDER_OUTBOUND_ALLOWLIST")
	_, err = NewOutbound("Live", nil)
	require.ErrorContains(t, err, "must be live, allowlist or record")
	require.False(t, Outbound{}.Allows("anybody"), "the zero value sends nothing")
}

func TestChoosingAStatus(t *testing.T) {
	t.Parallel()
	account := []rentvine.WorkOrderStatus{
		{ID: "11", Name: "New", Primary: rentvine.StatusPending}, {ID: "15", Name: "Work Completed", Primary: rentvine.StatusClosed},
		{ID: "13", Name: "In Progress", Primary: rentvine.StatusOpen}, {ID: "12", Name: "Scheduled", Primary: rentvine.StatusOpen},
		{ID: "16", Name: "Cancelled", Primary: rentvine.StatusCancelled},
	}
	for _, c := range []struct {
		name    string
		names   []string
		primary int
		want    string
	}{
		{"the first name that exists", []string{"Assigned", "scheduled", "In Progress"}, StatusOpen, "12"},
		{"any open one where no name does", []string{"Repaired"}, StatusOpen, "13"},
		{"never one that closes, whatever its name", []string{"Repaired", "Work Completed", "Scheduled"}, StatusOpen, "12"},
		{"one that closes where that is the wish", []string{"Work Completed"}, StatusClosed, "15"},
		{"none", []string{"Parked"}, StatusOnHold, ""},
	} {
		got, ok := chooseStatus(account, c.names, c.primary)
		require.Equal(t, c.want, got.ID, c.name)
		require.Equal(t, c.want != "", ok, c.name)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]rentvine.Property{
		"12 Elm Street, Los Angeles": {Address: " 12 Elm Street ", City: "Los Angeles"},
		"12 Elm Street":              {Address: "12 Elm Street", City: " "},
		"Los Angeles":                {City: "Los Angeles"},
		"":                           {Name: "Alder House"},
	} {
		require.Equal(t, want, addressOf(p))
	}
}

func TestZonesByCoordinates(t *testing.T) {
	t.Parallel()
	zones := &zoneFinder{}
	for want, at := range map[string][2]float64{
		"America/Los_Angeles": {34.0772, -118.2603},
		"America/Phoenix":     {33.4484, -112.0740},
		"America/New_York":    {40.7128, -74.0060},
		"Europe/London":       {51.5074, -0.1278},
	} {
		require.Equal(t, want, zones.at(at[0], at[1]))
	}
}
