"""A line that is longer than an event of a log may be: it comes in several, and nothing of it is lost."""

import pytest

from nbchalice.aws.target import connect
from nbchalice.logs.tail import recent

from ..log_groups import read_lines

MB = 1024 * 1024
MOST = 256 * 1024  # bytes of an event
PRINTING = "import sys\ndef handler(event, context):\n    {write}\n    print('after')\n"
WRITE = {
    "print": "print({line})",
    "without an end": "sys.stdout.write({line}); sys.stdout.flush()",
    "in two parts": "print({line}[:1000], end=''); print({line}[1000:])",
    "to stderr": "print({line}, file=sys.stderr)",
    "logging": "import logging; logging.getLogger().setLevel('INFO'); logging.getLogger().info({line})",
}
LINES = {"ASCII": "'0123456789' * 115_344", "other letters": "'ü€😀z' * 115_344"}


@pytest.mark.table("ways to write a line of 1.1 MB")
@pytest.mark.parametrize("letters", LINES)
@pytest.mark.parametrize("way", WRITE)
def test_nothing_of_a_long_line_is_lost(way, letters, functions, aws, eventually):
    line = f"'begin ' + {LINES[letters]} + ' end'"
    text = eval(line)
    assert len(text.encode()) > 1.09 * MB
    name = functions.make(PRINTING.format(write=WRITE[way].format(line=f"({line})")))
    failed, _, _ = functions.invoke(name)
    assert not failed
    events = eventually(lambda: read_lines(aws("logs"), name) if "REPORT" in str(read_lines(aws("logs"), name)) else ())
    assert max(len(event.encode()) for event in events) <= MOST
    assert text + "after" in "".join(events)
    [invocation] = recent(connect("local"), name)
    assert invocation.status == "ok"
    assert text + "after" in "".join(record.message for record in invocation.records)
