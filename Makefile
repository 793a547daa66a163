# Qualy Sync. `make` alone lists what there is. Everything made here lies in .venv/ and .qualy/; `make clean` takes it away.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-full browser lint bench sandbox lock clean

# What an earlier shell exported must not steer this project's Airflow, nor point it at somebody's real books.
unexport $(filter-out QUALY_SPECS,$(filter AIRFLOW% QUALY_%,$(.VARIABLES)))
unexport PYTHONHOME PYTHONSTARTUP PYTHONDONTWRITEBYTECODE VIRTUAL_ENV
export PYTHONPATH := $(CURDIR)/plugins:$(CURDIR)
export PYTHONPYCACHEPREFIX := $(CURDIR)/.qualy/pycache
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.qualy/hypothesis

PY := .venv/bin/python
PYTHONS := python3.11 python3.12 python3.13 python3 python
PYTEST := $(PY) -m pytest tests -o cache_dir='$(CURDIR)/.qualy/pytest_cache' $(PYTEST_ARGS)
given = $(if $(filter-out 0 no false,$($(1))),$(2))

help: ## this list
	@echo "Qualy Sync: make TARGET [NAME=VALUE ...]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'\t' '{printf "  %-10s %s\n", $$1, $$2}'

run: setup ## Airflow and the stand-ins, with one run watched to its end (ONCE=1 FRESH=1 PORT= SANDBOX_PORT= PAYMENTS= SEED= TOOL=)
	@exec $(PY) -m qualy_app.local run $(call given,ONCE,--once) $(call given,FRESH,--fresh) \
	  $(if $(TOOL),--tool '$(TOOL)') $(if $(PORT),--port '$(PORT)') $(if $(SANDBOX_PORT),--sandbox-port '$(SANDBOX_PORT)') \
	  $(if $(PAYMENTS),--payments '$(PAYMENTS)') $(if $(SEED),--seed '$(SEED)')

test: setup-dev ## everything a developer needs before a commit
	@$(PYTEST) -n 2 --dist worksteal -m "not full and not browser"

test-full: setup-dev ## the full product of faults, calls and databases (long)
	@$(PYTEST) -n 2 --dist worksteal -m full

browser: setup-dev ## the pages in a real Chromium
	@$(PYTEST) -m browser

lint: setup-dev ## style, import floors, types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@.venv/bin/lint-imports --cache-dir .qualy/import_linter
	@$(PY) -m mypy

bench: setup-dev ## figures: calls, records per second, memory, webhook to written; 25 minutes or so (QUICK=1 PARTS="calls growth" SIZES=1000,10000 ARGS=--help)
	@$(PY) -m tests.bench $(call given,QUICK,--quick) $(if $(SIZES),--sizes '$(SIZES)') $(if $(PARTS),--parts $(PARTS)) $(ARGS)

sandbox: setup ## the stand-ins alone (SANDBOX_PORT=8900 PAYMENTS=500 SEED=1)
	@exec $(PY) -m sandbox --port '$(or $(SANDBOX_PORT),8900)' --payments '$(or $(PAYMENTS),500)' --seed '$(or $(SEED),1)'

lock: ## compile requirements*.in into the pinned requirements*.txt
	@$(call with_python,bin/setup lock)

clean: ## take .qualy/ and .venv/ away (refuses while the ledger has links to a real organisation)
	@$(call with_python,bin/setup clean)

setup: ## what `make run` needs (called by it)
	@$(call with_python,bin/setup run)

setup-dev: ## what `make test` and `make lint` need (called by them)
	@$(call with_python,bin/setup dev)

# The first Python that truly starts and is new enough: a name on the path may be a shim of nothing.
with_python = for python in $(PYTHON) $(PYTHONS); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exec "$$python" $(1); fi; \
	  done; \
	  echo "Python 3.11 or newer was not found: install it (python.org, or your system's package manager), or name it: make $@ PYTHON=/path/to/python3" >&2; \
	  exit 1
