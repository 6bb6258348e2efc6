# Two commands: `make serve` and `make test`. Each sets up all that it needs, in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: serve test lint clean bench peers screenshots

serve: .venv/ready classifier/libkernel.so
	MODERATION_DEMO=$${MODERATION_DEMO:-true} $(BIN)/python -m moderation serve

test: .venv/ready-test classifier/libkernel.so
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto $(PYTEST)

bench: .venv/ready-test classifier/libkernel.so
	$(BIN)/python benchmarks/service.py
	$(BIN)/python -m benchmarks.thread
	$(BIN)/python -m benchmarks.heartbeat

# The pictures in the docs, from a real server in a real browser (Chromium). Look at each before you commit it.
screenshots: .venv/ready-test classifier/libkernel.so
	$(BIN)/python -m tests.contract.screenshots

# Other systems on the rows that `python -m classifier evaluate --data DIR --peers benchmarks/.peers` reports on.
peers: .venv/ready classifier/libkernel.so
	$(BIN)/python benchmarks/peers.py --data $(DATA)

clean:
	rm -rf .venv benchmarks/.venv benchmarks/adapters/.venv classifier/libkernel.so

.venv/ready: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

# Scoring in C. Without a compiler it says so, and comments are scored by numpy.
classifier/libkernel.so: classifier/kernel.c classifier/kernel.py classifier/hashing.py classifier/linear.py \
		classifier/hidden.py classifier/labels.py classifier/combine.py classifier/structure.py .venv/ready
	-$(BIN)/python -m classifier.kernel

.venv/ready-test: requirements-test.lock .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@
