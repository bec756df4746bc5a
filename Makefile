# Everything that is done with this project, by one name each. `make setup` needs Python 3.11 or later and pip.

# every supported Python, the oldest first: the classifiers of pyproject.toml
PYTHONS := $(shell sed -n 's/^ *"Programming Language :: Python :: \([0-9.]*\)",$$/\1/p' pyproject.toml)
OLDEST := $(firstword $(PYTHONS))
# the first that runs and is recent enough
CANDIDATES := $(PYTHONS:%=python%) python3
RECENT := -c 'import sys; sys.exit(sys.version_info < tuple(map(int, "$(OLDEST)".split("."))))'
PYTHON ?= $(shell for each in $(CANDIDATES); do $$each $(RECENT) 2>/dev/null && echo $$each && break; done)
PINS := -c constraints.txt
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=
# of chaos: any, printed; SEED=... replays one
SEED ?= $(shell $(PYTHON) -c 'import random; print(random.randrange(1000000))')

.PHONY: setup demo test test-quick test-unit test-pythons test-together test-model test-alone chaos chaos-long chaos-clocks soak bench docs pictures lint types check pins release clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tests/agent.txt tests/oldest_redis.py
	@$(or $(PYTHON),false) $(RECENT) || { echo "Python $(OLDEST) or later is needed: make setup PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINS) -e '.[dev,flower]'
	@# the published agent runs against the sandbox in a test; what it pins of requests it does not need
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINS) --no-deps -r tests/agent.txt
	@# the oldest Redis that is supported, for tests
	$(BIN)/python -m tests.oldest_redis
	@touch $@

demo: setup
	$(BIN)/clearml-triggers demo

# tests that kill, freeze and cut off many processes have the machine for themselves; the model keeps the cores busy
ALONE := tests/crash tests/deploy tests/acceptance tests/chaos tests/integration/local
MODEL := tests/model

# what needs no other processes and no network, in a few minutes: for every change
test-quick: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow" tests/unit tests/contract tests/docs $(PYTEST_ARGS)

# of that what differs between Pythons most, for `.ci/run`
test-unit: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow" tests/unit $(PYTEST_ARGS)

# the quick part on every supported Python but the one of $(VENV), each in an environment of its own; absent ones are named.
# ~/.pyenv keeps several beside each other, and its commands start one of them alone; what is nowhere comes from Debian,
# unpacked into build. ON_EACH="test-unit" for less
ON_EACH ?= test-quick
test-pythons: setup
	@failed=; for each in $(PYTHONS); do \
		$(BIN)/python -c "import sys; sys.exit(sys.version_info[:2] != tuple(map(int, '$$each'.split('.'))))" && continue; \
		found=; for one in python$$each "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$each.*/bin/python$$each; do \
			[ -n "$$found" ] || ! "$$one" -c pass 2>/dev/null || found=$$one; \
		done; \
		[ -n "$$found" ] || found=$$($(BIN)/python -m tests.newer_python $$each build/python-$$each); \
		[ -n "$$found" ] || { echo "Python $$each is not on this machine: not tested"; continue; }; \
		echo "Python $$each:"; \
		$(MAKE) --no-print-directory VENV=.venv-$$each PYTHON=$$found $(ON_EACH) || failed="$$failed $$each"; \
	done; [ -z "$$failed" ] || { echo "failed on Python$$failed"; exit 1; }

# everything, what is shipped installed into empty environments among it. Most tests wait for processes that they have
# started: four at a time need half of two cores, two at a time a third where many processes are killed
test: test-together test-model test-alone

test-together: setup
	$(BIN)/python -m pytest -n 4 --dist loadgroup $(ALONE:%=--ignore=%) --ignore=$(MODEL) $(PYTEST_ARGS)

test-model: setup
	$(BIN)/python -m pytest -n 2 $(MODEL) $(PYTEST_ARGS)

test-alone: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ALONE) $(PYTEST_ARGS)

# beside the original: NAMES="idle rate" for some measures, BENCH_ARGS="--runs 5 --json figures.json" for more
bench: setup
	$(BIN)/python -m tests.benchmarks $(NAMES) $(BENCH_ARGS)

# real processes killed, frozen and cut off every second while hundreds of objects change: nothing lost, nothing doubled
chaos: setup
	$(BIN)/python -m tests.chaos --seed $(SEED)

# twenty seeds with all options, every fourth in local mode, every second with stepped clocks; a table at the end
chaos-long: setup
	$(BIN)/python -m tests.chaos --seed $(SEED) --seeds 20 --mode alternate --all

# five seeds, in which clocks are stepped as well: of processes, of Redis, of ClearML and its HTTP Date
chaos-clocks: setup
	$(BIN)/python -m tests.chaos --seed $(SEED) --seeds 5 --mode alternate --clocks

# 100,000 firings and 3,600 polls: memory, files and threads of every process and of Redis stay flat
soak: setup
	$(BIN)/python -m tests.chaos.soak

# every picture of the docs: diagrams from the code's tables, recordings of real runs; pages of Flower and the console need chromium
pictures: setup
	$(BIN)/python -m tests.docs.pictures

# the site, in build/site: no network is needed, and a link or an anchor that leads nowhere ends it
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs --quiet build --strict
	@echo "the site is in build/site; to read it: $(BIN)/python -m http.server -d build/site --bind 127.0.0.1 8000"

# the texts of the command line as files, remade after a change of words; look at what changed before committing
snapshots: setup
	SNAPSHOTS=write $(BIN)/python -m pytest tests/unit/cli/test_help.py tests/integration/cli_verbs/test_examples_of_help.py \
		-k reviewed

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.texts

types: setup
	$(BIN)/mypy

check: lint types test

# what the image installs: the runtime set alone, as constraints.txt has it, every file by its hash. `setuptools` builds
# the package itself without a download of its own.
pins: setup
	echo setuptools | $(BIN)/uv pip compile --quiet pyproject.toml - --extra console --extra flower --extra metrics --extra sandbox \
		--constraint constraints.txt --python-version 3.11.11 --universal --generate-hashes \
		--no-header --no-annotate --output-file requirements.txt

# everything of a release up to the upload: wheel, sources, and what the image holds as an SBOM (CycloneDX); the same
# commit gives the same bytes
release: export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),1767225600)
release: setup
	rm -rf dist build
	$(BIN)/python -m build --no-isolation --outdir dist
	$(BIN)/python -m tests.same_archive dist/*.tar.gz
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-file dist/clearml-triggers.cdx.json
	$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	@echo "to upload: twine upload dist/*.whl dist/*.tar.gz"

clean:
	rm -rf $(VENV) .venv-3.* build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
