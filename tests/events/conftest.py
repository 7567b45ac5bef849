"""Deploys handlers by hand, with the zip and the trigger's resources as nbchalice makes them."""

import sys
import uuid
from dataclasses import dataclass, field

import pytest

from nbchalice.packaging.artifact import build
from nbchalice.resources.base import FunctionRef
from nbchalice.runtime.cells import Segment
from nbchalice.sources import SOURCES

from ..roles import make_role

PYTHON = f"3.{sys.version_info[1]}"


@dataclass
class Slice:
    module: str
    function: str
    notebook: str = "shop.ipynb"
    segments: list = field(default_factory=list)

    def __post_init__(self):
        lines = self.module.count("\n")
        self.segments = [Segment("cell 4", "x", 1, lines, 1)]


@dataclass
class Deployed:
    ref: FunctionRef
    source: object
    options: dict

    @property
    def route(self):
        from nbchalice.events.triggers import Route

        return Route(self.source, self.options, self.ref)


def make_function(connection, code, handler="price", **settings):
    ref = FunctionRef(f"t{uuid.uuid4().hex[:8]}", "dev", handler, connection.region, connection.account, timeout=20)
    zip_file = build(Slice(code, handler), handler, python=PYTHON).zip
    client = connection.client("lambda")
    settings = {"Timeout": 20, **settings}
    client.create_function(
        FunctionName=ref.name,
        Runtime=f"python{PYTHON}",
        Role=make_role(connection.client("iam"), "test"),
        Handler="lambda_function.lambda_handler",
        Code={"ZipFile": zip_file},
        **settings,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=ref.name)
    return ref


@pytest.fixture(scope="session")
def connection(local_aws):
    from nbchalice.aws.target import connect

    return connect("local")


@pytest.fixture
def deploy(connection):
    """``deploy("on_sqs_message", code, queue="orders", ...)``."""

    def make(source_name, code, function_settings=None, **options):
        source = SOURCES[source_name]
        ref = make_function(connection, code, **(function_settings or {}))
        for resource in [*source.local_resources(options, ref), *source.resources(options, ref)]:
            if resource.read(connection) is None or resource.kind in {"bucket notification", "bucket events"}:
                resource.write(connection, resource.read(connection))
        return Deployed(ref, source, options)

    return make


@pytest.fixture
def plain_function(connection):
    return lambda code, **settings: make_function(connection, code, **settings)


@pytest.fixture
def name():
    return f"x{uuid.uuid4().hex[:10]}"
