package llm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/llm"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/partnertest"
	stand "github.com/aictive/keyholder/sandbox/llm"
)

const key = "sk-test-0123456789"

var schema = map[string]any{
	"type": "object", "additionalProperties": false, "required": []string{"minutes", "trade"},
	"properties": map[string]any{
		"minutes": map[string]any{"type": "integer"},
		"trade":   map[string]any{"type": "string", "enum": []string{"general", "plumbing"}},
	},
}

func question() llm.Request {
	return llm.Request{System: "You classify.", User: `{"report":"the tap drips"}`, SchemaName: "verdict", Schema: schema}
}

func reply(content, reason, refusal string) string {
	body, err := json.Marshal(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
		"choices": []any{map[string]any{"index": 0, "finish_reason": reason, "message": map[string]any{"role": "assistant", "content": content, "refusal": refusal}}},
	})
	if err != nil {
		panic(err)
	}
	return string(body)
}

func TestPartner(t *testing.T) {
	t.Parallel()
	partnertest.Run(t, partnertest.Suite[*llm.Client]{
		New: func(base string, limits partner.HTTPConfig) *llm.Client {
			return llm.New(llm.Config{BaseURL: base + "/v1", Key: key, Model: "m", HTTP: limits})
		},
		Refusal: func(status int, text string) string {
			return fmt.Sprintf(`{"error":{"message":"Incorrect key %s: %s","type":"invalid_request_error","param":"%s","code":"status_%d %s"}}`, key, text, text, status, text)
		},
		Secrets: []string{key},
		Calls: []partnertest.Call[*llm.Client]{{
			Name: "Complete", Post: true, Body: reply(`{"minutes":60,"trade":"plumbing"}`, "stop", ""),
			Do: func(ctx context.Context, c *llm.Client) error {
				_, err := c.Complete(ctx, question())
				return err
			},
		}},
	})
}

// standIn is the sandbox's endpoint, which refuses what OpenAI would refuse.
func standIn(t *testing.T) (*stand.Server, *llm.Client) {
	t.Helper()
	s := stand.New(stand.Config{Key: key})
	api := httptest.NewServer(http.StripPrefix("/llm/v1", s))
	t.Cleanup(api.Close)
	c := llm.New(llm.Config{BaseURL: api.URL + "/llm/v1/", Key: key, Model: "sandbox"})
	t.Cleanup(c.Close)
	return s, c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	s, c := standIn(t)
	answer, err := c.Complete(t.Context(), question())
	require.NoError(t, err)
	require.JSONEq(t, `{"minutes":60,"trade":"plumbing"}`, string(answer))

	withImages := question()
	withImages.Images = []llm.Image{{ContentType: "image/jpeg", Bytes: []byte("x")}, {ContentType: "image/jpeg", Bytes: []byte("y")}}
	_, err = c.Complete(t.Context(), withImages)
	require.NoError(t, err)

	for mode, words := range map[stand.Mode]string{
		stand.Refusing: "the model refused to answer", stand.Talking: "the answer is no JSON", stand.Cut: "the answer was cut",
	} {
		require.NoError(t, s.SetMode(mode))
		_, err := c.Complete(t.Context(), question())
		require.Equal(t, partner.Malformed, partner.KindOf(err), mode)
		require.ErrorContains(t, err, words)
	}
	s.Reset()

	open := question()
	open.Schema = map[string]any{"type": "object", "properties": map[string]any{}}
	_, err = c.Complete(t.Context(), open)
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.ErrorContains(t, err, "invalid_value")
	require.ErrorContains(t, err, "because of the parameter response_format")

	wrong := llm.New(llm.Config{BaseURL: "http://" + strings.TrimPrefix(serverOf(t, s), "http://") + "/llm/v1", Key: "sk-wrong", Model: "sandbox"})
	_, err = wrong.Complete(t.Context(), question())
	require.Equal(t, partner.Unauthorised, partner.KindOf(err))
	require.NotContains(t, err.Error(), "sk-wrong")
}

func serverOf(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(http.StripPrefix("/llm/v1", h))
	t.Cleanup(s.Close)
	return s.URL
}

