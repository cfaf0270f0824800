# The only commands that a person needs: install, demo, test, check, format, bench, lock.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

help:            ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

install: $(STAMP)  ## a .venv with everything from the lock, hashes checked

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "$(PYTHON) has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install    ## the sandbox, a Prefect server, every daily flow once, then its schedules (ONCE=1: ends after the reports)
	$(BIN)/atomops demo $(if $(ONCE),--once)

test: install    ## everything, on real servers (CHECKED=1: without what `make check` has just run)
	$(BIN)/python -m tests.servers
	$(BIN)/pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder $(if $(CHECKED),--ignore=tests/unit)

check: install   ## format, lint, types, import contracts, unit tests with the coverage of the pure parts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@mkdir -p .cache
	$(BIN)/coverage run -m pytest -q tests/unit
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

.PHONY: help install demo test check format bench lock
