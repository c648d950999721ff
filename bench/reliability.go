package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/time/rate"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
)

const (
	// Of all deliveries, so many repeat an earlier one, and so many are no good.
	duplicated = 0.20
	malformed  = 0.01
	// Of the transactions, so many are told of in the wrong order.
	disordered = 0.10
	// eventsPerTransaction is how many different events there are of each, its own among
	// them: the rest say that it has changed, which it has not.
	eventsPerTransaction = 2.5
	// deliverers are how many deliveries are under way at once.
	deliverers = 24
	// shortest is how long the deliveries take at least.
	shortest = 30 * time.Second
	// RentVine's patience with one event.
	deliveryPatience = 10 * time.Minute
	reliabilitySeed  = 11
)

// delivery is one webhook as it is posted.
type delivery struct {
	kind string
	body []byte
	// wrong spoils the signature.
	wrong bool
}

// The kinds of deliveries.
const (
	kindEvent     = "event"
	kindDisorder  = "event out of order"
	kindDuplicate = "duplicate"
	kindMalformed = "malformed"
	kindForged    = "forged"
	kindUnusable  = "without an id"
	kindUnknown   = "unknown type"
)

// reliability posts a great many webhooks, some twice, some in the wrong order, some no
// good, while the ingress, the worker and Temporal are killed, and then counts: each
// transaction is in QuickBooks once, and "keyholder prove" finds no difference.
func reliability(ctx context.Context, s settings, dir string) (err error) {
	r := &reliabilityRun{dir: dir, chance: rand.New(rand.NewPCG(reliabilitySeed, 0)), deliveries: s.events, kills: map[string]int{}, answers: map[string]map[int]int{}}
	if r.deliveries == 0 {
		r.deliveries = 10_000
		if s.small {
			r.deliveries = 600
		}
	}
	port, err := cluster.FreePort(ctx)
	if err != nil {
		return err
	}
	r.address = fmt.Sprintf("127.0.0.1:%d", port)
	r.stack, err = e2e.Start(ctx, e2e.Options{
		Binary: s.binary, Data: dir, Args: []string{"--without", "worker,ingress"},
		Env: []string{"KEYHOLDER_QUICKBOOKS_PER_MINUTE=600000", "KEYHOLDER_WEBHOOKS_PER_SECOND=5000"},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	if err := r.startBoth(ctx); err != nil {
		return err
	}
	return r.run(ctx)
}

// reliabilityRun is one run. Its random choices are the same every time; what is under way
// when a process dies is not.
type reliabilityRun struct {
	dir        string
	stack      *e2e.Stack
	address    string
	chance     *rand.Rand
	deliveries int

	// turn is held while a process is killed or started.
	turn            sync.Mutex
	worker, ingress *e2e.Process
	kills           map[string]int

	count   sync.Mutex
	answers map[string]map[int]int
	again   atomic.Int64
	done    atomic.Int64
}

func (r *reliabilityRun) run(ctx context.Context) error {
	transactions, list, err := r.plan(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := r.deliver(ctx, list); err != nil {
		return err
	}
	delivered := time.Since(began)
	if err := r.untilQuiet(ctx); err != nil {
		return err
	}
	settled := time.Since(began)
	r.print(len(list), transactions, delivered, settled)
	return errors.Join(r.checkBooks(ctx, transactions), r.prove(ctx))
}

// plan makes the deliveries, in the order in which they are posted.
func (r *reliabilityRun) plan(ctx context.Context) (transactions int, list []delivery, err error) {
	distinct := int(float64(r.deliveries) * (1 - duplicated - malformed))
	if err := r.stack.Post(ctx, "/_generate/books", map[string]any{"seed": reliabilitySeed, "count": int(float64(distinct) / eventsPerTransaction)}, nil); err != nil {
		return 0, nil, err
	}
	var made []map[string]any
	for {
		var page []map[string]any
		if err := r.stack.Get(ctx, "/_generate/books/events?from="+strconv.Itoa(len(made)), &page); err != nil {
			return 0, nil, err
		}
		if len(page) == 0 {
			break
		}
		made = append(made, page...)
	}
	groups := make([][]delivery, len(made))
	for i, event := range made {
		groups[i] = r.events(event, i, distinct, len(made))
	}
	return len(made), r.mix(groups), nil
}

// events are those of one transaction, in the order in which they are posted.
func (r *reliabilityRun) events(made map[string]any, at, distinct, transactions int) []delivery {
	more := distinct*(at+1)/transactions - distinct*at/transactions - 1
	list := []delivery{encoded(kindEvent, made)}
	for n := range more {
		again := maps.Clone(made)
		again["event_id"] = fmt.Sprintf("%v-%d", made["event_id"], n)
		if made["event_type"] == "lease_charge.created" {
			again["event_type"] = "lease_charge.updated"
		}
		list = append(list, encoded(kindEvent, again))
	}
	if len(list) > 1 && r.chance.Float64() < disordered {
		slices.Reverse(list)
		for i := range list {
			list[i].kind = kindDisorder
		}
	}
	return list
}

func encoded(kind string, event map[string]any) delivery {
	body, err := json.Marshal(event)
	if err != nil {
		panic(err) // it came as JSON
	}
	return delivery{kind: kind, body: body}
}

// mix spreads the events of each transaction over some hundred deliveries, and puts
// repeats and what is no good between them.
func (r *reliabilityRun) mix(groups [][]delivery) []delivery {
	type placed struct {
		at float64
		delivery
	}
	var all []placed
	for i, g := range groups {
		for n, d := range g {
			at := float64(i) + float64(n)*30*r.chance.Float64()
			if n > 0 {
				at = max(at, all[len(all)-1].at) // their order stays
			}
			all = append(all, placed{at, d})
		}
	}
	events := len(all)
	for range int(float64(r.deliveries) * duplicated) {
		d := all[r.chance.IntN(events)]
		d.kind, d.at = kindDuplicate, d.at+100*r.chance.Float64()
		all = append(all, d)
	}
	for n := range int(float64(r.deliveries) * malformed) {
		at := float64(len(groups)) * r.chance.Float64()
		all = append(all, placed{at, r.noGood(n, groups[int(at)][0].body)})
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	list := make([]delivery, len(all))
	for i, p := range all {
		list[i] = p.delivery
	}
	return list
}

// noGood is a delivery that no transaction follows from.
func (r *reliabilityRun) noGood(n int, good []byte) delivery {
	switch n % 4 {
	case 0:
		return delivery{kind: kindMalformed, body: good[:len(good)-1-r.chance.IntN(len(good)/2)]}
	case 1:
		return delivery{kind: kindForged, body: good, wrong: true}
	case 2:
		return delivery{kind: kindUnusable, body: fmt.Appendf(nil, `{"event_type":"lease_charge.created","event_id":"no-id-%d","data":{"amount":"1.00"}}`, n)}
	}
	return delivery{kind: kindUnknown, body: fmt.Appendf(nil, `{"event_type":"moon.rose","event_id":"moon-%d","data":{"moonID":"%d"}}`, n, n)}
}

// deliver posts all of them, each until it is answered for good, while processes die.
func (r *reliabilityRun) deliver(ctx context.Context, list []delivery) error {
	dying, stop := context.WithCancel(ctx)
	var killer sync.WaitGroup
	var killed error
	killer.Go(func() { killed = r.killNowAndThen(ctx, dying.Done(), len(list)) })
	next, failed := make(chan delivery), make(chan error, deliverers)
	var posts sync.WaitGroup
	for range deliverers {
		posts.Go(func() {
			for d := range next {
				if err := r.post(ctx, d); err != nil {
					failed <- err
					return
				}
				r.done.Add(1)
			}
		})
	}
	var err error
	// A few deliveries must not be over before the first process has died.
	pace := rate.NewLimiter(min(400, rate.Limit(float64(len(list))/shortest.Seconds())), 1)
	for _, d := range list {
		if err = pace.Wait(ctx); err != nil {
			break
		}
		select {
		case next <- d:
			continue
		case err = <-failed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		break
	}
	close(next)
	posts.Wait()
	stop()
	killer.Wait()
	return errors.Join(err, killed)
}

// post delivers one as a patient sender does: no answer, 429 and 5xx are tried again.
func (r *reliabilityRun) post(ctx context.Context, d delivery) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryPatience)
	defer cancel()
	signature := e2e.Sign(d.body)
	if d.wrong {
		signature = e2e.Sign(append([]byte(" "), d.body...))
	}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 3*time.Second) {
		status, err := postSigned(ctx, "http://"+r.address+"/webhooks/rentvine", d.body, signature)
		if err == nil && status != http.StatusTooManyRequests && status < 500 {
			r.answered(d.kind, status)
			return nil
		}
		r.again.Add(1)
		select {
		case <-ctx.Done():
			return fmt.Errorf("a delivery was not answered within %s: %w", deliveryPatience, errors.Join(ctx.Err(), err))
		case <-time.After(pause):
		}
	}
}

// partnerClient keeps its connections, as a sender of many webhooks does.
var partnerClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: deliverers, IdleConnTimeout: time.Minute}}

