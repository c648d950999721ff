package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	// waitPatience is how long the ingress may be away while an import is followed.
	waitPatience = 5 * time.Minute
	// soonest and latest are the pauses between two looks: each costs Temporal a
	// query, and a long import needs few.
	soonest = 500 * time.Millisecond
	latest  = 10 * time.Second
)

func jsonBody(v any) ([]byte, error) { return json.Marshal(v) }

// follower watches an import until it ends.
type follower struct {
	client   *apiClient
	meter    meter
	patience time.Duration
}

// wait returns the import once it has ended. It bears an ingress that is away or
// answers with an error of its own, for as long as its patience lasts.
func (f follower) wait(ctx context.Context, id string) (importReply, error) {
	defer f.meter.done()
	began := time.Now()
	heard := began
	for {
		reply, err := f.client.importStatus(ctx, id)
		var refusal *apiRefusal
		switch {
		case err == nil:
			heard = time.Now()
			f.meter.show(reply)
			if reply.ended() {
				return reply, nil
			}
		case ctx.Err() != nil:
			return reply, ctx.Err()
		case errors.As(err, &refusal) && !refusal.transient():
			return reply, err
		case time.Since(heard) > f.patience:
			return reply, fmt.Errorf("no answer for %s: %w", f.patience, err)
		default:
			f.meter.away()
		}
		if err := pause(ctx, max(soonest, min(time.Since(began)/20, latest))); err != nil {
			return reply, err
		}
	}
}

// meter shows progress to whoever waits.
type meter interface {
	show(r importReply)
	// away says that the ingress does not answer.
	away()
	done()
}

// newMeter is a bar on a terminal, and lines anywhere else. Neither uses colour, so
// that NO_COLOR has nothing to turn off.
func newMeter(w io.Writer) meter {
	if file, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &barMeter{to: w}
		}
	}
	return &lineMeter{to: w}
}

// barMeter is a bar.
type barMeter struct {
	to  io.Writer
	bar *progressbar.ProgressBar
}

func (m *barMeter) show(r importReply) {
	if m.bar == nil {
		m.bar = progressbar.NewOptions(r.Rows, progressbar.OptionSetWriter(m.to), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
	}
	text := r.Status
	if left := r.left(); left != "" {
		text += ", " + left
	}
	m.bar.Describe(text)
	// A terminal that has gone away is no reason to stop waiting.
	_ = m.bar.Set(r.Rows - r.Counts.Waiting)
}

func (m *barMeter) away() {
	if m.bar != nil {
		m.bar.Describe("no answer, trying again")
	}
}

func (m *barMeter) done() {
	if m.bar != nil {
		fmt.Fprintln(m.to)
	}
}

// lineEvery is how often a line is written at most.
const lineEvery = 10 * time.Second

// lineMeter writes a line now and then where something has changed.
type lineMeter struct {
	to   io.Writer
	last string
	at   time.Time
	gone bool
}

func (m *lineMeter) show(r importReply) {
	m.gone = false
	line := r.line()
	if line == m.last || time.Since(m.at) < lineEvery || r.ended() {
		return
	}
	m.last, m.at = line, time.Now()
	fmt.Fprintln(m.to, line)
}

func (m *lineMeter) away() {
	if !m.gone {
		m.gone = true
		fmt.Fprintln(m.to, "the ingress does not answer; trying again")
	}
}

func (m *lineMeter) done() {}
