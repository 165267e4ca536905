# Two commands do all the set-up: `make demo` and `make test`.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: demo test lint build deps bench bench-training bench-serving bench-materialize bench-windows fuzz help

help: ## What there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

demo: ## Build fs and run its main job on real data; no server to install
	$(CARGO) build --workspace
	$(TARGET)/debug/fs -C feature_repo demo

test: deps ## Install what the tests need when it is missing, and pass them all
	$(CARGO) test --workspace

lint: ## Formatting and lints, warnings denied
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

build: ## The optimised binary
	$(CARGO) build --release --workspace --bin fs

bench: ## Criterion benchmarks
	$(CARGO) bench --package fs-benches

SIZES ?= 1m,10m
bench-training: build ## Training sets, beside DuckDB, Polars and Feast; SIZES=1m,10m,50m ARGS=…
	@python="$$(benches/install.sh)" && \
	  "$$python" benches/training/run.py --fs $(TARGET)/release/fs --sizes $(SIZES) $(ARGS)

bench-serving: deps ## Online lookups, beside bare Redis and Feast; ARGS=… (ARGS=--quick takes two minutes)
	$(CARGO) build --release --workspace --bin fs --bin floor
	@python="$$(benches/install.sh)" && \
	  "$$python" benches/serving/run.py --fs $(TARGET)/release/fs --floor $(TARGET)/release/floor $(ARGS)

bench-materialize: deps ## Files to Delta to Redis and LMDB, beside a bare client and Feast; ARGS=… (ARGS=--quick takes a minute)
	$(CARGO) build --release --workspace --bin fs --bin floor
	@python="$$(benches/install.sh)" && \
	  "$$python" benches/materialize/run.py --fs $(TARGET)/release/fs --floor $(TARGET)/release/floor $(ARGS)

SERVING ?= --runs 3
bench-windows: deps build ## Windowed features beside DuckDB and Polars, and lookups of them; ARGS=… SERVING=… (both --quick: a minute)
	@python="$$(benches/install.sh)" && \
	  "$$python" benches/windows/run.py --fs $(TARGET)/release/fs $(ARGS) && \
	  if [ -n "$(SERVING)" ]; then "$$python" benches/serving/windowed.py --fs $(TARGET)/release/fs $(SERVING); fi

SECONDS ?= 60

fuzz: ## Made-up bytes for what reads rows and keys; needs cargo-fuzz and a nightly compiler; SECONDS=60
	cd crates/fs-online && for target in key row; do cargo +nightly fuzz run $$target -- -max_total_time=$(SECONDS) || exit 1; done

deps: ## A Redis server and the Python clients of the integration tests
	@integration/install-deps.sh
