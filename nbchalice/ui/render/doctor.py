"""What the doctor found, and a policy."""

from __future__ import annotations

import json

from nbchalice.doctor.examine import Diagnosis
from nbchalice.logs.when import now
from nbchalice.text import counted
from nbchalice.typed import JSON
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card, TextCard

KINDS = {"ok": "good", "warning": "warn", "wrong": "bad"}


class DoctorCard(Card):
    """What the doctor found. Attributes: ``diagnosis``, ``ok``."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis, self.ok = diagnosis, diagnosis.ok
        findings = diagnosis.findings
        counts = {state: sum(one.state == state for one in findings) for state in ("wrong", "warning")}
        title = f"doctor: {counts['wrong']} wrong, {counted(counts['warning'], 'warning')} · {now()}"
        wide = max(len(one.name) for one in findings)
        lines = [title]
        for one in findings:
            lines.append(f"  {one.state:7}  {one.name.ljust(wide)}  {one.text}")
            if one.fix:
                lines.append(f"  {'':7}  {'':{wide}}  fix: {one.fix}")
        rows = [
            (
                html.text(one.state, KINDS[one.state]),
                html.one_line(one.name),
                html.text(one.text)
                + (html.tag("div", html.text("fix: ", "muted"), html.text(one.fix)) if one.fix else ""),
            )
            for one in findings
        ]
        super().__init__("\n".join(lines), html.card(title, html.table((), rows)), diagnosis.to_dict())


class PolicyCard(TextCard):
    """An IAM policy, as JSON. Attribute: ``policy``."""

    def __init__(self, policy: JSON) -> None:
        self.policy = policy
        super().__init__("least policy of a deployer", json.dumps(policy, indent=2), policy)
