package quickbooks

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

// DefaultTokenURL is where Intuit gives tokens.
const DefaultTokenURL = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"

const opRefresh = "quickbooks.refresh_token"

const (
	// lockFor is longer than a refresh takes: the call and the write of its result.
	lockFor = 30 * time.Second
	// lookAgain is the pause of who waits for another process's refresh.
	lookAgain = 100 * time.Millisecond
	// waitFor bounds that wait.
	waitFor = 15 * time.Second
	// swapFor bounds the write of a new token, which the caller's end must not stop.
	swapFor = 5 * time.Second
)

// TokenStore keeps the tokens of one company over restarts, for all processes.
type TokenStore interface {
	// Load returns what is kept and its version, nil and 0 where there is nothing.
	Load(ctx context.Context) (value []byte, version int64, err error)
	// Swap replaces it where its version is still the one given.
	Swap(ctx context.Context, version int64, value []byte) (won bool, err error)
	// Lock lets one process at a time refresh, for as long as it says; Unlock ends that.
	Lock(ctx context.Context, most time.Duration) (got bool, err error)
	Unlock(ctx context.Context) error
}

// OAuthConfig says how tokens are refreshed.
type OAuthConfig struct {
	// TokenURL is DefaultTokenURL where "".
	TokenURL               string
	ClientID, ClientSecret string
	// RefreshToken is the first one, as the authorisation gave it. Another one than
	// before begins anew: somebody has authorised the app again.
	RefreshToken string
	Store        TokenStore
	// HTTP holds the call's limits; its zero value is right outside tests.
	HTTP partner.HTTPConfig
}

// Tokens is the OAuth of one company (contracts/sms-and-accounting.md section 2). The
// refresh token rolls: the newest is stored before the access token that came with it
// is used, and one process at a time refreshes. It is safe for concurrent use.
type Tokens struct {
	cfg    OAuthConfig
	seed   string
	http   *partner.HTTP
	header http.Header
	// refreshing holds an entry while this process refreshes.
	refreshing chan struct{}
	refreshes  refreshes

	mu   sync.Mutex
	last kept
}

// kept is what the store holds. Times are real.
type kept struct {
	Access string `json:"access"`
	// UseUntil is a little before the access token's end.
	UseUntil time.Time `json:"use_until"`
	Refresh  string    `json:"refresh"`
	// RefreshUntil is when the refresh token ends, zero where nobody has said.
	RefreshUntil time.Time `json:"refresh_until,omitzero"`
	// Seed is the digest of the first refresh token.
	Seed string `json:"seed"`
}

var _ TokenSource = (*Tokens)(nil)

// NewTokens prepares the tokens of a company. It calls nobody yet.
func NewTokens(cfg OAuthConfig) *Tokens {
	cfg.TokenURL = cmp.Or(cfg.TokenURL, DefaultTokenURL)
	limits := cfg.HTTP
	limits.Name, limits.Explain = "quickbooks", explainToken
	limits.MaxReply = cmp.Or(limits.MaxReply, 64<<10)
	auth := &http.Request{Header: http.Header{}}
	auth.SetBasicAuth(cfg.ClientID, cfg.ClientSecret)
	seed := sha256.Sum256([]byte(cfg.RefreshToken))
	return &Tokens{
		cfg: cfg, seed: hex.EncodeToString(seed[:]), http: partner.NewHTTP(limits), header: auth.Header, refreshing: make(chan struct{}, 1),
		refreshes: newRefreshes(),
	}
}

// Close closes idle connections.
func (t *Tokens) Close() { t.http.CloseIdleConnections() }

// Token is the access token to use now. Errors are *partner.Error or the store's;
// Unauthorised says that somebody has to authorise the app again.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	t.mu.Lock()
	last := t.last
	t.mu.Unlock()
	if last.good("") {
		return last.Access, nil
	}
	return t.renew(ctx, "")
}

// Renew is another access token than used, which was refused. Errors are those of
// Token.
func (t *Tokens) Renew(ctx context.Context, used string) (string, error) {
	return t.renew(ctx, used)
}

// good tells whether the token may be used in place of one that was refused.
func (k kept) good(refused string) bool {
	return k.Access != "" && k.Access != refused && time.Now().Before(k.UseUntil)
}

