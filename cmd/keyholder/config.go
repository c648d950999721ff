package main

import (
	"errors"
	"fmt"
	"maps"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/ingress"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/worker"
)

// The groups of environment variables. A command embeds those that it uses, so
// that it asks for no others; docs/reference/configuration.md has the table, which a test
// compares with these tags. They are exported because the parser fills in exported
// fields only. Temporal's own TEMPORAL_* variables are read by its
// envconfig package.
type (
	LogConfig struct {
		Level  string `env:"KEYHOLDER_LOG_LEVEL" envDefault:"info"`
		Format string `env:"KEYHOLDER_LOG_FORMAT" envDefault:"json"`
	}
	PayloadConfig struct {
		PayloadKeys string `env:"KEYHOLDER_PAYLOAD_KEYS"`
	}
	StoreConfig struct {
		StoreURL string `env:"KEYHOLDER_STORE_URL,required,notEmpty"`
	}
	BlobConfig struct {
		BlobURL string `env:"KEYHOLDER_BLOB_URL,required,notEmpty"`
	}
	LinkConfig struct {
		LinkKey string `env:"KEYHOLDER_LINK_KEY,required,notEmpty"`
		// LinkSigningKeys sign links in place of LinkKey, newest first.
		LinkSigningKeys []string `env:"KEYHOLDER_LINK_SIGNING_KEYS"`
		PublicURL       string   `env:"KEYHOLDER_PUBLIC_URL,required,notEmpty"`
	}
	WebhookConfig struct {
		RentVineSecrets  []string `env:"KEYHOLDER_RENTVINE_WEBHOOK_SECRET,required,notEmpty"`
		RentVineScheme   string   `env:"KEYHOLDER_RENTVINE_SIGNATURE_SCHEME"`
		OpenMooveSecrets []string `env:"KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET,required,notEmpty"`
		MailSecrets      []string `env:"KEYHOLDER_MAIL_WEBHOOK_SECRET"`
		MailScheme       string   `env:"KEYHOLDER_MAIL_SIGNATURE_SCHEME"`
		LeadsAddress     string   `env:"KEYHOLDER_LEADS_ADDRESS"`
		PerSecond        float64  `env:"KEYHOLDER_WEBHOOKS_PER_SECOND" envDefault:"200"`
	}
	APIConfig struct {
		APIKeys []string `env:"KEYHOLDER_API_KEY"`
	}
	TwilioTokens struct {
		TwilioAuthTokens []string `env:"KEYHOLDER_TWILIO_AUTH_TOKEN,required,notEmpty"`
	}
	AddressConfig struct {
		Address        string `env:"KEYHOLDER_INGRESS_ADDR" envDefault:":8080"`
		MetricsAddress string `env:"KEYHOLDER_METRICS_ADDR" envDefault:":9090"`
	}
	PartnerConfig struct {
		RentVineURL       string `env:"KEYHOLDER_RENTVINE_URL,required,notEmpty"`
		RentVineAccessKey string `env:"KEYHOLDER_RENTVINE_ACCESS_KEY,required,notEmpty"`
		RentVineAPISecret string `env:"KEYHOLDER_RENTVINE_API_SECRET,required,notEmpty"`

		OpenMooveURL    string `env:"KEYHOLDER_OPENMOOVE_URL,required,notEmpty"`
		OpenMooveKey    string `env:"KEYHOLDER_OPENMOOVE_API_KEY,required,notEmpty"`
		OpenMooveLimits string `env:"KEYHOLDER_OPENMOOVE_LIMITS" envDefault:"100/1m,1000/1h"`

		TwilioAccountSID string `env:"KEYHOLDER_TWILIO_ACCOUNT_SID,required,notEmpty"`
		TwilioFrom       string `env:"KEYHOLDER_TWILIO_FROM"`
		TwilioService    string `env:"KEYHOLDER_TWILIO_MESSAGING_SERVICE_SID"`
		TwilioURL        string `env:"KEYHOLDER_TWILIO_URL" envDefault:"https://api.twilio.com"`

		SMTPHost     string `env:"KEYHOLDER_SMTP_HOST,required,notEmpty"`
		SMTPPort     int    `env:"KEYHOLDER_SMTP_PORT" envDefault:"587"`
		SMTPUsername string `env:"KEYHOLDER_SMTP_USERNAME"`
		SMTPPassword string `env:"KEYHOLDER_SMTP_PASSWORD"`
		SMTPTLS      string `env:"KEYHOLDER_SMTP_TLS" envDefault:"mandatory"`
		MailFrom     string `env:"KEYHOLDER_MAIL_FROM,required,notEmpty"`
	}
	ModelConfig struct {
		LLMURL   string `env:"KEYHOLDER_LLM_URL" envDefault:"https://api.openai.com/v1"`
		LLMKey   string `env:"KEYHOLDER_LLM_KEY"`
		LLMModel string `env:"KEYHOLDER_LLM_MODEL"`
	}
	OutboundConfig struct {
		Outbound  string   `env:"KEYHOLDER_OUTBOUND" envDefault:"record"`
		Allowlist []string `env:"KEYHOLDER_OUTBOUND_ALLOWLIST"`
	}
	PolicyConfig struct {
		Policy string `env:"KEYHOLDER_POLICY"`
	}
	SpendConfig struct {
		QuickBooksURL          string `env:"KEYHOLDER_QUICKBOOKS_URL" envDefault:"https://quickbooks.api.intuit.com"`
		QuickBooksTokenURL     string `env:"KEYHOLDER_QUICKBOOKS_TOKEN_URL" envDefault:"https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"`
		QuickBooksClientID     string `env:"KEYHOLDER_QUICKBOOKS_CLIENT_ID"`
		QuickBooksClientSecret string `env:"KEYHOLDER_QUICKBOOKS_CLIENT_SECRET"`
		QuickBooksRealm        string `env:"KEYHOLDER_QUICKBOOKS_REALM"`
		QuickBooksRefresh      string `env:"KEYHOLDER_QUICKBOOKS_REFRESH_TOKEN"`
		QuickBooksAccount      string `env:"KEYHOLDER_QUICKBOOKS_ACCOUNT" envDefault:"Repairs & Maintenance"`
		QuickBooksPerMinute    int    `env:"KEYHOLDER_QUICKBOOKS_PER_MINUTE" envDefault:"500"`
		TokenKeys              string `env:"KEYHOLDER_TOKEN_KEY"`
		Inventory              string `env:"KEYHOLDER_INVENTORY"`
	}
	SubscriberConfig struct {
		Subscribers      string         `env:"KEYHOLDER_SUBSCRIBERS"`
		SubscribersAllow []netip.Prefix `env:"KEYHOLDER_SUBSCRIBERS_ALLOW"`
	}
	TuningConfig struct {
		WorkerSlots string `env:"KEYHOLDER_WORKER_SLOTS" envDefault:"fixed"`
		// StickyCache is 0 where the memory decides.
		StickyCache int `env:"KEYHOLDER_STICKY_CACHE" envDefault:"0"`
	}
	BuildConfig struct {
		BuildID    string `env:"KEYHOLDER_BUILD_ID"`
		Deployment string `env:"KEYHOLDER_DEPLOYMENT" envDefault:"keyholder"`
		// What Temporal's worker controller for Kubernetes gives to its pods.
		ControllerBuildID    string `env:"TEMPORAL_WORKER_BUILD_ID"`
		ControllerDeployment string `env:"TEMPORAL_DEPLOYMENT_NAME"`
	}
)

