package openmoove

import (
	"context"
	"encoding/json"

	"github.com/aictive/keyholder/clients/partner/wire"
)

// Chat is one page of a property's chat. OpenMoove answers with a stub so far (2).
type Chat struct {
	Count int
	// Messages are kept as they came: their shape is not documented.
	Messages []json.RawMessage
	// More tells that there is a next page.
	More bool
	// Notice is OpenMoove's remark, such as that chat is not implemented.
	Notice string
}

// ChatSummaries are summaries of a property's chat by day. OpenMoove answers with
// invented ones so far (2).
type ChatSummaries struct {
	Summaries []ChatSummary
	Notice    string
}

// ChatSummary is one day's.
type ChatSummary struct {
	// Date is YYYY-MM-DD.
	Date, Summary string
}

// Chat reads one page of a property's chat; ref is its UUID or integer id. Errors
// are *partner.Error.
func (c *Client) Chat(ctx context.Context, ref string, p Page) (Chat, error) {
	const op = "list_chat"
	path, err := propertyPath(op, ref, "chat/")
	if err != nil {
		return Chat{}, err
	}
	var out Chat
	err = c.get(ctx, op, path, p.query(), one(&out, chatFrom))
	return out, err
}

func chatFrom(b json.RawMessage) (Chat, error) {
	var l list
	if err := json.Unmarshal(b, &l); err != nil {
		return Chat{}, err
	}
	rows, err := rawList(l.Results)
	return Chat{Count: int(l.Count), Messages: rows, More: l.more(), Notice: string(l.Message.is)}, err
}

// ChatSummary reads the summaries of a property's chat; ref is its UUID or integer
// id. Errors are *partner.Error.
func (c *Client) ChatSummary(ctx context.Context, ref string) (ChatSummaries, error) {
	const op = "get_chat_summary"
	path, err := propertyPath(op, ref, "chat/summary/")
	if err != nil {
		return ChatSummaries{}, err
	}
	var out ChatSummaries
	err = c.get(ctx, op, path, nil, one(&out, chatSummariesFrom))
	return out, err
}

func chatSummariesFrom(b json.RawMessage) (ChatSummaries, error) {
	var w struct {
		Summaries json.RawMessage  `json:"summaries"`
		Message   loose[wire.Text] `json:"message"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return ChatSummaries{}, err
	}
	rows, err := each(w.Summaries, func(b json.RawMessage) (ChatSummary, error) {
		var s struct {
			Date    wire.Text `json:"date"`
			Summary wire.Text `json:"summary"`
		}
		err := json.Unmarshal(b, &s)
		return ChatSummary{Date: string(s.Date), Summary: string(s.Summary)}, err
	})
	return ChatSummaries{Summaries: rows, Notice: string(w.Message.is)}, err
}
