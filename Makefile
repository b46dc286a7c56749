# "make help" lists the targets. Go alone is needed for build, demo and test;
# test-kafka and chaos need Java and Maven as well (.ci/java installs them).

GO            ?= go
SECONDS       ?= 60
FUZZTIME      ?= 10s
SEEDS         ?= 2000
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# The packages that start goroutines, for the race detector.
RACE := ./engine/pipeline ./connectors/broker ./connectors/http ./connectors/kafka ./connectors/metrics ./cmd/...

# The packages whose tests run on a real Apache Kafka, with the tag realkafka; of
# cmd/dangol only those with "Real" in their names do.
KAFKA := ./bench/brokers ./connectors/kafka

.DEFAULT_GOAL := help
.PHONY: help build demo test test-kafka race lint bench zoo recovery many crash simulate chaos fuzz ci

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build ./bin/dangol
	$(GO) build -o bin/dangol ./cmd/dangol

demo: build ## Run the demo for SECONDS (60): broker, shop, engine and API in one process
	./bin/dangol demo --seconds $(SECONDS)

test: ## Run the tests
	$(GO) test $(GOTESTFLAGS) ./...
	$(GO) test $(GOTESTFLAGS) -tags synctests -run Simulate ./bench/simulate

test-kafka: ## Run the tests on a real Apache Kafka, one package after the other
	$(GO) test -tags realkafka -count=1 -p 1 -timeout 15m $(KAFKAFLAGS) $(KAFKA)
	$(GO) test -tags realkafka -count=1 -timeout 15m $(KAFKAFLAGS) -run Real ./cmd/dangol

race: ## Run the short tests of the packages with goroutines under the race detector
	DANGOL_DATA= $(GO) test -race -short $(RACE) # real data takes minutes here, and starts no goroutines of its own
	$(GO) test -race -short -skip 'Planted|FailingDisk' ./state # these repeat the others' work many times, on one goroutine or in other processes

lint: ## Check format and rules
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt -w is needed for:"; echo "$$files"; exit 1; fi
	@if grep -rnE '^\s+go (func|[A-Za-z_.]+)\(' engine --include='*.go' --exclude='*_test.go' --exclude-dir=pipeline; then \
		echo "the core starts no goroutines"; exit 1; fi
	$(GO) run $(GOLANGCI_LINT) run ./...

bench: build ## Measure what an event costs, by stage, beside bare consuming; then a score, a fit, a basket and offers
	./bin/dangol bench $(BENCHFLAGS)
	$(GO) test -run '^$$' -bench 'Score|Fit|Basket|Offers' ./bench

zoo: build ## Judge churn forecasts on simulated shops that nobody ships (ZOOFLAGS="--against other/dangol")
	$(GO) run ./bench/zoo --bin bin/dangol $(ZOOFLAGS)

recovery: build ## Measure how soon dangol is back: killed, without its disk, with a standby (RECOVERYFLAGS="--broker real")
	$(GO) run ./bench/recovery --bin bin/dangol $(RECOVERYFLAGS)

many: ## Compare three instances with one, after a million events
	DANGOL_EVENTS=1000000 $(GO) test -count=1 -v -timeout 30m -run TestThreeInstancesAreAsOne ./cmd/dangol

crash: ## Kill the engine 50 times while 200,000 events flow
	DANGOL_EVENTS=200000 DANGOL_KILLS=50 $(GO) test -count=1 -run TestKilledAtRandomMoments ./cmd/dangol

simulate: ## Live through the faults of SEEDS (2000) seeds, find what is planted; crash, damage and fill 1,000 simulated disks in each durability
	cd bench/simulate && $(GO) test -tags synctests -count=1 -timeout 60m -args -seeds $(SEEDS)
	DANGOL_CLONES=1000 $(GO) test -count=1 -timeout 60m -run 'Crash|Damage|FailingDisk' ./state

chaos: build ## Kill, stop and cut off what runs for five minutes, and compare all that was said with an oracle (CHAOSFLAGS="--seed 7 --broker embedded")
	$(GO) run ./bench/chaos --bin bin/dangol $(CHAOSFLAGS)

fuzz: ## Fuzz every target for FUZZTIME (10s) each
	FUZZTIME=$(FUZZTIME) .ci/fuzz

ci: ## All that the continuous integration runs
	.ci/run
