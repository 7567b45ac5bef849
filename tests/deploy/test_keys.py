"""Keys of resources that another file names are those that the resources have."""

from typing import get_args

import nbchalice.sources  # every resource is imported with them
from nbchalice.resources.base import FunctionRef, Kind, Resource, key_of
from nbchalice.resources.bucket import Bucket
from nbchalice.resources.function import Function
from nbchalice.resources.log_group import LogGroup
from nbchalice.resources.role import Role

REF = FunctionRef("app", "dev", "price", "us-east-1", "123456789012")


def kinds(base):
    for one in base.__subclasses__():
        yield getattr(one, "kind", None)
        yield from kinds(one)


def test_every_kind_that_a_key_is_made_of_is_a_kind_of_resource():
    assert nbchalice.sources.SOURCES
    assert set(get_args(Kind)) <= set(kinds(Resource))


def test_what_a_function_needs_is_what_its_role_and_its_log_group_are_called():
    assert {Role(REF).key, LogGroup(REF).key} <= Function(REF).needs
    assert Function(REF).key == key_of("function", REF.name)
    assert Bucket("orders").key == key_of("bucket", "orders")
