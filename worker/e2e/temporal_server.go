package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/aictive/keyholder/cluster"
)

// ServerVariable names the environment variable with the path of Temporal's server.
// temporal-sql-tool is looked for beside it.
const ServerVariable = "KEYHOLDER_TEMPORAL_SERVER_BIN"

// TemporalServer is Temporal's own server on PostgreSQL, set up as docs/how-to/temporal-on-postgresql.md
// says: files of deploy/temporal, its schema tool, and connections by certificate alone.
type TemporalServer struct {
	// Address is host:port of the frontend.
	Address string
	// Env says to Keyholder and to the command line tool how to reach it, as NAME=value.
	Env []string

	binary, config string
	server         *Process
	env            []string
}

// quickDrainage lets a test see that a build is drained: it takes six minutes otherwise.
const quickDrainage = `
matching.wv.VersionDrainageStatusVisibilityGracePeriod:
  - value: 5s
matching.wv.VersionDrainageStatusRefreshInterval:
  - value: 2s
`

// StartTemporalServer makes the databases, their schema, certificates and a profile in a
// folder, and starts the server. repo is the root of the repository. Stop it.
func StartTemporalServer(ctx context.Context, binary, repo, dir string, db *PostgreSQL) (*TemporalServer, error) {
	s := &TemporalServer{binary: binary}
	var err error
	if s.config, err = filepath.Abs(filepath.Join(repo, "deploy", "temporal", "server.yaml")); err != nil {
		return nil, err
	}
	dynamic := filepath.Join(dir, "dynamicconfig.yaml")
	if err := errors.Join(
		os.WriteFile(dynamic, append(cluster.DynamicConfigYAML(), quickDrainage...), 0o600),
		MakeCertificates(dir), s.ports(ctx, dir, dynamic, db),
		s.profile(filepath.Join(repo, "deploy", "temporal", "temporal.toml"), dir)); err != nil {
		return nil, err
	}
	if err := s.schema(ctx, db); err != nil {
		return nil, err
	}
	return s, s.Start(ctx)
}

// ports chooses them and makes the environment of the server.
func (s *TemporalServer) ports(ctx context.Context, dir, dynamic string, db *PostgreSQL) error {
	s.env = []string{
		"POSTGRES_SEEDS=127.0.0.1", "DB_PORT=" + strconv.Itoa(db.Port), "POSTGRES_USER=temporal", "POSTGRES_PWD=" + postgresPassword,
		"TEMPORAL_TLS_DIR=" + dir, "TEMPORAL_TLS_SERVER_NAME=" + TLSName, "DYNAMIC_CONFIG_FILE_PATH=" + dynamic,
	}
	for _, service := range []string{"FRONTEND", "HISTORY", "MATCHING", "WORKER"} {
		for _, use := range []string{"GRPC", "MEMBERSHIP"} {
			port, err := lowPort(ctx)
			if err != nil {
				return err
			}
			s.env = append(s.env, fmt.Sprintf("%s_%s_PORT=%d", service, use, port))
			if service+use == "FRONTENDGRPC" {
				s.Address = fmt.Sprintf("127.0.0.1:%d", port)
			}
		}
	}
	return nil
}

// lowPort is a port that nobody uses now, below 32768: the server keeps the ports of its
// members in two signed bytes. Lower than those that a system gives to connections, it is
// still free when the server is started again.
func lowPort(ctx context.Context) (int, error) {
	for range 100 {
		port := 10_000 + rand.IntN(22_000) //nolint:gosec // chance is enough for a port
		if cluster.ProbePort(ctx, "Temporal's server", port) == nil {
			return port, nil
		}
	}
	return 0, errors.New("no port between 10000 and 32000 is free")
}

// profile writes the profile "mtls" of the documented file with what is different here.
func (s *TemporalServer) profile(documented, dir string) error {
	text, err := os.ReadFile(documented)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "temporal.toml")
	here := strings.NewReplacer("temporal.example.com:7233", s.Address, "/etc/keyholder/tls", dir).Replace(string(text))
	s.Env = []string{"TEMPORAL_CONFIG_FILE=" + path, "TEMPORAL_PROFILE=mtls"}
	return os.WriteFile(path, []byte(here), 0o600)
}

// schema makes the two databases and their tables.
func (s *TemporalServer) schema(ctx context.Context, db *PostgreSQL) error {
	kinds := map[string]string{"temporal": "temporal", "temporal_visibility": "visibility"}
	if err := db.AddDatabases(ctx, "temporal", "temporal", "temporal_visibility"); err != nil {
		return err
	}
	env := []string{
		"SQL_PLUGIN=postgres12_pgx", "SQL_HOST=127.0.0.1", "SQL_PORT=" + strconv.Itoa(db.Port), "SQL_USER=temporal", "SQL_PASSWORD=" + postgresPassword,
	}
	for database, kind := range kinds {
		for _, args := range [][]string{
			{"--database", database, "setup-schema", "--version", "0.0"},
			{"--database", database, "update-schema", "--schema-name", "postgresql/v12/" + kind},
		} {
			tool, err := Run(filepath.Join(filepath.Dir(s.binary), "temporal-sql-tool"), args, env)
			if err != nil {
				return err
			}
			select {
			case <-tool.Done():
			case <-time.After(startLimit):
				return errors.Join(errors.New("temporal-sql-tool does not end"), tool.Kill())
			}
			if tool.ExitCode() != 0 {
				return fmt.Errorf("temporal-sql-tool %v failed: %s", args, tool.Output())
			}
		}
	}
	return nil
}

// Start runs the server, again after Kill, and waits until it answers.
func (s *TemporalServer) Start(ctx context.Context) (err error) {
	if s.server, err = Run(s.binary, []string{"--config-file", s.config, "--allow-no-auth", "start"}, s.env); err != nil {
		return err
	}
	err = poll(ctx, startLimit, func() (bool, error) {
		select {
		case <-s.server.Done():
			return false, errors.New("the server of Temporal has ended")
		default:
		}
		c, err := s.Dial(ctx, client.Options{})
		if err != nil {
			return false, nil // not yet
		}
		defer c.Close()
		asking, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err = c.WorkflowService().ListNamespaces(asking, &workflowservice.ListNamespacesRequest{PageSize: 1})
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", errors.Join(err, s.Kill()), s.Output())
	}
	return nil
}

// Dial connects by the profile; the options may hold a data converter.
func (s *TemporalServer) Dial(ctx context.Context, o client.Options) (client.Client, error) {
	_, file, _ := strings.Cut(s.Env[0], "=")
	loaded, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{ConfigFilePath: file, ConfigFileProfile: "mtls", ConfigFileStrict: true, DisableEnv: true})
	if err != nil {
		return nil, err
	}
	loaded.DataConverter, loaded.FailureConverter = o.DataConverter, o.FailureConverter
	loaded.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return client.DialContext(ctx, loaded)
}

// Kill ends the server as a crash does. One that has ended stays so.
func (s *TemporalServer) Kill() error {
	select {
	case <-s.server.Done():
		return nil
	default:
		return s.server.Kill()
	}
}

// Output is what the server has printed since its last start.
func (s *TemporalServer) Output() string { return s.server.Output() }
