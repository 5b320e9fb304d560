# Two commands on a fresh machine: `make demo` and `make test`. All others are for those who work on it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHASE := tools/phase.sh
# What each line of progress counts its seconds from; a make started by this one counts on.
export PHASES_SINCE := $(or $(PHASES_SINCE),$(shell date +%s))

.PHONY: demo test quick packages lint types bench mutants mutation anywhere fuzz pictures simulate simulate-bugs sweep tamper newest demo-crash site constraints constraints-check installers release clean FORCE

demo: $(VENV)/.demo ## a whole walkthrough on the rehearsal backend, and the site with its report
	@tools/demo.sh

test: $(VENV)/.dev ## lint, types, and every test
	@PHASES_BESIDE=1 $(MAKE) --no-print-directory --jobs=3 packages lint types
	@$(PHASE) --show "running every test" $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

quick: $(VENV)/.dev ## lint, types, and every test that starts no process: the loop while you work
	@$(MAKE) --no-print-directory lint types
	@$(PHASE) --show "running the tests that start no process" $(BIN)/python -m pytest --numprocesses 2 \
		--dist loadfile --no-loadscope-reorder --brief -m "not process"

packages:
	@tools/system-packages.sh

lint: $(VENV)/.dev
	@$(PHASE) "linting" $(BIN)/ruff check .
	@$(PHASE) "checking the format" $(BIN)/ruff format --check .
	@$(PHASE) "checking who imports whom" $(BIN)/lint-imports --no-cache
	@$(PHASE) "checking what is generated" $(BIN)/python sdk/generate.py --check

types: $(VENV)/.dev
	@$(PHASE) "checking the types" $(BIN)/mypy

bench: $(VENV)/.dev ## what an issue gave a number for, as ratios in one run
	$(BIN)/python -m benchmarks

mutants: $(VENV)/.dev ## the mutation score of the contract tests
	$(BIN)/python -m benchmarks.mutants

mutation: $(VENV)/.dev ## the mutation score of the rules about money (ARGS="--sample 300 --seed N")
	@$(BIN)/python -m venv build/cosmic-ray  # of its own: it has no wheel for each of its parts
	@$(PHASE) "installing Cosmic Ray" build/cosmic-ray/bin/pip install --quiet cosmic-ray==8.7.0
	@build/cosmic-ray/bin/python -m benchmarks.mutation --write $(ARGS)

anywhere: ## the suite in other places, on other days, for other users (ARGS="--only NAME")
	tools/system-packages.sh
	tools/anywhere-packages.sh
	$(PYTHON) tools/anywhere.py $(ARGS)

newest: $(VENV)/.dev ## the SDK's suite on the newest releases of the day: a weekly job, no part of `make test`
	$(BIN)/python tests/sdk/versions.py

pictures: $(VENV)/.dev ## the pictures in the README and the docs, of sessions that the tests tell
	PYTHONPATH=tests $(BIN)/python -m benchmarks.pictures

fuzz: $(VENV)/.dev ## 20,000 answers that the contract allows: redaction changes no result
	$(BIN)/python -m benchmarks.fuzz

simulate: $(VENV)/.dev ## 10,000 histories in a simulated world, from a fresh seed (ARGS="--seed N")
	@$(BIN)/python -m benchmarks.simulate --write $(ARGS)

simulate-bugs: $(VENV)/.dev ## deliberate bugs, and how many histories the simulator needs to find each
	@$(BIN)/python -m benchmarks.simulate_bugs

tamper: $(VENV)/.dev ## 500 tamperings with archives: which verify finds, and which it had named before
	@$(BIN)/python -m benchmarks.tamper

sweep: $(VENV)/.dev ## 500 kill -9, each resumed to its end
	$(BIN)/python -m benchmarks.sweep

demo-crash: $(VENV)/.demo ## a rehearsal that kills itself in mid-payment, and resumes
	tools/demo-crash.sh

site: $(VENV)/.demo
	$(BIN)/veza-e2e site build

constraints: $(VENV)/.python ## pins for every promised Python: PYTHONS="python3.11 …" [UPGRADE=1]
	@$(BIN)/python tools/constraints.py write $(if $(UPGRADE),--upgrade) $(PYTHONS)

constraints-check: $(VENV)/.python ## whether the pins resolve; installs nothing
	@$(BIN)/python tools/constraints.py check $(or $(PYTHONS),$(PYTHON))

installers: $(VENV)/.dev ## the documented commands through pipx and uv, with the wheel of this tree (ARGS="--write")
	@$(BIN)/python tools/installers.py $(ARGS)

release: $(VENV)/.dev ## builds, checks and tags VERSION=x.y.z; publishes nothing
	@$(BIN)/python tools/release.py "$(VERSION)"

# venv.sh looks each time, and leaves the file's date alone if .venv is whole; a PYTHON that somebody named counts.
$(VENV)/.python: FORCE
	@tools/venv.sh "$(PYTHON)" $(if $(filter file,$(origin PYTHON)),any)

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt sdk/veza/_version.py
	@tools/install.sh e2e
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt sdk/veza/_version.py
	@tools/install.sh dev
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build .veza-e2e/rehearsal .mypy_cache .ruff_cache .pytest_cache .hypothesis
