"""What loading a handler's code takes of its memory is told before a deploy, and in the log where it was too much."""

import re

import pytest

from nbchalice.handlers.memory import memory_note

pytestmark = pytest.mark.slow
NEEDS = r"h: loading its code takes about (19\d|2[01]\d) of 128 MB, where Lambda ends it before the handler begins; set --memory (256|320)"


@pytest.mark.parametrize(
    ("loaded", "size", "said"),
    [
        (0, 128, ""),
        (60, 128, ""),
        (80, 128, "loading its code takes about 120 of 128 MB; set --memory 192"),
        (110, 128, "about 150 of 128 MB, where Lambda ends it before the handler begins; set --memory 192"),
        (110, 256, ""),
        (400, 256, "set --memory 576"),
    ],
)
def test_a_share_is_told_from_nine_tenths_on(loaded, size, said):
    note = memory_note(loaded, size)
    assert said in note and bool(said) == bool(note)


@pytest.mark.local_aws
def test_plan_says_it_and_so_does_what_became_of_an_event(run, local_aws):
    run("DATA = b'x' * (150 << 20)")
    # It is looked at now and then how much a process has: this one does not end before.
    run("%%lambda_function\ndef h(event, context):\n    while DATA:\n        pass")
    planned = run("%chalice plan")
    assert any(re.fullmatch(NEEDS, note) for note in planned.plan.notes), planned.plan.notes
    run("%chalice deploy")
    failed = run("%chalice send h --message {}")
    assert "memory: Lambda ended the function at 128 MB; set --memory 320" in str(failed)
    assert "signal: killed" in str(failed)
    run("%%lambda_function --memory 256\ndef h(event, context):\n    return len(DATA)")
    assert not any("loading its code" in note for note in run("%chalice plan").plan.notes)
    run("%chalice deploy")
    assert run("%chalice send h --message {}").status == "done"
    run("%chalice delete --yes")


@pytest.mark.local_aws
@pytest.mark.parametrize("ending", ["return len(x)", "raise ValueError(len(x))", "return {'batchItemFailures': []}"])
def test_what_answers_before_anybody_looks_was_ended_all_the_same(run, local_aws, ending):
    run(
        f"%%on_sqs_message memory-{len(ending)} --report-failures\ndef h(event):\n    x = b'x' * (150 << 20)\n    {ending}"
    )
    run("%chalice deploy")
    for text in (str(run("%chalice send h --message x")), str(run("%chalice logs h"))):
        assert "Runtime exited with error: signal: killed" in text and "ValueError" not in text.splitlines()[0]
        assert "memory: Lambda ended the function at 128 MB; set --memory 320" in text
        assert "RequestId" not in text
    run("%chalice delete --yes")
