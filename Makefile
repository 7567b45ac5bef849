PY := .venv/bin/python
STAMP := .stamps/venv
PACKAGE := .stamps/package

# Many tests start Pythons: what one has compiled, the next need not.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo check quick test test-all coverage lab docs bench dist clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 10

setup: $(STAMP)  ## make .venv with everything that the tests need, Chromium included

$(STAMP): pyproject.toml scripts/setup.sh
	sh scripts/setup.sh tests
	@mkdir -p .stamps && touch $(STAMP) $(PACKAGE)

$(PACKAGE): pyproject.toml scripts/setup.sh
	sh scripts/setup.sh package
	@mkdir -p .stamps && touch $(PACKAGE)

demo: $(PACKAGE)  ## four handlers, each with an event it really handled; needs no browser and no test tools
	$(PY) scripts/demo.py

check: setup  ## linters and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

quick: setup  ## the tests that need no network, no local AWS and no browser
	.venv/bin/pytest -q -n 2 --dist worksteal -m "not local_aws and not browser and not slow"

# Three at once on two processors: a test waits for a third of its time, for servers, kernels and browsers.
test: check  ## every test, in the browser too
	.venv/bin/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

test-all: setup  ## 3000 random notebooks instead of 60, 6,750 events instead of 347, a deploy broken off in 8 ways, a policy line by line, all hardships
	NBCHALICE_EXAMPLES=3000 .venv/bin/pytest -q tests/notebook/test_property_of_libraries.py
	NBCHALICE_CRASH_SHARE=1 .venv/bin/pytest -q tests/deploy/test_crash.py
	NBCHALICE_LOAD_PART=1 .venv/bin/pytest -q tests/sources/test_load.py
	NBCHALICE_POLICY=whole .venv/bin/pytest -q tests/doctor/test_policy.py
	NBCHALICE_WHOLE=1 .venv/bin/pytest -q --timeout 3600 tests/hardships

coverage: setup  ## how much of each room the tests run, branches too; TESTS="tests/events" for some of them
	.venv/bin/coverage erase
	.venv/bin/coverage run -m pytest -q -n 2 --dist loadfile -m "not browser" $(TESTS)
	.venv/bin/coverage combine -q
	.venv/bin/coverage json -q
	$(PY) scripts/print_coverage.py

lab: setup  ## JupyterLab on notebooks/
	cd notebooks && ../.venv/bin/jupyter lab --ip=127.0.0.1

docs: setup  ## the documentation site, in build/site; a warning is an error
	.venv/bin/sphinx-build -q -W -c docs -b html . build/site

bench: setup  ## what is measured, into docs/benchmarks.md, its plot and README's table; BENCH="deploy send" for some
	$(PY) -m benchmarks $(BENCH)

dist: setup  ## wheel, sdist and bills of materials, built twice and checked, in dist/
	$(PY) -m scripts.build_release

clean:  ## remove what was made here
	rm -rf .venv .stamps .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.* coverage.json build dist
