package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// crashChildPath makes the test binary write to the SQLite file that it names
// until it is killed.
const crashChildPath = "KEYHOLDER_TEST_CRASH_CHILD"

// writeForEver tells on standard output each thing that the store confirmed.
func writeForEver(path string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, path)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		key := fmt.Sprint("child ", i)
		if _, first, err := s.BeginEffect(ctx, key, ""); err != nil || !first {
			return fmt.Errorf("begin %d: first %v: %w", i, first, err)
		}
		fmt.Println(i, "begun")
		q, err := s.Ask(ctx, question(key, "a"))
		if err != nil {
			return err
		}
		fmt.Println(i, q.Code)
		if err := s.FinishEffect(ctx, key, "SM1"); err != nil {
			return err
		}
		fmt.Println(i, "done")
		// SQLite's lock is not fair: who takes it again at once can keep another
		// process out for as long as that is willing to wait.
		time.Sleep(2 * time.Millisecond)
	}
}

// A process is killed in the middle of its writes, three times, while this one
// writes to the same file: all that it was told is there, and nothing is broken.
func TestKilledProcessLosesNothingConfirmed(t *testing.T) {
	t.Parallel()
	for range 3 {
		path := filepath.Join(t.TempDir(), "store.db")
		mine := open(t, path)
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), crashChildPath+"="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())

		begun, codes, done := 0, map[string]string{}, 0
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var i int
			var what string
			_, err := fmt.Sscan(lines.Text(), &i, &what)
			require.NoError(t, err)
			switch what {
			case "begun":
				begun++
			case "done":
				done++
				_, _, err := mine.BeginEffect(t.Context(), fmt.Sprint("parent ", i), "")
				require.NoError(t, err)
			default:
				codes[fmt.Sprint("child ", i)] = what
			}
			if done == 30 {
				require.NoError(t, child.Process.Kill()) // SIGKILL; the lines already written are still read
			}
		}
		require.NoError(t, lines.Err())
		require.Error(t, child.Wait(), "killed")
		require.GreaterOrEqual(t, done, 30)

		after := open(t, path)
		for i := range begun {
			e, first, err := after.BeginEffect(t.Context(), fmt.Sprint("child ", i), "")
			require.NoError(t, err)
			require.False(t, first, "effect %d was confirmed", i)
			if i < done {
				require.True(t, e.Done)
			}
		}
		for id, code := range codes {
			q, err := mine.Question(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, code, q.Code)
		}
		requireIntact(t, path)
	}
}

func requireIntact(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var verdict string
	require.NoError(t, db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict))
	require.Equal(t, "ok", verdict)
}

// A process that holds the file's lock delays a write and does not fail it; a
// read does not even wait.
func TestWriterWaitsForAnotherProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	db, err := sql.Open("sqlite", path+"?_txlock=immediate")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)

	written := make(chan error, 1)
	go func() { written <- s.SetSetting(t.Context(), "a", "b") }()
	require.Empty(t, setting(t, s, "a"))
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, s.SetSetting(short, "c", "d"), "the context ends the wait")
	require.Empty(t, written)
	require.NoError(t, tx.Rollback())
	require.NoError(t, <-written)
	require.Equal(t, "b", setting(t, s, "a"))
}
