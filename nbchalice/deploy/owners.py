"""Whose a function is: its tags tell who deployed it; somebody else's is replaced only where that is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from nbchalice.aws.errors import explain
from nbchalice.aws.target import Connection
from nbchalice.config import owner_in_config
from nbchalice.deploy.desired import App
from nbchalice.deploy.inspection import Inspection
from nbchalice.deploy.plan import Plan
from nbchalice.errors import InvalidInputError
from nbchalice.resources.arns import Arn
from nbchalice.resources.function import Function
from nbchalice.resources.ownership import CELL, NOTEBOOK, OWNER, notebook_tag, tag_value
from nbchalice.typed import Values

PERSON, ROLE, USER = "person/", "role/", "user/"
# What Jupyter calls a notebook that nobody has named: Untitled.ipynb, Untitled1.ipynb
UNNAMED = re.compile(r"Untitled\d*\.ipynb")
HINT = (
    "%chalice app NAME makes an app of your own; --take-over makes it yours; a team has one "
    '"owner" in .chalice/config.json'
)

# For commands that change nothing on AWS, but let somebody's code run.
HINT_TO_RUN = HINT.replace("--take-over makes", "%chalice deploy --take-over makes")


def caller_of(arn: str) -> str:
    """Return who calls, in the same words from every machine and in every session.

    A session of IAM Identity Center bears the person's name, one of SAML the address of their mail. The name of any
    other session is the tool's (``botocore-session-1700000000``, ``GitHubActions``, ``i-0123``): the role counts.

    Parameters
    ----------
    arn : str
        As `GetCallerIdentity` answers it.

    Returns
    -------
    str
        ``user/ann``, ``person/ann@example.com`` or ``role/ci``.
    """
    resource = Arn.parse(arn).resource
    kind, _, rest = resource.partition("/")
    if kind != "assumed-role":
        return tag_value(resource)
    role, _, session = rest.partition("/")
    named = role.startswith("AWSReservedSSO_") or "@" in session
    return tag_value(f"{PERSON}{session}" if named else f"{ROLE}{role}")


def claimed(app: App, aws: Connection) -> App:
    """Return the app with who deploys it; on the local AWS there is only one."""
    if aws.local or not aws.target.user:
        return app
    named = owner_in_config(app.folder)
    return replace(app, owners=(*([tag_value(named)] if named else []), caller_of(aws.target.user)))


def is_foreign(app: App, tags: Mapping[str, str]) -> bool:
    """Whether a function with these tags is somebody else's; one without an owner is nobody's yet.

    Of two people with one role only the notebooks tell who is who.
    """
    owner = tags.get(OWNER)
    if not owner or not app.owners:
        return False
    return owner not in app.owners or (owner.startswith(ROLE) and not _is_from_here(app, tags))


def _is_from_here(app: App, tags: Mapping[str, str]) -> bool:
    """Whether this notebook deployed it, perhaps under another name; where that is unknown, it may have."""
    cell, notebook = tags.get(CELL, ""), tags.get(NOTEBOOK)
    if not notebook or not app.notebook or cell in app.cells:
        return True
    same_name = notebook in notebook_tag(app.notebook).values()
    return same_name and not (cell and app.cells and UNNAMED.fullmatch(notebook))


def words_of(owner: str) -> str:
    """Return an owner as a person reads it: ``user ann``, ``ann@example.com``, ``role ci``."""
    if owner.startswith(PERSON):
        return owner.removeprefix(PERSON)
    kind, slash, name = owner.partition("/")
    return f"{kind} {name}" if slash else owner


def told(current: Values) -> str:
    """Return who deployed a function, from which notebook, and when it was changed last."""
    tags, changed = current.get("Tags", {}), current.get("Configuration", {}).get("LastModified")
    parts = [f"deployed by {words_of(tags[OWNER])}"]
    parts += [f"from {tags[NOTEBOOK]}"] if NOTEBOOK in tags else []
    if changed:
        parts.append(f"on {datetime.fromisoformat(changed).astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    return " ".join(parts)


def others(app: App, standing: Inspection) -> dict[str, str]:
    """Return the handlers that stand and are somebody else's, each with who deployed it, and when."""
    return {name: told(one) for name, one in standing.functions.items() if is_foreign(app, one.get("Tags", {}))}


def stays(app: App, current: Values) -> bool:
    """Whether a function that is not in this notebook is not this person's to remove."""
    return is_foreign(app, current.get("Tags", {})) and not app.takes_over


def notes(app: App, standing: Inspection, planned: Plan) -> list[str]:
    """Return what to tell of handlers that somebody else deployed, or that nobody is noted for."""
    registered = {handler.name for handler in app.handlers}
    texts = []
    for name, whose in planned.others.items():
        if name in registered:
            texts.append(f"{name} was {whose}: {_what_becomes(app, name in planned.touched)}")
        elif name not in planned.elsewhere and not app.takes_over:
            texts.append(f"{name} stands, too, {whose}: --prune leaves it without --take-over")
    for name in sorted(registered & standing.functions.keys()):
        if app.owners and OWNER not in standing.functions[name].get("Tags", {}):
            texts.append(f"{name} has no owner noted, as an earlier version deployed it: it becomes yours")
    return texts


def _what_becomes(app: App, touched: bool) -> str:
    if not touched:
        return "it stands as it is here, and stays theirs"
    return "it becomes yours" if app.takes_over else "a deploy replaces it only with --take-over"


def require_own(app: App, planned: Plan) -> None:
    """Refuse to change what somebody else deployed.

    Raises
    ------
    InvalidInputError
        Names whose, and since when.
    """
    if app.takes_over:
        return
    refuse({name: whose for name, whose in planned.others.items() if name in planned.touched})


def require_own_function(app: App, aws: Connection, handler: str, hint: str = HINT) -> None:
    """Refuse to take the events of a function that somebody else deployed, or to run it.

    Parameters
    ----------
    app, aws, handler : App or Connection or str
        Whose handler it should be, and where.
    hint : str
        What helps.

    Raises
    ------
    InvalidInputError
        Names whose, and since when.
    """
    app = claimed(app, aws)
    if not app.owners or app.takes_over:
        return
    try:
        current = Function(app.ref(aws, handler)).read(aws)
    except Exception as error:
        raise explain(error, f"looking who deployed {handler}") from None
    if current and is_foreign(app, current.get("Tags", {})):
        refuse({handler: told(current)}, hint)


def refuse(whose: Mapping[str, str], hint: str = HINT) -> None:
    """Refuse, where there are any, to change handlers that are somebody else's; nothing was changed."""
    if whose:
        texts = [f"{name} is somebody else's, {text}" for name, text in whose.items()]
        raise InvalidInputError("; ".join(texts), hint, code="someone-elses")
