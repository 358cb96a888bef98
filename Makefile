# The one door: make demo run test lint bench lock docs golden screenshots
# Needs make and Python 3.11 to 3.13; another one: make demo PYTHON=/path/to/python3.12
SHELL := /bin/sh
PY := .venv/bin/python
PYTEST := $(PY) -m pytest

.PHONY: demo run test lint bench lock docs golden screenshots clean
.DELETE_ON_ERROR:

demo: .venv/run.stamp    ## a month happens on the sample community, then the site stays up
	$(PY) -m digest demo $(ARGS)

run: .venv/run.stamp     ## the site and the metronome with ./config.toml
	$(PY) -m digest serve $(ARGS)

test: .venv/test.stamp   ## every test; what cannot run here is listed by name
	@sh .ci/tools
	$(PYTEST) -n auto -rs --no-fold-skipped $(ARGS)

lint: .venv/test.stamp
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

bench: .venv/test.stamp
	$(PY) -m bench $(ARGS)
	$(PY) -m bench.letter
	$(PY) -m bench.desk
	$(PY) -m bench.dkim
	$(PY) -m bench.collecting
	$(PY) -m bench.fuzzing

lock:                    ## after a change of the dependencies in pyproject.toml; needs uv
	sh .ci/lock

docs: .venv/run.stamp    ## docs/configuration.md from the descriptions in digest/config.py
	$(PY) -m digest.config_doc > docs/configuration.md

golden: .venv/test.stamp ## remakes the golden files; look at the difference before you commit
	$(PY) -m tests.remake_golden

screenshots: .venv/test.stamp
	@sh .ci/tools
	$(PY) -m tests.screenshots

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/run.stamp: requirements.lock .ci/venv
	@PYTHON="$(PYTHON)" sh .ci/venv requirements.lock
	@touch $@

.venv/test.stamp: requirements-test.lock .ci/venv
	@PYTHON="$(PYTHON)" sh .ci/venv requirements-test.lock
	@touch .venv/run.stamp $@
