package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aictive/keyholder/sandbox/twilio"
)

// The partners that have stand-ins.
const (
	RentVine  = "rentvine"
	OpenMoove = "openmoove"
	Twilio    = "twilio"
	// QuickBooks has its tokens too.
	QuickBooks = "quickbooks"
	SMTP       = "smtp"
	// LLM is the endpoint of a language model.
	LLM = "llm"
	// Subscriber gets Keyholder's outgoing webhooks.
	Subscriber = "subscriber"
)

// partners is the order in which they are shown.
func partners() []string {
	return []string{RentVine, OpenMoove, Twilio, QuickBooks, SMTP, Subscriber, LLM}
}

const maxLatency = time.Minute

// A Fault is something that goes wrong at a partner until it is removed. All
// that are set happen together: latency first, then a status in place of the
// partner's work, or the partner's work with its answer spoilt.
type Fault struct {
	// Status answers with it and does nothing. For SMTP 4xx refuses for now and
	// 5xx for good.
	Status int `json:"status,omitempty"`
	// RetryAfter goes with Status as a header, such as "2s".
	RetryAfter string `json:"retry_after,omitempty"`
	// Latency passes before anything else, such as "2s"; at most a minute.
	Latency string `json:"latency,omitempty"`
	// ResetAfterCommit does the work and breaks the connection without an answer.
	ResetAfterCommit bool `json:"reset_after_commit,omitempty"`
	// MalformedBody does the work and answers half of the body (not for SMTP).
	MalformedBody bool `json:"malformed_body,omitempty"`
	// Delivery, for Twilio only and on its own: "undelivered" or "unordered".
	Delivery twilio.Delivery `json:"delivery,omitempty"`
	// Method limits the fault to one HTTP method, such as "POST".
	Method string `json:"method,omitempty"`
	// Rate is the share of calls that it strikes, above 0 and up to 1; 0 is all.
	Rate float64 `json:"rate,omitempty"`
	// Times is how often it strikes before it ends by itself; 0 is for ever.
	Times int `json:"times,omitempty"`
}

// name is what the call log says.
func (f Fault) name() string {
	switch {
	case f.Status != 0:
		return "status"
	case f.ResetAfterCommit:
		return "reset_after_commit"
	case f.MalformedBody:
		return "malformed_body"
	case f.Latency != "":
		return "latency " + f.Latency
	}
	return ""
}

func (f Fault) latency() time.Duration {
	d, _ := time.ParseDuration(f.Latency) // checked when it was set
	return d
}

// check says in words what is wrong with a fault.
func (f Fault) check(partner string) error {
	onTheWire := f.Status != 0 || f.Latency != "" || f.ResetAfterCommit || f.MalformedBody
	lowest := 100
	if partner == SMTP {
		lowest = 400
	}
	switch {
	case f.Delivery != twilio.Delivered && (partner != Twilio || onTheWire):
		return errors.New("delivery is for twilio and stands alone")
	case f.Delivery != twilio.Delivered && f.Delivery != twilio.Undelivered && f.Delivery != twilio.Unordered:
		return errors.New("delivery is undelivered or unordered")
	case !onTheWire && f.Delivery == twilio.Delivered:
		return errors.New("set one of status, latency, reset_after_commit, malformed_body, delivery; DELETE removes a fault")
	case f.Status != 0 && (f.Status < max(lowest, 200) || f.Status > 599):
		return fmt.Errorf("status is %d to 599", max(lowest, 200))
	case partner == SMTP && (f.MalformedBody || f.Method != ""):
		return errors.New("smtp has neither bodies nor methods")
	case f.Rate < 0 || f.Rate > 1:
		return errors.New("rate is above 0 and up to 1")
	case f.Times < 0:
		return errors.New("times is 0 or more")
	}
	for _, d := range []string{f.Latency, f.RetryAfter} {
		if d == "" {
			continue
		}
		if parsed, err := time.ParseDuration(d); err != nil || parsed <= 0 || parsed > maxLatency {
			return errors.New("durations are such as 500ms or 2s, at most 1m")
		}
	}
	return nil
}

// faults holds at most one fault a partner.
type faults struct {
	mu  sync.Mutex
	set map[string]Fault
}

func newFaults() *faults { return &faults{set: map[string]Fault{}} }

func (f *faults) put(partner string, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set[partner] = fault
}

func (f *faults) remove(partner string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.set, partner)
}

func (f *faults) all() map[string]Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.set)
}

func (f *faults) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.set)
}

// strike returns the fault that hits this call, the zero Fault for none, and
// counts it. wanted tells apart the faults of the wire and of delivery.
func (f *faults) strike(partner string, wanted func(Fault) bool) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault, ok := f.set[partner]
	if !ok || !wanted(fault) {
		return Fault{}
	}
	if fault.Rate > 0 && rand.Float64() >= fault.Rate { // chance, not secrecy
		return Fault{}
	}
	switch fault.Times {
	case 0:
	case 1:
		delete(f.set, partner)
	default:
		left := fault
		left.Times--
		f.set[partner] = left
	}
	return fault
}

// wire is the fault of one HTTP or SMTP exchange.
func (f *faults) wire(partner, method string) Fault {
	return f.strike(partner, func(fault Fault) bool {
		return fault.Delivery == twilio.Delivered && (fault.Method == "" || fault.Method == method)
	})
}

// delivery is what happens to one text.
func (f *faults) delivery() twilio.Delivery {
	return f.strike(Twilio, func(fault Fault) bool { return fault.Delivery != twilio.Delivered }).Delivery
}
