package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/sandbox/books"
)

const (
	// sendBooks is what "send rentvine" is asked for, beside events.
	sendBooks = "books"
	// booksLook is the pause between two looks at how far the events are.
	booksLook = time.Second
	// maxBooksReply bounds what is read of the list of what was planted, or of a
	// statement.
	maxBooksReply = 32 << 20
)

// booksRequest is what the sandbox makes books from.
type booksRequest struct {
	books.Config
	Send bool `json:"send"`
	Rate int  `json:"rate"`
	// statement is the file for the bank's statement.
	statement string
}

// booksProgress is what the sandbox answers.
type booksProgress struct {
	Counts  map[string]int  `json:"counts"`
	Planted []books.Planted `json:"planted"`
	Sending bool            `json:"sending"`
	Sent    int             `json:"sent"`
	Failed  int             `json:"failed"`
}

func booksFlags(cmd *cobra.Command) *booksRequest {
	in, f := &booksRequest{Send: true}, cmd.Flags()
	f.Uint64Var(&in.Seed, "seed", 1, "books: the same seed gives the same ones")
	f.IntVar(&in.Count, "count", 1000, "books: about how many transactions")
	f.StringVar(&in.From, "from", "", "books: the first day, such as 2026-01-01 (default the year to --to)")
	f.StringVar(&in.To, "to", "", "books: the last day (default the business day)")
	f.IntVar(&in.Duplicates, "duplicates", 2, "books: charges that come twice")
	f.IntVar(&in.Gaps, "gaps", 2, "books: leases that have stopped paying")
	f.IntVar(&in.Outliers, "outliers", 2, "books: charges of many times the usual")
	f.IntVar(&in.Unsure, "unsure", 2, "books: charges that say nothing")
	f.IntVar(&in.Updated, "updated", 20, "books: of a thousand utility charges so many are corrected")
	f.IntVar(&in.Voided, "voided", 10, "books: and so many taken back")
	f.IntVar(&in.Rate, "rate", 50, "books: events a second")
	f.StringVar(&in.statement, "statement", "", "books: write the bank's statement here, as OFX where the name ends so, else as CSV")
	return in
}

// generateBooks lets the sandbox make books and send their events, and shows how far
// they are until the last is through.
func generateBooks(ctx context.Context, w io.Writer, cfg sendConfig, in *booksRequest) error {
	base, ok := sandboxOf(cfg.RentVineURL)
	if !ok {
		return usageError{errors.New("only the sandbox makes up books, and KEYHOLDER_RENTVINE_URL is none")}
	}
	at := base + "/_generate/books"
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	got, err := post(ctx, "sandbox", at, body, nil)
	if err != nil {
		return err
	}
	if got.code != http.StatusOK {
		return fmt.Errorf("the sandbox answered %s: %s", got.status, got.body)
	}
	if in.statement != "" {
		if err := saveStatement(ctx, at, in.statement); err != nil {
			return err
		}
	}
	look := time.NewTicker(booksLook)
	defer look.Stop()
	for {
		raw, err := fetch(ctx, at)
		if err != nil {
			return err
		}
		var p booksProgress
		if err := json.Unmarshal(raw, &p); err != nil {
			return fmt.Errorf("the sandbox's answer cannot be read: %w", err)
		}
		fmt.Fprintf(w, "%d of %d events taken\n", p.Sent, p.Counts["events"])
		if !p.Sending {
			return p.summary(w)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}

// summary says what there is, and fails where events were not taken.
func (p booksProgress) summary(w io.Writer) error {
	planted := map[string]int{}
	for _, one := range p.Planted {
		planted[one.Kind]++
	}
	for _, of := range []map[string]int{p.Counts, planted} {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			fmt.Fprintf(w, "%8d %s\n", of[name], name)
		}
	}
	if lost := p.Counts["events"] - p.Sent; lost > 0 {
		return fmt.Errorf("%d events were not taken", lost)
	}
	return nil
}

func saveStatement(ctx context.Context, at, file string) error {
	form := "/statement.csv"
	if strings.EqualFold(filepath.Ext(file), ".ofx") {
		form = "/statement.ofx"
	}
	raw, err := fetch(ctx, at+form)
	if err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o600)
}

// fetch reads what is at an address of the sandbox.
func fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, usageError{err}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w; is the sandbox running?", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBooksReply))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the sandbox answered %s: %.500s", resp.Status, raw)
	}
	return raw, err
}
