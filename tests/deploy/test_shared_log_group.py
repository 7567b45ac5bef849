"""A log group that functions share: each one's log is read from its own streams, and nothing takes the group away."""

import threading
from datetime import datetime

import pytest

from nbchalice.aws.target import Connection, Target
from nbchalice.deploy import engine
from nbchalice.deploy.rollback import rollback
from nbchalice.errors import InvalidInputError
from nbchalice.events.invoke import invoke
from nbchalice.events.triggers import routes
from nbchalice.events.why import why
from nbchalice.logs.fetch import Place
from nbchalice.logs.tail import follow, recent
from nbchalice.resources.log_group import log_group_name

from ..log_groups import read_group
from ..roles import make_role
from ..waiting import wait_until
from .harness import app, deploy, handler, kinds, plan, unique
from .test_passing import Refusing

SAYING = "def lambda_handler(event, context):\n    print('{word}', context.log_group_name, context.log_stream_name)\n"


def pure(name, *handlers, **settings):
    return app(name, *(handler(one, ("lambda_function", {}), **settings) for one in handlers or ["price"]))


def say(connection, made, *handlers):
    for one in handlers or ["price"]:
        invoke(connection, made.ref(connection, one), {})


def said(connection, function, count=1):
    """Return the first words of a function's log as soon as there are so many."""

    def words():
        lines = [record.message for one in recent(connection, function) for record in one.records]
        return lines if len(lines) >= count else None

    return wait_until(words, 10)


def groups(connection, prefix):
    found = connection.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    return [group["logGroupName"] for group in found]


@pytest.fixture
def group(connection):
    name = f"/team/{unique()}"
    yield name
    connection.client("logs").delete_log_group(logGroupName=name)


def test_each_function_s_log_is_its_own(connection, name, group):
    made, others = pure(name, "price", "price2", log_group=group), pure(f"{name}x", log_group=group)
    deploy(made, connection, code={"price": SAYING.format(word="tea"), "price2": SAYING.format(word="milk")})
    deploy(others, connection, code=SAYING.format(word="theirs"))
    say(connection, made, "price", "price2", "price")
    say(connection, others)
    first = said(connection, f"{name}-dev-price", 2)
    assert [line.split()[:2] for line in first] == [["tea", group]] * 2
    assert f"/{name}-dev-price[$LATEST]" in first[0]
    assert [line.split()[0] for line in said(connection, f"{name}-dev-price2")] == ["milk"]
    assert [line.split()[0] for line in said(connection, f"{name}x-dev-price")] == ["theirs"]
    assert groups(connection, f"/aws/lambda/{name}") == []
    assert (
        plan(made, connection, code={"price": SAYING.format(word="tea"), "price2": SAYING.format(word="milk")}).changes
        == ()
    )


def test_what_is_followed_is_the_function_s_own(connection, name, group):
    made = pure(name, "price", "other", log_group=group)
    deploy(made, connection, code={"price": SAYING.format(word="tea"), "other": SAYING.format(word="milk")})
    stop, seen = threading.Event(), []

    def look():
        for one in follow(connection, f"{name}-dev-price", "1m", stop=stop):
            seen.append(one)

    looking = threading.Thread(target=look)
    looking.start()
    say(connection, made, "other", "price")
    assert wait_until(lambda: seen, 10)
    stop.set()
    looking.join()
    assert [one.records[0].message.split()[0] for one in seen] == ["tea"]


def test_delete_leaves_the_group_and_what_is_in_it(connection, name, group):
    made = pure(name, log_group=group)
    deploy(made, connection, code=SAYING.format(word="kept"))
    say(connection, made)
    said(connection, f"{name}-dev-price")
    gone = engine.delete(made, connection)
    assert "log group" not in {change.resource.kind for change in gone.changes}
    events = read_group(connection.client("logs"), group)
    assert any(event["message"].startswith("kept") for event in events)
    assert plan(made, connection).changes


def test_a_function_moves_to_the_group_and_back(connection, name, group):
    code = SAYING.format(word="x")
    deploy(pure(name), connection, code)
    say(connection, pure(name))
    own = log_group_name(f"{name}-dev-price")
    assert said(connection, f"{name}-dev-price")[0].split()[1] == own
    moved = deploy(pure(name, log_group=group), connection, code)
    assert f"LoggingConfig: Text, {own} -> Text, {group}" in str(moved.changes)
    assert ("delete", "log group") not in kinds(moved.changes)
    say(connection, pure(name))
    assert [line.split()[1] for line in said(connection, f"{name}-dev-price")] == [group]
    assert plan(pure(name, log_group=group), connection, code).changes == ()
    assert plan(pure(name), connection, code).changes
    deploy(pure(name), connection, code)
    say(connection, pure(name))
    assert [line.split()[1] for line in said(connection, f"{name}-dev-price", 2)] == [own, own]
    assert plan(pure(name), connection, code).changes == ()
    deploy(pure(name, log_group=group), connection, code)
    engine.delete(pure(name, log_group=group), connection)
    assert groups(connection, own) == [] and groups(connection, group) == [group]


