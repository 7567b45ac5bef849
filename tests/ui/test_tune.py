"""`%chalice tune`: an event at several sizes of memory, on a copy; nothing stays, and nothing is set."""

import json
import uuid

import pytest

from nbchalice.cli import code_of
from nbchalice.errors import AWSError, InvalidInputError
from nbchalice.events import tune as tuning
from nbchalice.events.tune import AtSize
from nbchalice.logs.cost import price_in
from nbchalice.logs.invocation import Invocation
from nbchalice.ui.render.tune import TuneCard

from ..notebooks import write

pytestmark = pytest.mark.local_aws

CELL = """%%on_sqs_message {name} --memory 256
def price(event):
    for record in event:
        app.log.info("costs %s", float(record.body))
"""


@pytest.fixture
def name(run):
    """A name of this test's own, for the app and the queue."""
    own = f"t{uuid.uuid4().hex[:8]}"
    run(f"%chalice app {own}")
    return own


@pytest.fixture
def deployed(run, name):
    run(CELL.format(name=name))
    run("%chalice deploy")
    return run


def functions(aws, name):
    found = aws("lambda").get_paginator("list_functions").paginate()
    return sorted(one["FunctionName"] for page in found for one in page["Functions"] if name in one["FunctionName"])


def groups(aws, name):
    return [
        one["logGroupName"]
        for one in aws("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    ]


def test_each_size_is_tried_on_a_copy_that_is_gone_afterwards(deployed, name, aws):
    before = aws("lambda").get_function_configuration(FunctionName=f"{name}-dev-price")
    card = deployed("%chalice tune price --message 5 --sizes 512,128 --runs 2")
    assert [one.memory_mb for one in card.sizes] == [128, 512]
    assert all(one.ok and one.duration_ms is not None and len(one.runs) == 2 for one in card.sizes)
    assert [one.runs[0].memory_mb for one in card.sizes] == [128, 512] and card.sizes[0].runs[0].cold
    assert card.cheapest in card.sizes and card.sizes[0].cost.usd_per_million > 0
    assert "nothing was set: price has 256 MB" in card.text and "processor does not grow" in card.text
    assert "128 MB" in card.html and "requests and the free tier are not counted" in card.html
    after = aws("lambda").get_function_configuration(FunctionName=f"{name}-dev-price")
    assert {key: after[key] for key in ("MemorySize", "RevisionId", "CodeSha256")} == {
        key: before[key] for key in ("MemorySize", "RevisionId", "CodeSha256")
    }
    assert functions(aws, name) == [f"{name}-dev-price"] and groups(aws, name) == [f"/aws/lambda/{name}-dev-price"]


def test_the_last_event_that_came_is_taken_and_a_failure_is_told_by_size(deployed, name):
    with pytest.raises(InvalidInputError, match="no event of price is known"):
        deployed("%chalice tune price")
    sent = deployed("%chalice send price --message '<b>x</b>'")
    card = deployed("%chalice tune price --sizes 128 --runs 2")
    (only,) = card.sizes
    assert not only.ok and len(only.runs) == 1 and "ValueError" in only.error
    assert sent.message_id[:8] in card.text and card.cheapest is None
    assert "failed: ValueError" in card.text and "&lt;b&gt;" in card.html and "<b>x" not in card.html
    assert deployed("app.tune('price', message='5', sizes=[128, 192], runs=2)").sizes[1].memory_mb == 192
    assert deployed(f"%chalice tune price --event {sent.message_id} --sizes 128 --runs 2").sizes[0].error == only.error
    with pytest.raises(InvalidInputError, match="two choices"):
        deployed(f"%chalice tune price --event {sent.message_id} --message 5")


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), RuntimeError("lost")])
def test_the_copy_goes_whatever_ends_it(deployed, name, aws, monkeypatch, raised):
    seen = []

    def interrupted(*_):
        seen.extend(functions(aws, name))
        raise raised

    monkeypatch.setattr(tuning, "invoke", interrupted)
    aws_of = deployed.notebook.connect()
    ref = deployed.notebook.project().app.ref(aws_of, "price")
    with pytest.raises(type(raised)):
        list(tuning.tune(aws_of, ref, {}, sizes=[128], runs=2))
    assert seen == [f"{name}-dev-price", f"{name}-dev-price-tune"]
    assert functions(aws, name) == [f"{name}-dev-price"] and len(groups(aws, name)) == 1


def left(deployed):
    """Leave a copy, as a process that died does."""
    aws = deployed.notebook.connect()
    ref = deployed.notebook.project().app.ref(aws, "price")
    block = tuning.copied(aws, ref)
    block.__enter__()
    return block


def test_a_copy_that_was_left_is_found_by_delete_and_replaced_by_the_next_try(deployed, name, aws):
    kept = left(deployed)
    assert len(deployed("%chalice tune price --message 5 --sizes 128 --runs 2").sizes) == 1
    assert functions(aws, name) == [f"{name}-dev-price"]
    again = left(deployed)
    assert "price-tune" in str(deployed("%chalice status"))
    deployed("%chalice delete --yes")
    assert functions(aws, name) == [] and groups(aws, name) == []
    for block in (kept, again):
        block.gen.close()


