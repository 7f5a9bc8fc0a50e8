# `make run` and `make test` do all the set-up by themselves; `make help` lists the rest.
# The first Python that answers and fits: some are only shims of a version manager.
FITS   := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
            $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: run test help lint check-types check-imports format policies walks pictures test-wordpress test-atproto wheel clean

run: $(VENV)/installed ## install, then watch the demo trust until Ctrl-C
	@$(BIN)/trust-monitor demo

test: $(VENV)/installed-dev lint check-types check-imports ## lint, types, import rules, all tests
	$(PYTEST) -n 2

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV)/python: # a Python that can't run us is named here, not by pip in the middle
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' || \
	  { echo "Trust Monitor needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@touch $@

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing Trust Monitor into $(VENV) (about a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing Trust Monitor and its test tools into $(VENV) (about a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/installed

lint: $(VENV)/installed-dev ## ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/installed-dev ## let ruff format and mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

check-types: $(VENV)/installed-dev ## mypy, strict
	@$(BIN)/mypy

check-imports: $(VENV)/installed-dev ## who may know whom
	@$(BIN)/lint-imports --no-logo

test-wordpress: $(VENV)/installed-dev ## a real WordPress, named by TRUST_MONITOR_TEST_WORDPRESS and ..._SITE
	$(PYTEST) -m wordpress tests/connectors/test_wordpress.py

test-atproto: $(VENV)/installed-dev ## a real Bluesky network on this machine (Node, PostgreSQL, Redis)
	PYTHON=$(abspath $(BIN)/python) tests/atproto/with-network.sh $(PYTEST) -m atproto tests/connectors/test_bluesky_network.py

policies: $(VENV)/installed-dev ## run all tests, and write docs/policies.md from what they show
	$(PYTEST) -n 2 --write-policies

walks: $(VENV)/installed-dev ## perform docs/walks/ anew, and write what really happened
	$(BIN)/python -m tests.walks

pictures: $(VENV)/installed-dev ## draw the pictures in docs/ (needs Chromium)
	@folder=$$(mktemp -d) && $(BIN)/python -m docs.preview $$folder --pictures && rm -r $$folder

wheel: $(VENV)/installed-dev ## build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps -w dist .

clean: ## remove what was installed and built
	rm -rf $(VENV) dist demo-state .pytest_cache .mypy_cache .ruff_cache .hypothesis
