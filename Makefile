# Two commands on a fresh machine: `make run` and `make test`. Each sets up what it needs, once.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run serve demo test test-slow test-agents agents lint format bench pages screenshots lock setup setup-test clean

run: setup  ## open the desktop with its gateway (headless where there is no display)
	$(BIN)/gatescope

serve: setup  ## the gateway alone
	$(BIN)/gatescope serve

demo: setup
	$(BIN)/gatescope demo

test: setup-test lint  ## everything CI runs
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not slow and not agents"

test-slow: setup-test
	$(BIN)/python -m pytest -q -m slow

test-agents: setup-test agents  ## other people's agents on models of other dialects
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m agents

agents:  ## LangChain, pydantic-ai, the OpenAI Agents SDK, the Vercel AI SDK, into .agents/
	@sh packaging/agents/setup.sh "$(PYTHON)"

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-test  ## speed, size and memory, as ratios within one run
	$(BIN)/python packaging/bench/run.py
	$(BIN)/python packaging/bench/translation.py

pages: setup-test  ## docs/translation.md and docs/providers.md, from what the tests try and the data say
	WRITE_PAGES=1 $(BIN)/python -m pytest -q -n 0 tests/translation/test_pairs.py tests/app/test_providers_page.py

screenshots: setup-test  ## the pictures of docs/, from a real window on a virtual display
	$(BIN)/python packaging/screenshots.py

lock:  ## resolve pyproject.toml anew, with hashes (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra test pyproject.toml -o requirements-test.lock

setup:
	@sh packaging/setup.sh "$(PYTHON)" $(VENV) requirements.lock

setup-test:
	@sh packaging/setup.sh "$(PYTHON)" $(VENV) requirements-test.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache
