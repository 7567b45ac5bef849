"""The app of a notebook's file, for tests of its handlers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbchalice.runtime.app import Chalice


def notebook_app(path: str | Path, stage: str = "dev") -> Chalice:
    """Return the app of a notebook's file, with each handler as it would be deployed, in this process.

    The cells are read and not executed: what a handler needs of them is, as you, when it is loaded.

    Parameters
    ----------
    path : str or Path
        The ``.ipynb``, as it was saved.
    stage : str
        Stage of the app. Default: ``dev``.

    Returns
    -------
    The app, for `Client`.

    Raises
    ------
    NbChaliceError
        The notebook cannot be read, or something in it is wrong.

    Examples
    --------
    >>> with Client(notebook_app("shop.ipynb")) as client:
    ...     client.lambda_.invoke("price", client.events.generate_sqs_event(["5"])).payload
    """
    from nbchalice.deploy.check import raise_all
    from nbchalice.notebook_file import read_project
    from nbchalice.runtime.app import Chalice

    project = read_project(Path(path), stage)
    raise_all(project.wrong)
    app = Chalice(project.name)
    app.handlers.update({handler.name: project.function(handler) for handler in project.handlers})
    return app
