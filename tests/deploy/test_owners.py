"""Whose a function is: somebody else's is told, with name and time, and changed only where that is asked for."""

import json
from dataclasses import replace

import pytest

from nbchalice.aws.target import Connection
from nbchalice.deploy import engine
from nbchalice.deploy.owners import caller_of, is_foreign, require_own_function
from nbchalice.errors import AWSError, InvalidInputError
from nbchalice.resources.ownership import CELL, NOTEBOOK, OWNER

from .harness import app, deploy, handler, packages, plan, reasons, sqs, unique

STS, IAM = "arn:aws:sts::111122223333", "arn:aws:iam::111122223333"
CALLERS = {
    f"{IAM}:user/ann": "user/ann",
    f"{IAM}:user/team/ann": "user/team/ann",
    f"{IAM}:root": "root",
    f"{STS}:federated-user/ann": "federated-user/ann",
    f"{STS}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann@example.com": "person/ann@example.com",
    f"{STS}:assumed-role/AWSReservedSSO_Power_fedcba9876543210/ann@example.com": "person/ann@example.com",
    f"{STS}:assumed-role/AWSReservedSSO_Power_fedcba9876543210/ann": "person/ann",
    f"{STS}:assumed-role/ADFS-Dev/ann@example.com": "person/ann@example.com",
    f"{STS}:assumed-role/dev/botocore-session-1700000000": "role/dev",
    f"{STS}:assumed-role/dev/botocore-session-1700000001": "role/dev",
    f"{STS}:assumed-role/ci/GitHubActions": "role/ci",
    f"{STS}:assumed-role/studio/i-0123456789abcdef0": "role/studio",
    "arn:aws-cn:sts::111122223333:assumed-role/ci/x,y": "role/ci",
    f"{STS}:assumed-role/ADFS-Dev/ann,b@example.com": "person/ann_b@example.com",
}
ANN, BOB = f"{IAM}:user/ann", f"{IAM}:user/bob"
ROLE = f"{STS}:assumed-role/dev/botocore-session-{{}}"


@pytest.mark.parametrize("arn", CALLERS)
def test_a_caller_is_the_same_from_every_machine_and_in_every_session(arn):
    assert caller_of(arn) == CALLERS[arn]


@pytest.fixture
def called_by(connection):
    """``called_by(arn)``: real AWS as far as the engine can tell, with who calls."""
    return lambda arn: Connection(replace(connection.target, name="aws", user=arn), connection._new_client)


@pytest.fixture
def shop(name):
    """``shop(notebook, *names)``: the app as a notebook has it."""

    def make(notebook, *names, **more):
        return replace(app(name, *map(handler, names or ("price",))), notebook=notebook, **more)

    return make


def tags(aws, made, one="price"):
    return aws.client("lambda").get_function(FunctionName=f"{made.name}-dev-{one}")["Tags"]


def test_what_somebody_else_deployed_is_told_and_replaced_only_where_that_is_asked_for(called_by, shop):
    theirs, made = shop("orders.ipynb"), shop("other.ipynb")
    deploy(theirs, called_by(BOB))
    ann = called_by(ANN)
    (note,) = plan(made, ann, code="2").notes
    assert note.startswith("price was deployed by user bob from orders.ipynb on 20")
    assert note.endswith(" UTC: a deploy replaces it only with --take-over")
    writes = len(ann.writes)
    with pytest.raises(
        InvalidInputError, match="price is somebody else's, deployed by user bob from orders"
    ) as refused:
        deploy(made, ann, code="2")
    assert (refused.value.code, len(ann.writes)) == ("someone-elses", writes)
    for way in ("%chalice app NAME", "--take-over", '"owner" in .chalice/config.json'):
        assert way in refused.value.hint
    (found,) = engine.status(made, packages(made, "2"), ann).handlers
    assert (found.state, found.drift[0]) == ("changed", note.partition(": ")[0].removeprefix("price was "))
    done = deploy(replace(made, takes_over=True), ann, code="2")
    assert done.plan.notes[0].endswith("UTC: it becomes yours")
    assert tags(ann, made)[OWNER] == "user/ann" and tags(ann, made)[NOTEBOOK] == "other.ipynb"
    again = deploy(made, ann, code="2")
    assert (again.changes, again.plan.notes) == ((), ())


def test_what_is_as_it_stands_needs_no_word(called_by, shop):
    """Two people who have the same notebook, as from git, do not hurt each other where nothing differs."""
    deploy(shop("orders.ipynb"), called_by(BOB))
    done = deploy(shop("orders.ipynb"), called_by(ANN))
    assert done.changes == ()
    assert done.plan.notes[0].endswith("it stands as it is here, and stays theirs")


@pytest.mark.parametrize("how", ["delete", "delete one", "rollback", "live"])
def test_other_ways_to_hurt_are_refused_too(called_by, shop, how):
    deploy(shop("a.ipynb"), called_by(BOB))
    made, ann = shop("b.ipynb"), called_by(ANN)
    calls = {
        "delete": lambda one: engine.delete(one, ann),
        "delete one": lambda one: engine.delete(one, ann, "price"),
        "rollback": lambda one: engine.rollback(one, "price", ann),
        "live": lambda one: require_own_function(one, ann, "price"),
    }
    writes = len(ann.writes)
    with pytest.raises(InvalidInputError, match="price is somebody else's, deployed by user bob from a.ipynb"):
        calls[how](made)
    assert len(ann.writes) == writes
    if how.startswith("delete"):
        assert ("delete", "function") in [
            (change.action, change.resource.kind) for change in calls[how](replace(made, takes_over=True)).changes
        ]


def test_prune_leaves_what_somebody_else_deployed_and_says_so(called_by, shop):
    deploy(shop("a.ipynb", "price", "old"), called_by(BOB))
    ann, bob = called_by(ANN), called_by(BOB)
    mine = replace(shop("a.ipynb", "ship"))
    done = deploy(mine, ann, prune=True)
    assert [note for note in done.plan.notes if note.startswith("old stands, too, deployed by user bob")][0].endswith(
        ": --prune leaves it without --take-over"
    )
    assert tags(ann, mine, "old")[OWNER] == "user/bob"
    assert plan(replace(mine, takes_over=True), ann, prune=True).pruned == ("old", "price")
    assert plan(shop("a.ipynb"), bob, prune=True).pruned == ("old",)
    engine.delete(replace(mine, takes_over=True), ann)


def test_the_same_person_is_not_asked(called_by, shop):
    """From another machine, in another session, from a renamed or copied notebook."""
    deploy(shop("a.ipynb"), called_by(ANN))
    (note,) = deploy(shop("b.ipynb"), called_by(ANN), code="2").plan.notes
    assert note == "price was deployed from a.ipynb: this notebook's handler takes its place"
    deploy(shop("b.ipynb"), called_by(ANN), code="3")


def test_a_function_without_an_owner_becomes_the_deployers(connection, called_by, shop):
    made = shop("a.ipynb")
    deploy(made, connection)
    assert OWNER not in tags(connection, made)
    done = deploy(made, called_by(ANN))
    assert done.plan.notes == ("price has no owner noted, as an earlier version deployed it: it becomes yours",)
    assert reasons(done.changes) == f"update function {made.name}-dev-price (tags {OWNER})"
    assert deploy(made, called_by(ANN)).plan.notes == ()
    assert deploy(made, connection).changes == ()  # where nobody asks whose it is, the tag stays


def test_a_team_with_one_owner_in_its_configuration_is_one(called_by, shop, tmp_path):
    (tmp_path / ".chalice").mkdir()
    deploy(shop("a.ipynb"), called_by(ANN))
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps({"owner": "shop team"}))
    made = shop("a.ipynb", folder=tmp_path)
    deploy(made, called_by(ANN))
    assert tags(called_by(ANN), made)[OWNER] == "shop team"
    for who in (BOB, f"{STS}:assumed-role/ci/GitHubActions", ANN):
        done = deploy(made, called_by(who), code=unique())
        assert (len(done.changes), done.plan.notes) == (1, ())
    with pytest.raises(InvalidInputError, match="deployed by shop team from a.ipynb"):
        deploy(shop("a.ipynb"), called_by(ANN), code="9")


