"""What all panels share: a widget with a readable form beside it, and work in threads, one at a time."""

from __future__ import annotations

import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets

from nbchalice.aws.errors import explain
from nbchalice.errors import NbChaliceError
from nbchalice.notebook.sandbox.values import carrying
from nbchalice.typed import JSON
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card, Result

STATIC = Path(__file__).parent / "static"
WIDGET = "application/vnd.jupyter.widget-view+json"


def static(name: str) -> str:
    """Return a file that goes to the page."""
    return (STATIC / name).read_text(encoding="utf-8")


class Jumps(anywidget.AnyWidget):
    """Shows nothing, and makes links of the cells that tracebacks on its page name, where the page is a notebook."""

    _esm = static("jump.js") + "export default { render: ({ model, el }) => enableJumps(model, el) };"
    _css = static("panels.css")


# An output of JupyterLab and Notebook 7; the widget in it, as long as it lives. A notebook that was opened again has an
# error text in its place, and after a restart of the kernel a view without a link.
OUTPUT, SHOWN, CUT_OFF = ".jp-OutputArea-child", "nbchalice-shown", ".jupyter-widgets-disconnected"


def kept_style(mark: str) -> str:
    """Return the style by which either a living widget is seen, or what is kept in the output below it.

    Parameters
    ----------
    mark : str
        The class of what is kept.
    """
    living = f".{SHOWN}:not({CUT_OFF})"
    return (
        f"{OUTPUT}:has({living}) + {OUTPUT} .{mark}{{display:none}}"
        f"{OUTPUT}:has(.{SHOWN}{CUT_OFF}) + {OUTPUT} .{mark}{{display:block !important}}"
        f"{OUTPUT}:has(+ {OUTPUT} .{mark}) > .jp-OutputArea-output:not(:has({living})){{display:none}}"
    )


class Panel(ABC):
    """A widget for front ends, and a card for terminals, GitHub, exports, and notebooks that are opened again.

    The widget is an output of its own. Below it stands the card, and later what is given to `keep`; it is hidden for as
    long as the widget lives.

    Parameters
    ----------
    fallback : Card
        What is shown where there are no widgets.
    watched : bool
        Whether there is a front end that shows widgets.
    """

    def __init__(self, fallback: Card, watched: bool = True) -> None:
        self.fallback = fallback
        self._watched = watched
        self._mark = f"nbchalice-kept-{uuid.uuid4().hex[:12]}"
        self._kept: Any = None
        self._latest: Result = fallback
        self._keeping = threading.Lock()

    @property
    @abstractmethod
    def view(self) -> widgets.Widget:
        """The widget."""

    def helpers(self) -> tuple[widgets.Widget, ...]:
        """Return what the panel holds unseen: it hides what is kept, and lets the cells of tracebacks be jumped to."""
        unseen = widgets.Layout(display="none")
        return widgets.HTML(f"<style>.{self._mark}{{display:none}}</style>", layout=unseen), Jumps(layout=unseen)

    def keep(self, card: Result) -> None:
        """Keep a result (anything with text and HTML) in the notebook's file, from the moment the panel is shown."""
        with self._keeping:
            self._latest = card
            if self._kept is not None:
                self._kept.update(self._marked(card._repr_mimebundle_()), raw=True)

    def _marked(self, bundle: Mapping[str, str]) -> dict[str, str]:
        style = html.tag("style", kept_style(self._mark)) if self._watched else ""
        return {
            "text/plain": bundle["text/plain"],
            "text/html": style + html.tag("div", bundle.get("text/html", ""), class_=self._mark),
        }

    def to_dict(self) -> object:
        """Return what the card holds."""
        return self.fallback.to_dict()

    def __repr__(self) -> str:
        return self.fallback.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> JSON:
        return self.fallback._repr_mimebundle_()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if self._watched:
            shown = widgets.VBox([self.view])
            shown.add_class(SHOWN)
            display(
                {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": shown.model_id}, "text/plain": ""},
                raw=True,
            )
        with self._keeping:  # A thread may have had something to keep before there was anything to update.
            self._kept = display(self._marked(self._latest._repr_mimebundle_()), raw=True, display_id=True)


class Worker:
    """Runs one job at a time in a thread; what is asked for meanwhile is ignored.

    Callbacks of widgets run on the kernel's own threads, and an error in them is seen by nobody.

    Parameters
    ----------
    on_error : Callable[[NbChaliceError], None]
        Takes an error that a job raised.
    """

    def __init__(self, on_error: Callable[[NbChaliceError], None]) -> None:
        self._on_error = on_error
        self._busy = threading.Lock()
        self._button = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._busy.locked()

    def start(self, job: Callable[[], None], shown: Busy | None = None) -> bool:
        """Run a job, and show that it runs; return False where another one still runs."""
        if not self._busy.acquire(blocking=False):
            return False
        run = carrying(self._run)
        self._thread = threading.Thread(target=run, args=(job, shown), name="nbchalice-panel", daemon=True)
        self._thread.start()
        return True

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the job to end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, job: Callable[[], None], shown: Busy | None) -> None:
        try:
            if shown:
                with self._button:
                    shown.begin()
            job()
        except NbChaliceError as error:
            self._on_error(error)
        except Exception as error:
            self._on_error(explain(error, "the panel's work"))
        finally:
            with self._button:  # The next click counts once the button says so, and says so only after this.
                self._busy.release()
                if shown:
                    shown.end()


