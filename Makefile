# The commands of this source tree. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ROUNDS ?= 30
SEED ?=
STEPS ?=
CASE ?= all
PREFIX ?= /usr/local
PRESET ?= dev
FUZZ_SECONDS = $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60)

.PHONY: help setup build demo test crash interop model bench asan tsan fuzz tidy format format-check reference install clean

help: ## Print this list
	@echo 'headrace: from a bare machine, `make demo` shows it at work and `make test` proves it.'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-26s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install everything that building and testing need (idempotent)
	@scripts/setup build test tools

build: ## Build the optimised program: build/release/src/app/headrace
	@scripts/setup build
	@scripts/build release

demo: build ## Replay a day of Wikipedia edits through bronze, silver and gold, with a crash in the middle
	@scripts/setup demo
	@scripts/demo

test: ## Run all tests; ROUNDS=n sets the rounds of the crash test (30)
	@scripts/setup build test tools
	@scripts/build dev
	@HEADRACE_CRASH_ROUNDS=$(ROUNDS) scripts/test dev

crash: ## End the server by SIGKILL under load and count; ROUNDS=n (30), SEED=s repeats a run
	@scripts/setup build test
	@scripts/build dev headrace
	@.deps/python/bin/python tests/crash/crash.py --binary build/dev/src/app/headrace \
	  --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))

interop: ## Spark, Trino, pyiceberg and DuckDB on the tables of a running server, all at once; SEED=s, STEPS=n
	@scripts/setup build test interop
	@scripts/build dev headrace
	@HEADRACE_BINARY=build/dev/src/app/headrace HEADRACE_INTEROP_SEED=$(SEED) HEADRACE_INTEROP_STEPS=$(STEPS) \
	  .deps/python/bin/python -B -W ignore::ResourceWarning tests/interop/interop_test.py
	@HEADRACE_BINARY=build/dev/src/app/headrace \
	  .deps/python/bin/python -B -W ignore::ResourceWarning tests/interop/format_3_test.py

model: ## Live through random changes of a table beside a model of it; STEPS=n (1000 of each format), SEED=s repeats a run
	@scripts/setup build test
	@scripts/build dev maintenance_tests
	@HEADRACE_STEPS=$(or $(STEPS),1000) HEADRACE_SEED=$(or $(SEED),1) \
	  build/dev/src/maintenance/maintenance_tests --gtest_filter='*ModelTest.*'

bench: build ## Measure; CASE=flow|ingest|freshness|start|commits|upsert|scan|view|catalog measures one
	@scripts/setup test
	@scripts/build release bench_tools
	@.deps/python/bin/python bench/run.py $(CASE)

asan: ## Run the modules' tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/setup build test
	@scripts/build asan unit_tests
	@scripts/test asan --label-regex unit

tsan: ## Run the tests of the threaded modules under ThreadSanitizer
	@scripts/setup build test
	@scripts/build tsan threaded_tests
	@scripts/test tsan --label-regex threaded

fuzz: ## Fuzz each parser of foreign bytes; SECONDS=n for each (60)
	@scripts/setup build fuzz
	@scripts/fuzz $(FUZZ_SECONDS)

tidy: ## Run clang-tidy over all sources; SINCE=revision looks only at what changed
	@scripts/setup build test tools
	@scripts/tidy $(SINCE)

format: ## Format all C++ sources
	@scripts/setup tools
	@scripts/format

format-check: ## Say which C++ sources are not formatted
	@scripts/setup tools
	@scripts/format --check

reference: ## Write docs/reference/ anew from what the program declares
	@scripts/setup build test
	@scripts/build dev headrace
	@build/dev/src/app/headrace docs

install: build ## Install the program below PREFIX (/usr/local)
	@cmake --install build/release --prefix $(PREFIX) | tail -n +2

clean: ## Remove what was built; downloads stay
	rm -rf build
