# Tierline: `make up` runs everything on this machine; `make test`, `make lint`, `make bench NAME=x`, `make messages`.

SHELL := /bin/sh
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run-$(shell cksum < requirements/run.txt | cut -d' ' -f1)
DEV_STAMP := $(VENV)/.dev-$(shell cksum < requirements/dev.txt | cut -d' ' -f1)
TESTERS ?= 2

.PHONY: up test lint bench format messages clean help

help:
	@sed -n '1s/^# //p' Makefile

up: $(RUN_STAMP)
	@exec $(BIN)/python manage.py up

test: $(DEV_STAMP)
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadgroup -q $(ARGS)

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format: $(DEV_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(DEV_STAMP)
	@$(BIN)/python -W ignore::RuntimeWarning manage.py messages

bench: $(DEV_STAMP)
	@test -n "$(NAME)" || { echo "Which one? make bench NAME=…, of:"; ls benchmarks; exit 2; }
	@exec $(BIN)/python -m benchmarks.$(NAME) $(ARGS)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; this is `$(PYTHON) --version`."; exit 1; }
	@if command -v uv >/dev/null; then \
	  uv venv -q --python "`command -v $(PYTHON)`" $(VENV); \
	elif $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
	  $(PYTHON) -m venv $(VENV); \
	else \
	  echo "This Python cannot make virtual environments: apt-get install python3-venv"; exit 1; \
	fi

# The development set holds the other one, so installing it satisfies both.
$(RUN_STAMP): | $(BIN)/python
	@if [ -e $(DEV_STAMP) ]; then :; else $(call install,run); fi
	@touch $@

$(DEV_STAMP): | $(BIN)/python
	@$(call install,dev)
	@touch $@

define install
	echo "Installing requirements/$(1).txt"; \
	if command -v uv >/dev/null; then \
	  env -u PYTHONDONTWRITEBYTECODE uv pip install -q --python $(BIN)/python --compile-bytecode \
	    --require-hashes -r requirements/$(1).txt; \
	else \
	  env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pip install -q --disable-pip-version-check \
	    --require-hashes -r requirements/$(1).txt; \
	fi
endef

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
