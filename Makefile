SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The tools that .ci/setup builds come before what else is on PATH.
export PATH := $(shell . .ci/env && echo "$$PATH")

STAGE := target/stage
WASM_OPT := node_modules/.bin/wasm-opt
# Named one by one: --all-features writes modules that browsers refuse.
WASM_FEATURES := bulk-memory bulk-memory-opt nontrapping-float-to-int sign-ext mutable-globals reference-types multivalue
# Code that was taken apart and put together anew packs better, and so do functions in the order of how often they are
# called. Nothing lies in the first kilobyte but the end of the stack: who comes there has none left, and traps either way.
WASM_OPT_FLAGS := $(WASM_FEATURES:%=--enable-%) --low-memory-unused -Oz --flatten --rereloop -Oz -Oz --reorder-functions

# Folders too: theirs is the time of the last file that came or went.
# Relocations tell what data is used, and panics shall not name the folders of this machine. To inline a little more than
# opt-level z does packs better.
WASM_RUSTFLAGS := -C llvm-args=-inline-threshold=15 -C link-arg=--emit-relocs --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src/= --remap-path-prefix=$(CURDIR)/=
LINKED := $(or $(CARGO_TARGET_DIR),target)/wasm32-unknown-unknown/release/evenkeel.wasm

sources = $(shell find $(1) 2>/dev/null)
RUST_SOURCES := Cargo.toml Cargo.lock rust-toolchain.toml $(call sources,src)
# The tests that run in browsers; the others need the native world.
WASM_TESTS := $(shell grep -ls wasm_bindgen_test tests/*.rs tests/*/main.rs | sed -E 's,^tests/([^/.]+).*,--test \1,')
export WASM_TESTS
JS_SOURCES := package-lock.json tsconfig.json tsconfig.build.json $(call sources,js pkg-template) LICENSE-MIT LICENSE-APACHE

.PHONY: help
help: ## Lists the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name what; do printf '  %-16s %s\n' "$$name" "$$what"; done

.PHONY: setup
setup: ## Installs what is lacking: tools, npm packages, browsers
	@.ci/setup

.PHONY: package
package: ## Builds the publishable npm package in pkg/
	@.ci/setup build
	@mkdir -p target
	@$(call locked,$(MAKE) pkg/package.json)

# Two builds of one clone take turns.
locked = if command -v flock >/dev/null; then flock target/package.lock $(1); else $(1); fi

# wasm-pack leaves files alone that did not change: the stamp says when it ran.
$(STAGE)/wasm.stamp: $(RUST_SOURCES)
	@mkdir -p $(STAGE)
	RUSTFLAGS='$(WASM_RUSTFLAGS)' wasm-pack --log-level warn build --mode no-install --target web --release --no-pack --out-dir $(STAGE)/wasm
	@touch $@

$(STAGE)/evenkeel_bg.wasm: $(STAGE)/wasm.stamp package-lock.json pkg-template/snip.mjs pkg-template/dead-data.mjs pkg-template/wasm-file.mjs
	node pkg-template/snip.mjs $(LINKED) $(STAGE)/wasm/evenkeel_bg.wasm $(STAGE)/snipped.wasm
	$(WASM_OPT) $(WASM_OPT_FLAGS) $(STAGE)/snipped.wasm -o $@

target/glue.d.ts: $(STAGE)/wasm.stamp pkg-template/build.mjs pkg-template/glue.mjs
	@node pkg-template/build.mjs types

# The file that is written last stands for the folder.
pkg/package.json: $(STAGE)/evenkeel_bg.wasm target/glue.d.ts $(JS_SOURCES)
	node pkg-template/build.mjs package

.PHONY: test
test: ## Runs every test, cheap ones first; the last line sums up
	@.ci/setup test
	@node .ci/test.mjs core package unit wasm e2e react auth packaging deploy

.PHONY: test-core
test-core: ## Runs the native Rust tests
	@node .ci/test.mjs core

.PHONY: test-unit
test-unit: package ## Runs the JavaScript tests that need no browser
	@node .ci/test.mjs unit

.PHONY: test-wasm
test-wasm: ## Runs the Rust tests in headless Chromium and Firefox
	@.ci/setup test
	@node .ci/test.mjs wasm

.PHONY: test-e2e
test-e2e: package ## Runs the tests of whole pages in Chromium
	@.ci/setup test
	@node .ci/test.mjs e2e

.PHONY: test-react
test-react: package ## Runs the hooks on pages of React 18 and 19
	@.ci/setup test
	@node .ci/test.mjs react

.PHONY: test-auth
test-auth: package ## Runs pages against real servers of next-auth 4 and 5
	@.ci/setup test
	@node .ci/test.mjs auth

.PHONY: test-packaging
test-packaging: package ## Installs the package the way apps do and builds them
	@.ci/setup test
	@node .ci/test.mjs packaging

.PHONY: test-deploy
test-deploy: package ## Builds apps as two versions and deploys the second under open pages
	@.ci/setup test
	@node .ci/test.mjs deploy

.PHONY: size
size: package ## Prints what the package weighs, and what takes the room
	@$(WASM_OPT) $(WASM_OPT_FLAGS) --debuginfo $(STAGE)/snipped.wasm -o $(STAGE)/named.wasm
	@node benches/size.mjs $(STAGE)/named.wasm

.PHONY: bench
bench: package ## Times calls, event streams, the stream parser and drafts, and counts session requests and renders, beside their peers
	@.ci/setup test
	@node benches/call.mjs
	@echo
	@node benches/events.mjs
	@echo
	@node --expose-gc benches/parser.mjs
	@echo
	@node benches/session.mjs
	@echo
	@node benches/drafts.mjs
	@echo
	@node benches/react.mjs
	@if compgen -G "benches/*.rs" >/dev/null; then cargo bench; fi

.PHONY: demo
demo: package ## Builds the demo's page and serves it on a local address
	@node examples/storm/build.mjs
	@node examples/storm/server.mjs

.PHONY: types
types: ## Checks the types of js/ and of the tests
	@.ci/setup build
	@mkdir -p target
	@$(call locked,$(MAKE) target/glue.d.ts)
	node_modules/.bin/tsc -p tsconfig.json
	@if compgen -G 'tests/unit/*.ts*' >/dev/null; then set -x; node_modules/.bin/tsc -p tsconfig.tests.json; fi

.PHONY: lint
lint: ## Checks form and lint of Rust and JavaScript, and the crate's documentation
	@.ci/setup build
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	cargo clippy --quiet --target wasm32-unknown-unknown --lib $(WASM_TESTS) -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --no-deps
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --no-deps --target wasm32-unknown-unknown
	node_modules/.bin/biome ci --colors=off --error-on-warnings

.PHONY: format
format: ## Formats Rust and JavaScript in place
	cargo fmt
	node_modules/.bin/biome check --write

.PHONY: clean
clean: ## Removes everything that was built here; tools outside the clone stay
	rm -rf target pkg
