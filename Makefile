# `make demo` shows norn, `make test` tests it, and `make help` lists everything.
SHELL := bash

# The devcluster is built with the same flags, so both share Go's build cache. grpcnotrace omits golang.org/x/net/trace,
# whose templates prevent the linker from removing unused methods: half of the binary.
export CGO_ENABLED := 0
export PREFIX DESTDIR
export GOFLAGS := -trimpath -buildvcs=false -tags=grpcnotrace

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: help
help: ## List the targets
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
install: build ## Install norn, its kubectl plugin, man pages and completions (PREFIX=/usr/local DESTDIR=)
	@hack/install

.PHONY: uninstall
uninstall: ## Remove everything that install has installed
	@hack/install --remove

.PHONY: release
release: ## Build the release of the current commit into dist/: archives, SBOMs, SHA256SUMS (PLATFORMS="linux/amd64 …")
	@hack/release $(PLATFORMS)

.PHONY: reproducible
reproducible: ## Check that two builds of a release are identical (PLATFORMS=linux/amd64)
	@hack/reproducible $(PLATFORMS)

.PHONY: demo
demo: build ## Deploy the sample app to a real cluster and remove it (CONTEXT=name for your own cluster)
	@hack/demo $(CONTEXT)

.PHONY: up
up: ## Start a devcluster
	@hack/devcluster up

.PHONY: down
down: ## Stop the devcluster
	@hack/devcluster down

.PHONY: test
test: build lint unit devcluster ## Run all tests: lint, unit tests, the devcluster, and the built norn on its own clusters
	@hack/test

.PHONY: test-all
test-all: ## Run all rows of test, nodes, soak, faults, compat and fuzz; fail if a test exceeds its budget
	@rm -f bin/tests.json
	@NORN_TEST_ALL=1 NORN_TEST_RECORD=$(CURDIR)/bin/tests.json $(MAKE) --no-print-directory test
	@hack/devcluster-e2e gateway metrics
	@NORN_TEST_RECORD=$(CURDIR)/bin/tests.json $(MAKE) --no-print-directory nodes
	@$(MAKE) --no-print-directory soak faults compat fuzz
	@go run ./hack/testtimes check test/budgets.txt bin/tests.json

.PHONY: unit
unit: ## Run the unit tests with the race detector
	@echo "== unit tests"
	@NORN_TEST_SOPS=$$(hack/sops) CGO_ENABLED=1 go test -race ./pkg/... ./hack/... $$(go list ./internal/... | grep -v /internal/cli)
	@go test ./cmd/... ./internal/cli/... ./test/bed
	@cd devcluster && go test ./internal/...

KINDS := sessions control interrupted canary ci logs offline nodes
.PHONY: $(KINDS)
sessions: ## Run CLI sessions on a cluster that runs containers
control: ## Run tests that need the API server but no containers
interrupted: ## Kill, signal and disconnect deploys
canary: ## Plant secret values and search for leaks
ci: ## Run the files in docs/ci like their CI systems
logs: ## Follow logs while containers, kubelet and API server restart
offline: ## Run tests of the built norn without a cluster
nodes: ## Count lost requests and lose nodes on a cluster with three nodes (NORN_TEST_ROLLOUTS=50)
$(KINDS):
	@hack/test $@

.PHONY: devcluster
devcluster: ## Run the devcluster's tests, unless they have passed on the same build
	@hack/devcluster-e2e

.PHONY: soak
soak: ## Follow pods at full speed while components are killed and logs are rotated
	@NORN_TEST_SOAK=1 hack/test logs -run TestEveryLineOnce -v

.PHONY: faults
faults: ## Run each command against each fault of an API server
	@NORN_TEST_FAULTS=1 hack/test control -run TestEachCommand

.PHONY: compat
compat: ## Run the sessions on other Kubernetes versions (VERSIONS="1.34 1.36")
	@hack/compat $(VERSIONS)

.PHONY: lint
lint: ## Run gofmt, go vet and the linter
	@hack/lint

.PHONY: pictures
pictures: build ## Draw docs/pictures from norn's output on a devcluster
	@hack/pictures

.PHONY: fuzz
fuzz: ## Fuzz everything that reads what others wrote (FUZZTIME=10m)
	@go test -run '^$$' -fuzz FuzzParse -fuzztime $(or $(FUZZTIME),1m) -fuzzminimizetime 10x ./pkg/infraspec
	@go test -run '^$$' -fuzz FuzzConnectionTo -fuzztime $(or $(FUZZTIME),1m) ./pkg/deploy/database
	@go test -run '^$$' -fuzz FuzzScan -fuzztime $(or $(FUZZTIME),1m) -fuzzminimizetime 10x ./internal/logs
	@go test -run '^$$' -fuzz FuzzRedact -fuzztime $(or $(FUZZTIME),1m) -fuzzminimizetime 10x ./internal/redact
	@go test -run '^$$' -fuzz FuzzIngress -fuzztime $(or $(FUZZTIME),1m) ./pkg/forge/tunnel
	@go test -run '^$$' -fuzz FuzzGit -fuzztime $(or $(FUZZTIME),1m) ./pkg/deploy/source
	@go test -run '^$$' -fuzz FuzzDockerfile -fuzztime $(or $(FUZZTIME),1m) ./pkg/deploy/image
	@go test -run '^$$' -fuzz FuzzKubeconfig -fuzztime $(or $(FUZZTIME),1m) ./pkg/k8s/connect
	@go test -run '^$$' -fuzz FuzzFly -fuzztime $(or $(FUZZTIME),1m) -fuzzminimizetime 10x ./internal/scaffold
	@go test -run '^$$' -fuzz FuzzProcfile -fuzztime $(or $(FUZZTIME),1m) -fuzzminimizetime 10x ./internal/scaffold
	@go test -run '^$$' -fuzz FuzzCompose -fuzztime $(or $(FUZZTIME),1m) -fuzzminimizetime 10x ./internal/scaffold
	@go test -run '^$$' -fuzz FuzzKamal -fuzztime $(or $(FUZZTIME),1m) -fuzzminimizetime 10x ./internal/scaffold

.PHONY: bench-validate
bench-validate: build ## Measure norn validate for 1,000 apps
	@hack/bench-validate

.PHONY: bench-forge
bench-forge: build ## Compare norn forge with kubectl and helm
	@hack/bench-peers BenchmarkForge

.PHONY: bench-deploy
bench-deploy: build ## Compare how soon norn deploy, kubectl and helm detect a failing version
	@hack/bench-peers BenchmarkDeploy

.PHONY: bench-far
bench-far: build ## Count the round trips that norn, kubectl and helm wait for, far from the cluster
	@hack/bench-peers BenchmarkFar

.PHONY: bench-probes
bench-probes: build ## Compare how long rollouts take with norn's probes and with others
	@NORN_BENCH_PROBES=1 hack/test bench -run '^$$' -bench '^BenchmarkProbes$$' -benchtime 1x

.PHONY: bench-processes
bench-processes: build ## Measure the rollout of ten processes beside that of one
	@NORN_BENCH_PROCESSES=1 hack/test bench -run '^$$' -bench '^BenchmarkProcesses$$' -benchtime 1x

.PHONY: bench-redact
bench-redact: ## Measure the redaction of secret values
	@go test -run '^$$' -bench '^BenchmarkRedact$$' ./internal/redact

.PHONY: bench-logs
bench-logs: build ## Compare norn logs with stern and kubectl (PODS=1,10,30 LINES=200000)
	@hack/bench-logs

.PHONY: bench-start
bench-start: build ## Compare the start-up times of norn and kubectl
	@hack/bench-start