func postSigned(ctx context.Context, url string, body []byte, signature string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-RentVine-Signature", signature)
	resp, err := partnerClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // read to the end
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, err
}

func (r *reliabilityRun) answered(kind string, status int) {
	r.count.Lock()
	defer r.count.Unlock()
	if r.answers[kind] == nil {
		r.answers[kind] = map[int]int{}
	}
	r.answers[kind][status]++
}

// killNowAndThen kills one process after the other, evenly over the deliveries, until all
// are posted.
func (r *reliabilityRun) killNowAndThen(ctx context.Context, posted <-chan struct{}, all int) error {
	kills := min(max(6, all/2500), 40)
	for n := range kills {
		for r.done.Load() < int64(all*(n+1)/(kills+1)) {
			select {
			case <-posted:
				return nil
			case <-time.After(20 * time.Millisecond):
			}
		}
		name := []string{"worker", "ingress", "Temporal"}[n%3]
		if err := r.kill(ctx, name); err != nil {
			return fmt.Errorf("kill %s: %w", name, err)
		}
	}
	return nil
}

// kill ends a process as a crash does, and starts it again after a while.
func (r *reliabilityRun) kill(ctx context.Context, name string) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.kills[name]++
	wait := func() { time.Sleep(time.Duration(r.chance.Int64N(int64(2 * time.Second)))) }
	switch name {
	case "worker":
		if err := r.worker.Kill(); err != nil {
			return err
		}
		wait()
		return r.startWorker(ctx)
	case "ingress":
		if err := r.ingress.Kill(); err != nil {
			return err
		}
		wait()
		return r.startIngress(ctx)
	}
	pid, err := temporalOf(r.stack.Dev().PID())
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	// The sandbox in the same program ends with it: the partners are away, too.
	select {
	case <-r.stack.Dev().Done():
	case <-time.After(time.Minute):
		return errors.New("\"keyholder dev\" goes on without Temporal")
	}
	wait()
	return r.stack.Restart(ctx)
}