// renew takes the token that another caller or process has stored meanwhile, or asks
// for the next one.
func (t *Tokens) renew(ctx context.Context, refused string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	busy := func(cause error) error {
		return &partner.Error{Op: opRefresh, Kind: partner.Unavailable, Message: "another refresh takes too long", RetryAfter: lookAgain, Cause: cause}
	}
	select {
	case t.refreshing <- struct{}{}:
		defer func() { <-t.refreshing }()
	case <-ctx.Done():
		return "", busy(ctx.Err())
	}
	for {
		if stored, _, err := t.load(ctx); err != nil {
			return "", err
		} else if stored.good(refused) {
			return t.use(stored), nil
		}
		got, err := t.cfg.Store.Lock(ctx, lockFor)
		if err != nil {
			return "", err
		}
		if got {
			return t.locked(ctx, refused)
		}
		timer := time.NewTimer(lookAgain)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", busy(ctx.Err())
		}
	}
}

func (t *Tokens) use(k kept) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = k
	return k.Access
}

// load reads what is kept; what another authorisation left counts as nothing.
func (t *Tokens) load(ctx context.Context) (kept, int64, error) {
	value, version, err := t.cfg.Store.Load(ctx)
	if err != nil {
		return kept{}, 0, err
	}
	var k kept
	if version > 0 && json.Unmarshal(value, &k) != nil {
		k = kept{}
	}
	if k.Seed != t.seed {
		k = kept{Refresh: t.cfg.RefreshToken, Seed: t.seed}
	}
	return k, version, nil
}

// locked refreshes while no other process does.
func (t *Tokens) locked(ctx context.Context, refused string) (string, error) {
	// Failing to unlock only makes others wait until the lock ends by itself.
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), swapFor)
		defer cancel()
		_ = t.cfg.Store.Unlock(ending)
	}()
	// Whoever held the lock before may have done it.
	stored, version, err := t.load(ctx)
	if err != nil {
		return "", err
	}
	if stored.good(refused) {
		return t.use(stored), nil
	}
	next, err := t.next(ctx, stored, version)
	t.refreshes.count(err)
	if err != nil {
		return "", err
	}
	return t.use(next), nil
}

// next asks for the next token and keeps it.
func (t *Tokens) next(ctx context.Context, stored kept, version int64) (kept, error) {
	next, err := t.ask(ctx, stored)
	if err != nil {
		return kept{}, err
	}
	value, err := json.Marshal(next)
	if err != nil {
		return kept{}, err
	}
	// The old refresh token ends soon: the new one is kept even if the caller has gone.
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), swapFor)
	defer cancel()
	won, err := t.cfg.Store.Swap(keeping, version, value)
	if err != nil {
		return kept{}, err
	}
	if !won {
		return kept{}, &partner.Error{Op: opRefresh, Kind: partner.Unavailable, Message: "another process has refreshed at the same time", RetryAfter: lookAgain}
	}
	return next, nil
}

// ask makes the one call. Its outcome may be unknown: the old refresh token stays good
// for a while, so that asking again does no harm.
func (t *Tokens) ask(ctx context.Context, from kept) (kept, error) {
	asked := time.Now()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {from.Refresh}}
	var reply struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int64  `json:"expires_in"`
		RefreshEnds  int64  `json:"x_refresh_token_expires_in"`
	}
	err := t.http.Exchange(ctx, partner.Request{
		Op: opRefresh, Method: http.MethodPost, URL: t.cfg.TokenURL, Header: t.header,
		Body: partner.RawBody{ContentType: "application/x-www-form-urlencoded", Bytes: []byte(form.Encode())},
	}, &reply)
	var e *partner.Error
	if errors.As(err, &e) && e.Code == "invalid_grant" {
		e.Kind, e.Message = partner.Unauthorised, "the refresh token is no longer good: authorise the app again and configure the new refresh token"
	}
	if err != nil {
		return kept{}, err
	}
	if reply.AccessToken == "" || reply.ExpiresIn <= 0 {
		return kept{}, &partner.Error{Op: opRefresh, Kind: partner.UnknownOutcome, Status: http.StatusOK, Message: "the reply names no access token"}
	}
	life := time.Duration(min(reply.ExpiresIn, 24*3600)) * time.Second
	until := from.RefreshUntil
	if reply.RefreshEnds > 0 {
		until = asked.Add(time.Duration(min(reply.RefreshEnds, 10*365*24*3600)) * time.Second)
	}
	return kept{
		Access: reply.AccessToken, UseUntil: asked.Add(life - min(life/10, 2*time.Minute)),
		Refresh: cmp.Or(reply.RefreshToken, from.Refresh), RefreshUntil: until, Seed: t.seed,
	}, nil
}

// explainToken reads OAuth's error code.
func explainToken(_ int, body []byte) partner.Refusal {
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) != nil || !codeLike.MatchString(said.Error) {
		return partner.Refusal{}
	}
	return partner.Refusal{Code: said.Error}
}
