package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// importOf reads the id from what an import printed.
func importOf(t *testing.T, s *said) string {
	t.Helper()
	id := ""
	require.Eventually(t, func() bool {
		fields := strings.Fields(strings.ReplaceAll(s.out.String(), ":", " "))
		if len(fields) > 1 {
			id = fields[1]
		}
		return len(id) == 24
	}, 30*time.Second, 20*time.Millisecond, "nothing was accepted")
	return id
}

// wrong makes row n (from 1) of a file invalid.
func wrong(file string, n int) string {
	lines := strings.SplitAfter(file, "\n")
	lines[n] = strings.Replace(lines[n], "john.smith@example.com", "nowhere", 1)
	return strings.Join(lines, "")
}

func importCommands(t *testing.T, h *behind) {
	t.Run("without waiting", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		file := c.file("sales.csv", wrong(csvFile(t, "John", "Ada", "Jo"), 2)+strings.SplitAfter(csvFile(t, "John"), "\n")[1])
		s := c.run("import", file)
		require.EqualError(t, s.failed, "1 of 4 rows are invalid and left out; the others are imported")
		require.Regexp(t, `^import [a-z2-7]{24}: 4 rows, 2 accepted, 1 invalid, 1 duplicate\n$`, s.out.String())
		require.Contains(t, s.err.String(), "  row 3 email: ")
		require.Contains(t, s.err.String(), "  row 5: the same sale as row 2\n")
		s = c.run("import", file)
		require.ErrorContains(t, s.failed, "of 4 rows 1 were invalid")
		require.Contains(t, s.out.String(), "this file was sent before\nrunning: 0 created, 0 existing, 1 invalid, 1 duplicate, 0 refused, 0 cancelled, 2 waiting; about")
	})

	t.Run("with waiting and results", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		file, results := c.file("sales", csvFile(t, "John", "Ada")), filepath.Join(c.dir, "results.csv")
		s := &said{}
		done := make(chan *said, 1)
		go func() { done <- c.runUntil(t.Context(), s, "import", file, "--results", results) }()
		h.letGo(t, "import/"+importOf(t, s))
		require.NoError(t, (<-done).failed, s.err.String())
		require.Contains(t, s.out.String(), "\nfinished: 2 created, 0 existing, 0 invalid, 0 duplicate, 0 refused, 0 cancelled, 0 waiting\n")
		text, err := os.ReadFile(results)
		require.NoError(t, err)
		require.Equal(t, "row,status,property_id,transaction_id,problems\n2,created,1002,,\n3,created,1003,,\n", string(text))
		left, err := filepath.Glob(filepath.Join(c.dir, ".results-*"))
		require.NoError(t, err)
		require.Empty(t, left)

		s = c.run("import", "results", importOf(t, s))
		require.NoError(t, s.failed)
		require.Equal(t, string(text), s.out.String())
	})

	t.Run("rows that OpenMoove refuses", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		c.stdin = "[" + saleFile(t, "Refused") + "]"
		s := c.run("import", "-")
		require.NoError(t, s.failed, "accepted: %s", s.err.String())
		h.letGo(t, "import/"+importOf(t, s))
		s = c.run("import", "status", importOf(t, s), "--wait")
		require.ErrorContains(t, s.failed, "of 1 rows 0 were invalid, 1 refused, 0 cancelled; \"keyholder import results ")
	})

	t.Run("Ctrl-C ends the waiting alone", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		file := c.file("sales.csv", csvFile(t, "John"))
		ctx, interrupt := context.WithCancel(t.Context())
		s := &said{}
		done := make(chan *said, 1)
		go func() { done <- c.runUntil(ctx, s, "import", file, "--wait") }()
		id := importOf(t, s)
		require.Eventually(t, func() bool { return strings.Contains(s.err.String(), "running: ") }, 30*time.Second, 20*time.Millisecond)
		interrupt()
		require.EqualError(t, (<-done).failed, "stopped waiting; the import goes on. To come back: keyholder import status "+id+" --wait --data "+c.dir)
		s = c.run("import", "status", id)
		require.NoError(t, s.failed)
		require.Contains(t, s.out.String(), "running: 0 created")
	})

	t.Run("commands", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		file := c.file("sales.csv", csvFile(t, "John"))
		id := importOf(t, c.run("import", file))
		s := c.run("import", "pause", id, "--by", "pat", "--why", "the office checks")
		require.NoError(t, s.failed)
		require.Contains(t, s.out.String(), "paused: 0 created")
		require.Contains(t, s.out.String(), "pat: the office checks")
		require.ErrorContains(t, c.run("import", "pause", id, "--by", "pat", "--why", "again").failed, "409 Conflict: the import is paused already")
		require.ErrorAs(t, c.run("import", "resume", id, "--by", "pat").failed, new(usageError))
		require.NoError(t, c.run("import", "resume", id, "--by", "pat", "--why", "checked").failed)
		require.NoError(t, c.run("import", "cancel", id, "--by", "pat", "--why", "wrong file").failed)
		s = c.run("import", "status", id, "--wait")
		require.ErrorContains(t, s.failed, "0 refused, 1 cancelled; \"keyholder import results "+id+" --data "+c.dir+"\" lists them")
		require.Contains(t, s.out.String(), "cancelled: 0 created")
		s = c.run("import", file)
		require.Contains(t, s.out.String(), "keyholder import FILE --again")
		s = c.run("import", file, "--again")
		require.NoError(t, s.failed)
		second := importOf(t, s)
		require.NotEqual(t, id, second)
		h.letGo(t, "import/"+second)
		require.NoError(t, c.run("import", "status", second, "--wait").failed)
	})

	t.Run("a file of which nothing can be used", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		s := c.run("import", c.file("sales.csv", wrong(csvFile(t, "John"), 1)))
		require.ErrorContains(t, s.failed, "422 Unprocessable Entity: None of the 1 rows can be used")
		require.Contains(t, s.err.String(), "  row 2 email: ")
		s = c.run("import", c.file("header.csv", csvFile(t)))
		require.ErrorContains(t, s.failed, "400 Bad Request: There are no sales in this file.")
	})

	t.Run("an import that is not there", func(t *testing.T) {
		t.Parallel()
		c := h.command(t)
		id := strings.Repeat("a", 24)
		require.ErrorContains(t, c.run("import", "status", id).failed, "404 Not Found: There is no import with this id")
		require.ErrorContains(t, c.run("import", "status", id, "--wait").failed, "404 Not Found: There is no import with this id")
		out := filepath.Join(c.dir, "results.csv")
		require.ErrorContains(t, c.run("import", "results", id, "-o", out).failed, "404 Not Found: There is no import with this id")
		require.NoFileExists(t, out)
	})
}

