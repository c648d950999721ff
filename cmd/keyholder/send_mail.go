package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/ingress"
)

// prospectMail is a mail of somebody who asks about a home.
type prospectMail struct{ unit, from, replyTo, subject, text string }

func sendMailCommand() *cobra.Command {
	var in prospectMail
	var target, dataDir string
	cmd := &cobra.Command{
		Use:   "mail",
		Short: "Post a prospect's mail about a home, as a mail server would",
		Long: `Makes a mail to leads+UNIT@example.com, signs it and posts it to the ingress at
/webhooks/mail. The home must be listed. A portal's mail says the prospect's address in
its text, and none in --from: --from "Zillow <no-reply@zillow.com>".`,
		Example: `  keyholder send mail --unit 1 --from "Ana Perez <ana@example.org>" --text "Is it still free?"`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[sendConfig](environ(envFile(dataDir)))
			if err != nil {
				return err
			}
			if target != "" {
				cfg.PublicURL = target
			}
			return sendMail(cmd.Context(), cfg, in)
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.unit, "unit", "", "unitID at RentVine")
	f.StringVar(&in.from, "from", "Ana Perez <ana@example.org>", "who writes")
	f.StringVar(&in.replyTo, "reply-to", "", "who is to be answered, where that is somebody else")
	f.StringVar(&in.subject, "subject", "Is this home still available?", "the subject")
	f.StringVar(&in.text, "text", "Hello, I would like to see this home.", "what is written")
	f.StringVar(&target, "url", "", "the ingress (default KEYHOLDER_PUBLIC_URL)")
	f.StringVar(&dataDir, "data", defaultData, "data folder of a running \"keyholder dev\"")
	return cmd
}

func sendMail(ctx context.Context, cfg sendConfig, in prospectMail) error {
	verifier, err := ingress.NewVerifier(ingress.SourceMail, ingress.Signature{Scheme: cfg.MailScheme, Secrets: secrets(cfg.MailSecrets)})
	if err != nil {
		return usageError{fmt.Errorf("KEYHOLDER_MAIL_WEBHOOK_SECRET: %w", err)}
	}
	raw, err := in.message(time.Now())
	if err != nil {
		return usageError{err}
	}
	headers := http.Header{"Content-Type": {"message/rfc822"}}
	if err := verifier.Sign(headers, raw, uuid.NewString(), time.Now()); err != nil {
		return usageError{err}
	}
	got, err := post(ctx, "ingress", strings.TrimRight(cfg.PublicURL, "/")+"/webhooks/"+ingress.SourceMail, raw, headers)
	if err != nil {
		return err
	}
	out("%s %s", got.status, got.body)
	if got.code >= http.StatusBadRequest {
		return fmt.Errorf("the ingress answered %s", got.status)
	}
	printLink(cfg, got.body)
	return nil
}

// message is the mail as it travels.
func (m prospectMail) message(now time.Time) ([]byte, error) {
	if m.unit == "" || strings.ContainsAny(m.unit, "@ \r\n") {
		return nil, errors.New("give the --unit that the mail is about, such as 1")
	}
	from, err := netmail.ParseAddress(m.from)
	if err != nil {
		return nil, errors.New("--from must be an address such as \"Ana Perez <ana@example.org>\"")
	}
	var b bytes.Buffer
	line := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	line("From", from.String())
	if m.replyTo != "" {
		reply, err := netmail.ParseAddress(m.replyTo)
		if err != nil {
			return nil, errors.New("--reply-to must be an address such as \"Ana Perez <ana@example.org>\"")
		}
		line("Reply-To", reply.String())
	}
	line("To", "leads+"+m.unit+"@example.com")
	line("Subject", mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(m.subject), " ")))
	line("Date", now.Format(time.RFC1123Z))
	line("Message-ID", "<"+uuid.NewString()+"@example.org>")
	line("MIME-Version", "1.0")
	line("Content-Type", "text/plain; charset=utf-8")
	line("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	if _, err := body.Write([]byte(m.text + "\n")); err != nil {
		return nil, err
	}
	return b.Bytes(), body.Close()
}