// The configurations of the commands.
type (
	ingressConfig struct {
		LogConfig
		PayloadConfig
		StoreConfig
		BlobConfig
		LinkConfig
		WebhookConfig
		TwilioTokens
		APIConfig
		AddressConfig
		PolicyConfig
	}
	workerConfig struct {
		LogConfig
		PayloadConfig
		StoreConfig
		BlobConfig
		LinkConfig
		TwilioTokens
		PartnerConfig
		ModelConfig
		OutboundConfig
		PolicyConfig
		SpendConfig
		SubscriberConfig
		TuningConfig
		BuildConfig
		MetricsAddress string `env:"KEYHOLDER_METRICS_ADDR" envDefault:":9090"`
	}
	setupConfig struct {
		LogConfig
		PayloadConfig
	}
	schedulesConfig struct {
		LogConfig
		PayloadConfig
		PolicyConfig
		StoreURL string `env:"KEYHOLDER_STORE_URL"`
	}
	codecConfig struct {
		LogConfig
		PayloadKeys  string   `env:"KEYHOLDER_PAYLOAD_KEYS,required,notEmpty"`
		CodecToken   string   `env:"KEYHOLDER_CODEC_TOKEN"`
		CodecOrigins []string `env:"KEYHOLDER_CODEC_ORIGINS" envDefault:"http://localhost:8233"`
	}
	outboundCommandConfig struct {
		StoreConfig
	}
	vendorsConfig struct {
		StoreConfig
		PolicyConfig
		RentVineURL       string `env:"KEYHOLDER_RENTVINE_URL"`
		RentVineAccessKey string `env:"KEYHOLDER_RENTVINE_ACCESS_KEY"`
		RentVineAPISecret string `env:"KEYHOLDER_RENTVINE_API_SECRET"`
	}
	engagementConfig struct {
		StoreConfig
	}
	proveConfig struct {
		StoreConfig
		PayloadConfig
		PolicyConfig
		LinkKey           string   `env:"KEYHOLDER_LINK_KEY"`
		LinkSigningKeys   []string `env:"KEYHOLDER_LINK_SIGNING_KEYS"`
		RentVineURL       string   `env:"KEYHOLDER_RENTVINE_URL"`
		RentVineAccessKey string   `env:"KEYHOLDER_RENTVINE_ACCESS_KEY"`
		RentVineAPISecret string   `env:"KEYHOLDER_RENTVINE_API_SECRET"`
	}
	apiClientConfig struct {
		APIKeys   []string `env:"KEYHOLDER_API_KEY,required,notEmpty"`
		APIURL    string   `env:"KEYHOLDER_API_URL"`
		PublicURL string   `env:"KEYHOLDER_PUBLIC_URL"`
	}
	sendConfig struct {
		RentVineSecrets  []string `env:"KEYHOLDER_RENTVINE_WEBHOOK_SECRET,required,notEmpty"`
		RentVineScheme   string   `env:"KEYHOLDER_RENTVINE_SIGNATURE_SCHEME"`
		OpenMooveSecrets []string `env:"KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET"`
		MailSecrets      []string `env:"KEYHOLDER_MAIL_WEBHOOK_SECRET"`
		MailScheme       string   `env:"KEYHOLDER_MAIL_SIGNATURE_SCHEME"`
		PublicURL        string   `env:"KEYHOLDER_PUBLIC_URL,required,notEmpty"`
		RentVineURL      string   `env:"KEYHOLDER_RENTVINE_URL"`
		UIURL            string   `env:"KEYHOLDER_TEMPORAL_UI_URL"`
	}
)

