# norn: `make demo` shows it, `make test` proves it. Everything else is under `make help`.
SHELL := bash

# The devcluster is built with the same flags, so that both share Go's build cache. grpcnotrace leaves out
# golang.org/x/net/trace, whose templates keep the linker from dropping unused methods: half of the binary.
export CGO_ENABLED := 0
export PREFIX DESTDIR
export GOFLAGS := -trimpath -buildvcs=false -tags=grpcnotrace

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: ## Build bin/norn
	@go build -ldflags '-s -w -X norn/internal/cli.stamped=$(VERSION)' -o bin/norn ./cmd/norn

.PHONY: docs
docs: build ## Write docs/commands.md from the commands
	@bin/norn docs page >docs/commands.md

.PHONY: man
man: build ## Write the man pages into bin/man
	@mkdir -p bin/man && bin/norn docs man bin/man

.PHONY: install
install: build ## Install norn, also as kubectl's plugin, with man pages and completions (PREFIX=/usr/local DESTDIR=)
	@hack/install

.PHONY: uninstall
uninstall: ## Take away what install has put there
	@hack/install --remove

.PHONY: release
release: ## Build the release of the commit into dist/: archives, SBOMs, SHA256SUMS (PLATFORMS="linux/amd64 …")
	@hack/release $(PLATFORMS)

.PHONY: reproducible
reproducible: ## Build one platform's release twice, in two folders with two build caches, and compare (PLATFORMS=linux/amd64)
	@hack/reproducible $(PLATFORMS)

.PHONY: demo
demo: build ## Put the sample app on a real cluster and take it off again (CONTEXT=name: on your own)
	@hack/demo $(CONTEXT)

.PHONY: up
up: ## Start a devcluster to play with
	@hack/devcluster up

.PHONY: down
down: ## Stop it
	@hack/devcluster down

.PHONY: test
test: build ## Everything: lint, unit tests, the devcluster, and the built norn on clusters of its own
	@hack/all

.PHONY: test-all
test-all: ## test, soak, compat and fuzz, and fail if a test takes longer than its budget
	@rm -f bin/tests.json
	@NORN_TEST_RECORD=$(CURDIR)/bin/tests.json $(MAKE) --no-print-directory test
	@hack/devcluster-e2e gateway metrics
	@$(MAKE) --no-print-directory soak compat fuzz
	@go run ./hack/testtimes check test/budgets.txt bin/tests.json

.PHONY: unit
unit: ## Unit tests, with the race detector
	@echo "== unit tests"
	@NORN_TEST_SOPS=$$(hack/sops) CGO_ENABLED=1 go test -race ./pkg/... ./hack/... $$(go list ./internal/... | grep -v /internal/cli)
	@go test ./cmd/... ./internal/cli/... ./test/bed
	@cd devcluster && go test ./internal/...

KINDS := sessions control interrupted canary ci logs offline
.PHONY: $(KINDS)
sessions: ## Sessions of the CLI, script by script, on a cluster that runs containers
control: ## What needs the API server and no container, on control planes alone
interrupted: ## Deploys that are killed, signalled or cut off
canary: ## Secret values are planted, and looked for everywhere
ci: ## The files in docs/ci, run as their systems do
logs: ## Logs while containers, kubelet and API server restart
offline: ## What needs the built norn and no cluster
$(KINDS):
	@hack/test $@

.PHONY: devcluster
devcluster: ## The devcluster's own tests, unless they have passed on the same build
	@hack/devcluster-e2e

.PHONY: soak
soak: ## Count the lines of pods at full speed while the kubelet and the API server are killed and logs are rotated
	@NORN_TEST_SOAK=1 hack/test logs -run TestEveryLineOnce -v

.PHONY: compat
compat: ## The sessions on other versions of Kubernetes (VERSIONS="1.34 1.36")
	@hack/compat $(VERSIONS)

.PHONY: lint
lint: ## gofmt, vet, staticcheck and the house's rules
	@hack/lint

.PHONY: pictures
pictures: build ## Draw docs/pictures anew, from what norn shows at a terminal on a devcluster
	@hack/pictures

.PHONY: fuzz
fuzz: ## Fuzz the infraspec's loader (FUZZTIME=10m)
	@go test -run '^$$' -fuzz FuzzParse -fuzztime $(or $(FUZZTIME),1m) -fuzzminimizetime 10x ./pkg/infraspec

.PHONY: bench-validate
bench-validate: build ## Time and memory of validating 1,000 apps in one call
	@hack/bench-validate

.PHONY: bench-forge
bench-forge: build ## norn forge's time and requests beside kubectl's and helm's
	@hack/bench-peers BenchmarkForge

.PHONY: bench-deploy
bench-deploy: build ## How soon norn deploy knows that a version fails, beside kubectl and helm
	@hack/bench-peers BenchmarkDeploy

.PHONY: bench-redact
bench-redact: ## How fast text goes through the filter for secret values
	@go test -run '^$$' -bench '^BenchmarkRedact$$' ./internal/redact

.PHONY: bench-logs
bench-logs: build ## norn logs' time, CPU and memory beside stern's and kubectl's (PODS=1,10,30 LINES=200000)
	@hack/bench-logs

.PHONY: bench-start
bench-start: build ## norn version's time beside kubectl's
	@hack/bench-start
