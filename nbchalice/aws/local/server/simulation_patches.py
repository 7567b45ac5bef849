"""IAM's simulation with the values that conditions ask for, which MiniStack's leaves out."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam

DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny"}
_context: ContextVar[dict[str, str] | None] = ContextVar("_context", default=None)
_extract = iam._extract_simulate_params


def apply_simulation() -> None:
    """Let SimulatePrincipalPolicy and SimulateCustomPolicy take ContextEntries (IAM: SimulatePrincipalPolicy)."""
    iam._extract_simulate_params = _extracted
    iam._build_simulate_results_real = _results


def _extracted(params: Any) -> Any:
    entries: dict[str, str] = {}
    number = 1
    while key := iam._p(params, f"ContextEntries.member.{number}.ContextKeyName"):
        entries[key.lower()] = iam._p(params, f"ContextEntries.member.{number}.ContextKeyValues.member.1")
        number += 1
    _context.set(entries)
    return _extract(params)


def _results(actions: list[str], resource: str, principal: str, account: str, policies: list[object]) -> str:
    results = []
    for action in actions:
        asked = iam_evaluator.EvalContext(
            principal_arn=principal,
            principal_type="User",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=iam.get_region(),
            source_ip="127.0.0.1",
            service_context=_context.get() or {},
        )
        decision = iam_evaluator.evaluate(asked, policies).decision if policies else ""
        results.append(
            f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
            f"<EvalDecision>{DECISIONS.get(decision, 'implicitDeny')}</EvalDecision><MatchedStatements/>"
            "<MissingContextValues/></member>"
        )
    return "".join(results)
