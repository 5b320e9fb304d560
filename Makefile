# Two commands on a fresh machine: `make demo` and `make test`. All others are for those who work on it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test quick lint types generated bench mutants sweep demo-crash site clean

demo: $(VENV)/.demo ## a whole walkthrough on the rehearsal backend, and the site with its report
	tools/demo.sh

test: $(VENV)/.dev ## lint, types, and every test
	tools/system-packages.sh
	$(MAKE) --no-print-directory lint types
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

quick: $(VENV)/.dev ## lint, types, and every test that starts no process: the loop while you work
	$(MAKE) --no-print-directory lint types
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "not process"

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python sdk/generate.py --check

types: $(VENV)/.dev
	$(BIN)/mypy

bench: $(VENV)/.dev ## what an issue gave a number for, as ratios in one run
	$(BIN)/python -m benchmarks

mutants: $(VENV)/.dev ## the mutation score of the contract tests
	$(BIN)/python -m benchmarks.mutants

sweep: $(VENV)/.dev ## 500 kill -9, each resumed to its end
	$(BIN)/python -m benchmarks.sweep

demo-crash: $(VENV)/.demo ## a rehearsal that kills itself in mid-payment, and resumes
	tools/demo-crash.sh

site: $(VENV)/.demo
	$(BIN)/veza-e2e site build

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[e2e]'
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build .veza-e2e .mypy_cache .ruff_cache .pytest_cache .hypothesis
