// Package mail sends e-mail over SMTP: one connection and one attempt a message,
// a Message-ID chosen by the caller so that mail systems can collapse repeats
// (design section 3), and errors that say whether a repeat can help.
package mail

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/aictive/keyholder/clients/partner"
)

const defaultTimeout = 30 * time.Second

// TLSPolicy says how the connection is protected.
type TLSPolicy string

// The policies. "" is TLSMandatory.
const (
	// TLSMandatory upgrades by STARTTLS or gives up (usually port 587).
	TLSMandatory TLSPolicy = "mandatory"
	// TLSImplicit speaks TLS from the first byte (usually port 465).
	TLSImplicit TLSPolicy = "implicit"
	// TLSOpportunistic upgrades where the server offers it. An attacker in between
	// can prevent that.
	TLSOpportunistic TLSPolicy = "opportunistic"
	// TLSNone never encrypts: for a server on this machine.
	TLSNone TLSPolicy = "none"
)

// Config is how to reach a mail server.
type Config struct {
	Host string
	Port int
	// Username "" sends without authentication. A password never travels in clear
	// except to this machine.
	Username string
	Password string
	// From is the sender of every message.
	From Address
	// TLS is "" for mandatory.
	TLS TLSPolicy
	// TLSConfig replaces the default of verifying Host against the system's roots.
	TLSConfig *tls.Config
	// Timeout bounds one Send; 30 seconds where zero.
	Timeout time.Duration
	// Observer counts, times and traces what is sent; nil does not.
	Observer *partner.Observer
}

// Client is safe for concurrent use: every Send has its own connection.
type Client struct{ cfg Config }

// New makes a client. It does not connect.
func New(cfg Config) *Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.TLSConfig == nil {
		cfg.TLSConfig = &tls.Config{ServerName: cfg.Host, MinVersion: tls.VersionTLS12}
	}
	return &Client{cfg: cfg}
}

// From is the sender of every message.
func (c *Client) From() Address { return c.cfg.From }

const op = "mail.send"

// Send delivers a message to the mail server, to all recipients or to none. The
// context bounds it from the dial to the last reply. Errors are *partner.Error
// and never hold an address:
//
//   - Invalid: the message is unusable (see Message) or was refused for good (5xx)
//   - Unauthorised: the server wants other credentials
//   - Unavailable: not sent, may work later (4xx, no connection, no TLS)
//   - UnknownOutcome: the whole message was handed over and the reply was lost;
//     sending it again under the same Message-ID is the only remedy
func (c *Client) Send(ctx context.Context, m Message) error {
	msg, err := c.compose(m)
	if err != nil {
		return err
	}
	ctx, call := c.cfg.Observer.Begin(ctx, "mail", op, "SMTP")
	err = c.send(ctx, msg)
	call.End(0, partner.Outcome(err))
	return err
}

func (c *Client) send(ctx context.Context, msg *gomail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	client, err := gomail.NewClient(c.cfg.Host, c.options(ctx)...)
	if err != nil {
		return &partner.Error{Op: op, Kind: partner.Invalid, Message: "the mail server's settings cannot be used"}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return classifyConnect(err)
	}
	if err := client.SendWithSMTPClient(conn, msg); err != nil && !msg.IsDelivered() {
		// Closed rather than quit: the library's QUIT would first end an unfinished
		// message with a dot, and so send half of it.
		_ = conn.Close()
		return classifySend(err)
	}
	// Accepted is accepted, however the parting goes.
	_ = client.CloseWithSMTPClient(conn)
	return nil
}

func (c *Client) options(ctx context.Context) []gomail.Option {
	policy := gomail.NoTLS
	switch c.cfg.TLS {
	case TLSMandatory, "":
		policy = gomail.TLSMandatory
	case TLSOpportunistic:
		policy = gomail.TLSOpportunistic
	case TLSImplicit, TLSNone:
	}
	options := []gomail.Option{
		gomail.WithPort(c.cfg.Port),
		gomail.WithTimeout(c.cfg.Timeout),
		gomail.WithTLSConfig(c.cfg.TLSConfig),
		gomail.WithTLSPolicy(policy),
		gomail.WithDialContextFunc(c.dial(ctx)),
		gomail.WithoutNoop(),
		gomail.WithoutRset(),
	}
	if c.cfg.Username != "" {
		options = append(options, gomail.WithUsername(c.cfg.Username), gomail.WithPassword(c.cfg.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1,
				gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return options
}

// dial ties the connection to the context of the whole Send: the library bounds
// each phase by its own timeout and hears of a cancellation only while dialling.
func (c *Client) dial(ctx context.Context) gomail.DialContextFunc {
	return func(dialCtx context.Context, network, _ string) (net.Conn, error) {
		address := net.JoinHostPort(c.cfg.Host, strconv.Itoa(c.cfg.Port))
		raw, err := (&net.Dialer{}).DialContext(dialCtx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = raw.Close() })
		deadline, _ := ctx.Deadline()
		conn := &boundConn{Conn: raw, limit: deadline}
		if c.cfg.TLS != TLSImplicit {
			return conn, nil
		}
		secure := tls.Client(conn, c.cfg.TLSConfig)
		if err := secure.HandshakeContext(dialCtx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		return secure, nil
	}
}

// boundConn never lets a deadline pass the limit.
type boundConn struct {
	net.Conn
	limit time.Time
}

// SetDeadline is the earlier of t and the limit.
func (c *boundConn) SetDeadline(t time.Time) error {
	if t.IsZero() || t.After(c.limit) {
		t = c.limit
	}
	return c.Conn.SetDeadline(t)
}
