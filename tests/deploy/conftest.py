"""A connection to the local AWS of the test run."""

import difflib

import pytest

from .harness import Foreign, unique


@pytest.fixture
def connection(local_aws):
    from nbchalice.aws.target import connect

    return connect("local")


@pytest.fixture
def place(connection):
    return Foreign(connection, unique("place"))


@pytest.fixture
def name():
    return unique()


def pytest_assertrepr_compare(op, left, right):
    """Show how two snapshots differ."""
    if op == "==" and isinstance(left, str) and isinstance(right, str):
        lines = difflib.unified_diff(right.splitlines(), left.splitlines(), n=3, lineterm="")
        return ["the snapshots differ:", *list(lines)[:80]]
    return None