// parse reads a configuration and names everything that is missing or wrong at
// once.
func parse[C any](environment map[string]string) (C, error) {
	environment, err := withFiles[C](environment)
	if err != nil {
		return *new(C), err
	}
	cfg, err := env.ParseAsWithOptions[C](env.Options{Environment: environment})
	if err == nil {
		return cfg, nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return cfg, usageError{err}
	}
	lines := make([]string, 0, len(all.Errors))
	for _, e := range all.Errors {
		lines = append(lines, "  "+e.Error())
	}
	return cfg, usageError{fmt.Errorf("the environment is not complete (docs/reference/configuration.md has the table; \"keyholder dev\" needs none):\n%s", strings.Join(lines, "\n"))}
}

// environ is the process environment, over the settings that a running
// "keyholder dev" wrote for the commands beside it.
func environ(file string) map[string]string {
	merged := map[string]string{}
	if text, err := os.ReadFile(file); file != "" && err == nil {
		for _, line := range strings.Split(string(text), "\n") {
			if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
				merged[name] = unquoted(value)
			}
		}
	}
	own := env.ToMap(os.Environ())
	for name := range own {
		delete(merged, strings.TrimSuffix(name, fileSuffix))
	}
	maps.Copy(merged, own)
	return merged
}

// unquoted undoes quoted.
func unquoted(value string) string {
	if inner, ok := strings.CutPrefix(value, "'"); ok {
		return strings.ReplaceAll(strings.TrimSuffix(inner, "'"), `'\''`, "'")
	}
	return value
}

