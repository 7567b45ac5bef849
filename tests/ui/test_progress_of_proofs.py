"""A proof that takes long says in one line how far it is, where a deploy shows its progress."""

import io
import sys
import threading

import pytest

from nbchalice.notebook.capture import ticking
from nbchalice.notebook_file import read_project
from nbchalice.ui.render.progress import CardWatch, ShellWatch

from .test_proof import H
from .test_registrations import write

pytestmark = pytest.mark.slow

CELLS = ["import gc\nX = [1]", "gc.is_tracked(X)\nexec('X.append(2)')", f"{H}X"]
LINE = "h: looking for the statements that it needs, run "


def told_by(tmp_path):
    told = []
    project = read_project(write(tmp_path / "n.ipynb", CELLS))
    project.tell = told.append
    project.verify(project.handlers[0])
    return told


def test_it_tells_until_it_has_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(ticking, "EVERY", 0.0005)
    *lines, last = told_by(tmp_path)
    assert last == "" and lines and all(line.startswith(LINE) for line in lines)
    assert any(line.endswith("statement tried") or line.endswith("statements tried") for line in lines)


def test_what_is_quick_tells_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(ticking, "EVERY", 600)
    assert told_by(tmp_path) == []


def test_ctrl_c_while_it_begins_ends_it(monkeypatch):
    class Stopped(threading.Thread):
        def start(self):
            super().start()
            raise KeyboardInterrupt

    monkeypatch.setattr(ticking.threading, "Thread", Stopped)
    with pytest.raises(KeyboardInterrupt), ticking.ticking(str, print):
        pass
    assert "nbchalice-search" not in {thread.name for thread in threading.enumerate()}


def test_a_deploy_shows_it_and_takes_it_away(run, local_aws, monkeypatch, capsys):
    monkeypatch.setattr(ticking, "EVERY", 0.0005)
    for cell in CELLS:
        run(cell)
    capsys.readouterr()
    run("%chalice deploy")
    shown = capsys.readouterr().out
    assert LINE in shown and LINE not in shown.rpartition("deploying shop")[2]
    run("%chalice delete --yes")


def test_a_card_has_one_line_of_it():
    shown = []
    watch = CardWatch("deploying", shown.append)
    for text in (f"{LINE}1", f"{LINE}2", ""):
        watch.searching(text)
    assert [card.text for card in shown] == ["deploying", f"deploying\n  {LINE}1", f"deploying\n  {LINE}2", "deploying"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "written"), [(Terminal, "\rone\x1b[K\r\x1b[K\r"), (io.StringIO, "")])
def test_a_shell_writes_over_the_line_only_in_a_terminal(stream, written, monkeypatch):
    watch = ShellWatch("deploying")
    monkeypatch.setattr(sys, "stderr", stream())
    watch.searching("one")
    watch.searching("")
    assert sys.stderr.getvalue() == written
