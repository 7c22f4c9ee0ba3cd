# Every target needs only python3 (3.11 or newer) and make: it creates .venv when that is missing or older than the lock, then does its work.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help run sandbox test check format docs bench bench-sandbox chaos planted soak interop simulate books coverage lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/run.stamp ## start the main job on the embedded exchange (ARGS="--duration 20", ARGS="--help")
	@$(BIN)/foxtrot run $(ARGS)

sandbox: $(VENV)/run.stamp ## start the embedded exchange alone, for any Binance client
	@$(BIN)/foxtrot sandbox $(ARGS)

test: $(VENV)/dev.stamp ## run the tests (ARGS="-k lane")
	@$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/dev.stamp ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

simulate: $(VENV)/dev.stamp ## 500 seeds of one virtual hour, and what has to hold in so many cases (ARGS="--seeds 20 --only flap")
	@$(BIN)/python -m tests.simulation --output benchmarks/results/simulate.txt $(ARGS)

books: $(VENV)/dev.stamp ## a day of order books and bars on virtual time, and storms of 200 books (ARGS="--hours 2 --only bars")
	@$(BIN)/python -m tests.books --output benchmarks/results/books.txt --picture docs/images/order_book.svg $(ARGS)

coverage: $(VENV)/dev.stamp ## the tests with branch coverage: 100 % of the pure modules, 90 % of the package
	@$(BIN)/python benchmarks/coverage_gate.py $(ARGS)

docs: $(VENV)/dev.stamp ## renew what docs/lane.md takes from the code: diagram, moves, defaults
	@$(BIN)/python -m docs.make_lane $(ARGS)

bench: $(VENV)/dev.stamp ## bare clients against Foxtrot: an order book's frames, then the whole path (ARGS go to the second)
	@$(BIN)/python -m benchmarks.bench_book
	@$(BIN)/python benchmarks/bench_path.py $(ARGS)

bench-sandbox: $(VENV)/dev.stamp ## the embedded exchange under load: 50 connections x 20 streams (ARGS="--seconds 600")
	@$(BIN)/python benchmarks/bench_sandbox.py $(ARGS)

chaos: $(VENV)/dev.stamp ## the catalogue of stream failures over real sockets: time to detect each (ARGS="--only 4,5a --repeat 20")
	@$(BIN)/python -m tests.chaos $(ARGS)

planted: $(VENV)/dev.stamp ## plant small faults in the pure modules, one at a time: the tests must catch each (ARGS="--only breaker")
	@$(BIN)/python -m tests.planted --out benchmarks/results/planted.txt $(ARGS)

soak: $(VENV)/dev.stamp ## 2,000 messages a second with a fault every 30 s: memory, tasks, descriptors (ARGS="--minutes 60")
	@$(BIN)/python -m tests.chaos.soak $(ARGS)

interop: $(VENV)/interop.stamp ## other people's clients against the embedded exchange, a minute each (ARGS="-k ccxt")
	@INTEROP_SECONDS=60 $(BIN)/python -m pytest tests/interop $(ARGS)

lock: $(VENV)/dev.stamp ## make the pinned, hashed requirement files anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    pyproject.toml requirements/build.in --output-file requirements/run.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --extra dev --constraint requirements/run.txt pyproject.toml requirements/build.in --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --extra dev --extra interop --constraint requirements/dev.txt pyproject.toml requirements/build.in --output-file requirements/interop.txt

clean: ## remove what the targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Foxtrot needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "setting up $(VENV) (once) ..." >&2
	@$(PYTHON) -m venv $(VENV) || { echo "python3 could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/%.stamp: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "installing requirements/$*.txt ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
