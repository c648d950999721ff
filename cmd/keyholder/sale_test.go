package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func saleCommands(t *testing.T, h *behind) {
	t.Run("each file is a line", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		good, slow := c.file("good.json", saleFile(t, "John")), c.file("slow.json", strings.Replace(saleFile(t, "Slow"), "High", "Low", 1))
		s := c.run("sale", "create", good, good, "--wait", "30s")
		require.NoError(t, s.failed, s.err.String())
		require.Equal(t, "created   property 123  ("+good+")\nexisting  property 123  ("+good+")\n", s.out.String())
		require.Contains(t, s.err.String(), "OpenMoove lacks the milestones Completion")
		require.Contains(t, s.err.String(), "  This sale was submitted before; this submission changed nothing.\n")
		require.NotContains(t, s.err.String(), "Next:")

		s = c.run("sale", "create", slow, "--wait", "0s")
		require.NoError(t, s.failed, s.err.String())
		require.Regexp(t, `^queued    request [a-z2-7]{24}  \(`, s.out.String())
		id := strings.Fields(s.out.String())[2]
		require.Contains(t, s.err.String(), "  The sale is recorded and will be created")
		require.Contains(t, s.err.String(), "  Next: keyholder sale show "+id+" --data "+c.dir+"\n")
		shown := c.run("sale", "show", id)
		require.NoError(t, shown.failed)
		require.Contains(t, shown.out.String(), "status       queued\n")
		h.letGo(t, "sale-request/"+id)
	})

	t.Run("refusals name the fields and do not stop the others", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		bad := c.file("bad.json", `{"first_name":"Jane","email":"nowhere"}`)
		refused, good := c.file("refused.json", saleFile(t, "Invalid")), c.file("good.json", strings.Replace(saleFile(t, "John"), "High", "Low", 1))
		s := c.run("sale", "create", bad, "missing.json", refused, good, "--wait", "30s")
		require.EqualError(t, s.failed, "3 of 4 sales were not taken")
		require.Equal(t, "created   property 123  ("+good+")\n", s.out.String())
		for _, says := range []string{"422 Unprocessable Entity", "  last_name: ", "  email: ", "  property_postcode: ", "missing.json",
			"OpenMoove refuses the phone number", "  phone_number: Invalid phone number format"} {
			require.Contains(t, s.err.String(), says)
		}
		var sale struct {
			Address string `json:"property_address"`
		}
		require.NoError(t, json.Unmarshal([]byte(saleFile(t, "Invalid")), &sale))
		id := store.NewKeys("a link key").SaleRequest(sale.Address, "SW1A 1AA", "john.smith@example.com")
		shown := c.run("sale", "show", id)
		require.NoError(t, shown.failed)
		require.Equal(t, "status       refused\nbecause      OpenMoove refuses the phone number\nworkflow     sale-request/"+id+
			"\n  phone_number: Invalid phone number format\n", shown.out.String())
	})

	t.Run("standard input and JSON", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		c.stdin = saleFile(t, "John")
		s := c.run("sale", "create", "-", "--json", "--wait", "30s")
		require.NoError(t, s.failed, s.err.String())
		var reply saleReply
		require.NoError(t, json.Unmarshal([]byte(s.out.String()), &reply))
		require.Equal(t, "created", reply.Status)
		s = c.run("sale", "show", reply.RequestID)
		require.NoError(t, s.failed)
		require.Equal(t, "status       created\nproperty     123\ntransaction  u-123\nworkflow     sale-request/"+reply.RequestID+
			"\nestate agent agent@agency.example (area SW1A)\nmissing      Completion\n", s.out.String())
		s = c.run("sale", "show", reply.RequestID, "--json")
		require.NoError(t, s.failed)
		require.True(t, json.Valid([]byte(s.out.String())))
		c.stdin = ""
		s = c.run("sale", "create", "-", "--json")
		require.Error(t, s.failed)
		require.Contains(t, s.out.String(), `"status":400`)
	})

	t.Run("a sale that is not there", func(t *testing.T) {
		t.Parallel()
		s := h.command(t).run("sale", "show", strings.Repeat("a", 24))
		require.ErrorContains(t, s.failed, "404 Not Found: There is no sale with this id")
	})

	t.Run("a wrong key", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		c.settings["KEYHOLDER_API_KEY"] = "some-other-key-altogether"
		s := c.run("sale", "show", "x")
		require.ErrorContains(t, s.failed, "401 Unauthorized: Send Authorization: Bearer")
		require.NotContains(t, s.failed.Error(), "some-other-key")
	})

	t.Run("another address", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		c.settings["KEYHOLDER_API_URL"] = "http://" + h.addr + "/"
		c.settings["KEYHOLDER_PUBLIC_URL"] = "https://keyholder.invalid"
		require.ErrorContains(t, c.run("sale", "show", strings.Repeat("a", 24)).failed, "no sale with this id")
		c.settings["KEYHOLDER_API_URL"] = "https://keyholder.invalid"
		require.ErrorContains(t, c.run("sale", "show", strings.Repeat("a", 24), "--url", "http://"+h.addr).failed, "no sale with this id")
	})
}

// manySales keep to the rate of the ingress: 20 requests a second with one key, 40 at
// once.
func manySales(t *testing.T, h *behind) {
	c := h.command(t)
	bad := c.file("bad.json", `{}`)
	args := []string{"sale", "create"}
	for range 70 {
		args = append(args, bad)
	}
	s := c.run(args...)
	require.EqualError(t, s.failed, "70 of 70 sales were not taken")
	require.Equal(t, 70, strings.Count(s.err.String(), "the ingress answered 422"))
	require.NotContains(t, s.err.String(), "429")
}
