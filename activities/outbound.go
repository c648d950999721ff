package activities

import (
	"fmt"
	"strings"
)

// OutboundMode is how far messages get.
type OutboundMode string

// The modes of KEYHOLDER_OUTBOUND.
const (
	// OutboundLive sends everything.
	OutboundLive OutboundMode = "live"
	// OutboundAllowlist sends to listed addresses and records the rest.
	OutboundAllowlist OutboundMode = "allowlist"
	// OutboundRecord sends nothing and records everything.
	OutboundRecord OutboundMode = "record"
)

// Outbound decides whether a message may leave the house.
type Outbound struct {
	Mode    OutboundMode
	allowed map[string]bool
}

// NewOutbound reads KEYHOLDER_OUTBOUND ("" means record) and the allowlist of
// phones (E.164) and e-mails.
func NewOutbound(mode string, allowlist []string) (Outbound, error) {
	o := Outbound{Mode: OutboundMode(mode), allowed: map[string]bool{}}
	switch o.Mode {
	case "":
		o.Mode = OutboundRecord
	case OutboundLive, OutboundRecord:
	case OutboundAllowlist:
		if len(allowlist) == 0 {
			return o, fmt.Errorf("KEYHOLDER_OUTBOUND is allowlist, but KEYHOLDER_OUTBOUND_ALLOWLIST names no phone or e-mail")
		}
	default:
		return o, fmt.Errorf("KEYHOLDER_OUTBOUND is %q; it must be live, allowlist or record", mode)
	}
	for _, address := range allowlist {
		o.allowed[strings.ToLower(strings.TrimSpace(address))] = true
	}
	return o, nil
}

// Allows tells whether a message to the address is sent rather than recorded.
func (o Outbound) Allows(address string) bool {
	switch o.Mode {
	case OutboundLive:
		return true
	case OutboundAllowlist:
		return o.allowed[strings.ToLower(address)]
	case OutboundRecord:
		return false
	}
	return false
}
