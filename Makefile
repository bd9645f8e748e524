# make run    live ECG on this terminal: installs into .venv, starts broker, producer and monitor
# make test   all tests           make lint   ruff, mypy, and who may import whom
# make bench  latency and throughput of this machine           make clean   remove what make made
# make bench-check  whether a part of the monitor needs more processor time than the repository says
# make certs  a lab's certificates, Mosquitto configuration and access rules in certs/
# make wheel  dist/*.whl, and a check that it runs where no checkout is

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := -m pip -qq --retries 10 --disable-pip-version-check

.PHONY: run test lint bench bench-check certs wheel clean install

run: $(VENV)/.installed
	@$(BIN)/python -m monitor --demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.installed
	$(BIN)/python -m monitor bench engine
	$(BIN)/python -m monitor bench replay
	$(BIN)/python -m monitor bench pipeline
	$(BIN)/python -m monitor bench ui

bench-check: SLOWER ?= 1.2
bench-check: $(VENV)/.installed
	$(BIN)/python -m monitor bench check --slower $(SLOWER)

certs: $(VENV)/.installed
	$(BIN)/python -m monitor certs certs

wheel: $(VENV)/.installed
	rm -rf build dist
	$(BIN)/python $(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	PYTHON="$(BIN)/python" bash .ci/wheel dist/*.whl

install: $(VENV)/.installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 run"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml setup.py constraints.txt
	$(BIN)/python $(PIP) install --no-compile -c constraints.txt -e ".[all,dev]"
	$(BIN)/python -m ecg.signal.kernels
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis \
		snapshot_report.html
