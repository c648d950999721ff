package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/ingress"
)

const (
	// apiLimit bounds a request, beyond what it asks the ingress to wait.
	apiLimit = 20 * time.Second
	// maxAnswer bounds what is read of an answer, but for results.
	maxAnswer = 4 << 20
	// busyTries is how often a request is sent that is too fast for the ingress, and
	// busyLimit the longest pause between two.
	busyTries = 6
	busyLimit = 30 * time.Second
)

// apiFlags are those of every command that speaks to the /v1 API.
type apiFlags struct{ url, dataDir string }

func (f *apiFlags) register(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.url, "url", "", "the ingress (default KEYHOLDER_API_URL, else KEYHOLDER_PUBLIC_URL)")
	flags.StringVar(&f.dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
}

// sameFlags are the flags that another call needs to reach the same ingress.
func sameFlags(cmd *cobra.Command) string {
	text := ""
	for _, name := range []string{"url", "data"} {
		if flag := cmd.Flag(name); flag != nil && flag.Changed {
			text += " --" + name + " " + quoted(flag.Value.String())
		}
	}
	return text
}

// client reads the settings; beside a running "keyholder dev" none is needed.
func (f *apiFlags) client() (*apiClient, error) {
	cfg, err := parse[apiClientConfig](environ(envFile(f.dataDir)))
	if err != nil {
		return nil, err
	}
	for _, address := range []string{f.url, cfg.APIURL, cfg.PublicURL} {
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, usageError{fmt.Errorf("%q is no http or https address of an ingress", address)}
		}
		return newAPIClient(address, strings.TrimSpace(cfg.APIKeys[0])), nil
	}
	return nil, usageError{errors.New("set KEYHOLDER_API_URL or KEYHOLDER_PUBLIC_URL to the address of the ingress, or give --url")}
}

// apiClient calls the /v1 API with the newest key.
type apiClient struct {
	base, key string
	http      *http.Client
}

func newAPIClient(base, key string) *apiClient {
	return &apiClient{base: strings.TrimRight(base, "/"), key: key, http: &http.Client{
		// A redirect would lose the body or take the key elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// apiCall is one request.
type apiCall struct {
	method, path string
	// media is the type of body, "" for none.
	media string
	body  []byte
	// prefer is the Prefer header, "" for none.
	prefer string
	// limit is how long it may take; 0 means apiLimit.
	limit time.Duration
}

// apiAnswer is an answer that has been read.
type apiAnswer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request, again where the ingress asks for patience because of its
// rate. Any other answer is returned, also a refusal.
func (c *apiClient) do(ctx context.Context, call apiCall) (apiAnswer, error) {
	for try := 1; ; try++ {
		a, err := c.once(ctx, call)
		if err != nil || a.status != http.StatusTooManyRequests || try == busyTries {
			return a, err
		}
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			seconds = 1
		}
		if err := pause(ctx, min(time.Duration(seconds)*time.Second, busyLimit)); err != nil {
			return a, err
		}
	}
}

func (c *apiClient) once(ctx context.Context, call apiCall) (apiAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, max(call.limit, apiLimit))
	defer cancel()
	resp, err := c.open(ctx, call)
	if err != nil {
		return apiAnswer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return apiAnswer{status: resp.StatusCode, header: resp.Header, body: bytes.TrimSpace(body)}, err
}

// open sends a request once; the caller closes the body.
func (c *apiClient) open(ctx context.Context, call apiCall) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, call.method, c.base+call.path, bytes.NewReader(call.body))
	if err != nil {
		return nil, usageError{err}
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	for name, value := range map[string]string{"Content-Type": call.media, "Prefer": call.prefer} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w; is the ingress running?", err)
	}
	return resp, nil
}

// into reads a good answer, or returns the refusal as an *apiRefusal.
func (a apiAnswer) into(v any) error {
	if a.status < http.StatusOK || a.status >= http.StatusMultipleChoices {
		return a.refusal()
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("the answer of the ingress cannot be read: %w", err)
	}
	return nil
}

// apiRefusal is an answer that is no success.
type apiRefusal struct {
	status  int
	problem ingress.Problem
}

func (a apiAnswer) refusal() *apiRefusal {
	r := &apiRefusal{status: a.status}
	if json.Unmarshal(a.body, &r.problem) != nil {
		r.problem = ingress.Problem{}
	}
	return r
}

// Error is the status and what the ingress says to do.
func (r *apiRefusal) Error() string {
	text := fmt.Sprintf("the ingress answered %d %s", r.status, http.StatusText(r.status))
	if r.problem.Detail != "" {
		return text + ": " + r.problem.Detail
	}
	if r.status == http.StatusNotFound {
		text += ": has it a KEYHOLDER_API_KEY? Without one it serves no /v1"
	}
	return text
}

// transient tells whether asking again may help.
func (r *apiRefusal) transient() bool {
	return r.status >= http.StatusInternalServerError || r.status == http.StatusTooManyRequests || r.status == http.StatusRequestTimeout
}

// printFields lists the fields that are wrong, one a line.
func printFields(w io.Writer, fields []ingress.FieldError) {
	for _, f := range fields {
		place := f.Path
		if f.Row > 0 {
			place = strings.TrimSpace(fmt.Sprintf("row %d %s", f.Row, f.Path))
		}
		if place != "" {
			place += ": "
		}
		fmt.Fprintf(w, "  %s%s\n", place, f.Message)
	}
}

// pause sleeps, or returns the error of a context that ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// maxInput bounds what is read of a file that is to be sent: the ingress takes no
// more.
const maxInput = 16 << 20

// readInput reads a file, or standard input where the name is "-".
func readInput(cmd *cobra.Command, name string) ([]byte, error) {
	from := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // only read
		from = file
	}
	body, err := io.ReadAll(io.LimitReader(from, maxInput+1))
	if err == nil && len(body) > maxInput {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxInput>>20)
	}
	return body, err
}

// named refuses a group of commands called without one.
func named(cmd *cobra.Command, _ []string) error {
	return usageError{fmt.Errorf("which command? See %s --help", cmd.CommandPath())}
}
