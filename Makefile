PY := .venv/bin/python
STAMP := .stamps/venv

.PHONY: setup demo test check lab bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml scripts/setup.sh
	sh scripts/setup.sh
	@mkdir -p .stamps && touch $(STAMP)

demo: setup  ## four handlers, each with an event it really handled
	$(PY) -m nbchalice.demo

check: setup  ## linters and types
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

test: setup check
	.venv/bin/pytest -q

lab: setup  ## JupyterLab on notebooks/
	cd notebooks && ../.venv/bin/jupyter lab --ip=127.0.0.1

bench: setup
	$(PY) -m benchmarks

clean:
	rm -rf .venv .stamps .mypy_cache .ruff_cache .pytest_cache build dist
