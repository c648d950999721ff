package openmoove

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

// explain folds the shapes of a refusal into one (1): {"field":["msg"]},
// {"non_field_errors":["msg"]} and {"detail":"msg","field_errors":{..}}, alone or
// mixed, and the bare {"detail":"msg"} of other statuses. As in the guide's
// formatter the detail speaks only where no field does.
func explain(status int, body []byte) partner.Refusal {
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		return partner.Refusal{Fields: partner.ReadFields(body)} // maybe a bare list
	}
	var said partner.Refusal
	detail := top["detail"]
	if json.Unmarshal(detail, &said.Message) != nil {
		said.Message = ""
	}
	if status == http.StatusTooManyRequests {
		said.RetryAfter = announced(said.Message)
	}
	problems := map[string]json.RawMessage{}
	for name, raw := range top {
		switch name {
		case "detail":
			if said.Message == "" {
				problems["non_field_errors"] = raw
			}
		case "field_errors":
			for field, raw := range object(raw) {
				problems[field] = raw
			}
		default:
			// Beside a detail a plain value, such as a code, is no field.
			if said.Message == "" || raw[0] == '[' || raw[0] == '{' {
				problems[name] = raw
			}
		}
	}
	whole, err := json.Marshal(problems)
	if err != nil {
		return said
	}
	if said.Fields = partner.ReadFields(whole); len(said.Fields) > 0 {
		said.Message = ""
	}
	return said
}

func object(raw json.RawMessage) (fields map[string]json.RawMessage) {
	_ = json.Unmarshal(raw, &fields) // what is no object has no fields
	return fields
}

var expected = regexp.MustCompile(`available in (\d{1,9}) second`)

// announced reads "Request was throttled. Expected available in 3600 seconds."
func announced(detail string) time.Duration {
	m := expected.FindStringSubmatch(detail)
	if m == nil {
		return 0
	}
	s, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return time.Duration(s) * time.Second
}