def test_one_without_role_and_log_group_of_its_own_is_deleted_by_its_name(connection, name, group):
    role = make_role(connection.client("iam"), f"{name}-team")
    deploy(pure(name, log_group=group, role=role), connection)
    with pytest.raises(InvalidInputError, match="there is no handler 'other'"):
        engine.delete(app(name), connection, "other")
    gone = engine.delete(app(name), connection, "price")
    assert [change.resource.name for change in gone.changes] == [f"{name}-dev-price"]
    with pytest.raises(InvalidInputError, match="there is no handler 'price'"):
        engine.delete(app(name), connection, "price")


def test_why_tells_the_function_s_own_last_invocation(connection, name, group):
    made = pure(name, "price", "other", log_group=group)
    deploy(made, connection, code=SAYING.format(word="x"))
    say(connection, made, "price", "other")
    said(connection, f"{name}-dev-price")
    handler, ref = made.handlers[0], made.ref(connection, "price")
    assert why(connection, handler, ref, routes(handler, ref), None).last.function == f"{name}-dev-price"


def test_going_back_a_version_leaves_the_log_where_it_is(connection, name, group):
    code = SAYING.format(word="x")
    deploy(pure(name), connection, code)
    made = pure(name, log_group=group)
    deploy(made, connection, code)
    rollback(made, "price", connection)
    say(connection, made)
    assert said(connection, f"{name}-dev-price")[-1].split()[1] == group


def test_the_role_may_write_there_and_nowhere_else(connection, name, group):
    deploy(pure(name, log_group=group), connection)
    policy = connection.client("iam").get_role_policy(RoleName=f"{name}-dev-price", PolicyName="nbchalice")
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    (logs,) = policy["PolicyDocument"]["Statement"]
    assert logs["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"] and logs["Resource"] == [arn, f"{arn}:*"]


def real(connection):
    target = Target("aws", connection.region, connection.account, endpoint=connection.target.endpoint)
    return Connection(target, connection.client)


@pytest.fixture
def as_aws(connection):
    """The local AWS, not known to be local."""
    return real(connection)


def test_one_that_is_not_there_is_refused_before_anything_is_made(name, as_aws):
    with pytest.raises(InvalidInputError, match=f"log group /team/{name} does not exist in us-east-1") as caught:
        plan(pure(name, log_group=f"/team/{name}"), as_aws)
    assert caught.value.hint == f"aws logs create-log-group --log-group-name /team/{name} --region us-east-1"


def test_on_aws_it_is_used_as_it_stands(name, as_aws, connection, group):
    connection.client("logs").create_log_group(logGroupName=group, logGroupClass="INFREQUENT_ACCESS")
    planned = plan(pure(name, log_group=group), as_aws)
    assert kinds(planned.changes) == [("create", "function"), ("create", "role")]
    assert any(f"log group {group} has the class INFREQUENT_ACCESS" in note for note in planned.notes)


def test_who_may_not_look_is_told_so(name, local_aws):
    group = f"/team/{name}"
    denying = Refusing(local_aws, {"DescribeLogGroups": ("AccessDeniedException", 400, "not authorized")}, times=1000)
    made = pure(name, log_group=group, role="arn:aws:iam::000000000000:role/team")
    told = plan(made, real(denying.aws)).notes
    assert any(f"price: log group {group} was not looked for: AWS denies logs:DescribeLogGroups" in one for one in told)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"log_group": "a b"}, "log_group 'a b' is not a log group"),
        ({"log_group": "x" * 513}, "is not a log group"),
        ({"log_group": 5}, "5"),
        ({"log_group": "aws/x"}, "log_group aws/x begins with aws/, which AWS keeps for itself"),
        ({"log_group": "/team", "log_retention": 7}, "is for a log group of the function's own; leave out"),
        ({"log_group": "/team", "log_class": "STANDARD"}, "set it on /team"),
    ],
)
def test_what_cannot_be_is_refused(settings, wrong):
    problems = pure("app", **settings).handlers[0].problems()
    assert wrong in str(problems[0]), problems


def test_a_group_that_a_delete_would_take_is_refused(connection):
    with pytest.raises(InvalidInputError, match="is that of a function of this app, and goes with it"):
        plan(pure("app", log_group="/aws/lambda/app-dev-other"), connection)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-11-29T12:00", "2026-11-29T13:00", ["28", "29"]),
        ("2026-11-27T00:00", "2026-11-28T23:59", ["26", "27", "28"]),
        ("2026-10-01T00:00", "2026-11-28T23:59", None),
    ],
)
def test_the_streams_of_the_days_are_asked_for(start, end, days):
    place = Place("/team", "shop-dev-price")
    span = [int(datetime.fromisoformat(f"{at}+00:00").timestamp() * 1000) for at in (start, end)]
    wanted = [f"2026/11/{day}/shop-dev-price[" for day in days] if days else [""]
    assert place.prefixes(*span) == wanted
    assert Place("/aws/lambda/shop-dev-price", "shop-dev-price").prefixes(*span) == [""]


@pytest.mark.parametrize(
    ("stream", "own"),
    [
        ("2026/11/29/shop-dev-price[$LATEST]0123", True),
        ("2026/11/29/shop-dev-price[7][0123]", True),
        ("2026/11/29/shop-dev-price2[$LATEST]0123", False),
        ("2026/11/29/my-shop-dev-price[$LATEST]0123", False),
        ("2026/11/29/[$LATEST]0123", False),
    ],
)
def test_which_streams_are_a_function_s_own(stream, own):
    assert Place("/team", "shop-dev-price").has(stream) is own
