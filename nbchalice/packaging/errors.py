"""What can go wrong between a slice and an upload, where somebody asks what it was."""

from __future__ import annotations

import re

from nbchalice.errors import PackagingError

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
    """A package has no wheel for the Lambda target.

    Parameters
    ----------
    package : str
        The distribution's name, with the version where one was asked for.
    platform : str
        The target, in words.
    versions : tuple[str, ...]
        Versions that do have a wheel for the target, oldest first; empty if there are none.
    python : str or None
        A newer Python on Lambda for which it has a wheel, or None.
    needed_by : str or None
        The package that needs it, with its version, where it was not asked for itself. Default: None.
    """

    code = "no-wheel"

    def __init__(
        self,
        package: str,
        platform: str,
        versions: tuple[str, ...] = (),
        python: str | None = None,
        needed_by: str | None = None,
    ) -> None:
        other = f"--python {python} where the handler is defined, for which it has one"
        other = other if python else "another --python or --arch where the handler is defined"
        if needed_by:
            name = re.split(r"[^\w.-]", needed_by)[0]
            hint = f"use another version of {name}, or {other}"
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
        self.package = package
        self.platform = platform
        self.versions = versions
        self.needed_by = needed_by
