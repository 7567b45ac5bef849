"""Options that Chalice's and AWS's command lines have, and what they are called here."""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType

# Of each option: those of ours of which a command has one, or else what to do.
_OPTIONS = MappingProxyType({
    ("--follow", "--include-lambda-messages"): ("--tail", "-f"),
    ("--since",): ("-s", "--start-time", "--num-entries"),
    ("--level",): ("--filter-pattern",),
    ("--format",): ("--pkg-format", "--template-format", "--template-file"),
    ("--message", "--event"): ("--payload", "--body", "--data", "--message-body", "--input"),
    ("--json",): ("--output",),
    ("--out",): ("--output-dir", "-o"),
})  # fmt: skip
_WORDS = MappingProxyType({
    "--profile": "AWS_PROFILE chooses it: set it in the environment",
    "--region": "AWS_DEFAULT_REGION chooses it: set it in the environment",
    "--endpoint-url": "AWS_ENDPOINT_URL chooses it: set it in the environment",
    "--api-gateway-stage": "there is no web API; --stage is the app's",
    **dict.fromkeys(("--autogen-policy", "--no-autogen-policy"), "plan says what a role lacks, and --allow adds it"),
})  # fmt: skip
_NAMING = frozenset({"--name", "-n", "--function-name", "--handler"})


def called_here(name: str, options: Collection[str]) -> str:
    """Return what to write for an option of Chalice's or AWS's command line; empty for what is none.

    Parameters
    ----------
    name : str
        As typed, for example ``--profile``.
    options : Collection[str]
        The options and arguments of the command.
    """
    if name in _NAMING and "handler" in options:
        return "give the handler's name alone, with no option"
    for ours, theirs in _OPTIONS.items():
        meant = [one for one in ours if one in options]
        if name in theirs and meant:
            return f"did you mean {' or '.join(meant)}?"
    return _WORDS.get(name, "")
