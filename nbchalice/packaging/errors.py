"""What can go wrong between a slice and an upload, one class each."""

from __future__ import annotations

import re

from nbchalice.errors import PackagingError

__all__ = [
    "BundleFormatError",
    "BundleRefusedError",
    "CacheError",
    "CompiledLocalCodeError",
    "LocalSyntaxError",
    "MissingModuleError",
    "NoSuchPackageError",
    "NoWheelError",
    "PackagingError",
    "PathConflictError",
    "RegistryError",
    "RequirementsFileError",
    "ResolutionError",
    "TooLargeError",
    "UnmetWishError",
    "UnsupportedTargetError",
    "UvError",
]


class PathConflictError(PackagingError):
    """Two different files want the same place in the zip."""


class UnsupportedTargetError(PackagingError):
    """A Python version or architecture that Lambda, or nbchalice, does not have."""


class MissingModuleError(PackagingError):
    """The code imports a module that nothing installed here provides."""


class UnmetWishError(PackagingError):
    """The notebook asks for another version of a package than the one that is installed."""


class BundleFormatError(PackagingError):
    """A value cannot be bundled in the format asked for, or no format but pickle would do."""


class BundleRefusedError(PackagingError):
    """A value that must not be bundled: it would not work elsewhere, or looks like a credential."""


class CompiledLocalCodeError(PackagingError):
    """A local package holds machine code for this computer, which Lambda may not be able to run."""


class LocalSyntaxError(PackagingError):
    """A local module that has to come along cannot be parsed."""


class RequirementsFileError(PackagingError):
    """A requirements file cannot be read, or has a line that cannot be used."""


class NoWheelError(PackagingError):
    """A package has no wheel for the Lambda target.

    Parameters
    ----------
    package: the distribution's name, with the version where one was asked for.
    platform: the target, in words.
    versions: versions that do have a wheel for the target, oldest first; empty if there are none.
    python: a newer Python on Lambda for which it has a wheel, or None.
    needed_by: the package that needs it, with its version, where it was not asked for itself. Default: None.
    """

    def __init__(
        self,
        package: str,
        platform: str,
        versions: tuple[str, ...] = (),
        python: str | None = None,
        needed_by: str | None = None,
    ) -> None:
        other = f"--python {python}, for which it has one" if python else "another --python or --arch"
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


class NoSuchPackageError(PackagingError):
    """The package registry does not know a package, or not in the version asked for."""


class ResolutionError(PackagingError):
    """The requirements contradict each other."""


class RegistryError(PackagingError):
    """The package registry could not be reached, or refused."""


class UvError(PackagingError):
    """uv is missing, or failed for a reason of its own."""


class CacheError(PackagingError):
    """The folder that keeps built layers cannot be written."""


class TooLargeError(PackagingError):
    """The function and its layers are larger unzipped than Lambda allows."""
