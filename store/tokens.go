package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Tokens keeps the OAuth tokens of partners, sealed by whoever uses them: see
// NewToken. A version counts the changes of one, from 1; 0 is none.
type Tokens interface {
	// SealedToken returns a token and its version, or "" and 0 where there is none.
	SealedToken(ctx context.Context, name string) (sealed string, version int64, err error)
	// SwapSealedToken replaces a token whose version is still the one given; won is
	// false where somebody else was faster.
	SwapSealedToken(ctx context.Context, name string, version int64, sealed string) (won bool, err error)
	// LockToken lets one holder at a time, over all processes, ask for the next token.
	// got is false while another one holds it: until UnlockToken, but no longer than it
	// asked for (real time, the database's clock).
	LockToken(ctx context.Context, name, holder string, most time.Duration) (got bool, err error)
	// UnlockToken ends a holder's lock, if it still has it.
	UnlockToken(ctx context.Context, name, holder string) error
}

// TokenKeys seal tokens (AES-256-GCM): the first seals, all open, so that a key can
// be replaced.
type TokenKeys struct {
	seals []cipher.AEAD
}

const (
	tokenKeySize = 32
	maxTokenKeys = 10
)

// ParseTokenKeys reads KEYHOLDER_TOKEN_KEY: the standard base64 of 32 random bytes, or
// several of them separated by commas, newest first. All mistakes are reported at once,
// none with key material.
func ParseTokenKeys(text string) (TokenKeys, error) {
	entries := strings.Split(text, ",")
	if len(entries) > maxTokenKeys {
		return TokenKeys{}, fmt.Errorf("%d keys, at most %d can be live", len(entries), maxTokenKeys)
	}
	var keys TokenKeys
	var problems []error
	for i, entry := range entries {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(entry))
		if err != nil || len(secret) != tokenKeySize {
			problems = append(problems, fmt.Errorf("key %d is not the base64 of %d bytes; make one with: openssl rand -base64 %d", i+1, tokenKeySize, tokenKeySize))
			continue
		}
		block, err := aes.NewCipher(secret)
		if err != nil {
			return TokenKeys{}, err
		}
		seal, err := cipher.NewGCM(block)
		if err != nil {
			return TokenKeys{}, err
		}
		keys.seals = append(keys.seals, seal)
	}
	return keys, errors.Join(problems...)
}

// seal binds the text to the token's name, so that one row cannot stand for another.
func (k TokenKeys) seal(name string, value []byte) string {
	seal := k.seals[0]
	nonce := make([]byte, seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(seal.Seal(nonce, nonce, value, []byte(name)))
}

func (k TokenKeys) open(name, sealed string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, errors.New("the stored token is damaged")
	}
	for _, seal := range k.seals {
		if size := seal.NonceSize(); len(raw) >= size {
			if value, err := seal.Open(nil, raw[:size], raw[size:], []byte(name)); err == nil {
				return value, nil
			}
		}
	}
	return nil, errors.New("no key of KEYHOLDER_TOKEN_KEY opens the stored token: add the key that sealed it")
}

// Token is one partner's token at rest.
type Token struct {
	tokens Tokens
	keys   TokenKeys
	name   string
	// holder tells this process from others.
	holder string
}

// NewToken is the token of a name, such as that of a partner's account. The keys must
// not be empty.
func NewToken(tokens Tokens, keys TokenKeys, name string) *Token {
	return &Token{tokens: tokens, keys: keys, name: name, holder: rand.Text()}
}

// Load returns the token's value and version, nil and 0 where there is none. The error
// is the database's, or says that no key opens it.
func (t *Token) Load(ctx context.Context) (value []byte, version int64, err error) {
	sealed, version, err := t.tokens.SealedToken(ctx, t.name)
	if err != nil || version == 0 {
		return nil, 0, err
	}
	value, err = t.keys.open(t.name, sealed)
	return value, version, err
}

// Swap replaces the value whose version is still the one given; won is false where
// somebody else was faster.
func (t *Token) Swap(ctx context.Context, version int64, value []byte) (won bool, err error) {
	return t.tokens.SwapSealedToken(ctx, t.name, version, t.keys.seal(t.name, value))
}

// Lock lets one process at a time ask for the next token, for as long as it says
// (real time). got is false while another one does.
func (t *Token) Lock(ctx context.Context, most time.Duration) (got bool, err error) {
	return t.tokens.LockToken(ctx, t.name, t.holder, most)
}

// Unlock ends this process's lock, if it still has it.
func (t *Token) Unlock(ctx context.Context) error {
	return t.tokens.UnlockToken(ctx, t.name, t.holder)
}

// SealedToken returns a token and its version.
func (d *database) SealedToken(ctx context.Context, name string) (string, int64, error) {
	var sealed string
	var version int64
	err := d.read.QueryRowContext(ctx, `SELECT sealed, version FROM tokens WHERE name = $1`, name).Scan(&sealed, &version)
	if err := orNotFound(err); err != nil && !errors.Is(err, ErrNotFound) {
		return "", 0, err
	}
	return sealed, version, nil
}

// SwapSealedToken replaces a token whose version is still the one given.
func (d *database) SwapSealedToken(ctx context.Context, name string, version int64, sealed string) (bool, error) {
	// The row is there already where somebody holds its lock.
	n, err := d.change(ctx, `
		INSERT INTO tokens (name, version, sealed, holder, locked_until) VALUES ($1, 1, $3, '', 0)
		ON CONFLICT (name) DO UPDATE SET version = tokens.version + 1, sealed = excluded.sealed
		WHERE tokens.version = $2`, name, version, sealed)
	if err != nil {
		return false, fmt.Errorf("store: swap token: %w", err)
	}
	return n == 1, nil
}

// LockToken lets one holder at a time ask for the next token.
func (d *database) LockToken(ctx context.Context, name, holder string, most time.Duration) (bool, error) {
	n, err := d.change(ctx, `
		INSERT INTO tokens (name, version, sealed, holder, locked_until) VALUES ($1, 0, '', $2, `+d.clock+` + $3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, locked_until = excluded.locked_until
		WHERE tokens.locked_until < `+d.clock+` OR tokens.holder = $2`, name, holder, most.Microseconds())
	if err != nil {
		return false, fmt.Errorf("store: lock token: %w", err)
	}
	return n == 1, nil
}

// UnlockToken ends a holder's lock.
func (d *database) UnlockToken(ctx context.Context, name, holder string) error {
	if _, err := d.change(ctx, `UPDATE tokens SET holder = '', locked_until = 0 WHERE name = $1 AND holder = $2`, name, holder); err != nil {
		return fmt.Errorf("store: unlock token: %w", err)
	}
	return nil
}
