# Two commands do all the set-up on a fresh machine with Python 3.11 or later: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test test-full check style speed clean

demo: $(VENV)/ready  ## the main job end to end, on recorded replies when no endpoint is set
	$(BIN)/python -m binder demo

test: $(VENV)/ready  ## the whole suite, offline
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-full: $(VENV)/ready  ## slow tests too, and ten times the examples
	BINDER_TESTS=full $(BIN)/python -m pytest -n 2 --dist worksteal -m "slow or not slow"

check: $(VENV)/ready  ## lint, format of imports, types
	$(BIN)/ruff check .
	$(BIN)/mypy

speed: $(VENV)/ready  ## binder, BlendSQL, LOTUS and the original's plan side by side; writes docs/speed.md
	$(BIN)/python -m tests.speed

style: $(VENV)/ready  ## mend what can be mended by itself
	$(BIN)/ruff check --fix .

$(VENV)/ready: setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[sources]'
	touch $@

clean:
	rm -rf $(VENV) .venv-speed build *.egg-info .mypy_cache .ruff_cache .pytest_cache
