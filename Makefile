# `make demo` and `make test` need nothing done by hand: they make .venv and install what they use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
# A CPU build of torch where the pinned one is to be had, else what the range in pyproject.toml allows.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test web-runtime lint docs serve accept bench bench-gpu faults clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-all: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) -e ".[all]"
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) -e ".[dev]"
	touch $@ $(VENV)/.installed-all

demo: $(VENV)/.installed-all
ifdef DATA
	$(BIN)/python examples/demo.py "$(DATA)" $(DEMO)
else
	$(BIN)/python examples/demo.py --digits $(DEMO)
endif

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

# What the tests of `export --to web` need: no test reaches the network. Without it, and without npm, they are skipped.
web-runtime: node_modules/onnxruntime-web

node_modules/onnxruntime-web: src/finegraft/exporting/web_runtime.py | $(VENV)/.installed-dev
	$(BIN)/python -m finegraft.exporting.web_runtime node_modules
	touch $@

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The command reference from the commands' own help, and the README's figures from the last `make accept`.
docs: $(VENV)/.installed-dev
	$(BIN)/python docs/reference.py
	$(BIN)/python docs/measured.py

# make accept ONLY=spine-2-accuracy measures one promise; the others keep their figures and date.
accept: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.accept $(if $(ONLY),--only "$(ONLY)")

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.fastai.compare

# The run of `make demo` over HTTP, or another: make serve MODEL=path/to/run
serve: $(VENV)/.installed-all
	$(BIN)/finegraft serve $(if $(MODEL),"$(MODEL)",$(DEMO)/run)

# Fine-tuning on a CUDA card: make bench-gpu DATA=path/to/photos; says so where there is none.
bench-gpu: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.gpu $(if $(DATA),"$(DATA)",../shared/data/clothing/train)

# Stops commands at 200 moments and judges what is left; make faults FAULTS="--kills 1000 --seed 1" for more.
faults: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.faults $(FAULTS)

clean:
	rm -rf $(VENV) $(DEMO) node_modules
