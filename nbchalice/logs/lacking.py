"""Lets what a log says of one refused permission name the others that the handler's code needs besides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

# A log with many refusals is shown at once; the notebook may be another a little later.
SECONDS = 5.0


class Lacking:
    """Knows the notebook of this process, as `logs.places.CELLS` does: what its handlers' roles do not allow."""

    def __init__(self) -> None:
        self._of: Callable[[str], Sequence[str]] | None = None
        self._has: Callable[[str, str], bool] | None = None
        self._told: dict[tuple[str, str], tuple[float, Sequence[str]]] = {}
        self._lock = threading.Lock()

    def is_told_by(
        self, of: Callable[[str], Sequence[str]] | None, has: Callable[[str, str], bool] | None = None
    ) -> None:
        """Let functions tell what a role does not allow, by the name of the Lambda function; None: not known.

        Parameters
        ----------
        of : Callable[[str], Sequence[str]] or None
            Returns the options that lack.
        has : Callable[[str, str], bool] or None
            Whether the notebook has what an option allows.
        """
        self._of, self._has, self._told = of, has, {}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Let afterwards be told what was told before."""
        before = self._of, self._has
        try:
            yield
        finally:
            self.is_told_by(*before)

    def forget(self) -> None:
        """Ask anew: something ran that may have changed the notebook."""
        self._told = {}

    def beside(self, function: str, allow: str) -> list[str]:
        """Return the options that a function lacks beside one of them.

        Parameters
        ----------
        function : str
            The name of the Lambda function.
        allow : str
            The option for what was refused: ``--allow s3:GetObject=arn:aws:s3:::b/*``.
        """
        action = f"{allow.partition('=')[0]}="
        others = (one for one in self._all_of(function) if one != allow)
        # Where a part stands in angle brackets the code does not tell which thing it is: it may be the refused one.
        return [one for one in others if not (one.startswith(action) and "<" in one)]

    def is_in_notebook(self, function: str, allow: str) -> bool:
        """Whether the notebook's handler is allowed already what its function was refused.

        Parameters
        ----------
        function, allow : str
            As for `beside`.
        """
        has = self._has
        return has is not None and bool(self._asked((function, allow), lambda: [allow] if has(function, allow) else []))

    def _all_of(self, function: str) -> Sequence[str]:
        of = self._of
        return () if of is None else self._asked((function, ""), lambda: of(function))

    def _asked(self, what: tuple[str, str], ask: Callable[[], Sequence[str]]) -> Sequence[str]:
        with self._lock:
            at, told = self._told.get(what, (-SECONDS, ()))
            if time.monotonic() - at < SECONDS:
                return told
            try:
                told = ask()
            except Exception:  # What cannot be read now says nothing: what was refused stands there all the same.
                told = ()
            self._told[what] = time.monotonic(), told
            return told


LACKING = Lacking()
