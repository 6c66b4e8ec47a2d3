# 学籍台. `make` lists what there is. Everything is installed into .venv, nothing outside the folder is touched.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo-reset test axe lint format words bench check worker

VENV ?= .venv
BIN := $(VENV)/bin
FLASK := $(BIN)/python -m flask --app app
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
ifdef HOST
export HOST
endif
ifdef PORT
export PORT
endif

help:  ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run  ## serve the demo district; HOST=… PORT=… where; run again keeps the data
	@$(FLASK) db upgrade
	@$(FLASK) rights --sync
	@$(FLASK) demo --if-empty
	@$(FLASK) serve

demo-reset: $(VENV)/.run  ## throw the demo district away and build it anew
	@$(FLASK) demo --reset

test: $(VENV)/.dev  ## run the tests; PYTEST_ARGS="tests/core -k wall", REQUIRE_ALL=1 to leave nothing out
	@REQUIRE_ALL=$(REQUIRE_ALL) $(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

axe: $(VENV)/.dev  ## look every page through with axe-core as everybody who may open it: long
	@$(BIN)/python -m pytest --axe-all tests/browser/test_axe.py $(PYTEST_ARGS)

lint: $(VENV)/.dev  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev  ## let ruff write the layout
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

words: $(VENV)/.run  ## bring the English catalogue up to the source; lists what is not translated
	@$(BIN)/python -m app.translations.words

bench: $(VENV)/.dev  ## time pages on 10 000 and 1 000 000 pupils (needs PostgreSQL); BENCH_ARGS="--students 10000"
	@$(BIN)/python -m bench $(BENCH_ARGS)

check: $(VENV)/.run  ## list what is wrong with this set-up
	@$(FLASK) check

worker: $(VENV)/.run  ## a further worker for background jobs
	@$(FLASK) worker

$(BIN)/python:
	@python='$(PYTHON)'; if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer with its venv module was not found."; \
		echo "Debian and Ubuntu: apt-get install python3 python3-venv. Elsewhere: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; \
		exit 1; fi; \
	echo "Making $(VENV) with $$($$python --version)"; $$python -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(BIN)/python
	@echo "Installing requirements.txt"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing requirements-dev.txt"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.run
