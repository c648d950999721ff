// Command bench measures Keyholder beside a floor: the least that any receiver
// of webhooks on Temporal must do, a bare net/http handler that checks the HMAC
// and calls SignalWithStart, against the same server in the same run. Figures are
// ratios to that floor; absolute ones say more of the machine than of the code.
//
//	go run ./bench            full
//	go run ./bench -small     a few seconds a figure, as CI runs it
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

type settings struct {
	binary string
	// rounds alternate floor and ingress; the median of each is compared.
	rounds int
	// perRound is how long each measures.
	perRound time.Duration
	// latency is how long the webhook-to-text measurement runs at 10/s.
	latency time.Duration
	// importRows is the size of the imported file.
	importRows int
	// linkRounds alternate echo and ingress, each for perLinkRound; the medians are compared.
	linkRounds   int
	perLinkRound time.Duration
	// events is how many deliveries the reliability run makes, or how many workflows the
	// capacity run opens, 0 for their own choice.
	events int
	small  bool
	// only names the one figure that is measured, "" for all.
	only string
}

func main() {
	var small, holding bool
	var floorAddr, temporal, page string
	var s settings
	flag.BoolVar(&small, "small", os.Getenv("BENCH_SMALL") != "", "short rounds, as CI runs it")
	flag.StringVar(&s.binary, "binary", envOr("KEYHOLDER_BIN", "bin/keyholder"), "the keyholder command")
	flag.StringVar(&floorAddr, "floor", "", "run the floor on this address (used by the bench itself)")
	flag.StringVar(&temporal, "temporal", "", "Temporal of the floor")
	flag.StringVar(&page, "page", "", "the floor shows the page in this file instead")
	flag.BoolVar(&holding, "hold", false, "the floor is a worker whose workflows do nothing; its metrics are on this address")
	flag.StringVar(&s.only, "only", "", "measure one: throughput, latency, imports, repairs, leasing, finance, portfolio, links, reliability, capacity or simulation")
	flag.IntVar(&s.events, "events", 0, "deliveries of the reliability run (0: 10,000, or 600 with -small), open workflows of capacity (0: 2,000, or 200)")
	rounds := flag.Int("rounds", 0, "rounds of each figure (0: 5, or 1 with -small)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	var err error
	switch {
	case floorAddr != "" && page != "":
		err = serveEcho(ctx, floorAddr, page)
	case floorAddr != "" && holding:
		err = serveHold(ctx, floorAddr, temporal)
	case floorAddr != "":
		err = serveFloor(ctx, floorAddr, temporal)
	default:
		s.small = small
		s.rounds, s.perRound, s.latency, s.importRows = 5, 6*time.Second, 30*time.Second, 1000
		s.linkRounds, s.perLinkRound = 5, 3*time.Second
		if small {
			s.rounds, s.perRound, s.latency, s.importRows = 1, 2*time.Second, 3*time.Second, 300
			s.linkRounds, s.perLinkRound = 3, 2*time.Second
		}
		if *rounds > 0 {
			s.rounds, s.linkRounds = *rounds, *rounds
		}
		err = run(ctx, s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func run(ctx context.Context, s settings) (err error) {
	dir, err := os.MkdirTemp("", "keyholder-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if s.binary, err = filepath.Abs(s.binary); err != nil {
		return err
	}
	for _, m := range []struct {
		name    string
		measure func(context.Context, settings, string) error
	}{
		{"throughput", throughput}, {"latency", latency}, {"imports", imports}, {"repairs", repairs}, {"leasing", leaseYear},
		{"finance", finance}, {"portfolio", monthEnds}, {"links", links}, {"reliability", reliability},
		{"capacity", capacity},
		{"simulation", func(_ context.Context, s settings, _ string) error { return simulate(os.Stdout, s.small) }},
	} {
		if s.only == "" || s.only == m.name {
			err = errors.Join(err, m.measure(ctx, s, filepath.Join(dir, m.name)))
		}
	}
	return err
}
