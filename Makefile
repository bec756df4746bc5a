# Everything that is done with this project, by one name each. `make setup` needs Python 3.10 or later and pip.

# the first that runs and is recent enough
CANDIDATES := python3.11 python3.12 python3.13 python3 python3.10
RECENT := -c 'import sys; sys.exit(sys.version_info < (3, 10))'
PYTHON ?= $(shell for each in $(CANDIDATES); do $$each $(RECENT) 2>/dev/null && echo $$each && break; done)
# several of the pinned versions exist for 3.11 and later only
PINS = $(shell $(PYTHON) -c 'import sys; print("" if sys.version_info < (3, 11) else "-c constraints.txt")')
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=

.PHONY: setup demo test bench lint types check clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tests/agent.txt
	@$(or $(PYTHON),false) $(RECENT) || { echo "Python 3.10 or later is needed: make setup PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINS) -e '.[dev,flower]'
	@# the published agent runs against the sandbox in a test; what it pins of requests it does not need
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINS) --no-deps -r tests/agent.txt
	@touch $@

demo: setup
	$(BIN)/clearml-triggers demo

# tests that kill, freeze and cut off many processes have the machine for themselves; the others run two at a time
ALONE := tests/crash tests/deploy tests/acceptance

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ALONE:%=--ignore=%) $(PYTEST_ARGS)
	$(BIN)/python -m pytest $(ALONE) $(PYTEST_ARGS)

# beside the original: NAMES="idle rate" for some measures, BENCH_ARGS="--runs 5 --json figures.json" for more
bench: setup
	$(BIN)/python -m tests.benchmarks $(NAMES) $(BENCH_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

check: lint types test

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