@pytest.mark.parametrize("stands", ["all", "group"])
def test_delete_of_the_handler_takes_a_copy_that_was_left(deployed, name, aws, stands):
    deployed(CELL.format(name=name).replace("price", "other"))
    deployed("%chalice deploy")
    kept = left(deployed)
    if stands == "group":
        aws("lambda").delete_function(FunctionName=f"{name}-dev-price-tune")
    deployed("%chalice delete price --yes")
    assert functions(aws, name) == [f"{name}-dev-other"] and groups(aws, name) == [f"/aws/lambda/{name}-dev-other"]
    kept.gen.close()


def test_delete_of_the_handler_leaves_a_handler_of_the_copy_s_name(deployed, name, aws):
    deployed(CELL.format(name=name).replace("--memory", "--name price-tune --memory").replace("def price", "def taste"))
    deployed("%chalice deploy")
    deployed("%chalice delete price --yes")
    assert functions(aws, name) == [f"{name}-dev-price-tune"]
    aws("lambda").delete_function(FunctionName=f"{name}-dev-price-tune")
    deployed("%chalice delete price --yes")
    assert groups(aws, name) == [f"/aws/lambda/{name}-dev-price-tune"]


def test_a_handler_of_that_name_is_left_alone(deployed, name, aws):
    copy = {
        "Runtime": "python3.12",
        "Role": aws("lambda").get_function_configuration(FunctionName=f"{name}-dev-price")["Role"],
        "Handler": "x.y",
        "Code": {"ZipFile": tuning.download(aws("lambda"), f"{name}-dev-price", "$LATEST")},
    }
    aws("lambda").create_function(FunctionName=f"{name}-dev-price-tune", **copy)
    with pytest.raises(InvalidInputError, match="function .* is none that tune made"):
        deployed("%chalice tune price --message 5 --sizes 128")
    assert f"{name}-dev-price-tune" in functions(aws, name)


def test_the_log_of_a_handler_of_that_name_is_left_alone(deployed, name, aws):
    aws("logs").create_log_group(logGroupName=f"/aws/lambda/{name}-dev-price-tune")
    with pytest.raises(InvalidInputError, match="log group .* is none that tune made"):
        deployed("%chalice tune price --message 5 --sizes 128")
    assert f"/aws/lambda/{name}-dev-price-tune" in groups(aws, name)


def test_what_is_tried_is_not_recorded_among_the_events_that_came(run, name):
    run(CELL.format(name=name).replace("--memory", "--record 2 --memory"))
    run("%chalice deploy")
    sent = run("%chalice send price --message 7")
    assert [one.id for one in run("%chalice events price")] == [sent.message_id]
    tuned = run("%chalice tune price --message 5 --sizes 128 --runs 2")
    assert tuned.sizes[0].ok and "the copy keeps no events: with --record the function takes more" in tuned.text
    assert [one.id for one in run("%chalice events price")] == [sent.message_id]


def test_it_is_said_that_the_notebook_has_another_code(deployed, name):
    deployed(CELL.format(name=name).replace("costs", "is"))
    card = deployed("%chalice tune price --message 5 --sizes 128 --runs 2")
    assert "price was changed since it was deployed" in card.text


@pytest.mark.parametrize("sizes", ["64", "a", "", "128;256", "20000", ",".join(str(128 + n) for n in range(13))])
def test_sizes_that_no_function_has_are_refused_before_any_call(deployed, sizes):
    with pytest.raises(InvalidInputError):
        deployed(f"%chalice tune price --message 5 --sizes '{sizes}'")


def test_what_does_not_stand_is_told(run, name):
    run(CELL.format(name=name))
    with pytest.raises(AWSError, match="not deployed"):
        run("%chalice tune price --message 5 --sizes 128")


def test_in_a_shell(local_aws, tmp_path, capsys):
    own = f"t{uuid.uuid4().hex[:8]}"
    path = tmp_path / "shop.ipynb"
    write(path, [f"%load_ext nbchalice\n%chalice app {own}", CELL.format(name=own)])
    assert code_of(["deploy", str(path), "--json"]) == 0
    capsys.readouterr()
    assert code_of(["tune", str(path), "price", "--message", "5", "--sizes", "128", "--runs", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sizes"][0]["memory_mb"] == 128 and told["fastest_mb"] == 128 and told["memory_mb"] == 256
    assert code_of(["delete", str(path), "--yes"]) == 0


def at(size, *durations, init=90.0):
    price = price_in("us-east-1", "arm64")
    more = {"memory_mb": size, "max_memory_mb": 70}
    runs = [Invocation("r", "f", "ok", duration_ms=d, billed_ms=d, **more) for d in durations]
    return AtSize(
        size, (Invocation("r", "f", "ok", duration_ms=900.0, billed_ms=900.0, init_ms=init, **more), *runs), price
    )


def test_the_duration_is_the_median_of_the_warm_runs_and_bars_are_as_wide_as_that():
    sizes = [at(128, 100.0, 110.0, 400.0), at(512, 20.0, 22.0, 21.0)]
    assert [one.duration_ms for one in sizes] == [110.0, 21.0] and sizes[0].init_ms == 90.0
    card = TuneCard("price", sizes, runs=4, event="tea", standing=128)
    assert card.fastest is sizes[1] and card.cheapest is sizes[1]
    assert (
        "fastest, cheapest" in card.text
        and "deployed" in card.text
        and "0.34 USD" in card.text
        and "$" not in card.html
    )
    assert "width:7.00em" in card.html and "width:1.34em" in card.html
