// Package llm asks a language model behind an OpenAI-compatible endpoint for an answer
// of a given shape (chat completions with structured output). One attempt a call:
// whoever calls decides about a repeat by the error's kind. An answer is untrusted:
// whoever asked checks it against what the answer may say.
package llm

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/aictive/keyholder/clients/partner"
)

const (
	defaultBaseURL = "https://api.openai.com/v1"
	defaultTimeout = 12 * time.Second
	maxReply       = 1 << 20
	defaultTokens  = 2000
	op             = "llm.complete"
)

// Bounds of one request and its answer.
const (
	MaxImages     = 4
	MaxImageBytes = 1 << 20
	maxText       = 64 << 10
	maxAnswer     = 64 << 10
)

// Config is how to reach a model.
type Config struct {
	// BaseURL defaults to https://api.openai.com/v1. Plain http is for endpoints on the
	// same machine or network.
	BaseURL string
	// Key is sent as a bearer token.
	Key string
	// Model is the endpoint's name of the model.
	Model string
	// Timeout bounds one call (real time); 12 seconds where zero.
	Timeout time.Duration
	// HTTP holds the rest of the call's limits; its zero value is right outside tests.
	HTTP partner.HTTPConfig
}

// Client is safe for concurrent use.
type Client struct {
	model string
	http  *partner.HTTP
	chat  openai.ChatCompletionService
}

// Image is a picture to look at.
type Image struct {
	// ContentType is such as image/jpeg.
	ContentType string
	// Bytes are at most MaxImageBytes.
	Bytes []byte
}

// Request is one question.
type Request struct {
	// System are our instructions. Nothing untrusted belongs there.
	System string
	// User is the matter, delimited by whoever asks so that untrusted text cannot break
	// out of it.
	User string
	// Images are at most MaxImages.
	Images []Image
	// SchemaName (letters, digits, "_", "-") and Schema, a JSON schema that strict
	// structured output accepts, are the shape of the answer.
	SchemaName string
	Schema     any
	// MaxTokens bounds the answer; 2000 where zero.
	MaxTokens int64
}

// New makes a client. It does not call the endpoint, and reads no environment.
func New(cfg Config) *Client {
	limits := cfg.HTTP
	limits.Name, limits.Timeout = "llm", cmp.Or(cfg.Timeout, limits.Timeout, defaultTimeout)
	limits.MaxReply = cmp.Or(limits.MaxReply, maxReply)
	c := &Client{model: cfg.Model, http: partner.NewHTTP(limits)}
	c.chat = openai.NewChatCompletionService(
		option.WithBaseURL(strings.TrimRight(cmp.Or(cfg.BaseURL, defaultBaseURL), "/")+"/"),
		option.WithAPIKey(cfg.Key),
		option.WithHTTPClient(c.http.Client()),
		option.WithMaxRetries(0),
		option.WithMiddleware(refuse),
	)
	return c
}

// Model is the endpoint's name of the model.
func (c *Client) Model() string { return c.model }

// Close closes idle connections; the client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Complete asks for an answer and returns it: one JSON value of at most 64 kB, which
// the endpoint says is of the schema. A question changes nothing at the endpoint, so
// that it may be asked again. Errors are *partner.Error: Malformed where the answer
// was refused, cut or is no JSON. They quote neither question nor answer.
func (c *Client) Complete(ctx context.Context, r Request) (json.RawMessage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	reply, err := c.chat.New(partner.WithOp(ctx, op), openai.ChatCompletionNewParams{
		Model:    c.model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(r.System), r.user()},
		ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
				JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: r.SchemaName, Schema: r.Schema, Strict: param.NewOpt(true)},
			},
		},
		MaxCompletionTokens: param.NewOpt(cmp.Or(r.MaxTokens, defaultTokens)),
	})
	if err != nil {
		return nil, classify(err)
	}
	return answer(reply)
}

func (r Request) check() error {
	wrong := ""
	switch {
	case len(r.System)+len(r.User) > maxText:
		wrong = fmt.Sprintf("the question is longer than %d bytes", maxText)
	case len(r.Images) > MaxImages:
		wrong = fmt.Sprintf("there are more than %d images", MaxImages)
	case r.SchemaName == "" || r.Schema == nil:
		wrong = "the question has no schema"
	}
	for _, i := range r.Images {
		if len(i.Bytes) > MaxImageBytes {
			wrong = fmt.Sprintf("an image has more than %d bytes", MaxImageBytes)
		}
	}
	if wrong == "" {
		return nil
	}
	return &partner.Error{Op: op, Kind: partner.Invalid, Message: wrong}
}

func (r Request) user() openai.ChatCompletionMessageParamUnion {
	if len(r.Images) == 0 {
		return openai.UserMessage(r.User)
	}
	parts := []openai.ChatCompletionContentPartUnionParam{openai.TextContentPart(r.User)}
	for _, i := range r.Images {
		parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{
			URL: "data:" + i.ContentType + ";base64," + base64.StdEncoding.EncodeToString(i.Bytes),
		}))
	}
	return openai.UserMessage(parts)
}

// answer takes the only choice out of a reply.
func answer(reply *openai.ChatCompletion) (json.RawMessage, error) {
	malformed := func(message string) error {
		return &partner.Error{Op: op, Kind: partner.Malformed, Status: http.StatusOK, Message: message}
	}
	if len(reply.Choices) != 1 {
		return nil, malformed("the reply has not one choice")
	}
	choice := reply.Choices[0]
	text := []byte(choice.Message.Content)
	switch {
	case choice.Message.Refusal != "":
		return nil, malformed("the model refused to answer")
	case choice.FinishReason == "length":
		return nil, malformed("the answer was cut")
	case choice.FinishReason == "content_filter":
		return nil, malformed("the answer was filtered")
	case choice.FinishReason != "stop":
		return nil, malformed("the answer did not end")
	case len(text) > maxAnswer:
		return nil, malformed("the answer is too long")
	case !json.Valid(text):
		return nil, malformed("the answer is no JSON")
	}
	return text, nil
}

// refuse turns every status but 200 into a *partner.Error.
func refuse(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	resp, err := next(req)
	if err != nil || resp.StatusCode == http.StatusOK {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body) // the status decides; a broken body only loses its words
	return nil, partner.StatusError(op, http.MethodGet, resp.StatusCode, resp.Header, explain(body))
}

// explain reads {"error": {"message", "type", "param", "code"}}. Endpoints repeat the
// key and the question in their message, so that only the names are kept.
func explain(body []byte) partner.Refusal {
	var said struct {
		Error struct {
			Type  any `json:"type"`
			Param any `json:"param"`
			Code  any `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &said) != nil {
		return partner.Refusal{}
	}
	refusal := partner.Refusal{Code: cmp.Or(short(said.Error.Code), short(said.Error.Type))}
	if parameter := short(said.Error.Param); parameter != "" {
		refusal.Message = "because of the parameter " + parameter
	}
	return refusal
}

// name is how codes and parameters are spelt.
var name = regexp.MustCompile(`^[A-Za-z][A-Za-z_.-]{2,59}$`)

// short is a name without digits, "" for everything else.
func short(v any) string {
	text, _ := v.(string)
	if !name.MatchString(text) {
		return ""
	}
	return text
}

// classify turns what the library returns into a *partner.Error.
func classify(err error) error {
	var known *partner.Error
	if errors.As(err, &known) {
		return known
	}
	var failed *partner.TransportError
	if errors.As(err, &failed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return partner.Failure(op, http.MethodGet, err)
	}
	return &partner.Error{Op: op, Kind: partner.Malformed, Message: "the reply cannot be read"}
}
