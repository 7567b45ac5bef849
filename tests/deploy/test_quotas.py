"""Quotas of the account are asked for once, before the first write. AWS's answers are put in: the local AWS has none."""

import pytest

from nbchalice.aws.target import Connection, Target
from nbchalice.errors import InvalidInputError, ProblemsError

from .harness import app, deploy, handler, plan, sqs

NEW = {"runs": 10, "unreserved": 10}


@pytest.fixture
def account(connection):
    """``account(runs=10)``: the local AWS, as an account of AWS with such quotas."""

    def make(runs=1000, unreserved=1000, room=10**9, denied=None):
        asked = []

        def new_client(service, region):
            client = connection._new_client(service, region)
            client.meta.events.register_first("before-call.lambda.GetAccountSettings", answer)
            return client

        def answer(**_):
            from botocore.awsrequest import AWSResponse

            asked.append(1)
            if denied:
                text = (
                    "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: lambda:GetAccountSettings"
                )
                return AWSResponse("", 403, {}, None), {"Error": {"Code": denied, "Message": text}}
            limit = {
                "ConcurrentExecutions": runs,
                "UnreservedConcurrentExecutions": unreserved,
                "TotalCodeSize": 80 * 2**30,
            }
            return AWSResponse("", 200, {}, None), {
                "AccountLimit": limit, "AccountUsage": {"TotalCodeSize": 80 * 2**30 - room},
            }  # fmt: skip

        target = Target("aws", connection.region, connection.account, endpoint=connection.target.endpoint)
        made = Connection(target, new_client)
        made.asked = asked
        return made

    return make


def pure(name, **settings):
    return handler(name, ("lambda_function", {}), **settings)


def test_a_new_account_gives_no_reserved_concurrency(account, name):
    aws = account(**NEW)
    with pytest.raises(InvalidInputError) as refused:
        deploy(app(name, pure("price", reserved_concurrency=2), pure("free")), aws)
    assert refused.value.code == "over-quota"
    assert "price (2) cannot have so much reserved concurrency" in refused.value.message
    assert (
        "of the account's 10 concurrent runs 10 are not reserved, Lambda keeps 10 of them, and 0"
        in refused.value.message
    )
    assert "--quota-code L-B99A9384" in refused.value.hint
    assert aws.writes == [] and aws.asked == [1]


def test_what_an_account_keeps_for_others_counts_over_all_handlers(account, name):
    both = [pure("one", reserved_concurrency=30), pure("two", reserved_concurrency=30)]
    with pytest.raises(InvalidInputError, match=r"one \(30\) and two \(30\) .* and 50 can be given"):
        plan(app(name, *both), account(unreserved=150))
    assert plan(app(name, *both), account(unreserved=160)).changes


def test_what_is_reserved_already_is_not_asked_for_again(account, name):
    made = app(name, pure("price", reserved_concurrency=5))
    deploy(made, account())
    full = account(runs=105, unreserved=100)
    assert plan(made, full).changes == ()
    # What one gives back the other gets.
    moved = app(name, pure("price"), pure("other", reserved_concurrency=5))
    assert plan(moved, full).changes
    with pytest.raises(InvalidInputError, match="and 0 can be given"):
        plan(app(name, pure("price", reserved_concurrency=6)), full)
    assert plan(app(name, pure("price", reserved_concurrency=0)), full).changes


def test_code_that_has_no_room_is_refused(account, name):
    made = app(name, pure("price"), pure("free"))
    with pytest.raises(
        InvalidInputError, match="are to be uploaded, and of the account's .* for code 10 bytes are left"
    ) as e:
        deploy(made, account(room=10))
    assert e.value.code == "over-quota" and "layers" in e.value.hint
    deploy(made, account())
    assert plan(made, account(room=0)).changes == ()


def test_memory_that_a_new_account_may_refuse_is_told(account, name):
    made = app(name, pure("price", memory=4096), pure("free", memory=3008))
    (note,) = [note for note in plan(made, account(**NEW)).notes if "memory" in note]
    assert note.startswith(
        "price: the account is new, as its 10 concurrent runs tell, and may refuse more than 3,008 MB"
    )
    assert not [note for note in plan(made, account()).notes if "memory" in note]


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnknownOperationException"])
def test_who_may_not_ask_is_told_and_deploys(account, name, place, code):
    aws = account(denied=code)
    made = app(name, pure("price", reserved_concurrency=1), handler("take", sqs(place.queue)), pure("free"))
    told = [note for note in deploy(made, aws).plan.notes if "quotas" in note]
    words = "AWS denies" if code.startswith("Access") else f"AWS says {code} to"
    assert told == [f"the quotas of the account were not looked at: {words} lambda:GetAccountSettings"]


def test_all_that_is_wrong_is_told_at_once(account, name):
    with pytest.raises(ProblemsError) as refused:
        plan(app(name, pure("price", reserved_concurrency=2), handler("take", sqs(f"{name}-none"))), account(**NEW))
    assert "reserved concurrency" in str(refused.value) and "aws sqs create-queue" in str(refused.value)


def test_the_local_aws_is_not_asked(connection, name):
    before = len(connection.calls)
    plan(app(name, pure("price", reserved_concurrency=900)), connection)
    assert ("lambda", "GetAccountSettings") not in connection.calls[before:]