// validate finds the settings that are there and make no sense, all at once.
func (c workerConfig) validate(outbound activities.Outbound) error {
	var errs []error
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, a...))
		}
	}
	refuse(c.Policy == "" && outbound.Mode != activities.OutboundRecord,
		"set KEYHOLDER_POLICY to your policy file: the built-in one names the sandbox's invented people, and KEYHOLDER_OUTBOUND is %s", outbound.Mode)
	refuse((c.TwilioFrom == "") == (c.TwilioService == ""), "set one of KEYHOLDER_TWILIO_FROM and KEYHOLDER_TWILIO_MESSAGING_SERVICE_SID")
	refuse(c.TwilioFrom != "" && !regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`).MatchString(c.TwilioFrom),
		"KEYHOLDER_TWILIO_FROM must be a number in E.164 form, such as +12135550100")
	_, err := netmail.ParseAddress(c.MailFrom)
	refuse(err != nil, "KEYHOLDER_MAIL_FROM must be an address such as \"Keyholder <office@example.com>\"")
	for name, text := range map[string]string{
		"KEYHOLDER_RENTVINE_URL": c.RentVineURL, "KEYHOLDER_OPENMOOVE_URL": c.OpenMooveURL, "KEYHOLDER_TWILIO_URL": c.TwilioURL, "KEYHOLDER_PUBLIC_URL": c.PublicURL,
		"KEYHOLDER_LLM_URL": c.LLMURL,
	} {
		u, err := url.Parse(text)
		refuse(err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "", "%s must be an http or https address", name)
	}
	refuse(c.LLMKey != "" && c.LLMModel == "", "set KEYHOLDER_LLM_MODEL to the name of a model at KEYHOLDER_LLM_URL, or leave KEYHOLDER_LLM_KEY out: then the rules decide")
	_, limitsErr := parseLimits(c.OpenMooveLimits)
	refuse(limitsErr != nil, "KEYHOLDER_OPENMOOVE_LIMITS: %v", limitsErr)
	refuse(c.StickyCache < 0, "KEYHOLDER_STICKY_CACHE must not be below 0; 0 lets the memory decide")
	slots := []worker.Slots{worker.SlotsFixed, worker.SlotsResource}
	refuse(!slices.Contains(slots, worker.Slots(c.WorkerSlots)), "KEYHOLDER_WORKER_SLOTS must be one of %v", slots)
	refuse(c.QuickBooksPerMinute < 0, "KEYHOLDER_QUICKBOOKS_PER_MINUTE must be above 0")
	tls := []mail.TLSPolicy{mail.TLSMandatory, mail.TLSImplicit, mail.TLSOpportunistic, mail.TLSNone}
	refuse(!slices.Contains(tls, mail.TLSPolicy(c.SMTPTLS)), "KEYHOLDER_SMTP_TLS must be one of %v", tls)
	refuse(c.SMTPPort < 1 || c.SMTPPort > 65535, "KEYHOLDER_SMTP_PORT must be from 1 to 65535")
	return errors.Join(errs...)
}

// mailVerifier verifies the mail that is handed on, nil where there is no key: then none is
// taken.
func (c WebhookConfig) mailVerifier() (*ingress.Verifier, error) {
	if _, err := netmail.ParseAddress(c.LeadsAddress); c.LeadsAddress != "" && (err != nil || strings.ContainsAny(c.LeadsAddress, " <>+")) {
		return nil, errors.New("KEYHOLDER_LEADS_ADDRESS must be an address such as leads@example.com, without a plus")
	}
	if len(c.MailSecrets) == 0 {
		return nil, nil
	}
	v, err := ingress.NewVerifier(ingress.SourceMail, ingress.Signature{Scheme: c.MailScheme, Secrets: secrets(c.MailSecrets)})
	if err != nil {
		return nil, fmt.Errorf("KEYHOLDER_MAIL_WEBHOOK_SECRET: %w", err)
	}
	return v, nil
}

// linkKeys reads the keys of links. Signing keys that are too short to be secret are
// refused, and so are empty ones: a stray comma would be a key that all know.
func linkKeys(secret string, signing []string) (store.Keys, error) {
	const most, shortest = 8, 16
	if len(signing) > most {
		return store.Keys{}, usageError{fmt.Errorf("KEYHOLDER_LINK_SIGNING_KEYS has %d keys; keep the newest %d at most", len(signing), most)}
	}
	trimmed := make([]string, 0, len(signing))
	for i, key := range signing {
		key = strings.TrimSpace(key)
		if len(key) < shortest {
			return store.Keys{}, usageError{fmt.Errorf("KEYHOLDER_LINK_SIGNING_KEYS: key %d has fewer than %d characters; make one with openssl rand -hex 32", i+1, shortest)}
		}
		trimmed = append(trimmed, key)
	}
	return store.NewKeys(secret, trimmed...), nil
}

func secrets(values []string) []ingress.Secret {
	var list []ingress.Secret
	for _, v := range values {
		list = append(list, ingress.Secret{Value: strings.TrimSpace(v)})
	}
	return list
}

// parseLimits reads limits of calls such as "100/1m,1000/1h".
func parseLimits(text string) ([]store.Limit, error) {
	var limits []store.Limit
	for part := range strings.SplitSeq(text, ",") {
		calls, window, _ := strings.Cut(strings.TrimSpace(part), "/")
		n, errCalls := strconv.Atoi(calls)
		d, errWindow := time.ParseDuration(window)
		if errCalls != nil || errWindow != nil || n < 1 || d < time.Second {
			return nil, fmt.Errorf("%q is not a number of calls and a time of at least 1s, such as 100/1m", part)
		}
		limits = append(limits, store.Limit{Calls: n, Window: d})
	}
	return limits, nil
}
