# Koz: `make help` lists what there is. Needs only Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.requirements
EDITABLE := $(BIN)/python -m pip install --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help setup test check bench chaos migration translations

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(STAMP): requirements/run.txt requirements/dev.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Koz needs Python 3.11 or newer."; exit 1; }
	@echo "Installing the pinned packages into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt -r requirements/dev.txt
	@$(EDITABLE) >/dev/null 2>&1 || $(EDITABLE)
	@touch $@

setup: $(STAMP) ## virtual environment, packages, translations
	@$(BIN)/python scripts/translate.py compile

demo: setup ## the whole service on this machine
	@exec $(BIN)/python -m koz.demo $(if $(RESET),--reset)

test: setup ## every test
	@scripts/browser.sh
	@scripts/judges.sh
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(T)

check: setup ## formatting, lint, types, contracts, templates, translations, migrations, known weaknesses
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates koz/sandbox/templates --lint --quiet
	$(BIN)/python scripts/translate.py check
	$(BIN)/python scripts/migrations.py
	$(BIN)/python scripts/audit.py
	@! grep -nE 'https?://|--(extra-)?index-url' requirements/*.txt || { echo "a host is named in the requirements"; exit 1; }

bench: setup ## what pages, webhooks and plans cost, as ratios to floors of the same run
	$(BIN)/python -m bench.run
	$(BIN)/python -m bench.matching
	$(BIN)/python -m bench.planning
	$(BIN)/python -m bench.teams
	$(BIN)/python -m bench.words

chaos: setup ## money under chaos by hand: make chaos GIFTS=2000 SEED=7 (NAIVE=1 shows that it can fail)
	$(BIN)/python -m tests.chaos.run $(if $(GIFTS),--gifts $(GIFTS)) $(if $(SEED),--seed $(SEED)) $(if $(NAIVE),--naive)

translations: setup ## which messages lack their French text
	$(BIN)/python scripts/translate.py check
