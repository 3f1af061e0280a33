# Needs python3 (3.11 or newer) and make; everything else goes into $(VENV).
PYTHON ?= python3
VENV ?= .venv
UV ?= uv

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PEERS := $(VENV)/.peers
# How the tests are spread does not change what they do: every one is seeded and owns its files.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
# The tests start many processes, and each would compile our sources anew.
unexport PYTHONDONTWRITEBYTECODE
COVERED := --cov=dispatcher --cov=skills --cov-branch --cov-fail-under=95

COMPILE_PINS := $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help setup warm checked run demo test coverage test-full postgres lint peers bench bench-kernel bench-teams bench-live load pins clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Create .venv with the pinned tools and Muster itself

$(INSTALLED): requirements/dev.txt pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "Muster needs Python 3.11 or newer; '$(PYTHON)' was not found. Name one: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Muster needs Python 3.11 or newer; '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1). Name one: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot create virtual environments (no ensurepip); on Debian and Ubuntu install python3-venv." >&2; exit 1; }
	@echo "Installing into $(VENV) ..."
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## Start the service with a demo fleet, until Ctrl-C
	$(BIN)/muster serve --demo

warm: setup ## Compile the search kernel where this machine has not done so: a minute, once
	@$(BIN)/python -m solver.warm

demo: setup ## Plan a demo day without the service; tables here, documents and picture in var/demo
	$(BIN)/muster demo --out var/demo

test: checked ## Lint, then the fast tests
	$(PYTEST) -m "not slow"

checked: setup
	@$(MAKE) --no-print-directory --jobs 2 lint warm

coverage: setup warm ## The fast tests once more, twice as slowly, counting the branches of the domain they reach
	$(PYTEST) $(COVERED) -m "not slow"

test-full: postgres checked ## Lint, then every test, with many more random examples
	$(PYTEST) $(COVERED) --hypothesis-profile=full

postgres: ## Install Debian's PostgreSQL server for the tests where there is none
	@if [ -n "$$MUSTER_TEST_POSTGRES" ] || command -v pg_ctl >/dev/null || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1; then \
	  exit 0; \
	elif [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Debian's PostgreSQL server ..."; \
	  { apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends postgresql >/dev/null; } \
	    || echo "PostgreSQL could not be installed; its tests will be skipped." >&2; \
	else \
	  echo "No PostgreSQL server here, and only root on Debian can install one; its tests will be skipped." >&2; \
	fi

lint: setup ## Style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

peers: $(PEERS) ## Install the solvers that the benchmarks compare with, as far as this machine can

# One by one: a machine may have one of them and not another. What is installed already keeps its version.
$(PEERS): $(INSTALLED)
	@echo "Installing the solvers to compare with ..."
	@$(BIN)/python -m pip freeze --exclude-editable >$(VENV)/constraints.txt
	@peers=$$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["bench"])') || exit 1; \
	missing=; \
	for peer in $$peers; do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --constraint $(VENV)/constraints.txt "$$peer" \
	    || { missing=1; echo "$$peer could not be installed; the benchmarks run without." >&2; }; \
	done; \
	if [ -z "$$missing" ]; then touch $@; fi

bench: setup warm peers ## Measure the engines on small days beside other solvers: under ten minutes once all is installed
	$(BIN)/python -m benchmarks.run --quick
	$(BIN)/python -m benchmarks.report

bench-kernel: setup warm ## How fast the search kernel is, in a minute
	$(BIN)/python -m benchmarks.kernel

bench-teams: setup warm ## Measure teams: published instances, our own days, options in an emergency; two hours, resumable
	$(BIN)/python -m benchmarks.teams --write
	$(BIN)/python -m benchmarks.team_options --write

bench-live: setup warm ## Measure live dispatch: questions, chances, the log, and policies over whole days; an hour, resumable
	$(BIN)/python -m benchmarks.live --write
	$(BIN)/python -m benchmarks.replay --write

load: setup ## Measure the service: import, paging, and route requests while it plans
	$(BIN)/python -m benchmarks.load

pins: ## Write requirements/*.txt anew from pyproject.toml (needs uv)
	@command -v "$(UV)" >/dev/null || { echo "make pins needs uv: make pins UV=/path/to/uv" >&2; exit 1; }
	$(COMPILE_PINS) pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE_PINS) pyproject.toml --group dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(COMPILE_PINS) --group build --constraints requirements/dev.txt --output-file requirements/build.txt

clean: ## Remove the environment, caches and everything generated
	rm -rf $(VENV) build dist var .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
