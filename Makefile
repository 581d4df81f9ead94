# make help · the page README.md explains the same commands

PORT ?= 8000
SITE ?= en
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
SOURCES := $(shell find docs src mkdocs.yml -type f -not -name '*.pyc' 2>/dev/null)
# a site for other addresses is another one; a build takes the folder of the last one away
BUILT := site/.built-$(shell echo '$(SITE_URL) $(REPO_URL)' | cksum | cut -d ' ' -f 1)
export PORT

.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

setup: $(READY) ## make the virtual environment from the lock

serve: $(BUILT) ## build both languages and serve them (PORT=8000)
	@$(RUN) -m sitekit.published.serve

live: $(READY) ## one language with live reload, for authors (SITE=zh)
	@$(RUN) -m sitekit.published.serve --live $(SITE)

build: $(BUILT) ## build both languages into site/

$(BUILT): $(READY) $(SOURCES)
	@$(RUN) -m sitekit.published.build --out site
	@touch $@

# What a suite says comes in one piece when it ends, its progress at once.
SHELL := bash
.SHELLFLAGS := -o pipefail -c
suite = { true >&9; } 2>/dev/null || exec 9>/dev/null; \
  $(1) 2>&1 | tee >(grep --line-buffered '%\]$$' | sed -u 's/^/$@: /' >&9)

# the longest first, so that both cores have work to the end
test: lint ## every check
	@exec 9>&1; $(MAKE) --no-print-directory --jobs 2 --output-sync test-layers-jax test-layers-tensorflow \
	  test-site test-tools-jax test-fuzz-tensorflow test-tools-tensorflow check-pages \
	  test-fuzz-jax test-fuzz-numpy test-tools-numpy test-layers-numpy test-live

# what differs from SINCE, or is new
SINCE ?= HEAD
changed = $(shell git diff --name-only --diff-filter=d $(SINCE) -- $(1); git ls-files --others --exclude-standard -- $(1))
PAGES = $(filter %.md,$(call changed,docs/en docs/zh README.md))
LAYERS = $(basename $(notdir $(call changed,src/keras_masking/layers)))
empty :=
# what layers share concerns all of them; the tests of one have its name or that of its class
named = $(if $(filter _%,$(1)),,-k "$(subst $(empty) $(empty), or ,$(1) $(subst _,,$(1)))")

check: lint ## what an author needs, in a minute: pages and layers that differ from SINCE=HEAD
	@$(RUN) -m pytest --quiet -n 2 tests/pages/test_pages.py $(PAGES)
	@$(if $(LAYERS),KERAS_BACKEND=numpy $(RUN) -m pytest --quiet -n 2 tests/layers $(call named,$(LAYERS)))

lint: $(READY)
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/ruff format --quiet --check
	$(VENV)/bin/lint-imports --no-logo --no-cache
	$(VENV)/bin/mypy --cache-dir $(VENV)/mypy --no-error-summary tests/tools/typed.py
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff
	$(VENV)/bin/typos --quiet docs src tests .ci .github *.md CITATION.cff
	$(VENV)/bin/zizmor --offline --quiet .github/workflows

# what XLA compiles here runs once or twice, and JAX compiles most of it again and again
LEVEL := --xla_backend_optimization_level=0
FAST_XLA = XLA_FLAGS="$(LEVEL) --xla_cpu_use_fusion_emitters=false" \
  JAX_COMPILATION_CACHE_DIR=$(VENV)/jax JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 \
  JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1
# at level 0 the way back through a minimum may not find it
test-fuzz-jax fuzz: LEVEL :=
on = KERAS_BACKEND=$(1) $(FAST_XLA) $(RUN)

BACKENDS := tensorflow jax numpy
ON_BACKENDS := $(foreach suite,layers tools fuzz,$(BACKENDS:%=test-$(suite)-%))

$(ON_BACKENDS): test-%: $(READY)
	@$(call suite,$(call on,$(lastword $(subst -, ,$*))) -m pytest tests/$(firstword $(subst -, ,$*)))

test-layers: $(BACKENDS:%=test-layers-%)
test-tools: $(BACKENDS:%=test-tools-%)
test-fuzz: $(BACKENDS:%=test-fuzz-%)

# PyTorch is large, so it has an environment of its own. It alone has no hash: which of its wheels
# is right, with CUDA or without, and where pip finds it, differs from machine to machine.
TORCH := .venv-torch
test-torch: $(TORCH)/.ready ## layers, tools and random models on PyTorch, in an environment of its own
	@status=0; for suite in layers tools fuzz; do \
	  KERAS_BACKEND=torch $(TORCH)/bin/python -m pytest tests/$$suite || status=1; done; exit $$status

$(TORCH)/.ready: tests/torch/requirements.txt $(READY)
	@echo "Setting up $(TORCH) …"
	@$(RUN) -m venv $(TORCH)
	@$(VENV)/bin/uv pip install --quiet --python $(TORCH) --require-hashes --requirement $<
	@$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(VENV)/bin/uv pip install --quiet --python $(TORCH) --no-deps --no-build-isolation --editable .
	@touch $@

