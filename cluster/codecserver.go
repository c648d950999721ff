package cluster

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"go.temporal.io/sdk/converter"
)

// maxCodecBody bounds one request of the Web UI: it asks for all payloads of a
// page of history at once, and one payload is at most 2 MB
// (contracts/temporal.md 2.17).
const maxCodecBody = 32 << 20

// CodecHandler lets Temporal's Web UI and CLI read and write encrypted payloads:
// POST .../decode and .../encode. Whoever may call it can read everything, so it
// refuses by default:
//
//   - a request from a page (it has an Origin) must come from one of
//     allowedOrigins, such as "http://localhost:8233";
//   - with a token, every request must bear it (Authorization: Bearer), because
//     only browsers are bound to tell the truth about their origin;
//   - without a token, only pages of allowedOrigins are served: listen on the
//     loopback interface or behind a proxy that knows its users.
func CodecHandler(keys Keys, allowedOrigins []string, token string) http.Handler {
	next := http.MaxBytesHandler(converter.NewPayloadCodecHTTPHandler(keys.Codec()), maxCodecBody)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		w.Header().Add("Vary", "Origin")
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case origin != "" && !slices.Contains(allowedOrigins, origin):
			http.Error(w, "this origin may not read payloads; name it in the codec server's allowed origins", http.StatusForbidden)
			return
		case origin != "":
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Methods", "POST, OPTIONS")
			w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
			w.Header().Set("Access-Control-Max-Age", "600")
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
		case token == "":
			http.Error(w, "without a token only pages of the allowed origins may read payloads", http.StatusForbidden)
			return
		}
		if token != "" && !bears(r, token) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "send the codec server's token as Authorization: Bearer", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func bears(r *http.Request, token string) bool {
	scheme, got, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(got), []byte(token)) == 1
}
