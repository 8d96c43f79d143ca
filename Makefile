# Two commands: "make demo" runs the main job on real ratings, "make test" passes the tests.
# Each sets itself up in .venv; nothing but Python 3.11+, make and a C++ compiler is assumed.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help demo test formal gates lint clean

help:
	@echo "make demo        real ratings, gateware in simulation, checked bit for bit   (ARGS='--data ml-1m')"
	@echo "make test        linters and all tests, cocotb included                      (ARGS='-k learner')"
	@echo "make formal      all proofs, those too long for make test included          (ARGS='-k popcount')"
	@echo "make gates       every board's netlist against the model, hours             (BOARDS='icebreaker')"
	@echo "make lint        ruff and mypy only"
	@echo "make clean       remove .venv and what tools leave behind"

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"ramrec needs Python 3.11 or later, {sys.executable} is {sys.version.split()[0]}: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "python -m venv failed: on Debian and Ubuntu, install the package python3-venv" >&2; exit 1; }
	@echo "Installing into .venv (a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: .venv/installed
	@$(BIN)/ramrec demo $(ARGS)

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ." >&2; exit 1; }
	@mkdir -p build/typed/ramrec
	@for room in hdl sim host boards; do ln -sfn ../../../$$room build/typed/ramrec/$$room; done
	@cd build/typed && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p ramrec

test: lint
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

BOARDS ?= $(shell $(BIN)/python -c 'from ramrec.boards.registry import BOARDS; print(*BOARDS)')

gates: .venv/installed
	@set -e; for board in $(BOARDS); do $(BIN)/ramrec verify --board $$board --backend gates $(ARGS); done

formal: .venv/installed
	@RAMREC_REQUIRE_FORMAL=1 $(BIN)/pytest -n auto --dist worksteal -m "deep or not deep" tests/test_formal_*.py $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