HERE = {NOTEBOOK: "a.ipynb", OWNER: "role/dev", CELL: "1f2e"}
SHARED = [
    ("the same notebook", {}, "a.ipynb", {"1f2e"}, False),
    ("renamed, as its cell tells", {}, "b.ipynb", {"1f2e", "77"}, False),
    ("its cell was made anew", {}, "a.ipynb", {"77"}, False),
    ("another notebook", {}, "b.ipynb", {"77"}, True),
    ("another Untitled.ipynb", {NOTEBOOK: "Untitled.ipynb"}, "Untitled.ipynb", {"77"}, True),
    ("the same Untitled1.ipynb", {NOTEBOOK: "Untitled1.ipynb"}, "Untitled1.ipynb", {"1f2e"}, False),
    ("a notebook of unknown name", {}, "", {"77"}, False),
    ("deployed from a notebook of unknown name", {NOTEBOOK: None}, "b.ipynb", {"77"}, False),
    ("cells without ids", {CELL: None}, "Untitled.ipynb", set(), True),
]


@pytest.mark.parametrize(("tags", "notebook", "cells", "foreign"), [s[1:] for s in SHARED], ids=[s[0] for s in SHARED])
def test_of_people_with_one_role_the_notebook_tells_who_is_who(tags, notebook, cells, foreign):
    """As in SageMaker, on an EC2 instance, or where a team assumes one role."""
    made = replace(app("shop"), notebook=notebook, cells=frozenset(cells), owners=("role/dev",))
    assert is_foreign(made, {k: v for k, v in {**HERE, **tags}.items() if v}) == foreign
    assert not is_foreign(replace(made, owners=()), HERE)


def test_the_cell_that_a_handler_came_from_is_noted_and_no_change(called_by, shop):
    made = shop("a.ipynb", cells=frozenset({"1f2e"}), origins={"price": "1f2e"})
    deploy(made, called_by(ANN))
    assert tags(called_by(ANN), made)[CELL] == "1f2e"
    moved = replace(made, cells=frozenset({"77"}), origins={"price": "77"})
    assert deploy(moved, called_by(ANN)).changes == ()
    deploy(moved, called_by(ANN), code="2")
    assert tags(called_by(ANN), made)[CELL] == "77"


def test_an_app_that_is_only_called_as_its_file_is_refused_before_anything_is_changed(called_by, name, place):
    made = replace(app(name, handler("price", sqs(place.queue))), is_named=False)
    ann = called_by(ANN)
    for call in (
        lambda: plan(made, ann),
        lambda: deploy(made, ann),
        lambda: engine.delete(made, ann),
        lambda: engine.rollback(made, "price", ann),
    ):
        with pytest.raises(InvalidInputError, match="has no name of its own") as refused:
            call()
        assert refused.value.code == "app-not-named" and "%chalice app NAME, or app_name in" in refused.value.hint
    assert ann.calls == []
    assert "has no name of its own" in engine.status(made, packages(made), ann).notes[0]


def test_tags_that_may_not_be_read_are_no_sign_of_another_owner(called_by, shop):
    """Lambda answers GetFunction without the tags, and says why in TagsError (Lambda: GetFunction)."""
    made, ann = shop("a.ipynb"), called_by(ANN)
    deploy(made, ann)

    def hide(parsed, **_):
        del parsed["Tags"]
        parsed["TagsError"] = {"ErrorCode": "AccessDeniedException", "Message": "not authorized"}

    ann.client("lambda").meta.events.register("after-call.lambda.GetFunction", hide)
    with pytest.raises(AWSError, match="reading the tags of .*-dev-price: AWS says AccessDeniedException") as refused:
        plan(made, ann)
    assert refused.value.hint.startswith("ask for lambda:ListTags on arn:aws:lambda:")
