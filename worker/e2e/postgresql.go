package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aictive/keyholder/cluster"
)

// PostgreSQL is a database server of its own, which asks for passwords.
type PostgreSQL struct {
	// Port is where it listens on the loopback interface.
	Port int

	programs, dir string
	server        *Process
}

const (
	postgresAdmin    = "postgres"
	postgresPassword = "password-for-this-test"
)

// StartPostgreSQL makes a server and starts it. Remove it. The error says which programs
// are missing.
func StartPostgreSQL(ctx context.Context) (*PostgreSQL, error) {
	p := &PostgreSQL{}
	var err error
	if p.programs, err = postgresPrograms(); err != nil {
		return nil, err
	}
	if p.Port, err = cluster.FreePort(ctx); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "keyholder-postgresql-"); err != nil {
		return nil, err
	}
	if err := p.create(); err != nil {
		return nil, errors.Join(err, p.Remove())
	}
	if err := p.Start(ctx); err != nil {
		return nil, errors.Join(err, p.Remove())
	}
	return p, nil
}

// postgresPrograms is the folder of initdb and postgres: that of the PATH, else the newest
// of Debian's.
func postgresPrograms() (string, error) {
	if os.Geteuid() == 0 {
		if _, err := exec.LookPath("setpriv"); err != nil {
			return "", errors.New("PostgreSQL does not run as root, and setpriv (util-linux) is not there")
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed: no initdb on the PATH or in /usr/lib/postgresql")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// create makes the files of an empty server, which belong to the user that runs it.
func (p *PostgreSQL) create() error {
	password := filepath.Join(p.dir, "password")
	if err := os.WriteFile(password, []byte(postgresPassword+"\n"), 0o600); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		owner, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("PostgreSQL does not run as root, and its user is not there: %w", err)
		}
		uid, errUID := strconv.Atoi(owner.Uid)
		gid, errGID := strconv.Atoi(owner.Gid)
		if err := errors.Join(errUID, errGID, os.Chown(p.dir, uid, gid), os.Chown(password, uid, gid)); err != nil {
			return err
		}
	}
	init, err := p.run("initdb", "-D", p.data(), "-U", postgresAdmin, "-A", "scram-sha-256", "--pwfile", password,
		"-E", "UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return err
	}
	select {
	case <-init.Done():
	case <-time.After(startLimit):
		return errors.Join(errors.New("initdb does not end"), init.Kill())
	}
	if init.ExitCode() != 0 {
		return fmt.Errorf("initdb failed: %s", init.Output())
	}
	return nil
}

func (p *PostgreSQL) data() string { return filepath.Join(p.dir, "data") }

// run starts a program as a user that PostgreSQL accepts.
func (p *PostgreSQL) run(program string, args ...string) (*Process, error) {
	line := append([]string{filepath.Join(p.programs, program)}, args...)
	if os.Geteuid() == 0 {
		line = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--reset-env"}, line...)
	}
	return Run(line[0], line[1:], nil)
}

// Start runs the server, again after Stop, and waits until it takes queries.
func (p *PostgreSQL) Start(ctx context.Context) (err error) {
	// Without fsync: what is tested is crashes of programs, not of the machine.
	p.server, err = p.run("postgres", "-D", p.data(), "-p", strconv.Itoa(p.Port), "-h", "127.0.0.1", "-k", p.dir,
		"-c", "fsync=off", "-c", "max_connections=200")
	if err != nil {
		return err
	}
	err = poll(ctx, startLimit, func() (bool, error) {
		select {
		case <-p.server.Done():
			return false, fmt.Errorf("PostgreSQL has ended: %s", p.server.Output())
		default:
			return p.Execute(ctx, postgresAdmin, "SELECT 1") == nil, nil
		}
	})
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	return nil
}

// Stop ends the server and breaks off every connection, as a restart for an upgrade does.
func (p *PostgreSQL) Stop() error { return p.server.Stop(30 * time.Second) }

// Remove stops the server where it runs and removes its files.
func (p *PostgreSQL) Remove() error {
	var err error
	if p.server != nil {
		select {
		case <-p.server.Done():
		default:
			err = p.Stop()
		}
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

// URL is the address of a database for a role.
func (p *PostgreSQL) URL(role, database string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", role, postgresPassword, p.Port, database)
}

// Execute runs statements on a database, one after the other.
func (p *PostgreSQL) Execute(ctx context.Context, database string, statements ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL(postgresAdmin, database))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// AddDatabases makes databases, each owned by a role of the given name that may log in.
func (p *PostgreSQL) AddDatabases(ctx context.Context, role string, databases ...string) error {
	statements := []string{"CREATE ROLE " + role + " LOGIN PASSWORD '" + postgresPassword + "'"}
	for _, name := range databases {
		statements = append(statements, "CREATE DATABASE "+name+" OWNER "+role)
	}
	return p.Execute(ctx, postgresAdmin, statements...)
}

// Size is how many bytes a database has on the disk.
func (p *PostgreSQL) Size(ctx context.Context, database string) (bytes int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL(postgresAdmin, postgresAdmin))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = conn.QueryRow(ctx, "SELECT pg_database_size($1)", database).Scan(&bytes)
	return bytes, err
}
