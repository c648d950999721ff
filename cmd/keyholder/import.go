package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/ingress"
)

// uploadLimit is how long a file may take to reach the ingress and be checked.
const uploadLimit = 3 * time.Minute

func importCommand() *cobra.Command {
	var f apiFlags
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Import a file of sales, CSV or JSON",
		Long: `Sends a file to the ingress, which checks every row first. Wrong and repeated rows
are left out and listed; the good ones are created in the background, at the pace
that OpenMoove allows. Sending the same file again finds the same import; --again
runs it anew where it has ended, such as after a cancel.

With --wait it follows the import to its end. Ctrl-C ends the waiting, not the
import. Exits 0 where every row is created, was there before or repeats another,
1 where rows are invalid, refused or given up.`,
		Example: `  keyholder import sales.csv --wait --results sales-results.csv
  keyholder import sales.csv --again --wait
  keyholder import status ID --wait
  keyholder import pause ID --why "the office checks the file"`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			m := newMeter(cmd.ErrOrStderr())
			return runImport(cmd, follower{client: client, meter: m, patience: waitPatience}, given[0], o)
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&o.wait, "wait", false, "follow the import to its end")
	cmd.Flags().BoolVar(&o.again, "again", false, "run a file again of which the import has ended; nothing is created twice")
	cmd.Flags().StringVar(&o.results, "results", "", "write what became of each row to this file (CSV), at the end; implies --wait")
	cmd.AddCommand(importStatusCommand(&f), importResultsCommand(&f),
		importOrderCommand(&f, "pause", "Create no further rows until resume"),
		importOrderCommand(&f, "resume", "Go on after pause"),
		importOrderCommand(&f, "cancel", "Give up the rows that wait; what is created stays"))
	return cmd
}

// importOptions say how a file is imported.
type importOptions struct {
	again, wait bool
	// results is the file for the results, "" for none; it implies wait.
	results string
}

// importReply is what the ingress answers about an import: of one that is new the
// first line, of one that it knows the rest.
type importReply struct {
	ImportID string `json:"import_id"`
	Status   string `json:"status"`
	Rows     int    `json:"rows"`

	Valid     int                  `json:"valid"`
	Invalid   int                  `json:"invalid"`
	Duplicate int                  `json:"duplicate"`
	Problems  []ingress.FieldError `json:"problems"`

	Counts     ingress.ImportCounts `json:"counts"`
	ETASeconds *int                 `json:"eta_seconds"`
	Note       string               `json:"note"`
	Message    string               `json:"message"`
	FinishedAt time.Time            `json:"finished_at"`
}

// ended tells that no row waits. An import that is given up has the status
// "cancelled" a moment earlier.
func (r importReply) ended() bool { return !r.FinishedAt.IsZero() }

// left is how long it still takes, "" where that is not known.
func (r importReply) left() string {
	if r.ETASeconds == nil || r.ended() {
		return ""
	}
	return "about " + (time.Duration(*r.ETASeconds) * time.Second).String() + " left"
}

// line is one line about where the import is.
func (r importReply) line() string {
	n := r.Counts
	text := fmt.Sprintf("%s: %d created, %d existing, %d invalid, %d duplicate, %d refused, %d cancelled, %d waiting",
		r.Status, n.Created, n.Existing, n.Invalid, n.Duplicate, n.Refused, n.Cancelled, n.Waiting)
	for _, more := range []string{r.left(), r.Note} {
		if more != "" {
			text += "; " + more
		}
	}
	return text
}

// print writes the line and what can be done about rows that were not created.
func (r importReply) print(w io.Writer) {
	fmt.Fprintln(w, r.line())
	if r.Message != "" {
		fmt.Fprintln(w, r.Message)
	}
}

// err says that rows were not created; nil where all is well. flags are those that
// another call needs.
func (r importReply) err(flags string) error {
	n := r.Counts
	if n.Invalid+n.Refused+n.Cancelled == 0 {
		return nil
	}
	return fmt.Errorf("of %d rows %d were invalid, %d refused, %d cancelled; \"keyholder import results %s%s\" lists them",
		r.Rows, n.Invalid, n.Refused, n.Cancelled, r.ImportID, flags)
}

// runImport sends the file and, where wanted, follows the import to its end.
func runImport(cmd *cobra.Command, follow follower, file string, o importOptions) error {
	body, err := readInput(cmd, file)
	if err != nil {
		return usageError{err}
	}
	path := "/v1/sales/import"
	if o.again {
		path += "?again=true"
	}
	answer, err := follow.client.do(cmd.Context(), apiCall{
		method: http.MethodPost, path: path, media: importMedia(file, body), body: body, limit: uploadLimit,
	})
	if err != nil {
		return err
	}
	var reply importReply
	if err := answer.into(&reply); err != nil {
		if refusal := new(apiRefusal); errors.As(err, &refusal) {
			printFields(cmd.ErrOrStderr(), refusal.problem.Errors)
		}
		return err
	}
	printAccepted(cmd, reply)
	switch {
	case o.wait || o.results != "":
		return followImport(cmd, follow, reply.ImportID, o.results)
	case reply.Status == "accepted" && reply.Invalid > 0:
		return fmt.Errorf("%d of %d rows are invalid and left out; the others are imported", reply.Invalid, reply.Rows)
	}
	return reply.err(sameFlags(cmd))
}

