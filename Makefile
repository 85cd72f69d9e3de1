# One command each; everything that a command needs is set up first, in .venv. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2

BIN := $(VENV)/bin
READY := $(VENV)/.ready
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-slow native lint clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(READY) ## Make the environment: .venv with this project and its pinned dependencies

$(READY): pyproject.toml constraints.txt hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: Python 3.11 or newer is needed, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true);" \
	       "name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: '$(PYTHON)' cannot make environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## Sample data, train, encode, index, search and Table 4, in minutes (DEMO='--train P --validate P' for real shards)
	$(BIN)/compress demo $(DEMO)

test: $(READY) ## Run the tests (under 8 minutes on 2 cores)
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS)

test-slow: $(READY) ## Run every test, the slow ones too
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) -m ''

native: $(READY) ## Compile the C code again, after a change to it
	$(BIN)/python hatch_build.py

lint: $(READY) ## Style, types and the arrows between the modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## Remove the environment, caches and the demo's folder
	rm -rf $(VENV) build dist demo-workspace *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
