# `make demo` and `make test` need Python 3.11 to 3.13 with its venv module, and nothing else.
PYTHON ?= python3
INSTALL = @$(PYTHON) requirements/install.py
RUN = .venv/bin/python
MODEL = models/season_classifier.onnx
COMPILE = $(RUN) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

# ONNX Runtime would tell its maker of each start.
export ORT_DISABLE_TELEMETRY = 1

.PHONY: help demo test lint bench bench-peers chaos chaos-mutations fuzz soak models baselines frameworks test-frameworks lock

help:
	@echo "make demo   real readings through a real Kafka, season labels out"
	@echo "make test   every check and every test"
	@echo "make lint   the checks alone: ruff, import rules, mypy"
	@echo "make bench  the benchmarks, each beside its limit or its baseline in the same run: five minutes"
	@echo "make bench-peers  the service beside Kafka Streams and Flink: needs a JDK 17 and Maven"
	@echo "make soak   an hour at half of the highest rate, with a rebalance a minute: does anything grow?"
	@echo "make chaos  members and broker killed for MINUTES=10, by SEED: is anything lost or doubled?"
	@echo "make chaos-mutations  the same with one safety after the other taken out: each run has to fail"
	@echo "make fuzz   hostile input: ten million mutated messages, then a fuzzer guided by coverage: half an hour"
	@echo "make models     trains all three models anew, and holds them to those that are committed"
	@echo "make baselines  other methods (ROCKET, boosting, …) on the same days as the recipe for Italy's load"
	@echo "make test-frameworks  models of scikit-learn, boosting, Keras, TensorFlow, PyTorch and Caffe in the service (3 GB)"
	@echo "make lock   compile requirements/*.txt and kafka_local/jars.lock anew"

# Training (torch) is installed only where there is no model.
demo:
	$(INSTALL) demo $(if $(wildcard $(MODEL)),,training)
	@$(RUN) -m consumer.warm
	@exec $(RUN) -m demo

# Three at a time on two cores: most of the integration tests wait. A file's tests stay together, since they share brokers.
# The loops hold to their laws uncompiled, too, as the Python that they are.
test: lint
	@$(RUN) -m consumer.warm
	NUMBA_DISABLE_JIT=1 $(RUN) -m pytest -n 3 tests/consumer/core tests/consumer/adapters/decode
	$(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint:
	$(INSTALL) dev
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	.venv/bin/lint-imports --no-logo
	$(RUN) -m mypy

bench:
	$(INSTALL) dev
	@$(RUN) -m consumer.warm
	@$(RUN) -m benchmarks

bench-peers:
	$(INSTALL) dev
	@$(RUN) -m benchmarks peers

soak:
	$(INSTALL) dev
	@$(RUN) -m tests.load.soak

# MINUTES=10 and SEED=1, say; ten minutes and a random seed by default.
chaos:
	$(INSTALL) dev
	@$(RUN) -m tests.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

chaos-mutations:
	$(INSTALL) dev
	@$(RUN) -m tests.chaos.proof

# All three models by the commands that they name, held to what is committed: about a minute.
models:
	$(INSTALL) dev
	$(RUN) -m tests.training.remake

# aeon holds NumPy back: these live in an environment of their own.
baselines:
	$(PYTHON) -m venv .venv-baselines
	.venv-baselines/bin/pip install --quiet --require-hashes -r requirements/baselines.txt
	.venv-baselines/bin/python -m training.research.baselines

# 3 GB of frameworks, in an environment of their own; caffe2onnx's pins hold for nobody: --no-deps.
frameworks:
	$(PYTHON) -m venv .venv-frameworks
	.venv-frameworks/bin/pip install --quiet --require-hashes --no-deps -r requirements/frameworks.txt

test-frameworks: frameworks
	$(INSTALL) dev
	$(RUN) -m pytest tests/frameworks

# What the fuzzer finds is left in .fuzz/. FUZZ_SECONDS are for each of its five targets.
FUZZ_SECONDS ?= 150
fuzz:
	$(INSTALL) dev fuzz
	$(RUN) -m tests.fuzz.flood
	$(RUN) -m tests.fuzz --seconds $(FUZZ_SECONDS)

# dev holds all that the others hold: they are compiled within it, so that one .venv serves every command. With
# `make lock UPGRADE=` the pins that still fit stay.
UPGRADE ?= --upgrade
WITHIN = $(COMPILE) $(UPGRADE) --constraint requirements/dev.txt
lock:
	$(INSTALL) dev
	$(COMPILE) $(UPGRADE) pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	$(WITHIN) pyproject.toml --extra consumer --extra producer --group broker --output-file requirements/demo.txt
	$(WITHIN) pyproject.toml --extra training --output-file requirements/training.txt
	$(WITHIN) pyproject.toml --extra consumer --output-file requirements/service.txt
	$(WITHIN) pyproject.toml --extra producer --output-file requirements/producer.txt
	$(WITHIN) --group fuzz --output-file requirements/fuzz.txt
	$(COMPILE) $(UPGRADE) pyproject.toml --group baselines --output-file requirements/baselines.txt
	$(COMPILE) $(UPGRADE) --group frameworks --output-file requirements/frameworks.txt
	$(RUN) -m kafka_local.lock
