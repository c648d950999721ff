package main

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/workflows/durable"
)

// The development settings of the stand-ins: known to everybody, worth nothing.
const (
	devRentVineKey      = "rv_dev"
	devRentVineSecret   = "rv_dev_secret"
	devRentVineWebhook  = "dev-rentvine-webhook-secret"
	devOpenMooveKey     = "om_dev"
	devOpenMooveWebhook = "dev-openmoove-webhook-secret"
	devMailWebhook      = "dev-mail-webhook-secret"
	devTwilioAccount    = "AC00000000000000000000000000000001"
	devTwilioToken      = "dev-twilio-token"
	devTwilioNumber     = "+12135550100"
	devLinkKey          = "dev-link-key"
	devSubscriberSecret = "whsec_ZGV2LXN1YnNjcmliZXItc2VjcmV0LW9mLWFsbCEhISE="
	devSandboxPort      = 8090
	devSMTPPort         = 1025
	devIngressPort      = 8080
	devMetricsPort      = 9090
	devTemporalPort     = 7233
	devUIPort           = 8233
	sandboxWebhookHelp  = "KEYHOLDER_RENTVINE_WEBHOOK_SECRET, KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET, KEYHOLDER_TWILIO_AUTH_TOKEN and KEYHOLDER_TWILIO_ACCOUNT_SID"
	loopbackHost        = "127.0.0.1"
	outboundInDev       = "live"
	mailFromInDev       = "Keyholder <keyholder@example.com>"
	leadsAddressInDev   = "leads@example.com"
	sandboxRentVinePath = "/rentvine/api/manager"
	sandboxTwilioPath   = "/twilio"

	sandboxOpenMoovePath = "/openmoove/api/v1/partners"

	devQuickBooksID        = "qb_dev"
	devQuickBooksSecret    = "qb_dev_secret"
	devQuickBooksRealm     = "9130000000000001"
	devQuickBooksRefresh   = "qb_dev_refresh_token"
	devTokenKey            = "ZGV2LXRva2VuLWtleS13b3J0aC1ub3RoaW5nLWF0LWE=" // 32 bytes
	sandboxQuickBooksPath  = "/quickbooks"
	sandboxQuickBooksToken = "/quickbooks/oauth2/v1/tokens/bearer"
	sandboxInventoryPath   = "/inventory.csv"
)

// sandboxEnv is what the sandbox command may be told; all of it has development
// defaults, because nothing in it is real.
type sandboxEnv struct {
	LogConfig
	WebhookSecret string `env:"KEYHOLDER_RENTVINE_WEBHOOK_SECRET" envDefault:"dev-rentvine-webhook-secret"`
	TwilioToken   string `env:"KEYHOLDER_TWILIO_AUTH_TOKEN" envDefault:"dev-twilio-token"`
	TwilioAccount string `env:"KEYHOLDER_TWILIO_ACCOUNT_SID" envDefault:"AC00000000000000000000000000000001"`
	TwilioNumber  string `env:"KEYHOLDER_TWILIO_FROM" envDefault:"+12135550100"`
	RentVineKey   string `env:"KEYHOLDER_RENTVINE_ACCESS_KEY" envDefault:"rv_dev"`
	RentVineAPI   string `env:"KEYHOLDER_RENTVINE_API_SECRET" envDefault:"rv_dev_secret"`
	PublicURL     string `env:"KEYHOLDER_PUBLIC_URL" envDefault:"http://127.0.0.1:8080"`
	Policy        string `env:"KEYHOLDER_POLICY"`

	SubscriberSecret string `env:"KEYHOLDER_SANDBOX_SUBSCRIBER_SECRET" envDefault:"whsec_ZGV2LXN1YnNjcmliZXItc2VjcmV0LW9mLWFsbCEhISE="`

	QuickBooksID      string `env:"KEYHOLDER_QUICKBOOKS_CLIENT_ID" envDefault:"qb_dev"`
	QuickBooksSecret  string `env:"KEYHOLDER_QUICKBOOKS_CLIENT_SECRET" envDefault:"qb_dev_secret"`
	QuickBooksRealm   string `env:"KEYHOLDER_QUICKBOOKS_REALM" envDefault:"9130000000000001"`
	QuickBooksRefresh string `env:"KEYHOLDER_QUICKBOOKS_REFRESH_TOKEN" envDefault:"qb_dev_refresh_token"`
	QuickBooksMinute  int    `env:"KEYHOLDER_QUICKBOOKS_PER_MINUTE" envDefault:"500"`

	OpenMooveKey     string `env:"KEYHOLDER_OPENMOOVE_API_KEY" envDefault:"om_dev"`
	OpenMooveWebhook string `env:"KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET" envDefault:"dev-openmoove-webhook-secret"`
	OpenMooveLimits  string `env:"KEYHOLDER_OPENMOOVE_LIMITS" envDefault:"100/1m,1000/1h"`
}

