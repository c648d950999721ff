package deploy

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// ours are the services that run this program.
var ours = []string{"setup", "schedules", "ingress", "worker", "codec", "sandbox"}

// once are the services that end when they have done their work.
var once = []string{"temporal-schema", "setup", "schedules"}

// load reads docker-compose.yml as Docker Compose does, with the settings of a file
// alone and nothing of this machine's environment.
func load(t *testing.T, envFile string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")},
		cli.WithWorkingDirectory(root), cli.WithEnvFiles(filepath.Join(root, envFile)), cli.WithDotEnv, cli.WithProfiles([]string{"sandbox"}), cli.WithInterpolation(true))
	require.NoError(t, err)
	project, err := options.LoadProject(context.Background())
	require.NoError(t, err)
	return project
}

func TestComposeLoadsWithTheSandbox(t *testing.T) {
	t.Parallel()
	project := load(t, "deploy/compose/sandbox.env")
	require.Contains(t, project.Services, "sandbox")
	worker := project.Services["worker"]
	require.Equal(t, 2, *worker.Deploy.Replicas)
	require.Equal(t, "http://sandbox:8090/twilio", *worker.Environment["KEYHOLDER_TWILIO_URL"])
	require.Equal(t, "Keyholder <keyholder@example.com>", *worker.Environment["KEYHOLDER_MAIL_FROM"])
	require.Equal(t, "live", *worker.Environment["KEYHOLDER_OUTBOUND"])
}

// A setting without which the stack would do something else than its operator means is
// asked for, and nothing leaves unless somebody says so.
func TestComposeAsksForWhatIsMissing(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.env")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")}, cli.WithWorkingDirectory(root), cli.WithEnvFiles(empty), cli.WithDotEnv)
	require.NoError(t, err)
	_, err = options.LoadProject(context.Background())
	require.ErrorContains(t, err, "KEYHOLDER_PUBLIC_URL")

	text, err := os.ReadFile(filepath.Join(root, "deploy/compose/env.example"))
	require.NoError(t, err)
	filled := filepath.Join(t.TempDir(), "filled.env")
	require.NoError(t, os.WriteFile(filled, []byte(strings.NewReplacer("_SID=\n", "_SID=AC1\n", "_FROM=\n", "_FROM=+12135550100\n").Replace(string(text))), 0o600))
	options, err = cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")}, cli.WithWorkingDirectory(root), cli.WithEnvFiles(filled), cli.WithDotEnv)
	require.NoError(t, err)
	project, err := options.LoadProject(context.Background())
	require.NoError(t, err)
	require.NotContains(t, project.Services, "sandbox", "without its profile there is no sandbox")
	worker := project.Services["worker"]
	require.Equal(t, "record", *worker.Environment["KEYHOLDER_OUTBOUND"])
	require.Equal(t, "mail", *worker.Environment["KEYHOLDER_SMTP_HOST"])
}

func TestEveryServiceIsBounded(t *testing.T) {
	t.Parallel()
	for name, s := range load(t, "deploy/compose/sandbox.env").Services {
		require.NotNil(t, s.Deploy, name)
		require.NotNil(t, s.Deploy.Resources.Limits, name)
		require.Positive(t, s.Deploy.Resources.Limits.MemoryBytes, "%s has no limit of memory", name)
		require.Positive(t, s.Deploy.Resources.Limits.NanoCPUs, "%s has no limit of processors", name)
		require.Positive(t, s.Deploy.Resources.Limits.Pids, "%s has no limit of processes", name)
		require.Equal(t, "10m", s.Logging.Options["max-size"], "%s keeps logs without end", name)
		if slices.Contains(once, name) {
			require.Equal(t, "on-failure:5", s.Restart, name)
			require.Nil(t, s.HealthCheck, name)
			continue
		}
		require.Equal(t, "unless-stopped", s.Restart, name)
		require.NotNil(t, s.HealthCheck, "%s has no health check", name)
		require.Greater(t, len(s.HealthCheck.Test), 1, name)
	}
}

func TestEveryServiceHasAsFewRightsAsItCan(t *testing.T) {
	t.Parallel()
	writable := []string{"postgresql", "temporal-ui"} // of others, which write where they are
	for name, s := range load(t, "deploy/compose/sandbox.env").Services {
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
		require.Contains(t, s.SecurityOpt, "no-new-privileges:true", name)
		require.False(t, s.Privileged, name)
		require.Equal(t, !slices.Contains(writable, name), s.ReadOnly, name)
		if slices.Contains(ours, name) {
			require.Equal(t, "65532:65532", s.User, name)
		}
		for _, p := range s.Ports {
			require.Equal(t, "127.0.0.1", p.HostIP, "%s can be reached from elsewhere", name)
		}
	}
}

