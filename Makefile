# Every target makes .venv first where it is missing or out of date; only Python 3.11+, make and a package index are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests of a file share their worlds, and the longest files begin first.
PYTEST := $(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder
READY := $(VENV)/.ready
DEMO := .custview/demo
RECORDS ?= 5000
PORT ?= 3000

.DEFAULT_GOAL := help

.PHONY: help
help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m compileall -q $(VENV)/lib custview_pipeline > /dev/null || true
	@touch $@

.PHONY: demo
demo: $(READY) ## Generate the demo world, run the main job, say what to do next (RECORDS=5000)
	$(BIN)/custview demo $(DEMO) --records $(RECORDS)
	$(BIN)/custview run --project $(DEMO)
	@echo
	@echo "Next:"
	@echo "  make ui                                        open the graph, the checks and their history in the Dagster UI"
	@echo "  $(BIN)/custview export crosswalk -o crosswalk.csv   every source key and its customer id"
	@echo "  $(BIN)/custview show CUID                           one customer of it: values masked, each with its source"
	@echo "  $(BIN)/custview init my-project                     a project for your own sources"

.PHONY: ui
ui: $(READY) ## Start the Dagster UI and its daemon on the demo (PORT=3000)
	@test -f $(DEMO)/custview.yaml || $(BIN)/custview demo $(DEMO) --records $(RECORDS)
	$(BIN)/custview up --project $(DEMO) --port $(PORT)

.PHONY: test
test: $(READY) ## Run the tests, some ten minutes on two cores
	$(PYTEST)

.PHONY: test-all
test-all: $(READY) ## Run the slow, browser and fault tests too
	$(PYTEST) -m ""

.PHONY: explore
explore: $(READY) ## Run the property tests on examples that were never tried
	$(PYTEST) --hypothesis-profile=explore

.PHONY: faults
faults: $(READY) ## Run the fault tests whole
	$(BIN)/python -m pytest -q -m faults

.PHONY: bench
bench: $(READY) ## Measure matching beside Splink on a generated world (RECORDS=5000)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[benchmarks]'
	$(BIN)/python benchmarks/match.py --rows $(RECORDS)

.PHONY: check
check: format-check lint types layers test ## Check format, lint, types, layers and tests

.PHONY: format
format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: format-check
format-check: $(READY)
	$(BIN)/ruff format --check .

.PHONY: lint
lint: $(READY)
	$(BIN)/ruff check .

.PHONY: types
types: $(READY)
	$(BIN)/mypy

.PHONY: layers
layers: $(READY)
	$(BIN)/lint-imports

.PHONY: screenshots
screenshots: $(READY) ## Take the pictures of the README from a live UI (needs Chromium)
	$(BIN)/python docs/take_screenshots.py

.PHONY: clean
clean: ## Remove the environment and the demo
	rm -rf $(VENV) .custview