// What is sent is what the endpoint's contract says, and nothing else of ours.
func TestTheRequest(t *testing.T) {
	t.Parallel()
	var header http.Header
	var body map[string]any
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		if r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" || json.NewDecoder(r.Body).Decode(&body) != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, reply(`{}`, "stop", ""))
	}))
	defer api.Close()
	r := question()
	r.MaxTokens = 500
	_, err := llm.New(llm.Config{BaseURL: api.URL + "/v1", Key: key, Model: "m"}).Complete(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "Bearer "+key, header.Get("Authorization"))
	sent, err := json.Marshal(body)
	require.NoError(t, err)
	shape, err := json.Marshal(schema)
	require.NoError(t, err)
	require.JSONEq(t, `{"model":"m","max_completion_tokens":500,
		"messages":[{"role":"system","content":"You classify."},{"role":"user","content":"{\"report\":\"the tap drips\"}"}],
		"response_format":{"type":"json_schema","json_schema":{"name":"verdict","strict":true,"schema":`+string(shape)+`}}}`, string(sent))
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, words string }{
		"no choice":       {`{"id":"x","choices":[]}`, "not one choice"},
		"two choices":     {`{"choices":[{"finish_reason":"stop","message":{"content":"{}"}},{"finish_reason":"stop","message":{"content":"{}"}}]}`, "not one choice"},
		"refused":         {reply("", "stop", "no"), "refused"},
		"cut":             {reply(`{"minutes":60}`, "length", ""), "cut"},
		"filtered":        {reply(`{}`, "content_filter", ""), "filtered"},
		"a tool is asked": {reply(`{}`, "tool_calls", ""), "did not end"},
		"no JSON":         {reply("Sure!", "stop", ""), "no JSON"},
		"nothing":         {reply("", "stop", ""), "no JSON"},
		"too long":        {reply(`{"x":"`+strings.Repeat("a", 70_000)+`"}`, "stop", ""), "too long"},
	} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, c.body)
		}))
		_, err := llm.New(llm.Config{BaseURL: api.URL, Key: key, Model: "m"}).Complete(t.Context(), question())
		api.Close()
		require.Equal(t, partner.Malformed, partner.KindOf(err), name)
		require.ErrorContains(t, err, c.words, name)
	}
}

func TestQuestionsOutOfBoundsAreNotAsked(t *testing.T) {
	t.Parallel()
	c := llm.New(llm.Config{BaseURL: "http://127.0.0.1:1", Key: key, Model: "m"})
	for name, change := range map[string]func(*llm.Request){
		"long":       func(r *llm.Request) { r.User = strings.Repeat("x", 70_000) },
		"images":     func(r *llm.Request) { r.Images = make([]llm.Image, llm.MaxImages+1) },
		"image size": func(r *llm.Request) { r.Images = []llm.Image{{Bytes: make([]byte, llm.MaxImageBytes+1)}} },
		"no schema":  func(r *llm.Request) { r.Schema = nil },
	} {
		r := question()
		change(&r)
		_, err := c.Complete(t.Context(), r)
		require.Equal(t, partner.Invalid, partner.KindOf(err), name)
	}
}

func TestATimeLimit(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-gone:
		case <-r.Context().Done():
		}
	}))
	defer api.Close()
	defer close(gone)
	began := time.Now()
	_, err := llm.New(llm.Config{BaseURL: api.URL, Key: key, Model: "m", Timeout: 50 * time.Millisecond}).Complete(t.Context(), question())
	require.Equal(t, partner.Unavailable, partner.KindOf(err))
	require.Less(t, time.Since(began), 5*time.Second)
}

func ExampleClient_Complete() {
	api := httptest.NewServer(stand.New(stand.Config{}))
	defer api.Close()
	client := llm.New(llm.Config{BaseURL: api.URL, Key: "any", Model: "sandbox"})
	answer, err := client.Complete(context.Background(), llm.Request{
		System: "You classify maintenance reports.", User: `{"report":"The kitchen tap drips."}`, SchemaName: "verdict", Schema: schema,
	})
	fmt.Println(string(answer), err)
	// Output:
	// {"minutes":60,"trade":"plumbing"} <nil>
}
