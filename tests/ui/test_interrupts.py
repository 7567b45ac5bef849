"""Ctrl-C: a command ends with KeyboardInterrupt and says what was done and what was not; a stream just ends."""

import os
import signal
import threading

import pytest

from nbchalice.errors import InvalidInputError

HANDLER = """%%on_sqs_message {queue}
def price(event):
    for record in event:
        print("costs", record.body)
"""


@pytest.fixture
def interrupted_at(run, local_aws):
    """``interrupted_at("lambda", "CreateFunction", cell)``: a cell's error, with Ctrl-C at the first such call."""

    def wait(service, operation, cell):
        meta = run.notebook.connect().client(service).meta
        name = f"before-call.{meta.service_model.service_id.hyphenize()}.{operation}"
        once = threading.Lock()

        def press(**_):
            if once.acquire(blocking=False):
                os.kill(os.getpid(), signal.SIGINT)

        meta.events.register(name, press)
        try:
            result = run.shell.run_cell(cell, store_history=True)
        finally:
            meta.events.unregister(name, press)
        assert once.locked()
        return result.error_in_exec

    return wait


def shown(error):
    assert isinstance(error, KeyboardInterrupt)
    assert not isinstance(error, Exception), "handlers of errors must not take it"
    return "\n".join(error._render_traceback_())


def test_a_deploy_says_what_was_done_and_goes_on_when_it_is_run_again(run, interrupted_at):
    run("%chalice app stopped")
    run(HANDLER.format(queue="stopped-orders"))
    before = shown(interrupted_at("iam", "ListRoles", "%chalice deploy"))
    assert before == "KeyboardInterrupt: stopped before the first change; nothing was changed"
    half = shown(interrupted_at("lambda", "CreateFunction", "%chalice deploy"))
    assert half.startswith("KeyboardInterrupt: stopped\n  done: ")
    assert "create function stopped-dev-price" in half.partition("not done")[0]
    assert "not done: create event source mapping stopped-orders -> stopped-dev-price" in half
    assert "running it again is safe" in half
    kinds = {change.resource.kind for change in run("%chalice deploy").changes}
    assert "function" not in kinds and "event source mapping" in kinds

    assert "%chalice status was stopped" in shown(interrupted_at("iam", "ListRoles", "%chalice status"))
    assert interrupted_at("logs", "FilterLogEvents", "%chalice logs price --follow") is None


def is_taken_by_lambda(run, name):
    client = run.notebook.connect().client("lambda")
    (mapping,) = client.list_event_source_mappings(FunctionName=f"{name}-dev-price")["EventSourceMappings"]
    return mapping["State"] == "Enabled"


@pytest.mark.parametrize(
    "start", ["%chalice live price", "from nbchalice.ui.widgets.live import live_viewer\nlive_viewer(ui, 'price')"]
)
def test_live_mode_that_is_stopped_while_it_begins_puts_the_trigger_back(run, interrupted_at, start):
    run("%chalice app halted")
    run(HANDLER.format(queue="halted-orders"))
    run("%chalice deploy")
    run.shell.user_ns["ui"] = run.notebook
    stopped = interrupted_at("lambda", "UpdateEventSourceMapping", start)
    assert stopped is None if start.startswith("%") else isinstance(stopped, KeyboardInterrupt)
    assert is_taken_by_lambda(run, "halted")
    queues = run.notebook.connect().client("sqs").list_queues().get("QueueUrls", [])
    assert [url.rpartition("/")[2] for url in queues if "halted" in url] == ["halted-orders"]
    with pytest.raises(InvalidInputError, match="price is not live in this kernel"):
        run("%chalice live price --stop")


def test_a_handler_that_is_stopped_here_names_the_line_that_ran(run, local_aws):
    run("import os, signal")
    run("%%lambda_function\ndef price(event, context):\n    os.kill(os.getpid(), signal.SIGINT)\n    while True: pass")
    result = run.shell.run_cell("%chalice invoke price --here", store_history=True)
    assert shown(result.error_in_exec).startswith(
        "KeyboardInterrupt: price was stopped while it ran here\n  at cell 4, line "
    )
