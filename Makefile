# The project's commands. `make help` lists them; what they install stays in .venv.
# Variables: PYTHON=python3.12 (which Python), PORT=9999 (for JupyterLab),
# TRTLAB_NO_BROWSER=1 (`lab` opens no browser window, `test` leaves the browser tests out).

.DEFAULT_GOAL := help
.PHONY: help lab test style types behaviour test-environment clean

help: ## List the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

lab: ## Install what is missing and open the notebooks in JupyterLab
	@bash .ci/setup.sh lab
	@exec .venv/bin/trtlab lab $(if $(PORT),--port $(PORT)) $(if $(filter 1,$(TRTLAB_NO_BROWSER)),--no-browser)

test: style types behaviour ## Install what is missing and run every check

style: test-environment
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: test-environment
	.venv/bin/mypy --strict

behaviour: test-environment
	.venv/bin/python -m pytest

test-environment:
	@bash .ci/setup.sh test

clean: ## Remove what the other commands made, .venv included
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
