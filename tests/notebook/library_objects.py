"""Objects of libraries and settings of a process, with everyday and doubtful ways to change them, as source text.

The tables in ``library_objects/`` have a section for each kind, with one snippet on a line. ``@`` stands for the
object's name::

    == deque
    read list(@)             an expression for all of the object, which JSON can hold
    make deque([1, 2])       an expression that makes one
    first random.seed(3)     a statement that goes before all others
    like steps               all the changes of another section
    @.append(1)              anything else is a statement that changes the object

A kind without a ``make`` is something that the process keeps.
"""

import importlib.util
import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).with_suffix("")


@dataclass
class Kind:
    """How objects of a kind are made and changed, and what tells all that they are."""

    read: str = ""
    makes: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def has(name):
    return importlib.util.find_spec(name) is not None


def named(text, name):
    """Put a name for the ``@`` of a snippet; that of a decorator stays."""
    return re.sub(r"@(?!\w)", lambda _: name, text)


def sections(file):
    """Give name and text of the sections of a table."""
    for section in re.split(r"^== ", (FOLDER / f"{file}.txt").read_text(), flags=re.MULTILINE)[1:]:
        name, _, text = section.partition("\n")
        yield name, text.strip("\n")


def add(kinds, name, text):
    """Add a section to the kinds."""
    kind = kinds.setdefault(name, Kind())
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "read":
            kind.read = rest
        elif word == "make":
            kind.makes.append(rest)
        elif word == "first":
            kind.first.append(rest)
        elif word == "like":
            kind.changes += kinds[rest].changes
        else:
            kind.changes.append(line)


TABLES = ["definitions", "iterators", "streams", "containers", "objects", "process"]
TABLES += ["numpy"] if has("numpy") else []
TABLES += ["pandas"] if has("numpy") and has("pandas") else []
IMPORTS = DEFINITIONS = ""
_kinds: dict[str, Kind] = {}
for _table in TABLES:
    for _name, _text in sections(_table):
        if _name == "imports":
            IMPORTS += f"{_text}\n"
        elif _name == "definitions":
            DEFINITIONS += f"{_text}\n"
        else:
            add(_kinds, _name, _text)

KINDS = {name: kind for name, kind in _kinds.items() if kind.makes}
SETTINGS = {name: kind for name, kind in _kinds.items() if kind.read and not kind.makes}
WAYS, METHOD_WAYS, INSTEAD = (text.split("\n\n") for _, text in sections("ways"))
