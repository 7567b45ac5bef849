from types import SimpleNamespace

import pytest


@pytest.fixture
def make_slice():
    def make(module="def f(event):\n    return 1\n", function="f", imports=()):
        return SimpleNamespace(
            module=module, segments=[], function=function, notebook="shop.ipynb", imports=tuple(imports)
        )

    return make


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    """One cache for the tests that only want a layer, however it came about."""
    return tmp_path_factory.mktemp("layers")
