// Package llm stands in for an OpenAI-compatible endpoint of a language model: chat
// completions with structured output. It answers by simple words, or misbehaves in one
// of several ways; gullible, it obeys what the text that it should judge asks for.
package llm

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mode is how the model behaves.
type Mode string

// The modes.
const (
	// Sensible answers by the words of the text.
	Sensible Mode = "sensible"
	// Gullible does what the text asks for.
	Gullible Mode = "gullible"
	// Worried finds everything an emergency, and every picture a concern.
	Worried Mode = "worried"
	// Refusing declines to answer.
	Refusing Mode = "refusing"
	// Breaking answers JSON that is not of the schema.
	Breaking Mode = "breaking"
	// Talking answers words that are no JSON.
	Talking Mode = "talking"
	// Cut stops in the middle of the answer.
	Cut Mode = "cut"
)

// Modes lists them all.
func Modes() []Mode { return []Mode{Sensible, Gullible, Worried, Refusing, Breaking, Talking, Cut} }

const (
	maxBody   = 8 << 20
	maxImages = 10
)

// Config shapes the endpoint.
type Config struct {
	// Key is the bearer token; any is taken where "".
	Key string
	// OnChange may be nil; it is called after each change of the mode.
	OnChange func()
}

// Server is the endpoint: it serves POST /chat/completions. It is safe for concurrent
// use.
type Server struct {
	cfg Config
	mux *http.ServeMux

	mu   sync.Mutex
	mode Mode
}

// New is an endpoint with a sensible model.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, mode: Sensible, mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /chat/completions", s.complete)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "unknown_url", "", "Unknown request URL: "+r.Method+" "+r.URL.Path)
	})
	return s
}

// Mode is how the model behaves now.
func (s *Server) Mode() Mode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode
}

// SetMode makes the model behave so, until the next SetMode or Reset.
func (s *Server) SetMode(m Mode) error {
	if !slices.Contains(Modes(), m) {
		return fmt.Errorf("no mode %q; there are %v", m, Modes())
	}
	s.mu.Lock()
	s.mode = m
	s.mu.Unlock()
	if s.cfg.OnChange != nil {
		s.cfg.OnChange()
	}
	return nil
}

// Reset makes the model sensible again.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = Sensible
}

// ServeHTTP answers as OpenAI does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); token == "" || s.cfg.Key != "" && token != s.cfg.Key {
		refuse(w, http.StatusUnauthorized, "invalid_api_key", "", "Incorrect API key provided: "+token)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// request is what the endpoint reads of a chat completion.
type request struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	ResponseFormat struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Name   string `json:"name"`
			Strict bool   `json:"strict"`
			Schema schema `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	MaxCompletionTokens int `json:"max_completion_tokens"`
}

var schemaName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// check says which parameter is wrong, and why.
func (r request) check() (parameter string, err error) {
	format := r.ResponseFormat
	switch {
	case r.Model == "":
		return "model", errors.New("you must provide a model parameter")
	case len(r.Messages) == 0 || r.Messages[len(r.Messages)-1].Role != "user":
		return "messages", errors.New("the last message is not the user's")
	case format.Type != "json_schema":
		return "response_format", errors.New("this stand-in answers structured output only")
	case !format.JSONSchema.Strict || !schemaName.MatchString(format.JSONSchema.Name):
		return "response_format", errors.New("the schema is not strict, or its name is wrong")
	}
	if err := format.JSONSchema.Schema.check(0); err != nil {
		return "response_format", fmt.Errorf("invalid schema for response_format: %w", err)
	}
	return "", nil
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	var in request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "", "", "We could not parse the JSON body of your request.")
		return
	}
	if parameter, err := in.check(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_value", parameter, err.Error())
		return
	}
	text, images, err := content(in.Messages[len(in.Messages)-1].Content)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_value", "messages", err.Error())
		return
	}
	said, refusal, reason := s.say(in.ResponseFormat.JSONSchema.Schema, text)
	message := map[string]any{"role": "assistant", "content": said, "refusal": nil, "annotations": []any{}}
	if refusal != "" {
		message["content"], message["refusal"] = nil, refusal
	}
	id := make([]byte, 12)
	_, _ = rand.Read(id) // never fails
	asked := len(text)/4 + 85*images
	respond(w, http.StatusOK, map[string]any{
		"id": "chatcmpl-" + hex.EncodeToString(id), "object": "chat.completion", "created": time.Now().Unix(), "model": in.Model,
		"choices": []any{map[string]any{"index": 0, "message": message, "logprobs": nil, "finish_reason": reason}},
		"usage":   map[string]any{"prompt_tokens": asked, "completion_tokens": len(said) / 4, "total_tokens": asked + len(said)/4},
	})
}

// say is the answer in the mode of the moment.
func (s *Server) say(shape schema, text string) (said, refusal, reason string) {
	mode := s.Mode()
	answer := ""
	if data, err := json.Marshal(shape.fill("", mode, reportOf(text))); err == nil {
		answer = string(data)
	}
	switch mode {
	case Refusing:
		return "", "I'm sorry, I can't assist with that request.", "stop"
	case Breaking:
		return `{"priority":"whenever you like","note":"call me on 555-0100"}`, "", "stop"
	case Talking:
		return "Sure! Here is my analysis:\n" + answer, "", "stop"
	case Cut:
		return answer[:len(answer)/2], "", "length"
	case Sensible, Gullible, Worried:
	}
	return answer, "", "stop"
}

// content is the text of a message and the number of its pictures.
func content(raw json.RawMessage) (text string, images int, err error) {
	if json.Unmarshal(raw, &text) == nil {
		return text, 0, nil
	}
	var parts []struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		ImageURL struct {
			URL string `json:"url"`
		} `json:"image_url"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", 0, errors.New("the content is neither text nor parts")
	}
	for _, p := range parts {
		switch p.Type {
		case "text":
			text += p.Text
		case "image_url":
			if !strings.HasPrefix(p.ImageURL.URL, "data:image/") {
				return "", 0, errors.New("this stand-in fetches no images")
			}
			images++
		default:
			return "", 0, fmt.Errorf("unknown part %q", p.Type)
		}
	}
	if images > maxImages {
		return "", 0, errors.New("too many images")
	}
	return text, images, nil
}

// reportOf is the text to judge: the field "report" of a JSON object, else all of it.
func reportOf(text string) string {
	var said struct {
		Report string `json:"report"`
	}
	if json.Unmarshal([]byte(text), &said) == nil && said.Report != "" {
		return said.Report
	}
	return text
}

func refuse(w http.ResponseWriter, status int, code, parameter, message string) {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	respond(w, status, map[string]any{"error": map[string]any{"message": message, "type": "invalid_request_error", "param": orNull(parameter), "code": orNull(code)}})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails where the caller has gone
}
