package sandbox

import (
	"encoding/json"

	"github.com/aictive/keyholder/sandbox/page"
	"github.com/aictive/keyholder/sandbox/twilio"
)

func (s *Sandbox) partnersView() []page.Partner {
	set := s.faults.all()
	var out []page.Partner
	for _, id := range partners() {
		p := page.Partner{ID: id, Name: map[string]string{RentVine: "RentVine", OpenMoove: "OpenMoove", Twilio: "Twilio", QuickBooks: "QuickBooks", SMTP: "Mail server", Subscriber: "Subscriber", LLM: "Language model"}[id], Calls: s.calls.count(id)}
		current, on := set[id]
		if on {
			p.Fault = asJSON(current)
		}
		for _, preset := range presets(id) {
			p.Presets = append(p.Presets, page.Preset{Label: preset.label, JSON: asJSON(preset.fault), On: on && preset.fault == current})
		}
		out = append(out, p)
	}
	return out
}

type preset struct {
	label string
	fault Fault
}

// presets are the faults at the press of a button.
func presets(partner string) []preset {
	if partner == SMTP {
		return []preset{
			{"Refuses for now (451)", Fault{Status: 451}},
			{"Refuses for good (550)", Fault{Status: 550}},
			{"Slow: two seconds", Fault{Latency: "2s"}},
			{"Takes the mail, then drops the line", Fault{ResetAfterCommit: true}},
		}
	}
	if partner == Subscriber {
		return []preset{
			{"Away: answers 503", Fault{Status: 503}},
			{"Too many requests: 429", Fault{Status: 429, RetryAfter: "5s"}},
			{"Gone for good: 410", Fault{Status: 410}},
			{"Slow: two seconds", Fault{Latency: "2s"}},
			{"Takes the webhook, then drops the line", Fault{ResetAfterCommit: true}},
		}
	}
	out := []preset{
		{"Away: answers 503", Fault{Status: 503}},
		{"Too many requests: 429", Fault{Status: 429, RetryAfter: "5s"}},
		{"Slow: two seconds", Fault{Latency: "2s"}},
		{"Does it, then drops the line", Fault{ResetAfterCommit: true}},
		{"Answers half a body", Fault{MalformedBody: true}},
	}
	if partner == Twilio {
		out = append(out,
			preset{"Texts are not delivered (30003)", Fault{Delivery: twilio.Undelivered}},
			preset{"Reports arrive in the wrong order", Fault{Delivery: twilio.Unordered}})
	}
	return out
}

func asJSON(f Fault) string {
	b, err := json.Marshal(f)
	if err != nil {
		return ""
	}
	return string(b)
}
