# Two commands on a fresh machine: `make demo` and `make test`. Each prepares what it needs in .venv, from the lock files.
# 在新机器上只需两条命令:make demo 与 make test。

PYTHON ?= python3.11
ifeq ($(shell command -v $(PYTHON) 2>/dev/null),)
PYTHON := python3
endif
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types layers format bench matrix test-clients lock clean

help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

demo: $(VENV)/app.done ## Start gateway and sandbox, and print a key and a command to try
	@exec $(BIN)/yibu demo --data-dir .demo $(if $(PORT),--port $(PORT))

test: $(VENV)/dev.done ## Run every test
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(VENV)/dev.done lint types layers ## Lint, types, layers

lint: $(VENV)/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.done
	$(BIN)/mypy

layers: $(VENV)/dev.done
	$(BIN)/lint-imports --no-logo

format: $(VENV)/dev.done ## Put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev.done ## Measure the gateway against a fixed upstream
	$(BIN)/python -m bench

matrix: $(VENV)/dev.done .compat/node.done ## Run official SDKs against every upstream dialect
	$(BIN)/python -m compat.matrix

test-clients: $(VENV)/dev.done .compat/node.done .compat/python.done ## Run coding agents and tools of others against the gateway
	$(BIN)/python -m compat.programs

lock: $(VENV)/uv.done ## Write the lock files anew from pyproject.toml
	$(UV) lock --upgrade
	$(UV) export --quiet --frozen --no-emit-project --no-header --extra sandbox --no-dev --group build -o requirements/app.lock
	$(UV) export --quiet --frozen --no-emit-project --no-header --extra sandbox --all-groups -o requirements/dev.lock

clean: ## Remove what was prepared; data directories stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache uv.lock

# Python 3.11 or newer is all that is expected of the machine.
$(VENV)/uv.done: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Yibu needs Python 3.11 or newer. 需要 Python 3.11 以上。 Set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "· preparing an isolated environment in $(VENV) · 准备独立环境"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/app.done: $(VENV)/uv.done requirements/app.lock pyproject.toml
	@echo "· installing the gateway and its sandbox engines (about 150 MB to download) · 安装网关与沙盒引擎"
	@[ -e $(VENV)/dev.done ] || $(UV) pip sync --python $(BIN)/python --require-hashes requirements/app.lock requirements/uv.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.done: $(VENV)/uv.done requirements/dev.lock pyproject.toml
	@echo "· installing everything that development and tests need · 安装开发与测试依赖"
	@$(UV) pip sync --python $(BIN)/python --require-hashes requirements/dev.lock requirements/uv.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/app.done

# Programs and SDKs of others, for `make matrix` and `make test-clients` alone.
.compat/node.done: compat/package.json compat/package-lock.json compat/.npmrc
	@command -v npm >/dev/null || { echo "This needs Node.js 20 or newer with npm. 需要 Node.js 20 以上与 npm。"; exit 1; }
	@echo "· installing programs and SDKs from npm (about 500 MB) · 安装 npm 程序与 SDK"
	@mkdir -p .compat && cp compat/package.json compat/package-lock.json compat/.npmrc .compat/
	@cd .compat && npm install --silent
	@touch $@

.compat/python.done: $(VENV)/uv.done requirements/aider.lock requirements/llm.lock
	@echo "· installing aider and llm, each in an environment of its own · 安装 aider 与 llm"
	@for one in aider llm; do \
		$(PYTHON) -m venv .compat/$$one && \
		$(UV) pip sync --quiet --python .compat/$$one/bin/python --require-hashes requirements/$$one.lock || exit 1; \
	done
	@touch $@
