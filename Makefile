# `make` alone prints what can be done. Nothing here needs more than bash, git and Python 3.11.

SHELL := bash
.DEFAULT_GOAL := help

PYTHON ?= python3# the Python that .venv is made with
ARGS ?=# goes to the program: make demo ARGS="--help"
BIN := .venv/bin
DISTRIBUTIONS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml backends/*/pyproject.toml))
SMG := .venv/bench-gateway/smg/.ready
PACKAGES := clawdcore $(wildcard $(addsuffix /clawdbot_*,$(DISTRIBUTIONS)))

export PYTHON
export UV_PYTHON_DOWNLOADS := never

.PHONY: help
help: ## Print the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) \
	  | awk -F'|' '{ printf "make %-14s %s\n", $$1, $$2 }'

.PHONY: setup
setup: .venv/.ready ## Make .venv with the core, every plugin and backend, and the tools

.venv/.ready: pyproject.toml constraints.txt tools/setup $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
	@tools/setup

.PHONY: demo
demo: setup ## Talk to the whole bot in this terminal: no account, no token
	@$(BIN)/clawdbot demo $(ARGS)

.PHONY: test
test: lint ## Check the style and run the fast tests (no model, no network)
	@$(BIN)/pytest -q $(ARGS)

.PHONY: test-real
test-real: setup ## Run the tests that use a real model (fetched once), and kill the bot
	@$(BIN)/python -m clawdbot_llamacpp
	@$(BIN)/python -m clawdbot_voice || echo "SKIPPED: the speech model can't be had here; its tests say so too"
	@$(BIN)/pytest -q -m real $(ARGS)
	@tools/whisper/test

.PHONY: test-vllm
test-vllm: setup ## Run the tests that use a real vLLM, on the CPU (fetched once, 2 GB)
	@tools/vllm_cpu/test $(ARGS)

.PHONY: soak
soak: setup ## 5,000 messages: do tasks, threads, files and memory come back to where they were?
	@$(BIN)/python bench/soak.py --messages 5000 $(ARGS)

.PHONY: lint
lint: setup ## ruff, mypy --strict, and who may import whom
	@$(BIN)/ruff check -q --output-format concise
	@$(BIN)/ruff format -q --check
	@$(BIN)/mypy --strict --no-error-summary $(PACKAGES)
	@$(BIN)/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

.PHONY: format
format: setup ## Put the code into the project's form
	@$(BIN)/ruff check -q --fix-only
	@$(BIN)/ruff format -q

.PHONY: messages
messages: setup ## Compile the translations (.po) that the bot reads (.mo)
	@git ls-files --cached --others --exclude-standard '*.po' | while read -r po; do \
	  $(BIN)/pybabel -q compile --statistics -i "$$po" -o "$${po%.po}.mo" || exit 1; done

.PHONY: bench-routing
bench-routing: .venv/bench/.ready ## Measure routing with 1, 20 and 100 commands
	@.venv/bench/bin/python bench/routing.py $(ARGS)

.PHONY: chaos
chaos: setup ## Kill the bot a hundred times while people write, and balance the books
	@$(BIN)/python bench/chaos.py $(ARGS)

.PHONY: bench-group
bench-group: setup ## One group, 100 messages a minute for 10 minutes, 20 sends a minute
	@$(BIN)/python bench/group_flood.py $(ARGS)

.PHONY: bench-soak
bench-soak: setup ## 200,000 messages: does the memory of the two processes stay flat?
	@$(BIN)/python bench/soak.py $(ARGS)

.PHONY: bench-memory
bench-memory: setup ## Bytes for each waiting message, and what the idle processes take
	@$(BIN)/python bench/memory.py $(ARGS)

.PHONY: bench-latency
bench-latency: setup ## What the second process adds to the road of a message
	@$(BIN)/python bench/latency.py $(ARGS)

.PHONY: bench-gateway
bench-gateway: setup $(patsubst %,.venv/bench-gateway/%/.ready,smg vllm-router litellm) ## The gateway beside other proxies
	@$(BIN)/python bench/gateway.py $(ARGS)

# A rival that can't be installed is left out, with the reason; the next run tries again.
.venv/bench-gateway/%/.ready: bench/gateway_parts/%.txt .venv/.ready
	@mkdir -p .venv/bench-gateway && $(BIN)/uv venv -q --clear --python $(BIN)/python $(@D)
	@if $(BIN)/uv pip install -q --python $(@D) -r $< 2> $(@D).log; then touch $@; else rm -rf $(@D); fi

.PHONY: bench-flood
bench-flood: setup $(SMG) ## Floods of 1.9, 5 and 10 times what the engine can do; --herd, --bursts
	@$(BIN)/python bench/flood.py $(ARGS)

.PHONY: bench-media
bench-media: setup ## Pictures and voice notes in a flood: do those who write text notice?
	@$(BIN)/python -m clawdbot_voice || true
	@$(BIN)/python bench/media_flood.py $(ARGS)

.PHONY: bench-hostile
bench-hostile: setup ## Eleven plugins that do everything wrong: does anybody else notice?
	@$(BIN)/python bench/hostile.py $(ARGS)

.PHONY: bench-author
bench-author: setup ## From nothing to a plugin's first answer: a transcript, with seconds
	@$(BIN)/python bench/author_road.py $(ARGS)

.PHONY: bench-quality
bench-quality: setup ## How well languages are named, texts translated, speech heard and pictures read
	@$(BIN)/python -m clawdbot_llamacpp
	@$(BIN)/python -m clawdbot_voice || true
	@$(BIN)/python bench/quality.py $(ARGS)

.PHONY: bench-simulator
bench-simulator: setup ## Fit the simulated engine to a real vLLM on the CPU, and compare the two
	@tools/vllm_cpu/install || [ $$? -eq 69 ]
	@$(BIN)/python bench/fit_simulator.py $(ARGS)

.venv/bench/.ready: .venv/.ready
	@$(BIN)/uv venv -q --clear --python $(BIN)/python .venv/bench
	@$(BIN)/uv pip install -q --python .venv/bench -e . --group bench
	@touch $@

.PHONY: constraints
constraints: ## Renew constraints.txt: the newest versions that fit together
	@tools/setup uv
	@$(BIN)/uv lock -q --upgrade
	@$(BIN)/uv export -q --frozen --all-packages --group dev --group docs --no-hashes --no-header \
	  --no-annotate --no-emit-workspace -o constraints.txt
	@git --no-pager diff --stat -- constraints.txt

.PHONY: docs
docs: .venv/docs/.ready ## Build the documentation site into build/site, English and Chinese
	@NO_MKDOCS_2_WARNING=1 .venv/docs/bin/mkdocs build -q --strict $(ARGS)

.PHONY: docs-serve
docs-serve: .venv/docs/.ready ## Show the documentation on http://127.0.0.1:8000 while you write it
	@NO_MKDOCS_2_WARNING=1 .venv/docs/bin/mkdocs serve -a 127.0.0.1:8000 $(ARGS)

.venv/docs/.ready: pyproject.toml constraints.txt .venv/.ready
	@$(BIN)/uv venv -q --clear --python $(BIN)/python .venv/docs
	@$(BIN)/uv pip install -q --python .venv/docs -c constraints.txt --group docs
	@touch $@

.PHONY: changelog
changelog: setup ## Show what the next release's changelog will say
	@$(BIN)/towncrier build --draft

.PHONY: release
release: setup ## Make every file say VERSION, and write the changelog
	@$(BIN)/python tools/release.py $(VERSION)

.PHONY: dist
dist: setup ## Build every distribution into dist/
	@$(BIN)/uv build -q --all-packages --out-dir dist

.PHONY: clean
clean: ## Remove .venv, caches and built files
	@rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	@find clawdcore plugins backends tests tools bench -type d -name __pycache__ -prune \
	  -exec rm -rf {} + 2>/dev/null || true
