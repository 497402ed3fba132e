# CloudOps Manager. `make` alone prints the targets.
GO       ?= go
BIN      := bin/cloudops
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# gin's codec for MessagePack, which we do not speak, is 4 MB.
TAGS     := nomsgpack
LDFLAGS  := -s -w -X main.version=$(VERSION)
TESTFLAGS ?=
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help
.PHONY: help demo run build test test-all race fuzz gosec vuln bench chaos lint generate verify clean

help: ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## plan, approve, apply and drift-check examples/hello on a server of its own (DEMO_EXIT=1 ends it after)
	@DEMO_CLOUDOPS=$(abspath $(BIN)) examples/demo.sh

run: build ## start the server on http://127.0.0.1:8080 with its data in ./data
	$(BIN) serve --data-dir data

build: ## build bin/cloudops
	$(GO) build -tags $(TAGS) -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/cloudops

test: ## unit and integration tests; with CLOUDOPS_TEST_ALL=1 nothing is skipped
	$(GO) vet -tags $(TAGS) ./...
	$(GO) test -tags $(TAGS) $(TESTFLAGS) -timeout 45m ./...

test-all: ## every test, the race detector included; services must be there
	CLOUDOPS_TEST_ALL=1 $(MAKE) test
	$(MAKE) race

race: ## tests of the concurrent parts under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -tags $(TAGS) -race -timeout 30m ./engine/... ./workers/... ./api/...

FUZZ ?= 1m
fuzz: ## look for input from outside that panics, hangs or gets out, each parser for a while (FUZZ=10m)
	@set -e; for file in $$(git ls-files '*_test.go' | xargs grep -l '^func Fuzz'); do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\).*/\1/p' $$file); do \
			echo "$$name"; $(GO) test -tags $(TAGS) ./$$(dirname $$file) -run none -fuzz "^$$name\$$" -fuzztime $(FUZZ) -fuzzminimizetime 1s; \
		done; \
	done

# Built apart from lint, for it takes minutes. What it finds is mended, or says why not beside #nosec. Left out are: errors that
# are let go (G104), which staticcheck and reviews look at; programs that are started and files that are opened by a path that is not
# written in the code (G204, G304, G702, G703), which is what a runner is for; modes that let tools read (G301, G306) in folders that
# only we enter; and the digests that Terraform's own protocol and functions are made with (G401, G501, G505).
NOSEC := G104,G204,G304,G702,G703,G301,G306,G401,G501,G505
gosec: ## look for patterns that are often unsafe
	$(GO) run github.com/securego/gosec/v2/cmd/gosec@v2.30.0 -quiet -tags $(TAGS) -exclude-generated -exclude-dir=bench -exclude-dir=chaos -exclude-dir=engine/enginetest -exclude=$(NOSEC) ./...

vuln: ## look for known vulnerabilities in what we are built from; needs vuln.go.dev
	@curl -fsS -m 20 -o /dev/null https://vuln.go.dev/index/db.json || { echo "vuln.go.dev, which has the list of vulnerabilities, cannot be reached: nothing was looked at" >&2; exit 1; }
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 -tags $(TAGS) ./...

# ONLY is one measurement; without, all of them take some 20 minutes.
ONLY ?=
bench: build ## measure; writes bench/results.json and prints a table (ONLY=memory)
	$(GO) run -tags $(TAGS) ./bench -cloudops $(BIN) -only '$(ONLY)'

# A seed repeats the faults and the runs. FOR is the time of faults for each pair of databases; PAIR is postgres or
# sqlite, one after the other without.
SEED ?= $(shell date +%s)
FOR  ?= 10m
PAIR ?=
chaos: ## torture real processes for 10 minutes a pair, then check that nothing was lost (SEED=7 FOR=1h PAIR=postgres)
	$(GO) test -tags $(TAGS) ./chaos -v -timeout 24h -chaos.seed $(SEED) -chaos.for $(FOR) -chaos.pair '$(PAIR)'

lint: ## gofmt, vet and staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.7.0 ./...

generate: ## write everything that is made from code: pages, state drawings, schema, OpenAPI, READMEs, CLI reference
	$(GO) tool templ generate -path api/web
	$(GO) test ./engine ./engine/store ./api ./modules ./playbooks ./cmd/cloudops -run 'Drawn|Schema|EveryVersion|OpenAPI|Readme|README|Reference' -update

verify: generate ## fail when something generated is stale
	git diff --exit-code

clean: ## remove what was built
	rm -rf bin
