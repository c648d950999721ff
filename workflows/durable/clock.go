package durable

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// Clock maps real time to business time, so that months can be watched in
// minutes. The zero value is the identity, which is what production runs on.
// Only business time goes through it: SLAs, reminders, due dates, link expiry.
// Timeouts, retries and signature windows are real time.
type Clock struct {
	// Epoch is the instant at which business and real time were equal.
	Epoch time.Time `json:"epoch,omitzero"`
	// Scale is how many business seconds pass in a real second; 0 means 1.
	Scale float64 `json:"scale,omitempty"`
}

// DayClock is the clock on which a business day lasts day of real time.
func DayClock(epoch time.Time, day time.Duration) Clock {
	return Clock{Epoch: epoch.UTC(), Scale: float64(24*time.Hour) / float64(day)}
}

// IsReal tells whether business time is real time.
func (c Clock) IsReal() bool { return c.Scale == 0 || c.Scale == 1 }

// At is the business time at a real instant, in UTC.
func (c Clock) At(instant time.Time) time.Time {
	if c.IsReal() {
		return instant.UTC()
	}
	return c.Epoch.Add(time.Duration(float64(instant.Sub(c.Epoch)) * c.Scale)).UTC()
}

// Instant is the real instant of a business time, in UTC.
func (c Clock) Instant(at time.Time) time.Time {
	if c.IsReal() {
		return at.UTC()
	}
	return c.Epoch.Add(c.Real(at.Sub(c.Epoch))).UTC()
}

// Real is how long a business duration lasts in real time.
func (c Clock) Real(d time.Duration) time.Duration {
	if c.IsReal() {
		return d
	}
	return time.Duration(float64(d) / c.Scale)
}

// Business is how much business time passes in a real duration.
func (c Clock) Business(d time.Duration) time.Duration {
	if c.IsReal() {
		return d
	}
	return time.Duration(float64(d) * c.Scale)
}

// Now is the business time now. Workflows use the function Now instead.
func (c Clock) Now() time.Time { return c.At(time.Now()) }

type clockKey struct{}

// WithClock gives the workflow its clock; Now, Sleep and Alarm read it.
func WithClock(ctx workflow.Context, c Clock) workflow.Context {
	return workflow.WithValue(ctx, clockKey{}, c)
}

// ClockOf is the clock given by WithClock, else real time.
func ClockOf(ctx workflow.Context) Clock {
	c, _ := ctx.Value(clockKey{}).(Clock)
	return c
}

// Now is the workflow's business time.
func Now(ctx workflow.Context) time.Time {
	return ClockOf(ctx).At(workflow.Now(ctx))
}

// Sleep waits for a business duration; summary says why, for the Web UI.
func Sleep(ctx workflow.Context, d time.Duration, summary string) error {
	return workflow.NewTimerWithOptions(ctx, ClockOf(ctx).Real(d), workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}

// Alarm is the one timer of a workflow that has many deadlines. It keeps a
// running timer that fires early enough rather than starting another, because
// each started timer is billed. The zero value is ready.
type Alarm struct {
	at     time.Time
	timer  workflow.Future
	cancel workflow.CancelFunc
}

// Set makes sure that a timer fires at the business time at, or earlier: whoever
// is woken looks again at what is due. The zero time asks for nothing.
func (a *Alarm) Set(ctx workflow.Context, at time.Time, summary string) {
	if at.IsZero() {
		a.Stop()
		return
	}
	if a.timer != nil && !a.timer.IsReady() && !a.at.After(at) {
		return
	}
	a.Stop()
	wait := ClockOf(ctx).Real(at.Sub(Now(ctx)))
	// A timer of nothing fires at once, without letting time pass: at a fast clock
	// the workflow would never yield.
	wait = max(wait, time.Millisecond)
	timerCtx, cancel := workflow.WithCancel(ctx)
	a.at, a.cancel = at, cancel
	a.timer = workflow.NewTimerWithOptions(timerCtx, wait, workflow.TimerOptions{Summary: summary})
}

// Rang tells whether the timer has fired since it was set.
func (a *Alarm) Rang() bool { return a.timer != nil && a.timer.IsReady() }

// Stop ends the timer, if one is running.
func (a *Alarm) Stop() {
	if a.cancel != nil {
		a.cancel()
	}
	a.timer, a.cancel = nil, nil
}
