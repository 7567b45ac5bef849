"""Ctrl-C: a command ends with KeyboardInterrupt and says what was done and what was not; a stream just ends."""

import os
import signal
import threading

import pytest

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


def test_a_handler_that_is_stopped_here_names_the_line_that_ran(run, local_aws):
    run("import os, signal")
    run("%%lambda_function\ndef price(event, context):\n    os.kill(os.getpid(), signal.SIGINT)\n    while True: pass")
    result = run.shell.run_cell("%chalice invoke price --here", store_history=True)
    assert shown(result.error_in_exec).startswith(
        "KeyboardInterrupt: price was stopped while it ran here\n  at cell 4, line "
    )
