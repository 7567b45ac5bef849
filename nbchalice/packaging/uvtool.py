"""Running uv, and its complaints in our words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence

from nbchalice.errors import PackagingError
from nbchalice.packaging.errors import NoWheelError
from nbchalice.packaging.pure_wheels import wheels_folder
from nbchalice.packaging.targets import LambdaTarget

_LONGEST = 600
# What would choose another Python or platform than the one that is asked for.
_NOT_INHERITED = frozenset({
    *("CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "UV_NO_BINARY", "UV_NO_BUILD", "UV_PROJECT_ENVIRONMENT"),
    *("UV_PYTHON", "UV_PYTHON_DOWNLOADS", "UV_SYSTEM_PYTHON", "VIRTUAL_ENV"),
})  # fmt: skip
_DOWNLOADING = re.compile(r"Downloading (\S+ \([\d.]+ ?\w+\))")
_PROGRESS = re.compile(
    r" ?(?:Using|Resolved|Prepared|Installed|Uninstalled|Audited|Downloading|Downloaded|Building|Built) | [+~-] "
)
_NAME = r"`?([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?"
_UNREACHABLE = re.compile(
    r"error sending request|failed to fetch|could not connect|dns error"
    r"|network (?:connectivity )?(?:is|was) disabled|http status (?:server|client) error",
    re.IGNORECASE,
)
_NO_WHEEL = re.compile(
    rf"(?:Because |versions of |And because ){_NAME}(?:(?:==|<|>)\S+)? has? ?(?:have )?no "
    rf"(?:usable wheels|wheels with a matching)|Wheels are required for {_NAME}`|wheels for {_NAME}`"
)
_UNKNOWN = re.compile(rf"Because {_NAME} was not found in the package registry")
_NO_VERSION = re.compile(rf"there (?:is|are) no versions? of {_NAME}(\S*)")


def run_uv(
    arguments: Sequence[str],
    target: LambdaTarget,
    stdin: str | None = None,
    say: Callable[[str], None] | None = None,
) -> str:
    """Run a `uv pip` command for a Lambda target and return what it printed.

    Parameters
    ----------
    arguments : Sequence[str]
        The command and its own options, for example `["compile", "-"]`.
    target : LambdaTarget
        The runtime and architecture to resolve or install for; only wheels are used.
    stdin : str or None
        Text for the command's standard input. Default: none.
    say : Callable[[str], None] or None
        Takes each download as it begins, with its size. Default: nothing is told.

    Raises
    ------
    NoWheelError, PackagingError
        Uv's reason, one code each.
    """
    options = [
        *([] if say else ["--quiet"]),
        *("--only-binary", ":all:"),
        *("--python-platform", target.uv_platform, "--python-version", target.python),
        *("--python", sys.executable, "--no-python-downloads", "--color", "never"),
    ]
    if wheels_folder().is_dir():
        options += ["--find-links", str(wheels_folder())]
    done = call_uv(["pip", *arguments, *options], stdin, say)
    if done.returncode:
        raise explain(done.stderr, target)
    return done.stdout


def call_uv(
    arguments: Sequence[str], stdin: str | None = None, say: Callable[[str], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run uv with the user's settings for indexes and proxies, whatever environment is active.

    Parameters
    ----------
    arguments : sequence of str
        Command and options.
    stdin : str, optional
        Text for the command's standard input.
    say : Callable[[str], None], optional
        Takes each download as it begins, with its size.

    Raises
    ------
    PackagingError
        There is no uv, or it cannot be run.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    try:
        import uv

        command = [uv.find_uv_bin(), *arguments]
        if say is not None:
            return _told(command, stdin or "", environment, say)
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, encoding="utf-8", check=False, env=environment
        )
    except (ImportError, FileNotFoundError) as error:
        raise PackagingError("uv is not installed", "run: pip install uv", code="uv-failed") from error
    except PermissionError as error:
        hint = "install it again: pip install --force-reinstall uv"
        raise PackagingError(f"cannot run uv: {error}", hint, code="uv-failed") from error


def _told(
    command: list[str], stdin: str, environment: dict[str, str], say: Callable[[str], None]
) -> subprocess.CompletedProcess[str]:
    """Run uv and tell its downloads; what it says of its progress is no part of its complaints."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as given,
        tempfile.TemporaryFile("w+", encoding="utf-8") as printed,
    ):
        given.write(stdin)
        given.seek(0)
        with subprocess.Popen(
            command,
            stdin=given,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
        ) as process:
            assert process.stderr is not None  # It is a pipe.
            complaints = []
            for line in process.stderr:
                if found := _DOWNLOADING.match(line):
                    say(found[1])
                elif not _PROGRESS.match(line):
                    complaints.append(line)
        printed.seek(0)
        return subprocess.CompletedProcess(command, process.returncode, printed.read(), "".join(complaints))


def explain(stderr: str, target: LambdaTarget) -> PackagingError:
    """Return the error that says in our words why uv failed.

    Parameters
    ----------
    stderr : str
        What uv wrote to standard error.
    target : LambdaTarget
        What it was resolving or installing for.
    """
    text = re.sub(r"\s+", " ", stderr)
    cause = cause_of(stderr)
    if _UNREACHABLE.search(text):
        return PackagingError(
            f"the package registry could not be reached: {cause}",
            "check the network, the proxy and UV_INDEX or UV_DEFAULT_INDEX, then run it again",
            code="package-registry",
        )
    if missing := _UNKNOWN.search(text):
        return PackagingError(
            f"the package registry has no package {missing[1]}",
            "correct the name, or give the right packages with --requirements FILE",
            code="no-such-package",
        )
    if wheel := _NO_WHEEL.search(text):
        name = next(name for name in wheel.groups() if name)
        needs = re.search(rf"([\w.-]+(?:\[[^\]]*\])?[<>=!~]\S*) depends on ({re.escape(name)}\S*)", text)
        package, needed_by = (needs[2], needs[1]) if needs else (name, None)
        return NoWheelError(package.rstrip(","), target.label, needed_by=needed_by)
    if version := _NO_VERSION.search(text):
        return PackagingError(
            f"the package registry has no {version[1]}{version[2]}",
            "install a published version in the kernel, or name one with --requirements FILE",
            code="no-such-package",
        )
    if "No solution found" in text:
        return PackagingError(
            f"the requirements contradict each other: {_premises(text)}",
            "install versions that fit together, or loosen one with --requirements FILE",
            code="conflicting-requirements",
        )
    return PackagingError(f"uv failed: {cause}", "correct what it names, then run it again", code="uv-failed")


def _premises(text: str) -> str:
    """Return what uv's proof begins from, without what it concludes."""
    proof = text.partition(" hint: ")[0].partition("cause: ")[2] or text
    reasons = re.findall(r"(?:Because|And because) (.*?)(?:,| and)? we (?:can )?conclude", proof)
    premises = [
        re.sub(r"^(([\w.-]+)\S* depends on .*) and you require \2\b\S*$", r"\1", one.strip()) for one in reasons
    ]
    short = "; ".join(dict.fromkeys(premises)) or proof
    return short if len(short) <= _LONGEST else short[:_LONGEST] + " ..."


def cause_of(stderr: str) -> str:
    """Return why uv failed, in its own words, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("warning:")]
    text = " ".join(line.removeprefix("cause: ").removeprefix("error: ") for line in lines)
    text = text.partition(" hint: ")[0].removeprefix("No solution found when resolving dependencies ")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
