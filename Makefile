# The README's two commands are `make demo` and `make test`; both need Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SUITES = $(sort $(wildcard tests/faults/test_*.py))
# Tests start the command hundreds of times: compiled modules are kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-cluster test-browser test-probes test-publishing test-faults faults-long mutants reliability kind lint format golden sample docs deploy pictures bench bench-starts bench-popeye performance package sbom kind-test lock clean

help: ## print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(READY)

demo: $(READY) ## audit the bundled sample cluster; leaves the command in .venv/bin
	$(BIN)/exivity-audit demo

test: $(READY) ## lint, types and every test that needs no cluster
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy exivity_audit
	$(BIN)/python -m pytest tests --ignore tests/cluster --ignore tests/browser --ignore tests/probes --ignore tests/publishing --ignore tests/faults --numprocesses auto --dist worksteal

test-cluster: $(READY) ## tests against a real control plane (Go), or kind where a container engine runs
	$(BIN)/python -m pytest tests/cluster -rs

test-browser: $(READY) ## the HTML report in Chromium; installs Debian's where none is and it can be had
	tests/browser/install.sh
	$(BIN)/python -m pytest tests/browser -rs

test-probes: $(READY) ## probes against real servers on loopback; installs Debian's nginx, PostgreSQL and RabbitMQ where they can be had
	tests/probes/install.sh
	$(BIN)/python -m pytest tests/probes -rs

test-publishing: $(READY) ## publishing against scripted servers, a real Prometheus and Pushgateway; installs Debian's where they can be had
	tests/publishing/install.sh
	$(BIN)/python -m pytest tests/publishing -rs --numprocesses auto --dist loadfile

test-faults: $(READY) ## faults, canaries, odd objects, hostile files, kills; prints its scoreboard
	$(BIN)/python -m pytest tests/faults --numprocesses auto

faults-long: $(READY) ## the same with everything: hours, a suite at a time; FAULTS_GO_ON=1 SUITES="…" goes on after some of them
	test -n "$(FAULTS_GO_ON)" || rm -rf build/faults/parts
	failed=0; for suite in $(SUITES); do FAULTS=long FAULTS_GO_ON=1 $(BIN)/python -m pytest $$suite --numprocesses auto || failed=1; done; exit $$failed

mutants: $(READY) ## mutation testing of evaluator, redactor and archive reader: ten minutes
	$(BIN)/python -m tests.faults.mutate

reliability: $(READY) ## write the figures of the last runs into docs/reliability.md
	$(BIN)/python -m tests.faults.scoreboard

kind: $(READY) ## the same tests on kind
	EXIVITY_AUDIT_CLUSTER=kind $(BIN)/python -m pytest tests/cluster -rs

lint: $(READY) ## lint and types alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy exivity_audit

format: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(READY) ## rewrite the golden reports; read the diff
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/reports

sample: $(READY) ## rewrite the demo's sample cluster and the documents made from it
	$(BIN)/python -m tests.sample

docs: $(READY) ## rewrite the generated parts of the documents
	$(BIN)/python -m tests.documents

deploy: $(READY) ## rewrite the chart's rules and the manifests (needs helm)
	$(BIN)/python -m tests.deploying

pictures: $(READY) ## rewrite the pictures of README and documents (needs Chromium)
	tests/browser/install.sh
	$(BIN)/python -m tests.pictures

bench: $(READY) ## measure audits of a large cluster, and starts, beside the limits; POPEYE=path, BENCH_PODS=20000; a quarter of an hour
	$(BIN)/python -m tests.bench

bench-starts: $(READY) ## measure help, list, explain and demo alone
	$(BIN)/python -m tests.bench starts

bench-popeye: $(READY) ## the same with popeye as peer, built from its Go source when asked first (long)
	popeye=$$(tests/bench/popeye/build.sh) && POPEYE=$$popeye $(BIN)/python -m tests.bench

performance: $(READY) ## write the figures of the last benchmark into docs/performance.md
	$(BIN)/python -m tests.bench document

# The time of the commit and a fixed umask: the same commit gives the same wheel, byte for byte (of the sdist setuptools promises no such thing).
package: $(READY) ## build wheel and sdist into dist/
	umask 022; SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} $(BIN)/python -m build

sbom: ## list what the image and the extras install (CycloneDX) into dist/sbom.json
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0
	mkdir -p dist
	build/sbom/bin/cyclonedx-py requirements deploy/requirements.lock --pyproject pyproject.toml --output-reproducible -o dist/sbom.json

kind-test: $(READY) ## the product's chart (EXIVITY_CHART) on a kind cluster of its own, audited for evaluation; needs kind, helm, a container engine
	EXIVITY_AUDIT=$(CURDIR)/$(BIN)/exivity-audit examples/ci/kind-test.sh

lock: ## rewrite requirements.lock and what the image installs (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --extra dev --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --extra probes --extra s3 --python-version 3.11 -c requirements.lock pyproject.toml -o deploy/requirements.lock

clean: ## take away what was built
	rm -rf $(VENV) build dist *.egg-info
