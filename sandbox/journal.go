package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"go.uber.org/zap"
)

const journalName = ".openmoove"

// journal is a file beside the state file with OpenMoove's changes since the last
// snapshot, a line each, written before the change is answered. So a property that
// was created is there after a kill too: forgetting it would give its id to another.
type journal struct {
	log *zap.Logger

	mu   sync.Mutex
	file *os.File // nil before load and after close
	last int64    // the last change in it
}

// loadJournal makes the journal's changes again and goes on with it. One that belongs
// to a state that was set aside is set aside too.
func (s *Sandbox) loadJournal(usable bool) error {
	j, path := s.journal, s.keeper.file+journalName
	if !usable {
		if err := os.Rename(path, path+brokenName); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sandbox: the journal: %w", err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sandbox: the journal: %w", err)
	}
	// A kill can cut the last line: that change was not answered.
	raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	for line := range bytes.Lines(raw) {
		if err := s.openmoove.Replay(line); err != nil {
			s.log.Warn("the sandbox's journal has a line that cannot be used", zap.Error(err))
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		err = file.Truncate(int64(len(raw)))
	}
	if err != nil {
		return fmt.Errorf("sandbox: the journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.file = file
	if len(raw) > 0 {
		s.keeper.note()
	}
	return nil
}

// add appends a change.
func (j *journal) add(change int64, line []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return
	}
	if _, err := j.file.Write(line); err != nil {
		j.log.Warn("a change at the sandbox's OpenMoove is not in its journal", zap.Error(err))
	}
	j.last = change
}

// forget empties the journal where a snapshot holds all of it. Where changes came
// meanwhile, a later snapshot does; until then those that are in both are harmless.
func (j *journal) forget(snapshot int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil || j.last > snapshot {
		return
	}
	if err := j.file.Truncate(0); err != nil {
		j.log.Warn("the sandbox's journal cannot be emptied", zap.Error(err))
	}
}

// close ends it and removes the file where it is empty.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	info, err := j.file.Stat()
	name := j.file.Name()
	err = errors.Join(err, j.file.Close())
	j.file = nil
	if err == nil && info.Size() == 0 {
		err = os.Remove(name)
	}
	return err
}
