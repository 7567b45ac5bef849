"""Going back to the version before, and forward again."""

import json
import urllib.error
import urllib.request

import pytest

from nbchalice.deploy import engine
from nbchalice.errors import InvalidInputError

from .harness import app, comparable, deploy, four, handler, kinds, snapshot


def versions(aws, name):
    pages = aws.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=name)
    return [v["Version"] for page in pages for v in page["Versions"] if v["Version"] != "$LATEST"]


def answer(aws, name):
    return json.loads(aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read())


def test_each_changed_deploy_publishes_a_version_and_the_last_five_are_kept(connection, name):
    made, function = app(name, handler("price")), f"{name}-dev-price"
    deploy(made, connection)
    deploy(made, connection)
    assert versions(connection, function) == ["1"]
    for code in "2345678":
        deploy(made, connection, code=code)
    assert versions(connection, function) == ["4", "5", "6", "7", "8"]


def test_a_changed_setting_publishes_and_a_changed_tag_does_not(connection, name):
    function = f"{name}-dev-price"
    deploy(app(name, handler("price")), connection)
    deploy(app(name, handler("price", memory=256)), connection)
    assert versions(connection, function) == ["1", "2"]
    deploy(app(name, handler("price", memory=256, tag={"a": "b"}, reserved_concurrency=3)), connection)
    assert versions(connection, function) == ["1", "2"]


def test_rollback_goes_back_step_by_step_and_deploy_goes_forward(connection, place, name):
    made, function = four(name, place), f"{name}-dev-price"
    for code in "123":
        deploy(made, connection, code={"price": code})
    standing = comparable({**snapshot(connection, name, place), f"function {function}": ""})
    back = engine.rollback(made, "price", connection)
    assert (back.before, back.version, back.code, back.settings) == ("3", "2", True, ())
    assert answer(connection, function) == "2"
    assert engine.rollback(made, "price", connection).version == "1"
    assert answer(connection, function) == "1"
    with pytest.raises(InvalidInputError, match="has no version before version 1"):
        engine.rollback(made, "price", connection)
    assert versions(connection, function) == ["1", "2", "3"]
    assert comparable({**snapshot(connection, name, place), f"function {function}": ""}) == standing
    assert kinds(deploy(made, connection, code={"price": "3"}).changes) == [("update", "function")]
    assert answer(connection, function) == "3"
    assert deploy(made, connection, code={"price": "3"}).changes == ()


def test_rollback_brings_the_settings_back(connection, name):
    function = f"{name}-dev-price"
    deploy(app(name, handler("price", env={"AB": "1"}, timeout=20)), connection)
    deploy(app(name, handler("price", env={"BC": "2"}, memory=256, timeout=30)), connection)
    back = engine.rollback(app(name, handler("price")), "price", connection)
    assert back.code is False
    assert back.settings == ("Environment", "MemorySize", "Timeout")
    now = connection.client("lambda").get_function_configuration(FunctionName=function)
    assert (now["Environment"]["Variables"], now["MemorySize"], now["Timeout"]) == ({"AB": "1"}, 128, 20)


def test_only_what_is_deployed_and_ours_can_go_back(connection, name):
    with pytest.raises(InvalidInputError, match="is not deployed"):
        engine.rollback(app(name, handler("price")), "price", connection)
    deploy(app(f"{name}-dev", handler("price"), stage="x"), connection)
    with pytest.raises(InvalidInputError, match="belongs to app"):
        engine.rollback(app(name, handler("x-price")), "x-price", connection)


def test_code_is_read_only_under_the_signed_url_of_its_version(connection, name):
    function = f"{name}-dev-price"
    for code in "12":
        deploy(app(name, handler("price")), connection, code=code)
    client = connection.client("lambda")
    first, second = (client.get_function(FunctionName=function, Qualifier=v)["Code"]["Location"] for v in ("1", "2"))
    with urllib.request.urlopen(first) as one, urllib.request.urlopen(second) as two:
        assert one.read() != two.read()
    for forged in (first.partition("?")[0], first.replace(":1?", ":2?"), first[:-4] + "0000"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(forged)
