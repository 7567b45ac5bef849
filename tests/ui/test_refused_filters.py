"""A filter that AWS refuses is refused before anything is changed, with the cell, the line and AWS's reason."""

import json

import pytest

HANDLER = "def price(event):\n    print(event)"
WRONG = {
    "on_sns_message news --filter-policy": (
        "app.on_sns_message('news', filter_policy=PATTERN)",
        {"tea": [{"wildcard": "g*"}]},
        "tea: Unrecognized match type wildcard",
    ),
    "on_sqs_message orders --filter": (
        "app.on_sqs_message('orders', filter=PATTERN)",
        {"body": {"n": [{"numeric": [">", 5, "<", 1]}]}},
        "body.n: Bottom must be less than top",
    ),
    "on_cw_event": (
        "app.on_cw_event(PATTERN)",
        {"source": ["tea"], "detail": {"ip": [{"cidr": "10.0.0.0"}]}},
        "detail.ip: Malformed CIDR, one '/' required",
    ),
}


@pytest.mark.parametrize("line", WRONG)
def test_a_magic_is_refused_when_its_cell_is_run(run, line):
    _, pattern, reason = WRONG[line]
    run("%chalice app refusedfilters")
    error = run.error(f"%%{line} '{json.dumps(pattern)}'\n{HANDLER}")
    assert reason in error.message and "cell" in str(error), error.location


@pytest.mark.parametrize("line", WRONG)
def test_a_decorator_is_refused_by_the_deploy_before_anything_is_changed(run, aws, line):
    call, pattern, reason = WRONG[line]
    run("%chalice app refusedfilters")
    run(f"PATTERN = {pattern!r}\n@{call}\n{HANDLER}")
    error = run.error("%chalice deploy")
    assert reason in error.message and "line" in str(error.location), (error.message, error.location)
    names = [function["FunctionName"] for function in aws("lambda").list_functions()["Functions"]]
    assert not [name for name in names if name.startswith("refusedfilters-")]
