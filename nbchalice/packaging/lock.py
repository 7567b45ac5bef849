"""From requirements to exact versions with hashes, for one Lambda target, by uv."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from nbchalice.errors import PackagingError
from nbchalice.files import cache_folder
from nbchalice.names import RUNTIMES
from nbchalice.notebook.sandbox.loads import PROVIDED
from nbchalice.packaging.cache import write_whole
from nbchalice.packaging.errors import NoWheelError
from nbchalice.packaging.pure_wheels import make_wheel
from nbchalice.packaging.targets import LambdaTarget
from nbchalice.packaging.uvtool import run_uv
from nbchalice.steps import step
from nbchalice.text import counted

# aiobotocore works with a few versions of botocore each, and Lambda's is seldom among them: then botocore comes along.
_PINS_BOTOCORE = frozenset({"aiobotocore"})
_FORMAT = 1
_MOST_LISTED = 4
_ENTRY = re.compile(r"^(?=[^\s#])", re.MULTILINE)


@dataclass(frozen=True)
class Lock:
    """Exact versions with hashes, for one target.

    Parameters
    ----------
    text : str
        A requirements file with hashes; its first line names the target.
    target : LambdaTarget
        The runtime and architecture.
    """

    text: str
    target: LambdaTarget

    @property
    def key(self) -> str:
        """The name of the layer: hash of the text, in hexadecimal. Equal needs have equal keys."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def pins(self) -> tuple[str, ...]:
        """Every distribution as `name==version`, or `name @ url` where it comes from an address, sorted by name."""
        return tuple(_as_pin(pin) for pin, _ in _entries(self.text))


def lock(
    requirements: Iterable[str],
    target: LambdaTarget,
    *,
    installed: Iterable[str] = (),
    cache: Path | None = None,
) -> Lock | None:
    """Resolve requirements for a Lambda target.

    Parameters
    ----------
    requirements : Iterable[str]
        What the handlers need, for example `["pandas==2.2.3"]`.
    target : LambdaTarget
        The runtime and architecture; only wheels that run there are considered.
    installed : Iterable[str]
        What the kernel has, as `name==version`: preferred for dependencies where it fits. Default: none.
    cache : Path or None
        Folder of earlier answers; the same question is not resolved again. Default: `cache_folder()`.

    Returns
    -------
    The lock, or None if there is nothing to install. boto3 and what comes with it are part of the Lambda
    runtime (AWS Lambda Developer Guide, "Building Lambda functions with Python") and are left out unless
    asked for by name, or pinned by aiobotocore.

    Raises
    ------
    NoWheelError
        A package has no wheel for the target; names versions that have one.
    PackagingError
        The registry does not know it or cannot be reached, the requirements contradict, or uv failed.
    """
    wanted = sorted(set(requirements))
    if not wanted:
        return None
    header = _header(target)
    known = sorted(set(installed))
    question = "\n".join([str(_FORMAT), header, *wanted, "--", *known])
    path = (cache or cache_folder()) / "locks" / f"{hashlib.sha256(question.encode()).hexdigest()}.txt"
    if path.is_file():
        answer = Lock(path.read_text(encoding="utf-8"), target)
    else:
        with step(f"resolving {_listed(wanted)} for Python {target.python} on {target.arch}") as say:
            answer = Lock(header + _resolve(wanted, known, target), target)
            say(counted(len(answer.pins), "package"))
        write_whole(path, answer.text.encode())
    return answer if answer.pins else None


def _listed(requirements: list[str]) -> str:
    """Return some requirements, and how many more there are."""
    shown, more = requirements[:_MOST_LISTED], len(requirements) - _MOST_LISTED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def retargeted(lock: Lock, target: LambdaTarget) -> Lock:
    """Return the same distributions for another target; its wheels have hashes in the same lock.

    Parameters
    ----------
    lock : Lock
        Exact versions with the hashes of all their files.
    target : LambdaTarget
        Where they are to run.
    """
    return Lock(_header(target) + lock.text.partition("\n")[2], target)


def _header(target: LambdaTarget) -> str:
    return f"# Python {target.python}, {target.arch}, {target.uv_platform}\n"


def requirement_name(requirement: str) -> str:
    """Return the normalised name of the distribution that a requirement is for.

    Parameters
    ----------
    requirement : str
        For example `Scikit_Learn[extra]>=1.2`.
    """
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:  # what uv is to explain
        return canonicalize_name(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0])


