# The only commands that a person needs: install, demo, test, test-thorough, check, format, bench, lock.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# where it is set, each of a thousand processes would compile all of it anew
export PYTHONDONTWRITEBYTECODE :=
SUITE := $(BIN)/pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder
UNIT := $(if $(CHECKED),--ignore=tests/unit)

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

install: $(STAMP)  ## a .venv with everything from the lock, hashes checked

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "$(PYTHON) has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q atomops flows tasks
	@touch $@

demo: install    ## the sandbox, a Prefect server, every daily flow once, then its schedules (ONCE=1: ends after the reports)
	$(BIN)/atomops demo $(if $(ONCE),--once)

test: install    ## everything but the long tests, on real servers (CHECKED=1: without what `make check` has just run)
	$(BIN)/python -m tests.servers
	$(SUITE) --junit-xml=.cache/reports/test.xml --ignore=tests/thorough $(UNIT)

test-thorough: install  ## every test at its full length: kill loops (ROUNDS=200), load, foreign worlds
	$(BIN)/python -m tests.servers
	THOROUGH=1 $(SUITE) --junit-xml=.cache/reports/thorough.xml $(UNIT)

check: install   ## format, lint, types, import contracts, unit tests with the coverage of the pure parts
	@mkdir -p .cache
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target --keep-going check-types check-code check-units

check-types:
	$(BIN)/mypy

check-code:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

check-units:
	$(BIN)/coverage run -m pytest -q --junit-xml=.cache/reports/unit.xml tests/unit
	$(BIN)/coverage report

format: install  ## rewrite the code, and the pages of the checks, as `check` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m docs.write_runbook

bench: install   ## ratios against the guide's own commands
	$(BIN)/python -m bench

lock:            ## pin everything again, with hashes and without index addresses (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --all-extras pyproject.toml --output-file requirements.lock > /dev/null
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-emit-find-links --no-header --extra sandbox --extra checkout --constraint requirements.lock pyproject.toml \
	  --output-file deployments/requirements.lock > /dev/null  # what the image needs, in the same versions

.PHONY: help install demo test test-thorough check check-types check-code check-units format bench lock
