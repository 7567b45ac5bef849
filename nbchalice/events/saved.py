"""Named events, kept as small JSON files beside the notebook, to be shared by git."""

from __future__ import annotations

import json
import re
from pathlib import Path

from nbchalice.errors import InvalidInputError
from nbchalice.files import replace_file, unwritable
from nbchalice.text import listing
from nbchalice.typed import JSON, Values

FOLDER = Path(".nbchalice") / "events"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")


class SavedEvents:
    """The named events of one handler: ``.nbchalice/events/<handler>/<name>.json``.

    Parameters
    ----------
    folder : Path
        The notebook's folder.
    handler : str
        The handler's name.
    """

    def __init__(self, folder: Path, handler: str) -> None:
        self.folder = folder / FOLDER / handler

    def names(self) -> list[str]:
        """Return the names, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.json") if NAME.fullmatch(path.stem))

    def load(self, name: str) -> JSON:
        """Return the values of a form, as they were saved.

        Raises
        ------
        InvalidInputError
            There is no such event, or its file cannot be read.
        """
        path = self._path(name)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = self.names()
            raise InvalidInputError(
                f"there is no saved event {name!r}", listing(known) if known else f"save one as {path}"
            ) from None
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{path} cannot be read: {error}", "correct or remove the file") from None
        if not isinstance(values, dict):
            raise InvalidInputError(f"{path} holds no JSON object", "its keys are the fields of the form")
        return values

    def save(self, name: str, values: Values) -> Path:
        """Keep a form's values under a name, in place of an earlier event of this name; return the file.

        Raises
        ------
        InvalidInputError
            The name cannot be a file's, or the file cannot be written.
        """
        path = self._path(name)
        try:
            text = json.dumps(dict(values), indent=2, ensure_ascii=False) + "\n"
            replace_file(path, text.encode())
        except OSError as error:
            raise unwritable(path, error, "--save") from None
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"{path} cannot be written: {error}", "save what JSON has a form for") from None
        return path

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise InvalidInputError(
                f"{name!r} cannot name an event", "use up to 80 letters, digits, blanks, dots, - and _"
            )
        return self.folder / f"{name}.json"