def _resolve(wanted: list[str], known: list[str], target: LambdaTarget) -> str:
    asked = {requirement_name(requirement) for requirement in wanted}
    with tempfile.TemporaryDirectory(prefix="nbchalice-") as folder:
        output = Path(folder, "lock.txt")
        # uv keeps to the versions of an output file that is there, as far as they fit: the lock is near the kernel.
        output.write_text("\n".join(known) + "\n", encoding="utf-8")
        arguments = [
            "compile",
            "-",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
            "--output-file",
            str(output),
        ]
        while True:
            try:
                run_uv(arguments, target, "\n".join(wanted) + "\n")
                break
            except NoWheelError as error:
                if not make_wheel(requirement_name(error.package)):
                    raise _of_all(error, arguments, wanted, target) from None
        text = output.read_text(encoding="utf-8")
    entries = {canonicalize_name(pin.name): entry for pin, entry in _entries(text)}
    drop = set() if entries.keys() & _PINS_BOTOCORE else set(PROVIDED) - asked
    return "".join(entry for name, entry in entries.items() if name not in drop)


def _entries(text: str) -> Iterator[tuple[Requirement, str]]:
    """Yield what uv wrote for each distribution: the pin, and all lines of it, hashes included."""
    for entry in _ENTRY.split(text):
        if entry and not entry.startswith("#"):
            yield Requirement(entry.partition("\n")[0].removesuffix("\\")), entry


def _as_pin(pin: Requirement) -> str:
    return f"{pin.name} @ {pin.url}" if pin.url else f"{pin.name}{pin.specifier}"


def _of_all(error: NoWheelError, arguments: list[str], wanted: list[str], target: LambdaTarget) -> NoWheelError:
    """Return one error for all packages without a wheel: uv stops at the first."""
    found, left = [_with_versions(error, wanted, target)], wanted
    while True:
        gone = {requirement_name(name) for name in (error.package, error.needed_by) if name}
        rest = [requirement for requirement in left if requirement_name(requirement) not in gone]
        if not rest or len(rest) == len(left):
            break
        left = rest
        try:
            run_uv(arguments, target, "\n".join(left) + "\n")
            break
        except NoWheelError as another:
            error = another
            if requirement_name(error.package) not in {requirement_name(one.package) for one in found}:
                found.append(_with_versions(error, left, target))
        except PackagingError:  # what uv finds wrong next is told once these have wheels
            break
    first, *others = found
    if not others:
        return first
    python = _newer("\n".join(one.needed_by or one.package for one in found), target)
    return NoWheelError(first.package, target.label, first.versions, python, first.needed_by, others=tuple(others))


def _with_versions(error: NoWheelError, wanted: list[str], target: LambdaTarget) -> NoWheelError:
    """Ask uv which versions near the wanted one, and which newest one, have a wheel."""
    name = requirement_name(error.package)
    asked = _asked(name, wanted)
    if asked is None and error.needed_by:
        needs = _asked(requirement_name(error.needed_by), wanted) or error.needed_by
        return NoWheelError(error.package, target.label, (), _newer(needs, target), needs)
    asked = asked or error.package
    questions = [(name, "highest")]
    if pin := _pinned(asked):
        questions += [(f"{name}<{pin}", "highest"), (f"{name}>{pin}", "lowest")]
    versions = {version for spec, order in questions if (version := _try(spec, order, target, "--no-deps"))}
    return NoWheelError(asked, target.label, tuple(sorted(versions, key=Version)), _newer(asked, target, "--no-deps"))


def _asked(name: str, wanted: list[str]) -> str | None:
    """Return the requirement of a distribution, without its marker."""
    asked = next((requirement for requirement in wanted if requirement_name(requirement) == name), None)
    return asked and asked.partition(";")[0].strip()


def _pinned(requirement: str) -> str | None:
    """Return the version of a pin, ``1.26`` for ``==1.26.*``."""
    try:
        specifiers = Requirement(requirement).specifier
    except InvalidRequirement:
        return None
    pins = [specifier.version for specifier in specifiers if specifier.operator in {"==", "==="}]
    return pins[0].removesuffix(".*") if pins else None


def _newer(requirement: str, target: LambdaTarget, *options: str) -> str | None:
    """Return the next Python on Lambda for which a requirement has wheels."""
    newer = (LambdaTarget(python, target.arch) for python in RUNTIMES[RUNTIMES.index(target.python) + 1 :])
    return next((other.python for other in newer if _try(requirement, "highest", other, *options)), None)


def _try(requirement: str, order: str, target: LambdaTarget, *options: str) -> str | None:
    try:
        text = run_uv(["compile", "-", "--no-header", "--resolution", order, *options], target, requirement)
    except PackagingError:
        return None
    for pin, _ in _entries(text):
        for specifier in pin.specifier:
            return specifier.version
    return None
