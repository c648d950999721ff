package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aictive/keyholder/sandbox/samples"
)

// maxStock is the longest stock list, in bytes.
const maxStock = 5 << 20

// stock is the stock list of the house as its inventory system gives it: the sample,
// until somebody puts another one in its place.
type stock struct {
	mu   sync.Mutex
	text string
}

func (s *stock) get() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text == "" {
		return samples.Inventory()
	}
	return s.text
}

func (s *stock) set(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
}

// getStock answers a conditional request by the list's ETag.
func (s *Sandbox) getStock(w http.ResponseWriter, r *http.Request) {
	text := s.stock.get()
	sum := sha256.Sum256([]byte(text))
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
}

// putStock puts another list in place until the reset.
func (s *Sandbox) putStock(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxStock))
	if err != nil || len(raw) == 0 {
		refused(w, http.StatusBadRequest, errors.New("the body is a stock list as CSV, of at most 5 MiB"))
		return
	}
	s.stock.set(string(raw))
	w.WriteHeader(http.StatusNoContent)
}
