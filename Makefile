# Everything that people and CI do here. `make` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
RACE := $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null && echo -race)
# Flags for what a target runs, such as ARGS='--day 1s' for dev.
ARGS ?=

# Tests and benchmarks run the real programs: the dev server and our own binary.
programs = temporal="$$(tools/temporal/ensure)" && export KEYHOLDER_TEMPORAL_BIN="$$temporal" KEYHOLDER_BIN="$(CURDIR)/bin/keyholder"

.PHONY: help
help: ## List the targets
	@echo "Keyholder $(VERSION)"
	@awk -F ':.*## ' '/^[a-z0-9_\/-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/keyholder (static, version from git)
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o bin/keyholder ./cmd/keyholder

.PHONY: dev
dev: build ## Run everything on this machine; ARGS='--day 1s' and other flags: bin/keyholder dev --help
	@$(programs) && exec bin/keyholder dev $(ARGS)

.PHONY: test
test: build ## Run all tests; ARGS='-run Name' and other flags of go test
	@$(programs) && go test -timeout 30m $(ARGS) ./...

.PHONY: check
check: ## Lint, tidy, workflow checks, tests with the race detector, clean tree
	@before="$$(tools/tree-state)" && \
	$(MAKE) tidy lint workflowcheck test-race && \
	{ [ "$$before" = "$$(tools/tree-state)" ] || { echo "the checks changed files of the tree:" >&2; git status --short >&2; exit 1; }; } && \
	echo "check: all is well"

# The end-to-end tests are left out: they drive the built program, into which the
# race detector cannot look, and `make test` has run them.
.PHONY: test-race
test-race:
	@[ -n "$(RACE)" ] || echo "no C compiler: the tests run without the race detector" >&2
	@$(programs) && go test -timeout 30m $(RACE) $(ARGS) $$(go list ./... | grep -v /worker/e2e)

.PHONY: lint
lint: bin/golangci-lint ## Lint and check the format of all packages
	bin/golangci-lint run ./...

.PHONY: format
format: bin/golangci-lint ## Format all files and imports
	bin/golangci-lint fmt ./...

# The modules under tools/ are left out: their tidiness needs the tests of some
# thousand packages that we never run.
.PHONY: tidy
tidy: ## Check that go.mod and go.sum say what the code needs
	@go mod tidy -diff || { echo "run: go mod tidy" >&2; exit 1; }

.PHONY: workflowcheck
workflowcheck: bin/workflowcheck bin/golangci-lint ## Check workflows for what cannot be replayed, and that planted violations are seen
	bin/workflowcheck -config tools/check/workflowcheck.yaml ./workflows/...
	tools/check/planted

.PHONY: replay
replay: ## Replay the golden histories against this code
	go test ./worker -run Replay -count=1 $(ARGS)

.PHONY: golden
golden: build ## Record the golden histories anew (testdata/histories)
	@$(programs) && go test ./worker/e2e -run Golden -golden -count=1 $(ARGS)

.PHONY: bench
bench: build ## Measure the ingress and an emergency beside a floor; BENCH_SMALL=1 for a short run
	@$(programs) && go run ./bench $(ARGS)

.PHONY: e2e-postgres
e2e-postgres: build ## Temporal's server on PostgreSQL: versioned deploys, rollback, crashes (first builds the server)
	@tools/server/ensure && $(programs) && export KEYHOLDER_TEMPORAL_SERVER_BIN="$(CURDIR)/bin/temporal-server" && \
	go test ./worker/e2e -run TestPostgreSQL -count=1 -timeout 20m -v $(ARGS)

.PHONY: docs-check
docs-check: build ## Run every command of the documentation, in a copy, on the default ports of dev
	@$(programs) && KEYHOLDER_DOCS_CHECK=1 go test -timeout 30m ./docs -count=1 -v $(ARGS)

.PHONY: deploy-check
deploy-check: ## Check what operators take away: Prometheus' rules and their tests, dashboards, compose, Kubernetes
	@command -v promtool >/dev/null || { echo "promtool is missing: apt-get install --no-install-recommends prometheus" >&2; exit 1; }
	go test ./deploy/... ./tools/dashboards -count=1 $(ARGS)
	cd tools/deploy && go test ./... -count=1 $(ARGS)

.PHONY: clean
clean: ## Remove what was built; the dev data in .data stays
	rm -rf bin

bin/temporal: tools/temporal/go.mod tools/temporal/go.sum ## Build Temporal's command line tool (once, about 5 minutes)
	@tools/temporal/ensure --build

bin/golangci-lint: tools/lint/go.mod tools/lint/go.sum
	@echo "Building golangci-lint, once: 1 to 5 minutes." >&2
	cd tools/lint && CGO_ENABLED=0 go build -buildvcs=false -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/workflowcheck: tools/check/go.mod tools/check/go.sum
	cd tools/check && CGO_ENABLED=0 go build -buildvcs=false -o ../../$@ go.temporal.io/sdk/contrib/tools/workflowcheck
