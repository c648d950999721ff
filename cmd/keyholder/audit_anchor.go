package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/aictive/keyholder/store"
)

// A file of anchors has, for each, a line that says what it is, and a line for each head.
type (
	auditAnchorLine struct {
		// Anchor is the hex SHA-256 over the heads' lines, each with its line end.
		Anchor string    `json:"anchor"`
		At     time.Time `json:"at"`
		Heads  int       `json:"heads"`
	}
	auditAnchorHead struct {
		Entity string `json:"entity"`
		Seq    int64  `json:"seq"`
		Hash   string `json:"hash"`
	}
)

// auditAnchor collects heads beside the file that they are for, until it is known whether
// they are worth keeping.
type auditAnchor struct {
	file   string
	part   *os.File
	buffer *bufio.Writer
	digest hash.Hash
	heads  int
}

// newAuditAnchor begins an anchor for a file; "" is for none, which only counts and hashes.
func newAuditAnchor(file string) (*auditAnchor, error) {
	a := &auditAnchor{file: file, digest: sha256.New()}
	if file == "" {
		a.buffer = bufio.NewWriter(io.Discard)
		return a, nil
	}
	var err error
	if a.part, err = os.CreateTemp(filepath.Dir(file), ".anchor-*"); err != nil {
		return nil, usageError{fmt.Errorf("--anchor: %w", err)}
	}
	a.buffer = bufio.NewWriter(a.part)
	return a, nil
}

func (a *auditAnchor) add(h store.AuditHead) error {
	line, err := json.Marshal(auditAnchorHead{h.Entity, h.Seq, h.Hash})
	if err != nil {
		return err
	}
	a.heads++
	line = append(line, '\n')
	a.digest.Write(line) // a hash never fails
	_, err = a.buffer.Write(line)
	return err
}

func (a *auditAnchor) sum() string { return hex.EncodeToString(a.digest.Sum(nil)) }

// keep appends the anchor to its file, whole or not at all.
func (a *auditAnchor) keep(at time.Time) (err error) {
	if a.part == nil {
		return nil
	}
	if err := a.buffer.Flush(); err != nil {
		return err
	}
	if _, err := a.part.Seek(0, io.SeekStart); err != nil {
		return err
	}
	to, err := os.OpenFile(a.file, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	end, err := to.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	first, err := json.Marshal(auditAnchorLine{a.sum(), at, a.heads})
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.MultiReader(bytes.NewReader(append(first, '\n')), a.part))
	if err = errors.Join(err, to.Sync()); err != nil {
		return errors.Join(fmt.Errorf("the anchor was not kept: %w", err), to.Truncate(end))
	}
	return nil
}

// close removes what was collected.
func (a *auditAnchor) close() error {
	if a.part == nil {
		return nil
	}
	return errors.Join(a.part.Close(), os.Remove(a.part.Name()))
}

// readAuditAnchors gives the heads of a file of anchors one after another, and returns how
// many anchors it has. A file that was changed or cut is an error.
func readAuditAnchors(file string, use func(h auditAnchorHead, at time.Time) error) (anchors int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, usageError{fmt.Errorf("--against: %w", err)}
	}
	defer func() { _ = f.Close() }() // it was only read
	const lineMost = 1 << 16
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 0, lineMost), lineMost)
	wrong := func(why string) error {
		return fmt.Errorf("%s: anchor %d %s: the file was changed or cut, and proves nothing", file, anchors, why)
	}
	for lines.Scan() {
		anchors++
		var anchor auditAnchorLine
		if json.Unmarshal(lines.Bytes(), &anchor) != nil || anchor.Anchor == "" {
			return anchors, wrong("has no line that begins it")
		}
		digest := sha256.New()
		for range anchor.Heads {
			var h auditAnchorHead
			if !lines.Scan() {
				return anchors, errors.Join(wrong("ends early"), lines.Err())
			}
			digest.Write(lines.Bytes()) // a hash never fails
			digest.Write([]byte{'\n'})
			if json.Unmarshal(lines.Bytes(), &h) != nil || h.Entity == "" || h.Seq < 1 {
				return anchors, wrong("has a line that is no head")
			}
			if err := use(h, anchor.At); err != nil {
				return anchors, err
			}
		}
		if hex.EncodeToString(digest.Sum(nil)) != anchor.Anchor {
			return anchors, wrong("has other heads than it says")
		}
	}
	if err := lines.Err(); err != nil {
		return anchors, fmt.Errorf("%s: %w", file, err)
	}
	if anchors == 0 {
		return 0, usageError{fmt.Errorf("%s has no anchors; make one with --anchor", file)}
	}
	return anchors, nil
}
