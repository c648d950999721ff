package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
)

const (
	// linkRate is how many pages a second are asked for, linksOpen of how many
	// questions in turn: four a second of each, where the ingress allows five.
	linkRate  = 200
	linksOpen = 50
)

// links compares the page of an open question with a page of the same size from a
// plain echo handler, which reads nothing and checks no token.
func links(ctx context.Context, s settings, dir string) (err error) {
	policy, err := policyWith(dir, "", "quiet_hours: {from: 21:00, to: 08:00}", "quiet_hours: {from: 00:00, to: 00:00}",
		"routine_per_day: 6", "routine_per_day: 100")
	if err != nil {
		return err
	}
	stack, err := e2e.Start(ctx, e2e.Options{Binary: s.binary, Data: filepath.Join(dir, "data"), Args: []string{"--ephemeral", "--policy", policy}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	asked, err := openQuestions(ctx, stack)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	page, err := getPage(ctx, client, asked[0])
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		return err
	}
	port, err := cluster.FreePort(ctx)
	if err != nil {
		return err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	floor, err := e2e.Run(os.Args[0], []string{"-page", file, "-floor", addr}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.Stop(5*time.Second)) }()
	plain, err := onHost(asked, addr)
	if err != nil {
		return err
	}
	if err := untilPage(ctx, client, plain[0]); err != nil {
		return err
	}
	return compareLinks(ctx, s, client, len(page), map[string][]string{"floor": plain, "ingress": asked})
}

// compareLinks measures both sides in turn and prints the medians.
func compareLinks(ctx context.Context, s settings, client *http.Client, size int, sides map[string][]string) error {
	results := map[string][]measured{}
	for _, pages := range sides {
		if _, err := arrive(ctx, client, pages, time.Second); err != nil { // a warm-up
			return err
		}
	}
	for round := range s.linkRounds {
		order := []string{"floor", "ingress"}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, side := range order {
			m, err := arrive(ctx, client, sides[side], s.perLinkRound)
			if err != nil {
				return fmt.Errorf("%s: %w", side, err)
			}
			results[side] = append(results[side], m)
		}
	}
	f, i := median(results["floor"]), median(results["ingress"])
	fmt.Printf("\nthe page of an open question (%d bytes) beside the same bytes from a plain echo handler, %d/s over %d links whether or not earlier ones were answered, median of %d rounds of %s each\n",
		size, linkRate, linksOpen, s.linkRounds, s.perLinkRound)
	fmt.Printf("  p50 echo %s, ingress %s, ratio %.2f; p99 echo %s, ingress %s, ratio %.2f\n",
		fine(f.p50), fine(i.p50), float64(i.p50)/float64(f.p50), fine(f.p99), fine(i.p99), float64(i.p99)/float64(f.p99))
	return nil
}

func fine(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// openQuestions has leaking taps reported and returns the links under which the
// plumber is offered them.
func openQuestions(ctx context.Context, stack *e2e.Stack) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for range linksOpen {
		if _, err := stack.Tap(ctx, nil); err != nil {
			return nil, err
		}
	}
	for {
		texts, err := stack.Texts(ctx, "")
		if err != nil {
			return nil, err
		}
		var found []string
		for _, t := range texts {
			if link := e2e.LinkIn(t.Body); link != "" {
				found = append(found, link)
			}
		}
		if len(found) >= linksOpen {
			return found[:linksOpen], nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d questions were asked", len(found), linksOpen)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// onHost are the same pages at another host.
func onHost(pages []string, host string) ([]string, error) {
	var moved []string
	for _, p := range pages {
		u, err := url.Parse(p)
		if err != nil {
			return nil, err
		}
		u.Host = host
		moved = append(moved, u.String())
	}
	return moved, nil
}

// arrive asks for pages in turn at linkRate, however long the answers take, and
// measures from each departure to the end of the page.
func arrive(ctx context.Context, client *http.Client, pages []string, lasting time.Duration) (measured, error) {
	n := int(lasting.Seconds() * linkRate)
	times, failures := make([]time.Duration, n), make([]error, n)
	began := time.Now()
	var group sync.WaitGroup
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / linkRate)
		select {
		case <-ctx.Done():
			group.Wait()
			return measured{}, ctx.Err()
		case <-time.After(time.Until(due)):
		}
		group.Go(func() {
			start := time.Now()
			_, failures[i] = getPage(ctx, client, pages[i%len(pages)])
			times[i] = time.Since(start)
		})
	}
	group.Wait()
	for _, err := range failures {
		if err != nil {
			return measured{}, err // one of them says enough
		}
	}
	elapsed := time.Since(began)
	slices.Sort(times)
	return measured{perSecond: float64(n) / elapsed.Seconds(), p50: times[n/2], p99: times[n*99/100]}, nil
}

// getPage reads the page of an open question.
func getPage(ctx context.Context, client *http.Client, page string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("<form")) {
		return nil, fmt.Errorf("no open question but %s: %.200s", resp.Status, body)
	}
	return body, nil
}

// untilPage waits for a server to show pages.
func untilPage(ctx context.Context, client *http.Client, page string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		_, err := getPage(ctx, client, page)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// serveEcho is the floor of pages: echo with one route and the page of a file.
func serveEcho(ctx context.Context, addr, file string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Server.ReadHeaderTimeout = 5 * time.Second
	e.GET("/a/:token", func(c echo.Context) error { return c.HTMLBlob(http.StatusOK, page) })
	go func() {
		<-ctx.Done()
		_ = e.Close()
	}()
	if err := e.Start(addr); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
