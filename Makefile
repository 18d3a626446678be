# The project's commands. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run test check bench prove assets env

PYTHON := .venv/bin/python
.SILENT:
# Without compiled files every start of the site would take seconds more.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the commands
	grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: env ## prepare everything and serve the site on http://127.0.0.1:8000
	exec $(PYTHON) -m deploy.prepare serve

test: env ## prepare everything, then run all tests
	$(PYTHON) -m deploy.prepare test
	sh deploy/test.sh

check: env ## style, types, templates, imports and security of the code; needs no engine
	sh deploy/check.sh

bench: env ## measure verdicts, channels and the queue, each beside something else in the same run
	$(PYTHON) -m deploy.prepare test
	$(PYTHON) -m tests.bench

prove: env ## judge every shipped exercise's reference, starter and wrong solutions
	$(PYTHON) -m deploy.prepare sandbox
	.venv/bin/flask --app wsgi exercises prove

assets: ## build scripts and styles into app/static/dist (maintainers; needs Node)
	cd app/frontend && npm ci --no-audit --no-fund && npm run build

env:
	sh deploy/environment.sh
