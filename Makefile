# One word each; every target first makes what it needs. `make` alone lists them.
#
#   make PYTHON=python3.12 demo        another Python than python3
#   make TORCH_INDEX= demo             torch from your usual package index, CUDA libraries included
#
# On Linux without an NVIDIA GPU the small torch build (0.2 GB instead of 3) is taken from TORCH_INDEX, unless pip has
# been told where to look (PIP_EXTRA_INDEX_URL and its like) or that address cannot be reached.

PYTHON ?= python3
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
RUN := .venv/bin/python

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo tune chat test lint bench screenshots clean

help:
	@echo 'make demo     see it at work: a real person, a request in words, a reason for each title'
	@echo 'make chat     talk to it in your browser (in the terminal: .venv/bin/vouchrec chat)'
	@echo 'make tune     learn better retrieval from what people did, in some minutes'
	@echo 'make test     run the tests'
	@echo 'make lint     check style and types'
	@echo 'make bench    measure how long a turn takes'
	@echo 'make screenshots  take the pictures of docs/screenshots anew (needs Chromium)'
	@echo 'make clean    remove .venv and what the tools left here; models and workspaces stay'

demo: .venv/.core
	@$(RUN) -m ui.cli demo

tune: .venv/.core
	@$(RUN) -m ui.cli finetune behaviour --example

chat: .venv/.core
	@$(RUN) -m ui.cli serve --example

test: .venv/.dev
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadfile

lint: .venv/.dev
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check --quiet .
	@$(RUN) -m mypy

bench: .venv/.core
	@$(RUN) benchmarks/latency.py

screenshots: .venv/.dev
	@$(RUN) docs/screenshots/take.py

clean:
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps say that an installation was finished; .venv/.unfinished that one was not, and then it is begun afresh.
.venv/.core: pyproject.toml constraints.txt
	@$(python-is-new-enough)
	@$(make-venv)
	@echo 'Installing Vouchrec and its libraries into .venv (a few minutes the first time) ...'
	@set -- -e .; $(install)
	@touch $@

.venv/.dev: pyproject.toml constraints.txt
	@$(python-is-new-enough)
	@$(make-venv)
	@echo 'Installing Vouchrec, its libraries and the tools of its tests into .venv (a few minutes the first time) ...'
	@set -- -e '.[dev,eval,train]'; $(install)
	@touch .venv/.core $@

define python-is-new-enough
command -v $(PYTHON) >/dev/null || { \
  echo 'There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3' >&2; \
  exit 1; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "Vouchrec needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another:" >&2; \
  echo '  make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; \
  exit 1; }
endef

define make-venv
if [ -e .venv/.unfinished ]; then \
  echo 'The last installation was not finished; beginning afresh.'; rm -rf .venv; \
elif [ -d .venv ] && ! $(RUN) -m pip --version >/dev/null 2>&1; then \
  echo 'The Python of .venv is gone; beginning afresh.'; rm -rf .venv; \
fi; \
mkdir -p .venv && touch .venv/.unfinished && { [ -x $(RUN) ] || $(PYTHON) -m venv .venv; }
endef

# Says what is large and lets the log have the rest; the status travels through a file, as sh has no pipefail.
define install
if [ -n '$(TORCH_INDEX)' ] && [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null 2>&1 \
  && [ -z "$$PIP_EXTRA_INDEX_URL$$PIP_INDEX_URL$$PIP_FIND_LINKS" ] \
  && $(PYTHON) -c 'import urllib.request as web; web.urlopen("$(TORCH_INDEX)/torch/", timeout=5)' 2>/dev/null; \
then set -- "$$@" --extra-index-url '$(TORCH_INDEX)'; fi; \
{ $(RUN) -m pip install --no-input --disable-pip-version-check -c constraints.txt "$$@" 2>&1; \
  echo $$? >.venv/.status; } | tee .venv/install.log | while read -r word file size; do \
  case "$$word $$file $$size" in \
    'Downloading '*'('[0-9][0-9]*' MB)'*) echo "  downloading $${file%%-*} $$size";; \
    'Installing collected '*) echo '  unpacking';; \
  esac; \
done; \
if [ "$$(cat .venv/.status)" != 0 ]; then \
  grep -E '^(ERROR|WARNING|error)' .venv/install.log | tail -n 5 >&2; \
  echo 'The installation failed; the whole story is in .venv/install.log. Check the network, then run make again.' >&2; \
  exit 1; \
fi; \
rm -f .venv/.unfinished .venv/.status
endef