// outage of the ingress: whoever waits outlives it.
func outage(t *testing.T, h *behind) {
	c := h.command(t)
	file := c.file("sales.csv", csvFile(t, "John"))
	s := &said{}
	done := make(chan *said, 1)
	go func() { done <- c.runUntil(t.Context(), s, "import", file, "--wait") }()
	id := importOf(t, s)
	require.Eventually(t, func() bool { return strings.Contains(s.err.String(), "running: ") }, 30*time.Second, 20*time.Millisecond)
	h.stop()
	require.Eventually(t, func() bool { return strings.Contains(s.err.String(), "the ingress does not answer; trying again") }, 30*time.Second, 20*time.Millisecond)
	h.letGo(t, "import/"+id)
	h.open(t)
	require.NoError(t, (<-done).failed, s.err.String())
	require.Contains(t, s.out.String(), "finished: 1 created")
}

func TestWaitingGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	var shown bytes.Buffer
	f := follower{client: newAPIClient("http://127.0.0.1:1", testAPIKey), meter: newMeter(&shown), patience: 400 * time.Millisecond}
	_, err := f.wait(t.Context(), "x")
	require.ErrorContains(t, err, "no answer for 400ms")
	require.Equal(t, "the ingress does not answer; trying again\n", shown.String())
}

func TestImportMedia(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ file, body, want string }{
		{"sales.csv", "[", "text/csv"},
		{"SALES.JSON", "a,b", "application/json"},
		{"sales", "first_name,last_name", "text/csv"},
		{"-", " \n[{}]", "application/json"},
		{"sales.txt", "\xef\xbb\xbf{\"sales\":[]}", "application/json"},
		{"empty", "", "text/csv"},
	} {
		require.Equal(t, tc.want, importMedia(tc.file, []byte(tc.body)), tc.file)
	}
}

func TestABarShowsProgress(t *testing.T) {
	t.Parallel()
	var shown bytes.Buffer
	m := &barMeter{to: &shown}
	eta := 90
	r := importReply{Status: "running", Rows: 10, ETASeconds: &eta}
	r.Counts.Waiting = 6
	m.show(r)
	m.away()
	r.Status, r.Counts.Waiting, r.FinishedAt = "finished", 0, time.Now()
	m.show(r)
	m.done()
	for _, says := range []string{"running, about 1m30s left", "4/10", "no answer, trying again", "finished", "10/10"} {
		require.Contains(t, shown.String(), says)
	}
	require.NotContains(t, shown.String(), "\x1b[3", "no colour")
}
