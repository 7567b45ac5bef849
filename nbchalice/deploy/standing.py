"""What a handler's function has that the notebook says otherwise now, as far as a look at the function alone tells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nbchalice.deploy.desired import App, resources_of
from nbchalice.deploy.package import Package
from nbchalice.deploy.reasons import changed_cells
from nbchalice.errors import NbChaliceError
from nbchalice.packaging.targets import kernel_python
from nbchalice.resources.base import AWS, OWNER_PREFIX, or_missing
from nbchalice.resources.function import CODE, FINGERPRINT, Function
from nbchalice.runtime.archive import FILE
from nbchalice.runtime.bundles import PLACE
from nbchalice.typed import JSON, Values

if TYPE_CHECKING:
    from nbchalice.handlers import Handler
    from nbchalice.notebook.capture.slice import Slice

READY = {"State": "Active", "LastUpdateStatus": "Successful"}


def changed_since(aws: AWS, app: App, handler: Handler, piece: Slice) -> list[str]:
    """Return which cells and settings of a handler are not as they are deployed; none where that cannot be told.

    Parameters
    ----------
    aws, app : AWS or App
        Where the function stands.
    handler, piece : Handler or Slice
        What the notebook has of it now.
    """
    current: JSON = {}
    with or_missing():
        current = dict(aws.client("lambda").get_function(FunctionName=app.ref(aws, handler.name).name))
    if not current:
        return []
    cells, files = changed_cells(current, piece.module, list(piece.segments))
    try:
        function = _with_package_that_stands(
            _wanted(aws, app, handler, current), current, may_unpack=not files or FILE in files
        )
    except NbChaliceError:
        return cells  # What is wrong with the settings is the deploy's to tell.
    return [*cells, *function.differences(_as_published(function, current))]


def _wanted(aws: AWS, app: App, handler: Handler, current: Values) -> Function:
    """Return a handler's function, but for its package; what its triggers may shorten is as it stands."""
    package = Package(b"", current["Configuration"]["CodeSha256"], handler.setting("python") or kernel_python())
    timeout, now = handler.setting("timeout"), current["Configuration"]["Timeout"]
    if "timeout" not in handler.settings and any(one.shortens_timeout(options) for one, options in handler.sources()):
        timeout = min(timeout, now)
    resources = resources_of(handler, app, app.ref(aws, handler.name, timeout), package, aws, more=[])
    return next(one for one in resources if isinstance(one, Function))


def _with_package_that_stands(function: Function, current: Values, *, may_unpack: bool) -> Function:
    """Return a function with what a package decides of its settings as it stands: layer, bundles, /tmp, own tags."""
    now, tags = current["Configuration"], current.get("Tags", {})
    given = list(function.config["Layers"])
    named = f":layer:{function.function.app}-{function.function.stage}-"
    layers = [layer["Arn"] for layer in now.get("Layers") or []]
    own = [layer for layer in layers if named in layer and layer not in given]
    standing = (now.get("Environment") or {}).get("Variables") or {}
    variables = {
        **function.config["Environment"]["Variables"],
        **({PLACE: standing[PLACE]} if PLACE in standing else {}),
    }
    config = {**function.config, "Layers": own + given, "Environment": {"Variables": variables}}
    if may_unpack and "EphemeralStorage" in now:
        config["EphemeralStorage"] = now["EphemeralStorage"]
    marks = {name: value for name, value in tags.items() if name.startswith(f"{OWNER_PREFIX}:")}
    own_tags = {name: value for name, value in function.tags.items() if not name.startswith(f"{OWNER_PREFIX}:")}
    does = str(tags.get(CODE, "")).partition(" ")[0]
    return replace(function, config=config, tags={**marks, **own_tags}, does=does)


def _as_published(function: Function, current: Values) -> JSON:
    """Return what stands as if nothing were under way: neither a change by Lambda, nor a version to be published."""
    configuration = {**current["Configuration"], **READY}
    return {
        **current,
        "Configuration": configuration,
        "Tags": {**current.get("Tags", {}), FINGERPRINT: function.fingerprint()},
    }