func sandboxCommand() *cobra.Command {
	var port, smtpPort int
	var bind, ingressURL, stateFile string
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Imitate RentVine, OpenMoove, Twilio, QuickBooks and a mail server, with a page to look at",
		Long: `Runs the stand-ins of the partners on this machine: real HTTP and SMTP, their
signatures, traps and faults. The page at / shows phones, mails and records.
It signs with the first of ` + sandboxWebhookHelp + `.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[sandboxEnv](environ(""))
			if err != nil {
				return err
			}
			log, err := cfg.logger()
			if err != nil {
				return err
			}
			if ingressURL == "" {
				ingressURL = cfg.PublicURL
			}
			s, err := newSandbox(cfg, sandboxAddress{bind, port, smtpPort}, ingressURL, stateFile, durable.Clock{}, log)
			if err != nil {
				return err
			}
			if err := s.Start(cmd.Context()); err != nil {
				return err
			}
			log.Info("sandbox ready", zap.String("http", s.HTTPAddr()), zap.String("smtp", s.SMTPAddr()))
			<-cmd.Context().Done()
			return closeSandbox(s)
		},
	}
	cmd.Flags().IntVar(&port, "sandbox-port", devSandboxPort, "port of the partners and the page")
	cmd.Flags().IntVar(&smtpPort, "smtp-port", devSMTPPort, "port of the mail server")
	cmd.Flags().StringVar(&bind, "bind", loopbackHost, "where to listen; beyond this machine only in a network of your own, as it lets in everybody")
	cmd.Flags().StringVar(&ingressURL, "ingress", "", "where webhooks are posted (default KEYHOLDER_PUBLIC_URL)")
	cmd.Flags().StringVar(&stateFile, "state", "", "file that keeps texts, mails and records over a restart (default: none)")
	return cmd
}

// sandboxAddress is where a sandbox listens.
type sandboxAddress struct {
	host           string
	port, smtpPort int
}

// newSandbox signs with the first of several secrets: the newest.
func newSandbox(cfg sandboxEnv, at sandboxAddress, ingressURL, stateFile string, clock durable.Clock, log *zap.Logger) (*sandbox.Sandbox, error) {
	rules, err := policy.Load(cfg.Policy)
	if err != nil {
		return nil, usageError{err}
	}
	webhookSecret, _, _ := strings.Cut(cfg.WebhookSecret, ",")
	openMooveSecret, _, _ := strings.Cut(cfg.OpenMooveWebhook, ",")
	twilioToken, _, _ := strings.Cut(cfg.TwilioToken, ",")
	people := map[string]string{}
	for _, p := range rules.People() {
		people[p.Phone] = p.Name
	}
	return sandbox.New(sandbox.Config{
		HTTPAddr: net.JoinHostPort(at.host, strconv.Itoa(at.port)), SMTPAddr: net.JoinHostPort(at.host, strconv.Itoa(at.smtpPort)),
		IngressURL: ingressURL, PublicURL: cfg.PublicURL, RentVineWebhookSecret: webhookSecret,
		TwilioAuthToken: twilioToken, TwilioAccountSID: cfg.TwilioAccount, TwilioNumber: cfg.TwilioNumber,
		RentVineKey: cfg.RentVineKey, RentVineSecret: cfg.RentVineAPI, People: people,
		OpenMooveKey: cfg.OpenMooveKey, OpenMooveWebhookSecret: openMooveSecret, OpenMooveLimits: cfg.OpenMooveLimits, BusinessNow: clock.Now,
		QuickBooksID: cfg.QuickBooksID, QuickBooksSecret: cfg.QuickBooksSecret, QuickBooksRealm: cfg.QuickBooksRealm, QuickBooksRefresh: cfg.QuickBooksRefresh,
		QuickBooksPerMinute: cfg.QuickBooksMinute,
		SubscriberSecret:    cfg.SubscriberSecret, StateFile: stateFile, Log: log.Named("sandbox"),
	})
}

// closeSandbox gives requests under way a second. Then they are broken off, as a
// partner might do it: browsers hold connections open that carry nothing, and
// nobody should wait for those.
func closeSandbox(s *sandbox.Sandbox) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
