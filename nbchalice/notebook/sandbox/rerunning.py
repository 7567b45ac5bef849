"""The worker's side of a rerun: the notebook's statements from the top, one after the other, whatever becomes of each.

A statement that fails here taints the names that it would have bound or changed, and what is made of them later: of
these it is not known what they are when the notebook runs where its files are.
"""

from __future__ import annotations
import __future__

import ast
import linecache
import re
import signal
import sys
import time
import types
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from nbchalice.notebook.sandbox.kernel_names import CellsChangedError, is_shell, put_kernel_names
from nbchalice.notebook.sandbox.reads import OF_THIS_COMPUTER
from nbchalice.notebook.sandbox.showing import show
from nbchalice.notebook.sandbox.unpatched import UNPATCHED

_REAL_SECONDS = 20.0
_AT_MOST = 500
_REACHES_ALL = frozenset({"exec", "eval", "globals", "locals", "vars", "setattr", "__import__", "get_ipython"})
"""What may change variables that the statement does not name."""
_WORD = re.compile(r"[A-Za-z_]\w*")
_UNCHANGING = (int, float, complex, str, bytes, type(None), type, types.ModuleType, types.FunctionType)


class OverError(BaseException):
    """The time is over."""


def rerun(request: dict[str, Any]) -> dict[str, Any]:
    """Run the statements of a notebook, as far as it goes, and describe variables.

    Parameters
    ----------
    request : dict[str, Any]
        ``statements``, ``sources`` (cells' texts by label), ``notebook``, ``bundles``, ``names`` to describe with
        ``imported``, names to ``watch``, and the ``seconds`` of processor time.
    """
    from nbchalice.notebook.sandbox.reads import reads

    run = _Rerun(request)
    with reads() as read:
        statements = request["statements"]
        for statement, after in zip_longest(statements, statements[1:]):
            run.statement(statement, is_last=after is None or after["cell"] != statement["cell"])
            if run.missing:
                return {"missing": run.missing}
    return {**run.answer(), "read": sorted(read)}


