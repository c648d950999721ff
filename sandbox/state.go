package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	stateVersion = 1
	// statePace is the least time between two snapshots while much happens, and
	// so the most that a kill can lose.
	statePace = 500 * time.Millisecond
	// stateShare and stateRate stretch the pace where a snapshot is large: writing
	// may take one part in so many of the time, and so many bytes a second.
	stateShare = 5
	stateRate  = 8 << 20
	brokenName = ".broken"
)

// state is the form of the state file.
type state struct {
	Version  int             `json:"version"`
	RentVine json.RawMessage `json:"rentvine"`
	Twilio   json.RawMessage `json:"twilio"`
	Mailbox  json.RawMessage `json:"mailbox"`
	// OpenMoove is missing in older files; then it has its seed.
	OpenMoove json.RawMessage `json:"openmoove,omitempty"`
	// QuickBooks is missing in older files, too.
	QuickBooks json.RawMessage `json:"quickbooks,omitempty"`
}

// keeper writes the state file: all at once, in the background, soon after a
// change. Without a file it does nothing.
type keeper struct {
	file  string
	dirty chan struct{}

	mu   sync.Mutex // one snapshot at a time, so that none overtakes a later one
	open bool       // from load to the end of Close
	size int        // of the last snapshot, in bytes
}

// sizePace is how long the last snapshot should last for its size.
func (k *keeper) sizePace() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Duration(k.size) * time.Second / stateRate
}

func newKeeper(file string) *keeper { return &keeper{file: file, dirty: make(chan struct{}, 1)} }

// note remembers that something has changed; it never blocks.
func (k *keeper) note() {
	select {
	case k.dirty <- struct{}{}:
	default:
	}
}

// loadState takes up the state file. One that cannot be understood is set aside;
// one that cannot be read at all is an error, because the path is wrong then.
func (s *Sandbox) loadState() error {
	k := s.keeper
	if k.file == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(k.file), 0o700); err != nil {
		return fmt.Errorf("sandbox: the state's folder: %w", err)
	}
	raw, err := os.ReadFile(k.file)
	usable := true
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("sandbox: the state: %w", err)
	default:
		if err := s.restore(raw); err != nil {
			usable = false
			aside := k.file + brokenName
			s.log.Warn("the sandbox cannot use its state file and begins anew",
				zap.String("kept as", aside), zap.Errors("errors", []error{err, os.Rename(k.file, aside)}))
		}
	}
	if err := s.loadJournal(usable); err != nil {
		return err
	}
	k.open = true
	return nil
}

// restore is all or nothing. Twilio comes last, because its texts travel on.
func (s *Sandbox) restore(raw []byte) error {
	var in state
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	if in.Version != stateVersion {
		return fmt.Errorf("it has version %d, not %d", in.Version, stateVersion)
	}
	err := errors.Join(s.rentvine.Restore(in.RentVine), s.mailbox.Restore(in.Mailbox))
	if len(in.OpenMoove) > 0 {
		err = errors.Join(err, s.openmoove.Restore(in.OpenMoove))
	}
	if len(in.QuickBooks) > 0 {
		err = errors.Join(err, s.quickbooks.Restore(in.QuickBooks))
	}
	if err == nil {
		err = s.twilio.Restore(in.Twilio)
	}
	if err != nil {
		s.rentvine.Reset()
		s.quickbooks.Reset()
		s.openmoove.Reset()
		s.mailbox.Reset()
	}
	return err
}

// saveState writes the state file now: beside it, then over it, so that a kill
// leaves the old one or the new one.
func (s *Sandbox) saveState() error {
	k := s.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.open {
		return nil
	}
	rentvine, errRentVine := s.rentvine.Snapshot()
	openmoove, changes := s.openmoove.Snapshot()
	twilio, errTwilio := s.twilio.Snapshot()
	mails, errMails := s.mailbox.Snapshot()
	quickbooks, errQuickBooks := s.quickbooks.Snapshot()
	if err := errors.Join(errRentVine, errTwilio, errMails, errQuickBooks); err != nil {
		return fmt.Errorf("sandbox: the state: %w", err)
	}
	// The sections are JSON already: to encode them again would cost more than all else.
	var raw bytes.Buffer
	raw.Grow(len(rentvine) + len(twilio) + len(mails) + len(openmoove) + len(quickbooks) + 120)
	fmt.Fprintf(&raw, `{"version":%d,"rentvine":%s,"twilio":%s,"mailbox":%s,"openmoove":%s,"quickbooks":%s}`, stateVersion, rentvine, twilio, mails, openmoove, quickbooks)
	k.size = raw.Len()
	next := k.file + ".next"
	if err := os.WriteFile(next, raw.Bytes(), 0o600); err != nil {
		return fmt.Errorf("sandbox: the state: %w", err)
	}
	if err := os.Rename(next, k.file); err != nil {
		return fmt.Errorf("sandbox: the state: %w", err)
	}
	s.journal.forget(changes)
	return nil
}

// keepState saves soon after changes until the context ends.
func (s *Sandbox) keepState(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.keeper.dirty:
		}
		begun := time.Now()
		s.saveOrWarn()
		pause := time.NewTimer(max(statePace, stateShare*time.Since(begun), s.keeper.sizePace()))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

func (s *Sandbox) saveOrWarn() {
	if err := s.saveState(); err != nil {
		s.log.Warn("the sandbox's state was not saved", zap.Error(err))
	}
}

// closeState saves a last time.
func (s *Sandbox) closeState() error {
	err := s.saveState()
	s.keeper.mu.Lock()
	defer s.keeper.mu.Unlock()
	s.keeper.open = false
	return errors.Join(err, s.journal.close())
}
