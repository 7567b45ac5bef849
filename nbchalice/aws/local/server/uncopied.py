"""Services are saved without a copy of all they hold: the encoder of JSON lets no other thread run between two items.

A copy of 5,000 messages takes ten times as long as writing them, while the server's threads change them.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch_logs, dynamodb, eventbridge, iam, kinesis, lambda_svc, s3, scheduler, sns, sqs

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
Record = dict[str, Any]

saving: ContextVar[bool] = ContextVar("saving", default=False)
# Those that may hold much, and change nothing in what they return to be saved.
MODULES = (cloudwatch_logs, dynamodb, eventbridge, iam, kinesis, s3, scheduler, sns, sqs)


class Copying:
    """Stands for the module ``copy`` in a service."""

    copy = staticmethod(copy.copy)

    @staticmethod
    def deepcopy(value: T, memo: dict[int, object] | None = None) -> T:
        """Return a copy; what is there itself, where that is to be saved."""
        return value if saving.get() else copy.deepcopy(value, memo)


def apply_uncopied() -> None:
    """Put the changed part in place."""
    for module in MODULES:
        module.copy = Copying
    lambda_svc.get_state = CodeFiles().functions_state


@contextmanager
def uncopied() -> Iterator[None]:
    """Let services return what they have itself, in this thread."""
    token = saving.set(True)
    try:
        yield
    finally:
        saving.reset(token)


class CodeFiles:
    """The files of functions' code, each written and named once: a hash of all code at each save takes long."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[bytes, str]] = {}  # with the code itself, so that its number stays its own

    def functions_state(self) -> Record:
        """Return what Lambda saves, with the names of code files in the place of code (``get_state``)."""
        used: dict[int, tuple[bytes, str]] = {}
        functions = AccountRegionScopedDict()
        for key, func in list(lambda_svc._functions._data.items()):
            versions = {
                name: self._without_code(version, used) for name, version in [*func.get("versions", {}).items()]
            }
            functions._data[key] = {**self._without_code(func, used), **({"versions": versions} if versions else {})}
        self._names = used
        lambda_svc._prune_orphan_code_blobs({name for _, name in used.values()})
        return {
            "functions": functions,
            "layers": lambda_svc._layers,
            "esms": lambda_svc._esms,
            "function_urls": lambda_svc._function_urls,
            "kinesis_positions": lambda_svc._kinesis_positions,
            "dynamodb_stream_positions": lambda_svc._dynamodb_stream_positions,
        }

    def _without_code(self, record: Record, used: dict[int, tuple[bytes, str]]) -> Record:
        code = record.get("code_zip")
        if not isinstance(code, bytes) or not code:
            return record
        if id(code) not in used:
            used[id(code)] = self._names.get(id(code)) or (code, lambda_svc._write_code_blob(code))
        return {**record, "code_zip": {lambda_svc._BLOB_REF_KEY: used[id(code)][1]}}
