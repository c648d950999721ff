package main

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	netmail "net/mail"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/ingress"
)

func TestSendMail(t *testing.T) {
	t.Parallel()
	url, got := receive(t)
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{
		"KEYHOLDER_PUBLIC_URL": url, "KEYHOLDER_RENTVINE_WEBHOOK_SECRET": "rentvine's", "KEYHOLDER_MAIL_WEBHOOK_SECRET": "newest,older",
	}}
	s := c.run("send", "mail", "--unit", "12", "--from", "Zoë <zoe@example.org>", "--text", "Is it “free”?")
	require.NoError(t, s.failed)
	d := <-got
	require.Equal(t, "/webhooks/mail", d.path)
	require.Equal(t, "message/rfc822", d.header.Get("Content-Type"))
	verifier, err := ingress.NewVerifier(ingress.SourceMail, ingress.Signature{Secrets: secrets([]string{"newest"})})
	require.NoError(t, err)
	_, err = verifier.Verify(d.header, d.body, time.Now())
	require.NoError(t, err)
	m, err := netmail.ReadMessage(bytes.NewReader(d.body))
	require.NoError(t, err)
	require.Equal(t, "leads+12@example.com", m.Header.Get("To"))
	from, err := m.Header.AddressList("From")
	require.NoError(t, err)
	require.Equal(t, netmail.Address{Name: "Zoë", Address: "zoe@example.org"}, *from[0])
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	require.NoError(t, err)
	require.Contains(t, string(text), "Is it “free”?")

	require.ErrorContains(t, c.run("send", "mail").failed, "--unit")
	require.ErrorContains(t, c.run("send", "mail", "--unit", "12", "--from", "nobody").failed, "--from")
}

func TestMailNeedsNoKey(t *testing.T) {
	t.Parallel()
	for leads, wrong := range map[string]bool{"": false, "leads@example.com": false, "leads+1@example.com": true, "Us <a@b.cc>": true, "nowhere": true} {
		v, err := WebhookConfig{LeadsAddress: leads}.mailVerifier()
		require.Equal(t, wrong, err != nil, leads)
		require.Nil(t, v)
	}
	v, err := WebhookConfig{MailSecrets: []string{"a"}}.mailVerifier()
	require.NoError(t, err)
	require.NotNil(t, v)
	_, err = WebhookConfig{MailSecrets: []string{"a"}, MailScheme: "none"}.mailVerifier()
	require.ErrorContains(t, err, "KEYHOLDER_MAIL_WEBHOOK_SECRET")
}
