package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/durable"
)

// environment is one for envconfig.
type environment map[string]string

// Environ is as of os.
func (e environment) Environ() (lines []string) {
	for name, value := range e {
		lines = append(lines, name+"="+value)
	}
	return lines
}

// LookupEnv is as of os.
func (e environment) LookupEnv(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

// Each profile that is given away is read by Temporal's own package, and means what its
// comment says.
func TestProfilesMeanWhatTheySay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, e2e.MakeCertificates(dir))
	text, err := os.ReadFile(filepath.Join(repo, "deploy", "temporal", "temporal.toml"))
	require.NoError(t, err)
	require.Contains(t, string(text), "/etc/keyholder/tls/")
	file := []byte(strings.ReplaceAll(string(text), "/etc/keyholder/tls", dir))
	all, err := envconfig.LoadClientConfig(envconfig.LoadClientConfigOptions{ConfigFileData: file, ConfigFileStrict: true})
	require.NoError(t, err)

	tests := map[string]struct {
		address, namespace, server  string
		tls, certificate, authority bool
		env                         environment
	}{
		"local":         {address: "localhost:7233", namespace: "default"},
		"mtls":          {address: "temporal.example.com:7233", namespace: "keyholder", server: "temporal", tls: true, certificate: true, authority: true},
		"cloud-api-key": {address: "us-east-1.aws.api.temporal.io:7233", namespace: "keyholder.a1b2c", tls: true, env: environment{"TEMPORAL_API_KEY": "a-key"}},
		"cloud-mtls":    {address: "keyholder.a1b2c.tmprl.cloud:7233", namespace: "keyholder.a1b2c", tls: true, certificate: true},
	}
	require.Len(t, all.Profiles, len(tests), "a profile without a test")
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := want.env
			if env == nil {
				env = environment{}
			}
			o, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{
				ConfigFileData: file, ConfigFileProfile: name, ConfigFileStrict: true, EnvLookup: env,
			})
			require.NoError(t, err)
			require.Equal(t, want.address, o.HostPort)
			require.Equal(t, want.namespace, o.Namespace)
			require.Equal(t, want.env["TEMPORAL_API_KEY"] != "", o.Credentials != nil)
			requireTLS(t, o, want.tls, want.certificate, want.authority, want.server)
		})
	}
}

// requireTLS asserts what a connection shows and believes.
func requireTLS(t *testing.T, o client.Options, on, certificate, authority bool, server string) {
	t.Helper()
	if !on {
		require.Nil(t, o.ConnectionOptions.TLS)
		return
	}
	c := o.ConnectionOptions.TLS
	require.NotNil(t, c)
	require.Equal(t, certificate, len(c.Certificates) == 1)
	require.Equal(t, authority, c.RootCAs != nil)
	require.Equal(t, server, c.ServerName)
	require.False(t, c.InsecureSkipVerify)
}

// On Temporal Cloud search attributes are added by hand, from this list.
func TestTheHowToNamesAllSearchAttributes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repo, "docs", "how-to", "temporal-cloud.md"))
	require.NoError(t, err)
	require.Equal(t, len(durable.SearchAttributes()), strings.Count(string(text), "--sa "))
	for name, kind := range durable.SearchAttributes() {
		require.Contains(t, string(text), "--sa "+name+"="+kind.String())
	}
}
