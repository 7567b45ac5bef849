"""Reports of commands: plan, deploy, status, recent invocations, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from nbchalice.aws.target import Target
from nbchalice.deploy.engine import Deployment, Status
from nbchalice.deploy.plan import Change, Plan
from nbchalice.deploy.results import Rollback
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.show import as_html, as_text
from nbchalice.logs.when import now
from nbchalice.packaging.bundles import Bundle
from nbchalice.packaging.handler import BUNDLES_IN_ZIP, Written
from nbchalice.text import by_text, counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card
from nbchalice.ui.render.sizes import sizes_html, sizes_text

SIGNS = {"create": "+", "update": "~", "delete": "-"}
KINDS = {"create": "good", "update": "warn", "delete": "bad"}
STATE_KINDS = {"deployed": "good", "changed": "warn", "registered": "busy", "orphaned": "bad"}


def change_rows(changes: Sequence[Change]) -> list[tuple[str, str, str, str]]:
    """Return sign and action, kind, name and reason of each change."""
    return [(f"{SIGNS[c.action]} {c.action}", c.resource.kind, c.resource.name, c.reason) for c in changes]


def _notes(plan: Plan) -> list[str]:
    notes = [f"note: {note}" for note in plan.notes]
    if plan.orphans:
        names = ", ".join(plan.orphans)
        notes.append(f"orphaned: {names} (deployed, but not in the notebook; %chalice deploy --prune removes them)")
    notes += [f"  {doubt}" for doubt in by_text(plan.doubts)]
    return notes


class PlanCard(Card):
    """What a deploy would do. Attributes: ``plan``, ``changes``, ``ok`` (with ``deploy --check``: there are none)."""

    def __init__(self, plan: Plan, target: Target, title: str) -> None:
        self.ok = True
        self.plan, self.changes = plan, plan.changes
        heads = ("action", "kind", "name", "reason")
        rows = change_rows(plan.changes)
        summary = counted(len(rows), "change")
        place = f"{target} · {now()}"
        text = [f"{title} on {place}: {summary}"]
        if rows:
            text.append(html.text_table(heads, rows))
        text += sizes_text(plan.sizes)
        cells = [
            (html.one_line(a, KINDS[c.action]), *map(html.one_line, rest))
            for c, (a, *rest) in zip(plan.changes, rows, strict=True)
        ]
        body = (
            html.table(heads, cells)
            if rows
            else html.tag("div", html.text("nothing to do: AWS is as the notebook says"))
        )
        notes = _notes(plan)
        foot = [*sizes_html(plan.sizes), *(html.tag("div", html.text(note)) for note in notes)]
        sizes = {name: table.to_dict() for name, table in plan.sizes.items()}
        data = {"changes": plan.to_dicts(), "orphans": list(plan.orphans), "notes": list(plan.notes), "sizes": sizes}
        super().__init__("\n".join([*text, *notes]), html.card(f"{title}: {summary}", body, *foot, badge=place), data)


class DeployCard(Card):
    """What a deploy or delete did, resources and ARNs. Attributes: ``deployment``, ``changes``, ``functions``."""

    def __init__(self, deployment: Deployment, title: str) -> None:
        self.deployment, self.changes, self.functions = deployment, deployment.changes, deployment.functions
        app = deployment.app
        done = counted(len(deployment.changes), "change") if deployment.changes else "nothing changed"
        head = f"{title} {app.name} ({app.stage}): {done} in {deployment.seconds:.1f} s"
        heads = ("handler", "function", "changed")
        rows = []
        for function in deployment.functions:
            rows.append((function.handler, function.arn, "yes" if function.changed else "no"))
        changes = change_rows(deployment.changes)
        notes = _notes(deployment.plan)
        place = f"{deployment.target} · {now()}"
        text = [f"{head} on {place}"]
        if changes:
            text.append(html.text_table(("action", "kind", "name", "reason"), changes))
        if rows:
            text.append(html.text_table(heads, rows))
        sizes = deployment.plan.sizes
        text += sizes_text(sizes)
        parts = []
        if rows:
            parts.append(html.table(heads, [tuple(map(html.text, row)) for row in rows]))
        if changes:
            cells = [
                (html.one_line(a, KINDS[c.action]), *map(html.one_line, rest))
                for c, (a, *rest) in zip(deployment.changes, changes, strict=True)
            ]
            inner = html.table(("action", "kind", "name", "reason"), cells)
            parts.append(html.tag("details", html.tag("summary", html.text(done)), inner))
        if sizes:
            parts.append(html.tag("details", html.tag("summary", html.text("sizes")), *sizes_html(sizes)))
        parts += [html.tag("div", html.text(note)) for note in notes]
        super().__init__("\n".join([*text, *notes]), html.card(head, *parts, badge=place), deployment.to_dict())


class RollbackCard(Card):
    """What a rollback did. Attribute: ``rollback``."""

    def __init__(self, rollback: Rollback) -> None:
        self.rollback = rollback
        parts = [*(["code"] if rollback.code else []), *rollback.settings]
        title = f"rolled back {rollback.handler}: version {rollback.before} -> {rollback.version}"
        what = f"changed: {', '.join(parts) or 'nothing'}"
        note = "the next deploy goes forward to what the notebook says"
        body = [html.tag("div", html.text(line)) for line in (what, note)]
        place = f"{rollback.target} · {now()}"
        card = html.card(title, *body, badge=place)
        super().__init__("\n".join([f"{title} on {place}", what, note]), card, rollback.to_dict())


class StatusCard(Card):
    """How the app stands. Attributes: ``status``, ``handlers``, ``live`` (where each handler is live that is)."""

    def __init__(self, status: Status, notes: Sequence[str] = (), live: Mapping[str, str] | None = None) -> None:
        self.status, self.handlers, self.live = status, status.handlers, dict(live or {})
        orphans = {h.name: "; ".join(h.drift) for h in status.handlers if h.state == "orphaned" and h.drift}
        shared = {name: text for name, text in orphans.items() if [*orphans.values()].count(text) > 1}
        notes = [*notes, *status.notes, *by_text(shared)]
        heads = ("handler", "state", "version", "trigger", "what differs")
        differs = {h.name: "; ".join(filter(None, (h.why, *h.drift))) for h in status.handlers} | dict.fromkeys(
            shared, ""
        )
        rows = [(h.name, h.state, h.version, h.trigger, differs[h.name]) for h in status.handlers]
        title = f"{status.app.name} ({status.app.stage})"
        empty = "no handlers: begin a cell with %%schedule, %%on_s3_event, %%on_sns_message or %%on_sqs_message"
        place = f"{status.target} · {now()}"
        text = [f"{title} on {place}", html.text_table(heads, rows) if rows else empty, *notes]
        cells = [(html.text(name), html.text(s, STATE_KINDS[s]), *map(html.text, rest)) for name, s, *rest in rows]
        body = html.table(heads, cells) if rows else html.tag("div", html.text(empty))
        foot = [html.tag("div", html.text(note)) for note in notes]
        data = {**status.to_dict(), "notes": notes}
        super().__init__("\n".join(text), html.card(title, body, *foot, badge=place), data)


class InvocationsCard(Card):
    """Recent invocations of a handler, the newest last. Attributes: ``invocations``, ``records`` (dicts)."""

    def __init__(self, handler: str, invocations: Sequence[Invocation], note: str = "") -> None:
        self.invocations = list(invocations)
        records = chain.from_iterable(invocation.records for invocation in self.invocations)
        self.records = [record.to_dict() for record in records]
        data = [invocation.to_dict() for invocation in self.invocations]
        if not self.invocations:
            text = f"{handler}: no invocations yet · {now()}"
            super().__init__(text, html.card(text), data)
            return
        parts = list(map(as_html, self.invocations))
        title = f"{handler}: {counted(len(parts), 'invocation')}"
        notes = [f"note: {note}"] if note else []
        text = "\n".join([*map(as_text, self.invocations), *notes])
        super().__init__(text, html.card(title, *parts, *(html.tag("div", html.text(one)) for one in notes)), data)


class FilesCard(Card):
    """Packages that were written. Attributes: ``paths``, ``sizes``, ``notes``."""

    def __init__(self, written: Written, title: str = "packaged") -> None:
        self.paths, self.sizes, self.notes = list(written.paths), written.sizes, list(written.notes)
        rows = [(str(path), counted(path.stat().st_size, "byte")) for path in self.paths]
        cells = [tuple(map(html.text, row)) for row in rows]
        text = [html.text_table(("file", "size"), rows), *sizes_text(self.sizes), *self.notes]
        foot = [html.tag("div", html.text(note)) for note in self.notes]
        body = html.card(title, html.table((), cells), *sizes_html(self.sizes), *foot)
        data = {
            "files": [str(path) for path in self.paths],
            "sizes": {name: table.to_dict() for name, table in self.sizes.items()},
            "notes": self.notes,
        }
        super().__init__("\n".join(text), body, data)


class BundleCard(Card):
    """What was bundled, and where its value was used before. Attribute: ``bundle``."""

    def __init__(self, bundle: Bundle, used_before: Sequence[str] = ()) -> None:
        self.bundle = bundle
        before = f"{', '.join(used_before)}; there the statements that made it count, not the bundle"
        pins = ", ".join(bundle.requirements)
        way = "; too big for the zip: it goes to S3" if bundle.size > BUNDLES_IN_ZIP else ""
        rows = [
            ("format", bundle.format),
            ("size", counted(bundle.size, "byte") + way),
            ("sha256", bundle.sha256),
            *([("loading needs", pins)] if pins else []),
            *([("comes along", ", ".join(bundle.notebook_names))] if bundle.notebook_names else []),
            *([("used before", before)] if used_before else []),
        ]
        title = f"bundled {bundle.name}"
        text = [title, *(f"  {name:13} {value}" for name, value in rows)]
        body = html.table((), [(html.text(name, "muted"), html.text(value)) for name, value in rows])
        data = {"name": bundle.name, "format": bundle.format, "bytes": bundle.size, "sha256": bundle.sha256}
        super().__init__("\n".join(text), html.card(title, body), data | {"used_before": list(used_before)})
