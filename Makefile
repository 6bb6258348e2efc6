# Two commands: `make serve` and `make test`. Each sets up all that it needs, in .venv.
# `make test` is the everyday job: five minutes on two cores. `make test-all` adds what is marked `long`, as .ci/run does.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: serve test test-all long checks kernel clean bench peers screenshots

serve: .venv/ready kernel
	MODERATION_DEMO=$${MODERATION_DEMO:-true} $(BIN)/python -m moderation serve

# worksteal: a worker gets neighbours, so that what a file's tests share is made once.
test: checks
	$(BIN)/pytest -n auto --dist worksteal -m "not long" $(PYTEST)

test-all: checks
	$(BIN)/pytest -n auto --dist worksteal $(PYTEST)

# What .ci/run does in small, many times over: kills under load, and seeds of the simulation (docs/operations.md, Faults).
long: .venv/ready-test kernel
	ROUNDS=100 SEEDS=10000 $(BIN)/pytest -n auto --dist worksteal -m repeated $(PYTEST)

checks: .venv/ready-test kernel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/ready-test kernel
	$(BIN)/python benchmarks/service.py
	$(BIN)/python -m benchmarks.thread
	$(BIN)/python -m benchmarks.heartbeat

# The pictures in the docs, from a real server in a real browser (Chromium). Look at each before you commit it.
screenshots: .venv/ready-test kernel
	$(BIN)/python -m tests.contract.screenshots

# Other systems on the rows that `python -m classifier evaluate --data DIR --peers benchmarks/.peers` reports on.
peers: .venv/ready kernel
	$(BIN)/python benchmarks/peers.py --data $(DATA)

clean:
	rm -rf .venv build benchmarks/.venv benchmarks/adapters/.venv classifier/_kernel.*.so

.venv/ready: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

# Scoring in C, in place. Without a compiler it says so, and comments are scored by numpy.
kernel: classifier/_kernel.abi3.so

classifier/_kernel.abi3.so: setup.py $(wildcard classifier/kernel*.[ch]) build/tools/ready
	build/tools/bin/python setup.py --quiet build_ext --inplace --force
	@test -e $@ || echo "The kernel is not built: comments are scored by numpy, some times slower." >&2

# Build tools stand apart from what serves, as in the Dockerfile.
build/tools/ready: requirements-build.lock
	$(PYTHON) -m venv build/tools
	build/tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	touch $@

.venv/ready-test: requirements-test.lock .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@
