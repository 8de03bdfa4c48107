# Two commands matter: `make run` (install, run the pipeline, publish a release) and `make test`.
# `make run JURISDICTION=england` does it for raw/england.
# Needs git, make and python3 (3.11 to 3.13); everything else is installed into .venv from uv.lock.

PYTHON ?= python3
JUNHENG := .venv/bin/junheng
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# dbt, Dagster and Great Expectations are large: compiled once and kept, they start sooner.
unexport PYTHONDONTWRITEBYTECODE
export DAGSTER_HOME := $(CURDIR)/warehouse/dagster_home

.DEFAULT_GOAL := help
.PHONY: help install run test test-fast check format dev bench synthetic clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: .venv/.installed ## Install everything into .venv, as uv.lock says

.uv/.installed:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "junheng needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=..."; exit 2; }
	@rm -rf .uv
	@$(PYTHON) -m venv .uv 2>/dev/null && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 \
	  || { rm -rf .uv && $(PYTHON) -m pip install --quiet --disable-pip-version-check --target .uv uv==0.13.9; } \
	  || { echo "cannot install uv: install Python's venv or pip (Debian: apt-get install python3-venv)"; exit 2; }
	@touch $@

.venv/.installed: .uv/.installed pyproject.toml uv.lock
	@test -x .venv/bin/python || .uv/bin/uv venv --quiet --python $(PYTHON) .venv
	@.uv/bin/uv sync --quiet --frozen --python .venv/bin/python
	@touch $@

run: install ## Run the pipeline and publish a release of raw/zhejiang, or of raw/X with JURISDICTION=X
	@$(JUNHENG) run $(if $(JURISDICTION),--jurisdiction raw/$(JURISDICTION))

test: check ## Run the whole test suite
	@.venv/bin/pytest -m "not pipeline" -n 2 --dist worksteal
	@.venv/bin/pytest -m "pipeline" -n 2 --dist loadfile
	@echo "tests passed: format, lint, types, import floors, unit tests and whole-pipeline tests of $(CURDIR)"

test-fast: install ## Run the tests that need neither dbt nor Dagster
	@.venv/bin/pytest -m "not pipeline" -n 2 --dist worksteal

check: install ## Format, lint, types, import floors
	@.venv/bin/ruff format --check --quiet . || { echo "run 'make format'"; exit 1; }
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy --no-error-summary pipelines
	@.venv/bin/lint-imports --no-logo

format: install ## Put code into the agreed form
	@.venv/bin/ruff format --quiet .
	@.venv/bin/ruff check --quiet --fix .

dev: install ## Open Dagster's web UI on 127.0.0.1:3000 with the nightly schedule
	@mkdir -p $(DAGSTER_HOME) && cp pipelines/orchestration/dagster.yaml $(DAGSTER_HOME)/dagster.yaml
	@.venv/bin/dagster dev -w workspace.yaml -h 127.0.0.1 -p 3000

bench: install ## Measure speed and memory; writes bench/*.md
	@.venv/bin/python bench/measure.py
	@.venv/bin/python bench/intake.py
	@.venv/bin/python bench/person_level.py
	@.venv/bin/python bench/regions.py
	@.venv/bin/python bench/queries.py

synthetic: install ## Make the synthetic extracts again and compare them with landing, byte for byte
	@.venv/bin/python raw/zhejiang/synthetic/generate.py --check
	@.venv/bin/python raw/zhejiang/synthetic/contributions.py --check

clean: ## Remove everything made: warehouse, environments, caches
	@chmod -R u+w warehouse 2>/dev/null || true
	@find warehouse -mindepth 1 ! -name README.md -exec rm -rf {} + 2>/dev/null || true
	@rm -rf .venv .uv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dbt_project/target dbt_project/logs
