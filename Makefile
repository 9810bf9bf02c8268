# The map of habits. Nothing to install first but Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup console web run test unit check format faults bench docs texts lock services clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else "frontline needs Python 3.11, 3.12 or 3.13; this is %d.%d" % v[:2])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

WEB := handoff/console/web
CONSOLE := handoff/console/dist/index.html
$(CONSOLE): $(VENV)/.ready $(WEB)/package-lock.json $(WEB)/vite.config.ts $(WEB)/index.html $(shell find $(WEB)/src -type f ! -name schema.d.ts)
	sh handoff/console/build.sh $(BIN)
	touch $@

console: $(CONSOLE)  ## build the console's pages

# Without the console everything else runs: its page then says what is missing.
setup: $(VENV)/.ready  ## make .venv with frontline in it, and the console
	-$(MAKE) --no-print-directory console

run: setup  ## run the gateway; where nothing is installed yet, a demo with invented clients
	$(BIN)/frontline run --demo auto

services:
	sh tests/services.sh

PURE := core bot handoff flows
COVERED := --cov=core --cov=bot --cov=handoff --cov-fail-under=98 --cov-report=term-missing:skip-covered

test: unit services console  ## everything: unit, contract, fault, browser tests
	sh tests/again.sh $(BIN)/python -m pytest -n 2 --dist loadscope -m "not faults and not browser and not speed" $(PURE:%=--ignore=tests/%)
	sh tests/again.sh $(BIN)/python -m pytest -n 2 --dist loadscope -m browser
	sh tests/again.sh $(BIN)/python -m pytest -m "faults or speed"

unit: $(VENV)/.ready-dev  ## the pure rooms and their branch coverage; no services, no processes: seconds
	$(BIN)/python -m pytest -q -n 2 -m "not speed" $(PURE:%=tests/%) $(COVERED)

check: $(VENV)/.ready-dev  ## format, lint, types, imports, flows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/frontline check
	$(MAKE) --no-print-directory web

web: $(CONSOLE)  ## types and tests of the console's pages
	mkdir -p build && $(BIN)/python -m gateway.api > build/openapi.json
	cd $(WEB) && PATH="$(PATH):$(CURDIR)/$(BIN)" npm run --silent types && PATH="$(PATH):$(CURDIR)/$(BIN)" npm run --silent check && PATH="$(PATH):$(CURDIR)/$(BIN)" npm test --silent

format: $(VENV)/.ready-dev  ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Bots of other libraries have an environment of their own. What cannot be installed is reported as "not installed".
build/bench-peers/.ready: bench/peers/requirements.txt bench/peers/node/package-lock.json
	test -x build/bench-peers/bin/python || $(PYTHON) -m venv build/bench-peers
	-build/bench-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/peers/requirements.txt
	-npm ci --prefix bench/peers/node --ignore-scripts --no-audit --no-fund --silent
	touch $@

faults: $(VENV)/.ready-dev services  ## kill, cut off and starve it; the report goes to docs/reliability.md. SHORT=1: minutes
	$(BIN)/python -m tests.faults $(if $(SHORT),--short,--report docs/reliability.md)

bench: $(VENV)/.ready-dev build/bench-peers/.ready  ## measure beside bots of other libraries; FULL=1 for everything
	sh tests/services.sh
	$(BIN)/python -m bench --preset $(if $(FULL),full,short) --write
	$(if $(FULL),$(BIN)/python -m bench.profile --write)
	$(if $(FULL),$(BIN)/python -m bench.soak --store sqlite --write)
	$(if $(FULL),$(BIN)/python -m bench.soak --store sqlite --kill-every 0 --write)
	$(if $(FULL),$(BIN)/python -m bench.soak --store postgres --write)

docs: $(VENV)/.ready-dev  ## write the generated references
	$(BIN)/python docs/generate.py

texts: $(VENV)/.ready-dev  ## collect message ids into the catalogues, translations kept
	mkdir -p build && $(BIN)/pybabel -q extract -F babel.cfg --no-default-keywords -k t -k plural:1,2 -k n_ --sort-output --no-location -o build/messages.pot .
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-pot-creation-date -w 120 -i build/messages.pot -o core/translations/ru.po -l ru

lock: $(VENV)/.ready-dev  ## pin all versions with hashes
	$(BIN)/python -m uv pip compile pyproject.toml --extra build --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate -q -o requirements.lock
	$(BIN)/python -m uv pip compile pyproject.toml --extra build --extra dev --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate -q -c requirements.lock -o requirements-dev.lock
	$(BIN)/python -m uv pip compile bench/peers/requirements.in --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate -q -o bench/peers/requirements.txt
	npm install --prefix bench/peers/node --package-lock-only --omit-lockfile-registry-resolved --silent

clean:  ## forget what was built; data in var/ stays
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage htmlcov
