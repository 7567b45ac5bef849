"""Files are written in one step, and each fact about files, names and processes has one home."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nbchalice
from nbchalice.aws.local.client.process import process_exists
from nbchalice.files import kept, replace_file
from nbchalice.text import near, nearest

ROOT = Path(nbchalice.__file__).parent


def test_a_file_is_replaced_with_the_permissions_that_the_user_gives_new_files(tmp_path):
    path = tmp_path / "made" / "events.json"
    replace_file(path, b"one")
    before = os.umask(0o027)
    try:
        replace_file(path, b"two")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"two" and path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]


def test_what_was_kept_before_the_clock_was_set_back_is_older(tmp_path, monkeypatch):
    """Else what was just made would be the first to go, and be made again each time."""
    monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path))
    for number in range(70):
        kept("answers", [str(number)], lambda: b"x")
    for file in (tmp_path / "answers").iterdir():
        os.utime(file, (time.time() + 3600,) * 2)
    assert kept("answers", ["new"], lambda: b"made") == b"made"
    assert kept("answers", ["new"], lambda: b"made again") == b"made"


def test_what_stood_there_stays_when_the_disk_is_full(tmp_path):
    path = tmp_path / "index.json"
    path.write_bytes(b"old")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            replace_file(path, b"x" * 4096)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_process_that_ended_is_gone_though_its_parent_has_not_noticed():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_exists(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process_exists(child.pid)
    child.communicate()
    assert not process_exists(0) and not process_exists(-1)


@pytest.mark.parametrize(
    ("name", "known", "text"),
    [
        ("tiemout", ["timeout", "memory"], "did you mean timeout?"),
        ("s3:ObjectCreated", ["s3:ObjectCreated:*"], "did you mean s3:ObjectCreated:*?"),
        ("x", ["timeout", "memory"], "there are timeout and memory"),
    ],
)
def test_the_name_that_was_probably_meant(name, known, text):
    assert near(name, iter(known)) == text
    assert nearest(name, iter(known)) == (text[13:-1] if "mean" in text else None)
    assert near("x", known, "run the cell that makes it") == "run the cell that makes it"


HOMES = {
    "the log group of a function": (r"/aws/lambda/\{", "resources/log_group.py"),
    "which letters a name may have": (r"may have letters, digits|\[\^(A-Za-z0-9_-|\{[A-Z])", "names.py"),
    "whether a process runs": (r"os\.kill\(\w+, 0\)", "aws/local/client/process.py"),
    "where uv is": (r"find_uv_bin", "packaging/uvtool.py"),
    "where the cache folder is": (r"user_cache_(path|dir)", "files.py"),
    "writing in one step": (r"\b(partial|temporary)\)?\.replace\(", "files.py"),
    "what is near a name": (r"get_close_matches", "text.py"),
    "one message, two messages": (r"else ['\"]s['\"]|noun \+ ['\"]s['\"]", "text.py"),
    "what holds a lock": (r"fcntl\.flock", "resources/locks.py"),
}
# The server of the local AWS has no nbchalice beside it, and neither has a function on Lambda.
APART = ("aws/local/server/", "aws/local/shared/", "aws/local/worker/", "runtime/")


@pytest.mark.parametrize("fact", HOMES)
def test_a_fact_has_one_home(fact):
    pattern, home = HOMES[fact]
    found = [
        name
        for path in sorted(ROOT.rglob("*.py"))
        if not (name := path.relative_to(ROOT).as_posix()).startswith(APART)
        and re.search(pattern, path.read_text(), re.MULTILINE)
    ]
    assert found == [home]
