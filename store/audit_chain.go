package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// maxAuditText and maxAuditDetails bound an entry's texts, in bytes; what is longer is
	// cut.
	maxAuditText    = 1000
	maxAuditDetails = 64 << 10
	// maxAuditLinks bounds the links of an entry.
	maxAuditLinks = 1000
)

// chained is an entry as it is kept: with the digest of its details, which is in the
// chain, and their salt, which goes when they are erased.
type chained struct {
	AuditEntry
	digest, salt string
}

// seal makes an entry the next one of a chain that ends with prev.
func seal(e AuditEntry, seq int64, prev string) chained {
	e.Seq, e.Prev, e.Erased = seq, prev, false
	c := chained{AuditEntry: e}
	if e.Details != "" {
		salt := make([]byte, 16)
		_, _ = rand.Read(salt) // it never fails
		c.salt = hex.EncodeToString(salt)
		c.digest = digestDetails(c.salt, e.Details)
	}
	c.Hash = c.sum()
	return c
}

// sum is the hash of an entry: over each of its fields with its length before it, so that
// no two entries have the same text.
func (c chained) sum() string {
	fields := []string{
		"keyholder-audit-1", c.Prev, c.Entity, strconv.FormatInt(c.Seq, 10), c.ID, strconv.FormatInt(micros(c.At), 10),
		string(c.Kind), c.Actor, c.What, c.Partner, c.Ref, c.RunID, c.Step, c.Subject, c.digest, strconv.Itoa(len(c.Links)),
	}
	h := sha256.New()
	for _, field := range append(fields, c.Links...) {
		_, _ = fmt.Fprintf(h, "%d:%s,", len(field), field) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digestDetails(salt, details string) string {
	raw, _ := hex.DecodeString(salt) // a salt that was changed gives another digest
	sum := sha256.Sum256(append(raw, details...))
	return hex.EncodeToString(sum[:])
}

// cleanEntry is the entry as both databases can keep it: valid text without NUL, within
// the bounds, its time in microseconds, now where it has none.
func cleanEntry(e AuditEntry) (AuditEntry, error) {
	if e.ID == "" || e.Entity == "" || e.Kind == "" {
		return e, errors.New("store: an entry of the audit needs an id, an entity and a kind")
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.At = fromMicros(micros(e.At))
	e.ID, e.Entity = cleanID(e.ID), cleanID(e.Entity)
	for _, text := range []*string{&e.Actor, &e.What, &e.Partner, &e.Ref, &e.RunID, &e.Step, &e.Subject} {
		*text = cleanText(*text, maxAuditText)
	}
	e.Kind = AuditKind(cleanText(string(e.Kind), maxAuditText))
	e.Details = cleanText(e.Details, maxAuditDetails)
	links := make([]string, 0, len(e.Links))
	for _, link := range e.Links[:min(len(e.Links), maxAuditLinks)] {
		links = append(links, cleanText(link, maxAuditText))
	}
	e.Links = links
	return e, nil
}

// cleanID is a name that both databases can keep; what is cut stays another name than its like.
func cleanID(id string) string {
	if clean := cleanText(id, len(id)); len(clean) <= maxAuditText {
		return clean
	}
	sum := sha256.Sum256([]byte(id))
	return cleanText(id, maxAuditText-2*len(sum)) + hex.EncodeToString(sum[:])
}

// cleanText is text that PostgreSQL takes too, of at most most bytes.
func cleanText(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most-len("…")], "") + "…"
	}
	return text
}

func linksText(links []string) string {
	text, _ := json.Marshal(links) // strings always can be
	return string(text)
}
