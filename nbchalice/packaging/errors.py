"""What can go wrong between a slice and an upload, where somebody asks what it was."""

from __future__ import annotations

import re

from nbchalice.errors import PackagingError
from nbchalice.text import joined

__all__ = ["BundleRefusedError", "CacheError", "NoWheelError", "PackagingError", "RequirementsFileError"]


class BundleRefusedError(PackagingError):
    """A value that must not be bundled: it would not work elsewhere, or looks like a credential."""

    code = "bundle-refused"


class CacheError(PackagingError):
    """The folder that keeps built layers cannot be written."""

    code = "cache-not-writable"


class RequirementsFileError(PackagingError):
    """A requirements file cannot be read, or has a line that cannot be used."""

    code = "requirements-file"


class NoWheelError(PackagingError):
    """A package, or several, have no wheel for the Lambda target.

    Parameters
    ----------
    package : str
        The distribution's name, with the version where one was asked for.
    platform : str
        The target, in words.
    versions : tuple[str, ...]
        Versions that do have a wheel for the target, oldest first; empty if there are none.
    python : str or None
        A newer Python on Lambda for which it, and what else has none, has a wheel, or None.
    needed_by : str or None
        The package that needs it, with its version, where it was not asked for itself. Default: None.
    others : tuple[NoWheelError, ...]
        Those of further packages. Default: none.
    """

    code = "no-wheel"

    def __init__(
        self,
        package: str,
        platform: str,
        versions: tuple[str, ...] = (),
        python: str | None = None,
        needed_by: str | None = None,
        *,
        others: tuple[NoWheelError, ...] = (),
    ) -> None:
        self.package = package
        self.platform = platform
        self.versions = versions
        self.needed_by = needed_by
        if others:
            every = (self, *others)
            subjects = joined(f"{one.package}{one._needing()}" for one in every)
            super().__init__(f"{subjects} have no wheel for {platform}", _ways_for(every, python))
            return
        other = f"--python {python} where the handler is defined, for which it has one"
        other = other if python else "another --python or --arch where the handler is defined"
        if needed_by:
            hint = f"use another version of {_name(needed_by)}, or {other}"
        elif versions:
            hint = f"use a version that has one: {', '.join(versions)}; or {other}"
        elif python:
            hint = f"use {other}"
        else:
            hint = (
                f"no version of it has one: try {other}, or another package; if it is pure Python, put its folder "
                "beside the notebook"
            )
        subject = f"{package}, which {needed_by} needs," if needed_by else package
        super().__init__(f"{subject} has no wheel for {platform}", hint)

    def _needing(self) -> str:
        return f" (which {self.needed_by} needs)" if self.needed_by else ""


def _ways_for(errors: tuple[NoWheelError, ...], python: str | None) -> str:
    """Return what helps where several packages have no wheel."""
    own = [one for one in errors if not one.needed_by]
    ways = [f"use {_name(one.package)} {' or '.join(one.versions)}" for one in own if one.versions]
    if needing := dict.fromkeys(_name(one.needed_by) for one in errors if one.needed_by):
        ways.append(f"use other versions of {joined(needing)}")
    if without := [_name(one.package) for one in own if not one.versions]:
        text = f"no version of {joined(without)} has one: take other packages"
        ways.append(f"{text}, or put the folders of those that are pure Python beside the notebook")
    whole = f"--python {python} where the handler is defined, for which all have one"
    return f"{'; '.join(ways)}; or {whole if python else 'another --python or --arch where the handler is defined'}"


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0]