func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	for name, s := range load(t, "deploy/compose/sandbox.env").Services {
		_, tag, _ := strings.Cut(s.Image, ":")
		require.NotEmpty(t, tag, name)
		require.NotEqual(t, "latest", tag, name)
	}
	pins, err := os.ReadFile(filepath.Join(root, "tools/server/go.mod"))
	require.NoError(t, err)
	project := load(t, "deploy/compose/sandbox.env")
	for _, name := range []string{"temporal", "temporal-schema"} {
		_, tag, _ := strings.Cut(project.Services[name].Image, ":")
		require.Contains(t, string(pins), "go.temporal.io/server v"+tag, "make e2e-postgres runs another version of Temporal")
	}
}

// No value that could be a secret stands in an environment: those come as files.
func TestNoSecretStandsInTheEnvironment(t *testing.T) {
	t.Parallel()
	for name, s := range load(t, "deploy/compose/sandbox.env").Services {
		for variable, value := range s.Environment {
			upper := strings.ToUpper(variable)
			secret := false
			for _, word := range []string{"PASSWORD", "PWD", "SECRET", "_KEY", "KEYS", "AUTH_TOKEN", "REFRESH_TOKEN", "STORE_URL", "SUBSCRIBERS_FILE"} {
				secret = secret || strings.Contains(upper, word)
			}
			if !secret || value == nil {
				continue
			}
			require.True(t, strings.HasSuffix(variable, "_FILE"), "%s has %s in its environment", name, variable)
			mounted, ok := strings.CutPrefix(*value, "/run/secrets/")
			require.True(t, ok, "%s: %s", name, variable)
			require.True(t, slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == mounted }), "%s does not get the secret of %s", name, variable)
		}
		for _, c := range s.Secrets {
			used := slices.Contains([]string{"postgresql", "temporal"}, name) // by their scripts
			for _, value := range s.Environment {
				used = used || value != nil && *value == "/run/secrets/"+c.Source
			}
			require.True(t, used, "%s gets the secret %s for nothing", name, c.Source)
		}
	}
}

func TestTheScriptMakesEverySecretOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	run := func(args ...string) string {
		cmd := exec.Command(filepath.Join(root, "deploy/compose/make-secrets"), args...)
		cmd.Env = append(os.Environ(), "SECRETS_DIR="+folder)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	read := func() map[string]string {
		all := map[string]string{}
		for name := range load(t, "deploy/compose/sandbox.env").Secrets {
			text, err := os.ReadFile(filepath.Join(folder, name+".txt"))
			require.NoError(t, err, "the script does not make the secret %s", name)
			all[name] = strings.TrimSpace(string(text))
		}
		return all
	}
	require.Contains(t, run(), "fill in", "without the sandbox the partners' secrets are named")
	first := read()
	require.Empty(t, first["twilio_auth_token"])
	require.Contains(t, first["store_url"], first["store_password"])
	require.Empty(t, run("--sandbox"))
	second := read()
	require.Len(t, second["twilio_auth_token"], 48)
	for name, value := range first {
		if value != "" {
			require.Equal(t, value, second[name], "%s was changed", name)
		}
	}
	made, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, made, len(second), "the script makes what nobody uses")
}

func TestDependenciesCanBeMet(t *testing.T) {
	t.Parallel()
	project := load(t, "deploy/compose/sandbox.env")
	for name, s := range project.Services {
		for on, how := range s.DependsOn {
			require.Contains(t, project.Services, on, name)
			if slices.Contains(once, on) {
				require.Equal(t, types.ServiceConditionCompletedSuccessfully, how.Condition, "%s waits for %s", name, on)
			} else {
				require.Equal(t, types.ServiceConditionHealthy, how.Condition, "%s waits for %s", name, on)
			}
		}
	}
}

func TestEveryFileThatIsMountedIsThere(t *testing.T) {
	t.Parallel()
	for name, s := range load(t, "deploy/compose/sandbox.env").Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			_, err := os.Stat(v.Source)
			require.NoError(t, err, name)
			require.True(t, v.ReadOnly, "%s can write to %s", name, v.Source)
		}
	}
}

func TestEveryVariableIsOneOfTheProgram(t *testing.T) {
	t.Parallel()
	known := variables(t)
	for _, name := range ours {
		for variable := range load(t, "deploy/compose/sandbox.env").Services[name].Environment {
			if strings.HasPrefix(variable, "KEYHOLDER_") {
				require.Contains(t, known, strings.TrimSuffix(variable, "_FILE"), name)
			}
		}
	}
}
