# One command each; everything that a command needs is set up first, in .venv. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2

BIN := $(VENV)/bin
NATIVE := $(shell find compress encoders -path "*/native/*.[ch]")
READY := $(VENV)/.ready
# Rivals that the project itself does not need.
BENCH_EXTRA = $(BIN)/python -c 'import tfrecord' 2>/dev/null || \
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[bench]'
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-slow bench bench-quick native fuzz soak soak-once mutation lint docs lock sbom vulnerabilities clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(READY) ## Make the environment: .venv with this project and its pinned dependencies

$(READY): pyproject.toml constraints.txt hatch_build.py $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: Python 3.11 or newer is needed, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true);" \
	       "name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: '$(PYTHON)' cannot make environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## Sample data, train, encode, index, search and report, about 5 minutes (DEMO='--train P --validate P': your shards)
	$(BIN)/compress demo $(DEMO)

test: $(READY) ## Run the tests (8 to 10 minutes on 2 cores)
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS)

test-slow: $(READY) ## Run every test, the slow ones too
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) -m ''

bench: $(READY) ## Measure speed beside other programs, into docs/results/speed (about 20 minutes on 2 cores)
	@$(BENCH_EXTRA)
	$(BIN)/python -m benchmarks --json docs/results/speed/speed.json --markdown docs/results/speed/speed.md $(BENCH)

bench-quick: $(READY) ## The same on small sizes, under 5 minutes, writes nothing (BENCH='--only search' for some rows)
	@$(BENCH_EXTRA)
	$(BIN)/python -m benchmarks --quick $(BENCH)

native: $(READY) ## Compile the C code again, after a change to it
	$(BIN)/python hatch_build.py

fuzz: $(READY) ## Feed a million damaged records to the C reader, under sanitizers, and a million that libFuzzer chooses (MUTATIONS=N)
	$(ONE_THREAD) MUTATIONS=$(or $(MUTATIONS),1000000) $(BIN)/python -m pytest -m slow -s tests/datasets/test_native_fuzz.py

soak: $(READY) ## Kill, fill, cut and damage at random, and count what is lost: docs/reliability.md (SOAK=minutes, default 60)
	$(BIN)/python -m tests.soak --minutes $(or $(SOAK),60)

soak-once: $(READY) ## One turn of a harness again (HARNESS=kills TURN=17)
	$(BIN)/python -m tests.soak --only $(HARNESS) --turn $(TURN)

mutation: $(READY) ## Make wrong changes in the code, one at a time, and see whether tests notice (MUTANTS=100)
	$(ONE_THREAD) $(BIN)/python -m tests.soak.mutation --mutants $(or $(MUTANTS),100)

lint: $(READY) ## Check style, types, and which module may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY) ## Build the documentation site in build/docs; every warning is an error
	@$(BIN)/python -c 'import furo, myst_parser, sphinx_copybutton' 2>/dev/null || \
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[docs]'
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs

lock: $(READY) ## Make requirements.lock anew: the default dependencies with the sha256 of their files (needs pip 24)
	@mkdir -p build
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' > build/direct.txt
	$(BIN)/python -m pip install --quiet --dry-run --ignore-installed --only-binary :all: --report build/report.json \
	  -c constraints.txt -r build/direct.txt
	$(BIN)/python -m release.lock build/report.json > build/requirements.lock
	mv build/requirements.lock requirements.lock

sbom: $(READY) ## List the installed components as CycloneDX JSON, into build/sbom.json
	@mkdir -p build
	$(BIN)/python -m release.sbom > build/sbom.json

vulnerabilities: $(READY) ## Compare the pinned versions with a copy of the OSV database: DATABASE=PATH, no network
	$(BIN)/python -m release.vulnerabilities $(or $(DATABASE),$(error name it: make vulnerabilities DATABASE=PATH))

clean: ## Remove the environment, caches and the demo's folder
	rm -rf $(VENV) build dist demo-workspace *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
