# Everything runs in .venv, which each target sets up for itself.
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo-archive
PAGES ?= ../shared/data/pages
DRAWN ?= ../shared/data/drawn

PIP := $(BIN)/pip --quiet --disable-pip-version-check
# Two distributions with one package: what is removed last takes the files of the other with it.
FAISS_GPU := $(PIP) uninstall --yes faiss-cpu faiss-gpu && $(PIP) install 'faiss-gpu==1.15.1'

# The program with an extra, or without. It brings faiss-cpu, also where faiss-gpu was put in its place.
define install
	$(PIP) install --editable '.$(1)'
	test ! -e .venv/gpu || { $(FAISS_GPU); }
endef

.PHONY: help demo browser test check format benchmark fuzz clean install-gpu

help: ## Say what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/program: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(call install,)
	touch $@

.venv/development: .venv/program
	$(call install,[dev])
	touch $@

browser: .venv/development
	$(BIN)/python tests/browser/install_chromium.py

demo: .venv/program ## Draw a synthetic archive, index it, serve it at http://127.0.0.1:8501 (PORT=8502: there)
	$(BIN)/prizemarks demo $(DEMO) $(if $(PORT),--port $(PORT))

test: browser ## The whole test suite (TEST_WITHOUT_BROWSER=1: without Chromium)
	$(BIN)/python -m pytest

check: .venv/development ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/development ## Put the code into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: .venv/development ## Print some of the tables of docs/ (PAGES=folder DRAWN=folder)
	$(BIN)/python benchmarks/segmentation.py --pages $(PAGES)
	$(BIN)/python benchmarks/fingerprints.py --pages $(PAGES)
	$(BIN)/python benchmarks/stamps.py --pages $(PAGES)
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/likeness.py --drawn $(DRAWN)
	$(BIN)/python benchmarks/synthetic.py
	$(BIN)/python benchmarks/everywhere.py
	$(BIN)/python benchmarks/speed.py

fuzz: .venv/development ## Feed what parses with mutated bytes, a minute each
	$(call install,[fuzz])
	$(BIN)/python benchmarks/fuzz.py

install-gpu: .venv/program ## Search on CUDA: put faiss-gpu in the place of faiss-cpu
	$(FAISS_GPU)
	touch .venv/gpu

clean: ## Remove the virtual environment and the demo
	rm -rf .venv $(DEMO) $(DEMO)-scans
