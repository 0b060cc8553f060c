# Everything a user or developer types. `make demo` and `make test` need Python 3.11 and make, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
HOME_DIR := $(or $(ANON_HOME),$(CURDIR)/.anon)
ROWS ?= 100000
# a fifth of the encounters has a note: finding identifiers takes far longer than everything else
NOTES_SHARE ?= 0.2

export DAGSTER_HOME := $(CURDIR)
export ANON_HOME := $(HOME_DIR)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export DAGSTER_DISABLE_TELEMETRY := yes
# the certificates that the machine trusts, as behind a hospital's proxy
export UV_SYSTEM_CERTS := true

.PHONY: help demo ui test check format bench bench-columns bench-kanon bench-text bench-attacks bench-statistics bench-synthetic bench-dp-models chaos audit-dp schema lock clean

help: ## Say what there is to type
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: $(VENV)/.core ## Install, make demo data, materialize its five assets through Dagster, show the release
	@$(BIN)/anon keys create instance --if-missing
	@$(BIN)/anon keys create notes --if-missing
	@$(BIN)/anon demo-data --rows $(ROWS) --notes-share $(NOTES_SHARE) --out .anon/demo
	@echo "Materializing hospital_encounters: raw, analyzed, anonymized, validated, cataloged"
	@$(BIN)/dg launch --job hospital_encounters_release 2>&1 | $(BIN)/python scripts/run_lines.py
	@$(BIN)/anon show hospital_encounters

ui: $(VENV)/.core ## Open Dagster's webserver and daemon on http://127.0.0.1:3000
	@$(BIN)/anon keys create instance --if-missing
	@$(BIN)/anon keys create notes --if-missing
	$(BIN)/dg dev --host 127.0.0.1 --port 3000

test: $(VENV)/.dev system-packages ## Install what is missing and run all tests
	$(BIN)/python -m pytest -n 2 -q

check: $(VENV)/.dev ## Lint, format, types, import rule, lock file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q anon_platform_tests/test_structure.py

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

schema: $(VENV)/.core ## Write policies/policy.schema.json and docs/policy.md from the code
	$(BIN)/anon schema --write policies/policy.schema.json
	$(BIN)/python scripts/policy_reference.py

bench: $(VENV)/.dev ## Measure speed and memory; writes docs/benchmarks.md
	$(BIN)/python scripts/bench.py

bench-columns: $(VENV)/.dev ## Measure anon suggest on gold roles; ANON_DATA names the folder of the data
	$(BIN)/python scripts/bench_columns.py $(BENCH)

bench-kanon: $(VENV)/.dev ## Measure anon kanon beside ARX; ANON_ADULT names the folder of the data
	$(BIN)/python scripts/bench_kanon.py $(BENCH)

bench-synthetic: $(VENV)/.dev ## Measure DP synthetic tables; ANON_ADULT and ANON_DATA name the folders of the data
	$(BIN)/python scripts/bench_synthetic.py $(BENCH)

bench-text: $(VENV)/.dev ## Measure anon find-text on gold data; ANON_NOTES names the folder of the corpora
	$(BIN)/python scripts/bench_text.py $(BENCH)

bench-attacks: $(VENV)/.dev ## Measure linkage on gold pairs; ANON_DATA names the folder of the data
	$(BIN)/python scripts/bench_attacks.py $(BENCH)

bench-statistics: $(VENV)/.dev ## Measure differentially private statistics on 2.4 million made-up rows
	$(BIN)/python scripts/bench_statistics.py

bench-dp-models: $(VENV)/.dev ## Measure and attack differentially private models; ANON_ADULT names the folder of the data
	$(BIN)/python scripts/bench_dp_models.py $(BENCH)

chaos: $(VENV)/.dev ## Kill, starve and race runs; writes docs/chaos.md
	$(BIN)/python scripts/chaos.py

audit-dp: $(VENV)/.dev ## Try to catch the platform lying about ε; writes docs/dp-audit.md (AUDIT=--slow for more)
	$(BIN)/python scripts/audit_dp.py $(AUDIT)

lock: $(VENV)/.dev ## Pin every dependency anew, with hashes
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock

clean: ## Remove the environment; ANON_HOME stays
	rm -rf $(VENV)

# The environment. uv comes from the lock file too, by hash, and then installs the rest from it.
$(VENV)/.uv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Python 3.11 is needed; name it with make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/install-packages python3.11-venv
	@$(PYTHON) -m venv $(VENV)
	@awk '/^uv==/{p=1} p{print} p&&!/\\$$/{exit}' requirements.lock > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@touch $@

$(VENV)/.core: $(VENV)/.uv pyproject.toml
	@echo "Installing anon_platform into $(VENV)"
	@$(BIN)/uv pip install --quiet --constraint requirements.lock --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@$(BIN)/uv pip install --quiet --constraint requirements.lock --editable '.[dev]'
	@touch $@

.PHONY: system-packages
system-packages: # A real PostgreSQL server and a real browser, which the tests start
	@scripts/install-packages --for-tests