// temporalOf is the process id of the server that "keyholder dev" has started, as Linux
// shows processes: "pid (name) state parent ...".
func temporalOf(dev int) (int, error) {
	processes, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, p := range processes {
		text, err := os.ReadFile(p)
		if err != nil {
			continue // it has ended
		}
		pid, rest, _ := strings.Cut(string(text), " (temporal) ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(dev) {
			return strconv.Atoi(pid)
		}
	}
	return 0, errors.New("the process of Temporal was not found: this run needs Linux")
}

func (r *reliabilityRun) startBoth(ctx context.Context) error {
	return errors.Join(r.startWorker(ctx), r.startIngress(ctx))
}

func (r *reliabilityRun) startWorker(ctx context.Context) (err error) {
	r.worker, err = r.stack.Worker(ctx)
	return err
}

func (r *reliabilityRun) startIngress(ctx context.Context) (err error) {
	r.ingress, err = r.stack.IngressBeside(ctx, r.address)
	return err
}

func (r *reliabilityRun) stop() error {
	var errs []error
	for _, p := range []*e2e.Process{r.ingress, r.worker} {
		if p != nil {
			errs = append(errs, p.Stop(15*time.Second))
		}
	}
	return errors.Join(append(errs, r.stack.Stop())...)
}

// untilQuiet waits until no transaction is under way.
func (r *reliabilityRun) untilQuiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	for calm := 0; calm < 5; {
		open, err := r.stack.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Query: "WorkflowType = 'finance.transaction' AND ExecutionStatus = 'Running'",
		})
		calm++
		if err != nil || open.Count > 0 {
			calm = 0
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not all is booked: %w", ctx.Err())
		case <-time.After(500 * time.Millisecond):
		}
	}
	return nil
}

func (r *reliabilityRun) print(all, transactions int, delivered, settled time.Duration) {
	fmt.Printf("\n%d deliveries about %d transactions in %s (%.1f/s), all done after %s; sent again after no answer, 429 or 5xx: %d\n",
		all, transactions, delivered.Round(time.Second), float64(all)/delivered.Seconds(), settled.Round(time.Second), r.again.Load())
	fmt.Printf("  killed: worker %d times, ingress %d, Temporal and the partners %d\n", r.kills["worker"], r.kills["ingress"], r.kills["Temporal"])
	for _, kind := range slices.Sorted(maps.Keys(r.answers)) {
		var parts []string
		for _, status := range slices.Sorted(maps.Keys(r.answers[kind])) {
			parts = append(parts, fmt.Sprintf("%d x %d", r.answers[kind][status], status))
		}
		fmt.Printf("  %-20s %s\n", kind, strings.Join(parts, ", "))
	}
}

// checkBooks compares the entries in QuickBooks with the transactions.
func (r *reliabilityRun) checkBooks(ctx context.Context, transactions int) error {
	books, err := r.stack.QuickBooks(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("  QuickBooks has %d entries for %d transactions, %d twice, balanced %v\n", books.Entries, transactions, books.Duplicates, books.Balanced)
	if books.Entries != transactions || books.Duplicates > 0 || !books.Balanced {
		return errors.New("the books in QuickBooks are wrong")
	}
	return nil
}

// prove runs "keyholder prove", which must find no difference. RentVine tells nobody of the
// leases that come with the books, so one comparison goes before.
func (r *reliabilityRun) prove(ctx context.Context) error {
	if said, err := r.keyholder(ctx, "sync", "now", "--full", "--wait", "20m"); err != nil {
		return fmt.Errorf("compare RentVine: %w: %s", err, said)
	}
	for tries := 1; ; tries++ {
		began := time.Now()
		said, err := r.keyholder(ctx, "prove")
		if err != nil && tries < 10 {
			time.Sleep(3 * time.Second) // leases are still read
			continue
		}
		fmt.Printf("  keyholder prove, in %s:\n%s", time.Since(began).Round(100*time.Millisecond), indented(said))
		return err
	}
}

// keyholder runs a command beside the stack.
func (r *reliabilityRun) keyholder(ctx context.Context, args ...string) (said string, err error) {
	env, err := r.stack.Settings()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, r.stack.Binary(), append(args, "--data", r.dir)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