check-pages: $(READY) ## the page checks alone: blocks, parity, completeness, links
	@$(call suite,$(RUN) -m pytest tests/pages docs README.md)

test-site: $(READY)
	@$(call suite,$(RUN) -m pytest tests/site)

test-live: $(READY)
	@$(call suite,$(RUN) -m pytest tests/live)

keras-tests: $(READY) ## run tests of Keras itself in what a page runs
	$(RUN) -m live.keras_tests

SEED ?= 0
N ?= 100
KERAS_BACKEND ?= tensorflow
fuzz: $(READY) ## hold find_leaks against brute force on random models (KERAS_BACKEND= SEED=0 N=100)
	$(call on,$(KERAS_BACKEND)) tests/fuzz/fuzz.py --seed $(SEED) --models $(N)

# cosmic-ray comes with packages that nothing else needs
MUTANTS := $(VENV)/mutants
mutants: $(MUTANTS) ## put small faults into the package, and see whether tests find them (SEED=0 N=20)
	PYTHONPATH=$(MUTANTS) $(RUN) tests/mutants/mutants.py --seed $(SEED) --count $(if $(filter file,$(origin N)),20,$(N))

$(MUTANTS): tests/mutants/requirements.txt $(READY)
	@$(VENV)/bin/uv pip install --quiet --python $(VENV) --target $@ --require-hashes --requirement $<
	@touch $@

fix: $(READY) ## rewrite everything that is generated: outputs, figures, tables
	$(VENV)/bin/ruff check --quiet --fix
	$(VENV)/bin/ruff format --quiet
	$(RUN) -m sitekit.fix

bench: $(BUILT) ## measure speed, ratios taken in one run, and pages as on a phone
	$(RUN) tests/benchmarks/bench_layers.py
	$(RUN) tests/benchmarks/bench_tools.py
	$(RUN) tests/benchmarks/bench_blocks.py
	$(RUN) tests/benchmarks/bench_recurrent.py
	$(RUN) tests/benchmarks/bench_live.py
	$(RUN) -m sitekit.drawn.tables
	$(RUN) tests/benchmarks/bench_live_page.py
	$(RUN) tests/benchmarks/bench_pages.py

releases: $(READY) ## measure what older releases of Keras do to a mask
	$(RUN) tests/benchmarks/releases.py

survey: $(READY) ## run models of others, official examples and the repair of faults, and write their tables
	$(RUN) -m sitekit.measured.others
	KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES= $(RUN) -W ignore -m sitekit.measured.examples.survey
	KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES= $(RUN) -W ignore -m sitekit.measured.faults.repaired
	$(RUN) -W ignore -m sitekit.measured.in_page
	KERAS_BACKEND=numpy $(RUN) -W ignore -m sitekit.measured.examples.repaired
	$(RUN) -m sitekit.drawn.tables

accuracy: $(READY) ## train models with right masks, wrong ones and none, and write their accuracy
	KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES= $(RUN) -W ignore -m sitekit.measured.accuracy
	$(RUN) -m sitekit.drawn.tables

backends: $(TORCH)/.ready ## measure what differs between the backends of Keras, PyTorch among them
	for backend in tensorflow jax numpy; do KERAS_BACKEND=$$backend $(RUN) -W ignore -m sitekit.measured.backends || exit; done
	KERAS_BACKEND=torch $(TORCH)/bin/python -W ignore -m sitekit.measured.backends
	$(RUN) -m sitekit.drawn.tables

picture: $(BUILT) ## take the picture in the README again
	@$(RUN) -m sitekit.published.picture

lock: $(READY) ## renew the locks: exact versions, hashes, no addresses, every supported Python
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --extra pages --group site --group test --output-file requirements.txt pyproject.toml
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --constraint requirements.txt \
	  --no-annotate --no-header --group backends --output-file tests/torch/requirements.txt pyproject.toml
	echo cosmic-ray | $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --output-file tests/mutants/requirements.txt -

clean: ## remove what was built
	rm -rf $(VENV) $(TORCH) site

# the first of these that runs and is a supported version; PYTHON= chooses another
supported = $(1) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
  $(call supported,$$python) && echo $$python && break; done)

# uv installs in seconds what pip takes minutes for; the lock pins uv itself
$(READY): requirements.txt pyproject.toml
	@$(call supported,$(or $(PYTHON),false)) || { echo "Python 3.11, 3.12 or 3.13 is needed, and $(if $(PYTHON),PYTHON=$(PYTHON) is none of them,none was found); name one with PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > $(VENV)/uv.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(VENV)/bin/uv pip sync --quiet --compile-bytecode --python $(VENV) --require-hashes requirements.txt
	@$(VENV)/bin/uv pip install --quiet --python $(VENV) --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: help setup serve live build test check lint $(ON_BACKENDS) test-layers test-tools test-fuzz test-torch check-pages test-site test-live keras-tests fuzz mutants fix bench releases survey accuracy backends picture lock clean
