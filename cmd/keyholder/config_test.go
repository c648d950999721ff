package main

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
)

// variables collects the env tags of a configuration and all that it embeds.
func variables(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Struct {
			names = append(names, variables(f.Type)...)
		}
		if tag, _, _ := strings.Cut(f.Tag.Get("env"), ","); tag != "" {
			names = append(names, tag)
		}
	}
	return names
}

func TestTheTableOfVariablesIsComplete(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/reference/configuration.md")
	require.NoError(t, err)
	documented := map[string]bool{}
	for _, name := range regexp.MustCompile("`((?:KEYHOLDER|TEMPORAL)_[A-Z_]+)`").FindAllStringSubmatch(string(doc), -1) {
		documented[name[1]] = true
	}
	for _, cfg := range []any{ingressConfig{}, workerConfig{}, setupConfig{}, codecConfig{}, outboundCommandConfig{}, vendorsConfig{}, engagementConfig{}, sendConfig{}, apiClientConfig{}, sandboxEnv{}} {
		for _, name := range variables(reflect.TypeOf(cfg)) {
			require.True(t, documented[name], "docs/reference/configuration.md does not explain %s", name)
		}
	}
}

func TestEverythingMissingIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := parse[ingressConfig](map[string]string{})
	require.ErrorAs(t, err, new(usageError))
	for _, name := range []string{"KEYHOLDER_STORE_URL", "KEYHOLDER_LINK_KEY", "KEYHOLDER_PUBLIC_URL", "KEYHOLDER_RENTVINE_WEBHOOK_SECRET",
		"KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET", "KEYHOLDER_TWILIO_AUTH_TOKEN"} {
		require.ErrorContains(t, err, name)
	}
	require.NotContains(t, err.Error(), "KEYHOLDER_SMTP_HOST", "the ingress sends no mail")
}

func TestDevNeedsNoVariableAtAll(t *testing.T) {
	t.Parallel()
	defaults := (&dev{flags: devFlags{dataDir: t.TempDir(), smtpPort: devSMTPPort}}).defaults()
	maps.Copy(defaults, (&dev{}).fixed())
	_, err := parse[ingressConfig](defaults)
	require.NoError(t, err)
	worker, err := parse[workerConfig](defaults)
	require.NoError(t, err)
	outbound, err := activities.NewOutbound(worker.Outbound, worker.Allowlist)
	require.NoError(t, err)
	require.NoError(t, worker.validate(outbound))
	_, err = parse[sendConfig](defaults)
	require.NoError(t, err)
}

func TestSetChangesOneField(t *testing.T) {
	t.Parallel()
	body := map[string]any{"data": map[string]any{"priority": "low", "unit_id": "1"}}
	require.NoError(t, set(body, "data.priority=emergency"))
	require.NoError(t, set(body, `data.tenants=["a"]`))
	require.NoError(t, set(body, "event_id=e-1"))
	require.NoError(t, set(body, "data.note=two words"))
	require.Equal(t, map[string]any{
		"event_id": "e-1",
		"data":     map[string]any{"priority": "emergency", "unit_id": "1", "tenants": []any{"a"}, "note": "two words"},
	}, body)
	require.Error(t, set(body, "no assignment"))
}

func TestAShellReadsBackWhatDevWrites(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"plain", "two words", `quo'te`, "Keyholder <a@b.c>", "a&b$c"} {
		require.Equal(t, value, unquoted(quoted(value)))
	}
}

func TestUsageErrorsAreTold(t *testing.T) {
	t.Parallel()
	cmd := root()
	cmd.SetArgs([]string{"send", "rentvine"})
	cmd.SetOut(nil)
	err := cmd.Execute()
	require.ErrorAs(t, err, new(usageError))
}

func TestNonsenseIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	cfg := workerConfig{
		PartnerConfig: PartnerConfig{
			RentVineURL: "nonsense", TwilioFrom: "abc", TwilioURL: "https://api.twilio.com", SMTPTLS: "bogus", SMTPPort: 587, MailFrom: "nobody",
		},
		LinkConfig: LinkConfig{PublicURL: "ftp://x"},
	}
	outbound, err := activities.NewOutbound("live", nil)
	require.NoError(t, err)
	err = cfg.validate(outbound)
	for _, name := range []string{"KEYHOLDER_POLICY", "KEYHOLDER_RENTVINE_URL", "KEYHOLDER_TWILIO_FROM", "KEYHOLDER_SMTP_TLS", "KEYHOLDER_MAIL_FROM", "KEYHOLDER_PUBLIC_URL"} {
		require.ErrorContains(t, err, name)
	}
}
