import contextlib
import io
import logging

from nbchalice import Chalice


def test_a_notebook_shows_each_record_once_though_cells_are_run_again(app, capsys):
    for _ in range(3):
        again = Chalice("shop")
    again.log.info("hello %s", "you")
    captured = capsys.readouterr()
    assert captured.out == "shop - INFO - hello you\n"
    assert captured.err == ""


def test_debug_records_need_debug(app, capsys):
    app.log.debug("one")
    app.debug = True
    app.log.debug("two")
    assert app.debug is True
    app.debug = False
    app.log.debug("three")
    assert capsys.readouterr().out == "shop - DEBUG - two\n"
    assert Chalice("shop", debug=True).log.level == logging.DEBUG


def test_records_go_to_the_stdout_of_the_moment(app):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        app.log.warning("here")
    assert out.getvalue() == "shop - WARNING - here\n"


def test_logs_can_be_left_unconfigured():
    app = Chalice("untouched", configure_logs=False)
    assert (app.log.level, app.log.handlers, app.log.propagate) == (logging.NOTSET, [], True)


def test_the_environments_level_counts(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "WARN")
    app = Chalice("leveled", debug=False)
    assert app.log.level == logging.WARNING
    app.log.handlers.clear()


def test_a_handler_of_the_users_own_is_kept(capsys):
    kept = io.StringIO()
    log = logging.getLogger("kept")
    log.addHandler(logging.StreamHandler(kept))
    Chalice("kept").log.info("both")
    assert (kept.getvalue(), capsys.readouterr().out) == ("both\n", "kept - INFO - both\n")
    log.handlers.clear()
