package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
)

// Installation is Keyholder as an operator runs it: Temporal's server and the store on
// PostgreSQL, and each part a process with an environment of its own. The sandbox takes
// the partners' places.
type Installation struct {
	// Database holds Temporal's databases and the store.
	Database *PostgreSQL
	// Temporal is the server.
	Temporal *TemporalServer
	// Doors are the addresses, and the client of the namespace. It is no "keyholder dev".
	Doors *Stack
	// Env is the environment of every part, as NAME=value.
	Env []string

	binary, dir string
	parts       []*Process
}

// storeName is the role and the database of the store.
const storeName = "keyholder"

// Install makes the databases and the server in a folder. Nothing of Keyholder runs yet.
// server is Temporal's server, repo the root of the repository. Remove it.
func Install(ctx context.Context, binary, server, repo, dir, policy string) (*Installation, error) {
	i := &Installation{binary: binary, dir: dir, Doors: &Stack{}}
	var err error
	if i.Database, err = StartPostgreSQL(ctx); err != nil {
		return nil, err
	}
	if err := i.Database.AddDatabases(ctx, storeName, storeName); err != nil {
		return nil, errors.Join(err, i.Remove())
	}
	if i.Temporal, err = StartTemporalServer(ctx, server, repo, dir, i.Database); err != nil {
		return nil, errors.Join(err, i.Remove())
	}
	if err := i.settings(ctx, policy); err != nil {
		return nil, errors.Join(err, i.Remove())
	}
	return i, nil
}

// settings chooses the addresses and makes the environment.
func (i *Installation) settings(ctx context.Context, policy string) error {
	var ports [3]int
	for n := range ports {
		var err error
		if ports[n], err = cluster.FreePort(ctx); err != nil {
			return err
		}
	}
	local := func(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }
	i.Doors.Ingress, i.Doors.Sandbox = local(ports[0]), local(ports[1])
	blobs := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(i.dir, "blobs"))}
	if err := os.MkdirAll(filepath.Join(i.dir, "blobs"), 0o700); err != nil {
		return err
	}
	key := base64.StdEncoding.EncodeToString([]byte("a key that is for this test only"))
	i.Env = append([]string{
		"KEYHOLDER_STORE_URL=" + i.Database.URL(storeName, storeName), "KEYHOLDER_BLOB_URL=" + blobs.String(),
		"KEYHOLDER_PAYLOAD_KEYS=test:" + key, "KEYHOLDER_POLICY=" + policy, "KEYHOLDER_LINK_KEY=a-link-key-of-a-test",
		"KEYHOLDER_PUBLIC_URL=" + i.Doors.Ingress, fmt.Sprintf("KEYHOLDER_INGRESS_ADDR=127.0.0.1:%d", ports[0]),
		"KEYHOLDER_RENTVINE_WEBHOOK_SECRET=" + webhookSecret, "KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET=dev-openmoove-webhook-secret",
		"KEYHOLDER_RENTVINE_URL=" + i.Doors.Sandbox + "/rentvine/api/manager",
		"KEYHOLDER_RENTVINE_ACCESS_KEY=rv_dev", "KEYHOLDER_RENTVINE_API_SECRET=rv_dev_secret",
		"KEYHOLDER_OPENMOOVE_URL=" + i.Doors.Sandbox + "/openmoove/api/v1/partners", "KEYHOLDER_OPENMOOVE_API_KEY=om_dev",
		"KEYHOLDER_TWILIO_URL=" + i.Doors.Sandbox + "/twilio", "KEYHOLDER_TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"KEYHOLDER_TWILIO_AUTH_TOKEN=dev-twilio-token", "KEYHOLDER_TWILIO_FROM=+12135550100",
		"KEYHOLDER_SMTP_HOST=127.0.0.1", fmt.Sprintf("KEYHOLDER_SMTP_PORT=%d", ports[2]), "KEYHOLDER_SMTP_TLS=none",
		"KEYHOLDER_MAIL_FROM=Keyholder <keyholder@example.com>", "KEYHOLDER_OUTBOUND=live",
		"KEYHOLDER_WEBHOOKS_PER_SECOND=5000", "NO_COLOR=1",
	}, i.Temporal.Env...)
	keys, err := cluster.ParseKeys("test:" + key)
	if err != nil {
		return err
	}
	var o client.Options
	o.DataConverter, o.FailureConverter = keys.Converters()
	i.Doors.Client, err = i.Temporal.Dial(ctx, o)
	return err
}

// Sandbox runs the stand-ins of the partners until Remove.
func (i *Installation) Sandbox(ctx context.Context) error {
	sandbox, err := url.Parse(i.Doors.Sandbox)
	if err != nil {
		return err
	}
	var smtp string
	for _, line := range i.Env {
		if _, err := fmt.Sscanf(line, "KEYHOLDER_SMTP_PORT=%s", &smtp); err == nil {
			break
		}
	}
	_, err = i.Run(ctx, "sandbox ready", nil, "sandbox", "--sandbox-port", sandbox.Port(), "--smtp-port", smtp)
	return err
}

// Ingress runs an ingress until Remove, or until it is stopped.
func (i *Installation) Ingress(ctx context.Context) (*Process, error) {
	return i.Run(ctx, "ingress ready", nil, "ingress")
}

// Worker runs a worker of a build until Remove, or until it is stopped, and returns the
// address of its readiness too.
func (i *Installation) Worker(ctx context.Context, build string) (w *Process, readiness string, err error) {
	port, err := cluster.FreePort(ctx)
	if err != nil {
		return nil, "", err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	w, err = i.Run(ctx, "worker ready", []string{"KEYHOLDER_BUILD_ID=" + build, "KEYHOLDER_METRICS_ADDR=" + address}, "worker")
	return w, "http://" + address + "/readyz", err
}

// Run runs a part in the environment, with more of it, and waits until it says that it is
// ready.
func (i *Installation) Run(ctx context.Context, ready string, env []string, args ...string) (*Process, error) {
	p, err := Run(i.binary, args, append(append([]string{"KEYHOLDER_METRICS_ADDR=127.0.0.1:0"}, i.Env...), env...))
	if err != nil {
		return nil, err
	}
	i.parts = append(i.parts, p)
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return p, p.WaitFor(ctx, ready)
}

// Remove stops what runs and removes the databases. The error is for what did not stop
// cleanly.
func (i *Installation) Remove() error {
	var errs []error
	for n := len(i.parts) - 1; n >= 0; n-- {
		select {
		case <-i.parts[n].Done():
		default:
			errs = append(errs, i.parts[n].Stop(30*time.Second))
		}
	}
	if i.Doors.Client != nil {
		i.Doors.Client.Close()
	}
	if i.Temporal != nil {
		errs = append(errs, i.Temporal.Kill())
	}
	return errors.Join(append(errs, i.Database.Remove())...)
}

// Output is what the parts and the server have printed.
func (i *Installation) Output() string {
	said := "temporal: " + i.Temporal.Output()
	for _, p := range i.parts {
		said += "\n" + fmt.Sprint(p.cmd.Args[1:]) + ": " + p.Output()
	}
	return said
}
