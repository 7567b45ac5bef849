"""Several notebooks of one app: each knows what the others deployed, and leaves it alone."""

from dataclasses import replace

import pytest

from nbchalice.deploy import engine
from nbchalice.errors import InvalidInputError

from .harness import app, deploy, handler, kinds, packages, plan, reasons, s3, snapshot, sqs


def tags(connection, name, one):
    arn = f"arn:aws:lambda:{connection.region}:{connection.account}:function:{name}-dev-{one}"
    return connection.client("lambda").list_tags(Resource=arn)["Tags"]


def in_notebook(made, notebook):
    return replace(made, notebook=notebook)


def test_another_notebook_of_the_app_leaves_what_the_first_one_deployed(connection, place, name):
    first = in_notebook(
        app(name, handler("price", sqs(place.queue)), handler("ship", s3(place.bucket, prefix="s/"))), "a.ipynb"
    )
    second = in_notebook(app(name, handler("bill"), handler("old")), "b.ipynb")
    deploy(first, connection)
    deploy(second, connection)
    second = replace(second, handlers=second.handlers[:1])
    assert tags(connection, name, "ship")["nbchalice:notebook"] == "a.ipynb"

    planned = plan(second, connection, prune=True)
    assert {change.resource.name for change in planned.changes if change.resource.kind == "function"} == {
        f"{name}-dev-old"
    }
    assert planned.elsewhere == {"price": "a.ipynb", "ship": "a.ipynb"}
    assert "price stands, too, deployed from a.ipynb: --prune leaves it" in planned.notes[0]
    before = snapshot(connection, name, place)
    deploy(second, connection, prune=True)
    assert {key for key in before if key not in snapshot(connection, name, place)} == {
        key for key in before if key.endswith("-dev-old")
    }

    found = engine.status(second, packages(second), connection).handlers
    assert [(h.name, h.state, h.drift) for h in found] == [
        ("bill", "deployed", ()),
        ("price", "deployed", ("deployed from a.ipynb",)),
        ("ship", "deployed", ("deployed from a.ipynb",)),
    ]
    assert deploy(first, connection).changes == ()
    assert "bill was deployed from b.ipynb" in engine.delete(first, connection).plan.notes
    assert snapshot(connection, name) == {}


def test_a_handler_that_another_notebook_deployed_is_not_taken_over_silently(connection, name):
    made = app(name, handler("price"))
    deploy(in_notebook(made, "a.ipynb"), connection)
    second = in_notebook(made, "b (2).ipynb")
    assert plan(second, connection).notes == (
        "price was deployed from a.ipynb: this notebook's handler takes its place",
    )
    (found,) = engine.status(second, packages(second), connection).handlers
    assert (found.state, found.drift) == ("changed", ("deployed from a.ipynb",))
    done = deploy(second, connection)
    assert reasons(done.changes) == f"update function {name}-dev-price (tags nbchalice:notebook)"
    assert tags(connection, name, "price")["nbchalice:notebook"] == "b _2_.ipynb"
    again = deploy(second, connection)
    assert (again.changes, again.plan.notes) == ((), ())


def test_where_the_name_of_the_notebook_is_unknown_the_tag_stays(connection, name):
    made = app(name, handler("price"), handler("old"))
    deploy(in_notebook(made, "a.ipynb"), connection)
    unknown = replace(made, handlers=made.handlers[:1])
    done = deploy(unknown, connection, prune=True)
    assert (done.changes, list(done.plan.elsewhere)) == ((), ["old"])
    deploy(unknown, connection, code="2")
    assert tags(connection, name, "price")["nbchalice:notebook"] == "a.ipynb"
    assert plan(in_notebook(unknown, "a.ipynb"), connection, code="2").changes == ()


def test_one_handler_can_be_deleted_whether_it_is_registered_or_not(connection, place, name):
    made = in_notebook(app(name, handler("price", s3(place.bucket, prefix="p/")), handler("ship")), "a.ipynb")
    empty = snapshot(connection, name, place)
    deploy(replace(made, handlers=made.handlers[1:]), connection)
    ship = snapshot(connection, name, place)
    deploy(made, connection)
    gone = engine.delete(replace(made, handlers=(), notebook="b.ipynb"), connection, "price")
    assert gone.plan.notes == ("price was deployed from a.ipynb",)
    assert ("delete", "function") in kinds(gone.changes)
    assert snapshot(connection, name, place) == ship
    with pytest.raises(InvalidInputError, match="no handler 'price', neither") as refused:
        engine.delete(replace(made, handlers=()), connection, "price")
    assert refused.value.hint == "the only handler is ship"
    engine.delete(made, connection)
    assert snapshot(connection, name, place) == empty
