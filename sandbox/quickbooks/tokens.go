package quickbooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tokens is how far the refresh token has rolled. A token says its generation and the
// time that it was made, and is signed, so that one of an earlier life is known again.
type tokens struct {
	Generation int64     `json:"generation"`
	Made       time.Time `json:"made,omitzero"`
	Rolled     time.Time `json:"rolled,omitzero"`
}

// refreshLife is what x_refresh_token_expires_in says.
const refreshLife = 8_726_400

func (s *Server) sign(kind string, n int64, at time.Time) string {
	text := fmt.Sprintf("%s.%d.%d", kind, n, at.UnixMicro())
	mac := hmac.New(sha256.New, []byte(s.cfg.ClientSecret))
	mac.Write([]byte(text))
	return text + "." + hex.EncodeToString(mac.Sum(nil)[:16])
}

// signed reads a token of a kind back.
func (s *Server) signed(kind, token string) (n int64, at time.Time, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 4 || parts[0] != kind {
		return 0, time.Time{}, false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	micros, err2 := strconv.ParseInt(parts[2], 10, 64)
	at = time.UnixMicro(micros)
	return n, at, err == nil && err2 == nil && same(s.sign(kind, n, at), token)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// authentic tells whether the request has an access token that is still good.
func (s *Server) authentic(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	_, until, ok := s.signed("at", token)
	return ok && time.Now().Before(until)
}

// refresh gives an access token, and after a while another refresh token; the one
// before then stays good for a while only.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	user, password, _ := r.BasicAuth()
	refuse := func(status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "see the developer's guide"})
	}
	switch {
	case !same(user, s.cfg.ClientID) || !same(password, s.cfg.ClientSecret):
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	case r.ParseForm() != nil || r.PostForm.Get("grant_type") != "refresh_token":
		refuse(http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.accept(r.PostForm.Get("refresh_token")) {
		refuse(http.StatusBadRequest, "invalid_grant")
		return
	}
	now := time.Now()
	if now.Sub(s.tokens.Made) >= s.cfg.RollAfter {
		s.tokens = tokens{Generation: s.tokens.Generation + 1, Made: now, Rolled: now}
	}
	s.refreshes++
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"token_type": "bearer", "access_token": s.sign("at", s.refreshes, now.Add(s.cfg.AccessFor)), "expires_in": int64(s.cfg.AccessFor / time.Second),
		"refresh_token": s.current(), "x_refresh_token_expires_in": refreshLife,
	})
}

// current is the refresh token of now.
func (s *Server) current() string {
	if s.tokens.Generation == 0 {
		return s.cfg.RefreshToken
	}
	return s.sign("rt", s.tokens.Generation, s.tokens.Made)
}

// accept tells whether a refresh token is good: the newest, or the one before it for a
// while. A newer one than is known comes from an earlier life.
func (s *Server) accept(token string) bool {
	n, made, ok := s.signed("rt", token)
	if same(token, s.cfg.RefreshToken) {
		n, ok = 0, true
	}
	switch {
	case !ok || n < s.tokens.Generation-1:
		return false
	case n == s.tokens.Generation-1:
		return time.Since(s.tokens.Rolled) < s.cfg.OldFor
	case n > s.tokens.Generation:
		s.tokens = tokens{Generation: n, Made: made}
	}
	return true
}

// Refreshes counts the access tokens that were given.
func (s *Server) Refreshes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.refreshes)
}