// importMedia is the file's media type, by its name or else by how it begins.
func importMedia(file string, body []byte) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".csv":
		return "text/csv"
	case ".json":
		return "application/json"
	}
	start := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(start, []byte("[")) || bytes.HasPrefix(start, []byte("{")) {
		return "application/json"
	}
	return "text/csv"
}

func printAccepted(cmd *cobra.Command, r importReply) {
	w := cmd.OutOrStdout()
	if r.Status == "accepted" && r.Valid > 0 {
		fmt.Fprintf(w, "import %s: %d rows, %d accepted, %d invalid, %d duplicate\n", r.ImportID, r.Rows, r.Valid, r.Invalid, r.Duplicate)
		printFields(cmd.ErrOrStderr(), r.Problems)
		if more := r.Invalid + r.Duplicate - rowsOf(r.Problems); more > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "  and %d rows more; the results list them all\n", more)
		}
		return
	}
	fmt.Fprintf(w, "import %s: this file was sent before\n", r.ImportID)
	r.print(w)
}

// rowsOf counts the rows that the problems are about.
func rowsOf(problems []ingress.FieldError) int {
	rows := map[int]bool{}
	for _, p := range problems {
		rows[p.Row] = true
	}
	return len(rows)
}

// followImport waits for the end, prints it and writes the results.
func followImport(cmd *cobra.Command, follow follower, id, results string) error {
	last, err := follow.wait(cmd.Context(), id)
	again := "To come back: keyholder import status " + id + " --wait" + sameFlags(cmd)
	var refusal *apiRefusal
	switch {
	case cmd.Context().Err() != nil:
		return errors.New("stopped waiting; the import goes on. " + again)
	case errors.As(err, &refusal) && !refusal.transient():
		return err
	case err != nil:
		return fmt.Errorf("%w; the import goes on. %s", err, again)
	}
	last.print(cmd.OutOrStdout())
	if results != "" {
		if err := follow.client.saveResults(cmd.Context(), id, results, cmd.OutOrStdout()); err != nil {
			return err
		}
	}
	return last.err(sameFlags(cmd))
}

func importStatusCommand(f *apiFlags) *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use:   "status ID",
		Short: "Tell how far an import is",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			if wait {
				return followImport(cmd, follower{client: client, meter: newMeter(cmd.ErrOrStderr()), patience: waitPatience}, given[0], "")
			}
			reply, err := client.importStatus(cmd.Context(), given[0])
			if err == nil {
				reply.print(cmd.OutOrStdout())
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "follow the import to its end")
	return cmd
}

func (c *apiClient) importStatus(ctx context.Context, id string) (importReply, error) {
	var reply importReply
	answer, err := c.do(ctx, apiCall{method: http.MethodGet, path: importPath(id)})
	if err != nil {
		return reply, err
	}
	return reply, answer.into(&reply)
}

func importPath(id string) string { return "/v1/sales/import/" + url.PathEscape(id) }

// importOrderCommand is a command to an import: pause, resume or cancel.
func importOrderCommand(f *apiFlags, name, short string) *cobra.Command {
	var by, why string
	cmd := &cobra.Command{
		Use:   name + " ID --why TEXT",
		Short: short,
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			if by == "" || why == "" {
				return usageError{errors.New("say who commands and why, with --by and --why")}
			}
			body, err := jsonBody(map[string]string{"by": by, "why": why})
			if err != nil {
				return err
			}
			answer, err := client.do(cmd.Context(), apiCall{method: http.MethodPost, path: importPath(given[0]) + "/" + name, media: "application/json", body: body})
			if err != nil {
				return err
			}
			var reply importReply
			if err := answer.into(&reply); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), reply.line())
			return nil
		},
	}
	cmd.Flags().StringVar(&by, "by", os.Getenv("USER"), "who commands")
	cmd.Flags().StringVar(&why, "why", "", "the reason, for whoever looks later")
	return cmd
}

func importResultsCommand(f *apiFlags) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "results ID",
		Short: "Write what became of each row, as CSV",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			return client.saveResults(cmd.Context(), given[0], to, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "-", "file to write; - is standard output")
	return cmd
}

// saveResults writes an import's results to a file, whole or not at all, or to out
// where the name is "-".
func (c *apiClient) saveResults(ctx context.Context, id, name string, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, uploadLimit)
	defer cancel()
	resp, err := c.open(ctx, apiCall{method: http.MethodGet, path: importPath(id) + "/results.csv"})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return err
		}
		return apiAnswer{status: resp.StatusCode, body: body}.refusal()
	}
	if name == "-" {
		_, err = io.Copy(out, resp.Body)
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".results-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = io.Copy(file, resp.Body)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
