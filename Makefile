# Waxwing needs Go and, for the tests with AWS's JavaScript SDK, Node.js. Everything else is fetched on the way.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

# The race detector needs a C compiler; a machine without one still runs every test. SQLite is not watched: its connections share no
# memory of Go's, and the tests would take three times as long.
RACE     := $(if $(shell command -v $$($(GO) env CC) 2>/dev/null),-race '-gcflags=github.com/ncruces/go-sqlite3-wasm/v6/...=-race=false')
FUZZTIME ?= 5s

# Packages with files that are made from code.
GENERATED := ./internal/app ./internal/config ./internal/ingest ./internal/meta

GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: help run build test check fmt vet lint vuln fuzz chaos bench generate generated clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build what is missing and run `waxwing dev` (ARGS="--ephemeral" adds flags)
	@exec bin/waxwing dev $(ARGS)

build: ## build bin/waxwing
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/waxwing ./cmd/waxwing

test: ## run every test
	@command -v npm >/dev/null || { echo 'make test: npm is needed for the tests with AWS'"'"'s JavaScript SDK: install Node.js' >&2; exit 1; }
	$(GO) test $(RACE) -timeout 20m ./...

check: fmt vet lint test fuzz generated ## everything a change has to pass

fmt: ## fail if a file is not formatted
	@files=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); [ -z "$$files" ] || { echo "not formatted:"; echo "$$files"; exit 1; } >&2

vet: ## go vet
	$(GO) vet ./...

lint: ## golangci-lint, with the import rule
	$(GOLANGCI_LINT) run ./...

vuln: ## look for known vulnerabilities in what is used (asks vuln.go.dev)
	$(GOVULNCHECK) ./...

fuzz: ## run every fuzz target for FUZZTIME (5s)
	@for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg >/tmp/waxwing-fuzz.$$$$ 2>&1 || { cat /tmp/waxwing-fuzz.$$$$; exit 1; }; \
	  done; \
	done; rm -f /tmp/waxwing-fuzz.$$$$

chaos: ## let everything go wrong for ten minutes, then prove that nothing was lost
	WAXWING_CHAOS=10m $(GO) test -count=1 -timeout 30m -v ./test/chaos

bench: build ## Go benchmarks, then the load generator
	$(GO) test -run '^$$' -bench . -benchmem ./...
	bin/waxwing bench send --baseline
	bin/waxwing bench pipeline
	bin/waxwing bench start

generate: ## write the files that are made from code
	UPDATE=1 $(GO) test -count=1 -run 'IsCurrent$$' $(GENERATED)

generated: ## fail if a generated file is out of date
	@$(GO) test -count=1 -run 'IsCurrent$$' $(GENERATED)

clean: ## remove what was built
	rm -rf bin