class _Rerun:
    """The notebook as it runs.

    Attributes: ``tainted`` has the names that are not known, each with the reason; ``changed`` the positions of the
    statements after which a watched name was another.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        from nbchalice.notebook.sandbox import values
        from nbchalice.runtime import bundles

        self._values = values
        vars(bundles)["load_bundle"] = self._bundle
        self._request, self._flags = request, 0
        self._end, self._cpu = time.monotonic() + _REAL_SECONDS, float(request["seconds"])
        self.tainted: dict[str, str] = {}
        self.missing = ""
        """Why nothing is known of what follows."""
        self.watched: dict[str, Any] = {}
        self.changed: dict[str, list[int]] = {name: [] for name in request["watch"]}
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self._space = vars(module)
        put_kernel_names(self._space, [told["text"] for told in request["statements"]])
        for label, text in request["sources"].items():
            lines = [line + "\n" for line in text.split("\n")]
            linecache.cache[self._file(label)] = (len(text), None, lines, self._file(label))
        UNPATCHED.hold()

    def _bundle(self, name: str) -> object:
        """Return what stands for ``%chalice bundle NAME``: the notebook's own value, if it is what was bundled."""
        from nbchalice.runtime.bundles import BundleError, load_entry

        if name not in self._request["bundles"]:
            raise BundleError(f"the bundle {name!r} was not made here, or not by you")
        loaded = load_entry(name, self._request["bundles"][name], Path())
        known = name in self._space and name not in self.tainted
        same = known and not self._values.differ(
            self._values.describe(self._space[name]), self._values.describe(loaded)
        )
        return self._space[name] if same else loaded

    def _file(self, cell: str) -> str:
        return f"{self._request['notebook']}#{cell}"

    def statement(self, told: dict[str, Any], *, is_last: bool) -> None:
        """Run a statement, perhaps the last of its cell; note what is not known after it, and what it changed."""
        binds, uses = set(told["binds"]), set(told["uses"])
        self._list_cell(told["cell"])
        reached = self._reached(uses | (set(_WORD.findall(told["text"])) if uses & _REACHES_ALL else set()))
        dirty = [name for name in self.tainted if name in reached]  # as they were tainted: the first is the cause
        near = (uses | set(told["touches"])) - binds
        before = {name: self._node(name) for name in near if dirty and self._may_change(name)}
        failure = self._run(told, is_last)
        if failure is not None:
            failure = self.tainted[dirty[0]] if dirty else failure
            may = {name for name in near if self._may_change(name)}
            all_of_them = uses & _REACHES_ALL or any(is_shell(self._space.get(name)) for name in uses)
            for name in binds | (self._known() if all_of_them else may):
                self.tainted.setdefault(name, failure)
        elif dirty:
            reason = self.tainted[dirty[0]]
            touched = {name for name, node in before.items() if name in told["touches"] or self._node(name) != node}
            self.tainted |= dict.fromkeys(binds | touched, reason)
        else:
            for name in told["defines"]:
                self.tainted.pop(name, None)
        self._look(told["position"])

    def _list_cell(self, label: str) -> None:
        """Put the cells up to one into ``In``."""
        last, cells = label.rpartition(" ")[2], self._space.get("In")
        while last.isdecimal() and isinstance(cells, list) and len(cells) <= int(last):
            cells.append(self._request["sources"].get(f"cell {len(cells)}", ""))

    def _run(self, told: dict[str, Any], is_last: bool) -> str | None:
        """Run a statement; return why it failed."""
        from nbchalice.notebook.sandbox.hidden import ASKED

        place = f"{told['cell']}, line {told['head']}"
        left = self._end - time.monotonic()
        if left <= 0 or self._cpu <= 0:
            return f"{place} was not reached in time"
        if told["awaits"]:
            return f"{place} awaits"
        ASKED.clear()
        started = time.process_time()
        try:
            code, is_expression = self._compiled(told)
            is_shown = is_last and is_expression and not self._is_quiet(told["cell"])
            alarm(self._cpu, left)
            self._execute(code, is_shown)
        except BaseException as error:  # the user's own code may raise anything
            UNPATCHED.restore()  # again: the alarm may have come within it
            alarm(0, 0)
            late = isinstance(error, OverError)
            text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            if isinstance(error, CellsChangedError):
                self.missing = f"{error} ({place})"
            return f"{place} takes long" if late else f"{place}: {text[:120]}"
        finally:
            alarm(0, 0)
            self._cpu -= time.process_time() - started
        # Where the file is, the statement may do something else.
        return f"{place} asks for {ASKED[0]}{OF_THIS_COMPUTER}" if ASKED else None

    def _is_quiet(self, cell: str) -> bool:
        """Tell whether a cell ends with a semicolon, which keeps a kernel from showing its last value."""
        text: str = self._request["sources"].get(cell, "")
        return text.rstrip().endswith(";")

    def _execute(self, code: types.CodeType, is_shown: bool) -> None:
        UNPATCHED.give_back()
        try:
            value = eval(code, self._space)  # noqa: S307 - the user's own statement; None unless it is an expression
            if is_shown:
                show(value)
        finally:
            UNPATCHED.restore()

    def _compiled(self, told: dict[str, Any]) -> tuple[types.CodeType, bool]:
        """Return the code of a statement, and whether it is an expression."""
        tree = ast.parse(told["text"])
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                for alias in node.names:
                    self._flags |= getattr(__future__, alias.name, __future__.annotations).compiler_flag
        ast.increment_lineno(tree, told["line"] - 1)
        for node in ast.walk(tree):
            if getattr(node, "lineno", 1) < 1:  # a decorator that a magic stands for, above the cell's first line
                node.lineno = node.end_lineno = 1  # type: ignore[attr-defined]
        only = tree.body[0] if len(tree.body) == 1 else None
        is_expression = isinstance(only, ast.Expr)
        whole = ast.Expression(only.value) if isinstance(only, ast.Expr) else tree
        mode = "eval" if is_expression else "exec"
        return compile(whole, self._file(told["cell"]), mode, self._flags, dont_inherit=True), is_expression

    # -- what is known -------------------------------------------------------------------------------------------

    def _reached(self, names: set[str]) -> set[str]:
        """Return names with the global names that their functions and methods read."""
        reached: set[str] = set()
        queue = sorted(names)
        while queue and len(reached) < _AT_MOST:
            name = queue.pop()
            if name in reached:
                continue
            reached.add(name)
            for code in _codes(self._space.get(name)):
                # co_names has attributes beside global names: those that are no name of the notebook do not count.
                queue += [other for other in code.co_names if other in self._known()]
        return reached

    def _known(self) -> set[str]:
        return self._space.keys() | self.tainted.keys()

    def _may_change(self, name: str) -> bool:
        """Tell whether the object of a name can be changed in place."""
        return name in self._space and not isinstance(self._space[name], _UNCHANGING)

    def _node(self, name: str) -> Any:
        if name not in self._space:
            return None
        sources = self._request["imported"].get(name)
        value = self._space[name]
        names = (*self._request["names"], *self._request["watch"])
        standing = self._values.standing_names({other: self._space[other] for other in names if other in self._space})
        if sources is None:
            return self._values.describe(value, standing)
        return self._values.describe_imported(value, sources, standing)

    def _look(self, position: int) -> None:
        for name, positions in self.changed.items():
            node = self._node(name)
            before = self.watched.get(name)
            if (node is None) != (before is None) or (node and before and self._is_another(before, node)):
                positions.append(position)
            self.watched[name] = node

    def _is_another(self, before: Any, now: Any) -> bool:
        return self._values.differ(before, now) or any(self._values.unanswered(now, before))

    def answer(self) -> dict[str, Any]:
        """Return what is known of the names asked for."""
        from nbchalice.runtime.function import LambdaFunction

        known = [name for name in self._request["names"] if name not in self.tainted]
        names = [name for name in known if name in self._space]
        return {
            "values": {name: self._node(name) for name in names},
            "absent": [name for name in known if name not in self._space],
            "tainted": self.tainted,
            "changed": self.changed,
            "unregistered": self._values.unregistered(self._request["codecs"]),
            "sharing": self._values.sharing({name: self._space[name] for name in names}, self._request["bundles"]),
            "called": sorted(LambdaFunction.called),
        }


