package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashChildPath); path != "" {
		fmt.Fprintln(os.Stderr, writeForEver(path))
		os.Exit(1) // it ends by being killed
	}
	if at := os.Getenv(auditChildURL); at != "" {
		if err := appendForOthers(at); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if at := os.Getenv(callsChildURL); at != "" {
		if err := takeCalls(at, time.Now().Add(callsChildRuns)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	postgres.stop()
	os.Exit(code)
}

// each runs a test on a fresh SQLite file and on a fresh PostgreSQL schema. open
// may be called more than once: another store on the same database.
func each(t *testing.T, test func(t *testing.T, open func() store.Store)) {
	t.Helper()
	eachURL(t, func(t *testing.T, at string) {
		test(t, func() store.Store { return open(t, at) })
	})
}

// eachURL is each for tests that open the database themselves.
func eachURL(t *testing.T, test func(t *testing.T, at string)) {
	t.Helper()
	t.Parallel()
	for name, freshURL := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "store.db") },
		"postgres": postgresSchema,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, freshURL(t))
		})
	}
}

func open(t *testing.T, at string) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), at)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// together runs n calls at once and waits for all.
func together(n int, call func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { call(i) })
	}
	wg.Wait()
}

// postgres is the server of this test run, started by the first test that needs it.
var postgres = &postgresServer{}

type postgresServer struct {
	once  sync.Once
	url   string
	why   string // why there is none
	stdin io.Closer
	ended chan error
}

// postgresSchema is the URL of an empty schema, dropped at the end of the test.
// KEYHOLDER_TEST_POSTGRES_URL names a server to use, else one is started.
func postgresSchema(t *testing.T) string {
	t.Helper()
	server := os.Getenv("KEYHOLDER_TEST_POSTGRES_URL")
	if server == "" {
		postgres.once.Do(postgres.start)
		if postgres.why != "" {
			t.Skip("PostgreSQL is not tested: " + postgres.why)
		}
		server = postgres.url
	}
	schema := fmt.Sprintf("keyholder_test_%d", time.Now().UnixNano())
	execute(t, server, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { execute(t, server, "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(server)
	require.NoError(t, err)
	parameters := u.Query()
	parameters.Set("search_path", schema)
	u.RawQuery = parameters.Encode()
	return u.String()
}

func execute(t *testing.T, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, statement)
	require.NoError(t, errors.Join(err, conn.Close(ctx)))
}

// The script serves until its standard input ends, which is also when this
// process dies, and leaves nothing behind.
const postgresScript = `
set -e
dir=$(mktemp -d)
trap 'pg_ctl -D "$dir/data" stop -m immediate >/dev/null 2>&1; rm -rf "$dir"' EXIT
initdb -D "$dir/data" -U keyholder -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || { tail -n 3 "$dir/log"; exit 1; }
pg_ctl -D "$dir/data" -w -t 60 -l "$dir/log" -o "-h 127.0.0.1 -p $1 -k $dir -F" start >/dev/null 2>&1 || { tail -n 3 "$dir/log"; exit 1; }
echo ready
cat >/dev/null
`

func (p *postgresServer) start() {
	if p.url, p.why = "", postgresMissing(); p.why != "" {
		return
	}
	port, err := freePort()
	if err != nil {
		p.why = err.Error()
		return
	}
	args := []string{"sh", "-c", postgresScript, "sh", fmt.Sprint(port)}
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr); err != nil {
		p.why = err.Error()
		return
	}
	if err := cmd.Start(); err != nil {
		p.why = err.Error()
		return
	}
	p.stdin, p.ended = stdin, make(chan error, 1)
	limit := time.AfterFunc(2*time.Minute, func() { _ = stdin.Close(); _ = cmd.Process.Kill() })
	defer limit.Stop()
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	if strings.TrimSpace(line) != "ready" {
		p.why = "it did not start: " + strings.TrimSpace(line)
	}
	go func() { p.ended <- cmd.Wait() }()
	p.url = fmt.Sprintf("postgres://keyholder@127.0.0.1:%d/postgres?sslmode=disable", port)
}

func postgresMissing() string {
	programs := []string{"initdb", "pg_ctl", "sh"}
	if os.Geteuid() == 0 {
		programs = append(programs, "setpriv")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not on the PATH and KEYHOLDER_TEST_POSTGRES_URL is not set"
		}
	}
	return ""
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }() // nothing was accepted
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (p *postgresServer) stop() {
	if p.stdin == nil {
		return
	}
	_ = p.stdin.Close() // asks the script to end; a script that has ended is fine too
	<-p.ended
}
