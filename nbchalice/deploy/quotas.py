"""What the account has room for, asked once before the first write (Lambda: GetAccountSettings)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nbchalice.aws.passing import read_patiently
from nbchalice.deploy.plan import Plan
from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.resources.base import AWS, Resource, error_code, is_denied
from nbchalice.resources.function import Function, concurrency_of
from nbchalice.resources.layer import Layer
from nbchalice.text import joined, readable
from nbchalice.typed import JSON

# Lambda: PutFunctionConcurrency. So many runs stay for the functions that have none reserved; all where it has fewer.
KEPT_FREE = 100
# Lambda quotas: new accounts have "reduced concurrency and memory quotas"; they cannot be asked for the memory.
RUNS_OF_NEW_ACCOUNT = 10
MB_OF_NEW_ACCOUNT = 3008
MORE_RUNS = (
    "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
    "--desired-value 1000 asks AWS for more"
)


@dataclass(frozen=True)
class Quotas:
    """What an account has of what a deploy takes.

    Parameters
    ----------
    runs : int or None
        Concurrent executions in all, or None where AWS did not tell.
    unreserved : int
        Those of them that no function has reserved.
    room : int
        Bytes of code storage that are left.
    storage : int
        Bytes of code storage in all.
    unseen : str
        Why AWS did not tell, or an empty text.
    """

    runs: int | None = None
    unreserved: int = 0
    room: int = 0
    storage: int = 0
    unseen: str = ""


def read_quotas(aws: AWS) -> Quotas:
    """Ask for the account's quotas; the local AWS has none, and who may not ask is told so."""
    if aws.local:
        return Quotas()
    try:
        answer = read_patiently(aws.client("lambda").get_account_settings)
    except Exception as error:
        if not error_code(error):
            raise
        why = "AWS denies" if is_denied(error) else f"AWS says {error_code(error)} to"
        return Quotas(unseen=f"the quotas of the account were not looked at: {why} lambda:GetAccountSettings")
    limit, usage = answer["AccountLimit"], answer["AccountUsage"]
    room = limit["TotalCodeSize"] - usage["TotalCodeSize"]
    runs, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    return Quotas(runs, unreserved, room, limit["TotalCodeSize"])


def quota_problems(quotas: Quotas, planned: Plan) -> list[NbChaliceError]:
    """Return what of a plan the account has no room for."""
    if quotas.runs is None:
        return []
    changed = [change for change in planned.changes if change.action != "delete"]
    functions = [(c.resource, c.current) for c in changed if isinstance(c.resource, Function)]
    layers = [c.resource for c in changed if isinstance(c.resource, Layer)]
    return [*_concurrency(quotas, functions), *_storage(quotas, functions, layers)]


def quota_notes(quotas: Quotas, wanted: Mapping[str, Resource]) -> list[str]:
    """Return what was not looked at, and what a new account may refuse, as its few runs tell."""
    notes = [quotas.unseen] if quotas.unseen else []
    if quotas.runs is not None and quotas.runs <= RUNS_OF_NEW_ACCOUNT:
        large = [one for one in wanted.values() if isinstance(one, Function)]
        names = [one.function.handler for one in large if one.config.get("MemorySize", 0) > MB_OF_NEW_ACCOUNT]
        if names:
            notes.append(
                f"{joined(names)}: the account is new, as its {quotas.runs} concurrent runs tell, and may refuse more "
                f"than {MB_OF_NEW_ACCOUNT:,} MB of memory until AWS raises it"
            )
    return notes


def _concurrency(quotas: Quotas, functions: Sequence[tuple[Function, JSON | None]]) -> Iterator[NbChaliceError]:
    more = [(one, (one.reserved_concurrency or 0) - (concurrency_of(now or {}) or 0)) for one, now in functions]
    asking = [one for one, runs in more if runs > 0]
    kept = min(KEPT_FREE, quotas.runs or 0)
    free = max(quotas.unreserved - sum(runs for _, runs in more if runs < 0) - kept, 0)
    if sum(runs for _, runs in more if runs > 0) > free:
        wanted = joined([f"{one.function.handler} ({one.reserved_concurrency})" for one in asking])
        text = (
            f"{wanted} cannot have so much reserved concurrency: of the account's {quotas.runs} concurrent runs "
            f"{quotas.unreserved} are not reserved, Lambda keeps {kept} of them, and {free} can be given"
        )
        hint = f"give less --reserved-concurrency, or leave it out; {MORE_RUNS}"
        yield InvalidInputError(text, hint, code="over-quota")


def _storage(
    quotas: Quotas, functions: Sequence[tuple[Function, JSON | None]], layers: Iterable[Layer]
) -> Iterator[NbChaliceError]:
    zips = [len(one.zip) for one, now in functions if now is None or not one.code_stands(now)]
    size = sum(zips) + sum(one.package.zip_size for one in layers if one.package)
    if size > quotas.room:
        text = f"{readable(size)} are to be uploaded, and of the account's {readable(quotas.storage)} for code "
        hint = "delete functions, versions and layers that are not needed, or ask AWS for more code storage"
        yield InvalidInputError(f"{text}{readable(max(quotas.room, 0))} are left", hint, code="over-quota")