def _codes(value: Any, depth: int = 0) -> Iterator[types.CodeType]:
    """Give the code that using a value may run: of a function, a handler, a class of the notebook or its instance."""
    value = getattr(value, "__wrapped__", None) or value if isinstance(value, types.FunctionType) else value
    if type(value).__name__ == "LambdaFunction":
        value = value.function
    if isinstance(value, types.FunctionType):
        queue = [value.__code__]
        while queue:
            code = queue.pop()
            yield code
            queue += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    elif depth == 0:
        kind = value if isinstance(value, type) else type(value)
        for base in kind.__mro__ if kind.__module__ == "__main__" else ():
            for item in vars(base).values():
                yield from _codes(item, 1)


def alarm(cpu: float, real: float) -> None:
    """Raise ``OverError`` after some seconds; with 0 and 0, do not any more.

    Parameters
    ----------
    cpu, real : float
        Seconds of processor time, and by the clock.
    """

    def over(*_: object) -> None:
        raise OverError

    # Two clocks: a loop uses up processor time, on a busy machine slowly; sleep(3600) uses none.
    for timer, number, seconds in (
        (signal.ITIMER_PROF, signal.SIGPROF, cpu),
        (signal.ITIMER_REAL, signal.SIGALRM, real),
    ):
        signal.signal(number, over if seconds else signal.SIG_IGN)
        signal.setitimer(timer, seconds)