class Busy:
    """Shows on a button that its work is going on; the button stays enabled, so that it keeps the focus."""

    def __init__(self, button: widgets.Button, text: str) -> None:
        self._button, self._text = button, text
        self._idle = button.idle

    def begin(self) -> None:
        """Show the busy text."""
        self._button.description = self._text
        self._button.add_class("nbchalice-busy")

    def end(self) -> None:
        """Show the button's own text."""
        self._button.description = self._idle
        self._button.remove_class("nbchalice-busy")


def button(text: str, on_click: Callable[[], object], help: str = "", kind: str = "") -> widgets.Button:
    """Return a button; `on_click` is to start work, not to do it."""
    widget = widgets.Button(
        description=text, tooltip=help, button_style=kind, layout=widgets.Layout(width="auto", flex="0 0 auto")
    )
    widget.idle = text
    widget.on_click(lambda _: on_click())
    return widget


def row(*items: widgets.Widget, **layout: str) -> widgets.HBox:
    """Return widgets side by side, in several lines where there is little room."""
    settings = {"flex_flow": "row wrap", "align_items": "center", "overflow": "visible", **layout}
    return widgets.HBox(items, layout=widgets.Layout(**settings))


def area() -> widgets.HTML:
    """Return an empty place for HTML."""
    return widgets.HTML(layout=widgets.Layout(margin="0", overflow="visible"))


def status_html(text: str, kind: str = "", detail: str = "") -> str:
    """Return a line that screen readers tell when it changes."""
    more = html.text(f" · {detail}", "muted") if detail else ""
    return html.tag("div", html.tag("b", html.text(text, kind)), more, role="status", **{"aria-live": "polite"})


def error_html(error: NbChaliceError) -> str:
    """Return an error with its place and hint."""
    first, *rest = error.lines()
    lines = html.tag("pre", html.text("\n".join(rest)), style="margin:0;white-space:pre-wrap") if rest else ""
    return html.tag("div", html.tag("b", html.text(first, "bad")), lines, role="alert")


def frame(*items: widgets.Widget) -> widgets.VBox:
    """Return widgets in a frame, as cards have it."""
    layout = widgets.Layout(
        border=f"1px solid {html.BORDER}", padding="6px 10px", margin="2px 0", max_width="60em", overflow="visible"
    )
    box = widgets.VBox(items, layout=layout)
    box.add_class("nbchalice-panel")
    return box


def title(text: str, badge: str) -> widgets.HTML:
    """Return the head of a panel, with where it works."""
    mark = html.tag("span", html.text(badge, "muted"), style="margin-left:1em")
    return widgets.HTML(html.tag("div", html.tag("b", html.text(text)), mark), layout=widgets.Layout(margin="0"))
